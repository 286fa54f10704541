/*
 * migrator.h - the plugin ABI for sweeping a data store (spec MIG).
 *
 * A plugin moves rows and nothing else: it never holds a key, never seals,
 * and decides nothing about a value.  The engine binds a target, reads a page
 * of rows, decides, hands back edits, and says when to commit.  The plugin
 * promises that an edit is written only if the row is still as it was read
 * (compare-and-swap), all of a row's edits in one write, and that a batch and
 * its checkpoint are committed together where the store has transactions,
 * behind the record's epoch.
 *
 * A plugin is a shared object envl-migrator-NAME.so that exports one symbol,
 * ENVL_MIGRATOR_SYMBOL, a struct envl_migrator.  All calls on one store come
 * from one thread at a time; several stores may be open in several threads.
 *
 * Memory: what a plugin returns is borrowed from it until the call named in
 * the comment.  Errors: envl_fail and envl_hint of the host are in struct
 * envl_host; a message never holds a stored value (I9).
 */
#ifndef ENVELOPE_MIGRATOR_H
#define ENVELOPE_MIGRATOR_H

#include <stdbool.h>
#include <stdint.h>

#include <envelope/bytes.h>
#include <envelope/context.h>
#include <envelope/error.h>
#include <envelope/migrator_load.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENVL_MIGRATOR_SYMBOL "envl_migrator_v1"
#define ENVL_MIGRATOR_MINOR  1u

struct envl_store;  /* one open connection; defined by each plugin    */
struct envl_target; /* a table or collection bound to it; by the plugin */

/* ---- what the host lends ------------------------------------------------ */

enum envl_note {
    ENVL_NOTE_INFO,    /* a fact for the plan                             */
    ENVL_NOTE_WARN,    /* a side effect someone should know               */
    ENVL_NOTE_DECIDE,  /* needs a person's decision: plan exits 4         */
    ENVL_NOTE_GRANT    /* an exact GRANT that is missing                  */
};

/* Lives as long as any store; functions may be called from any thread. */
struct envl_host {
    uint32_t size; /* sizeof(struct envl_host) in the host */
    /* envl_fail and envl_hint (error.h), variadic forms flattened. */
    enum envl_status (*fail)(struct envl_error *err, enum envl_status status,
                             const char *message);
    void (*hint)(struct envl_error *err, const char *message);
    /* Say something about ${target} (may be NULL) for plan and log. */
    void (*note)(void *cookie, enum envl_note level, const char *target,
                 const char *text);
    void *cookie;
    bool allow_plain_transport; /* the job says "tls": "any" */
    uint32_t lock_ms;           /* longest wait for a row lock; 250      */
    uint32_t statement_ms;      /* longest statement; 15000              */
    bool allow_log_exposure;    /* the job says "allow_log_exposure": true */
};

/* ---- places ------------------------------------------------------------- */

enum envl_segment_kind {
    ENVL_SEGMENT_MEMBER,      /* an object's member, by name              */
    ENVL_SEGMENT_ANY_MEMBER,  /* '*', in patterns only                    */
    ENVL_SEGMENT_ANY_ELEMENT, /* '[*]', in patterns only                  */
    ENVL_SEGMENT_ELEMENT      /* an array's element, in a leaf's path only */
};

struct envl_segment {
    enum envl_segment_kind kind;
    struct envl_bytes name; /* MEMBER */
    uint64_t index;         /* ELEMENT */
};

struct envl_path {
    const struct envl_segment *segments;
    uint32_t count;
};

/* One field of a target, as the job declares it. */
struct envl_field_spec {
    const char *column;     /* NULL where the store has documents only   */
    struct envl_path path;  /* pattern inside the column; count 0: none  */
    const char *into;       /* NULL, or the sibling: a column if there is
                               no path, else the member that takes the
                               place of the path's last named segment    */
    const char *element_id; /* NULL, or the member of the innermost array
                               element around a leaf that identifies it  */
    bool keep_source;       /* sibling mode: the source is not cleared   */
};

struct envl_target_spec {
    const char *table;           /* as the job spells it */
    const char *const *keys;     /* NULL: the primary key, or _id */
    uint32_t key_count;
    const char *where;           /* NULL, or the store's own condition */
    const struct envl_field_spec *fields;
    uint32_t field_count;
    const char *const *extras;   /* other columns whose text contexts need */
    uint32_t extra_count;
};

