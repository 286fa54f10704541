/*
 * mask.h - one line or one JSON document, with its secrets masked.
 *
 * Below envl_redactor (redact.h), which cuts a stream into lines and
 * remembers a private key that goes on over several.
 */
#ifndef DETECT_MASK_H
#define DETECT_MASK_H

#include <stdbool.h>

#include <envelope/redact.h>

/* Rules, copied; names in lower case. */
struct mask {
    char **names, **keep;
    size_t name_count, keep_count;
    bool random;
    char *with;
    uint64_t masked;
};

/**
 * mask_init(mask, rules, err):
 * Copy ${rules}, which may be NULL.  Fails with ENVL_E_USAGE, ENVL_E_NOMEM.
 */
enum envl_status mask_init(struct mask *mask,
                           const struct envl_redact_rules *rules,
                           struct envl_error *err);
void mask_free(struct mask *mask);

/**
 * mask_text(mask, line, out, in_key, err):
 * Append ${line} with its secrets masked.  ${in_key} is set if a private key
 * begins in it and does not end.
 */
enum envl_status mask_text(struct mask *mask, struct envl_bytes line,
                           struct envl_buf *out, bool *in_key,
                           struct envl_error *err);

/**
 * mask_json(mask, text, out, err):
 * The same for JSON, whose strings stay strings.  ENVL_E_FORMAT, with nothing
 * appended, if ${text} is not one JSON value.
 */
enum envl_status mask_json(struct mask *mask, struct envl_bytes text,
                           struct envl_buf *out, struct envl_error *err);

/**
 * mask_put(mask, out, err):
 * Append the mask, and count it.
 */
enum envl_status mask_put(struct mask *mask, struct envl_buf *out,
                          struct envl_error *err);

/**
 * mask_name(mask, name):
 * Whether ${name} means a secret by these rules.
 */
bool mask_name(const struct mask *mask, struct envl_bytes name);

#endif /* DETECT_MASK_H */
