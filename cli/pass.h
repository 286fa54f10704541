/*
 * pass.h - open an envelope of any encoding and size from a descriptor.
 *
 * Up to 2 MiB it is opened whole; more goes piece by piece in bounded memory,
 * each released only after its tag was checked.
 */
#ifndef CLI_PASS_H
#define CLI_PASS_H

#include <envelope/stream.h>

#include "io.h"

#define PASS_DIGEST_LEN 32u

/* Under which ring, and where, something is opened. */
struct pass_keys {
    struct envl_keyring *ring;
    struct envl_open_options open;
    const struct envl_context *context;
};

/* Takes plaintext that is authentic so far. */
typedef enum envl_status pass_fn(void *cookie, struct envl_bytes text,
                                 struct envl_error *err);

/* What takes the plaintext, and what is learnt. */
struct pass {
    pass_fn *take; /* NULL: nobody */
    void *cookie;
    bool digest_wanted;
    uint8_t digest[PASS_DIGEST_LEN]; /* out: BLAKE2b of all plaintext */
    enum envl_type type;             /* out                           */
};

/**
 * pass_run(in, keys, pass, err):
 * Read ${in} to its end and open it.  One LF that ends a text or object form
 * is accepted (spec ENV-7.4).  Fails as envl_open, and as pass->take; what
 * was taken by then is authentic, but not the whole.
 */
enum envl_status pass_run(const struct io_source *in,
                          const struct pass_keys *keys, struct pass *pass,
                          struct envl_error *err);

#endif /* CLI_PASS_H */
