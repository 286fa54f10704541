/*
 * json_place.h - what a walk over a document has found (json_path.c's own).
 */
#ifndef COMMON_JSON_PLACE_H
#define COMMON_JSON_PLACE_H

#include "common/json_path.h"
#include "core/json_scan.h"

/* A member that '*' matched, kept until its object ends. */
struct json_name {
    struct envl_bytes bytes;
    uint32_t from, to; /* its leaves                               */
    bool unreadable;   /* a lone surrogate: no place has that name */
};

/* An open object or array that the pattern goes into. */
struct json_frame {
    struct envl_segment self; /* how it was reached; not used at the root */
    uint32_t segment;         /* of the pattern, which chooses in here    */
    bool object;
    uint64_t index;           /* of the next element                      */
    uint32_t first_leaf;
    size_t first_name;
    uint32_t matches, siblings, ids; /* members by what they are */
    struct json_span sibling, sibling_name;
    struct envl_cell sibling_cell, id_cell;
};

struct json_path {
    struct json_path_spec spec;
    struct envl_bytes into, element_id;
    uint32_t id_segment; /* whose frame holds element_id; 0: none */
    struct json_leaf *leaves;
    size_t leaf_count, leaf_cap;
    struct json_name *names;
    size_t name_count, name_cap;
    struct json_frame *frames; /* one a segment behind the prefix, and one */
    uint32_t depth;
    struct json_scan scan;
    struct arena *arena;
    struct envl_buf text; /* a string being unescaped */
};

/**
 * json_place_equal(a, b):
 * Are these the same names?
 */
bool json_place_equal(struct envl_bytes a, struct envl_bytes b);

/**
 * json_place_content(path, token, out):
 * The content of a string token: borrowed from the document if nothing in it
 * is escaped.  ENVL_E_FORMAT: a lone surrogate; ${out} is then as written.
 */
enum envl_status json_place_content(struct json_path *path,
                                    struct json_span token,
                                    struct envl_bytes *out);

/**
 * json_place_cell(path, token, span, out):
 * The value at ${span}, whose first token was ${token}.
 */
enum envl_status json_place_cell(struct json_path *path,
                                 enum json_token token, struct json_span span,
                                 struct envl_cell *out);

/**
 * json_place_add(path, self, leaf):
 * Keep a leaf that ${self} leads to from the open frames.
 */
enum envl_status json_place_add(struct json_path *path,
                                const struct envl_segment *self,
                                struct json_leaf leaf);

/**
 * json_place_mark(path, from, to):
 * These leaves are ambiguous.
 */
void json_place_mark(struct json_path *path, size_t from, size_t to);

/**
 * json_place_name(path, frame, bytes, unreadable),
 * json_place_twins(path, frame):
 * Keep the name of a member that '*' matched; at the object's end mark the
 * leaves under twins and under what is no name.
 */
enum envl_status json_place_name(struct json_path *path,
                                 const struct json_frame *frame,
                                 struct envl_bytes bytes, bool unreadable);
void json_place_twins(struct json_path *path, const struct json_frame *frame);

#endif /* COMMON_JSON_PLACE_H */
