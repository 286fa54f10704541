/*
 * wire.h - one transfer by libcurl, with everything switched off that it
 * would do by itself.
 */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include <curl/curl.h>

#include "provider/http/http.h"

#define WIRE_HEADER_LIMIT 65536u /* bytes of all the headers of an answer */

/* Certificates of a client, as they were read; wiped when freed. */
struct wire_tls {
    struct envl_buf ca, cert, key;
};

/* What came, and what is known of it. */
struct wire_answer {
    struct envl_buf *body;
    size_t limit, headers;
    bool too_long;        /* cut at the limit                              */
    bool no_memory;
    long code;            /* 0: none                                       */
    long retry_after;     /* seconds the server asks for, or 0             */
    bool is_type;         /* the answer has the type that was asked for    */
    CURLcode result;
};

/**
 * wire_start(err):
 * Start libcurl, once in a process.  Fails with ENVL_E_INTERNAL, and with
 * ENVL_E_POLICY where the environment tells it to write the keys of TLS
 * sessions into a file.
 */
enum envl_status wire_start(struct envl_error *err);

/**
 * wire_read_tls(options, out, err):
 * Read the files of ${options}, safely (spec KEY-8).  Fails as file_read.
 */
enum envl_status wire_read_tls(const struct http_options *options,
                               struct wire_tls *out, struct envl_error *err);

/**
 * wire_free_tls(tls):
 * Wipe and release.
 */
void wire_free_tls(struct wire_tls *tls);

/**
 * wire_new(options, tls, err):
 * A handle that verifies what it must; NULL with ${err} filled.
 */
CURL *wire_new(const struct http_options *options, const struct wire_tls *tls,
               struct envl_error *err);

/**
 * wire_run(curl, options, request, timeout_ms, answer, err):
 * One transfer.  What became of it is in ${answer}; fails only where nothing
 * could be sent: ENVL_E_USAGE for a header, ENVL_E_NOMEM.
 */
enum envl_status wire_run(CURL *curl, const struct http_options *options,
                          const struct http_request *request,
                          unsigned timeout_ms, struct wire_answer *answer,
                          struct envl_error *err);

#endif /* HTTP_WIRE_H */
