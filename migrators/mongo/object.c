#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/bson_check.h"
#include "mongo/object.h"

/* The one member v of a valid document. */
static bool
find_v(struct envl_bytes document, struct bson_element *out)
{
    struct bson_element after;
    size_t next;

    if (bson_check_document(document, NULL) != ENVL_OK)
        return false;
    next = bson_check_next(document, 4, out);
    return next != 0 && out->name.len == 1 && out->name.ptr[0] == 'v' &&
           bson_check_next(document, next, &after) == 0;
}

/*
 * libbson would take some types apart and write them anew (it sorts the
 * options of a regular expression), but joins documents as they lie there.
 */
static bool
append_v(bson_t *out, struct envl_bytes name, struct envl_bytes document)
{
    struct bson_element v;
    uint8_t *bytes, *p;
    uint32_t len;
    bson_t one;
    bool done;

    if (!find_v(document, &v) ||
        name.len > (size_t)INT_MAX - v.value.len - 7)
        return false;
    len = (uint32_t)(4 + 1 + name.len + 1 + v.value.len + 1);
    if ((bytes = p = malloc(len)) == NULL)
        return false;
    for (unsigned i = 0; i < 4; i++)
        *p++ = (uint8_t)(len >> 8 * i);
    *p++ = v.type;
    if (name.len > 0)
        memcpy(p, name.ptr, name.len);
    p[name.len] = 0;
    p += name.len + 1;
    if (v.value.len > 0)
        memcpy(p, v.value.ptr, v.value.len);
    p[v.value.len] = 0;
    done = bson_init_static(&one, bytes, len) && bson_concat(out, &one);
    sodium_memzero(bytes, len);
    free(bytes);
    return done;
}

bool
object_append(bson_t *out, struct envl_bytes name,
              const struct envl_cell *put)
{
    const char *key = name.len == 0 ? "" : (const char *)name.ptr;
    const char *text = put->bytes.len == 0 ? ""
                                           : (const char *)put->bytes.ptr;

    if (name.len > INT_MAX || put->bytes.len > INT_MAX ||
        (name.len > 0 && memchr(name.ptr, 0, name.len) != NULL))
        return false;
    switch (put->kind) {
    case ENVL_KIND_NULL:
        return bson_append_null(out, key, (int)name.len);
    case ENVL_KIND_TEXT:
        return bson_append_utf8(out, key, (int)name.len, text,
                                (int)put->bytes.len);
    case ENVL_KIND_BYTES:
        return bson_append_binary(out, key, (int)name.len,
                                  BSON_SUBTYPE_BINARY,
                                  (const uint8_t *)text,
                                  (uint32_t)put->bytes.len);
    case ENVL_KIND_BSON:
        return append_v(out, name, put->bytes);
    default:
        return false;
    }
}
