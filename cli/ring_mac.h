/*
 * ring_mac.h - what the command writes beside a keyring, and means to know
 * again: a MAC under a subkey of the ring.
 */
#ifndef CLI_RING_MAC_H
#define CLI_RING_MAC_H

#include <stdbool.h>

#include <envelope/keyring.h>

#define RING_MAC_LEN  32u
#define RING_MAC_TEXT 44u /* in base64url, with its NUL */

/**
 * ring_mac_make(ring, label, bytes, out, err):
 * The first 32 bytes of HMAC-SHA-512 under the ring's checkpoint key (spec
 * KEY-16) over ${label}, a zero byte and ${bytes}, as text.  Fails as
 * keyring_subkey does.
 */
enum envl_status ring_mac_make(struct envl_keyring *ring, const char *label,
                               struct envl_bytes bytes,
                               char out[RING_MAC_TEXT],
                               struct envl_error *err);

/**
 * ring_mac_holds(ring, label, bytes, text):
 * Whether ${text} is that MAC.
 */
bool ring_mac_holds(struct envl_keyring *ring, const char *label,
                    struct envl_bytes bytes, const char *text);

#endif /* CLI_RING_MAC_H */
