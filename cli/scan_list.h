/*
 * scan_list.h - what a scan has found.
 *
 * Places and reasons, never values: of a value only a salted digest is kept,
 * for the baseline.
 */
#ifndef CLI_SCAN_LIST_H
#define CLI_SCAN_LIST_H

#include <stdbool.h>

#include <jansson.h>

#include "detect/hit.h"

#define SCAN_SALT   16u
#define SCAN_DIGEST 16u

/* One finding; strings are the list's. */
struct scan_item {
    char *path;        /* of a file, or a table's label          */
    char *name;        /* the name it stands under; "" if none   */
    size_t line, column; /* 0 in a database                      */
    const char *rule, *why;
    enum hit_sure sure;
    uint64_t count, rows; /* in a database: values of the sample that were
                             secrets, and all of it                       */
    uint8_t digest[SCAN_DIGEST];
    bool known;        /* in the baseline                        */
};

struct scan_list {
    struct scan_item *items;
    size_t count, cap;
    uint8_t salt[SCAN_SALT];
    uint64_t files, bytes;
    json_t *skipped;   /* [{path, why}]                          */
};

/**
 * scan_list_init(list, err):
 * Begin with a salt of its own.
 */
enum envl_status scan_list_init(struct scan_list *list,
                                struct envl_error *err);
void scan_list_free(struct scan_list *list);

/**
 * scan_list_add(list, item, value, err):
 * Add a copy of ${item} with the digest of ${value}.  A value that could be
 * guessed is left out of the digest: a baseline is read by everybody.
 */
enum envl_status scan_list_add(struct scan_list *list,
                               const struct scan_item *item,
                               struct envl_bytes value,
                               struct envl_error *err);

/**
 * scan_list_skip(list, path, why):
 * Note what was not looked into.
 */
void scan_list_skip(struct scan_list *list, const char *path,
                    const char *why);

/**
 * scan_list_sort(list):
 * By path, line and column.
 */
void scan_list_sort(struct scan_list *list);

/**
 * scan_list_sure(sure):
 * "low", "medium", "high".
 */
const char *scan_list_sure(enum hit_sure sure);

#endif /* CLI_SCAN_LIST_H */
