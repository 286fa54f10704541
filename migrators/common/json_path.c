#include <stdlib.h>
#include <string.h>

#include "common/json_path.h"
#include "core/json_scan.h"

/* A member that '*' matched, kept until its object ends. */
struct name {
    struct envl_bytes bytes;
    uint32_t from, to; /* its leaves                               */
    bool unreadable;   /* a lone surrogate: no place has that name */
};

/* An open object or array that the pattern goes into. */
struct frame {
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
    struct name *names;
    size_t name_count, name_cap;
    struct frame *frames; /* one a segment behind the prefix, and one */
    uint32_t depth;
    struct json_scan scan;
    struct arena *arena;
    struct envl_buf text; /* a string being unescaped */
};

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

static bool
equal(struct envl_bytes a, struct envl_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
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
    if (spec->into != NULL && equal(envl_bytes_of(spec->into), last->name))
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

/* Room for one more; ${items} holds ${count} of ${size} bytes each. */
static bool
room(void **items, size_t count, size_t *cap, size_t size)
{
    size_t wanted = *cap == 0 ? 16 : *cap * 2;
    void *moved;

    if (count < *cap)
        return true;
    if (wanted > SIZE_MAX / size || (moved = realloc(*items,
                                                     wanted * size)) == NULL)
        return false;
    *items = moved;
    *cap = wanted;
    return true;
}

/* ---- strings ------------------------------------------------------------ */

static struct envl_bytes
text_at(const struct json_path *path, struct json_span span)
{
    return (struct envl_bytes){ path->scan.text.ptr + span.at, span.len };
}

/*
 * The content of a string token: borrowed from the document if nothing in it
 * is escaped.  ENVL_E_FORMAT: a lone surrogate.
 */
static enum envl_status
content(struct json_path *path, struct json_span token,
        struct envl_bytes *out)
{
    struct envl_bytes raw = text_at(path, token);
    enum envl_status status;

    *out = (struct envl_bytes){ raw.ptr + 1, raw.len - 2 };
    if (out->len == 0 || memchr(out->ptr, '\\', out->len) == NULL)
        return ENVL_OK;
    status = json_scan_unescape(raw, &path->text, NULL);
    if (status == ENVL_OK)
        status = arena_dup(path->arena, envl_buf_view(&path->text), out);
    envl_buf_clear(&path->text);
    return status;
}

/* What stands at ${span}, whose first token was ${token}. */
static enum envl_status
cell_of(struct json_path *path, enum json_token token, struct json_span span,
        struct envl_cell *out)
{
    enum envl_status status;

    *out = (struct envl_cell){ ENVL_KIND_JSON, text_at(path, span) };
    if (token == JSON_SCAN_NULL)
        *out = (struct envl_cell){ ENVL_KIND_NULL, { NULL, 0 } };
    if (token != JSON_SCAN_STRING)
        return ENVL_OK;
    out->kind = ENVL_KIND_TEXT;
    status = content(path, span, &out->bytes);
    if (status == ENVL_E_FORMAT ||
        (status == ENVL_OK && out->bytes.len > 0 &&
         memchr(out->bytes.ptr, 0, out->bytes.len) != NULL)) {
        *out = (struct envl_cell){ ENVL_KIND_OTHER, { NULL, 0 } };
        status = ENVL_OK;
    }
    return status;
}

/* ---- leaves ------------------------------------------------------------- */

static void
mark_ambiguous(struct json_path *path, size_t from, size_t to)
{
    const struct envl_cell other = { ENVL_KIND_OTHER, { NULL, 0 } };

    for (size_t i = from; i < to; i++) {
        struct json_leaf *leaf = &path->leaves[i];

        leaf->value = other;
        if (leaf->sibling.kind != ENVL_KIND_ABSENT)
            leaf->sibling = other;
        leaf->site.ambiguous = true;
    }
}

/* The concrete path of a leaf that ${self} leads to from the open frames. */
static enum envl_status
concrete(struct json_path *path, const struct envl_segment *self,
         struct envl_path *out)
{
    uint32_t count = path->spec.pattern.count;
    uint32_t prefix = path->spec.prefix;
    struct envl_segment *segments;

    segments = arena_alloc(path->arena, count * sizeof(*segments));
    if (segments == NULL)
        return ENVL_E_NOMEM;
    memcpy(segments, path->spec.pattern.segments, prefix * sizeof(*segments));
    for (uint32_t i = prefix; i + 1 < count; i++)
        segments[i] = path->frames[i - prefix + 1].self;
    if (prefix < count)
        segments[count - 1] = *self;
    *out = (struct envl_path){ segments, count };
    return ENVL_OK;
}

static enum envl_status
add_leaf(struct json_path *path, const struct envl_segment *self,
         struct json_leaf leaf)
{
    void *leaves = path->leaves;
    enum envl_status status = concrete(path, self, &leaf.path);

    if (status != ENVL_OK)
        return status;
    if (path->leaf_count == UINT32_MAX ||
        !room(&leaves, path->leaf_count, &path->leaf_cap, sizeof(leaf)))
        return ENVL_E_NOMEM;
    path->leaves = leaves;
    path->leaves[path->leaf_count++] = leaf;
    return ENVL_OK;
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
    struct frame *frame = &path->frames[path->depth++];

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
    status = cell_of(path, token, leaf.site.value, &leaf.value);
    if (status == ENVL_OK)
        status = add_leaf(path, self, leaf);
    return status;
}

/* Keep the name of a member that '*' matched, for the search for twins. */
static enum envl_status
keep_name(struct json_path *path, const struct frame *frame, struct name name)
{
    void *names = path->names;

    if (!room(&names, path->name_count, &path->name_cap, sizeof(name)))
        return ENVL_E_NOMEM;
    path->names = names;
    name.from = (uint32_t)path->leaf_count;
    if (path->name_count > frame->first_name)
        path->names[path->name_count - 1].to = name.from;
    path->names[path->name_count++] = name;
    return ENVL_OK;
}

static enum envl_status
take_sibling(struct json_path *path, struct frame *frame,
             enum json_token token, struct json_span name)
{
    enum envl_status status = pass(path, &frame->sibling);

    if (status != ENVL_OK)
        return status;
    frame->siblings++;
    frame->sibling_name = name;
    return cell_of(path, token, frame->sibling, &frame->sibling_cell);
}

static enum envl_status
take_id(struct json_path *path, struct frame *frame, enum json_token token)
{
    struct json_span span = { path->scan.start, path->scan.len };

    frame->id_cell = (struct envl_cell){ ENVL_KIND_OTHER, { NULL, 0 } };
    if (frame->ids++ > 0 ||
        (token != JSON_SCAN_STRING && token != JSON_SCAN_NUMBER))
        return ENVL_OK;
    return cell_of(path, token, span, &frame->id_cell);
}

/* A member whose name is ${self} and stands at ${name}. */
static enum envl_status
named_member(struct json_path *path, struct frame *frame,
             const struct envl_segment *self, struct json_span name,
             enum json_token token)
{
    const struct envl_segment *wanted = segment_at(path, frame->segment);
    struct json_span ignored;
    enum envl_status status;

    if (path->id_segment != 0 && path->id_segment == frame->segment &&
        equal(self->name, path->element_id)) {
        status = take_id(path, frame, token);
        if (status != ENVL_OK)
            return status;
    }
    if (wanted->kind == ENVL_SEGMENT_ANY_MEMBER) {
        status = keep_name(path, frame, (struct name){ self->name, 0, 0,
                                                       false });
        if (status != ENVL_OK)
            return status;
        return reach(path, self, frame->segment + 1, token, name);
    }
    if (equal(self->name, wanted->name)) {
        frame->matches++;
        return reach(path, self, frame->segment + 1, token, name);
    }
    if (path->spec.into != NULL &&
        frame->segment + 1 == path->spec.pattern.count &&
        equal(self->name, path->into))
        return take_sibling(path, frame, token, name);
    return pass(path, &ignored);
}

/* A member of an object that the pattern goes into. */
static enum envl_status
member(struct json_path *path, struct frame *frame)
{
    const struct envl_segment *wanted = segment_at(path, frame->segment);
    struct json_span name = { path->scan.start, path->scan.len };
    struct envl_segment self = { ENVL_SEGMENT_MEMBER, { NULL, 0 }, 0 };
    enum envl_status status = content(path, name, &self.name);
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
    status = keep_name(path, frame, (struct name){ self.name, 0, 0, true });
    if (status != ENVL_OK)
        return status;
    return reach(path, &self, frame->segment + 1, token, name);
}

static int
compare_names(const void *left, const void *right)
{
    const struct name *a = left, *b = right;
    size_t len = a->bytes.len < b->bytes.len ? a->bytes.len : b->bytes.len;
    int order = len == 0 ? 0 : memcmp(a->bytes.ptr, b->bytes.ptr, len);

    if (order != 0)
        return order;
    return (a->bytes.len > b->bytes.len) - (a->bytes.len < b->bytes.len);
}

/* Members that '*' matched: mark twins, and names that are none. */
static void
close_names(struct json_path *path, const struct frame *frame)
{
    size_t count = path->name_count - frame->first_name;
    struct name *names;

    if (count == 0) /* and there may be no array yet */
        return;
    names = path->names + frame->first_name;
    path->name_count = frame->first_name;
    names[count - 1].to = (uint32_t)path->leaf_count;
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++) {
        if (names[i].unreadable ||
            (i > 0 && equal(names[i].bytes, names[i - 1].bytes)) ||
            (i + 1 < count && equal(names[i].bytes, names[i + 1].bytes)))
            mark_ambiguous(path, names[i].from, names[i].to);
    }
}

/* What the end of an object says of the sibling and its source. */
static enum envl_status
close_sibling(struct json_path *path, const struct frame *frame)
{
    const struct envl_segment *wanted = segment_at(path, frame->segment);

    if (frame->siblings == 0)
        return ENVL_OK;
    if (frame->matches == 0) {
        enum envl_status status = add_leaf(path, wanted,
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
        mark_ambiguous(path, frame->first_leaf, path->leaf_count);
    return ENVL_OK;
}

static enum envl_status
close_frame(struct json_path *path, const struct frame *frame)
{
    enum envl_status status = close_sibling(path, frame);

    if (status != ENVL_OK)
        return status;
    close_names(path, frame);
    if (frame->matches > 1)
        mark_ambiguous(path, frame->first_leaf, path->leaf_count);
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
    struct frame *frame = &path->frames[path->depth - 1];
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
