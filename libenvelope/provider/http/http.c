#include "provider/http/http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/clock.h"
#include "core/random.h"
#include "provider/http/address.h"
#include "provider/http/wire.h"

#define TRIES      6u
#define PAUSE_MS   100u  /* before the second try, at most; then doubled */
#define PAUSE_MAX  3000u
#define IDLE_LIMIT 8u    /* connections that are kept */

struct http_client {
    struct http_options options; /* strings are copies */
    char *text[5];
    pthread_mutex_t lock;
    CURL *idle[IDLE_LIMIT];
    size_t idle_count;
    _Atomic uint64_t requests;
};

/* ---- connections --------------------------------------------------------- */

static enum envl_status
take_handle(struct http_client *client, CURL **out, struct envl_error *err)
{
    struct wire_tls tls = { 0 };
    enum envl_status status;

    pthread_mutex_lock(&client->lock);
    *out = client->idle_count > 0 ? client->idle[--client->idle_count] : NULL;
    pthread_mutex_unlock(&client->lock);
    if (*out != NULL)
        return ENVL_OK;
    if ((status = wire_start(err)) != ENVL_OK ||
        (status = wire_read_tls(&client->options, &tls, err)) != ENVL_OK)
        return status;
    *out = wire_new(&client->options, &tls, err);
    wire_free_tls(&tls);
    return *out != NULL ? ENVL_OK : ENVL_E_INTERNAL;
}

/* One that failed is not kept: its certificates may have been replaced. */
static void
give_handle(struct http_client *client, CURL *curl, bool keep)
{
    pthread_mutex_lock(&client->lock);
    if (keep && client->idle_count < IDLE_LIMIT) {
        client->idle[client->idle_count++] = curl;
        curl = NULL;
    }
    pthread_mutex_unlock(&client->lock);
    curl_easy_cleanup(curl);
}

/* ---- what an answer means ------------------------------------------------ */

static enum envl_status
say(struct envl_error *err, const struct http_client *client,
    const char *what, const char *hint)
{
    envl_fail(err, ENVL_E_PROVIDER, "provider '%s' %s", client->options.name,
              what);
    if (hint != NULL)
        envl_hint(err, "%s", hint);
    return ENVL_E_PROVIDER;
}

static enum envl_status
say_failure(const struct http_client *client, const struct wire_answer *answer,
            struct envl_error *err)
{
    switch (answer->result) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return say(err, client, "cannot be reached: no address is known for "
                   "its host", "is the name in `address` right?");
    case CURLE_COULDNT_CONNECT:
        return say(err, client, "cannot be reached: nothing accepts the "
                   "connection", "is it running, and `address` right?");
    case CURLE_OPERATION_TIMEDOUT:
        return say(err, client, "does not answer in time",
                   "it can be asked again; `timeout_seconds` says how long "
                   "to wait");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return say(err, client, "shows a certificate that is not accepted: "
                   "wrong host, expired, or of an unknown authority",
                   "name the authority's certificate as `ca_file`; nothing "
                   "was sent");
    case CURLE_SSL_CACERT_BADFILE:
        return say(err, client, "has a ca_file without a usable certificate",
                   NULL);
    case CURLE_SSL_CERTPROBLEM:
        return say(err, client, "has a client certificate or key that cannot "
                   "be used", "cert_file and key_file must be PEM, belong "
                   "together, and have no passphrase");
    case CURLE_SSL_CONNECT_ERROR:
        return say(err, client, "does not speak TLS 1.2 or later there, or "
                   "refuses our certificate", NULL);
    case CURLE_PARTIAL_FILE:
        return say(err, client, "cut its answer short", NULL);
    case CURLE_FILESIZE_EXCEEDED:
        return say(err, client, "gave an answer that is too long", NULL);
    default:
        return say(err, client, "broke off the connection, or does not speak "
                   "HTTP", NULL);
    }
}

/* The same request may get another answer in a moment. */
static bool
may_pass(const struct http_request *request, const struct wire_answer *answer)
{
    switch (answer->result) {
    case CURLE_OK:
        if (request->passes != NULL && answer->code >= 400 &&
            request->passes(answer->code, envl_buf_view(answer->body)))
            return true;
        return answer->code == 429 || answer->code == 500 ||
               (answer->code >= 502 && answer->code <= 504);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return true;
    default:
        return false;
    }
}

static enum envl_status
judge(const struct http_client *client, const struct wire_answer *answer,
      struct envl_error *err)
{
    char what[64];

    if (answer->no_memory)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for an answer");
    if (answer->too_long || answer->result == CURLE_FILESIZE_EXCEEDED)
        return say(err, client, "gave an answer that is too long, which was "
                   "cut", "is this the address of a key provider?");
    if (answer->result != CURLE_OK)
        return say_failure(client, answer, err);
    if (answer->code >= 300 && answer->code < 400)
        return say(err, client, "answers by a redirect, which is not "
                   "followed", "name the final address, such as that of the "
                   "active node");
    if (answer->code == 429)
        return say(err, client, "is asked too often (429)",
                   "try again later, or with fewer workers");
    if (answer->code >= 500) {
        snprintf(what, sizeof(what), "answers with error %ld", answer->code);
        return say(err, client, what,
                   answer->code == 503 ? "it may be sealed, or not ready"
                                       : NULL);
    }
    if (answer->code < 200)
        return say(err, client, "gives no answer that is HTTP", NULL);
    if (answer->code < 300 && answer->body->len > 0 && !answer->is_type)
        return say(err, client, "answers with something else than was asked "
                   "for", "its content type is another: is this the address "
                   "of a key provider?");
    return ENVL_OK;
}

