#include <stddef.h>

#include "folders.h"
#include "report.h"
#include "trail.h"

static enum envl_status
append(struct trail *trail, const char *outcome,
       const struct trail_counts *counts, struct envl_error *err)
{
    struct envl_audit_event event = {
        .verb = trail->verb, .object = trail->object, .outcome = outcome
    };

    if (counts != NULL) {
        event.count_names = counts->names;
        event.counts = counts->values;
        event.count_len = counts->len;
    }
    return envl_audit_append(trail->log, &event, err);
}

enum envl_status
trail_begin(struct cli *cli, struct envl_keyring *ring, const char *object,
            struct trail *trail, struct envl_error *err)
{
    return trail_begin_as(cli, ring, cli->command->name, object, trail, err);
}

enum envl_status
trail_begin_as(struct cli *cli, struct envl_keyring *ring, const char *verb,
               const char *object, struct trail *trail,
               struct envl_error *err)
{
    const struct setting *path = &cli->settings.item[SETTING_AUDIT];
    enum envl_status status = ENVL_OK;

    *trail = (struct trail){ NULL, path->value, verb, object };
    if (!path->chosen && folders_make_for(path->value, err) != ENVL_OK) {
        if (err != NULL)
            err->status = ENVL_E_AUDIT;
        status = ENVL_E_AUDIT;
    }
    if (status == ENVL_OK &&
        (status = envl_audit_open(path->value, ring, &trail->log, err)) ==
            ENVL_OK &&
        (status = append(trail, "begin", NULL, err)) == ENVL_OK)
        return ENVL_OK;
    envl_audit_free(trail->log);
    trail->log = NULL;
    if (err != NULL && err->hint[0] == '\0')
        envl_hint(err, "nothing was done, since it could not be recorded; "
                       "ENVELOPE_AUDIT names another log");
    return status;
}

enum envl_status
trail_rekeyed(struct trail *trail, struct envl_keyring *ring,
              struct envl_error *err)
{
    envl_audit_free(trail->log);
    trail->log = NULL;
    return envl_audit_open(trail->path, ring, &trail->log, err);
}

enum envl_status
trail_end(struct trail *trail, enum envl_status outcome,
          const struct trail_counts *counts, struct envl_error *err)
{
    struct envl_error lost = { .status = ENVL_OK };

    if (trail->log == NULL)
        return outcome;
    if (append(trail, envl_status_name(outcome), counts, &lost) != ENVL_OK) {
        if (outcome == ENVL_OK) {
            outcome = envl_fail(err, ENVL_E_IO, "done, but its end could not "
                                "be recorded: %.180s", lost.message);
        } else {
            report_warning("the end could not be recorded: %s", lost.message);
        }
    }
    envl_audit_free(trail->log);
    trail->log = NULL;
    return outcome;
}
