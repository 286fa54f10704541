#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>
#include <sodium.h>

#include "core/file.h"
#include "postgres/connect.h"

#define DSN_MAX ((size_t)64 * 1024)

/* ---- which connection --------------------------------------------------- */

struct source {
    struct envl_buf dsn;  /* ended by 0; may hold a password */
    const char *service;  /* in ${json}                      */
    json_t *json;
};

static void
source_free(struct source *source)
{
    envl_buf_free(&source->dsn);
    json_decref(source->json);
}

static enum envl_status
read_file(const struct envl_store *store, const char *path,
          struct source *source, struct envl_error *err)
{
    const struct file_rules rules = { .kind = FILE_PRIVATE,
                                      .what = "connection file" };
    enum envl_status status;
    struct envl_buf *dsn = &source->dsn;

    status = file_read(path, &rules, DSN_MAX, dsn, NULL, err);
    if (status != ENVL_OK)
        return status;
    while (dsn->len > 0 && isspace(dsn->ptr[dsn->len - 1]))
        dsn->len--;
    if (dsn->len == 0 || memchr(dsn->ptr, 0, dsn->len) != NULL)
        return store_fail(store, err, ENVL_E_USAGE,
                          "connection file %s: no connection string", path);
    return envl_buf_append(dsn, (struct envl_bytes){ (const uint8_t *)"", 1 },
                           err);
}

static enum envl_status
read_variable(const struct envl_store *store, const char *name,
              struct source *source, struct envl_error *err)
{
    const char *value = getenv(name);
    struct envl_bytes bytes;

    if (value == NULL || value[0] == '\0') {
        store_fail(store, err, ENVL_E_NOTFOUND,
                   "the environment variable %s is not set", name);
        store_hint(store, err, "put the connection string there, or use "
                   "\"dsn_file\" or \"service\" in the job's source");
        return ENVL_E_NOTFOUND;
    }
    bytes = (struct envl_bytes){ (const uint8_t *)value, strlen(value) + 1 };
    return envl_buf_append(&source->dsn, bytes, err);
}

static enum envl_status
read_source(const struct envl_store *store, const char *text,
            struct source *source, struct envl_error *err)
{
    const char *variable, *file;
    enum envl_status status = ENVL_OK;

    source->json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    variable = json_string_value(json_object_get(source->json, "dsn_env"));
    file = json_string_value(json_object_get(source->json, "dsn_file"));
    source->service = json_string_value(json_object_get(source->json,
                                                        "service"));
    if ((variable != NULL) + (file != NULL) + (source->service != NULL) != 1)
        return store_fail(store, err, ENVL_E_USAGE,
                          "source: one of dsn_env, dsn_file and service is "
                          "needed");
    if (variable != NULL)
        status = read_variable(store, variable, source, err);
    else if (file != NULL)
        status = read_file(store, file, source, err);
    return status;
}

/*
 * Look at the string before libpq uses it: its complaints repeat parts of
 * it, which can be a password, and a word alone would be a database's name.
 */
static enum envl_status
check_dsn(const struct envl_store *store, const struct source *source,
          struct envl_error *err)
{
    PQconninfoOption *options;
    char *complaint = NULL;

    if (source->service != NULL)
        return ENVL_OK;
    options = PQconninfoParse((const char *)source->dsn.ptr, &complaint);
    PQfreemem(complaint);
    if (options == NULL) {
        store_fail(store, err, ENVL_E_USAGE,
                   "the connection string cannot be parsed");
        store_hint(store, err, "it is postgresql://user@host/database, or "
                   "host=... dbname=... user=...");
        return ENVL_E_USAGE;
    }
    for (PQconninfoOption *at = options; at->keyword != NULL; at++) {
        if (at->val != NULL)
            sodium_memzero(at->val, strlen(at->val));
    }
    PQconninfoFree(options);
    return ENVL_OK;
}

/* ---- how secrets travel (spec: JOB-8) ----------------------------------- */

static bool
loopback_name(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* Every host of a comma-separated list; an empty one is the socket. */
static bool
all_local(const char *hosts)
{
    char copy[512], *rest = copy, *host;
    size_t len = hosts == NULL ? 0 : strlen(hosts);

    if (len >= sizeof(copy))
        return false;
    memcpy(copy, hosts == NULL ? "" : hosts, len);
    copy[len] = '\0';
    while ((host = strsep(&rest, ",")) != NULL) {
        if (host[0] != '\0' && host[0] != '/' && host[0] != '@' &&
            !loopback_name(host))
            return false;
    }
    return true;
}

static const char *
option(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword != NULL; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val == NULL ? "" : options->val;
    }
    return "";
}

