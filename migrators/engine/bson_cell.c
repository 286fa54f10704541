#include <string.h>

#include "core/bson_check.h"
#include "engine/bson_cell.h"

bool
bson_cell_document(struct envl_bytes cell, struct envl_bytes *out)
{
    struct bson_element v, after;
    size_t next;

    if (cell.len < 5)
        return false;
    next = bson_check_next_shape(cell, 4, &v);
    if (next == 0 || next == SIZE_MAX || v.type != BSON_DOCUMENT ||
        v.name.len != 1 || v.name.ptr[0] != 'v' ||
        bson_check_next_shape(cell, next, &after) != 0)
        return false;
    *out = v.value;
    return true;
}

bool
bson_cell_begins(struct envl_bytes cell)
{
    struct envl_bytes document;

    return bson_cell_document(cell, &document) &&
           envl_bson_begins(document) == ENVL_OK;
}

enum envl_status
bson_cell_make(struct envl_bytes envelope, struct envl_buf *out,
               struct envl_error *err)
{
    static const uint8_t head[] = { 0, 0, 0, 0, BSON_DOCUMENT, 'v', 0 };
    static const uint8_t end[] = { 0 };
    size_t at = out->len;
    enum envl_status status;

    status = envl_buf_append(out, (struct envl_bytes){ head, sizeof(head) },
                             err);
    if (status == ENVL_OK)
        status = envl_bson_encode(envelope, out, err);
    if (status == ENVL_OK)
        status = envl_buf_append(out, (struct envl_bytes){ end, 1 }, err);
    if (status != ENVL_OK) {
        out->len = at;
        return status;
    }
    for (unsigned i = 0; i < 4; i++)
        out->ptr[at + i] = (uint8_t)((out->len - at) >> 8 * i);
    return ENVL_OK;
}
