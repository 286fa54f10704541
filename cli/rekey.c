#include "io.h"
#include "rekey.h"
#include "report.h"
#include "ring_jobs.h"

enum envl_status
rekey_confirm(struct cli *cli, struct envl_keyring *ring, const char *without,
              const char *name, bool *accepted, struct envl_error *err)
{
    struct envl_rekey_plan plan;
    enum envl_status status;

    if ((status = ring_jobs_none(cli->settings.state_folder, ring, err)) !=
            ENVL_OK ||
        (status = envl_keyring_rekey_plan(ring, without, &plan, err)) !=
            ENVL_OK)
        return status;
    if (plan.dropped > 0)
        report_warning("unlock entries whose secret is not at hand are "
                       "dropped: %s", plan.names);
    *accepted = true;
    return io_confirm(cli->command->name, name, cli->options.value[OPT_YES],
                      err);
}
