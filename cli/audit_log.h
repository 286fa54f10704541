/*
 * audit_log.h - which audit log, and whether it is whole.
 */
#ifndef CLI_AUDIT_LOG_H
#define CLI_AUDIT_LOG_H

#include <envelope/audit.h>

#include "command.h"

/**
 * audit_log_path(cli):
 * What --log names, or the settings.
 */
const char *audit_log_path(const struct cli *cli);

/**
 * audit_log_check(cli, ring, number, hash, out, err):
 * envl_audit_verify_at, and ENVL_E_INTEGRITY for a broken log, its line named.
 */
enum envl_status audit_log_check(const struct cli *cli,
                                 struct envl_keyring *ring, uint64_t number,
                                 char hash[65],
                                 struct envl_audit_report *out,
                                 struct envl_error *err);

#endif /* CLI_AUDIT_LOG_H */
