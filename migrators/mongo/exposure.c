#include <stddef.h>
#include <stdio.h>

#include "common/say.h"
#include "mongo/command.h"
#include "mongo/exposure.h"
#include "mongo/fault.h"

/* Members beyond what the host was compiled with are not there (MIG-3). */
static bool
allowed(const struct envl_host *host)
{
    size_t end = offsetof(struct envl_host, allow_log_exposure) +
                 sizeof(host->allow_log_exposure);

    return host->size >= end && host->allow_log_exposure;
}

/* Enterprise servers can log without values; the profiler keeps them. */
static bool
redacted(struct envl_store *store)
{
    bson_t *command = BCON_NEW("getParameter", BCON_INT32(1),
                               "redactClientLogData", BCON_INT32(1));
    struct answer answer;
    bool is_redacted;

    is_redacted = store->server.get_parameter &&
                  command_run(store, "admin", command, &answer) &&
                  command_number(&answer.reply, "redactClientLogData", 0) != 0;
    if (store->server.get_parameter)
        command_free(&answer);
    bson_destroy(command);
    return is_redacted;
}

/* An operation slower than ${slowms} is logged; one that is bound to end
   before that is not. */
static void
judge(struct envl_store *store, const bson_t *settings)
{
    int64_t level = command_number(settings, "was", -1);
    int64_t slowms = command_number(settings, "slowms", 100);
    bson_iter_t at;
    bool sampled = true;

    if (bson_iter_init_find(&at, settings, "sampleRate") &&
        BSON_ITER_HOLDS_NUMBER(&at))
        sampled = bson_iter_as_double(&at) > 0;
    store->exposure = EXPOSURE_NONE;
    if (level < 0) {
        store->exposure = EXPOSURE_UNKNOWN;
    } else if (level == 2 || (level == 1 && sampled)) {
        store->exposure = EXPOSURE_LOGGED;
        snprintf(store->exposed_by, sizeof(store->exposed_by),
                 "profiling level %d", (int)level);
    } else if (sampled && slowms < (int64_t)store->host->statement_ms &&
               !redacted(store)) {
        store->exposure = EXPOSURE_LOGGED;
        snprintf(store->exposed_by, sizeof(store->exposed_by), "slowms %lld",
                 (long long)slowms);
    }
}

static enum envl_status
find_out(struct envl_store *store, struct envl_error *err)
{
    bson_t *command = BCON_NEW("profile", BCON_INT32(-1));
    enum envl_status status = ENVL_OK;
    struct answer answer;

    if (command_run(store, store->database, command, &answer))
        judge(store, &answer.reply);
    else if (answer.lost)
        status = fault_tell(store, &answer, "asking for the profiler", err);
    else
        store->exposure = EXPOSURE_UNKNOWN;
    /* mongos has a log of its own, and knows nothing of its shards'. */
    if (store->server.mongos && store->exposure == EXPOSURE_NONE)
        store->exposure = EXPOSURE_UNKNOWN;
    command_free(&answer);
    bson_destroy(command);
    return status;
}

bool
exposure_matters(const struct envl_store *store)
{
    return store->exposure == EXPOSURE_LOGGED && !allowed(store->host);
}

enum envl_status
exposure_check(struct envl_target *target, struct envl_error *err)
{
    struct envl_store *store = target->store;
    enum envl_status status = find_out(store, err);

    if (status != ENVL_OK || store->server.hash)
        return status;
    if (store->exposure == EXPOSURE_UNKNOWN)
        say_note(store->host, ENVL_NOTE_WARN, target->name, "the server does "
                 "not tell whether it profiles or logs slow operations: if it "
                 "does, values that are being sealed can show there");
    if (!exposure_matters(store))
        return ENVL_OK;
    say_fail(store->host, err, ENVL_E_POLICY, "the server would write values "
             "of %s to its log or profile (%s)", target->name,
             store->exposed_by);
    say_hint(store->host, err, "for the sweep: db.setProfilingLevel(0, "
             "{slowms: %u, sampleRate: 0}); or say \"allow_log_exposure\": "
             "true in the job", 2 * store->host->statement_ms);
    return ENVL_E_POLICY;
}
