/*
 * scan_sarif.h - findings as SARIF 2.1.0 (OASIS), which code hosts read.
 */
#ifndef CLI_SCAN_SARIF_H
#define CLI_SCAN_SARIF_H

#include "scan_list.h"

/**
 * scan_sarif_write(list, path, err):
 * Write what is not in the baseline to ${path} ("-": standard output).  Fails
 * with ENVL_E_IO and ENVL_E_NOMEM.
 */
enum envl_status scan_sarif_write(const struct scan_list *list,
                                  const char *path, struct envl_error *err);

#endif /* CLI_SCAN_SARIF_H */
