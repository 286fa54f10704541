#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "engine/state.h"
#include "engine/steer.h"
#include "metrics.h"
#include "report.h"

#define EVERY_MS 5000
#define SOON_MS  500

struct metrics {
    const char *path, *job;
    struct engine_event now; /* its strings are not used */
    char phase[32], reason[STEER_REASON_SIZE];
    bool changed, running, warned;
    enum envl_status status;
    uint64_t states[ROW_STATE_COUNT];
    bool has_states;
    int64_t written;         /* ms, monotonic */
};

/* ---- the text ------------------------------------------------------------ */

static void
head(FILE *file, const char *name, const char *type, const char *help)
{
    fprintf(file, "# HELP envelope_sweep_%s %s\n# TYPE envelope_sweep_%s "
            "%s\n", name, help, name, type);
}

static void
one(FILE *file, const struct metrics *metrics, const char *name,
    const char *help, double value)
{
    head(file, name, "gauge", help);
    fprintf(file, "envelope_sweep_%s{sweep=\"%s\"} %.17g\n", name,
            metrics->job, value);
}

static void
labelled(FILE *file, const struct metrics *metrics, const char *name,
         const char *label, const char *word, double value)
{
    fprintf(file, "envelope_sweep_%s{sweep=\"%s\",%s=\"%s\"} %.17g\n", name,
            metrics->job, label, word, value);
}

static void
put_outcomes(FILE *file, const struct metrics *metrics)
{
    const struct engine_event *now = &metrics->now;

    head(file, "values", "gauge", "Values of this pass by what became of "
                                  "them.");
    labelled(file, metrics, "values", "outcome", "sealed",
             (double)now->sealed);
    labelled(file, metrics, "values", "outcome", "rotated",
             (double)now->rotated);
    labelled(file, metrics, "values", "outcome", "skipped",
             (double)now->skipped);
    labelled(file, metrics, "values", "outcome", "quarantined",
             (double)now->quarantined);
    labelled(file, metrics, "values", "outcome", "conflict",
             (double)now->conflicts);
}

static void
put_words(FILE *file, const struct metrics *metrics)
{
    static const char *const phases[] = { "prepare", "sweep", "closing",
                                          "verify", "done", NULL };

    head(file, "phase", "gauge", "1 for the phase that it is in.");
    for (size_t i = 0; phases[i] != NULL; i++)
        labelled(file, metrics, "phase", "phase", phases[i],
                 strcmp(metrics->phase, phases[i]) == 0);
    head(file, "waiting", "gauge", "1 for the reason that it waits for.");
    for (size_t i = 0; steer_reasons()[i] != NULL; i++)
        labelled(file, metrics, "waiting", "reason", steer_reasons()[i],
                 strcmp(metrics->reason, steer_reasons()[i]) == 0);
}

static void
put_states(FILE *file, const struct metrics *metrics)
{
    if (!metrics->has_states)
        return;
    head(file, "states", "gauge", "Values by the state that the last whole "
                                  "reading found or left.");
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++)
        labelled(file, metrics, "states", "state",
                 row_state_name((enum row_state)i),
                 (double)metrics->states[i]);
}

static void
put_all(FILE *file, const struct metrics *metrics)
{
    const struct engine_event *now = &metrics->now;

    one(file, metrics, "running", "1 while the process is at work.",
        metrics->running);
    if (!metrics->running)
        one(file, metrics, "exit_code", "How it ended; 0: done.",
            envl_status_exit_code(metrics->status));
    one(file, metrics, "rows_done", "Rows read in this phase.",
        (double)now->rows);
    one(file, metrics, "rows_expected", "Rows of this phase, an estimate.",
        (double)now->rows_total);
    one(file, metrics, "rows_per_second", "Smoothed.", now->rows_per_s);
    if (now->eta_s >= 0)
        one(file, metrics, "eta_seconds", "Until this phase is over.",
            now->eta_s);
    one(file, metrics, "batch_rows", "Of the latest batch that wrote.",
        now->batch_rows);
    one(file, metrics, "batch_seconds", "Of the latest batch that wrote.",
        now->batch_ms / 1000.0);
    put_outcomes(file, metrics);
    put_words(file, metrics);
    put_states(file, metrics);
    if (now->guard_writes >= 0)
        one(file, metrics, "guard_plaintext_writes", "Writes of plaintext "
            "that the guard counted.", (double)now->guard_writes);
    one(file, metrics, "updated_timestamp_seconds", "When this was written.",
        (double)clock_now());
}

/* ---- the file ------------------------------------------------------------ */

