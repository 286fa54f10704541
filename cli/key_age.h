/*
 * key_age.h - a key that seals for too long (spec KEY-40).
 */
#ifndef CLI_KEY_AGE_H
#define CLI_KEY_AGE_H

#include <envelope/envelope.h>

#include "command.h"

/**
 * key_age_check(cli, ring, options, err):
 * Warn if the key that ${options} choose is past its date, or has been active
 * for longer than the settings say; ENVL_E_POLICY where they say so.  A key
 * that cannot be chosen is not this function's concern.
 */
enum envl_status key_age_check(struct cli *cli, struct envl_keyring *ring,
                               const struct envl_seal_options *options,
                               struct envl_error *err);

#endif /* CLI_KEY_AGE_H */
