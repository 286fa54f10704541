/*
 * fake_inside.h - what the parts of the fake store share.
 */
#ifndef SUPPORT_FAKE_INSIDE_H
#define SUPPORT_FAKE_INSIDE_H

#include <pthread.h>

#include "fake_store.h"

#define FAKE_FIELDS 8u

/* A write that is not committed yet. */
struct fake_write {
    uint64_t id;
    unsigned column;
    char *text; /* NULL: SQL NULL */
};

struct envl_store {
    const struct envl_host *host;
    struct envl_store_info info;
    uint64_t id;
    unsigned process;
    bool broken;
    int targets;
    /* The transaction. */
    struct fake_write *writes;
    size_t write_count, write_cap;
    struct envl_target *writing; /* between write_begin and write_end */
    const struct envl_page *writing_page;
    enum envl_outcome *outcomes;
    uint32_t outcome_count;
    /* The commit under way. */
    bool committing;
    struct fake_record record; /* to be put */
    uint32_t ttl_ms;
};

struct envl_target {
    struct envl_store *store;
    const struct envl_target_spec *spec;
    struct envl_target_info info;
    struct envl_field_info fields[FAKE_FIELDS];
    int from[FAKE_FIELDS], to[FAKE_FIELDS];
    int pages;
    bool reading;
    struct envl_read read; /* keys are copied */
    uint8_t after[8], until[8];
    uint8_t *read_keys;
};


/* Take the lock and meet the fault that is set; ${after}: it comes when the
   call has had its effect.  fake_leave gives the lock back. */
enum envl_status fake_enter(struct envl_store *store, enum fake_call call,
                            bool *after, struct envl_error *err);
enum envl_status fake_leave(struct envl_store *store, bool after,
                            enum envl_status status, struct envl_error *err);
void fake_misuse(const char *what);
void *fake_grow(void *array, size_t count, size_t *cap, size_t size);
size_t fake_lower(uint64_t id);
void fake_key(uint64_t id, uint8_t out[8]);
void fake_drop(struct envl_store *store); /* the transaction and its locks */
/* Make the first ${count} writes stand, each row's together. */
void fake_apply(struct envl_store *store, size_t count);
enum envl_status fake_put_record(struct envl_store *store,
                                 struct envl_error *err);

enum envl_status fake_read_begin(struct envl_target *target,
                                 const struct envl_read *read,
                                 struct envl_error *err);
enum envl_status fake_read_end(struct envl_target *target,
                               struct envl_page **page,
                               struct envl_error *err);
void fake_page_free(struct envl_page *page);
enum envl_status fake_write_begin(struct envl_target *target,
                                  const struct envl_page *page,
                                  const struct envl_edit *edits,
                                  uint32_t count, struct envl_error *err);
enum envl_status fake_write_end(struct envl_target *target,
                                enum envl_outcome *outcomes,
                                struct envl_error *err);
enum envl_status fake_commit_begin(struct envl_store *store,
                                   const struct envl_commit *commit,
                                   struct envl_error *err);
enum envl_status fake_commit_end(struct envl_store *store,
                                 struct envl_error *err);
void fake_rollback(struct envl_store *store);
enum envl_status fake_state_setup(struct envl_store *store,
                                  struct envl_error *err);
enum envl_status fake_state_read(struct envl_store *store, const char *job,
                                 envl_record_fn *each, void *cookie,
                                 struct envl_error *err);
enum envl_status fake_state_take(struct envl_store *store,
                                 const struct envl_record *next,
                                 uint32_t ttl_ms, struct envl_error *err);
enum envl_status fake_state_release(struct envl_store *store,
                                    const struct envl_record *record,
                                    struct envl_error *err);
enum envl_status fake_state_reset(struct envl_store *store,
                                  const struct envl_record *job,
                                  const struct envl_record *ranges,
                                  uint32_t count, struct envl_error *err);
enum envl_status fake_quarantine_read(struct envl_store *store,
                                      const char *job, uint32_t limit,
                                      envl_quarantine_fn *each, void *cookie,
                                      struct envl_error *err);

#endif /* SUPPORT_FAKE_INSIDE_H */
