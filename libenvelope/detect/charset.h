/*
 * charset.h - which characters a token is made of.
 */
#ifndef DETECT_CHARSET_H
#define DETECT_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include <envelope/bytes.h>

enum charset {
    CHARSET_DIGIT,
    CHARSET_HEX,    /* 0-9 a-f A-F              */
    CHARSET_UPPER,  /* 0-9 A-Z                  */
    CHARSET_ALNUM,  /* 0-9 a-z A-Z              */
    CHARSET_WORD,   /* and _ -, as base64url    */
    CHARSET_DOTTED, /* and .                    */
    CHARSET_BASE64  /* 0-9 a-z A-Z + / - _      */
};

/**
 * charset_has(set, c):
 * Whether ${c} is of ${set}.
 */
bool charset_has(enum charset set, uint8_t c);

/**
 * charset_run(set, text, at):
 * How many characters of ${set} stand at text[at...].
 */
size_t charset_run(enum charset set, struct envl_bytes text, size_t at);

/**
 * charset_glued(text, at):
 * Whether the byte before ${at} makes what begins there the middle of a
 * longer word.
 */
bool charset_glued(struct envl_bytes text, size_t at);

#endif /* DETECT_CHARSET_H */
