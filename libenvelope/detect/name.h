/*
 * name.h - does a name say that its value is a secret?
 *
 * Names are taken apart at case changes and at everything that is no letter
 * or digit, so that apiKey, API_KEY, api-key and "api key" are one.
 */
#ifndef DETECT_NAME_H
#define DETECT_NAME_H

#include <envelope/bytes.h>

enum name_says {
    NAME_PUBLIC,  /* that what looks random is none (public_key, etag) */
    NAME_NOTHING, /* nothing, or that it is no secret (token_count)    */
    NAME_MAYBE,   /* it may hold one (key, auth, cookie, dsn)          */
    NAME_SECRET   /* it does (password, api_key, client_secret)        */
};

/**
 * name_judge(name):
 * What ${name} says; a dotted or slashed path is judged by all its words, the
 * last ones first.
 */
enum name_says name_judge(struct envl_bytes name);

#endif /* DETECT_NAME_H */
