#include "provider/http/wire.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/ssl.h>
#include <sodium.h>

#include "core/file.h"

#define PEM_LIMIT (256u * 1024u)

/* ---- memory that libcurl gives back is wiped ----------------------------- */

static void
wiping_free(void *p)
{
    if (p != NULL)
        sodium_memzero(p, malloc_usable_size(p));
    free(p);
}

static void *
wiping_realloc(void *p, size_t size)
{
    size_t was = p != NULL ? malloc_usable_size(p) : 0;
    void *moved = malloc(size);

    if (moved == NULL)
        return NULL;
    if (p != NULL)
        memcpy(moved, p, was < size ? was : size);
    wiping_free(p);
    return moved;
}

static char *
plain_strdup(const char *text)
{
    return strdup(text);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started;

static void
start(void)
{
    started = curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free,
                                   wiping_realloc, plain_strdup, calloc) ==
              CURLE_OK;
}

enum envl_status
wire_start(struct envl_error *err)
{
    /* libcurl would obey it, and the file would open every session. */
    if (getenv("SSLKEYLOGFILE") != NULL) {
        envl_fail(err, ENVL_E_POLICY, "SSLKEYLOGFILE is set: the keys of TLS "
                  "sessions would be written to a file");
        envl_hint(err, "unset SSLKEYLOGFILE");
        return ENVL_E_POLICY;
    }
    pthread_once(&once, start);
    return started ? ENVL_OK
                   : envl_fail(err, ENVL_E_INTERNAL, "libcurl does not start");
}

/* ---- certificates -------------------------------------------------------- */

static enum envl_status
read_pem(const char *path, const struct file_rules *rules,
         struct envl_buf *out, struct envl_error *err)
{
    return path == NULL ? ENVL_OK
                        : file_read(path, rules, PEM_LIMIT, out, NULL, err);
}

enum envl_status
wire_read_tls(const struct http_options *options, struct wire_tls *out,
              struct envl_error *err)
{
    const struct file_rules trusted = { FILE_TRUSTED, "certificate file",
                                        options->mounts,
                                        options->mount_count };
    const struct file_rules private = { FILE_PRIVATE, "private key file",
                                        options->mounts,
                                        options->mount_count };
    enum envl_status status;

    if ((status = read_pem(options->ca_file, &trusted, &out->ca, err)) !=
            ENVL_OK ||
        (status = read_pem(options->cert_file, &trusted, &out->cert, err)) !=
            ENVL_OK ||
        (status = read_pem(options->key_file, &private, &out->key, err)) !=
            ENVL_OK)
        wire_free_tls(out);
    return status;
}

void
wire_free_tls(struct wire_tls *tls)
{
    envl_buf_free(&tls->ca);
    envl_buf_free(&tls->cert);
    envl_buf_free(&tls->key);
}

/* ---- a handle ------------------------------------------------------------ */

static bool
set_blob(CURL *curl, CURLoption option, const struct envl_buf *pem)
{
    struct curl_blob blob = { pem->ptr, pem->len, CURL_BLOB_COPY };

    return pem->len == 0 ||
           curl_easy_setopt(curl, option, &blob) == CURLE_OK;
}

/* A connection that is kept would keep the last answer in its buffer. */
static CURLcode
forget_plaintext(CURL *curl, void *context, void *cookie)
{
    (void)curl;
    (void)cookie;
    SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
    return CURLE_OK;
}

/* Of libcurl's kinds the one that speaks by OpenSSL can be told. */
static bool
set_forgetting(CURL *curl)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

    return info->ssl_version == NULL ||
           strncmp(info->ssl_version, "OpenSSL/", 8) != 0 ||
           curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION,
                            forget_plaintext) == CURLE_OK;
}

/* spec: KEY-63 */
static bool
set_tls(CURL *curl, const struct wire_tls *tls)
{
    bool ok =
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                         (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;

    /* A CA that is named is the only one: the system's folder is left out. */
    if (ok && tls->ca.len > 0)
        ok = curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_CAINFO, NULL) == CURLE_OK;
    return ok && set_forgetting(curl) &&
           set_blob(curl, CURLOPT_CAINFO_BLOB, &tls->ca) &&
           set_blob(curl, CURLOPT_SSLCERT_BLOB, &tls->cert) &&
           set_blob(curl, CURLOPT_SSLKEY_BLOB, &tls->key);
}

