/*
 * table.h - what the schema says of one table.
 */
#ifndef SQLITE_TABLE_H
#define SQLITE_TABLE_H

#include "common/arena.h"
#include "sqlite/store.h"

enum table_affinity {
    TABLE_TEXT,
    TABLE_NUMBER, /* INTEGER, REAL, NUMERIC */
    TABLE_BLOB,   /* declared BLOB          */
    TABLE_ANY     /* no type declared       */
};

struct table_column {
    const char *name;      /* as the schema spells it          */
    const char *type;      /* declared, "" without             */
    const char *collation; /* of comparisons with it           */
    enum table_affinity affinity;
    bool not_null, generated;
    int key_part;          /* of the primary key: 1, 2, ...; 0 */
};

/* An index that finds at most one row. */
struct table_unique {
    const char *name;
    uint32_t count;
    uint32_t columns[16];       /* indexes into the table's columns */
    const char *collations[16];
    bool primary;
};

/* Memory of all is in the arena given to table_load. */
struct table {
    const char *name; /* as the schema spells it */
    const char *sql;  /* CREATE TABLE ...        */
    bool rowid;       /* not WITHOUT ROWID       */
    bool strict;
    struct table_column *columns;
    uint32_t column_count;
    struct table_unique *uniques;
    uint32_t unique_count;
    int alias;        /* the column that is the rowid, or -1 */
};

/**
 * table_load(store, text, arena, out, err):
 * Find the table that a job calls ${text}: as the schema spells it, or as SQL
 * identifiers.  Fails with ENVL_E_NOTFOUND, or ENVL_E_POLICY for what is no
 * ordinary table.
 */
enum envl_status table_load(struct envl_store *store, const char *text,
                            struct arena *arena, struct table *out,
                            struct envl_error *err);

/**
 * table_column(table, name):
 * The index of the column that is spelled ${name}, or, if there is none, that
 * SQLite means by it; -1 if there is none.
 */
int table_column(const struct table *table, const char *name);

/**
 * table_fingerprint(store, table, out, err):
 * A hash over the SQL of the table, its indexes and its triggers: what a
 * bound target rests on.
 */
enum envl_status table_fingerprint(struct envl_store *store,
                                   const char *table, uint8_t out[32],
                                   struct envl_error *err);

#endif /* SQLITE_TABLE_H */
