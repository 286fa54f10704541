/*
 * scan_baseline.h - findings that were looked at and accepted.
 *
 * A JSON file for the repository: a salt, and of each finding its path, name,
 * rule and a digest under the salt.  Of a value that could be guessed the
 * digest says nothing.
 */
#ifndef CLI_SCAN_BASELINE_H
#define CLI_SCAN_BASELINE_H

#include "scan_list.h"

/**
 * scan_baseline_read(path, salt, out, err):
 * Read ${path}: its salt, to be set before the scan, and its document.  Fails
 * with ENVL_E_NOTFOUND, ENVL_E_FORMAT, ENVL_E_IO.
 */
enum envl_status scan_baseline_read(const char *path, uint8_t *salt,
                                    json_t **out, struct envl_error *err);

/**
 * scan_baseline_apply(list, baseline, gone):
 * Mark what is known, each entry for one finding; ${gone} counts entries
 * that nothing was found for.
 */
void scan_baseline_apply(struct scan_list *list, const json_t *baseline,
                         size_t *gone);

/**
 * scan_baseline_write(list, path, err):
 * Write all of ${list} as a baseline; the file appears only when it is whole.
 */
enum envl_status scan_baseline_write(const struct scan_list *list,
                                     const char *path,
                                     struct envl_error *err);

#endif /* CLI_SCAN_BASELINE_H */
