/*
 * assign.h - names and the values given to them, in any text.
 *
 * One reader for what looks alike in a log, an .env file, YAML, TOML, INI,
 * JSON (also escaped inside a string), HTTP headers, command lines and
 * source code: a name, one of = : := =>, and a value that is quoted or ends
 * at white space or a separator.
 */
#ifndef DETECT_ASSIGN_H
#define DETECT_ASSIGN_H

#include <stdbool.h>

#include <envelope/bytes.h>

struct assign {
    struct envl_bytes name;
    struct envl_bytes value; /* without quotes                        */
    size_t at;               /* offset of ${value} in the text        */
    bool quoted;
    bool open;               /* its closing quote is missing          */
    bool lined;              /* an unquoted value could go on to the end of
                                its line (YAML, headers): see assign_line */
    size_t bare_from, bare_end; /* private: where the last unquoted value
                                stood, so that a=a=a= is not read again and
                                again                                  */
};

/**
 * assign_next(text, from, out):
 * The first assignment whose value begins at or after ${from}.  Go on from
 * the value's beginning, with the same ${out} (zero at first): values can hold
 * assignments.
 */
bool assign_next(struct envl_bytes text, size_t from, struct assign *out);

/**
 * assign_line(text, assign):
 * The unquoted value as far as its line goes, white space at the end and a
 * comment (" #...") left out.
 */
struct envl_bytes assign_line(struct envl_bytes text,
                              const struct assign *assign);

#endif /* DETECT_ASSIGN_H */