/* ---- values ------------------------------------------------------------- */

enum envl_kind {
    ENVL_KIND_ABSENT, /* no such member (or no sibling asked for)          */
    ENVL_KIND_NULL,   /* SQL NULL, JSON null, BSON null                    */
    ENVL_KIND_TEXT,   /* a text column, or a string's content, in UTF-8    */
    ENVL_KIND_BYTES,  /* bytea, blob, BinData 0                            */
    ENVL_KIND_JSON,   /* the exact text of a JSON value that is no string  */
    ENVL_KIND_BSON,   /* a BSON document {"v": value}, no string or BinData 0 */
    ENVL_KIND_OTHER   /* anything that cannot be sealed; ${bytes} is empty  */
};

struct envl_cell {
    enum envl_kind kind;
    struct envl_bytes bytes;
};

/* One value of a row.  ${path} is concrete: MEMBER and ELEMENT only. */
struct envl_leaf {
    uint32_t field;            /* index into the target's fields          */
    struct envl_path path;     /* count 0 for a column                    */
    struct envl_cell value;    /* the source                              */
    struct envl_cell sibling;  /* what stands at `into`; ABSENT without    */
    struct envl_cell element;  /* element_id's value as TEXT, written as a
                                  key is, else ABSENT                      */
};

struct envl_row {
    struct envl_bytes key;         /* opaque; ordered by the plugin; < 4 KiB */
    struct envl_bytes name;        /* for people: "id=42", never a secret     */
    const struct envl_pair *ids;   /* "id" or "id.<column>" with the text that
                                      contexts use (product.md section 4);
                                      count 0: no default context            */
    uint32_t id_count;
    const struct envl_cell *extras; /* extra_count cells of kind TEXT, written
                                       as keys are (spec JOB-34, JOB-35);
                                       another kind: there is no such text   */
    const struct envl_leaf *leaves; /* a field with nothing there has one
                                       leaf of kind ABSENT (total census)    */
    uint32_t leaf_count;
};

/* Rows in key order.  A short page is never the end: ${end} says so. */
struct envl_page {
    const struct envl_row *rows;
    uint32_t count;
    bool end; /* nothing is left before the upper bound */
};

/* Which rows to read. */
struct envl_read {
    struct envl_bytes after;  /* exclusive; empty: from the first row        */
    struct envl_bytes until;  /* inclusive; empty: no upper bound            */
    uint32_t rows;            /* at most so many, and                        */
    uint64_t bytes;           /*   about so many bytes of values             */
    const struct envl_bytes *keys; /* not NULL: exactly these rows instead;  */
    uint32_t key_count;            /*   those that are gone are left out     */
    bool by_value; /* compare values (a salted digest), not row versions:
                      for rows that lost often because other columns are hot */
    const char *unsealed; /* NULL; else a search in one snapshot, in any
                             order, after and until unused: rows are left
                             out in which every field that is there begins
                             like an envelope (under this kid; "": any)  */
};

/* ---- writes ------------------------------------------------------------- */

#define ENVL_EDIT_INTO  1u /* put at the sibling, not over the value      */
#define ENVL_EDIT_CLEAR 2u /* and remove the source: NULL, or the member  */

/*
 * Edits of one row stand together, rows in the page's order.  ${put} is of
 * kind TEXT for text, which the plugin writes as a JSON or BSON string inside
 * documents; BYTES for a binary column or BinData 0; for the object form JSON,
 * exact JSON text that stands for a value, and, where a document's place takes
 * BSON, the document {"v": value} of spec ENV-7.9, whose value is written as
 * it lies there.
 */
struct envl_edit {
    uint32_t row;
    uint32_t leaf;
    uint32_t flags;
    struct envl_cell put; /* TEXT (into JSON: a string), BYTES, JSON, BSON
                             (a document's "v"); borrowed until write_end */
};

enum envl_outcome {
    ENVL_WRITTEN,
    ENVL_CHANGED, /* not as it was read: nothing written; read it again   */
    ENVL_GONE,    /* deleted meanwhile, where the store can tell          */
    ENVL_BUSY,    /* locked by somebody else: nothing written             */
    ENVL_REFUSED  /* the store refuses this value here (constraint, size) */
};

