/*
 * opener_head.h - the header of an envelope that comes in pieces.
 */
#ifndef ENVELOPE_OPENER_HEAD_H
#define ENVELOPE_OPENER_HEAD_H

#include "envelope/object_scan.h"
#include "envelope/parse.h"

/* Where the reading is. */
enum opener_head_state {
    OPENER_HEAD_BEGINNING, /* which encoding, which version  */
    OPENER_HEAD_KID,       /* text: up to the second ':'     */
    OPENER_HEAD_RAW,       /* bytes up to the first chunk    */
    OPENER_HEAD_DONE
};

/* Private; start from zero. */
struct opener_head {
    enum opener_head_state state;
    enum envl_encoding encoding;
    size_t digits;        /* text: digits of the version so far          */
    bool version_one;     /* text: the first digit was a 1               */
    struct object_scan scan; /* of what begins like JSON                 */
    bool object;          /* it does                                     */
    struct envl_buf seen; /* a beginning, or raw bytes                   */
    uint8_t kid[ENVL_KID_MAX];
    size_t kid_len;
};

/**
 * opener_head_chars(head, piece, err):
 * Take bytes of the input as they come, as long as the state is BEGINNING or
 * KID; ${piece} is moved past what was taken.  Fails with ENVL_E_NOTENV,
 * ENVL_E_VERSION, ENVL_E_FORMAT, ENVL_E_USAGE (an object), ENVL_E_NOMEM.
 */
enum envl_status opener_head_chars(struct opener_head *head,
                                   struct envl_bytes *piece,
                                   struct envl_error *err);

/**
 * opener_head_raw(head, piece, err):
 * In state RAW: take raw bytes (text: base64url undone) until the header, the
 * salt, the commitment and the shortest possible chunk are there; then the
 * state is DONE.  Fails with ENVL_E_FORMAT, ENVL_E_NOMEM.
 */
enum envl_status opener_head_raw(struct opener_head *head,
                                 struct envl_bytes *piece,
                                 struct envl_error *err);

/**
 * opener_head_parsed(head, out):
 * After DONE: what was read.  out->payload is what is there of it; views are
 * valid until opener_head_free.
 */
void opener_head_parsed(const struct opener_head *head, struct parsed *out);

/**
 * opener_head_finish(head, err):
 * The input has ended before DONE: say what that makes of it.
 */
enum envl_status opener_head_finish(struct opener_head *head,
                                    struct envl_error *err);

/**
 * opener_head_free(head):
 * Release its memory.
 */
void opener_head_free(struct opener_head *head);

#endif /* ENVELOPE_OPENER_HEAD_H */