/* A name that no collector reads, in the same folder. */
static bool
open_new(const char *path, char temp[PATH_MAX], int *fd)
{
    const char *slash = strrchr(path, '/');
    int dir = slash == NULL ? 0 : (int)(slash - path) + 1, n;

    n = snprintf(temp, PATH_MAX, "%.*s.envelope-metrics-XXXXXX", dir, path);
    if (n < 0 || n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    *fd = mkostemp(temp, O_CLOEXEC);
    return *fd >= 0;
}

static enum envl_status
write_file(const struct metrics *metrics, struct envl_error *err)
{
    char temp[PATH_MAX];
    FILE *file = NULL;
    bool good = false;
    int fd = -1, why;

    if (open_new(metrics->path, temp, &fd)) {
        good = fchmod(fd, 0644) == 0 && (file = fdopen(fd, "w")) != NULL;
        if (good)
            put_all(file, metrics);
        if (file != NULL) {
            good = fflush(file) == 0 && !ferror(file) && fsync(fd) == 0;
            good = fclose(file) == 0 && good;
        } else {
            close(fd);
        }
        good = good && rename(temp, metrics->path) == 0;
        why = errno;
        if (!good)
            unlink(temp);
        errno = why;
    }
    if (good)
        return ENVL_OK;
    envl_fail(err, ENVL_E_IO, "cannot write %s: %s", metrics->path,
              strerror(errno));
    envl_hint(err, "--metrics-file wants a file in a folder that this user "
              "can write");
    return ENVL_E_IO;
}

static void
update(struct metrics *metrics)
{
    struct envl_error err = { 0 };

    metrics->written = clock_monotonic_ms();
    metrics->changed = false;
    if (write_file(metrics, &err) != ENVL_OK && !metrics->warned) {
        metrics->warned = true;
        report_warning("%s", err.message);
    }
}

/* ---- outside ------------------------------------------------------------- */

enum envl_status
metrics_open(const char *path, const char *job, struct metrics **out,
             struct envl_error *err)
{
    struct metrics *metrics = calloc(1, sizeof(*metrics));
    enum envl_status status;

    if (metrics == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for metrics");
    metrics->path = path;
    metrics->job = job; /* of [a-z0-9.-] (spec ENV-2.1): no quoting */
    metrics->running = true;
    metrics->now.eta_s = -1;
    metrics->now.guard_writes = -1;
    snprintf(metrics->phase, sizeof(metrics->phase), "prepare");
    metrics->written = clock_monotonic_ms();
    status = write_file(metrics, err);
    if (status == ENVL_OK)
        *out = metrics;
    else
        free(metrics);
    return status;
}

void
metrics_event(struct metrics *metrics, const struct engine_event *event)
{
    int64_t since;

    if (metrics == NULL)
        return;
    switch (event->kind) {
    case ENGINE_PROGRESS:
        metrics->now = *event;
        break;
    case ENGINE_PHASE: /* "closing pass 1" is of the phase "closing" */
        snprintf(metrics->phase, sizeof(metrics->phase), "%.*s",
                 (int)strcspn(event->text, " "), event->text);
        metrics->changed = true;
        break;
    case ENGINE_WAITING:
        if (event->again)
            break;
        snprintf(metrics->reason, sizeof(metrics->reason), "%s",
                 event->text[0] == '\0' || event->reason == NULL
                     ? ""
                     : event->reason);
        metrics->changed = true;
        break;
    case ENGINE_NOTE:
        break;
    }
    since = clock_monotonic_ms() - metrics->written;
    if (since >= EVERY_MS || (metrics->changed && since >= SOON_MS))
        update(metrics);
}

static void
take_summary(struct metrics *metrics, const json_t *report)
{
    static const struct {
        const char *name;
        size_t offset;
    } counts[] = {
        { "sealed", offsetof(struct engine_event, sealed) },
        { "rotated", offsetof(struct engine_event, rotated) },
        { "skipped", offsetof(struct engine_event, skipped) },
        { "conflicts", offsetof(struct engine_event, conflicts) },
        { "quarantined", offsetof(struct engine_event, quarantined) },
    };
    const json_t *census = json_object_get(report, "census"), *row;
    size_t i;

    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const json_t *count = json_object_get(report, counts[i].name);

        if (json_is_integer(count))
            *(uint64_t *)(void *)((char *)&metrics->now + counts[i].offset) =
                (uint64_t)json_integer_value(count);
    }
    metrics->has_states = json_array_size(census) > 0;
    json_array_foreach(census, i, row) {
        const char *state = json_string_value(json_object_get(row, "state"));

        for (unsigned s = 0; state != NULL && s < ROW_STATE_COUNT; s++)
            if (strcmp(row_state_name((enum row_state)s), state) == 0)
                metrics->states[s] += (uint64_t)json_integer_value(
                    json_object_get(row, "count"));
    }
}

void
metrics_close(struct metrics *metrics, enum envl_status status,
              const json_t *report)
{
    const char *phase = json_string_value(json_object_get(report, "phase"));

    if (metrics == NULL)
        return;
    metrics->running = false;
    metrics->status = status;
    metrics->reason[0] = '\0';
    if (phase != NULL)
        snprintf(metrics->phase, sizeof(metrics->phase), "%s", phase);
    if (metrics->phase[0] != '\0' && strcmp(metrics->phase, "done") == 0)
        metrics->now.rows_per_s = 0;
    metrics->now.eta_s = -1;
    take_summary(metrics, report);
    update(metrics);
    free(metrics);
}
