/*
 * utf8.h - is this UTF-8 (RFC 3629: no surrogates, nothing overlong)?
 */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include <envelope/bytes.h>

/* A check that takes its input in pieces; start from zero. */
struct utf8_check {
    uint32_t need;  /* continuation bytes still to come */
    uint8_t lo, hi; /* bounds of the next one           */
};

/**
 * utf8_update(check, piece):
 * Return false as soon as the bytes cannot be UTF-8.
 */
bool utf8_update(struct utf8_check *check, struct envl_bytes piece);

/**
 * utf8_finish(check):
 * Return false if a character is cut short.
 */
bool utf8_finish(const struct utf8_check *check);

/**
 * utf8_valid(bytes):
 * The same for bytes that are all here.
 */
bool utf8_valid(struct envl_bytes bytes);

#endif /* CORE_UTF8_H */
