/*
 * job_settings.h - how a job runs: what it does with each state, its pace and
 * its limits (spec JOB-42 and JOB, section 7).
 */
#ifndef ENGINE_JOB_SETTINGS_H
#define ENGINE_JOB_SETTINGS_H

#include "engine/job.h"
#include "engine/job_node.h"

/**
 * job_settings_default(job):
 * What holds where the file says nothing.
 */
void job_settings_default(struct job *job);

/**
 * job_settings_on(node, job) and the others:
 * Read the member of that name.  Fail with ENVL_E_USAGE.
 */
enum envl_status job_settings_on(const struct job_node *node,
                                 struct job *job);
enum envl_status job_settings_pace(const struct job_node *node,
                                   struct job *job);
enum envl_status job_settings_yield_to(const struct job_node *node,
                                       struct job *job);
enum envl_status job_settings_limits(const struct job_node *node,
                                     struct job *job);
enum envl_status job_settings_audit(const struct job_node *node,
                                    struct job *job);

#endif /* ENGINE_JOB_SETTINGS_H */
