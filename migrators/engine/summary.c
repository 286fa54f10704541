#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "engine/names.h"
#include "engine/summary.h"

json_t *
summary_text(struct envl_bytes bytes)
{
    json_t *value;
    char *copy;

    if (utf8_valid(bytes))
        return json_stringn((const char *)bytes.ptr, bytes.len);
    copy = strndup((const char *)bytes.ptr, bytes.len);
    if (copy == NULL)
        return NULL;
    for (char *c = copy; *c != '\0'; c++) {
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    }
    value = json_string(copy);
    free(copy);
    return value;
}

static json_t *
census_row(const struct session *session, const struct census_entry *entry)
{
    const struct job *job = session->env->job;
    char *field =
        names_field(&job->targets[entry->target].fields[entry->field]);
    json_t *row;

    row = json_pack("{s:s, s:o, s:s, s:I}", "target",
                    session_info(session, entry->target)->label, "field",
                    summary_text(envl_bytes_of(field)), "state",
                    row_state_name(entry->state), "count",
                    (json_int_t)entry->count);
    if (row != NULL && row_state_sealed(entry->state))
        json_object_set_new(row, "kid", json_string(entry->kid));
    free(field);
    return row;
}

json_t *
summary_census(const struct session *session, const struct census *census)
{
    const struct job *job = session->env->job;
    json_t *rows = json_array();

    for (size_t i = 0; i < census->count; i++) {
        const struct census_entry *entry = &census->entries[i];

        /* Records are authentic, but may be of an older job file. */
        if (entry->target < job->target_count &&
            entry->field < job->targets[entry->target].spec.field_count)
            json_array_append_new(rows, census_row(session, entry));
    }
    return rows;
}

json_t *
summary_notes(struct host *host)
{
    static const char *const levels[] = { "info", "warn", "decide", "grant" };
    json_t *notes = json_array();
    struct host_note note;

    for (size_t i = 0; host_take(host, i, &note); i++) {
        json_t *one = json_pack("{s:s, s:o}", "level", levels[note.level],
                                "text",
                                summary_text(envl_bytes_of(note.text)));

        if (one != NULL && note.target[0] != '\0')
            json_object_set_new(one, "target",
                                summary_text(envl_bytes_of(note.target)));
        json_array_append_new(notes, one);
    }
    return notes;
}

static uint64_t
values_in(const struct census *census)
{
    uint64_t values = 0;

    for (size_t i = 0; i < census->count; i++)
        values += census->entries[i].count;
    return values;
}

static void
add_counts(json_t *report, const struct ledger *sum)
{
    json_object_set_new(report, "sealed",
                        json_integer((json_int_t)sum->sealed));
    json_object_set_new(report, "rotated",
                        json_integer((json_int_t)sum->rotated));
    json_object_set_new(report, "skipped",
                        json_integer((json_int_t)sum->skipped));
    json_object_set_new(report, "conflicts",
                        json_integer((json_int_t)sum->conflicts));
    json_object_set_new(report, "quarantined",
                        json_integer((json_int_t)sum->quarantined));
    json_object_set_new(report, "retried",
                        json_integer((json_int_t)sum->retried));
}

/* Each reading of everything by itself: there the ledger always adds up. */
static json_t *
phases_of(const struct record_job *job)
{
    uint32_t over = job->phase == RECORD_DONE ? job->closing + 1
                                              : job->closing;
    json_t *phases = json_array();

    for (uint32_t i = 0; i < over; i++) {
        json_t *phase = ledger_encode(&job->phases[i]);

        json_object_set_new(phase, "seconds",
                            json_real((double)job->phase_ms[i] / 1000.0));
        json_object_set_new(phase, "phase",
                            json_string(i == 0 ? "sweep" : "closing"));
        json_array_append_new(phases, phase);
    }
    return phases;
}

json_t *
summary_run(const struct run *run, enum envl_status status)
{
    const struct record_job *job = &run->job;
    uint64_t ms = job->phase == RECORD_DONE
                      ? job->ms
                      : run->ms_before + (pace_now() - run->begun);
    json_t *report = json_object();
    struct ledger sum;

    run_totals(run, &sum);
    json_object_set_new(report, "schema", json_integer(1));
    json_object_set_new(report, "type", json_string("summary"));
    json_object_set_new(report, "job", json_string(run->env.job->name));
    json_object_set_new(report, "outcome",
                        json_string(envl_status_name(status)));
    json_object_set_new(report, "goal",
                        json_string(run->goal == ENGINE_ROTATE ? "rotate"
                                                               : "seal"));
    json_object_set_new(report, "kid", json_string(run->env.key.kid));
    json_object_set_new(report, "pass", json_integer(job->pass));
    json_object_set_new(report, "phase",
                        json_string(record_body_phase(job->phase)));
    json_object_set_new(report, "closing_passes",
                        json_integer(job->closing));
    add_counts(report, &sum);
    json_object_set_new(report, "seconds", json_real((double)ms / 1000.0));
    json_object_set_new(report, "phases", phases_of(job));
    if (job->phase == RECORD_DONE) {
        json_object_set_new(report, "values",
                            json_integer((json_int_t)values_in(
                                &job->census)));
        json_object_set_new(report, "census",
                            summary_census(run->control, &job->census));
    }
    return report;
}
