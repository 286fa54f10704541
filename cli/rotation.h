/*
 * rotation.h - a new key takes over.
 */
#ifndef CLI_ROTATION_H
#define CLI_ROTATION_H

#include <envelope/keyring.h>

#include "command.h"

struct rotation {
    const char *kid;
    enum envl_key_use use;
    const char *scope;                /* NULL: "default"              */
    char former[ENVL_NAME_SIZE];      /* the active key before, or "" */
    bool exists, active;              /* what KID is before           */
};

/**
 * rotation_plan(cli, ring, scope, out, err):
 * What --kid and --use ask for in ${scope} (NULL: "default").  Fails with
 * ENVL_E_USAGE, ENVL_E_POLICY for a key that cannot become active, or of
 * another use or scope than was said.
 */
enum envl_status rotation_plan(struct cli *cli, struct envl_keyring *ring,
                               const char *scope, struct rotation *out,
                               struct envl_error *err);

/**
 * rotation_activate(rotation, ring, err):
 * Make the key if it is new, and make it active; the former becomes
 * decrypt-only in the same write.  Says which generation readers need.
 */
enum envl_status rotation_activate(const struct rotation *rotation,
                                   struct envl_keyring *ring,
                                   struct envl_error *err);

#endif /* CLI_ROTATION_H */
