#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "printable.h"
#include "report.h"
#include "sweep_report.h"
#include "table.h"

static const char *
text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value != NULL ? value : "";
}

static long long
number(const json_t *object, const char *name)
{
    return (long long)json_number_value(json_object_get(object, name));
}

/* Names and row ids come from the database: text is cleaned before it is
   printed; JSON escapes what it must. */
static bool
begin(json_t *report)
{
    if (report != NULL && !report_is_json())
        printable_json(report);
    return report != NULL;
}

/* target, field, state, kid, count: one line each. */
static void
print_counts(const json_t *census, const char *member, const char *head)
{
    const char *const heads[] = { "TARGET", "FIELD", "STATE", "KID", head };
    json_t *table = json_array();
    const json_t *row;
    size_t i;

    if (json_array_size(census) > 0)
        table_row(table, 5, heads);
    json_array_foreach(census, i, row) {
        char count[24];
        const char *const cells[] = { text(row, "target"), text(row, "field"),
                                      text(row, "state"), text(row, "kid"),
                                      count };

        snprintf(count, sizeof(count), "%lld", number(row, member));
        table_row(table, 5, cells);
    }
    table_print(table);
}

static void
print_census(const json_t *census)
{
    print_counts(census, "count", "COUNT");
}

/* As one word for a shell: somebody will paste it. */
static void
print_quoted(const char *word)
{
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            report_text("'\\''");
        else
            report_text("%c", *word);
    }
}

/* Each field's context, as the application must say it. */
static void
print_field(const json_t *field)
{
    json_t *example = json_object_get(field, "example"), *value;
    json_t *pairs = json_object_get(example, "context");
    const char *name;

    report_text("  field    %s%s%s, sealed as %s\n", text(field, "field"),
                *text(field, "into") ? " into " : "", text(field, "into"),
                text(field, "takes"));
    if (pairs == NULL)
        return;
    report_text("  context of row %s:\n", text(example, "row"));
    json_object_foreach(pairs, name, value) {
        report_text("    --context '");
        print_quoted(name);
        report_text("=");
        print_quoted(json_string_value(value));
        report_text("'\n");
    }
}

static void
print_sizes(const json_t *field)
{
    char values[HUMAN_SIZE];

    if (json_object_get(field, "values") == NULL)
        return;
    report_text("  size     about %s values of %lld bytes become envelopes "
                "of %lld, the longest %lld\n",
                human_count((uint64_t)number(field, "values"), values),
                number(field, "mean_before"), number(field, "mean_after"),
                number(field, "longest"));
}

static void
print_cost(const json_t *target)
{
    const json_t *cost = json_object_get(target, "cost");
    char now[HUMAN_SIZE], table[HUMAN_SIZE], indexes[HUMAN_SIZE];
    char log[HUMAN_SIZE];

    if (cost == NULL || number(target, "rows_to_write") == 0)
        return;
    report_text("  cost     %s now; it can grow by %s, its indexes by %s, "
                "until freed room is used again; about %s of %s\n",
                human_bytes((double)number(cost, "table_now"), now),
                human_bytes((double)number(cost, "table_growth"), table),
                human_bytes((double)number(cost, "index_growth"), indexes),
                human_bytes((double)number(cost, "log_bytes"), log),
                text(cost, "log"));
}

static void
print_target(const json_t *target)
{
    const bool sampled = json_is_true(json_object_get(target, "sampled"));
    const json_t *field;
    size_t i;

    report_text("%s: about %lld rows, %lld of them looked at%s\n",
                text(target, "target"), number(target, "rows"),
                number(target, "sampled_rows"),
                sampled ? ": counts are estimates" : "");
    json_array_foreach(json_object_get(target, "fields"), i, field) {
        print_field(field);
        print_sizes(field);
    }
    print_cost(target);
    print_counts(json_object_get(target, "states"),
                 sampled ? "estimate" : "count", sampled ? "ABOUT" : "COUNT");
}

static void
print_time(const json_t *time)
{
    char rows[HUMAN_SIZE], rate[HUMAN_SIZE], whole[HUMAN_SIZE];

    if (time == NULL || number(time, "rows") == 0)
        return;
    report_text("time: about %s for %s rows at %s rows/s (%s)",
                human_time(json_number_value(
                               json_object_get(time, "seconds")), whole),
                human_count((uint64_t)number(time, "rows"), rows),
                human_short(json_number_value(
                                json_object_get(time, "rows_per_s")), rate),
                strcmp(text(time, "basis"), "limit") == 0
                    ? "max_rows_per_s"
                    : text(time, "basis"));
    if (json_object_get(time, "window_h") != NULL)
        report_text(", in %lld window%s of %.1f h", number(time, "days"),
                    number(time, "days") == 1 ? "" : "s",
                    json_number_value(json_object_get(time, "window_h")));
    report_text("\n");
}

