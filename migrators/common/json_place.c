#include <stdlib.h>
#include <string.h>

#include "common/json_place.h"

bool
json_place_equal(struct envl_bytes a, struct envl_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
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
enum envl_status
json_place_content(struct json_path *path, struct json_span token,
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
enum envl_status
json_place_cell(struct json_path *path, enum json_token token,
                struct json_span span, struct envl_cell *out)
{
    enum envl_status status;

    *out = (struct envl_cell){ ENVL_KIND_JSON, text_at(path, span) };
    if (token == JSON_SCAN_NULL)
        *out = (struct envl_cell){ ENVL_KIND_NULL, { NULL, 0 } };
    if (token != JSON_SCAN_STRING)
        return ENVL_OK;
    out->kind = ENVL_KIND_TEXT;
    status = json_place_content(path, span, &out->bytes);
    if (status == ENVL_E_FORMAT ||
        (status == ENVL_OK && out->bytes.len > 0 &&
         memchr(out->bytes.ptr, 0, out->bytes.len) != NULL)) {
        *out = (struct envl_cell){ ENVL_KIND_OTHER, { NULL, 0 } };
        status = ENVL_OK;
    }
    return status;
}

/* ---- leaves ------------------------------------------------------------- */

void
json_place_mark(struct json_path *path, size_t from, size_t to)
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

enum envl_status
json_place_add(struct json_path *path, const struct envl_segment *self,
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

/* ---- names under '*' ---------------------------------------------------- */

/* Keep the name of a member that '*' matched, for the search for twins. */
enum envl_status
json_place_name(struct json_path *path, const struct json_frame *frame,
                struct envl_bytes bytes, bool unreadable)
{
    struct json_name name = { bytes, (uint32_t)path->leaf_count, 0,
                              unreadable };
    void *names = path->names;

    if (!room(&names, path->name_count, &path->name_cap, sizeof(name)))
        return ENVL_E_NOMEM;
    path->names = names;
    if (path->name_count > frame->first_name)
        path->names[path->name_count - 1].to = name.from;
    path->names[path->name_count++] = name;
    return ENVL_OK;
}

static int
compare_names(const void *left, const void *right)
{
    const struct json_name *a = left, *b = right;
    size_t len = a->bytes.len < b->bytes.len ? a->bytes.len : b->bytes.len;
    int order = len == 0 ? 0 : memcmp(a->bytes.ptr, b->bytes.ptr, len);

    if (order != 0)
        return order;
    return (a->bytes.len > b->bytes.len) - (a->bytes.len < b->bytes.len);
}

/* Members that '*' matched: mark twins, and names that are none. */
void
json_place_twins(struct json_path *path, const struct json_frame *frame)
{
    size_t count = path->name_count - frame->first_name;
    struct json_name *names;

    if (count == 0) /* and there may be no array yet */
        return;
    names = path->names + frame->first_name;
    path->name_count = frame->first_name;
    names[count - 1].to = (uint32_t)path->leaf_count;
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++) {
        if (names[i].unreadable ||
            (i > 0 && json_place_equal(names[i].bytes, names[i - 1].bytes)) ||
            (i + 1 < count &&
             json_place_equal(names[i].bytes, names[i + 1].bytes)))
            json_place_mark(path, names[i].from, names[i].to);
    }
}
