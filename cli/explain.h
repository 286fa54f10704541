/*
 * explain.h - what to do about a status, where the library cannot know.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <envelope/error.h>

/**
 * explain_name(err, name):
 * Put ${name} (a file) before the message of ${err}; NULL changes nothing.
 * The hint stays.
 */
void explain_name(struct envl_error *err, const char *name);

/**
 * explain_open(err):
 * Add the remedy for an envelope that does not open, if there is no hint yet.
 * It depends on the status alone, so that `auth` stays one answer.
 */
void explain_open(struct envl_error *err);

#endif /* CLI_EXPLAIN_H */
