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

#endif /* ENGINE_JOB_TARGET_H */
