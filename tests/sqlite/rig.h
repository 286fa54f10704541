/*
 * rig.h - a SQLite file, the plugin on it, and a second connection beside it.
 */
#ifndef TESTS_SQLITE_RIG_H
#define TESTS_SQLITE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include <envelope/migrator.h>

extern const struct envl_migrator envl_migrator_v1;
#define OPS (&envl_migrator_v1)

struct rig {
    char dir[64], path[96];
    sqlite3 *other;             /* the application's connection */
    struct envl_host host;
    struct envl_store *store;
    struct envl_target *target;
    struct envl_error err;      /* of the last call that failed */
    char notes[16384];          /* "LEVEL text\n" for each      */
};

/* A field of one column; a path is MEMBER segments but for "*" and "[*]". */
struct rig_field {
    const char *column;
    const char *path[6];
    const char *into;
    const char *element_id;
    bool keep_source;
};

struct rig_target {
    const char *table;
    const char *keys[4];
    const char *where;
    struct rig_field fields[4];
    const char *extras[4];
};

/* Make a fresh database with ${sql}; the plugin is opened on it. */
void rig_open(struct rig *rig, const char *sql);
void rig_close(struct rig *rig);

/* The status of opening the plugin on a source object. */
enum envl_status rig_try_open(struct rig *rig, const char *source);

/* Bind; the spec's memory lives until rig_close or the next bind. */
enum envl_status rig_try_bind(struct rig *rig, const struct rig_target *spec);
void rig_bind(struct rig *rig, const struct rig_target *spec);

/* As the application: run statements; one text or number. */
void rig_sql(struct rig *rig, const char *sql);
int64_t rig_number(struct rig *rig, const char *sql);
void rig_assert_text(struct rig *rig, const char *sql, const char *expected);

/* One page: the whole table, or after a key. */
struct envl_page *rig_read(struct rig *rig);
struct envl_page *rig_read_some(struct rig *rig, struct envl_bytes after,
                                struct envl_bytes until, uint32_t rows);

/* One edit that puts text; write, and the outcome of each edit's row. */
struct envl_edit rig_edit(uint32_t row, uint32_t leaf, uint32_t flags,
                          const char *text);
enum envl_status rig_write(struct rig *rig, const struct envl_page *page,
                           const struct envl_edit *edits, uint32_t count,
                           enum envl_outcome *outcomes);
enum envl_status rig_commit(struct rig *rig);

/* Write one edit of one row, commit, and say what became of it. */
enum envl_outcome rig_write_one(struct rig *rig, const struct envl_page *page,
                                struct envl_edit edit);

void rig_assert_cell(struct envl_cell cell, enum envl_kind kind,
                     const char *text);
void rig_assert_bytes(struct envl_bytes bytes, const char *text);

/* True if the bytes of ${text} are in the file or in what lies beside it. */
bool rig_on_disk(const struct rig *rig, const char *text);

#endif /* TESTS_SQLITE_RIG_H */
