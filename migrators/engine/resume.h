/*
 * resume.h - go on with what a job's record says, or begin anew?
 *
 * The direction of a sweep (goal and key) is never inferred from the state of
 * the data: it is what the user asks for, and must agree with an unfinished
 * record (I5).
 */
#ifndef ENGINE_RESUME_H
#define ENGINE_RESUME_H

#include "engine/record_body.h"

enum resume_action {
    RESUME_NEW_PASS,
    RESUME_GO_ON
};

/* What is asked for now. */
struct resume_want {
    enum engine_goal goal;
    const char *kid;
    const char *digest; /* of the job file */
    struct envl_keyring *ring;
};

/**
 * resume_ring(seen, now, err):
 * Compare what the record remembers of the ring with the ring as it is:
 * ENVL_E_INTEGRITY if this one is older, was forked, or has another pin
 * (envelope-v1.md section 9).
 */
enum envl_status resume_ring(const struct envl_ring_mark *seen,
                             const struct envl_ring_mark *now,
                             struct envl_error *err);

/**
 * resume_decide(found, want, out, err):
 * ${found} is the job's authenticated record.  A finished job, or one whose
 * file was changed, is a new pass.  Fails with ENVL_E_POLICY where another
 * direction is unfinished and can still be finished.
 */
enum envl_status resume_decide(const struct record_job *found,
                               const struct resume_want *want,
                               enum resume_action *out,
                               struct envl_error *err);

#endif /* ENGINE_RESUME_H */