/* ---- repetition ---------------------------------------------------------- */

/* Full jitter: anything between nothing and twice as long as before. */
static bool
pause_before(unsigned attempt, const struct wire_answer *answer,
             int64_t deadline)
{
    unsigned most = PAUSE_MS << attempt;
    int64_t left = deadline - clock_monotonic_ms(), ms;
    uint32_t random = 0;

    if (most > PAUSE_MAX)
        most = PAUSE_MAX;
    if (random_fill((struct envl_span){ (uint8_t *)&random, sizeof(random) },
                    NULL) != ENVL_OK)
        random = UINT32_MAX / 2;
    ms = (int64_t)((uint64_t)most * random / UINT32_MAX) + 1;
    if (answer->retry_after > 0)
        ms += answer->retry_after * 1000;
    if (ms >= left)
        return false;
    clock_sleep_us((long)(ms * 1000));
    return true;
}

static enum envl_status
try_once(struct http_client *client, const struct http_request *request,
         int64_t deadline, struct wire_answer *answer, struct envl_error *err)
{
    int64_t left = deadline - clock_monotonic_ms();
    enum envl_status status;
    CURL *curl;

    if ((status = take_handle(client, &curl, err)) != ENVL_OK)
        return status;
    atomic_fetch_add(&client->requests, 1);
    status = wire_run(curl, &client->options, request,
                      (unsigned)(left < 1 ? 1 : left), answer, err);
    give_handle(client, curl, status == ENVL_OK &&
                                  answer->result == CURLE_OK);
    return status;
}

/* spec: KEY-65 */
enum envl_status
http_client_send(struct http_client *client,
                 const struct http_request *request,
                 struct http_answer *out, struct envl_error *err)
{
    const int64_t deadline = clock_monotonic_ms() +
                             client->options.timeout_ms;
    struct wire_answer answer;
    enum envl_status status;

    *out = (struct http_answer){ .body = ENVL_BUF_INIT };
    for (unsigned attempt = 0;; attempt++) {
        answer = (struct wire_answer){ .body = &out->body };
        envl_buf_clear(&out->body);
        status = try_once(client, request, deadline, &answer, err);
        if (status != ENVL_OK || !may_pass(request, &answer) || request->once ||
            attempt + 1 == TRIES || !pause_before(attempt, &answer, deadline))
            break;
    }
    out->code = answer.code;
    if (status == ENVL_OK)
        status = judge(client, &answer, err);
    if (status != ENVL_OK)
        envl_buf_free(&out->body);
    return status;
}

uint64_t
http_client_requests(const struct http_client *client)
{
    return atomic_load(&client->requests);
}

/* ---- its life ------------------------------------------------------------ */

static bool
copy(struct http_client *client, size_t at, const char *text,
     const char **out)
{
    *out = NULL;
    if (text == NULL)
        return true;
    return (*out = client->text[at] = strdup(text)) != NULL;
}

enum envl_status
http_client_new(const struct http_options *options, struct http_client **out,
                struct envl_error *err)
{
    struct http_client *client;
    enum envl_status status = address_check(options->name, options->address,
                                            options->metadata, err);

    if (status != ENVL_OK)
        return status;
    if ((options->cert_file == NULL) != (options->key_file == NULL))
        return envl_fail(err, ENVL_E_USAGE, "provider '%s': cert_file and "
                         "key_file go together", options->name);
    if ((client = calloc(1, sizeof(*client))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    pthread_mutex_init(&client->lock, NULL);
    client->options = *options;
    if (!copy(client, 0, options->name, &client->options.name) ||
        !copy(client, 1, options->address, &client->options.address) ||
        !copy(client, 2, options->ca_file, &client->options.ca_file) ||
        !copy(client, 3, options->cert_file, &client->options.cert_file) ||
        !copy(client, 4, options->key_file, &client->options.key_file)) {
        http_client_free(client);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    }
    *out = client;
    return ENVL_OK;
}

void
http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    for (size_t i = 0; i < client->idle_count; i++)
        curl_easy_cleanup(client->idle[i]);
    for (size_t i = 0; i < sizeof(client->text) / sizeof(*client->text); i++)
        free(client->text[i]);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

/* ---- paths --------------------------------------------------------------- */

static enum envl_status
append_escaped(const char *part, size_t len, struct envl_buf *out,
               struct envl_error *err)
{
    char *escaped = curl_easy_escape(NULL, part, (int)len);
    enum envl_status status;

    if (escaped == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a path");
    status = envl_buf_append(out, envl_bytes_of(escaped), err);
    curl_free(escaped);
    return status;
}

enum envl_status
http_escape(const char *text, bool slashes, struct envl_buf *out,
            struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (strlen(text) > 4096)
        return envl_fail(err, ENVL_E_USAGE, "a name in a path is longer than "
                         "4096 bytes");
    for (;;) {
        size_t len = slashes ? strcspn(text, "/") : strlen(text);

        if (len == 0 || (len == 1 && text[0] == '.') ||
            (len == 2 && text[0] == '.' && text[1] == '.') ||
            (!slashes && strchr(text, '/') != NULL))
            return envl_fail(err, ENVL_E_USAGE, "a name in a path is empty, "
                             "'.' or '..', or holds a '/'");
        if ((status = append_escaped(text, len, out, err)) != ENVL_OK ||
            text[len] == '\0')
            return status;
        if ((status = envl_buf_append(out, envl_bytes_of("/"), err)) !=
            ENVL_OK)
            return status;
        text += len + 1;
    }
}
