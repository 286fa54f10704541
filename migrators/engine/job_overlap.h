/*
 * job_overlap.h - what a job may not read and write at once.
 */
#ifndef ENGINE_JOB_OVERLAP_H
#define ENGINE_JOB_OVERLAP_H

#include "engine/job.h"
#include "engine/job_node.h"

/**
 * job_overlap_check(node, targets, count, fold):
 * Over all targets of a table: no two fields may read or write one place, or
 * one lie inside another (spec JOB-25); and nothing that a context is made of
 * (a key, a column, an element's own identifier) may be changed by a field, or
 * what was sealed would not open any more.  ${fold}: the store does not tell a
 * column's upper and lower case apart.  Fails with ENVL_E_USAGE.
 */
enum envl_status job_overlap_check(const struct job_node *node,
                                   const struct job_target *targets,
                                   uint32_t count, bool fold);

#endif /* ENGINE_JOB_OVERLAP_H */
