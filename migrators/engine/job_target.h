/*
 * job_target.h - one target of a job (spec JOB, section 2).
 */
#ifndef ENGINE_JOB_TARGET_H
#define ENGINE_JOB_TARGET_H

#include "engine/job_field.h"

#define JOB_MAX_FIELDS 1000u
#define JOB_MAX_TARGETS 1000u

/**
 * job_target_parse(node, target):
 * Read ${target}, which is zero.  Fails with ENVL_E_USAGE.
 */
enum envl_status job_target_parse(const struct job_node *node,
                                  struct job_target *target);

/**
 * job_target_disjoint(node, targets, count, fold):
 * No two fields may read or write one place, or one lie inside another (spec
 * JOB-25).  ${fold}: as in job_field_meet.
 */
enum envl_status job_target_disjoint(const struct job_node *node,
                                     const struct job_target *targets,
                                     uint32_t count, bool fold);

#endif /* ENGINE_JOB_TARGET_H */
