/*
 * job_path.h - a field's path: dotted segments, or an array (spec JOB-20).
 */
#ifndef ENGINE_JOB_PATH_H
#define ENGINE_JOB_PATH_H

#include <envelope/migrator.h>

#include "engine/job_node.h"

#define JOB_PATH_MAX 64u /* segments */

/**
 * job_path_parse(node, out):
 * Read a path; its names are borrowed from the file.  Fails with
 * ENVL_E_USAGE.
 */
enum envl_status job_path_parse(const struct job_node *node,
                                struct envl_path *out);

/**
 * job_path_meet(a, b):
 * True if some place can match ${a} and ${b}, or lie inside what the other
 * matches.  An empty path is the whole column.
 */
bool job_path_meet(const struct envl_path *a, const struct envl_path *b);

#endif /* ENGINE_JOB_PATH_H */
