#include "audit_log.h"

const char *
audit_log_path(const struct cli *cli)
{
    return cli->options.value[OPT_LOG] != NULL
               ? cli->options.value[OPT_LOG]
               : settings_get(&cli->settings, SETTING_AUDIT);
}

enum envl_status
audit_log_check(const struct cli *cli, struct envl_keyring *ring,
                uint64_t number, char hash[65],
                struct envl_audit_report *out, struct envl_error *err)
{
    const char *path = audit_log_path(cli);
    enum envl_status status = envl_audit_verify_at(path, ring, number, hash,
                                                   out, err);

    if (status != ENVL_OK || out->broken_line == 0)
        return status;
    envl_fail(err, ENVL_E_INTEGRITY, "%s: record %llu is broken: %s", path,
              (unsigned long long)out->broken_line, out->reason);
    envl_hint(err, "the records before it are whole; compare with a copy kept "
                   "elsewhere");
    return ENVL_E_INTEGRITY;
}
