#include <stdlib.h>
#include <string.h>

#include "common/json_place.h"

/* ---- preparation -------------------------------------------------------- */

static const struct envl_segment *
segment_at(const struct json_path *path, uint32_t index)
{
    return &path->spec.pattern.segments[index];
}

static bool
is_wild(const struct envl_segment *segment)
{
    return segment->kind == ENVL_SEGMENT_ANY_MEMBER ||
           segment->kind == ENVL_SEGMENT_ANY_ELEMENT;
}

/*
 * All leaves of one pattern lie equally deep, so the innermost object that a
 * wildcard matched is the same segment for each of them.
 */
static uint32_t
find_id_segment(const struct json_path *path)
{
    uint32_t count = path->spec.pattern.count;

    for (uint32_t i = count - 1; i > 0; i--) {
        if (is_wild(segment_at(path, i - 1)) &&
            segment_at(path, i)->kind != ENVL_SEGMENT_ANY_ELEMENT)
            return i;
    }
    return 0;
}

static enum envl_status
check(const struct json_path_spec *spec, struct envl_error *err)
{
    const struct envl_segment *last;

    if (spec->pattern.count == 0 || spec->prefix > spec->pattern.count)
        return envl_fail(err, ENVL_E_USAGE, "a path has no segment");
    for (uint32_t i = 0; i < spec->pattern.count; i++) {
        enum envl_segment_kind kind = spec->pattern.segments[i].kind;

        if (kind == ENVL_SEGMENT_ELEMENT ||
            (i < spec->prefix && kind != ENVL_SEGMENT_MEMBER))
            return envl_fail(err, ENVL_E_USAGE,
                             "segment %u of a path is of a kind that does "
                             "not go there", i);
    }
    last = &spec->pattern.segments[spec->pattern.count - 1];
    if (spec->into != NULL && last->kind != ENVL_SEGMENT_MEMBER)
        return envl_fail(err, ENVL_E_USAGE, "into \"%s\": the last segment "
                         "of the path is a wildcard, which has no sibling",
                         spec->into);
    if (spec->into != NULL &&
        json_place_equal(envl_bytes_of(spec->into), last->name))
        return envl_fail(err, ENVL_E_USAGE,
                         "into \"%s\" is the source itself", spec->into);
    return ENVL_OK;
}

enum envl_status
json_path_new(const struct json_path_spec *spec, struct json_path **out,
              struct envl_error *err)
{
    struct json_path *path;
    enum envl_status status = check(spec, err);

    if (status != ENVL_OK)
        return status;
    path = calloc(1, sizeof(*path));
    if (path != NULL)
        path->frames = calloc(spec->pattern.count - spec->prefix + 1,
                              sizeof(*path->frames));
    if (path == NULL || path->frames == NULL) {
        free(path);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a path");
    }
    path->spec = *spec;
    path->into = envl_bytes_of(spec->into);
    path->element_id = envl_bytes_of(spec->element_id);
    if (spec->element_id != NULL)
        path->id_segment = find_id_segment(path);
    *out = path;
    return ENVL_OK;
}

void
json_path_free(struct json_path *path)
{
    if (path == NULL)
        return;
    envl_buf_free(&path->text);
    free(path->frames);
    free(path->names);
    free(path->leaves);
    free(path);
}

const struct json_leaf *
json_path_leaves(const struct json_path *path, uint32_t *count)
{
    *count = (uint32_t)path->leaf_count;
    return path->leaves;
}

/* ---- the walk ----------------------------------------------------------- */

static bool
goes_into(const struct json_path *path, uint32_t segment,
          enum json_token token)
{
    bool array;

    if (segment >= path->spec.pattern.count)
        return false;
    array = segment_at(path, segment)->kind == ENVL_SEGMENT_ANY_ELEMENT;
    return token == (array ? JSON_SCAN_ARRAY_BEGIN : JSON_SCAN_OBJECT_BEGIN);
}

