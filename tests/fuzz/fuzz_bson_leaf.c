/*
 * Any bytes as a document of a collection: the leaves of any pattern lie in
 * it, each that is not OTHER is found again at its own path, and a value that
 * could be sealed is one that the library takes.
 * The first byte chooses the pattern.
 */
#include <stdlib.h>
#include <string.h>

#include "core/bson_check.h"
#include "core/utf8.h"
#include "mongo/leaf.h"

#define MEMBER(text) { ENVL_SEGMENT_MEMBER, \
                       { (const uint8_t *)(text), sizeof(text) - 1 }, 0 }
#define ANY          { ENVL_SEGMENT_ANY_MEMBER, { NULL, 0 }, 0 }
#define EACH         { ENVL_SEGMENT_ANY_ELEMENT, { NULL, 0 }, 0 }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct envl_segment segments[] = {
    ANY, MEMBER("a"), EACH, MEMBER("b"), ANY, EACH, MEMBER("a"),
};

static void
check_cell(const struct envl_cell *cell)
{
    switch (cell->kind) {
    case ENVL_KIND_TEXT:
        if (!utf8_valid(cell->bytes))
            abort();
        break;
    case ENVL_KIND_BSON:
        if (bson_check_shape(cell->bytes, NULL) != ENVL_OK)
            abort();
        break;
    case ENVL_KIND_JSON:
        abort();
    default:
        break;
    }
}

static void
check_leaf(const bson_t *document, const struct envl_leaf *leaf)
{
    enum envl_kind kind = leaf->value.kind;
    bson_iter_t at;

    check_cell(&leaf->value);
    check_cell(&leaf->sibling);
    if (leaf->element.kind != ENVL_KIND_ABSENT &&
        leaf->element.kind != ENVL_KIND_TEXT &&
        leaf->element.kind != ENVL_KIND_OTHER)
        abort();
    if (kind == ENVL_KIND_OTHER || kind == ENVL_KIND_ABSENT)
        return;
    if (!leaf_find(document, &leaf->path, &at))
        abort();
    if ((kind == ENVL_KIND_TEXT) != (bson_iter_type(&at) == BSON_TYPE_UTF8) ||
        (kind == ENVL_KIND_NULL) != (bson_iter_type(&at) == BSON_TYPE_NULL))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envl_field_spec field = { .element_id = "b" };
    struct arena arena = ARENA_INIT;
    struct envl_leaf *leaves = NULL;
    uint32_t count = 0, first;
    bson_t document;

    if (size < 6 || !bson_init_static(&document, data + 1, size - 1))
        return 0;
    first = data[0] % 4;
    field.path.segments = segments + first;
    field.path.count = 1 + (data[0] >> 3) % (7 - first);
    if ((data[0] & 0x80) != 0 &&
        segments[first + field.path.count - 1].kind == ENVL_SEGMENT_MEMBER)
        field.into = "e";
    if (field.path.segments[0].kind == ENVL_SEGMENT_ANY_ELEMENT)
        field.element_id = NULL;
    if (leaf_collect(&document, &field, 1, &arena, &leaves, &count, NULL) !=
            ENVL_OK || count == 0)
        abort();
    for (uint32_t i = 0; i < count; i++) {
        struct envl_cell extra;

        check_leaf(&document, &leaves[i]);
        (void)leaf_addressable(&leaves[i].path, field.into);
        if (leaf_extra(&document, "a.b", &arena, &extra) != ENVL_OK)
            abort();
    }
    arena_free(&arena);
    return 0;
}