/* ---- state in the store ------------------------------------------------- */

/*
 * A record of a job (number 0) or of one of its ranges (1..).  The engine
 * writes the body (JSON text without values) and authenticates it; the
 * plugin stores it, and keeps owner and lease beside it.
 */
struct envl_record {
    const char *job;
    uint32_t number;
    uint64_t epoch;         /* fence: 1, 2, ... ; one higher at each take   */
    const char *owner;      /* "" if free; id, host, pid and backend        */
    struct envl_bytes body;
    uint8_t mac[32];
    int64_t lease_ms;       /* out: left by the store's clock; <= 0: free   */
    bool owner_gone;        /* out: its process is gone, or the connection
                               that last took or put the record         */
};

/* A value that is left alone, with its reason. */
struct envl_quarantine {
    const char *target; /* label                                  */
    const char *field;  /* place of the field                     */
    struct envl_bytes key;  /* of the row                          */
    const char *row;    /* for people                             */
    const char *state;  /* row state, such as "sealed_wrong_context" */
    uint8_t digest[32]; /* HMAC of the value under a ring subkey  */
};

typedef enum envl_status envl_record_fn(void *cookie,
                                        const struct envl_record *record,
                                        struct envl_error *err);
typedef enum envl_status envl_quarantine_fn(void *cookie,
                                            const struct envl_quarantine *item,
                                            struct envl_error *err);
typedef enum envl_status envl_key_fn(void *cookie, struct envl_bytes key,
                                     struct envl_error *err);

/* What is committed with (or, without transactions, after) a batch. */
struct envl_commit {
    const struct envl_record *record; /* put if its epoch still stands   */
    uint32_t ttl_ms;
    const struct envl_quarantine *quarantine; /* added, one a value       */
    uint32_t quarantine_count;
};

/* ---- what a plugin says of a bound target ------------------------------- */

struct envl_field_info {
    enum envl_kind takes;    /* what is written where the envelope goes:
                                TEXT, BYTES, JSON or BSON                   */
    uint64_t max_len;        /* characters or bytes it can hold; 0: no limit */
    bool source_not_null;    /* clearing the source is not possible         */
    const char *column;      /* where the envelope lives (with `into` and no
                                path: the sibling), as the store spells it;
                                NULL where there are documents only         */
};

struct envl_target_info {
    const char *label;               /* "public.allocations"              */
    const char *const *place;        /* leading components of the default
                                        field: schema and table, ...      */
    uint32_t place_count;
    bool has_ids;                    /* rows carry default ids             */
    bool finds_unsealed;             /* envl_read.unsealed is honoured     */
    uint64_t rows;                   /* an estimate                        */
    const struct envl_field_info *fields;
};

struct envl_store_info {
    const char *driver;      /* "postgres"                              */
    const char *server;      /* "PostgreSQL 15.18 on local socket", ...  */
    const char *identity;    /* stable id of this database              */
    uint32_t max_workers;    /* 1 where one writer is all there can be   */
    bool immediate;          /* the work is done in ..._begin: the engine
                                may call read_end before write_begin     */
};

/* ---- guards ------------------------------------------------------------- */

/* How a store keeps plaintext from coming back; each more than the last. */
enum envl_guard_stage {
    ENVL_GUARD_OFF,
    ENVL_GUARD_OBSERVE,  /* writes of plaintext are counted, and happen    */
    ENVL_GUARD_MODERATE, /* new plaintext is refused; a row that holds old
                            plaintext may change where it is not touched   */
    ENVL_GUARD_STRICT    /* and the store vouches that no row holds any    */
};

/*
 * What is plaintext to a guard: a value of a field, or of its sibling, that
 * is not absent, not null, not empty where that is allowed, and does not
 * begin like an envelope (spec ENV-8.2).  With keep_source a source may stand
 * beside an envelope of its own.
 */
struct envl_guard_spec {
    const char *job;      /* whose guard: jobs on one target have their own */
    enum envl_guard_stage stage; /* guard_read does not look at it          */
    const bool *empty_ok; /* one a field: an empty value is no plaintext    */
};