static void
push(struct json_path *path, const struct envl_segment *self,
     uint32_t segment, enum json_token token)
{
    struct json_frame *frame = &path->frames[path->depth++];

    memset(frame, 0, sizeof(*frame));
    if (self != NULL)
        frame->self = *self;
    frame->segment = segment;
    frame->object = token == JSON_SCAN_OBJECT_BEGIN;
    frame->first_leaf = (uint32_t)path->leaf_count;
    frame->first_name = path->name_count;
}

static enum envl_status
scan_failed(const struct json_path *path)
{
    return path->scan.no_memory ? ENVL_E_NOMEM : ENVL_E_FORMAT;
}

/* Move past the value that ${token} began and say where it stands. */
static enum envl_status
pass(struct json_path *path, struct json_span *span)
{
    span->at = path->scan.start;
    if (!json_scan_skip(&path->scan))
        return scan_failed(path);
    span->len = path->scan.at - span->at;
    return ENVL_OK;
}

/* A value that the pattern up to ${segment} leads to. */
static enum envl_status
reach(struct json_path *path, const struct envl_segment *self,
      uint32_t segment, enum json_token token, struct json_span name)
{
    struct json_leaf leaf = { 0 };
    enum envl_status status;

    if (goes_into(path, segment, token)) {
        push(path, self, segment, token);
        return ENVL_OK;
    }
    status = pass(path, &leaf.site.value);
    if (status != ENVL_OK || segment < path->spec.pattern.count)
        return status;
    leaf.site.name = name;
    status = json_place_cell(path, token, leaf.site.value, &leaf.value);
    if (status == ENVL_OK)
        status = json_place_add(path, self, leaf);
    return status;
}

static enum envl_status
take_sibling(struct json_path *path, struct json_frame *frame,
             enum json_token token, struct json_span name)
{
    enum envl_status status = pass(path, &frame->sibling);

    if (status != ENVL_OK)
        return status;
    frame->siblings++;
    frame->sibling_name = name;
    return json_place_cell(path, token, frame->sibling, &frame->sibling_cell);
}

static enum envl_status
take_id(struct json_path *path, struct json_frame *frame, enum json_token token)
{
    struct json_span span = { path->scan.start, path->scan.len };

    frame->id_cell = (struct envl_cell){ ENVL_KIND_OTHER, { NULL, 0 } };
    if (frame->ids++ > 0 ||
        (token != JSON_SCAN_STRING && token != JSON_SCAN_NUMBER))
        return ENVL_OK;
    return json_place_cell(path, token, span, &frame->id_cell);
}

/* A member whose name is ${self} and stands at ${name}. */
static enum envl_status
named_member(struct json_path *path, struct json_frame *frame,
             const struct envl_segment *self, struct json_span name,
             enum json_token token)
{
    const struct envl_segment *wanted = segment_at(path, frame->segment);
    struct json_span ignored;
    enum envl_status status;

    if (path->id_segment != 0 && path->id_segment == frame->segment &&
        json_place_equal(self->name, path->element_id)) {
        status = take_id(path, frame, token);
        if (status != ENVL_OK)
            return status;
    }
    if (wanted->kind == ENVL_SEGMENT_ANY_MEMBER) {
        status = json_place_name(path, frame, self->name, false);
        if (status != ENVL_OK)
            return status;
        return reach(path, self, frame->segment + 1, token, name);
    }
    if (json_place_equal(self->name, wanted->name)) {
        frame->matches++;
        return reach(path, self, frame->segment + 1, token, name);
    }
    if (path->spec.into != NULL &&
        frame->segment + 1 == path->spec.pattern.count &&
        json_place_equal(self->name, path->into))
        return take_sibling(path, frame, token, name);
    return pass(path, &ignored);
}

