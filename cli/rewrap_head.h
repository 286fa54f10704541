/*
 * rewrap_head.h - rewrap an envelope of any size by its beginning alone.
 *
 * The wrapped key stands before the payload, and the commitment at the
 * payload's beginning: a short envelope made of just that is rewrapped, and
 * the rest of the file is copied as it is.
 */
#ifndef CLI_REWRAP_HEAD_H
#define CLI_REWRAP_HEAD_H

#include <envelope/envelope.h>

#define REWRAP_HEAD_ROOM 8192u /* enough for every header and its base64 */

/**
 * rewrap_head_len(head, encoding):
 * How many of the bytes ${head} (the first REWRAP_HEAD_ROOM of a text or
 * binary envelope in wrapped mode) make an envelope of their own; 0 if it has
 * not the form of one.
 */
size_t rewrap_head_len(struct envl_bytes head, enum envl_encoding encoding);

#endif /* CLI_REWRAP_HEAD_H */
