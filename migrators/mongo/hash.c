#include <string.h>

#include <envelope/bytes.h>

#include "mongo/hash.h"

/* As the server orders types (its canonical types). */
#define PLACE_STRING 15
#define PLACE_BINARY 30

static void
put_int32(uint8_t out[4], int32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)((uint32_t)value >> 8 * i);
}

/* libbson's own MD5 is old, and here it has to be. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void
digest(int32_t place, struct envl_bytes head, struct envl_bytes body,
       struct envl_bytes tail, uint8_t out[16])
{
    uint8_t seed[4], type[4];
    bson_md5_t md5;

    put_int32(seed, 0);
    put_int32(type, place);
    bson_md5_init(&md5);
    bson_md5_append(&md5, seed, sizeof(seed));
    bson_md5_append(&md5, type, sizeof(type));
    bson_md5_append(&md5, head.ptr, (uint32_t)head.len);
    if (body.len > 0)
        bson_md5_append(&md5, body.ptr, (uint32_t)body.len);
    if (tail.len > 0)
        bson_md5_append(&md5, tail.ptr, (uint32_t)tail.len);
    bson_md5_finish(&md5, out);
}

#pragma GCC diagnostic pop

bool
hash_value(const bson_iter_t *at, int64_t *out)
{
    uint8_t head[5], md5[16];
    struct envl_bytes body = { NULL, 0 };
    bson_subtype_t subtype;
    uint64_t bits = 0;
    uint32_t len = 0;

    if (BSON_ITER_HOLDS_UTF8(at)) {
        body.ptr = (const uint8_t *)bson_iter_utf8(at, &len);
        body.len = len;
        put_int32(head, (int32_t)len + 1);
        digest(PLACE_STRING, (struct envl_bytes){ head, 4 }, body,
               (struct envl_bytes){ (const uint8_t *)"", 1 }, md5);
    } else if (BSON_ITER_HOLDS_BINARY(at)) {
        bson_iter_binary(at, &subtype, &len, &body.ptr);
        if (subtype == BSON_SUBTYPE_BINARY_DEPRECATED)
            return false; /* it has a second length */
        body.len = len;
        put_int32(head, (int32_t)len);
        head[4] = (uint8_t)subtype;
        digest(PLACE_BINARY, (struct envl_bytes){ head, 5 }, body,
               (struct envl_bytes){ NULL, 0 }, md5);
    } else {
        return false;
    }
    for (int i = 7; i >= 0; i--)
        bits = bits << 8 | md5[i];
    memcpy(out, &bits, sizeof(*out));
    return true;
}
