#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "engine/resume.h"

/* spec: KEY, what is remembered of a ring */
enum envl_status
resume_ring(const struct envl_ring_mark *seen,
            const struct envl_ring_mark *now, struct envl_error *err)
{
    if (strcmp(seen->id, now->id) != 0) {
        envl_fail(err, ENVL_E_INTEGRITY,
                  "the job was begun with keyring %s, this is %s", seen->id,
                  now->id);
        envl_hint(err, "name the job's keyring with --keyring");
        return ENVL_E_INTEGRITY;
    }
    if (now->generation < seen->generation) {
        envl_fail(err, ENVL_E_INTEGRITY,
                  "the keyring is at generation %" PRIu64 ", the job has "
                  "seen %" PRIu64, now->generation, seen->generation);
        envl_hint(err, "an old copy of the ring is in place: put the newest "
                  "back, or accept this one with --accept-ring=%s", now->id);
        return ENVL_E_INTEGRITY;
    }
    if ((now->generation == seen->generation &&
         sodium_memcmp(now->mac, seen->mac, sizeof(now->mac)) != 0) ||
        sodium_memcmp(now->pin, seen->pin, sizeof(now->pin)) != 0) {
        envl_fail(err, ENVL_E_INTEGRITY, "the keyring is not the one the job "
                  "has seen, although its id is the same");
        envl_hint(err, "find out which copy is right; --accept-ring=%s "
                  "accepts this one", now->id);
        return ENVL_E_INTEGRITY;
    }
    return ENVL_OK;
}

/* A key that no longer seals cannot finish what it began. */
static bool
can_finish(const struct record_job *found, struct envl_keyring *ring)
{
    struct envl_key_info key;

    return envl_keyring_find(ring, found->kid, &key, NULL) == ENVL_OK &&
           key.state == ENVL_KEY_ACTIVE;
}

enum envl_status
resume_decide(const struct record_job *found, const struct resume_want *want,
              enum resume_action *out, struct envl_error *err)
{
    bool same = found->goal == want->goal &&
                strcmp(found->kid, want->kid) == 0;

    if (found->phase != RECORD_DONE && !same &&
        can_finish(found, want->ring)) {
        envl_fail(err, ENVL_E_POLICY,
                  "the job has an unfinished %s under key %s",
                  found->goal == ENGINE_ROTATE ? "rotation" : "migration",
                  found->kid);
        envl_hint(err, "finish it first: envelope %s --kid %s with this job; "
                  "or retire that key, and it is begun anew",
                  found->goal == ENGINE_ROTATE ? "rotate" : "migrate",
                  found->kid);
        return ENVL_E_POLICY;
    }

    *out = found->phase != RECORD_DONE && same &&
                   strcmp(found->digest, want->digest) == 0
               ? RESUME_GO_ON
               : RESUME_NEW_PASS;
    return ENVL_OK;
}
