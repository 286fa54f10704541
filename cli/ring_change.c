#include <sodium.h>

#include "explain.h"
#include "report.h"
#include "ring_change.h"
#include "ring_verified.h"

enum envl_status
ring_change_begin(struct cli *cli, const char *object,
                  struct ring_change *change, struct envl_error *err)
{
    enum envl_status status = ring_session_open(cli, &change->session, err);

    if (status == ENVL_OK)
        status = trail_begin(cli, change->session.ring, object,
                             &change->trail, err);
    return status;
}

static void
hint(enum envl_status outcome, struct envl_error *err)
{
    if (err->hint[0] != '\0')
        return;
    if (outcome == ENVL_E_CONFLICT)
        envl_hint(err, "somebody else changed the keyring: look at "
                       "`envelope key list` and try again");
    else
        explain_open(err);
}

enum envl_status
ring_change_end(struct cli *cli, struct ring_change *change,
                enum envl_status outcome, struct envl_error *err)
{
    if (outcome == ENVL_OK)
        ring_session_remember(cli, &change->session);
    else
        hint(outcome, err);
    return trail_end(&change->trail, outcome, NULL, err);
}

enum envl_status
ring_change_keep_jobs(struct cli *cli, struct ring_change *change,
                      struct envl_error *err)
{
    return ring_verified_list(settings_get(&cli->settings, SETTING_KEYRING),
                              change->session.ring, &change->jobs, err);
}

enum envl_status
ring_change_check_key(struct cli *cli, struct ring_change *change,
                      const char *kid, struct envl_error *err)
{
    struct envl_key_info key;
    size_t jobs = 0;
    enum envl_status status = envl_keyring_find(change->session.ring, kid,
                                                &key, err);

    /* One that was never active sealed nothing. */
    if (status != ENVL_OK || key.activated[0] == '\0' ||
        (key.use != ENVL_USE_SEAL && key.use != ENVL_USE_WRAP))
        return status;
    status = ring_verified_check(settings_get(&cli->settings,
                                              SETTING_KEYRING),
                                 change->session.ring, kid, &jobs, err);
    if (status == ENVL_OK)
        report_note("%zu registered job%s need%s %s no more; files, and what "
                    "programs sealed elsewhere, are not registered", jobs,
                    jobs == 1 ? "" : "s", jobs == 1 ? "s" : "", kid);
    return status;
}

enum envl_status
ring_change_rekeyed_end(struct cli *cli, struct ring_change *change,
                        enum envl_status outcome, struct envl_error *err)
{
    struct envl_error lost;
    struct envl_ring_mark mark;
    char pin[33];

    if (outcome != ENVL_OK)
        return ring_change_end(cli, change, outcome, err);
    /*
     * The log stays open: the record of the end goes behind the pair that
     * closes it under the former ring key and opens it under the new
     * (spec: KEY-47, AUD-20).
     */
    envl_keyring_mark(change->session.ring, &mark);
    sodium_bin2hex(pin, sizeof(pin), mark.pin, sizeof(mark.pin));
    /* A result, not a note: --quiet must not lose it. */
    report_text("the keyring has a new pin: %s\n", pin);
    if (ring_verified_put(settings_get(&cli->settings, SETTING_KEYRING),
                          change->session.ring, change->jobs, &lost) !=
        ENVL_OK)
        report_warning("the jobs beside the keyring have to be verified "
                       "again: %s", lost.message);
    return ring_change_end(cli, change, outcome, err);
}

void
ring_change_free(struct ring_change *change)
{
    (void)trail_end(&change->trail, ENVL_E_INTERNAL, NULL, NULL);
    json_decref(change->jobs);
    change->jobs = NULL;
    ring_session_free(&change->session);
}
