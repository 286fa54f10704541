/*
 * token.h - tokens that say by their beginning what they are.
 *
 * The prefixes are those that their issuers publish so that leaks can be
 * found.  Lengths are lower bounds where an issuer does not promise more.
 */
#ifndef DETECT_TOKEN_H
#define DETECT_TOKEN_H

#include <stdbool.h>

#include "detect/hit.h"

/**
 * token_at(text, at, hit):
 * Whether a known token begins at text[at]; ${hit} covers it.
 */
bool token_at(struct envl_bytes text, size_t at, struct hit *hit);

/**
 * token_first(c):
 * Whether any known token begins with ${c}: a quick no for most bytes.
 */
bool token_first(uint8_t c);

#endif /* DETECT_TOKEN_H */
