/*
 * rekey.h - before a new ring key is made: what would be lost, and consent.
 */
#ifndef CLI_REKEY_H
#define CLI_REKEY_H

#include <envelope/keyring.h>

#include "command.h"

/**
 * rekey_confirm(cli, ring, without, name, accepted, err):
 * Say which unlock entries a new ring key would drop (${without}: one that is
 * being removed, or NULL), and let the user confirm ${name}, by --yes or by
 * typing it (spec KEY-45).  ${accepted} says whether drops were among it.
 * Fails with ENVL_E_POLICY without consent, and while a job of this ring is
 * unfinished (spec KEY-46).
 */
enum envl_status rekey_confirm(struct cli *cli, struct envl_keyring *ring,
                               const char *without, const char *name,
                               bool *accepted, struct envl_error *err);

#endif /* CLI_REKEY_H */
