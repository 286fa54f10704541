/*
 * types.h - the types of unlock entries (spec KEY-17), those that nobody here
 * can open included: a ring keeps them whatever this build can do.
 */
#ifndef PROVIDER_TYPES_H
#define PROVIDER_TYPES_H

#include <stdbool.h>

#include <envelope/provider.h>

struct provider_type {
    const char *name;
    size_t wrapped_min, wrapped_max; /* bytes                              */
    bool has_cost;    /* members salt, opslimit and memlimit               */
    bool has_public;  /* member public                                     */
    bool by_anyone;   /* an entry needs no secret to be made: the pin is
                         asked for (KEY-26)                                */
    bool holds_key;   /* a key that never leaves it: for unlocking or for a
                         kid, never both (KEY-27)                          */
    const char *module; /* of envl-provider-MODULE.so; NULL: none          */
};

/**
 * types_find(name):
 * The type called ${name}, or NULL.
 */
const struct provider_type *types_find(struct envl_bytes name);

#endif /* PROVIDER_TYPES_H */
