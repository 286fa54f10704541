#include <stdlib.h>
#include <string.h>

#include "readers.h"
#include "report.h"
#include "rotation.h"

/* A key that is there must be able to take over as it was asked for. */
static enum envl_status
check_existing(struct cli *cli, const struct envl_key_info *key,
               struct rotation *out, struct envl_error *err)
{
    enum envl_status status;

    out->exists = true;
    out->active = key->state == ENVL_KEY_ACTIVE;
    if (cli->options.value[OPT_USE] != NULL && key->use != out->use)
        return envl_fail(err, ENVL_E_POLICY, "key %s is of use %s", key->kid,
                         envl_key_use_name(key->use));
    if (strcmp(key->scope, out->scope != NULL ? out->scope : "default") != 0)
        return envl_fail(err, ENVL_E_POLICY, "key %s is of scope %s",
                         key->kid, key->scope);
    out->use = key->use;
    if (key->use != ENVL_USE_SEAL && key->use != ENVL_USE_WRAP)
        return envl_fail(err, ENVL_E_POLICY, "key %s is of use %s: there is "
                         "nothing to seal again", key->kid,
                         envl_key_use_name(key->use));
    if (key->state == ENVL_KEY_DISABLED || key->state == ENVL_KEY_DESTROYED) {
        status = envl_fail(err, ENVL_E_POLICY, "key %s is %s", key->kid,
                           envl_key_state_name(key->state));
        envl_hint(err, "rotate to a new key: a kid that is not in `envelope "
                       "key list` is made");
        return status;
    }
    return ENVL_OK;
}

/*
 * The key that was active before: the active one, or, where KID has taken
 * over already, the decrypt-only one that was activated last.
 */
static enum envl_status
find_former(struct envl_keyring *ring, struct rotation *out,
            struct envl_error *err)
{
    const char *scope = out->scope != NULL ? out->scope : "default";
    const char *latest = "";
    struct envl_key_info *keys = NULL;
    enum envl_status status;
    size_t count;

    if ((status = envl_keyring_list(ring, &keys, &count, err)) != ENVL_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        const struct envl_key_info *key = &keys[i];
        const enum envl_key_state wanted =
            out->active ? ENVL_KEY_DECRYPT_ONLY : ENVL_KEY_ACTIVE;

        if (key->use == out->use && strcmp(key->scope, scope) == 0 &&
            key->state == wanted && strcmp(key->kid, out->kid) != 0 &&
            strcmp(key->activated, latest) >= 0) {
            latest = key->activated;
            memcpy(out->former, key->kid, sizeof(out->former));
        }
    }
    free(keys);
    return ENVL_OK;
}

enum envl_status
rotation_plan(struct cli *cli, struct envl_keyring *ring, const char *scope,
              struct rotation *out, struct envl_error *err)
{
    struct envl_key_info key;
    enum envl_status status;
    int use;

    *out = (struct rotation){ .kid = cli->options.value[OPT_KID],
                              .scope = scope };
    if (out->kid == NULL) {
        status = envl_fail(err, ENVL_E_USAGE, "--kid is missing");
        envl_hint(err, "it names the key that takes over; it is made if it "
                       "is new");
        return status;
    }
    if ((status = options_choice(&cli->options, OPT_USE, ENVL_USE_SEAL, &use,
                                 err)) != ENVL_OK)
        return status;
    if (use != ENVL_USE_SEAL && use != ENVL_USE_WRAP)
        return envl_fail(err, ENVL_E_USAGE, "--use is seal or wrap here");
    out->use = (enum envl_key_use)use;
    if (envl_keyring_find(ring, out->kid, &key, NULL) == ENVL_OK &&
        (status = check_existing(cli, &key, out, err)) != ENVL_OK)
        return status;
    if (!out->active &&
        (status = out->exists ? readers_check(cli, ring, err)
                              : readers_check_new(cli, err)) != ENVL_OK)
        return status;
    return find_former(ring, out, err);
}

enum envl_status
rotation_activate(const struct rotation *rotation, struct envl_keyring *ring,
                  struct envl_error *err)
{
    const struct envl_key_spec spec = {
        .kid = rotation->kid, .use = rotation->use, .scope = rotation->scope,
        .activate = true
    };
    enum envl_status status = ENVL_OK;
    struct envl_ring_mark mark;

    if (!rotation->exists)
        status = envl_keyring_add(ring, &spec, err);
    else if (!rotation->active)
        status = envl_keyring_set_state(ring, rotation->kid, ENVL_KEY_ACTIVE,
                                        err);
    if (status != ENVL_OK)
        return status;
    envl_keyring_mark(ring, &mark);
    report_note("%s is active%s%s; every reader needs the keyring at "
                "generation %llu", rotation->kid,
                rotation->former[0] != '\0' ? " in place of " : "",
                rotation->former, (unsigned long long)mark.generation);
    return ENVL_OK;
}
