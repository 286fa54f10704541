/*
 * guard_script.h - statements that change a schema together, or not at all.
 */
#ifndef POSTGRES_GUARD_SCRIPT_H
#define POSTGRES_GUARD_SCRIPT_H

#include "postgres/store.h"

#define GUARD_SCRIPT_MAX 32u

/* Zero-initialise. */
struct guard_script {
    char *statements[GUARD_SCRIPT_MAX];
    uint32_t count;
    bool failed;
    bool slow; /* may take as long as a scan of the table does */
};

/**
 * guard_script_add(script, statement):
 * Append what ${statement} holds, which is empty afterwards.
 */
void guard_script_add(struct guard_script *script, struct sql *statement);
void guard_script_put(struct guard_script *script, const char *statement);

/**
 * guard_script_run(store, script, doing, err):
 * Run all in one transaction, and free ${script}.  A lock that is not to be
 * had is asked for again after a pause, so that writers who queue behind us
 * get on; after some seconds the answer is ENVL_E_LOCKED (spec: MIG-66).
 * ENVL_E_CONFLICT: a constraint did not hold.
 */
enum envl_status guard_script_run(struct envl_store *store,
                                  struct guard_script *script,
                                  const char *doing, struct envl_error *err);

#endif /* POSTGRES_GUARD_SCRIPT_H */
