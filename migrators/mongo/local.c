#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "mongo/framed.h"
#include "mongo/local.h"

#define BUFFER_BYTES 1024

bool
local_host(const mongoc_host_list_t *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (host->family == AF_UNIX || strcmp(host->host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host->host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host->host, &v6) == 1 &&
           IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool
loopback(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(&v6, address, sizeof(v6));
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

static mongoc_socket_t *
try_address(const struct sockaddr *address, socklen_t len, int64_t until)
{
    mongoc_socket_t *sock = mongoc_socket_new(address->sa_family, SOCK_STREAM,
                                              0);
    int on = 1;

    if (sock == NULL)
        return NULL;
    if (mongoc_socket_connect(sock, address, len, until) == 0) {
        if (address->sa_family != AF_UNIX)
            mongoc_socket_setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on,
                                     sizeof(on));
        return sock;
    }
    mongoc_socket_destroy(sock);
    return NULL;
}

static mongoc_socket_t *
connect_unix(const char *path, int64_t until)
{
    union {
        struct sockaddr any;
        struct sockaddr_un local;
    } address = { .local = { .sun_family = AF_UNIX } };

    if (strlen(path) >= sizeof(address.local.sun_path))
        return NULL;
    memcpy(address.local.sun_path, path, strlen(path));
    return try_address(&address.any, sizeof(address.local), until);
}

static mongoc_socket_t *
connect_loopback(const mongoc_host_list_t *host, int64_t until)
{
    const struct addrinfo want = { .ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    mongoc_socket_t *sock = NULL;
    char port[8];

    snprintf(port, sizeof(port), "%u", host->port);
    if (getaddrinfo(host->host, port, &want, &found) != 0)
        return NULL;
    for (const struct addrinfo *at = found; at != NULL && sock == NULL;
         at = at->ai_next) {
        if (loopback(at->ai_addr))
            sock = try_address(at->ai_addr, at->ai_addrlen, until);
    }
    freeaddrinfo(found);
    return sock;
}

mongoc_stream_t *
local_connect(const mongoc_uri_t *uri, const mongoc_host_list_t *host,
              void *cookie, bson_error_t *error)
{
    int32_t wait = mongoc_uri_get_option_as_int32(
        uri, MONGOC_URI_CONNECTTIMEOUTMS, 10000);
    int64_t until = bson_get_monotonic_time() + (int64_t)wait * 1000;
    mongoc_socket_t *sock = NULL;

    (void)cookie;
    if (!local_host(host)) {
        bson_set_error(error, MONGOC_ERROR_STREAM,
                       MONGOC_ERROR_STREAM_CONNECT, "not a host of this "
                       "machine, and no TLS");
        return NULL;
    }
    sock = host->family == AF_UNIX ? connect_unix(host->host, until)
                                   : connect_loopback(host, until);
    if (sock == NULL) {
        bson_set_error(error, MONGOC_ERROR_STREAM,
                       MONGOC_ERROR_STREAM_CONNECT, "connection refused");
        return NULL;
    }
    return framed_new(mongoc_stream_buffered_new(
        mongoc_stream_socket_new(sock), BUFFER_BYTES));
}
