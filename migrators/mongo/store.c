#include <stdio.h>
#include <stdlib.h>

#include "common/process.h"
#include "common/say.h"
#include "mongo/connect.h"
#include "mongo/library.h"
#include "mongo/server.h"
#include "mongo/write.h"

#define WORKERS_MAX 64

enum envl_status
store_nomem(const struct envl_store *store, struct envl_error *err)
{
    return say_fail(store->host, err, ENVL_E_NOMEM,
                    "out of memory for the MongoDB plugin");
}

/*
 * A database is the same whichever member of its set answers; of a server
 * that is in none, the address is all there is to know it by.
 */
static void
describe(struct envl_store *store)
{
    const struct server *server = &store->server;
    char where[192];

    connect_where(store, where, sizeof(where));
    snprintf(store->about, sizeof(store->about), "%s %s%s%s%s at %s, wire "
             "version %d", server_make_name(server), server->version,
             server->mongos ? ", sharded" : "",
             server->set[0] != '\0' ? ", set " : "", server->set, where,
             server->wire);
    snprintf(store->identity, sizeof(store->identity), "mongo:%s/%s",
             server->set[0] != '\0' ? server->set : where, store->database);
    store->info = (struct envl_store_info){
        .driver = "mongo",
        .server = store->about,
        .identity = store->identity,
        .max_workers = WORKERS_MAX,
        .immediate = true,
    };
    if (!server->has_clock)
        say_note(store->host, ENVL_NOTE_WARN, NULL, "the server does not tell "
                 "its time: leases are counted by this host's clock");
    if (!server->writable)
        say_note(store->host, ENVL_NOTE_DECIDE, NULL, "the server is not the "
                 "primary: it can be read, not swept");
}

enum envl_status
store_open(const char *source_json, const struct envl_host *host,
           struct envl_store **out, struct envl_error *err)
{
    struct envl_store *store = calloc(1, sizeof(*store));
    enum envl_status status;

    if (store == NULL)
        return say_fail(host, err, ENVL_E_NOMEM,
                        "out of memory for a connection");
    store->host = host;
    library_begin();
    process_name(store->process, sizeof(store->process));
    status = connect_client(source_json, store, err);
    if (status == ENVL_OK)
        status = server_discover(store, err);
    if (status != ENVL_OK) {
        store_close(store);
        return status;
    }
    describe(store);
    *out = store;
    return ENVL_OK;
}

void
store_close(struct envl_store *store)
{
    if (store == NULL)
        return;
    write_free(store);
    mongoc_client_destroy(store->client);
    page_pool_free(&store->pool);
    free(store->database);
    free(store);
}

const struct envl_store_info *
store_info(struct envl_store *store)
{
    return &store->info;
}
