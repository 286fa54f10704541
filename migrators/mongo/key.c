#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mongo/ident.h"
#include "mongo/key.h"
#include "mongo/store.h"

#define NAME_CHARS 100

/* ---- classes ------------------------------------------------------------ */

static const struct key_type types[KEY_TYPES] = {
    { KEY_MIN, -1 },      { KEY_NULL, 10 },      { KEY_NULL, 6 },
    { KEY_NUMBER, 1 },    { KEY_NUMBER, 16 },    { KEY_NUMBER, 18 },
    { KEY_NUMBER, 19 },   { KEY_TEXT, 2 },       { KEY_TEXT, 14 },
    { KEY_DOCUMENT, 3 },  { KEY_ARRAY, 4 },      { KEY_BINARY, 5 },
    { KEY_OID, 7 },       { KEY_BOOL, 8 },       { KEY_DATE, 9 },
    { KEY_TIMESTAMP, 17 }, { KEY_REGEX, 11 },    { KEY_POINTER, 12 },
    { KEY_CODE, 13 },     { KEY_SCOPED, 15 },    { KEY_MAX, 127 },
};

const struct key_type *
key_types(void)
{
    return types;
}

enum key_class
key_class(const bson_iter_t *at)
{
    int32_t type = (int32_t)bson_iter_type(at);

    if (type == BSON_TYPE_MINKEY)
        return KEY_MIN;
    for (uint32_t i = 0; i < KEY_TYPES; i++) {
        if (types[i].number == type)
            return types[i].class;
    }
    return KEY_MAX;
}

bool
key_single(enum key_class class)
{
    return class == KEY_MIN || class == KEY_NULL || class == KEY_MAX;
}

bool
key_is_nan(const bson_iter_t *at)
{
    bson_decimal128_t decimal;

    if (BSON_ITER_HOLDS_DOUBLE(at))
        return isnan(bson_iter_double(at));
    if (!BSON_ITER_HOLDS_DECIMAL128(at))
        return false;
    bson_iter_decimal128(at, &decimal);
    return (decimal.high >> 58 & 0x1f) == 0x1f; /* IEEE 754-2008, 3.5.2 */
}

/* ---- the opaque form ---------------------------------------------------- */

enum envl_status
key_encode(const bson_iter_t *id, struct arena *arena, struct envl_bytes *out)
{
    bson_t document = BSON_INITIALIZER;
    enum envl_status status = ENVL_OK;

    if (!bson_append_iter(&document, "_id", 3, id) ||
        document.len > STORE_KEY_MAX)
        status = ENVL_E_LIMIT;
    else
        status = arena_dup(arena,
                           (struct envl_bytes){ bson_get_data(&document),
                                                document.len }, out);
    bson_destroy(&document);
    return status;
}

bool
key_decode(struct envl_bytes key, bson_iter_t *id)
{
    bson_t document;

    return key.len <= STORE_KEY_MAX &&
           bson_init_static(&document, key.ptr, key.len) &&
           bson_validate(&document, BSON_VALIDATE_NONE, NULL) &&
           bson_iter_init_from_data(id, key.ptr, key.len) &&
           bson_iter_next(id) && strcmp(bson_iter_key(id), "_id") == 0;
}

/* ---- order -------------------------------------------------------------- */

static enum key_order
order_of(int difference)
{
    return difference < 0 ? KEY_LESS : difference > 0 ? KEY_GREATER
                                                       : KEY_EQUAL;
}

/* A long double holds every int64 and every double exactly. */
static enum key_order
compare_numbers(const bson_iter_t *a, const bson_iter_t *b)
{
    long double left, right;

    if (key_is_nan(a) || key_is_nan(b)) /* below every other number */
        return order_of((int)key_is_nan(b) - (int)key_is_nan(a));
    if (BSON_ITER_HOLDS_DECIMAL128(a) || BSON_ITER_HOLDS_DECIMAL128(b))
        return KEY_UNKNOWN;
    left = BSON_ITER_HOLDS_DOUBLE(a) ? (long double)bson_iter_double(a)
                                     : (long double)bson_iter_as_int64(a);
    right = BSON_ITER_HOLDS_DOUBLE(b) ? (long double)bson_iter_double(b)
                                      : (long double)bson_iter_as_int64(b);
    return order_of((left > right) - (left < right));
}

