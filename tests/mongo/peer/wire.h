/*
 * wire.h - messages of MongoDB's protocol: OP_MSG, and OP_QUERY on `$cmd`
 * for the first hello.
 */
#ifndef PEER_WIRE_H
#define PEER_WIRE_H

#include <bson/bson.h>

#include "fault.h"

struct wire_message {
    int32_t id;        /* that the reply answers            */
    bool legacy;       /* OP_QUERY: answered with OP_REPLY  */
    bool more_to_come; /* no reply is wanted                */
    char db[128];
    bson_t body;       /* sequences are arrays in it        */
};

/**
 * wire_read(fd, message):
 * The next message, whose body is the caller's to destroy; false if the
 * connection ended or nobody could understand it.
 */
bool wire_read(int fd, struct wire_message *message);

/**
 * wire_reply(fd, message, reply, kind):
 * Answer, well, or as spoiled as ${kind} asks for.  False: the connection is
 * to be closed.
 */
bool wire_reply(int fd, const struct wire_message *message,
                const bson_t *reply, enum fault_kind kind);

#endif /* PEER_WIRE_H */
