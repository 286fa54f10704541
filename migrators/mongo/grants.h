/*
 * grants.h - the role that a sweep needs, and nothing more.
 */
#ifndef MONGO_GRANTS_H
#define MONGO_GRANTS_H

#include "mongo/store.h"

/* envl_migrator.ddl: commands for mongosh (spec: MIG-48). */
enum envl_status grants_ddl(struct envl_store *store,
                            struct envl_target *const *targets,
                            uint32_t count,
                            void (*append)(void *cookie, const char *text),
                            void *cookie, struct envl_error *err);

#endif /* MONGO_GRANTS_H */
