/*
 * printable.h - text from elsewhere, made fit for a terminal.
 *
 * Whoever writes rows or names files must not be able to move the cursor of
 * the person who looks at a report, or to forge a line of it.
 */
#ifndef CLI_PRINTABLE_H
#define CLI_PRINTABLE_H

#include <stddef.h>

#include <jansson.h>

/**
 * printable_control(text):
 * How many bytes the control character at the beginning of ${text} (UTF-8,
 * NUL-terminated) has: 1 for C0 and DEL, 2 for C1, 0 if it is none.
 */
size_t printable_control(const char *text);

/**
 * printable_json(value):
 * Replace every control character in every string inside ${value} by '?', but
 * for line feeds in a member called "ddl".
 */
void printable_json(json_t *value);

#endif /* CLI_PRINTABLE_H */
