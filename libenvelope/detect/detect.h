/*
 * detect.h - is this value, under this name, a secret?
 *
 * The one judgement that scan makes of a database's column, a document's
 * member and a line of a file.  What it weighs, strongest first: a known form
 * (shape.h), a name that says so, and characters drawn by chance.
 */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

#include <stdbool.h>

#include "detect/hit.h"

/**
 * detect_value(name, value, hit):
 * Judge ${value}, which stands under ${name} (may be empty).  ${hit} is
 * within ${value}; HIT_NONE, and false, if nothing speaks for a secret.  An
 * envelope is none.
 */
bool detect_value(struct envl_bytes name, struct envl_bytes value,
                  struct hit *hit);

#endif /* DETECT_DETECT_H */
