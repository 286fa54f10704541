/*
 * names.h - places in words, for reports and the quarantine.
 *
 * Column and path as the job writes them, joined by '.'; in a concrete place
 * the member's own name stands for '*' and the index for '[*]'.  For people:
 * what binds a value is its context, not this.
 */
#ifndef ENGINE_NAMES_H
#define ENGINE_NAMES_H

#include "engine/job.h"

/**
 * names_field(field), names_leaf(target, leaf):
 * A field of a target, and one value of it, in a string that the caller
 * free()s; NULL if memory is short.
 */
char *names_field(const struct job_field *field);
char *names_leaf(const struct job_target *target,
                 const struct envl_leaf *leaf);

#endif /* ENGINE_NAMES_H */
