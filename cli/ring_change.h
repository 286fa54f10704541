/*
 * ring_change.h - one change of the keyring, as every verb makes it: open,
 * record, change, remember, record the end.
 */
#ifndef CLI_RING_CHANGE_H
#define CLI_RING_CHANGE_H

#include <jansson.h>

#include "ring_session.h"
#include "trail.h"

struct ring_change {
    struct ring_session session;
    struct trail trail;
    json_t *jobs; /* what is registered; NULL: not looked at */
};

#define RING_CHANGE_INIT { RING_SESSION_INIT, TRAIL_INIT, NULL }

/**
 * ring_change_begin(cli, object, change, err):
 * Open the keyring and record that the verb begins on ${object} (borrowed).
 * Fails as ring_session_open and trail_begin do.
 */
enum envl_status ring_change_begin(struct cli *cli, const char *object,
                                   struct ring_change *change,
                                   struct envl_error *err);

/**
 * ring_change_end(cli, change, outcome, err):
 * After the change: remember the ring, record ${outcome}, and return it.  The
 * session stays open.
 */
enum envl_status ring_change_end(struct cli *cli, struct ring_change *change,
                                 enum envl_status outcome,
                                 struct envl_error *err);

/**
 * ring_change_keep_jobs(cli, change, err):
 * Before a new ring key: read what is registered beside the keyring
 * (ring_verified.h), so that ring_change_rekeyed_end can write it again under
 * the new key.  Fails as ring_verified_list does.
 */
enum envl_status ring_change_keep_jobs(struct cli *cli,
                                       struct ring_change *change,
                                       struct envl_error *err);

/**
 * ring_change_check_key(cli, change, kid, err):
 * ENVL_E_POLICY if a registered job may still need ${kid} (spec KEY-133).
 */
enum envl_status ring_change_check_key(struct cli *cli,
                                       struct ring_change *change,
                                       const char *kid,
                                       struct envl_error *err);

/**
 * ring_change_rekeyed_end(cli, change, outcome, err):
 * The same for a change that made a new ring key; says the new pin.
 */
enum envl_status ring_change_rekeyed_end(struct cli *cli,
                                         struct ring_change *change,
                                         enum envl_status outcome,
                                         struct envl_error *err);

/**
 * ring_change_free(change):
 * Release; what was begun and not ended is recorded as failed.
 */
void ring_change_free(struct ring_change *change);

#endif /* CLI_RING_CHANGE_H */