/* What is in force, as the store says, not as it was once set. */
struct envl_guard_info {
    enum envl_guard_stage asked; /* as last set                             */
    enum envl_guard_stage stage; /* what of it really stands: the least of
                                    its parts; below ${asked}: somebody took
                                    a part away or turned it off            */
    bool enforced;    /* plaintext is refused, not only counted             */
    bool counted;     /* ${writes} is a count                               */
    uint64_t writes;  /* of plaintext since ${since_ms}, refused ones too   */
    int64_t since_ms; /* by the store's clock, since 1970; 0: not known     */
    const char *const *gaps; /* what it does not cover, a sentence each:
                                lower case, no full stop, no value          */
    uint32_t gap_count;
};

/* ---- the table of functions --------------------------------------------- */

/*
 * Every function that is not marked "may be NULL" must be there.  Statuses:
 * ENVL_E_DATABASE (also a lost connection: the engine opens a new store),
 * ENVL_E_LOCKED (locks or timeouts: the batch was rolled back, try smaller),
 * ENVL_E_CONFLICT (the epoch does not stand: stop), ENVL_E_NOTFOUND,
 * ENVL_E_USAGE, ENVL_E_POLICY, ENVL_E_LIMIT.
 */
struct envl_migrator {
    uint32_t size;    /* sizeof(struct envl_migrator) when compiled */
    uint32_t minor;   /* ENVL_MIGRATOR_MINOR when compiled          */
    const char *name; /* as in the file's name                      */

    /* Connect.  ${source_json} is the job's "source" object. */
    enum envl_status (*open)(const char *source_json,
                             const struct envl_host *host,
                             struct envl_store **out, struct envl_error *err);
    void (*close)(struct envl_store *store); /* NULL is ignored */
    /* Borrowed until close. */
    const struct envl_store_info *(*info)(struct envl_store *store);

    /* Check ${spec} (borrowed until unbind) against what is really there:
       columns, types, a unique not-null key, rights; note side effects. */
    enum envl_status (*bind)(struct envl_store *store,
                             const struct envl_target_spec *spec,
                             struct envl_target **out, struct envl_error *err);
    void (*unbind)(struct envl_target *target); /* NULL is ignored */
    const struct envl_target_info *(*target_info)(struct envl_target *target);

    /* Give the largest key there is now; no call of ${each} if empty. */
    enum envl_status (*last_key)(struct envl_target *target, envl_key_fn *each,
                                 void *cookie, struct envl_error *err);
    /* Give up to ${parts} - 1 ascending keys that split the rows evenly. */
    enum envl_status (*split)(struct envl_target *target, uint32_t parts,
                              envl_key_fn *each, void *cookie,
                              struct envl_error *err);

    /*
     * Read a page.  begin may only queue or send; end waits.  One read can
     * be under way together with one write on the same store: the order of
     * calls is read_begin, write_begin, read_end, write_end, commit_begin,
     * [read_begin, write_begin,] commit_end, ...  ${read} is copied.  The
     * page lives until page_free; a write needs its page alive.
     */
    enum envl_status (*read_begin)(struct envl_target *target,
                                   const struct envl_read *read,
                                   struct envl_error *err);
    enum envl_status (*read_end)(struct envl_target *target,
                                 struct envl_page **page,
                                 struct envl_error *err);
    void (*page_free)(struct envl_page *page); /* wiped; NULL is ignored */

    /*
     * Write edits by compare-and-swap inside a transaction that stays open
     * until commit or rollback.  write_end stores one outcome for each row of
     * the page (rows without edits: ENVL_WRITTEN is not touched).
     */
    enum envl_status (*write_begin)(struct envl_target *target,
                                    const struct envl_page *page,
                                    const struct envl_edit *edits,
                                    uint32_t count, struct envl_error *err);
    enum envl_status (*write_end)(struct envl_target *target,
                                  enum envl_outcome *outcomes,
                                  struct envl_error *err);
    /* Put the record (fenced by its epoch), add the quarantine, commit.
       Also used without a write before it.  ENVL_E_CONFLICT: rolled back. */
    enum envl_status (*commit_begin)(struct envl_store *store,
                                     const struct envl_commit *commit,
                                     struct envl_error *err);
    enum envl_status (*commit_end)(struct envl_store *store,
                                   struct envl_error *err);
    /* Also gives up a read, a write and a commit that are under way. */
    void (*rollback)(struct envl_store *store);

