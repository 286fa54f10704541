#include <stdlib.h>
#include <string.h>

#include "engine/host.h"

#define NOTES_MAX 1000u /* a plugin that never stops talking is cut short */

static enum envl_status
fail(struct envl_error *err, enum envl_status status, const char *message)
{
    return envl_fail(err, status, "%s", message);
}

static void
hint(struct envl_error *err, const char *message)
{
    envl_hint(err, "%s", message);
}

static void
note(void *cookie, enum envl_note level, const char *target, const char *text)
{
    host_note(cookie, level, target, text);
}

void
host_init(struct host *host, const struct job *job)
{
    *host = (struct host){
        .base = {
            .size = sizeof(struct envl_host),
            .fail = fail,
            .hint = hint,
            .note = note,
            .cookie = host,
            .allow_plain_transport = job->tls_any,
            .lock_ms = job->lock_ms,
            .statement_ms = job->statement_ms,
            .allow_log_exposure = job->allow_log_exposure,
        },
    };
    pthread_mutex_init(&host->lock, NULL);
}

static bool
known(const struct host *host, const struct host_note *one)
{
    for (size_t i = 0; i < host->count; i++) {
        const struct host_note *other = &host->notes[i];

        if (other->level == one->level &&
            strcmp(other->target, one->target) == 0 &&
            strcmp(other->text, one->text) == 0)
            return true;
    }
    return false;
}

static bool
room(struct host *host)
{
    struct host_note *more;
    size_t cap = host->cap == 0 ? 16 : host->cap * 2;

    if (host->count < host->cap)
        return true;
    if (host->count >= NOTES_MAX)
        return false;
    more = realloc(host->notes, cap * sizeof(*more));
    if (more == NULL)
        return false;
    host->notes = more;
    host->cap = cap;
    return true;
}

void
host_note(struct host *host, enum envl_note level, const char *target,
          const char *text)
{
    struct host_note one = { level, strdup(target == NULL ? "" : target),
                             strdup(text) };
    bool kept = false;

    pthread_mutex_lock(&host->lock);
    if (one.target != NULL && one.text != NULL && !known(host, &one) &&
        room(host)) {
        host->notes[host->count++] = one;
        kept = true;
    }
    pthread_mutex_unlock(&host->lock);
    if (!kept) {
        free(one.target);
        free(one.text);
    }
}

bool
host_take(struct host *host, size_t index, struct host_note *out)
{
    bool there;

    pthread_mutex_lock(&host->lock);
    there = index < host->count;
    if (there)
        *out = host->notes[index];
    pthread_mutex_unlock(&host->lock);
    return there;
}

void
host_free(struct host *host)
{
    for (size_t i = 0; i < host->count; i++) {
        free(host->notes[i].target);
        free(host->notes[i].text);
    }
    free(host->notes);
    pthread_mutex_destroy(&host->lock);
    host->notes = NULL;
    host->count = host->cap = 0;
}
