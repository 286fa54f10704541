/*
 * audit_show.h - audit records as people read them.
 */
#ifndef CLI_AUDIT_SHOW_H
#define CLI_AUDIT_SHOW_H

#include <stdint.h>

#include <envelope/error.h>

/**
 * audit_show(path, tail, err):
 * Print the last ${tail} records of the log ${path} (0: all): columns, or
 * with --json each line as it is.  Fails with ENVL_E_NOTFOUND, ENVL_E_IO,
 * and with ENVL_E_INTEGRITY at a line that is no record.
 */
enum envl_status audit_show(const char *path, uint64_t tail,
                            struct envl_error *err);

#endif /* CLI_AUDIT_SHOW_H */
