#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/say.h"
#include "mongo/command.h"
#include "mongo/fault.h"
#include "mongo/server.h"

#define CLOCK_FRESH_MS 10000 /* an answer about the time is used so long */
#define DOCUMENT_BYTES (16 * 1024 * 1024)
#define BATCH_UPDATES  1000

/* ---- time --------------------------------------------------------------- */

static int64_t
clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What hello says of the time; where it says nothing, it is this host's. */
static void
take_time(struct envl_store *store, const bson_t *hello, int64_t asked_ms)
{
    bson_iter_t at;
    int64_t now = clock_ms(CLOCK_REALTIME);

    store->server.has_clock = bson_iter_init_find(&at, hello, "localTime") &&
                              BSON_ITER_HOLDS_DATE_TIME(&at);
    if (store->server.has_clock)
        now = bson_iter_date_time(&at);
    store->clock.offset_ms = now - asked_ms;
    store->clock.seen_ms = asked_ms;
}

static bool
run_hello(struct envl_store *store, const char *name, struct answer *answer,
          int64_t *asked_ms)
{
    bson_t command = BSON_INITIALIZER;
    bool ok;

    BSON_APPEND_INT32(&command, name, 1);
    *asked_ms = clock_ms(CLOCK_BOOTTIME);
    ok = command_run(store, "admin", &command, answer);
    bson_destroy(&command);
    return ok;
}

enum envl_status
server_now(struct envl_store *store, int64_t *out, struct envl_error *err)
{
    const char *name = store->server.has_hello ? "hello" : "isMaster";
    int64_t now = clock_ms(CLOCK_BOOTTIME), asked;
    enum envl_status status = ENVL_OK;
    struct answer answer;

    if (now - store->clock.seen_ms > CLOCK_FRESH_MS) {
        if (run_hello(store, name, &answer, &asked))
            take_time(store, &answer.reply, asked);
        else
            status = fault_tell(store, &answer, "asking for the time", err);
        command_free(&answer);
    }
    *out = now + store->clock.offset_ms;
    return status;
}

/* ---- who it is ---------------------------------------------------------- */

static void
take_hello(struct envl_store *store, const bson_t *hello)
{
    struct server *server = &store->server;
    const char *set = command_text(hello, "setName");
    const char *kind = command_text(hello, "msg");
    const char *me = command_text(hello, "me");

    server->wire = (int32_t)command_number(hello, "maxWireVersion", 0);
    server->max_document = (uint32_t)command_number(hello, "maxBsonObjectSize",
                                                    DOCUMENT_BYTES);
    server->max_batch = (uint32_t)command_number(hello, "maxWriteBatchSize",
                                                 BATCH_UPDATES);
    server->mongos = kind != NULL && strcmp(kind, "isdbgrid") == 0;
    server->writable = command_number(hello, "isWritablePrimary",
                                      command_number(hello, "ismaster", 0));
    server->sessions = bson_has_field(hello, "logicalSessionTimeoutMinutes");
    snprintf(server->set, sizeof(server->set), "%s", set == NULL ? "" : set);
    snprintf(server->name, sizeof(server->name), "%s", me == NULL ? "" : me);
}

static enum envl_status
ask_hello(struct envl_store *store, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    struct answer answer;
    int64_t asked;

    store->server.has_hello = run_hello(store, "hello", &answer, &asked);
    if (!answer.ok && !answer.lost) {
        command_free(&answer);
        run_hello(store, "isMaster", &answer, &asked);
    }
    if (answer.ok) {
        take_time(store, &answer.reply, asked);
        take_hello(store, &answer.reply);
    } else {
        status = fault_tell(store, &answer, "connecting", err);
    }
    command_free(&answer);
    return status;
}

/* FerretDB and MongoDB say so; mongo-java-server has a version and nothing
   that every mongod tells. */
static enum server_make
make_of(const bson_t *build)
{
    if (bson_has_field(build, "ferretdb") ||
        bson_has_field(build, "ferretdbVersion") ||
        bson_has_field(build, "ferretdbFeatures"))
        return SERVER_FERRETDB;
    if (bson_has_field(build, "storageEngines") &&
        bson_has_field(build, "gitVersion") &&
        bson_has_field(build, "allocator"))
        return SERVER_MONGODB;
    return SERVER_OTHER;
}

static enum envl_status
ask_build(struct envl_store *store, struct envl_error *err)
{
    struct server *server = &store->server;
    bson_t command = BSON_INITIALIZER;
    enum envl_status status = ENVL_OK;
    struct answer answer;
    const char *version;

    BSON_APPEND_INT32(&command, "buildInfo", 1);
    server->make = SERVER_OTHER;
    if (command_run(store, "admin", &command, &answer)) {
        version = command_text(&answer.reply, "version");
        snprintf(server->version, sizeof(server->version), "%s",
                 version == NULL ? "?" : version);
        server->make = make_of(&answer.reply);
    } else if (answer.lost) {
        status = fault_tell(store, &answer, "asking for the version", err);
    }
    command_free(&answer);
    bson_destroy(&command);
    return status;
}

const char *
server_make_name(const struct server *server)
{
    switch (server->make) {
    case SERVER_MONGODB:
        return "MongoDB";
    case SERVER_FERRETDB:
        return "FerretDB";
    default:
        return "a server that speaks MongoDB's protocol";
    }
}

/* ---- what it can do ----------------------------------------------------- */

static bool
can(struct envl_store *store, bson_t *command, const char *database)
{
    bool able = command_can(store, database, command);

    bson_destroy(command);
    return able;
}

enum envl_status
server_discover(struct envl_store *store, struct envl_error *err)
{
    struct server *server = &store->server;
    enum envl_status status = ask_hello(store, err);

    if (status == ENVL_OK)
        status = ask_build(store, err);
    if (status != ENVL_OK)
        return status;
    server->get_parameter = can(store,
        BCON_NEW("getParameter", BCON_INT32(1),
                 "featureCompatibilityVersion", BCON_INT32(1)), "admin");
    /* Without a member to change it changes nothing. */
    server->coll_mod = can(store,
        BCON_NEW("collMod", BCON_UTF8("envelope.no.such.collection")),
        store->database);
    return ENVL_OK;
}
