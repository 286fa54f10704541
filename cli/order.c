#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "printable.h"
#include "report.h"
#include "sweep.h"
#include "trail.h"

static void
tell(json_t *report)
{
    const json_t *control = json_object_get(report, "control");
    const char *by, *at;
    char *set;

    if (report == NULL)
        return;
    if (!report_is_json())
        printable_json(report);
    by = json_string_value(json_object_get(control, "by"));
    at = json_string_value(json_object_get(control, "at"));
    report_text("job %s is %s, %s", json_string_value(
                    json_object_get(report, "job")),
                json_is_true(json_object_get(control, "paused"))
                    ? "paused"
                    : "not paused",
                json_is_true(json_object_get(report, "running"))
                    ? "and processes work on it"
                    : "and nobody works on it");
    if (by != NULL && *by != '\0')
        report_text(" (%s, %s)", by, at);
    report_text("\n");
    set = json_dumps(json_object_get(control, "set"), JSON_COMPACT);
    if (set != NULL && strcmp(set, "{}") != 0)
        report_text("set: %s\n", set);
    free(set);
    report_json(report);
}

static enum envl_status
give(struct cli *cli, struct sweep *sweep, const struct engine_order *order,
     struct envl_error *err)
{
    struct trail trail = TRAIL_INIT;
    json_t *report = NULL;
    enum envl_status status = ENVL_OK;

    if (order->verb != ENGINE_SHOW)
        status = trail_begin(cli, sweep->session.ring, sweep->job->name,
                             &trail, err);
    if (status != ENVL_OK)
        return status;
    status = engine_order(sweep->job, &sweep->options, order, &report, err);
    tell(report);
    if (order->verb == ENGINE_SHOW)
        return status;
    return trail_end(&trail, status, NULL, err);
}

enum envl_status
order_give(struct cli *cli, enum engine_verb verb, struct envl_error *err)
{
    struct engine_order order = {
        .verb = verb,
        .settings = (const char *const *)cli->options.operands + 1,
    };
    struct sweep sweep;
    enum envl_status status;

    status = sweep_open(cli, cli->options.operands[0], SWEEP_LOOKS, &sweep,
                        err);
    if (status == ENVL_OK)
        status = give(cli, &sweep, &order, err);
    sweep_close(&sweep);
    return status;
}
