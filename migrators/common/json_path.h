/*
 * json_path.h - find the places in a JSON document that a job's path means.
 *
 * One pass over the document's bytes, whatever its depth; nothing is built
 * and nothing printed.  Every place found comes with where it stands in the
 * document, so that json_splice.h can change it and nothing else.
 */
#ifndef COMMON_JSON_PATH_H
#define COMMON_JSON_PATH_H

#include <stdbool.h>

#include <envelope/migrator.h>

#include "common/arena.h"

/* Bytes of a document; len 0: not there. */
struct json_span {
    size_t at;
    size_t len;
};

/* Where a leaf stands in its document. */
struct json_site {
    struct json_span name;    /* token of its member's name; none in arrays */
    struct json_span value;   /* none: only the sibling is there            */
    struct json_span sibling; /* the value of the member `into`             */
    struct json_span sibling_name;
    bool ambiguous; /* a name on the way here stands twice: not to be
                       written, since readers differ on which one counts  */
};

struct json_leaf {
    struct envl_path path;    /* from the column's root; MEMBER and ELEMENT */
    struct envl_cell value;   /* TEXT, NULL, JSON; ABSENT: see below;
                                 OTHER: ambiguous, or a string with a lone
                                 surrogate or U+0000                        */
    struct envl_cell sibling; /* the same; ABSENT without                   */
    struct envl_cell element; /* TEXT a string's content, JSON a number's
                                 text, OTHER anything else; ABSENT without  */
    struct json_site site;
};

/* What to look for.  Borrowed for the life of the struct json_path. */
struct json_path_spec {
    struct envl_path pattern; /* of at least one segment                  */
    uint32_t prefix;          /* the document is what stands behind so many
                                 of its segments, all of them MEMBER        */
    const char *into;         /* NULL, or the sibling of the last segment   */
    const char *element_id;   /* NULL, or the member that identifies the
                                 innermost object that a wildcard matched
                                 and that holds the leaf                    */
};

/* A pattern made ready, with memory that is reused from call to call. */
struct json_path;

/**
 * json_path_new(spec, out, err):
 * Prepare ${spec}; free with json_path_free.  Fails with ENVL_E_USAGE if
 * the pattern is empty, the prefix holds a wildcard, or `into` is given and
 * the last segment is no name (spec: JOB-21), and with ENVL_E_NOMEM.
 */
enum envl_status json_path_new(const struct json_path_spec *spec,
                               struct json_path **out, struct envl_error *err);

/**
 * json_path_find(path, document, arena, err):
 * Find every place in ${document}, which has to outlive the leaves.  A place
 * counts if the value is there, or else its sibling (value ABSENT then).
 * Copies are made in ${arena}.  Fails with ENVL_E_FORMAT if the document is
 * not JSON in UTF-8, and with ENVL_E_NOMEM.
 */
enum envl_status json_path_find(struct json_path *path,
                                struct envl_bytes document,
                                struct arena *arena, struct envl_error *err);

/**
 * json_path_leaves(path, count):
 * What the last json_path_find found, in the document's order except for
 * siblings alone; borrowed until the next.
 */
const struct json_leaf *json_path_leaves(const struct json_path *path,
                                         uint32_t *count);

/**
 * json_path_free(path):
 * Release.  NULL is ignored.
 */
void json_path_free(struct json_path *path);

#endif /* COMMON_JSON_PATH_H */
