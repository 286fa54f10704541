/*
 * answer.h - look into a JSON answer without copying it.
 *
 * Answers hold keys and tokens; a JSON library would leave copies of them
 * behind.  The text is walked where it lies, in a buffer that is wiped.  A
 * member that is there twice is an error for whoever asks for it.
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <envelope/bytes.h>
#include <envelope/secret.h>

#include "core/json_scan.h"

/* A value where it lies; kind JSON_SCAN_END: there is none. */
struct answer_value {
    enum json_token kind; /* its first token   */
    struct envl_bytes text;
};

/**
 * answer_whole(text, out):
 * The whole of ${text}; false if it is not JSON.
 */
bool answer_whole(struct envl_bytes text, struct answer_value *out);

/**
 * answer_member(object, name, out):
 * The member ${name}; false if ${object} is none, or the member is missing or
 * there twice.
 */
bool answer_member(const struct answer_value *object, const char *name,
                   struct answer_value *out);

/**
 * answer_path(object, path, out):
 * The same for member within member: "data.data.key".
 */
bool answer_path(const struct answer_value *object, const char *path,
                 struct answer_value *out);

/* The items of an array, one after the other. */
struct answer_items {
    struct json_scan scan;
    bool failed;
};

/**
 * answer_items_begin(array, out), answer_items_next(items, out),
 * answer_items_end(items):
 * Next returns false after the last.
 */
void answer_items_begin(const struct answer_value *array,
                        struct answer_items *out);
bool answer_items_next(struct answer_items *items, struct answer_value *out);
void answer_items_end(struct answer_items *items);

/**
 * answer_text(value, out, err):
 * Append the content of a string to ${out}, which is wiped by its owner.
 * Fails with ENVL_E_FORMAT if it is none, or holds a byte 0.
 */
enum envl_status answer_text(const struct answer_value *value,
                             struct envl_buf *out, struct envl_error *err);

/**
 * answer_secret(value, out, err):
 * The same into a secret; of 1 to 16384 bytes.
 */
enum envl_status answer_secret(const struct answer_value *value,
                               struct envl_secret **out,
                               struct envl_error *err);

/**
 * answer_base64(value, out, err):
 * The content of a string of standard base64 with padding; one LF at its end
 * is left out.  ${out}->len is the room, then what was used.  Fails with
 * ENVL_E_FORMAT, also if the room is too small.
 */
enum envl_status answer_base64(const struct answer_value *value,
                               struct envl_span *out, struct envl_error *err);

/**
 * answer_number(value, otherwise):
 * A whole number of up to 15 digits, else ${otherwise}.
 */
int64_t answer_number(const struct answer_value *value, int64_t otherwise);

/**
 * answer_put_base64(bytes, out, err):
 * Append ${bytes} as a JSON string of standard base64.
 */
enum envl_status answer_put_base64(struct envl_bytes bytes,
                                   struct envl_buf *out,
                                   struct envl_error *err);

/**
 * answer_put(out, err, ...):
 * Append C strings as they are, up to a NULL.
 */
enum envl_status answer_put(struct envl_buf *out, struct envl_error *err, ...)
    __attribute__((sentinel));

#endif /* HTTP_ANSWER_H */