static void
print_key(const json_t *key)
{
    const json_t *reader;
    size_t i;

    report_text("key %s (%s), keyring generation %lld: %s", text(key, "kid"),
                text(key, "use"), number(key, "generation"),
                json_is_true(json_object_get(key, "durable"))
                    ? "it opens what it seals, as it is on disk"
                    : "NOT PROVEN");
    if (number(key, "backup_generation") > 0)
        report_text("; backup of generation %lld, %s",
                    number(key, "backup_generation"),
                    text(key, "backup_date"));
    report_text("\n");
    json_array_foreach(json_object_get(key, "readers"), i, reader)
        report_text("reader %s has generation %lld (%s)%s\n",
                    text(reader, "reader"), number(reader, "generation"),
                    text(reader, "at"),
                    json_is_true(json_object_get(reader, "current"))
                        ? ""
                        : ": older");
}

static void
print_notes(const json_t *notes)
{
    const json_t *note;
    size_t i;

    json_array_foreach(notes, i, note)
        report_text("%-7s %s%s%s\n", text(note, "level"),
                    text(note, "target"), *text(note, "target") ? ": " : "",
                    text(note, "text"));
}

void
sweep_report_ddl(json_t *report)
{
    if (!begin(report))
        return;
    report_text("%s", text(report, "ddl"));
    report_json(report);
}

void
sweep_report_plan(json_t *report)
{
    const json_t *key = json_object_get(report, "key"), *target;
    size_t i;

    if (!begin(report))
        return;
    report_text("job %s on %s %s\n", text(report, "job"),
                text(report, "driver"), text(report, "server"));
    print_key(key);
    json_array_foreach(json_object_get(report, "targets"), i, target)
        print_target(target);
    print_time(json_object_get(report, "time"));
    print_notes(json_object_get(report, "notes"));
    report_text("nothing was written\n");
    report_json(report);
}

void
sweep_report_run(json_t *report)
{
    const json_t *seconds = json_object_get(report, "seconds");

    if (!begin(report))
        return;
    report_text("%s: %lld sealed, %lld rotated, %lld skipped, %lld "
                "conflicts, %lld quarantined, %.1f s\n", text(report, "job"),
                number(report, "sealed"), number(report, "rotated"),
                number(report, "skipped"), number(report, "conflicts"),
                number(report, "quarantined"), json_number_value(seconds));
    print_census(json_object_get(report, "census"));
    report_json(report);
}

static void
print_findings(const json_t *findings)
{
    const json_t *row;
    size_t i;

    json_array_foreach(findings, i, row)
        report_text("amiss: %s %s row %s: %s%s%s\n", text(row, "target"),
                    text(row, "field"), text(row, "row"), text(row, "state"),
                    *text(row, "kid") ? " under " : "", text(row, "kid"));
}

static void
print_drift(const json_t *drift)
{
    const json_t *row;
    size_t i;

    json_array_foreach(drift, i, row)
        report_text("since the last sweep: %s %lld, was %lld\n",
                    text(row, "state"), number(row, "now"),
                    number(row, "sweep"));
}

void
sweep_report_verify(json_t *report)
{
    if (!begin(report))
        return;
    report_text("%s: %lld envelopes opened in their place, %lld failed\n",
                json_is_true(json_object_get(report, "ok")) ? "ok" : "amiss",
                number(report, "opened"), number(report, "failed"));
    if (number(report, "moved_rows") > 0)
        report_text("written meanwhile, and opened again: %lld rows around "
                    "them\n", number(report, "moved_rows"));
    print_census(json_object_get(report, "census"));
    print_drift(json_object_get(report, "drift"));
    print_findings(json_object_get(report, "findings"));
    report_json(report);
}

static void
print_owner(const json_t *report)
{
    if (json_is_true(json_object_get(report, "running")))
        report_text("running: %s, last sign of life %lld s ago\n",
                    text(report, "owner"), number(report, "heartbeat_s"));
    else
        report_text("not running\n");
    if (json_is_false(json_object_get(report, "authentic")))
        report_text("NOT AUTHENTIC: this record was not written under this "
                    "keyring, or was changed\n");
}

