/*
 * http.h - one careful HTTP client for providers, over libcurl.
 *
 * What it holds to (spec KEY-63, KEY-64, KEY-65, KEY-66):
 *   - TLS 1.2 or later with the chain and the host name verified, against the
 *     system's authorities or, where a CA file is named, that file alone;
 *   - plain http only to this machine (127.0.0.0/8, ::1, localhost) and,
 *     where the caller says so, to the fixed addresses at which clouds hand
 *     out credentials; a redirect is an error; no proxy is used, whatever
 *     the environment says; no .netrc, no cookies, no compression;
 *   - answers are cut at a limit, and must be of the type that is expected;
 *   - what may pass by itself (no connection, 429, 5xx, an answer cut short)
 *     is tried again, a bounded number of times within a bounded time, with
 *     random pauses in between (full jitter);
 *   - bodies are wiped, and so is all memory that libcurl gives back.  Its
 *     allocator can be set only once in a process: where the application has
 *     started libcurl before, only our own copies are wiped.
 *
 * A client may be used by several threads; each request has a connection of
 * its own meanwhile, which is kept for the next.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>

#include <envelope/bytes.h>
#include <envelope/error.h>

/* How a server is reached.  Strings are copied. */
struct http_options {
    const char *name;      /* of the provider, for messages             */
    const char *address;   /* "https://vault.example:8200"; a path may
                              follow, without a slash at its end        */
    const char *ca_file;   /* NULL: the system's; PEM                   */
    const char *cert_file; /* NULL: no client certificate; PEM          */
    const char *key_file;  /* of cert_file; nobody else may read it     */
    const char *const *mounts; /* secret mounts, borrowed for ever      */
    size_t mount_count;
    unsigned timeout_ms;   /* for a request with all its repetitions    */
    bool metadata;         /* plain http to the clouds' own addresses   */
};

struct http_client;

/* One request.  All is borrowed. */
struct http_request {
    const char *method;       /* "GET", "POST", "PUT"                   */
    const char *path;         /* begins with '/'; escaped by the caller
                                 (http_escape)                          */
    const char *const *headers; /* "Name: value", NULL-terminated; may be
                                   NULL.  Checked: no control character */
    struct envl_bytes body;   /* POST and PUT                           */
    const char *type;         /* of the body; NULL: "application/json"  */
    const char *answer_type;  /* that a 2xx answer must have; NULL: any */
    size_t limit;             /* bytes of the answer                    */
    bool once;                /* must not be repeated                   */
    /* NULL, or true for an answer that may pass though its code is 4xx */
    bool (*passes)(long code, struct envl_bytes body);
    const char *sigv4;        /* NULL, or "aws:amz:REGION:SERVICE"      */
    const char *access_key, *secret_key; /* with sigv4                  */
};

struct http_answer {
    long code;            /* 200..., 4xx, 5xx         */
    struct envl_buf body; /* the caller frees it      */
};

/**
 * http_client_new(options, out, err):
 * Fails with ENVL_E_USAGE for an address that is none, ENVL_E_POLICY for one
 * that would carry secrets in clear, ENVL_E_NOMEM.  Nothing is reached.
 */
enum envl_status http_client_new(const struct http_options *options,
                                 struct http_client **out,
                                 struct envl_error *err);

/**
 * http_client_send(client, request, answer, err):
 * Send it and take the answer, whatever its code below 300 or above 399.
 * Fails with ENVL_E_PROVIDER (no answer, a redirect, another type, too long,
 * or still 429 or 5xx after all repetitions), ENVL_E_USAGE (a header that
 * cannot be sent), ENVL_E_POLICY, ENVL_E_NOTFOUND (a CA or key file),
 * ENVL_E_NOMEM; ${answer} is empty then, but for the code of a 429 or 5xx.
 */
enum envl_status http_client_send(struct http_client *client,
                                  const struct http_request *request,
                                  struct http_answer *answer,
                                  struct envl_error *err);

/**
 * http_client_requests(client):
 * How many requests went out, repetitions included.
 */
uint64_t http_client_requests(const struct http_client *client);

/**
 * http_client_free(client):
 * NULL is ignored.
 */
void http_client_free(struct http_client *client);

/**
 * http_escape(text, slashes, out, err):
 * Append ${text} to ${out} as part of a path, as libcurl escapes it; with
 * ${slashes} a '/' stays one, else it is refused; so are "." and "..".
 * ENVL_E_USAGE for those, and for an empty text.
 */
enum envl_status http_escape(const char *text, bool slashes,
                             struct envl_buf *out, struct envl_error *err);

#endif /* HTTP_HTTP_H */
