/*
 * finish.h - what is needed beforehand, and what makes old pages forget.
 */
#ifndef SQLITE_FINISH_H
#define SQLITE_FINISH_H

#include "sqlite/store.h"

/**
 * finish_ddl(store, targets, count, append, cookie, err):
 * struct envl_migrator's ddl.  SQLite has no grants: rights are the file's.
 */
enum envl_status finish_ddl(struct envl_store *store,
                            struct envl_target *const *targets,
                            uint32_t count,
                            void (*append)(void *cookie, const char *text),
                            void *cookie, struct envl_error *err);

/**
 * finish_run(store, err):
 * struct envl_migrator's finish: move the write-ahead log into the file and
 * truncate it (secure_delete has overwritten what was freed), and note what
 * only a VACUUM removes.  ENVL_E_LOCKED if a reader keeps the log in use.
 */
enum envl_status finish_run(struct envl_store *store, struct envl_error *err);

#endif /* SQLITE_FINISH_H */