/* Which stage, what it counted, and what it does not see. */
static void
print_guards(const json_t *list)
{
    const json_t *one, *gap;
    size_t i, j;

    json_array_foreach(list, i, one) {
        const char *asked = text(one, "asked"), *stage = text(one, "stage");
        const json_t *writes = json_object_get(one, "plaintext_writes");

        report_text("guard of %s: %s%s%s", text(one, "target"), stage,
                    strcmp(asked, stage) != 0 ? ", NOT AS SET: " : "",
                    strcmp(asked, stage) != 0 ? asked : "");
        if (json_is_integer(writes))
            report_text("; %lld writes of plaintext counted since %s",
                        number(one, "plaintext_writes"), text(one, "since"));
        report_text("\n");
        json_array_foreach(json_object_get(one, "gaps"), j, gap)
            report_text("  not covered: %s\n", json_string_value(gap));
    }
}

void
sweep_report_guard(json_t *report)
{
    if (!begin(report))
        return;
    print_guards(json_object_get(report, "guard"));
    report_json(report);
}

/* How far, how fast, until when. */
static void
print_pace(const json_t *report)
{
    uint64_t rows = (uint64_t)number(report, "rows");
    uint64_t total = (uint64_t)number(report, "rows_total");
    const json_t *batch = json_object_get(report, "batch");
    char a[HUMAN_SIZE], b[HUMAN_SIZE];

    report_text("%s of about %s rows (%.1f %%)", human_count(rows, a),
                human_count(total, b),
                rows < total ? 100.0 * (double)rows / (double)total : 100.0);
    if (number(report, "rows_per_s") > 0)
        report_text(", %s rows/s",
                    human_short((double)number(report, "rows_per_s"), a));
    if (json_object_get(report, "eta_s") != NULL)
        report_text(", ETA %s",
                    human_time((double)number(report, "eta_s"), a));
    if (number(batch, "rows") > 0)
        report_text(", batches of %lld in %lld ms", number(batch, "rows"),
                    number(batch, "ms"));
    report_text("\n%lld sealed, %lld rotated, %lld skipped, %lld conflicts, "
                "%lld quarantined\n", number(report, "sealed"),
                number(report, "rotated"), number(report, "skipped"),
                number(report, "conflicts"), number(report, "quarantined"));
}

/* What it waits for, what an operator said, and who is at work. */
static void
print_now(const json_t *report)
{
    const json_t *waiting = json_object_get(report, "waiting"), *one;
    const json_t *control = json_object_get(report, "control");
    char time[HUMAN_SIZE];
    char *set;
    size_t i;

    if (waiting != NULL)
        report_text("waits %s: %s\n",
                    human_time((double)number(waiting, "seconds"), time),
                    text(waiting, "text"));
    else if (json_is_true(json_object_get(control, "paused")))
        report_text("paused by %s at %s\n", text(control, "by"),
                    text(control, "at"));
    set = json_dumps(json_object_get(control, "set"), JSON_COMPACT);
    if (set != NULL && strcmp(set, "{}") != 0)
        report_text("set by %s: %s\n", text(control, "by"), set);
    free(set);
    json_array_foreach(json_object_get(report, "owners"), i, one)
        report_text("process %lld on %s: %s%lld range%s\n",
                    number(one, "pid"), text(one, "host"),
                    json_is_true(json_object_get(one, "leads")) ? "leads, "
                                                                : "",
                    number(one, "ranges"),
                    number(one, "ranges") == 1 ? "" : "s");
    json_array_foreach(json_object_get(report, "drift"), i, one)
        report_text("note: %s\n", json_string_value(one));
}

void
sweep_report_status(json_t *report)
{
    const json_t *ranges = json_object_get(report, "ranges"), *row;
    size_t i;

    if (!begin(report))
        return;
    report_text("job %s: %s to %s, pass %lld, %s%s%s\n", text(report, "job"),
                text(report, "goal"), text(report, "kid"),
                number(report, "pass"), text(report, "phase"),
                *text(report, "outcome") ? ", " : "",
                text(report, "outcome"));
    print_owner(report);
    report_text("ranges: %lld of %lld done, %lld under way\n",
                number(ranges, "done"), number(ranges, "total"),
                number(ranges, "active"));
    if (number(ranges, "unreadable") > 0 &&
        !json_is_true(json_object_get(report, "running")))
        report_text("NOT AUTHENTIC: %lld of their records are missing, or "
                    "were not written under this keyring, or were changed\n",
                    number(ranges, "unreadable"));
    print_pace(report);
    print_now(report);
    json_array_foreach(json_object_get(report, "quarantine"), i, row)
        report_text("quarantined: %s %s row %s: %s\n", text(row, "target"),
                    text(row, "field"), text(row, "row"),
                    text(row, "state"));
    print_guards(json_object_get(report, "guard"));
    report_json(report);
}
