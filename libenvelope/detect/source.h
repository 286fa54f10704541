/*
 * source.h - secrets in a file: code, configuration, logs, documents.
 *
 * What stands under a name (assign.h), what has a known form anywhere
 * (shape.h), and directives of servers that take a password after a blank
 * (requirepass, masterauth, rootpw, netrc's password, .pgpass).
 */
#ifndef DETECT_SOURCE_H
#define DETECT_SOURCE_H

#include "detect/hit.h"

enum source_kind {
    SOURCE_CODE,   /* an unquoted value is an expression      */
    SOURCE_CONFIG, /* an unquoted value is a value            */
    SOURCE_PROSE   /* only what is certain counts             */
};

/* Borrowed for the call; the value itself is for digests, never for people. */
struct source_finding {
    struct hit hit;          /* in the whole text                       */
    size_t line, column;     /* from 1; columns are bytes               */
    struct envl_bytes name;  /* may be empty                            */
    struct envl_bytes value;
};

typedef enum envl_status source_fn(void *cookie,
                                   const struct source_finding *finding,
                                   struct envl_error *err);

/**
 * source_kind_of(path):
 * By the file's name: .py is code, .env configuration, .md prose.
 */
enum source_kind source_kind_of(const char *path);

/**
 * source_scan(text, kind, each, cookie, err):
 * Give each secret in ${text} to ${each}, in the order of its place; where a
 * name and a form point at the same value, once, with the surer of the two.
 */
enum envl_status source_scan(struct envl_bytes text, enum source_kind kind,
                             source_fn *each, void *cookie,
                             struct envl_error *err);

/**
 * source_at(text, at, line, column):
 * Where offset ${at} is, for people.
 */
void source_at(struct envl_bytes text, size_t at, size_t *line,
               size_t *column);

#endif /* DETECT_SOURCE_H */
