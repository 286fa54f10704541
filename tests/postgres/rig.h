/*
 * rig.h - a fresh database, the plugin on it, and an application beside it.
 */
#ifndef TESTS_POSTGRES_RIG_H
#define TESTS_POSTGRES_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include <envelope/migrator.h>

#include "cluster.h"

extern const struct envl_migrator envl_migrator_v1;
#define OPS (&envl_migrator_v1)

struct rig {
    char dsn[160];
    PGconn *other;              /* the application's connection */
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

/* Fill in rig->host, whose notes go to rig->notes. */
void rig_host(struct rig *rig);

/* Empty the database and run ${sql}; the plugin is opened on it. */
void rig_open(struct rig *rig, const char *sql);
/* The same in a database of its own, made with ${options}. */
void rig_open_with(struct rig *rig, const char *options, const char *sql);
void rig_close(struct rig *rig);

/* Another store beside the first; the caller closes it. */
struct envl_store *rig_store(struct rig *rig);
/* Close the plugin's store and open it as another role. */
void rig_reopen(struct rig *rig, const char *role);
/* The status of opening with DATABASE_URL set to ${dsn}. */
enum envl_status rig_try_open(struct rig *rig, const char *dsn);

/* Bind; the spec's memory lives until rig_close or the next bind. */
enum envl_status rig_try_bind(struct rig *rig, const struct rig_target *spec);
void rig_bind(struct rig *rig, const struct rig_target *spec);

/* As the application: run statements; one text or number. */
void rig_sql(struct rig *rig, const char *sql);
long rig_number(struct rig *rig, const char *sql);
void rig_assert_text(struct rig *rig, const char *sql, const char *expected);

/* One page: the whole table, after a key, or exact rows. */
struct envl_page *rig_read(struct rig *rig);
struct envl_page *rig_read_as(struct rig *rig, const struct envl_read *read);

/* One edit that puts text; write, and the outcome of each row. */
struct envl_edit rig_edit(uint32_t row, uint32_t leaf, uint32_t flags,
                          const char *text);
enum envl_status rig_write(struct rig *rig, const struct envl_page *page,
                           const struct envl_edit *edits, uint32_t count,
                           enum envl_outcome *outcomes);
enum envl_status rig_commit(struct rig *rig);

/* Write one edit, commit, and say what became of its row. */
enum envl_outcome rig_write_one(struct rig *rig, const struct envl_page *page,
                                struct envl_edit edit);

void rig_assert_cell(struct envl_cell cell, enum envl_kind kind,
                     const char *text);
void rig_assert_bytes(struct envl_bytes bytes, const char *text);

/* A cluster that logs every statement, for the tests of one program. */
int rig_setup(void **state);
int rig_teardown(void **state);

void rig_assert_note(const struct rig *rig, const char *text);

#endif /* TESTS_POSTGRES_RIG_H */
