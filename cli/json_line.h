/*
 * json_line.h - one line of `envelope seal` or `envelope open`, parsed.
 *
 * By the pull tokenizer, without building anything: strings without escapes
 * are borrowed from the line, others are put into a buffer of the caller's
 * that must not move (room for the line's own length is always enough).
 */
#ifndef CLI_JSON_LINE_H
#define CLI_JSON_LINE_H

#include <stdbool.h>

#include <envelope/context.h>
#include <envelope/envelope.h>

struct json_line {
    struct envl_bytes value;    /* seal: the value; open: the envelope */
    enum envl_type type;        /* seal                                */
    size_t pair_count;
    struct envl_pair pairs[ENVL_CONTEXT_MAX_PAIRS];
};

/**
 * json_line_parse_seal(line, scratch, out):
 * Read {"value" or "value_b64", "context", "type"}.  ENVL_OK, or
 * ENVL_E_USAGE for anything else: other text, a member that is missing,
 * unknown or repeated; ENVL_E_LIMIT for too many pairs, ENVL_E_NOMEM.
 */
enum envl_status json_line_parse_seal(struct envl_bytes line,
                                      struct envl_buf *scratch,
                                      struct json_line *out);

/**
 * json_line_parse_open(line, scratch, out):
 * Read {"envelope", "context"}; the envelope is a string or an object.
 */
enum envl_status json_line_parse_open(struct envl_bytes line,
                                      struct envl_buf *scratch,
                                      struct json_line *out);

/**
 * json_line_print_sealed(envelope, encoding, out, err):
 * Append {"envelope": ...} and an LF.
 */
enum envl_status json_line_print_sealed(struct envl_bytes envelope,
                                        enum envl_encoding encoding,
                                        struct envl_buf *out,
                                        struct envl_error *err);

/**
 * json_line_print_opened(value, type, out, err):
 * Append {"value" or "value_b64", "type"} and an LF: text and json that are
 * UTF-8 as a string, all else in base64.
 */
enum envl_status json_line_print_opened(struct envl_bytes value,
                                        enum envl_type type,
                                         struct envl_buf *out,
                                         struct envl_error *err);

/**
 * json_line_print_error(status, out, err):
 * Append {"error": name, "code": n} and an LF.
 */
enum envl_status json_line_print_error(enum envl_status status,
                                       struct envl_buf *out,
                                       struct envl_error *err);

#endif /* CLI_JSON_LINE_H */
