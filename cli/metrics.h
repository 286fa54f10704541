/*
 * metrics.h - a sweep as Prometheus reads it, in a file that the textfile
 * collector of node_exporter picks up.
 *
 * Labels are the job's name, which its author chose, and words of fixed small
 * sets: no table, column, key id, host or row.
 */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include <jansson.h>

#include "engine/engine.h"

struct metrics;

/**
 * metrics_open(path, job, out, err):
 * Write the file ${path} (whole or not at all, mode 0644) for the first time;
 * both strings are borrowed.  Fails with ENVL_E_IO.
 */
enum envl_status metrics_open(const char *path, const char *job,
                              struct metrics **out, struct envl_error *err);

/**
 * metrics_event(metrics, event):
 * Take notice; the file is written every 5 s, and soon after a change of
 * phase or of what is waited for.  A failure is warned of once.  NULL is
 * ignored.
 */
void metrics_event(struct metrics *metrics, const struct engine_event *event);

/**
 * metrics_close(metrics, status, report):
 * The last words: how it ended, and of a finished sweep the values by state.
 * ${report} (borrowed) is the engine's summary, or NULL.  NULL is ignored.
 */
void metrics_close(struct metrics *metrics, enum envl_status status,
                   const json_t *report);

#endif /* CLI_METRICS_H */
