/*
 * target.h - a table bound to a job: its key, its columns, its statements.
 */
#ifndef SQLITE_TARGET_H
#define SQLITE_TARGET_H

#include "common/json_splice.h"
#include "sqlite/key.h"
#include "sqlite/table.h"
#include "sqlite/value.h"

#define TARGET_SLOTS 60 /* so that a set of them is one word */
#define TARGET_FORMS 16 /* prepared updates kept at a time   */

/* A column that is read: a source, a sibling, or both. */
struct slot {
    const char *name;
    const struct table_column *column;
};

struct field {
    uint32_t slot;          /* of the source                   */
    int into;               /* slot of the sibling, or -1      */
    struct json_path *path; /* or NULL                         */
};

/* A prepared UPDATE: what it sets and what it compares. */
struct form {
    uint64_t set, compare;  /* bits: slots                     */
    sqlite3_stmt *update;   /* of one row                      */
    sqlite3_stmt *check;    /* the same condition              */
    sqlite3_stmt *range;    /* of a range of rows; or NULL     */
    uint64_t used;          /* when, for choosing what goes    */
};

/* What a page keeps of a row for the compare-and-swap. */
struct row {
    int64_t rowid;          /* if the target has one           */
    struct value *keys;     /* key.count                       */
    struct value *slots;    /* slot_count                      */
    void **sites;           /* one a leaf; NULL in a column    */
};

/* A row that is to be written, and what became of it. */
struct entry {
    uint32_t number;        /* of the row in its page          */
    enum envl_outcome outcome;
    const struct row *old;
    uint64_t set, compare;  /* bits: slots                     */
    const struct value *values; /* new ones, in the slots' order */
    bool seen;              /* by a statement over a range     */
};

struct envl_target {
    struct envl_store *store;
    const struct envl_target_spec *spec;
    struct arena arena;     /* of what lives as long           */
    struct table table;
    const char *rowid;      /* a name for it, or NULL          */
    bool triggers;          /* that an update fires            */
    struct key key;
    struct slot slots[TARGET_SLOTS];
    uint32_t slot_count;
    struct field *fields;   /* spec->field_count               */
    uint32_t *extras;       /* columns, spec->extra_count      */
    struct envl_target_info info;

    int64_t schema_version;
    uint8_t fingerprint[32];
    sqlite3_stmt *pages[4]; /* by bounds: 1 after, 2 until     */
    sqlite3_stmt *one;      /* a row by its key                */
    sqlite3_stmt *exists;   /* is there a row of that key?     */
    sqlite3_stmt *last;     /* the largest key                 */
    sqlite3_stmt *keyless;  /* a row without a key; or NULL    */
    sqlite3_stmt *stored;   /* the slots of a row; or NULL     */
    struct form forms[TARGET_FORMS];
    uint64_t clock;         /* for form.used                   */

    struct page *ready;     /* read, not yet given             */
    struct entry *entries;  /* of the write under way          */
    struct entry **sorted;  /* as many pointers                */
    uint32_t entry_count, entry_cap;
    struct arena batch;     /* new values of the entries       */
    struct json_edit *edits; /* of the document being spliced  */
    uint32_t edit_cap;
    struct envl_buf spliced; /* a new document                 */
    const char *guard_gaps[4]; /* what guard_read gave         */
};

/**
 * target_bind, target_unbind, target_info:
 * struct envl_migrator's.
 */
enum envl_status target_bind(struct envl_store *store,
                             const struct envl_target_spec *spec,
                             struct envl_target **out, struct envl_error *err);
void target_unbind(struct envl_target *target);
const struct envl_target_info *target_info(struct envl_target *target);

/**
 * target_check_schema(target, err):
 * ENVL_E_DATABASE if the table, its indexes or its triggers are others than
 * when it was bound.
 */
enum envl_status target_check_schema(struct envl_target *target,
                                     struct envl_error *err);

#endif /* SQLITE_TARGET_H */
