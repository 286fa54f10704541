/*
 * json_check.h - is this JSON (RFC 8259), when it comes in pieces?
 *
 * The same language as json_scan_valid, by a machine that takes one byte at a
 * time.  No limit on depth but memory: one bit a level.
 */
#ifndef CORE_JSON_CHECK_H
#define CORE_JSON_CHECK_H

#include <stdbool.h>

#include <envelope/bytes.h>

#include "core/utf8.h"

/* Private; start from zero, end with json_check_free. */
struct json_check {
    struct utf8_check utf8;
    unsigned state;
    unsigned hex;        /* digits of an escape still to come */
    const char *word;    /* what is left of true, false, null */
    bool name;           /* the string is a member's name     */
    bool failed;
    size_t depth;
    struct envl_buf stack; /* one bit a level, 1 for an object */
};

/**
 * json_check_update(check, piece, err):
 * Take the next ${piece}.  Fails with ENVL_E_USAGE as soon as the whole
 * cannot be JSON, or with ENVL_E_NOMEM.
 */
enum envl_status json_check_update(struct json_check *check,
                                   struct envl_bytes piece,
                                   struct envl_error *err);

/**
 * json_check_finish(check, err):
 * Fails with ENVL_E_USAGE if the text is not complete.
 */
enum envl_status json_check_finish(const struct json_check *check,
                                   struct envl_error *err);

/**
 * json_check_free(check):
 * Release what nesting allocated.
 */
void json_check_free(struct json_check *check);

#endif /* CORE_JSON_CHECK_H */
