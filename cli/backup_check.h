/*
 * backup_check.h - would this copy of the keyring do, if it were needed now?
 */
#ifndef CLI_BACKUP_CHECK_H
#define CLI_BACKUP_CHECK_H

#include "command.h"

/**
 * backup_check_run(cli, file, err):
 * Open the backup ${file} with what is at hand, seal a canary under each active
 * key of the keyring (of the backup, if there is no keyring any more) and open
 * it by the backup, look for keys that the backup lacks, and open --canary,
 * an envelope from real data, in its --context.  Reports what it found.
 * ENVL_E_FINDINGS if a key is missing; else fails as opening does.
 */
enum envl_status backup_check_run(struct cli *cli, const char *file,
                                  struct envl_error *err);

#endif /* CLI_BACKUP_CHECK_H */
