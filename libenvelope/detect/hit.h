/*
 * hit.h - what a detector found, and how sure it is.
 *
 * Detectors look at bytes and say where a secret stands; they never copy it,
 * and nothing here keeps it.  All of them take time linear in their input:
 * no regular expressions, no backtracking.
 */
#ifndef DETECT_HIT_H
#define DETECT_HIT_H

#include <envelope/bytes.h>

enum hit_sure {
    HIT_NONE,   /* nothing found                                     */
    HIT_LOW,    /* looks random, or is a digest of a secret          */
    HIT_MEDIUM, /* its name says so, or its shape is a common one    */
    HIT_HIGH    /* a shape that nothing else has, or name and shape  */
};

/* A secret at text[at, at + len). */
struct hit {
    size_t at, len;
    const char *rule; /* static: "github-token", "named-secret", ... */
    const char *why;  /* static, for people: never the value         */
    enum hit_sure sure;
};

#endif /* DETECT_HIT_H */
