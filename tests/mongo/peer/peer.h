/*
 * peer.h - one request to the scripted MongoDB server, and who answers it.
 *
 * The peer speaks OP_MSG (and OP_QUERY for the first hello) on a port of the
 * loopback, keeps documents in memory, and can be told to fail: fault.h.  One
 * thread serves a connection; all commands run under one lock, so the n-th
 * request means the same in each run.
 */
#ifndef PEER_PEER_H
#define PEER_PEER_H

#include "fault.h"
#include "store.h"

/* A make of server: what it says of itself, and what it lacks. */
struct peer_make {
    const char *name;
    const char *version;
    int max_wire;
    const char *set_name; /* NULL: standalone                          */
    bool mongos;
    bool sessions;        /* retryable writes too, where there is a set */
    bool pipelines;       /* updates by pipeline                       */
    bool hashed_key;      /* $toHashedIndexKey                         */
    bool validators;      /* enforced; set by collMod                  */
    bool at_create;       /* a validator given to create is kept       */
    bool coll_mod;
    int reject_code;
};

struct peer_request {
    const struct peer_make *make;
    const bson_t *body; /* document sequences are arrays in it */
    const char *db;
    const char *name;   /* of the command */
    bson_t *reply;
    struct trouble trouble;
    struct fault fault; /* that this request meets; kind NONE */
    uint16_t port;      /* of the peer */
};

/* Fill in ${request->reply} without `ok`; false with trouble set. */
typedef bool peer_command_fn(struct peer_request *request);

/**
 * peer_command(name):
 * Who answers, or NULL.
 */
peer_command_fn *peer_command(const char *name);

/**
 * peer_ns(request, member, out, room):
 * "database.collection" of the command (member NULL: its own argument).
 */
bool peer_ns(struct peer_request *request, const char *member, char *out,
             size_t room);

/* Members of the command; false, or the default, if they are not there. */
bool peer_doc(const struct peer_request *request, const char *name,
              bson_t *doc);
int64_t peer_number(const struct peer_request *request, const char *name,
                    int64_t otherwise);
bool peer_flag(const struct peer_request *request, const char *name);

/**
 * peer_make_named(name):
 * One of "mongodb5" "mongodb7" "mongodb8" "mongod-alone" "ferretdb" "mongos"
 * "bare" (no collMod, no sessions, no pipelines), or NULL.
 */
const struct peer_make *peer_make_named(const char *name);

#endif /* PEER_PEER_H */
