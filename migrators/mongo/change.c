#include <stdio.h>
#include <string.h>

#include "mongo/change.h"
#include "mongo/leaf.h"
#include "mongo/object.h"

#define DIGITS_MAX 24 /* of an index, with its dot */

/* ---- places ------------------------------------------------------------- */

enum envl_status
change_sibling(const struct envl_path *path, const char *into,
               struct arena *arena, struct envl_path *out)
{
    size_t size = path->count * sizeof(path->segments[0]);
    struct envl_segment *copy = arena_alloc(arena, size);

    if (copy == NULL)
        return ENVL_E_NOMEM;
    memcpy(copy, path->segments, size);
    copy[path->count - 1] = (struct envl_segment){ ENVL_SEGMENT_MEMBER,
                                                   envl_bytes_of(into), 0 };
    *out = (struct envl_path){ copy, path->count };
    return ENVL_OK;
}

enum envl_status
change_dotted(const struct envl_path *path, struct arena *arena,
              struct envl_bytes *out)
{
    size_t room = 1, len = 0;
    char *text;

    for (uint32_t i = 0; i < path->count; i++)
        room += path->segments[i].name.len + DIGITS_MAX;
    text = arena_alloc(arena, room);
    if (text == NULL)
        return ENVL_E_NOMEM;
    for (uint32_t i = 0; i < path->count; i++) {
        const struct envl_segment *segment = &path->segments[i];

        if (i > 0)
            text[len++] = '.';
        if (segment->kind == ENVL_SEGMENT_ELEMENT) {
            len += (size_t)snprintf(text + len, DIGITS_MAX, "%llu",
                                    (unsigned long long)segment->index);
        } else if (segment->name.len > 0) {
            memcpy(text + len, segment->name.ptr, segment->name.len);
            len += segment->name.len;
        }
    }
    text[len] = '\0';
    *out = (struct envl_bytes){ (const uint8_t *)text, len };
    return ENVL_OK;
}

/* ---- putting a document together anew ----------------------------------- */

/* The segment as the name of an element. */
static struct envl_bytes
name_of(const struct envl_segment *segment, char digits[DIGITS_MAX])
{
    if (segment->kind != ENVL_SEGMENT_ELEMENT)
        return segment->name;
    snprintf(digits, DIGITS_MAX, "%llu", (unsigned long long)segment->index);
    return envl_bytes_of(digits);
}

static bool
leads_to(const struct change *change, uint32_t depth, struct envl_bytes name)
{
    char digits[DIGITS_MAX];
    struct envl_bytes step;

    if (change->path.count <= depth)
        return false;
    step = name_of(&change->path.segments[depth], digits);
    return step.len == name.len &&
           (name.len == 0 || memcmp(step.ptr, name.ptr, name.len) == 0);
}

static bool
add(struct envl_buf *out, const void *bytes, size_t len)
{
    return envl_buf_append(out, (struct envl_bytes){ bytes, len }, NULL) ==
           ENVL_OK;
}

/* One element: what object_append makes, without the document around it. */
static bool
add_put(struct envl_buf *out, struct envl_bytes name,
        const struct envl_cell *put)
{
    bson_t one = BSON_INITIALIZER;
    bool ok = object_append(&one, name, put) &&
              add(out, bson_get_data(&one) + 4, one.len - 5);

    bson_destroy(&one);
    return ok;
}

/* The change at its end here, or NULL; ${deeper}: some lead further down. */
static const struct change *
change_of(const struct change *changes, uint32_t count, uint32_t depth,
          struct envl_bytes name, bool *deeper)
{
    const struct change *found = NULL;

    *deeper = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!leads_to(&changes[i], depth, name))
            continue;
        if (changes[i].path.count == depth + 1)
            found = &changes[i];
        else
            *deeper = true;
    }
    return found;
}

/* The changes that lead through ${name} are all that the child gets. */
static bool
add_child(const bson_iter_t *at, struct envl_bytes name,
          const struct change *changes, uint32_t count, uint32_t depth,
          struct envl_buf *out)
{
    const uint8_t *bytes;
    uint32_t len, kept = 0;
    struct change through[64];

