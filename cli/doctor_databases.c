/* The databases of the jobs that were named: do they answer, and may we do
   what the jobs need?  Nothing is written. */
#include <string.h>

#include "doctor.h"
#include "sweep.h"

static void
say_note(struct doctor *doctor, const json_t *note)
{
    const char *level = json_string_value(json_object_get(note, "level"));
    const char *text = json_string_value(json_object_get(note, "text"));
    const char *target = json_string_value(json_object_get(note, "target"));
    const char *place = target != NULL ? target : "";
    const char *colon = target != NULL ? ": " : "";

    if (level == NULL || text == NULL || strcmp(level, "info") == 0)
        return;
    if (strcmp(level, "grant") == 0)
        doctor_say(doctor, DOCTOR_FAIL, text, "%s%sa right is missing", place,
                   colon);
    else
        doctor_say(doctor, DOCTOR_WARN,
                   strcmp(level, "decide") == 0 ? "`envelope plan` says what "
                                                  "there is to decide" : NULL,
                   "%s%s%s", place, colon, text);
}

static void
say_plan(struct doctor *doctor, const char *path, const json_t *report)
{
    const char *driver = json_string_value(json_object_get(report, "driver"));
    const char *server = json_string_value(json_object_get(report, "server"));
    const json_t *notes = json_object_get(report, "notes"), *note;
    size_t i;

    doctor_say(doctor, DOCTOR_OK, NULL, "%s: %s answers (%s), %zu targets",
               path, driver != NULL ? driver : "the database",
               server != NULL ? server : "its version is not told",
               json_array_size(json_object_get(report, "targets")));
    json_array_foreach(notes, i, note)
        say_note(doctor, note);
}

static void
look_at(struct doctor *doctor, const char *path)
{
    struct envl_error err = { .status = ENVL_OK };
    json_t *report = NULL;
    struct sweep sweep;
    enum envl_status status = sweep_open(doctor->cli, path, SWEEP_READS,
                                         &sweep, &err);

    if (status == ENVL_OK)
        status = engine_plan(sweep.job, &sweep.options, false, &report, &err);
    /* With findings there is a report, which names them. */
    if (report != NULL &&
        (status == ENVL_OK || status == ENVL_E_FINDINGS))
        say_plan(doctor, path, report);
    else
        doctor_say(doctor, DOCTOR_FAIL, err.hint, "%s: %s (exit %d)", path,
                   err.message, envl_status_exit_code(err.status));
    json_decref(report);
    sweep_close(&sweep);
}

void
doctor_databases(struct doctor *doctor)
{
    char **jobs = doctor->cli->options.operands;

    doctor_section(doctor, "databases");
    if (*jobs == NULL)
        doctor_say(doctor, DOCTOR_OK, "`envelope doctor JOB...` looks at the "
                   "databases of jobs", "no job was named");
    for (; *jobs != NULL; jobs++)
        look_at(doctor, *jobs);
}
