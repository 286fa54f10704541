#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "printable.h"
#include "report.h"
#include "sweep_progress.h"

#define EVERY_MS 30000
#define REDRAW_MS 200

void
sweep_progress_init(struct sweep_progress *progress, bool lines)
{
    const char *terminal = getenv("TERM");
    const bool dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;

    *progress = (struct sweep_progress){
        .terminal = isatty(STDERR_FILENO) && !dumb && !report_is_json() &&
                    !report_is_quiet(),
        .lines = lines,
        .last = clock_monotonic_ms(),
    };
}

/* "12 s", "3 min", "2 h 05 min" */
static void
print_eta(double seconds, char *out, size_t room)
{
    if (seconds < 0)
        snprintf(out, room, "eta unknown");
    else if (seconds < 90)
        snprintf(out, room, "eta %.0f s", seconds);
    else if (seconds < 5400)
        snprintf(out, room, "eta %.0f min", seconds / 60);
    else
        snprintf(out, room, "eta %.0f h %02.0f min",
                 (double)(int)(seconds / 3600),
                 (double)((int)(seconds / 60) % 60));
}

static void
print_line(const struct sweep_progress *progress,
           const struct engine_event *event, char *out, size_t room)
{
    double share = event->rows_total > 0
                       ? 100.0 * (double)event->rows /
                             (double)event->rows_total
                       : 100.0;
    char eta[48];

    print_eta(event->eta_s, eta, sizeof(eta));
    snprintf(out, room, "%s: %llu rows, %.1f %%, %.0f rows/s, %s; %llu "
             "sealed, %llu rotated, %llu skipped, %llu quarantined%s%s",
             progress->phase, (unsigned long long)event->rows,
             share > 100.0 ? 100.0 : share, event->rows_per_s, eta,
             (unsigned long long)event->sealed,
             (unsigned long long)event->rotated,
             (unsigned long long)event->skipped,
             (unsigned long long)event->quarantined,
             progress->waiting[0] != '\0' ? "; waits for " : "",
             progress->waiting);
}

static void
draw(struct sweep_progress *progress, const struct engine_event *event)
{
    int64_t now = clock_monotonic_ms();
    char line[512];

    if (now - progress->last < (progress->terminal ? REDRAW_MS : EVERY_MS))
        return;
    progress->last = now;
    if (report_is_json()) {
        report_json(json_pack(
            "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "type",
            "progress", "phase", progress->phase, "rows",
            (json_int_t)event->rows, "rows_total",
            (json_int_t)event->rows_total, "sealed",
            (json_int_t)event->sealed, "rotated", (json_int_t)event->rotated,
            "skipped", (json_int_t)event->skipped, "conflicts",
            (json_int_t)event->conflicts, "quarantined",
            (json_int_t)event->quarantined, "rows_per_s",
            event->rows_per_s));
        (void)report_flush(NULL);
        return;
    }
    print_line(progress, event, line, sizeof(line));
    if (progress->terminal) {
        for (char *c = line; *c != '\0'; c++)
            if (printable_control(c) > 0)
                *c = '?';
        fprintf(stderr, "\r\033[K%.*s", 100, line);
        fflush(stderr);
        progress->drawn = true;
    } else {
        report_note("%s", line);
    }
}

void
sweep_progress_end(struct sweep_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}

/* A line of its own, above the one that is redrawn. */
static void
tell(struct sweep_progress *progress, const char *kind,
     const struct engine_event *event)
{
    sweep_progress_end(progress);
    if (report_is_json()) {
        report_json(json_pack("{s:s, s:s, s:s?, s:s?}", "type", kind, "text",
                              event->text, "target", event->target, "reason",
                              event->reason));
        (void)report_flush(NULL);
    } else {
        report_note("%s%s%s", event->target != NULL ? event->target : "",
                    event->target != NULL ? ": " : "", event->text);
    }
}

void
sweep_progress_event(void *cookie, const struct engine_event *event)
{
    struct sweep_progress *progress = cookie;

    if (report_is_json() && !progress->lines)
        return;
    switch (event->kind) {
    case ENGINE_PROGRESS:
        draw(progress, event);
        break;
    case ENGINE_PHASE:
        snprintf(progress->phase, sizeof(progress->phase), "%s",
                 event->text);
        tell(progress, "phase", event);
        break;
    case ENGINE_NOTE:
        tell(progress, "note", event);
        break;
    case ENGINE_WAITING:
        snprintf(progress->waiting, sizeof(progress->waiting), "%s",
                 event->text);
        if (event->text[0] != '\0')
            tell(progress, "waiting", event);
        break;
    }
}
