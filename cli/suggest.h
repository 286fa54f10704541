/*
 * suggest.h - "did you mean".
 */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

/**
 * suggest_nearest(word, words, count):
 * Return the only one of ${words} that begins with ${word}, else the one that
 * is nearest to it, or NULL if none is near: at most two letters added,
 * dropped, changed or swapped (one for short words).
 */
const char *suggest_nearest(const char *word, const char *const *words,
                            size_t count);

#endif /* CLI_SUGGEST_H */
