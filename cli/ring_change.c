#include <sodium.h>

#include "explain.h"
#include "report.h"
#include "ring_change.h"

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
ring_change_rekeyed_end(struct cli *cli, struct ring_change *change,
                        enum envl_status outcome, struct envl_error *err)
{
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
    report_note("the keyring has a new pin: %s", pin);
    return ring_change_end(cli, change, outcome, err);
}

void
ring_change_free(struct ring_change *change)
{
    (void)trail_end(&change->trail, ENVL_E_INTERNAL, NULL, NULL);
    ring_session_free(&change->session);
}
