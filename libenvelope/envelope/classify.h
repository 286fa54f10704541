/*
 * classify.h - an envelope's own description, shared by classify and inspect.
 */
#ifndef ENVELOPE_CLASSIFY_H
#define ENVELOPE_CLASSIFY_H

#include "envelope/parse.h"

/**
 * classify_describe(envelope, out):
 * Store what a parsed ${envelope} says.
 */
void classify_describe(const struct parsed *envelope, struct envl_info *out);

#endif /* ENVELOPE_CLASSIFY_H */
