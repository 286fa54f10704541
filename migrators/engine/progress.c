#include <stdio.h>
#include <string.h>

#include "engine/pace.h"
#include "engine/progress.h"

#define EVERY_MS  100u
#define AGAIN_MS  30000u /* a wait that lasts is said again       */
#define CALM_MS   400u   /* an end of it that does not last is none */
#define SMOOTH_MS 5000.0 /* a rate's memory */

static void
say(const struct progress *progress, const struct engine_event *event)
{
    if (progress->options->event != NULL)
        progress->options->event(progress->options->cookie, event);
}

static void
say_text(const struct progress *progress, enum engine_event_kind kind,
         const char *text, const char *target)
{
    struct engine_event event = { .kind = kind, .text = text,
                                  .target = target, .eta_s = -1 };

    say(progress, &event);
}

void
progress_init(struct progress *progress, const struct engine_options *options,
              struct host *host)
{
    *progress = (struct progress){ .options = options, .host = host };
}

void
progress_calm(struct progress *progress)
{
    if (progress->over == 0)
        return;
    progress->over = 0;
    progress->reason[0] = '\0';
    say_text(progress, ENGINE_WAITING, "", NULL);
}

void
progress_phase(struct progress *progress, const char *text, uint64_t rows,
               uint64_t total)
{
    progress->total = total;
    progress->begun = progress->last = pace_now();
    progress->first_rows = progress->last_rows = rows;
    progress->rate = 0;
    progress_calm(progress);
    say_text(progress, ENGINE_PHASE, text, NULL);
}

void
progress_note(struct progress *progress, const char *text)
{
    say_text(progress, ENGINE_NOTE, text, NULL);
}

static void
pass_on_notes(struct progress *progress)
{
    struct host_note note;

    while (host_take(progress->host, progress->notes, &note)) {
        progress->notes++;
        if (note.level != ENVL_NOTE_INFO)
            say_text(progress, ENGINE_NOTE, note.text,
                     note.target[0] == '\0' ? NULL : note.target);
    }
}

/* An exponential average over time, so that uneven ticks weigh right. */
static void
measure(struct progress *progress, uint64_t rows, uint64_t now)
{
    double ms = (double)(now - progress->last);
    double fresh = (double)(rows - progress->last_rows) * 1000.0 / ms;
    double share = ms / (ms + SMOOTH_MS);
    double age = (double)(now - progress->begun);

    if (rows < progress->last_rows)
        fresh = 0; /* a range was taken back to where it stood */
    if (age < SMOOTH_MS)
        progress->rate = (double)(rows - progress->first_rows) * 1000.0 / age;
    else
        progress->rate += share * (fresh - progress->rate);
    progress->last = now;
    progress->last_rows = rows;
}

static double
eta(const struct progress *progress, uint64_t rows)
{
    if (progress->rate <= 0 || rows * 100 < progress->total ||
        rows >= progress->total)
        return -1;
    return (double)(progress->total - rows) / progress->rate;
}

/* spec: JOB-71: never silence. */
static void
tell_wait(struct progress *progress, const struct progress_state *state,
          uint64_t now)
{
    const char *reason = state->reason == NULL ? "" : state->reason;
    struct engine_event event = { .kind = ENGINE_WAITING, .eta_s = -1,
                                  .reason = reason };

    if (reason[0] != '\0' || progress->reason[0] == '\0')
        progress->over = 0;
    else if (progress->over == 0)
        progress->over = now;
    if (progress->over != 0 && now - progress->over < CALM_MS)
        return;
    event.again = strcmp(reason, progress->reason) == 0;
    if (event.again &&
        (reason[0] == '\0' || now - progress->said < AGAIN_MS))
        return;
    event.text = reason[0] == '\0' ? "" : state->waiting;
    snprintf(progress->reason, sizeof(progress->reason), "%s", reason);
    progress->said = now;
    say(progress, &event);
}

void
progress_tick(struct progress *progress, const struct progress_state *state)
{
    const struct ledger *sum = &state->sum;
    uint64_t now = pace_now(), rows = state->rows;
    struct engine_event event = { .kind = ENGINE_PROGRESS };

    pass_on_notes(progress);
    tell_wait(progress, state, now);
    if (now - progress->last < EVERY_MS)
        return;

    measure(progress, rows, now);
    event.rows = rows;
    event.rows_total = progress->total;
    event.sealed = sum->sealed;
    event.rotated = sum->rotated;
    event.skipped = sum->skipped;
    event.conflicts = sum->conflicts;
    event.quarantined = sum->quarantined;
    event.rows_per_s = progress->rate;
    event.eta_s = eta(progress, rows);
    event.batch_rows = state->batch_rows;
    event.batch_ms = state->batch_ms;
    event.guard_writes = state->guard_writes;
    event.reason = state->reason;
    event.text = state->waiting;
    say(progress, &event);
}
