/*
 * sweep_report.h - the engine's reports as text; with --json as they are.
 *
 * Each takes a reference of ${report} over and is harmless with NULL (a
 * failure before there was anything to report).
 */
#ifndef CLI_SWEEP_REPORT_H
#define CLI_SWEEP_REPORT_H

#include <jansson.h>

/**
 * sweep_report_plan(report), sweep_report_ddl(report):
 * What a sweep would do; of the same report only the statements.
 */
void sweep_report_plan(json_t *report);
void sweep_report_ddl(json_t *report);

/**
 * sweep_report_run(report):
 * What a sweep did.
 */
void sweep_report_run(json_t *report);

/**
 * sweep_report_verify(report):
 * The census.
 */
void sweep_report_verify(json_t *report);

/**
 * sweep_report_status(report):
 * How far the job is, and what is quarantined.
 */
void sweep_report_status(json_t *report);

/**
 * sweep_report_guard(report):
 * What guards are in force.
 */
void sweep_report_guard(json_t *report);

#endif /* CLI_SWEEP_REPORT_H */
