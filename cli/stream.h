/*
 * stream.h - many values in one process: a line in, a line out, in order.
 */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include <envelope/envelope.h>

#include "command.h"

/* One of the two directions. */
struct stream {
    bool sealing;
    struct envl_keyring *ring;
    struct envl_seal_options seal; /* if sealing */
    struct envl_open_options open; /* else       */
};

/**
 * stream_run(stream, err):
 * Answer every line of standard input on standard output, in order: what has
 * arrived is worked off in batches and written before more is read.  A line
 * that fails gets its error in its place; ENVL_E_PARTIAL at the end says how
 * many did.  Fails with ENVL_E_USAGE on a terminal, ENVL_E_IO.
 */
enum envl_status stream_run(struct stream *stream, struct envl_error *err);

#endif /* CLI_STREAM_H */
