/*
 * store.h - what the files of this plugin share: one connection, what its
 * server can do, a bound target, and what a page keeps of each document.
 */
#ifndef MONGO_STORE_H
#define MONGO_STORE_H

#include <stdbool.h>

#include <mongoc/mongoc.h>

#include <envelope/migrator.h>

#include "common/page.h"

#define STORE_KEY_MAX 4095u /* bytes of an opaque key */

/* ---- what the server is, and what it can do ----------------------------- */

enum server_make {
    SERVER_MONGODB,  /* mongod or mongos                            */
    SERVER_FERRETDB,
    SERVER_OTHER     /* that says no more than its version          */
};

/*
 * Found out by asking, never from a version: servers of other makes claim
 * versions whose commands they do not have.  What concerns expressions and
 * paging is found out on the first target that holds a document.
 */
struct server {
    enum server_make make;
    char version[32];
    char name[128];          /* "set rs0", "host:27017": who answers         */
    char set[96];            /* of the replica set, or ""                    */
    int32_t wire;            /* highest version of the wire protocol         */
    uint32_t max_document;   /* bytes                                        */
    uint32_t max_batch;      /* updates in one command                       */
    bool has_hello;          /* else isMaster                                */
    bool has_clock;          /* it tells its time                            */
    bool mongos;
    bool writable;
    bool sessions;           /* logical sessions                             */
    bool get_parameter;
    bool coll_mod;           /* and so validators that can be changed        */
    bool coll_stats;
    bool probed;             /* what follows is known                        */
    bool bounds;             /* find with min, max and hint: index bounds    */
    uint32_t unknown_types;  /* bits: of key_types() those $type refuses     */
    bool expressions;        /* $expr with $type, $let, $arrayElemAt         */
    bool set_field;          /* $setField and $getField, and so pipelines    */
    bool hash;               /* $toHashedIndexKey, as this plugin computes it */
};

struct server_clock {
    int64_t offset_ms; /* the server's time less our monotonic time */
    int64_t seen_ms;   /* when, monotonic; 0: never                 */
};

/* ---- a store ------------------------------------------------------------ */

/* What a command gave.  ${reply} is always there until command_free. */
struct answer {
    bson_t reply;
    bool ok;            /* the server did it; writes may have errors  */
    bool lost;          /* no answer came                             */
    int32_t code;       /* of the server's error, or 0                */
    const char *said;   /* its text, borrowed from ${reply}, or NULL  */
    bson_error_t error; /* libmongoc's                                */
};

/* Whether values in a filter would reach the server's log or profile. */
enum exposure {
    EXPOSURE_NONE,
    EXPOSURE_UNKNOWN,
    EXPOSURE_LOGGED
};

struct writing; /* write.c */

struct envl_store {
    const struct envl_host *host;
    mongoc_client_t *client;
    char *database;
    struct server server;
    struct server_clock clock;
    enum exposure exposure;
    char exposed_by[64];    /* the setting that does it               */
    bool lost;              /* no command is sent any more             */
    char about[400], identity[272], process[256];
    struct envl_store_info info;
    struct page_pool pool;
    struct writing *writing; /* its memory lives from write to write   */
};

/* ---- a target ----------------------------------------------------------- */

#define TARGET_SHARD_KEYS 8u
#define TARGET_GAPS       8u

struct envl_target {
    struct envl_store *store;
    const struct envl_target_spec *spec;
    char *name;              /* of the collection                      */
    const char *place[1];
    bson_t where;            /* empty: all                              */
    bson_t projection;       /* empty: whole documents                  */
    bool collated;           /* its default collation is not binary     */
    char *shard_keys[TARGET_SHARD_KEYS];
    uint32_t shard_key_count;
    uint64_t row_bytes;      /* of an average document, as seen so far  */
    struct page *ready;      /* read and not yet handed out             */
    const char *gaps[TARGET_GAPS]; /* of a guard: guard.c               */
    struct envl_target_info info;
    struct envl_field_info *fields;
};

/* What a page keeps of a document for the compare-and-swap: the document as
   it was read (of the projection), in the page's arena. */
struct row_detail {
    struct envl_bytes document;
};

/**
 * store_open(source_json, host, out, err), store_close(store),
 * store_info(store):
 * struct envl_migrator's.
 */
enum envl_status store_open(const char *source_json,
                            const struct envl_host *host,
                            struct envl_store **out, struct envl_error *err);
void store_close(struct envl_store *store);
const struct envl_store_info *store_info(struct envl_store *store);

/**
 * store_nomem(store, err):
 * Report ENVL_E_NOMEM.
 */
enum envl_status store_nomem(const struct envl_store *store,
                             struct envl_error *err);

#endif /* MONGO_STORE_H */
