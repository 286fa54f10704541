/*
 * store.h - what the files of this plugin share: one connection, a bound
 * target, and a page's rows.
 */
#ifndef POSTGRES_STORE_H
#define POSTGRES_STORE_H

#include <stdbool.h>

#include <libpq-fe.h>

#include <envelope/migrator.h>

#include "common/json_path.h"
#include "common/page.h"
#include "postgres/pipe.h"
#include "postgres/pressure_seen.h"
#include "postgres/sql.h"

#define STORE_DIGEST_LEN 32u
#define STORE_KEYS_MAX   16u
#define STORE_KEY_MAX    4095u /* bytes of an opaque key */

/* ---- types and columns -------------------------------------------------- */

enum column_class {
    COLUMN_INT2,
    COLUMN_INT4,
    COLUMN_INT8,
    COLUMN_UUID,
    COLUMN_TEXT, /* text and varchar, and domains over them */
    COLUMN_BYTEA,
    COLUMN_JSON,
    COLUMN_JSONB,
    COLUMN_CHAR,   /* character(n): padded                       */
    COLUMN_OTHER
};

struct pg_column {
    char *name;
    char *sql;       /* "schema"."table"."column"                   */
    char *quoted;    /* "column"                                    */
    char *type_name; /* as SQL, of the base type                    */
    int32_t number;
    Oid type;        /* of the base type of a domain                */
    enum column_class class;
    uint32_t max_chars; /* of varchar(n), else 0                    */
    bool not_null;
    bool generated;
    bool plain_collation; /* none, or a deterministic one           */
    bool can_read, can_write;
};

/* ---- a target ----------------------------------------------------------- */

enum field_mode {
    FIELD_COLUMN, /* the column is the value                         */
    FIELD_ROOT,   /* json or jsonb without a path: the document is   */
    FIELD_MEMBER, /* jsonb, a path of names only: the server fetches */
    FIELD_WILD,   /* jsonb with wildcards: json_path finds           */
    FIELD_SPLICE  /* json, or text that holds JSON: changed by bytes */
};

struct pg_field {
    const struct envl_field_spec *spec;
    enum field_mode mode;
    struct pg_column *column;
    struct pg_column *into; /* NULL, or the sibling column             */
    char *path_sql;         /* of MEMBER: the path as a constant text[] */
    char *into_sql;         /*   and of its sibling                    */
    struct json_path *finder; /* of WILD and SPLICE                    */
    uint32_t prefix;        /* of WILD: names before the first wildcard */
    int value_at, sibling_at; /* columns of a page's result; < 0: none */
};

/* How a row is found again. */
enum row_form {
    ROW_TID,  /* ctid, xmin and key: a TID scan hashed against the batch */
    ROW_KEY,  /* the same three, looked up by key: partitioned tables    */
    ROW_VALUE /* the key and a salted digest of what was read            */
};

#define SELECT_AFTER 1u /* variants of the statement that reads a page */
#define SELECT_UNTIL 2u
#define SELECT_KEYS  4u
#define SELECT_VALUE 8u
#define SELECT_UNSEALED 16u
#define SELECT_COUNT 32u

struct envl_target {
    struct envl_store *store;
    const struct envl_target_spec *spec;
    Oid oid;
    char *schema, *name, *label;
    char *sql;  /* "schema"."table"           */
    char *only; /* "ONLY " or nothing         */
    char kind;  /* pg_class.relkind           */
    bool has_toast;
    struct pg_column *columns;
    uint32_t column_count;
    struct pg_column *keys[STORE_KEYS_MAX];
    char *id_names[STORE_KEYS_MAX];
    uint32_t key_count;
    struct pg_column **extras;
    struct pg_field *fields;
    enum row_form form;     /* the one to use unless by_value is asked for */
    char **cells;           /* SQL of each cell that a page's result holds */
    char **digests;         /*   and of the bytes that are digested        */
    uint32_t cell_count;
    char *selects[SELECT_COUNT];
    char unsealed_kid[64];  /* what SELECT_UNSEALED was made for           */
    uint64_t row_bytes;     /* of an average row, as seen so far           */
    struct envl_target_info info;
    struct envl_field_info *field_infos;
    const char *place[2];
    char **guard_gaps;      /* what guard_read gave, or NULL               */
    uint32_t guard_gap_count;
};

