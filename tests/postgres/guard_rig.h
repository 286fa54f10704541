/*
 * guard_rig.h - setting guards of a job "j", and writing against them.
 */
#ifndef TESTS_POSTGRES_GUARD_RIG_H
#define TESTS_POSTGRES_GUARD_RIG_H

#include "rig.h"

enum envl_status guard_set_to(struct rig *rig, enum envl_guard_stage stage);
void guard_assert_set(struct rig *rig, enum envl_guard_stage stage);
struct envl_guard_info guard_look(struct rig *rig);
void guard_assert_stage(struct rig *rig, enum envl_guard_stage stage,
                        uint64_t writes);

/* Whether some gap holds ${text}. */
bool guard_gap(struct rig *rig, const char *text);

/* As the application: the statement is let through, or refused by a guard's
   trigger with no word of "plain" in any field of the error. */
void guard_allows(struct rig *rig, const char *sql);
void guard_refuses(struct rig *rig, const char *sql);

/* Whether the statement fails with ${text} in its message or detail. */
bool guard_says(struct rig *rig, const char *sql, const char *text);

/* The schema as pg_dump shows it; the caller frees it. */
char *guard_dump(void);

#endif /* TESTS_POSTGRES_GUARD_RIG_H */
