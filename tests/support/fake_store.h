/*
 * fake_store.h - a store in memory behind the plugin ABI, that fails on
 * demand.
 *
 * One table "t" with the key "id" (a number) and four text columns "a", "b",
 * "a_enc" and "b_enc"; transactions (or none), leases and the compare-and-swap
 * are as the ABI says.  Every call of the plugin has a number, so that a test
 * can make call 1, 2, 3, ... fail in turn; and every misuse of the ABI (a begin
 * without its end, a page that is used after it was freed) ends the test.
 */
#ifndef SUPPORT_FAKE_STORE_H
#define SUPPORT_FAKE_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <envelope/migrator.h>

#define FAKE_COLUMNS 4u

enum fake_call {
    FAKE_OPEN,
    FAKE_BIND,
    FAKE_LAST_KEY,
    FAKE_SPLIT,
    FAKE_READ_BEGIN,
    FAKE_READ_END,
    FAKE_WRITE_BEGIN,
    FAKE_WRITE_END,
    FAKE_COMMIT_BEGIN,
    FAKE_COMMIT_END,
    FAKE_STATE_SETUP,
    FAKE_STATE_READ,
    FAKE_STATE_TAKE,
    FAKE_STATE_RELEASE,
    FAKE_STATE_RESET,
    FAKE_QUARANTINE_READ,
    FAKE_FINISH,
    FAKE_PRESSURE,
    FAKE_CALLS
};

enum fake_fault {
    FAKE_NO_FAULT,
    FAKE_LOST_BEFORE, /* the connection is lost, the call had no effect      */
    FAKE_LOST_AFTER,  /* the same, but the call had its effect               */
    FAKE_LOCK,        /* ENVL_E_LOCKED, the transaction is rolled back       */
    FAKE_DIE_BEFORE,  /* as if the process were killed before this call: from
                         now on nothing has any effect                       */
    FAKE_DIE_AFTER    /* the same after it                                   */
};

struct fake_row {
    uint64_t id;
    uint64_t version;
    char *columns[FAKE_COLUMNS]; /* NULL: SQL NULL              */
    uint64_t holder;             /* connection with a lock, or 0 */
    unsigned busy;               /* writes that find it locked   */
    bool refuse;                 /* no envelope fits             */
    bool sealed_by_us[FAKE_COLUMNS];
};

struct fake_record {
    char job[80];
    uint32_t number;
    uint64_t epoch;
    char owner[200];
    unsigned process;
    uint8_t *body;
    size_t body_len;
    uint8_t mac[32];
    int64_t expires;
};

struct fake_db {
    struct fake_row *rows; /* by id */
    size_t row_count, row_cap;
    struct fake_record *records; /* of the one job, and beside it */
    size_t record_count, record_cap;
    struct {
        char target[64], field[128], row[64], state[64];
        uint8_t digest[32];
    } quarantine[4096];
    size_t quarantine_count;
    bool tables;

    /* What a test sets. */
    enum fake_fault fault;
    unsigned fault_at;        /* the number of the call it hits; 0: none     */
    bool fault_only;          /* count calls of fault_call only              */
    enum fake_call fault_call;
    unsigned storm;           /* of a thousand calls so many fail, somehow   */
    unsigned storm_seed, storm_left; /* left: at most so many faults         */
    uint32_t page_most;       /* rows of a page at most, 0: as asked         */
    unsigned empty_pages;     /* every so manieth page has no row and no end */
    uint32_t max_workers;
    bool immediate;           /* as SQLite: the work is done in the begins   */
    bool no_transactions;     /* as MongoDB: what is written stands at once,
                                 half of it before write_end is asked for    */
    bool finds_unsealed;      /* a search for what is left is honoured       */
    const char *pressed;      /* the member of yield_to that says wait       */
    unsigned process;         /* of this "process"; one higher: a new one    */
    int64_t clock_ms;         /* added to the store's clock                  */
    void (*on_call)(struct fake_db *db, enum fake_call call); /* may be NULL,
                                 with the lock held: plays the application   */
    void *cookie;

    /* What a test looks at. */
    unsigned calls;           /* of the plugin so far                  */
    unsigned by_call[FAKE_CALLS];
    unsigned hits;            /* faults that were met                  */
    unsigned searches;
    unsigned opens, reads, rows_read, writes, commits, finishes, pressures;
    unsigned double_seals;    /* an envelope put over an envelope of the job */
    uint64_t high_water;      /* the most rows held in pages at a time */
    int live_pages, live_stores, live_targets;
    uint64_t rows_held;
    bool dead;
    uint64_t connections;
};

/* The plugin; its stores are all of ${fake_db}. */
extern const struct envl_migrator fake_store;
extern struct fake_db *fake_db;
extern pthread_mutex_t fake_lock; /* held during every call of it */

/**
 * fake_db_new(), fake_db_free():
 * Make and release ${fake_db}.  Freeing checks that nothing was left open.
 */
void fake_db_new(void);
void fake_db_free(void);

/**
 * fake_put(id, column, text):
 * As an application: set a column (NULL: SQL NULL), making the row if need
 * be.  Fine inside on_call.
 */
void fake_put(uint64_t id, unsigned column, const char *text);

/**
 * fake_delete(id), fake_get(id, column), fake_row(id):
 * As an application; NULL if there is none.
 */
void fake_delete(uint64_t id);
const char *fake_get(uint64_t id, unsigned column);
struct fake_row *fake_row(uint64_t id);

/**
 * fake_record(number), fake_record_of(job, number):
 * A record of the job "j", or of another name; NULL if there is none.
 */
struct fake_record *fake_record(uint32_t number);
struct fake_record *fake_record_of(const char *job, uint32_t number);

/**
 * fake_new_process():
 * The process that ran before is gone, and all it had open with it; no fault
 * is set any more.
 */
void fake_new_process(void);

#endif /* SUPPORT_FAKE_STORE_H */
