/*
 * reader.h - a strict, typed reader of JSON objects, without a tree.
 *
 * For text that is not believed yet: every member is of a known name, there
 * once, and of its type, or the reading ends.  The first refusal is kept; its
 * message names members and positions, never a stored value.
 */
#ifndef KEYRING_READER_H
#define KEYRING_READER_H

#include "core/json_scan.h"
#include "keyring/key.h"

struct reader {
    struct json_scan scan;
    struct envl_buf text;  /* of a string with escapes                  */
    const char *part;      /* "key ", "unlock entry ", "line 1"         */
    size_t number;         /* of the key or entry, from 1; 0: none      */
    enum envl_status status; /* ENVL_OK until something is refused      */
    struct envl_error *err;
};

/* Reads the value of member ${member} into ${into}. */
typedef bool reader_member_fn(struct reader *r, void *into, unsigned member);

/**
 * reader_refuse(r, name, why):
 * Refuse (ENVL_E_INTEGRITY) the member ${name} (may be ""); return false.
 */
bool reader_refuse(struct reader *r, const char *name, const char *why);

/**
 * reader_no_memory(r):
 * The same with ENVL_E_NOMEM.
 */
bool reader_no_memory(struct reader *r);

/**
 * reader_content(r, out):
 * The content of the string token just read, borrowed until the next string.
 */
bool reader_content(struct reader *r, struct envl_bytes *out);

/**
 * reader_string(r, name, out), reader_integer(r, name, out):
 * The next value: a string as reader_content gives it; an integer literal of
 * 0 to 2^53 - 1.
 */
bool reader_string(struct reader *r, const char *name,
                   struct envl_bytes *out);
bool reader_integer(struct reader *r, const char *name, uint64_t *out);

/**
 * reader_name(r, name, out):
 * A name by the rule for kids.
 */
bool reader_name(struct reader *r, const char *name,
                 char out[ENVL_NAME_SIZE]);

/**
 * reader_date(r, name, or_null, out):
 * A date, or, if ${or_null}, null, which gives an empty string.
 */
bool reader_date(struct reader *r, const char *name, bool or_null,
                 char out[ENVL_DATE_SIZE]);

/**
 * reader_bytes(r, name, min, room):
 * base64url in its one form, of ${min} to ${room}->len bytes; the length is
 * stored there.
 */
bool reader_bytes(struct reader *r, const char *name, size_t min,
                  struct envl_span *room);

/**
 * reader_fixed(r, name, out, len):
 * The same of exactly ${len} bytes.
 */
bool reader_fixed(struct reader *r, const char *name, uint8_t *out,
                  size_t len);

/**
 * reader_members(r, names, read, into, seen):
 * An object whose beginning was read, with members of the NULL-ended
 * ${names}, each at most once; ${seen} gets a bit for each that was there.
 */
bool reader_members(struct reader *r, const char *const *names,
                    reader_member_fn *read, void *into, unsigned *seen);

/**
 * reader_require(r, names, seen, must):
 * Refuse unless ${seen} is exactly ${must}.
 */
bool reader_require(struct reader *r, const char *const *names,
                    unsigned seen, unsigned must);

#endif /* KEYRING_READER_H */
