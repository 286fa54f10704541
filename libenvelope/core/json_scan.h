/*
 * json_scan.h - walk JSON text without building anything (RFC 8259).
 *
 * A pull tokenizer over bytes that are all here: no limit on depth, on the
 * size of numbers or on duplicates, no recursion, no allocation.  It serves
 * three masters: finding an envelope's beginning in an object (spec ENV),
 * checking that a value of type json is JSON, and splicing a document byte by
 * byte without printing it again.  (The beginning of a document that may be
 * cut short or no JSON at all is envelope/beginning.h's.)
 */
#ifndef CORE_JSON_SCAN_H
#define CORE_JSON_SCAN_H

#include <stdbool.h>

#include <envelope/bytes.h>

enum json_token {
    JSON_SCAN_ERROR,  /* not JSON; the scan is over  */
    JSON_SCAN_END,    /* a whole value has been read */
    JSON_SCAN_OBJECT_BEGIN,
    JSON_SCAN_OBJECT_END,
    JSON_SCAN_ARRAY_BEGIN,
    JSON_SCAN_ARRAY_END,
    JSON_SCAN_NAME,   /* a member's name, quotes included */
    JSON_SCAN_STRING, /* quotes included                  */
    JSON_SCAN_NUMBER,
    JSON_SCAN_TRUE,
    JSON_SCAN_FALSE,
    JSON_SCAN_NULL
};

/* Nesting is kept as one bit a level in a buffer that grows past 2,048. */
struct json_scan {
    struct envl_bytes text;
    size_t at;       /* offset of the next byte                    */
    size_t start;    /* offset and                                 */
    size_t len;      /*   length of the token last returned        */
    size_t depth;    /* open objects and arrays                    */
    bool no_memory;  /* the ERROR was a lack of memory             */
    unsigned expect; /* private                                    */
    uint8_t inline_stack[256];
    struct envl_buf stack; /* private: deeper levels               */
};

/**
 * json_scan_init(scan, text):
 * Begin at the first byte of ${text}.
 */
void json_scan_init(struct json_scan *scan, struct envl_bytes text);

/**
 * json_scan_next(scan):
 * Return the next token; its bytes are text[start, start + len), and strings
 * and names are well-formed UTF-8.  END once
 * the outermost value is complete and only whitespace follows; anything else
 * that follows, and text that is cut short, is ERROR.
 */
enum json_token json_scan_next(struct json_scan *scan);

/**
 * json_scan_skip(scan):
 * After a token that begins an object or array, move past its end; after any
 * other token do nothing.  Return false on an error.
 */
bool json_scan_skip(struct json_scan *scan);

/**
 * json_scan_free(scan):
 * Release what deep nesting allocated.
 */
void json_scan_free(struct json_scan *scan);

/**
 * json_scan_valid(text):
 * True if ${text} is one JSON value in UTF-8 without a BOM.  Escaped
 * surrogates, lone ones too, and duplicate names are accepted.
 */
bool json_scan_valid(struct envl_bytes text);

/**
 * json_scan_unescape(token, out, err):
 * Append the content of a string token (quotes included) to ${out} as UTF-8.
 * Fails with ENVL_E_FORMAT if it holds a lone surrogate; U+0000 is a byte 0.
 */
enum envl_status json_scan_unescape(struct envl_bytes token,
                                    struct envl_buf *out,
                                    struct envl_error *err);

/**
 * json_scan_unescape_raw(raw, out, err):
 * The same for a checked string without its quotes, never ENVL_E_FORMAT: a
 * lone surrogate becomes U+FFFD.  For a look at the content only.
 */
enum envl_status json_scan_unescape_raw(struct envl_bytes raw,
                                        struct envl_buf *out,
                                        struct envl_error *err);

/**
 * json_scan_escape(text, out, err):
 * Append ${text} (UTF-8) to ${out} as a JSON string, quotes included.
 */
enum envl_status json_scan_escape(struct envl_bytes text, struct envl_buf *out,
                                  struct envl_error *err);

#endif /* CORE_JSON_SCAN_H */