/* ---- pages -------------------------------------------------------------- */

/* What the compare-and-swap needs of a row; in the page's arena. */
struct row_detail {
    uint8_t tid[6];   /* as the server sends it: block, offset */
    uint8_t xmin[4];
    enum row_form form;
    bool retried;        /* read by its key: it was lost before  */
    const uint8_t *salt; /* of ROW_VALUE, shared by the page     */
    uint8_t digest[STORE_DIGEST_LEN];
    struct envl_bytes *keys; /* in their binary form, one a column */
    struct envl_bytes *documents; /* one a field: of SPLICE, else none */
    void **sites;                 /* struct json_site, one a leaf      */
};

/* ---- a store ------------------------------------------------------------ */

struct reading {
    struct pipe_op *op; /* NULL: no read under way */
    struct envl_target *target;
    uint32_t rows;
    uint64_t bytes;
    enum row_form form;
    bool by_keys;
    bool measured; /* the result's last column is a running size */
    bool unsealed; /* a search for what is left, in any order      */
    uint8_t salt[16];
};

struct writing; /* write.c */

struct envl_store {
    const struct envl_host *host;
    PGconn *conn;
    struct pipe pipe;
    struct envl_store_info info;
    char server[160];
    char identity[64];
    char backend[64];   /* pid and start of ours, as kept with a lease */
    int version;        /* 150018                                      */
    bool sql_ascii;     /* bytes are of no known encoding              */
    bool quiet;         /* errors are logged without DETAIL            */
    bool in_transaction; /* BEGIN was sent and no end of it            */
    uint32_t cautious;  /* so many writes more skip locked rows        */
    struct page_pool pool;
    struct reading reading;
    struct writing *writing; /* NULL: no write under way */
    struct writing *kept_writing; /* its memory between writes */
    struct pipe_op *commit;  /* NULL: no commit under way */
    struct pressure_seen seen; /* by earlier looks for pressure */
};

/**
 * store_fail(store, err, status, format, ...):
 * Report as envl_fail does, by way of the host.  Never a stored value.
 */
enum envl_status store_fail(const struct envl_store *store,
                            struct envl_error *err, enum envl_status status,
                            const char *format, ...) ENVL_PRINTF(4, 5);

/**
 * store_hint(store, err, format, ...):
 * Add the remedy.
 */
void store_hint(const struct envl_store *store, struct envl_error *err,
                const char *format, ...) ENVL_PRINTF(3, 4);

/**
 * store_note(store, level, target, format, ...):
 * Say something about ${target} (may be NULL).
 */
void store_note(const struct envl_store *store, enum envl_note level,
                const char *target, const char *format, ...)
    ENVL_PRINTF(4, 5);

/**
 * store_nomem(store, err):
 * Report ENVL_E_NOMEM.
 */
enum envl_status store_nomem(const struct envl_store *store,
                             struct envl_error *err);

/**
 * store_ask(store, sql, params, out, err):
 * Run one statement of ours that holds no value of a row, and store its
 * answer in text form in ${out} (may be NULL), the caller's to PQclear.
 */
enum envl_status store_ask(struct envl_store *store, const char *sql,
                           const struct pipe_params *params, PGresult **out,
                           struct envl_error *err);

/**
 * store_fetch(store, sql, params, out, err):
 * The same with the answer in binary form.
 */
enum envl_status store_fetch(struct envl_store *store, const char *sql,
                             const struct pipe_params *params, PGresult **out,
                             struct envl_error *err);

/**
 * store_has_state(store, there, err):
 * Whether the state tables are there.
 */
enum envl_status store_has_state(struct envl_store *store, bool *there,
                                 struct envl_error *err);

#endif /* POSTGRES_STORE_H */