    /* Make the state tables if they are not there. */
    enum envl_status (*state_setup)(struct envl_store *store,
                                    struct envl_error *err);
    /* All records of ${job}, by number.  No tables: no records. */
    enum envl_status (*state_read)(struct envl_store *store, const char *job,
                                   envl_record_fn *each, void *cookie,
                                   struct envl_error *err);
    /* Take a lease: only if the stored epoch is ${next}->epoch - 1 (0: there
       is none) and it is free, expired, its owner gone, or the same owner's.
       ENVL_E_LOCKED: held; ENVL_E_CONFLICT: the epoch moved on. */
    enum envl_status (*state_take)(struct envl_store *store,
                                   const struct envl_record *next,
                                   uint32_t ttl_ms, struct envl_error *err);
    /* Give a lease back, if it is still this owner's. */
    enum envl_status (*state_release)(struct envl_store *store,
                                      const struct envl_record *record,
                                      struct envl_error *err);
    /* A new pass, in one transaction fenced by ${job}'s epoch: put ${job},
       replace all its ranges by ${ranges} (free), clear its quarantine. */
    enum envl_status (*state_reset)(struct envl_store *store,
                                    const struct envl_record *job,
                                    const struct envl_record *ranges,
                                    uint32_t count, struct envl_error *err);
    /* The job's quarantine, at most ${limit} items. */
    enum envl_status (*quarantine_read)(struct envl_store *store,
                                        const char *job, uint32_t limit,
                                        envl_quarantine_fn *each, void *cookie,
                                        struct envl_error *err);
    /* Append the DDL of the state tables and the exact grants for the bound
       ${targets} to ${out}; ${append} adds text to it. */
    enum envl_status (*ddl)(struct envl_store *store,
                            struct envl_target *const *targets,
                            uint32_t count,
                            void (*append)(void *cookie, const char *text),
                            void *cookie, struct envl_error *err);
    /* May be NULL.  After a job is done: what makes old pages forget. */
    enum envl_status (*finish)(struct envl_store *store,
                               struct envl_error *err);

    /* ---- minor 1 -------------------------------------------------------- */

    /*
     * May be NULL, both or neither: the store has no guards.  Bring the guard
     * of the job on ${target} to ${spec}->stage, from whatever it is at; OFF
     * leaves the schema as it was before.  Not while a page, a read or a
     * write is under way on the store.  It is there when this returns, for
     * every write that begins afterwards.  ENVL_E_POLICY: the store cannot
     * keep this stage here, with the reason; nothing was changed.
     * ENVL_E_FINDINGS: STRICT while a row holds plaintext; nothing was
     * changed.  ENVL_E_LOCKED: locks were not to be had in time; what was in
     * force before is.
     */
    enum envl_status (*guard_set)(struct envl_target *target,
                                  const struct envl_guard_spec *spec,
                                  struct envl_error *err);
    /* What is in force.  ${out} is borrowed until the next guard_read on
       ${target} or unbind. */
    enum envl_status (*guard_read)(struct envl_target *target,
                                   const struct envl_guard_spec *spec,
                                   struct envl_guard_info *out,
                                   struct envl_error *err);

    /*
     * May be NULL: no member of yield_to is known.  Is there a reason to
     * wait?  Asked between batches, at most once a second, on a store with
     * nothing under way; answers within 2 s.  With ${pressure}->check:
     * ENVL_E_USAGE names a member that the store has no notion of, or that
     * makes no sense; ENVL_E_POLICY a right that is missing, the exact
     * statement as hint.  Without: ENVL_E_LOCKED, there was no answer in
     * time, which is a reason to wait as well.
     */
    enum envl_status (*pressure)(struct envl_store *store,
                                 struct envl_pressure *pressure,
                                 struct envl_error *err);
    /* May be NULL: nobody knows.  Estimate, from what the store knows of the
       table; for plan, reads only. */
    enum envl_status (*cost)(struct envl_target *target,
                             struct envl_cost *cost, struct envl_error *err);
};

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_MIGRATOR_H */
