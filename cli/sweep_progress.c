#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/clock.h"
#include "human.h"
#include "report.h"
#include "sweep_progress.h"

#define EVERY_MS  30000
#define REDRAW_MS 200
#define WIDTH     80u

static bool
is_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0';
}

/* As setlocale() would decide, which the command does not call. */
static bool
shows_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "utf-8") != NULL ||
                   strcasestr(value, "utf8") != NULL;
    }
    return false;
}

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
        .style = { .colour = !is_set("NO_COLOR"), .blocks = shows_utf8() },
    };
}

/* One column stays free: a full line would wrap on some terminals. */
static unsigned
columns_now(void)
{
    const char *given = getenv("COLUMNS");
    struct winsize size;
    long columns = 0;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    if (columns == 0 && given != NULL)
        columns = strtol(given, NULL, 10);
    return columns > 1 && columns < 10000 ? (unsigned)columns - 1 : WIDTH - 1;
}

/* Where the terminal became narrower, the line stands on several rows now. */
void
sweep_progress_end(struct sweep_progress *progress)
{
    unsigned width = columns_now() + 1, rows;

    if (progress->drawn == 0)
        return;
    rows = (progress->drawn - 1) / width;
    if (rows > 0)
        fprintf(stderr, "\033[%uA", rows);
    fputs("\r\033[J", stderr);
    fflush(stderr);
    progress->drawn = 0;
}

static double
waited_s(const struct sweep_progress *progress)
{
    return (double)(clock_monotonic_ms() - progress->waits) / 1000;
}

static void
draw_bar(struct sweep_progress *progress, const struct engine_event *event)
{
    struct bar_state state = {
        .phase = progress->phase, .event = event,
        .waiting = progress->waiting,
    };
    char line[BAR_SIZE];
    unsigned columns;

    if (progress->waiting[0] != '\0') {
        state.waited_s = waited_s(progress);
        if (event->text != NULL && event->text[0] != '\0')
            state.waiting = event->text; /* as it is said by now */
    }
    progress->style.width = columns_now();
    columns = bar_draw(&progress->style, &state, line);
    sweep_progress_end(progress);
    fputs(line, stderr);
    fflush(stderr);
    progress->drawn = columns;
}

static void
draw_json(const struct sweep_progress *progress,
          const struct engine_event *event)
{
    json_t *line = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I}",
        "type", "progress", "phase", progress->phase, "rows",
        (json_int_t)event->rows, "rows_total", (json_int_t)event->rows_total,
        "sealed", (json_int_t)event->sealed, "rotated",
        (json_int_t)event->rotated, "skipped", (json_int_t)event->skipped,
        "conflicts", (json_int_t)event->conflicts, "quarantined",
        (json_int_t)event->quarantined, "rows_per_s", event->rows_per_s,
        "batch_rows", (json_int_t)event->batch_rows, "batch_ms",
        (json_int_t)event->batch_ms);

    if (event->eta_s >= 0)
        json_object_set_new(line, "eta_s", json_real(event->eta_s));
    if (event->reason != NULL && event->reason[0] != '\0')
        json_object_set_new(line, "waiting", json_string(event->reason));
    report_json(line);
    (void)report_flush(NULL);
}

static void
draw_text(const struct sweep_progress *progress,
          const struct engine_event *event)
{
    double share = event->rows_total > event->rows
                       ? 100.0 * (double)event->rows /
                             (double)event->rows_total
                       : 100.0;
    char rows[HUMAN_SIZE], rate[HUMAN_SIZE], eta[HUMAN_SIZE];

    report_note("%s: %s rows, %.1f %%, %s rows/s%s%s; %llu sealed, %llu "
                "rotated, %llu skipped, %llu conflicts, %llu quarantined",
                progress->phase, human_count(event->rows, rows), share,
                human_short(event->rows_per_s, rate),
                event->eta_s >= 0 ? ", ETA " : "",
                event->eta_s >= 0 ? human_time(event->eta_s, eta) : "",
                (unsigned long long)event->sealed,
                (unsigned long long)event->rotated,
                (unsigned long long)event->skipped,
                (unsigned long long)event->conflicts,
                (unsigned long long)event->quarantined);
}

static void
draw(struct sweep_progress *progress, const struct engine_event *event)
{
    int64_t now = clock_monotonic_ms();

    if (now - progress->last < (progress->terminal ? REDRAW_MS : EVERY_MS))
        return;
    progress->last = now;
    if (report_is_json())
        draw_json(progress, event);
    else if (progress->terminal)
        draw_bar(progress, event);
    else
        draw_text(progress, event);
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

static void
tell_wait(struct sweep_progress *progress, const struct engine_event *event)
{
    if (!event->again)
        progress->waits = clock_monotonic_ms();
    snprintf(progress->waiting, sizeof(progress->waiting), "%s", event->text);
    /* The bar itself shows what lasts. */
    if (event->text[0] != '\0' && !(event->again && progress->terminal))
        tell(progress, "waiting", event);
}

void
sweep_progress_event(void *cookie, const struct engine_event *event)
{
    struct sweep_progress *progress = cookie;

    metrics_event(progress->metrics, event);
    if (report_is_json() && !progress->lines)
        return;
    switch (event->kind) {
    case ENGINE_PROGRESS:
        draw(progress, event);
        break;
    case ENGINE_PHASE:
        snprintf(progress->phase, sizeof(progress->phase), "%s",
                 event->text);
        if (!progress->terminal)
            tell(progress, "phase", event);
        break;
    case ENGINE_NOTE:
        tell(progress, "note", event);
        break;
    case ENGINE_WAITING:
        tell_wait(progress, event);
        break;
    }
}
