/*
 * job_field.h - one field of a target (spec JOB, section 3).
 */
#ifndef ENGINE_JOB_FIELD_H
#define ENGINE_JOB_FIELD_H

#include "engine/job.h"
#include "engine/job_node.h"

/* A target while it is read. */
struct job_draft {
    struct job_target *target;
    struct envl_field_spec *specs;
    struct job_field *fields;
    const char **extras;
    bool collection;
    bool sibling; /* mode */
};

/**
 * job_field_parse(node, draft, index):
 * Read one field into ${draft}.  Fails with ENVL_E_USAGE.
 */
enum envl_status job_field_parse(const struct job_node *node,
                                 struct job_draft *draft, uint32_t index);

#endif /* ENGINE_JOB_FIELD_H */
