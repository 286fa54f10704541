#include <string.h>

#include <bson/bson.h>

#include "core/utf8.h"
#include "mongo/cell.h"
#include "mongo/ident.h"

#define TYPE_UNDEFINED 0x06
#define TYPE_NULL      0x0a

static const struct envl_cell other = { ENVL_KIND_OTHER, { NULL, 0 } };

/* {"v": value}, the value's bytes as they lie in the document. */
static enum envl_status
wrap(const struct bson_element *element, struct arena *arena,
     struct envl_cell *out)
{
    size_t len = 4 + 1 + 2 + element->value.len + 1;
    uint8_t *bytes = arena_alloc(arena, len);

    if (bytes == NULL)
        return ENVL_E_NOMEM;
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(len >> 8 * i);
    bytes[4] = element->type;
    bytes[5] = 'v';
    bytes[6] = 0;
    if (element->value.len > 0)
        memcpy(bytes + 7, element->value.ptr, element->value.len);
    bytes[len - 1] = 0;
    *out = (struct envl_cell){ ENVL_KIND_BSON, { bytes, len } };
    return ENVL_OK;
}

enum envl_status
cell_take(const struct bson_element *element, struct arena *arena,
          struct envl_cell *out)
{
    *out = other;
    switch (element->type) {
    case TYPE_UNDEFINED:
        return ENVL_OK;
    case TYPE_NULL:
        out->kind = ENVL_KIND_NULL;
        return ENVL_OK;
    case BSON_STRING:
        if (utf8_valid(element->bytes))
            *out = (struct envl_cell){ ENVL_KIND_TEXT, element->bytes };
        return ENVL_OK;
    case BSON_BINARY:
        if (element->value.ptr[4] != 0)
            return wrap(element, arena, out);
        *out = (struct envl_cell){ ENVL_KIND_BYTES, element->bytes };
        return ENVL_OK;
    default:
        return wrap(element, arena, out);
    }
}

enum envl_status
cell_text(const struct bson_element *element, struct arena *arena,
          struct envl_cell *out)
{
    struct envl_cell one;
    enum envl_status status = wrap(element, arena, &one);
    bson_iter_t at;
    bson_t holder;

    *out = other;
    if (status == ENVL_OK &&
        bson_init_static(&holder, one.bytes.ptr, one.bytes.len) &&
        bson_iter_init(&at, &holder) && bson_iter_next(&at))
        status = ident_text(&at, arena, out);
    return status;
}