static enum key_order
compare_bytes(struct envl_bytes a, struct envl_bytes b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int difference = least == 0 ? 0 : memcmp(a.ptr, b.ptr, least);

    if (difference == 0)
        difference = (a.len > b.len) - (a.len < b.len);
    return order_of(difference);
}

static struct envl_bytes
text_at(const bson_iter_t *at)
{
    uint32_t len = 0;
    const char *text = BSON_ITER_HOLDS_UTF8(at)
                           ? bson_iter_utf8(at, &len)
                           : bson_iter_symbol(at, &len);

    return (struct envl_bytes){ (const uint8_t *)text, len };
}

/* By length, subtype, bytes. */
static enum key_order
compare_binaries(const bson_iter_t *a, const bson_iter_t *b)
{
    struct envl_bytes left, right;
    bson_subtype_t left_type, right_type;
    uint32_t left_len, right_len;

    bson_iter_binary(a, &left_type, &left_len, &left.ptr);
    bson_iter_binary(b, &right_type, &right_len, &right.ptr);
    if (left_len != right_len)
        return left_len < right_len ? KEY_LESS : KEY_GREATER;
    if (left_type != right_type)
        return left_type < right_type ? KEY_LESS : KEY_GREATER;
    left.len = right.len = left_len;
    return compare_bytes(left, right);
}

static enum key_order
compare_int64(int64_t a, int64_t b)
{
    return order_of((a > b) - (a < b));
}

enum key_order
key_compare(const bson_iter_t *a, const bson_iter_t *b, bool collated)
{
    enum key_class class = key_class(a);

    if (class != key_class(b))
        return class < key_class(b) ? KEY_LESS : KEY_GREATER;
    if (key_single(class))
        return KEY_EQUAL;
    switch (class) {
    case KEY_NUMBER:
        return compare_numbers(a, b);
    case KEY_TEXT:
        return collated ? KEY_UNKNOWN : compare_bytes(text_at(a), text_at(b));
    case KEY_BINARY:
        return compare_binaries(a, b);
    case KEY_OID:
        return order_of(bson_oid_compare(bson_iter_oid(a), bson_iter_oid(b)));
    case KEY_BOOL:
        return compare_int64(bson_iter_bool(a), bson_iter_bool(b));
    case KEY_DATE:
        return compare_int64(bson_iter_date_time(a), bson_iter_date_time(b));
    default:
        return KEY_UNKNOWN;
    }
}

/* ---- names -------------------------------------------------------------- */

/* What has no typed text (a date, a document) is shown as extended JSON. */
static enum envl_status
show_other(const bson_iter_t *id, char *out, size_t size)
{
    bson_t document = BSON_INITIALIZER;
    char *json = NULL;

    if (bson_append_iter(&document, "_id", 3, id))
        json = bson_as_relaxed_extended_json(&document, NULL);
    /* { "_id" : value } */
    if (json != NULL && strlen(json) > 11)
        snprintf(out, size, "%.*s", (int)(strlen(json) - 12), json + 10);
    else
        snprintf(out, size, "(type %d)", (int)bson_iter_type(id));
    bson_free(json);
    bson_destroy(&document);
    return ENVL_OK;
}

enum envl_status
key_name(const bson_iter_t *id, struct arena *arena, struct envl_bytes *out)
{
    char text[NAME_CHARS + 8], other[NAME_CHARS];
    struct envl_cell ident;
    enum envl_status status = ident_text(id, arena, &ident);
    const char *shown = other;
    size_t len;

    if (status != ENVL_OK)
        return status;
    if (ident.kind != ENVL_KIND_TEXT) {
        show_other(id, other, sizeof(other));
        len = strlen(other);
    } else {
        bool number = memcmp(ident.bytes.ptr, "int:", 4) == 0;

        shown = (const char *)ident.bytes.ptr + (number ? 4 : 0);
        len = ident.bytes.len - (number ? 4 : 0);
    }
    if (len > NAME_CHARS - 4) { /* never in the middle of a character */
        for (len = NAME_CHARS - 4; ((uint8_t)shown[len] & 0xc0) == 0x80;)
            len--;
        snprintf(text, sizeof(text), "_id=%.*s...", (int)len, shown);
        return arena_dup(arena, envl_bytes_of(text), out);
    }
    snprintf(text, sizeof(text), "_id=%.*s", (int)len, shown);
    return arena_dup(arena, envl_bytes_of(text), out);
}
