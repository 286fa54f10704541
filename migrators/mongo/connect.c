#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/say.h"
#include "core/file.h"
#include "mongo/connect.h"
#include "mongo/local.h"

#define DSN_MAX      ((size_t)64 * 1024)
#define CONNECT_MS   10000
#define SELECT_MS    15000
#define SOCKET_SLACK 15000 /* beyond the longest statement */

/* ---- the job's source --------------------------------------------------- */

static enum envl_status
end_text(struct envl_buf *dsn, struct envl_error *err)
{
    return envl_buf_append(dsn, (struct envl_bytes){ (const uint8_t *)"", 1 },
                           err);
}

static enum envl_status
read_file(const struct envl_store *store, const char *path,
          struct envl_buf *dsn, struct envl_error *err)
{
    const struct file_rules rules = { .kind = FILE_PRIVATE,
                                      .what = "connection file" };
    enum envl_status status = file_read(path, &rules, DSN_MAX, dsn, NULL, err);

    if (status != ENVL_OK)
        return status;
    while (dsn->len > 0 && isspace(dsn->ptr[dsn->len - 1]))
        dsn->len--;
    if (dsn->len == 0 || memchr(dsn->ptr, 0, dsn->len) != NULL)
        return say_fail(store->host, err, ENVL_E_USAGE,
                        "connection file %s: no connection string", path);
    return end_text(dsn, err);
}

static enum envl_status
read_variable(const struct envl_store *store, const char *name,
              struct envl_buf *dsn, struct envl_error *err)
{
    const char *value = getenv(name);
    enum envl_status status;

    if (value == NULL || value[0] == '\0') {
        say_fail(store->host, err, ENVL_E_NOTFOUND,
                 "the environment variable %s is not set", name);
        say_hint(store->host, err, "put the connection string there, or use "
                 "\"dsn_file\" in the job's source");
        return ENVL_E_NOTFOUND;
    }
    status = envl_buf_append(dsn, envl_bytes_of(value), err);
    return status == ENVL_OK ? end_text(dsn, err) : status;
}

/* spec: JOB-2 */
static enum envl_status
read_source(struct envl_store *store, const char *text, struct envl_buf *dsn,
            struct envl_error *err)
{
    json_t *source = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *variable, *file, *database;
    enum envl_status status;

    variable = json_string_value(json_object_get(source, "dsn_env"));
    file = json_string_value(json_object_get(source, "dsn_file"));
    database = json_string_value(json_object_get(source, "database"));
    if ((variable != NULL) + (file != NULL) != 1)
        status = say_fail(store->host, err, ENVL_E_USAGE,
                          "source: one of dsn_env and dsn_file is needed");
    else if (database == NULL || database[0] == '\0' ||
             strlen(database) > 63 || strpbrk(database, "/\\. \"$") != NULL)
        status = say_fail(store->host, err, ENVL_E_USAGE,
                          "source: \"database\" must name a database");
    else if ((store->database = strdup(database)) == NULL)
        status = store_nomem(store, err);
    else if (variable != NULL)
        status = read_variable(store, variable, dsn, err);
    else
        status = read_file(store, file, dsn, err);
    json_decref(source);
    return status;
}

/* libmongoc's complaints repeat parts of the string, which can be a
   password. */
static enum envl_status
parse(const struct envl_store *store, const struct envl_buf *dsn,
      mongoc_uri_t **out, struct envl_error *err)
{
    bson_error_t ignored;

    *out = mongoc_uri_new_with_error((const char *)dsn->ptr, &ignored);
    if (*out != NULL)
        return ENVL_OK;
    say_fail(store->host, err, ENVL_E_USAGE,
             "the connection string cannot be parsed");
    say_hint(store->host, err, "it is mongodb://user:password@host:27017/"
             "?options, with @ : / %% of a password written as %%40 %%3A "
             "%%2F %%25");
    return ENVL_E_USAGE;
}

/* ---- how secrets travel (spec: JOB-8) ----------------------------------- */

