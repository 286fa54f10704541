#include <stdio.h>

#include "core/clock.h"
#include "key_age.h"
#include "report.h"

/* Why the key should no longer seal; false if it may. */
static bool
is_old(const struct cli *cli, const struct envl_key_info *key, char *out,
       size_t room)
{
    int64_t since, until, now = clock_now();
    const int64_t limit = (int64_t)cli->settings.key_age_days * 86400;

    if (clock_parse(envl_bytes_of(key->expires), &until) && until <= now) {
        snprintf(out, room, "key %s expired at %s", key->kid, key->expires);
        return true;
    }
    if (clock_parse(envl_bytes_of(key->activated), &since) &&
        now - since > limit) {
        snprintf(out, room, "key %s has been active for %lld days, more than "
                 "%u", key->kid, (long long)((now - since) / 86400),
                 cli->settings.key_age_days);
        return true;
    }
    return false;
}

enum envl_status
key_age_check(struct cli *cli, struct envl_keyring *ring,
              const struct envl_seal_options *options, struct envl_error *err)
{
    struct envl_key_info key;
    char why[160];
    enum envl_status status;

    status = options->kid != NULL
                 ? envl_keyring_find(ring, options->kid, &key, NULL)
                 : envl_keyring_active(ring,
                                       options->mode == ENVL_MODE_WRAPPED
                                           ? ENVL_USE_WRAP : ENVL_USE_SEAL,
                                       options->scope, &key, NULL);
    if (status != ENVL_OK || key.state != ENVL_KEY_ACTIVE ||
        !is_old(cli, &key, why, sizeof(why)))
        return ENVL_OK;
    if (!cli->settings.key_age_refuse) {
        report_warning("%s: it is time for `envelope rotate --kid NEW`", why);
        return ENVL_OK;
    }
    status = envl_fail(err, ENVL_E_POLICY, "%s", why);
    envl_hint(err, "`envelope rotate --kid NEW` makes a new key take over");
    return status;
}
