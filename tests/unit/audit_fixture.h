/*
 * audit_fixture.h - an audit log beside a ring, for tests.
 */
#ifndef UNIT_AUDIT_FIXTURE_H
#define UNIT_AUDIT_FIXTURE_H

#include <envelope/audit.h>

#include "keyring_fixture.h"

#define LOG_ROOM 65536

struct log {
    struct fixture f;
    struct envl_keyring *ring;
    char path[192];
};

static inline struct log
log_new(void)
{
    struct log log = { .f = fixture_with_ring() };

    log.ring = must_open(&log.f);
    snprintf(log.path, sizeof(log.path), "%s/audit.log", log.f.dir);
    return log;
}

static inline void
log_free(struct log *log)
{
    envl_keyring_free(log->ring);
    fixture_free(&log->f);
}

static inline enum envl_status
log_append(struct envl_audit *audit, const char *verb, struct envl_error *err)
{
    static const char *const names[] = { "sealed", "skipped" };
    static const uint64_t counts[] = { 10000, 7 };
    struct envl_audit_event event = { verb, "a \"job\"", "ok", names, counts,
                                      2 };

    return envl_audit_append(audit, &event, err);
}

/* ${count} records by a writer that is opened for it. */
static inline void
write_records(struct log *log, struct envl_keyring *ring, int count)
{
    struct envl_audit *audit = NULL;
    struct envl_error err;

    if (envl_audit_open(log->path, ring, &audit, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < count; i++)
        if (log_append(audit, "migrate", &err) != ENVL_OK)
            fail_msg("%s", err.message);
    envl_audit_free(audit);
}

static inline struct envl_audit_report
verify(struct log *log, struct envl_keyring *ring)
{
    struct envl_audit_report report;
    struct envl_error err;

    if (envl_audit_verify(log->path, ring, &report, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    return report;
}

#endif /* UNIT_AUDIT_FIXTURE_H */