static bool
all_local(const mongoc_uri_t *uri)
{
    const mongoc_host_list_t *host = mongoc_uri_get_hosts(uri);

    if (host == NULL || mongoc_uri_get_srv_hostname(uri) != NULL)
        return false;
    for (; host != NULL; host = host->next) {
        if (!local_host(host))
            return false;
    }
    return true;
}

/* Whether TLS is asked for and nothing of its checks switched off. */
static bool
verified(const mongoc_uri_t *uri)
{
    static const char *const weak[] = {
        MONGOC_URI_TLSINSECURE, MONGOC_URI_TLSALLOWINVALIDCERTIFICATES,
        MONGOC_URI_TLSALLOWINVALIDHOSTNAMES,
    };

    for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
        if (mongoc_uri_get_option_as_bool(uri, weak[i], false))
            return false;
    }
    return mongoc_uri_get_tls(uri);
}

static enum envl_status
check_transport(const struct envl_store *store, const mongoc_uri_t *uri,
                struct envl_error *err)
{
    if (store->host->allow_plain_transport || verified(uri) || all_local(uri))
        return ENVL_OK;
    say_fail(store->host, err, ENVL_E_POLICY,
             "secrets would travel unprotected: %s",
             mongoc_uri_get_tls(uri) ? "the connection string switches a "
                                       "check of TLS off"
                                     : "the host is another machine and "
                                       "there is no TLS");
    say_hint(store->host, err, "use a Unix socket, loopback, or tls=true with "
             "tlsCAFile; \"tls\": \"any\" in the job allows anything");
    return ENVL_E_POLICY;
}

/* ---- the client --------------------------------------------------------- */

static void
default_int32(mongoc_uri_t *uri, const char *option, uint32_t value)
{
    if (!mongoc_uri_has_option(uri, option))
        mongoc_uri_set_option_as_int32(uri, option, (int32_t)value);
}

static enum envl_status
make_client(struct envl_store *store, mongoc_uri_t *uri,
            struct envl_error *err)
{
    default_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, CONNECT_MS);
    default_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, SELECT_MS);
    default_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS,
                  store->host->statement_ms + SOCKET_SLACK);
    /* The engine replays what was lost; not every server knows retries. */
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false);
    if (mongoc_uri_get_appname(uri) == NULL)
        mongoc_uri_set_appname(uri, "envelope");
    store->client = mongoc_client_new_from_uri(uri);
    if (store->client == NULL)
        return say_fail(store->host, err, ENVL_E_USAGE, "the connection "
                        "string asks for what this libmongoc cannot do");
    mongoc_client_set_error_api(store->client, MONGOC_ERROR_API_VERSION_2);
    if (!store->host->allow_plain_transport && !verified(uri))
        mongoc_client_set_stream_initiator(store->client, local_connect,
                                           NULL);
    return ENVL_OK;
}

enum envl_status
connect_client(const char *source_json, struct envl_store *store,
               struct envl_error *err)
{
    struct envl_buf dsn = ENVL_BUF_INIT;
    mongoc_uri_t *uri = NULL;
    enum envl_status status = read_source(store, source_json, &dsn, err);

    if (status == ENVL_OK)
        status = parse(store, &dsn, &uri, err);
    if (status == ENVL_OK)
        status = check_transport(store, uri, err);
    if (status == ENVL_OK)
        status = make_client(store, uri, err);
    mongoc_uri_destroy(uri);
    envl_buf_free(&dsn);
    return status;
}

void
connect_where(const struct envl_store *store, char *out, size_t size)
{
    const mongoc_uri_t *uri = mongoc_client_get_uri(store->client);
    const mongoc_host_list_t *host = mongoc_uri_get_hosts(uri);
    size_t len = 0;

    out[0] = '\0';
    for (; host != NULL && len < size; host = host->next)
        len += (size_t)snprintf(out + len, size - len, "%s%s",
                                len > 0 ? "," : "", host->host_and_port);
    if (len < size && mongoc_uri_get_tls(uri))
        snprintf(out + len, size - len, " over TLS");
}
