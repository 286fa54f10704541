/*
 * report.h - what the command says, and where.
 *
 * Standard output carries results only: text, or with --json one document.
 * Standard error carries errors, hints, warnings and notes.  Control
 * characters in names are shown as \xNN, so that a file name cannot draw on
 * the terminal.  No value and no key ever passes through here.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdbool.h>

#include <jansson.h>

#include <envelope/error.h>

/**
 * report_init(json, quiet):
 * How to speak from now on.
 */
void report_init(bool json, bool quiet);

/**
 * report_is_json(), report_is_quiet():
 * What report_init was told.
 */
bool report_is_json(void);
bool report_is_quiet(void);

/**
 * report_error(err):
 * The error of ${err} and its hint: two lines, or with --json one.
 */
void report_error(const struct envl_error *err);

/**
 * report_warning(format, ...), report_hint(format, ...), report_note(...):
 * One line on standard error, unless --quiet: something to look at, what to
 * do next, or progress.  With --json each is one JSON line.
 */
void report_warning(const char *format, ...) ENVL_PRINTF(1, 2);
void report_hint(const char *format, ...) ENVL_PRINTF(1, 2);
void report_note(const char *format, ...) ENVL_PRINTF(1, 2);

/**
 * report_text(format, ...):
 * Text on standard output; with --json nothing.
 */
void report_text(const char *format, ...) ENVL_PRINTF(1, 2);

/**
 * report_print(format, ...):
 * Text on standard output, with --json too: help, completion scripts.
 */
void report_print(const char *format, ...) ENVL_PRINTF(1, 2);

/**
 * report_json(document):
 * With --json print ${document} as one line; free it in any case.  NULL
 * (jansson ran out of memory) is reported by report_flush.
 */
void report_json(json_t *document);

/**
 * report_flush(err):
 * Push out what was printed.  Fails with ENVL_E_IO; where the reader of a
 * pipe has gone, the process ends as SIGPIPE would end it.
 */
enum envl_status report_flush(struct envl_error *err);

#endif /* CLI_REPORT_H */