/* A member of an object that the pattern goes into. */
static enum envl_status
member(struct json_path *path, struct json_frame *frame)
{
    const struct envl_segment *wanted = segment_at(path, frame->segment);
    struct json_span name = { path->scan.start, path->scan.len };
    struct envl_segment self = { ENVL_SEGMENT_MEMBER, { NULL, 0 }, 0 };
    enum envl_status status = json_place_content(path, name, &self.name);
    struct json_span ignored;
    enum json_token token;

    if (status != ENVL_OK && status != ENVL_E_FORMAT)
        return status;
    token = json_scan_next(&path->scan);
    if (token == JSON_SCAN_ERROR)
        return scan_failed(path);
    if (status == ENVL_OK)
        return named_member(path, frame, &self, name, token);
    if (wanted->kind != ENVL_SEGMENT_ANY_MEMBER)
        return pass(path, &ignored);
    status = json_place_name(path, frame, self.name, true);
    if (status != ENVL_OK)
        return status;
    return reach(path, &self, frame->segment + 1, token, name);
}

/* What the end of an object says of the sibling and its source. */
static enum envl_status
close_sibling(struct json_path *path, const struct json_frame *frame)
{
    const struct envl_segment *wanted = segment_at(path, frame->segment);

    if (frame->siblings == 0)
        return ENVL_OK;
    if (frame->matches == 0) {
        enum envl_status status = json_place_add(path, wanted,
                                           (struct json_leaf){ 0 });
        if (status != ENVL_OK)
            return status;
    }
    for (size_t i = frame->first_leaf; i < path->leaf_count; i++) {
        path->leaves[i].sibling = frame->sibling_cell;
        path->leaves[i].site.sibling = frame->sibling;
        path->leaves[i].site.sibling_name = frame->sibling_name;
    }
    if (frame->siblings > 1)
        json_place_mark(path, frame->first_leaf, path->leaf_count);
    return ENVL_OK;
}

static enum envl_status
close_frame(struct json_path *path, const struct json_frame *frame)
{
    enum envl_status status = close_sibling(path, frame);

    if (status != ENVL_OK)
        return status;
    json_place_twins(path, frame);
    if (frame->matches > 1)
        json_place_mark(path, frame->first_leaf, path->leaf_count);
    if (frame->ids > 0) {
        for (size_t i = frame->first_leaf; i < path->leaf_count; i++)
            path->leaves[i].element = frame->id_cell;
    }
    path->depth--;
    return ENVL_OK;
}

/* One step inside the innermost open frame. */
static enum envl_status
step(struct json_path *path)
{
    struct json_frame *frame = &path->frames[path->depth - 1];
    struct envl_segment self = { ENVL_SEGMENT_ELEMENT, { NULL, 0 }, 0 };
    struct json_span nameless = { 0, 0 };
    enum json_token token = json_scan_next(&path->scan);

    if (token == JSON_SCAN_ERROR)
        return scan_failed(path);
    if (token == JSON_SCAN_OBJECT_END || token == JSON_SCAN_ARRAY_END)
        return close_frame(path, frame);
    if (frame->object)
        return member(path, frame);
    self.index = frame->index++;
    return reach(path, &self, frame->segment + 1, token, nameless);
}

static enum envl_status
walk(struct json_path *path)
{
    struct json_span nameless = { 0, 0 };
    uint32_t prefix = path->spec.prefix;
    enum json_token token = json_scan_next(&path->scan);
    enum envl_status status;

    if (token == JSON_SCAN_ERROR)
        return scan_failed(path);
    status = reach(path, prefix == 0 ? NULL : segment_at(path, prefix - 1),
                   prefix, token, nameless);
    while (status == ENVL_OK && path->depth > 0)
        status = step(path);
    if (status == ENVL_OK && json_scan_next(&path->scan) != JSON_SCAN_END)
        status = scan_failed(path);
    return status;
}

enum envl_status
json_path_find(struct json_path *path, struct envl_bytes document,
               struct arena *arena, struct envl_error *err)
{
    enum envl_status status;

    path->leaf_count = 0;
    path->name_count = 0;
    path->depth = 0;
    path->arena = arena;
    json_scan_init(&path->scan, document);
    status = walk(path);
    json_scan_free(&path->scan);
    if (status == ENVL_OK)
        return ENVL_OK;
    path->leaf_count = 0;
    if (status == ENVL_E_FORMAT)
        return envl_fail(err, status, "not a JSON document in UTF-8");
    return envl_fail(err, status, "out of memory for a document");
}