    for (uint32_t i = 0; i < count; i++) {
        if (!leads_to(&changes[i], depth, name))
            continue;
        if (kept == sizeof(through) / sizeof(through[0]))
            return false;
        through[kept++] = changes[i];
    }
    if (BSON_ITER_HOLDS_DOCUMENT(at))
        bson_iter_document(at, &len, &bytes);
    else
        bson_iter_array(at, &len, &bytes);
    /* type and name, as they are */
    return add(out, at->raw + at->off, name.len + 2) &&
           change_splice((struct envl_bytes){ bytes, len }, through, kept,
                         depth + 1, out);
}

/* Members that were not there. */
static bool
add_new(const bson_t *view, const struct change *changes, uint32_t count,
        uint32_t depth, struct envl_buf *out)
{
    bson_iter_t at;

    for (uint32_t i = 0; i < count; i++) {
        char digits[DIGITS_MAX];
        struct envl_bytes name;

        if (changes[i].path.count != depth + 1 || changes[i].put == NULL)
            continue;
        name = name_of(&changes[i].path.segments[depth], digits);
        if (bson_iter_init(&at, view) &&
            bson_iter_find_w_len(&at, (const char *)name.ptr, (int)name.len))
            continue;
        if (!add_put(out, name, changes[i].put))
            return false;
    }
    return true;
}

static bool
add_element(const bson_iter_t *at, const struct change *changes,
            uint32_t count, uint32_t depth, struct envl_buf *out)
{
    struct envl_bytes name = envl_bytes_of(bson_iter_key(at));
    const struct change *here;
    bool deeper;

    here = change_of(changes, count, depth, name, &deeper);
    if (here != NULL)
        return here->put == NULL || add_put(out, name, here->put);
    if (deeper && (BSON_ITER_HOLDS_DOCUMENT(at) || BSON_ITER_HOLDS_ARRAY(at)))
        return add_child(at, name, changes, count, depth, out);
    return add(out, at->raw + at->off, at->next_off - at->off);
}

bool
change_splice(struct envl_bytes document, const struct change *changes,
              uint32_t count, uint32_t depth, struct envl_buf *out)
{
    size_t start = out->len;
    uint32_t len;
    bson_iter_t at;
    bson_t view;

    if (!bson_init_static(&view, document.ptr, document.len) ||
        !bson_iter_init(&at, &view) || !add(out, "\0\0\0\0", 4))
        return false;
    while (bson_iter_next(&at)) {
        if (!add_element(&at, changes, count, depth, out))
            return false;
    }
    if (at.err_off != 0 || !add_new(&view, changes, count, depth, out) ||
        !add(out, "", 1))
        return false;
    len = (uint32_t)(out->len - start);
    for (int i = 0; i < 4; i++)
        out->ptr[start + (size_t)i] = (uint8_t)(len >> 8 * i);
    return true;
}

/* ---- is it there? ------------------------------------------------------- */

static struct envl_bytes
value_of(const bson_iter_t *at)
{
    size_t start = at->off + 2 + strlen(bson_iter_key(at));

    return (struct envl_bytes){ at->raw + start, at->next_off - start };
}

bool
change_made(const bson_t *document, const struct change *change)
{
    bson_t wanted = BSON_INITIALIZER;
    struct envl_bytes is, ought;
    bson_iter_t at, expected;
    bool there = leaf_find(document, &change->path, &at), made = false;

    if (change->put == NULL)
        return !there;
    if (there && object_append(&wanted, envl_bytes_of(""), change->put) &&
        bson_iter_init(&expected, &wanted) && bson_iter_next(&expected) &&
        bson_iter_type(&at) == bson_iter_type(&expected)) {
        is = value_of(&at);
        ought = value_of(&expected);
        made = is.len == ought.len &&
               (is.len == 0 || memcmp(is.ptr, ought.ptr, is.len) == 0);
    }
    bson_destroy(&wanted);
    return made;
}