/* spec: KEY-64 */
static bool
set_no_surprises(CURL *curl, const char *address)
{
    const char *scheme = strncmp(address, "http:", 5) == 0 ? "http" : "https";

    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, scheme) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROXY, "*") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NETRC,
                            (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                            (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK;
}

CURL *
wire_new(const struct http_options *options, const struct wire_tls *tls,
         struct envl_error *err)
{
    CURL *curl = curl_easy_init();

    if (curl != NULL && set_tls(curl, tls) &&
        set_no_surprises(curl, options->address))
        return curl;
    envl_fail(err, ENVL_E_INTERNAL, "libcurl lacks what provider '%s' needs",
              options->name);
    curl_easy_cleanup(curl);
    return NULL;
}

/* ---- one transfer -------------------------------------------------------- */

static size_t
take_body(char *data, size_t size, size_t count, void *cookie)
{
    struct wire_answer *answer = cookie;
    size_t len = size * count;

    if (len > answer->limit - answer->body->len) {
        answer->too_long = true;
        return 0;
    }
    if (envl_buf_append(answer->body, (struct envl_bytes){
            (const uint8_t *)data, len }, NULL) != ENVL_OK) {
        answer->no_memory = true;
        return 0;
    }
    return len;
}

static size_t
take_header(char *data, size_t size, size_t count, void *cookie)
{
    struct wire_answer *answer = cookie;
    size_t len = size * count;

    answer->headers += len;
    if (answer->headers > WIRE_HEADER_LIMIT) {
        answer->too_long = true;
        return 0;
    }
    if (len > 12 && strncasecmp(data, "retry-after:", 12) == 0) {
        long seconds = 0;

        for (size_t i = 12; i < len && seconds < 100000; i++)
            if (data[i] >= '0' && data[i] <= '9')
                seconds = seconds * 10 + (data[i] - '0');
            else if (data[i] != ' ' && data[i] != '\r' && data[i] != '\n')
                break;
        answer->retry_after = seconds;
    }
    return len;
}

/* A header line cannot be escaped: what would end it is refused. */
static bool
header_ok(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static enum envl_status
make_headers(const struct http_options *options,
             const struct http_request *request, struct curl_slist **out,
             struct envl_error *err)
{
    /* No "Expect:" to switch that off: libcurl 7.88 would sign it (SigV4)
       and not send it.  It sends one above 1 MiB alone, far above ours. */
    static const char *const always[] = { "User-Agent: envelope", NULL };
    const char *type = request->type;
    struct curl_slist *list = NULL, *next = NULL;

    for (size_t i = 0; always[i] != NULL; i++, list = next)
        if ((next = curl_slist_append(list, always[i])) == NULL)
            goto no_memory;
    if (type == NULL)
        type = "Content-Type: application/json";
    if (strcmp(request->method, "GET") != 0) {
        if ((next = curl_slist_append(list, type)) == NULL)
            goto no_memory;
        list = next;
    }
    for (size_t i = 0; request->headers != NULL &&
                       request->headers[i] != NULL; i++, list = next) {
        if (!header_ok(request->headers[i])) {
            curl_slist_free_all(list);
            return envl_fail(err, ENVL_E_USAGE, "provider '%s': a credential "
                             "or name holds a control character",
                             options->name);
        }
        if ((next = curl_slist_append(list, request->headers[i])) == NULL)
            goto no_memory;
    }
    *out = list;
    return ENVL_OK;

no_memory:
    curl_slist_free_all(list);
    return envl_fail(err, ENVL_E_NOMEM, "out of memory for a request");
}

static bool
set_method(CURL *curl, const struct http_request *request)
{
    bool get = strcmp(request->method, "GET") == 0;

    if (get)
        return curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    return curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                            request->body.len > 0
                                ? (const char *)request->body.ptr : "") ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t)request->body.len) == CURLE_OK;
}

static bool
set_signature(CURL *curl, const struct http_request *request)
{
    return curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, request->sigv4) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERNAME, request->access_key) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PASSWORD, request->secret_key) ==
               CURLE_OK;
}

/* What must not outlive the request in a handle that is kept. */
static void
forget(CURL *curl)
{
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, NULL);
    curl_easy_setopt(curl, CURLOPT_USERNAME, NULL);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, NULL);
}

/* "application/json" or "application/json; charset=utf-8" */
static bool
is_type(CURL *curl, const char *wanted)
{
    const char *type = NULL;
    size_t len = wanted != NULL ? strlen(wanted) : 0;

    if (wanted == NULL)
        return true;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    return type != NULL && strncasecmp(type, wanted, len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

static enum envl_status
set_request(CURL *curl, const char *url, const struct http_request *request,
            unsigned timeout_ms, struct wire_answer *answer)
{
    bool ok =
        curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms) ==
            CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                         (long)(timeout_ms < 5000 ? timeout_ms : 5000)) ==
            CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE,
                         (curl_off_t)answer->limit) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) ==
            CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header) ==
            CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer) == CURLE_OK &&
        set_method(curl, request) &&
        (request->sigv4 == NULL || set_signature(curl, request));

    return ok ? ENVL_OK : ENVL_E_NOMEM;
}

/*
 * A peer that hangs up must not end the application by SIGPIPE, and libcurl
 * leaves that to us where it uses no signals of its own: the signal is held
 * back in this thread, and taken away if it came.
 */
static CURLcode
perform(CURL *curl)
{
    const struct timespec now = { 0, 0 };
    sigset_t pipe_only, before, pending;
    CURLcode result;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    result = curl_easy_perform(curl);
    if (sigismember(&pending, SIGPIPE) == 0)
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

enum envl_status
wire_run(CURL *curl, const struct http_options *options,
         const struct http_request *request, unsigned timeout_ms,
         struct wire_answer *answer, struct envl_error *err)
{
    struct envl_buf url = ENVL_BUF_INIT;
    struct curl_slist *headers = NULL;
    enum envl_status status;

    answer->limit = request->limit;
    if ((status = make_headers(options, request, &headers, err)) != ENVL_OK)
        return status;
    if ((status = envl_buf_append(&url, envl_bytes_of(options->address),
                                  err)) != ENVL_OK ||
        (status = envl_buf_append(&url, envl_bytes_of(request->path),
                                  err)) != ENVL_OK ||
        (status = envl_buf_append(&url, (struct envl_bytes){
             (const uint8_t *)"", 1 }, err)) != ENVL_OK)
        goto out;
    if (set_request(curl, (const char *)url.ptr, request, timeout_ms,
                    answer) != ENVL_OK ||
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK) {
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory for a request");
        goto out;
    }
    answer->result = perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->code);
    answer->is_type = is_type(curl, request->answer_type);

out:
    forget(curl);
    for (struct curl_slist *h = headers; h != NULL; h = h->next)
        sodium_memzero(h->data, strlen(h->data));
    curl_slist_free_all(headers);
    envl_buf_free(&url);
    return status;
}
