#include <stdio.h>
#include <string.h>

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
print_census(const json_t *census)
{
    static const char *const heads[] = { "TARGET", "FIELD", "STATE", "KID",
                                         "COUNT" };
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

        snprintf(count, sizeof(count), "%lld", number(row, "count"));
        table_row(table, 5, cells);
    }
    table_print(table);
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
print_target(const json_t *target)
{
    const json_t *field;
    size_t i;

    report_text("%s: about %lld rows, %lld of them looked at\n",
                text(target, "target"), number(target, "rows"),
                number(target, "sampled_rows"));
    json_array_foreach(json_object_get(target, "fields"), i, field)
        print_field(field);
    print_census(json_object_get(target, "states"));
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
    report_text("key %s (%s), keyring generation %lld\n", text(key, "kid"),
                text(key, "use"), number(key, "generation"));
    json_array_foreach(json_object_get(report, "targets"), i, target)
        print_target(target);
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
    report_text("%lld of about %lld rows; %lld sealed, %lld rotated, %lld "
                "skipped, %lld conflicts, %lld quarantined\n",
                number(report, "rows"), number(report, "rows_total"),
                number(report, "sealed"), number(report, "rotated"),
                number(report, "skipped"), number(report, "conflicts"),
                number(report, "quarantined"));
    json_array_foreach(json_object_get(report, "quarantine"), i, row)
        report_text("quarantined: %s %s row %s: %s\n", text(row, "target"),
                    text(row, "field"), text(row, "row"),
                    text(row, "state"));
    print_guards(json_object_get(report, "guard"));
    report_json(report);
}
