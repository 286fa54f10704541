/*
 * say.h - how a plugin speaks: through its host only (spec MIG-6).
 *
 * Arguments are names, ids, sizes and codes, never a stored value.
 */
#ifndef COMMON_SAY_H
#define COMMON_SAY_H

#include <envelope/migrator.h>

/**
 * say_fail(host, err, status, format, ...):
 * Write a message into ${err} (may be NULL) and return ${status}.
 */
enum envl_status say_fail(const struct envl_host *host, struct envl_error *err,
                          enum envl_status status, const char *format, ...)
    ENVL_PRINTF(4, 5);

/**
 * say_hint(host, err, format, ...):
 * Add the remedy to the message in ${err} (may be NULL).
 */
void say_hint(const struct envl_host *host, struct envl_error *err,
              const char *format, ...) ENVL_PRINTF(3, 4);

/**
 * say_note(host, level, target, format, ...):
 * Tell plan and log something about ${target} (may be NULL); up to 2,000
 * characters.
 */
void say_note(const struct envl_host *host, enum envl_note level,
              const char *target, const char *format, ...) ENVL_PRINTF(4, 5);

#endif /* COMMON_SAY_H */
