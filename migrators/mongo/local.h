/*
 * local.h - connections without TLS: to this machine and to no other.
 */
#ifndef MONGO_LOCAL_H
#define MONGO_LOCAL_H

#include <stdbool.h>

#include <mongoc/mongoc.h>

/**
 * local_host(host):
 * Whether ${host} is a Unix socket, or a name or address of the loopback.
 */
bool local_host(const mongoc_host_list_t *host);

/**
 * local_connect(uri, host, cookie, error):
 * A mongoc_stream_initiator_t that connects to such a host and refuses every
 * other, also a name of the loopback that resolves to elsewhere.
 */
mongoc_stream_t *local_connect(const mongoc_uri_t *uri,
                               const mongoc_host_list_t *host, void *cookie,
                               bson_error_t *error);

#endif /* MONGO_LOCAL_H */
