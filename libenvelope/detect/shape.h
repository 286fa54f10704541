/*
 * shape.h - secrets that are known by their form in any text.
 *
 * Tokens with a prefix (token.h); private keys in PEM (RFC 7468) and PuTTY
 * form; JSON Web Tokens (RFC 7519); passwords in a URL's userinfo (RFC 3986
 * section 3.2.1); credentials of the Authorization header (RFC 6750, RFC
 * 7617); Slack's and Discord's hooks; Telegram's bots; and base64 of any of
 * these.
 */
#ifndef DETECT_SHAPE_H
#define DETECT_SHAPE_H

#include <stdbool.h>

#include "detect/hit.h"

/**
 * shape_next(text, from, hit):
 * The first secret at or after ${from}; ${hit} covers just what is secret (a
 * URL's password, not the URL).  A PEM block that is cut short reaches to the
 * end of ${text}, with ${hit}->rule "private-key-part".
 */
bool shape_next(struct envl_bytes text, size_t from, struct hit *hit);

/**
 * shape_private_key_end(text):
 * The offset behind the line that ends a private key, or SIZE_MAX.
 */
size_t shape_private_key_end(struct envl_bytes text);

#endif /* DETECT_SHAPE_H */
