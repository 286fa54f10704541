/*
 * host.h - what the engine lends to a plugin, and what plugins say.
 */
#ifndef ENGINE_HOST_H
#define ENGINE_HOST_H

#include <pthread.h>

#include <envelope/migrator.h>

#include "engine/job.h"

/* Something a plugin said, once however many workers bound the target. */
struct host_note {
    enum envl_note level;
    char *target; /* "" if it concerns the whole */
    char *text;
};

struct host {
    struct envl_host base; /* what plugins see */
    pthread_mutex_t lock;
    struct host_note *notes;
    size_t count, cap;
};

/**
 * host_init(host, job):
 * Prepare; ${host} must not move afterwards.
 */
void host_init(struct host *host, const struct job *job);

/**
 * host_note(host, level, target, text):
 * What the plugins call; the engine may, too.
 */
void host_note(struct host *host, enum envl_note level, const char *target,
               const char *text);

/**
 * host_take(host, index, out):
 * Copy out note ${index} (its strings stay the host's); false past the end.
 */
bool host_take(struct host *host, size_t index, struct host_note *out);

void host_free(struct host *host);

#endif /* ENGINE_HOST_H */