static enum envl_status
refuse(const struct envl_store *store, const char *why, struct envl_error *err)
{
    store_fail(store, err, ENVL_E_POLICY,
               "secrets would travel unprotected: %s", why);
    store_hint(store, err, "use a Unix socket, loopback, or sslmode="
               "verify-full with sslrootcert; \"tls\": \"any\" in the job "
               "allows anything");
    return ENVL_E_POLICY;
}

/* What is asked for, before a password could be sent. */
static enum envl_status
check_request(const struct envl_store *store, struct envl_error *err)
{
    PQconninfoOption *options = PQconninfo(store->conn);
    enum envl_status status = ENVL_OK;
    const char *address;

    if (options == NULL)
        return store_nomem(store, err);
    address = option(options, "hostaddr");
    if (!all_local(address[0] == '\0' ? option(options, "host") : address) &&
        strcmp(option(options, "sslmode"), "verify-full") != 0)
        status = refuse(store, "the host is another machine and sslmode is "
                        "not verify-full", err);
    for (PQconninfoOption *at = options; at->keyword != NULL; at++) {
        if (at->val != NULL && strcmp(at->keyword, "password") == 0)
            sodium_memzero(at->val, strlen(at->val));
    }
    PQconninfoFree(options);
    return status;
}

/* What was made: the peer's address, or TLS whose name was verified. */
static enum envl_status
check_peer(const struct envl_store *store, struct envl_error *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } peer = { .any = { .sa_family = AF_UNSPEC } };
    socklen_t len = sizeof(peer);

    if (getpeername(PQsocket(store->conn), &peer.any, &len) != 0)
        return refuse(store, "the peer's address is not known", err);
    if (peer.any.sa_family == AF_UNIX)
        return ENVL_OK;
    if (peer.any.sa_family == AF_INET &&
        ntohl(peer.v4.sin_addr.s_addr) >> 24 == 127)
        return ENVL_OK;
    if (peer.any.sa_family == AF_INET6 &&
        IN6_IS_ADDR_LOOPBACK(&peer.v6.sin6_addr))
        return ENVL_OK;
    if (PQsslInUse(store->conn))
        return ENVL_OK; /* verify-full, by check_request */
    return refuse(store, "the connection has no TLS", err);
}

/* ---- connecting --------------------------------------------------------- */

static enum envl_status
tell_failure(const struct envl_store *store, struct envl_error *err)
{
    const char *said = PQerrorMessage(store->conn);

    store_fail(store, err, ENVL_E_DATABASE, "cannot connect: %.*s",
               (int)strcspn(said, "\n"), said);
    store_hint(store, err, "check that the server runs, and the connection "
               "string, ~/.pgpass and pg_hba.conf");
    return ENVL_E_DATABASE;
}

static void
ignore_notice(void *cookie, const PGresult *notice)
{
    (void)cookie;
    (void)notice;
}

static bool
poll_until_connected(PGconn *conn)
{
    /* PQconnectPoll would have to be driven by select; PQreset does the
       whole of it, with connect_timeout, from the same options. */
    PQreset(conn);
    return PQstatus(conn) == CONNECTION_OK;
}

enum envl_status
connect_start(const char *source_json, struct envl_store *store,
              struct envl_error *err)
{
    struct source source = { .dsn = ENVL_BUF_INIT };
    const char *keywords[8] = { NULL }, *values[8] = { NULL };
    enum envl_status status;
    int n = 0;

    status = read_source(store, source_json, &source, err);
    if (status == ENVL_OK)
        status = check_dsn(store, &source, err);
    if (status != ENVL_OK)
        goto out;

    keywords[n] = "connect_timeout"; /* the connection string overrides it */
    values[n++] = "10";
    keywords[n] = source.service != NULL ? "service" : "dbname";
    values[n++] = source.service != NULL ? source.service
                                         : (const char *)source.dsn.ptr;
    keywords[n] = "fallback_application_name";
    values[n++] = "envelope";
    keywords[n] = "client_encoding";
    values[n++] = "UTF8";
    if (!store->host->allow_plain_transport) {
        keywords[n] = "gssencmode"; /* it would come before TLS */
        values[n++] = "disable";
    }
    store->conn = PQconnectStartParams(keywords, values, 1);
    if (store->conn == NULL) {
        status = store_nomem(store, err);
        goto out;
    }
    PQsetNoticeReceiver(store->conn, ignore_notice, NULL);
    if (!store->host->allow_plain_transport)
        status = check_request(store, err);
    if (status == ENVL_OK && PQstatus(store->conn) == CONNECTION_BAD)
        status = tell_failure(store, err);
    if (status == ENVL_OK && !poll_until_connected(store->conn))
        status = tell_failure(store, err);
    if (status == ENVL_OK && !store->host->allow_plain_transport)
        status = check_peer(store, err);

out:
    source_free(&source);
    return status;
}
