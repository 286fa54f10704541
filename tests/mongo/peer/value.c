#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "value.h"

bool
value_trouble(struct trouble *trouble, int code, const char *name,
              const char *format, ...)
{
    va_list args;

    if (trouble->code != 0)
        return false;
    trouble->code = code;
    trouble->name = name;
    va_start(args, format);
    vsnprintf(trouble->text, sizeof(trouble->text), format, args);
    va_end(args);
    return false;
}

static const struct {
    bson_type_t type;
    int order; /* the server's canonical type, shifted to be positive */
    const char *name;
} types[] = {
    { BSON_TYPE_MINKEY, 0, "minKey" },
    { BSON_TYPE_EOD, 1, "missing" },
    { BSON_TYPE_UNDEFINED, 1, "undefined" },
    { BSON_TYPE_NULL, 5, "null" },
    { BSON_TYPE_INT32, 10, "int" },
    { BSON_TYPE_INT64, 10, "long" },
    { BSON_TYPE_DOUBLE, 10, "double" },
    { BSON_TYPE_DECIMAL128, 10, "decimal" },
    { BSON_TYPE_UTF8, 15, "string" },
    { BSON_TYPE_SYMBOL, 15, "symbol" },
    { BSON_TYPE_DOCUMENT, 20, "object" },
    { BSON_TYPE_ARRAY, 25, "array" },
    { BSON_TYPE_BINARY, 30, "binData" },
    { BSON_TYPE_OID, 35, "objectId" },
    { BSON_TYPE_BOOL, 40, "bool" },
    { BSON_TYPE_DATE_TIME, 45, "date" },
    { BSON_TYPE_TIMESTAMP, 47, "timestamp" },
    { BSON_TYPE_REGEX, 50, "regex" },
    { BSON_TYPE_DBPOINTER, 55, "dbPointer" },
    { BSON_TYPE_CODE, 60, "javascript" },
    { BSON_TYPE_CODEWSCOPE, 65, "javascriptWithScope" },
    { BSON_TYPE_MAXKEY, 127, "maxKey" },
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static int
order_of(bson_type_t type)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (types[i].type == type)
            return types[i].order;
    }
    return 126;
}

const char *
value_type_name(bson_type_t type)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (types[i].type == type)
            return types[i].name;
    }
    return "unknown";
}

bool
value_is_number(const bson_value_t *value)
{
    return order_of(value->value_type) == 10;
}

static long double
number(const bson_value_t *value)
{
    char text[BSON_DECIMAL128_STRING];

    switch (value->value_type) {
    case BSON_TYPE_INT32: return value->value.v_int32;
    case BSON_TYPE_INT64: return (long double)value->value.v_int64;
    case BSON_TYPE_DOUBLE: return (long double)value->value.v_double;
    case BSON_TYPE_DECIMAL128:
        bson_decimal128_to_string(&value->value.v_decimal128, text);
        return strtold(text, NULL);
    default: return 0;
    }
}

int64_t
value_int64(const bson_value_t *value)
{
    return value == NULL ? 0 : (int64_t)number(value);
}

bool
value_truth(const bson_value_t *value)
{
    switch (value->value_type) {
    case BSON_TYPE_EOD:
    case BSON_TYPE_UNDEFINED:
    case BSON_TYPE_NULL: return false;
    case BSON_TYPE_BOOL: return value->value.v_bool;
    default: return !value_is_number(value) || number(value) != 0;
    }
}

bson_value_t
value_of_doc(const bson_t *doc)
{
    bson_value_t value = { .value_type = BSON_TYPE_DOCUMENT };

    /* Borrowed: a bson_value_t has no const form. */
    value.value.v_doc.data = (uint8_t *)(uintptr_t)bson_get_data(doc);
    value.value.v_doc.data_len = doc->len;
    return value;
}

bool
value_doc(const bson_value_t *value, bson_t *doc)
{
    return (value->value_type == BSON_TYPE_DOCUMENT ||
            value->value_type == BSON_TYPE_ARRAY) &&
           bson_init_static(doc, value->value.v_doc.data,
                            value->value.v_doc.data_len);
}

static int
three_way(long double a, long double b)
{
    /* NaN is less than every number, and equal to itself. */
    if (a != a || b != b)
        return (a == a) - (b == b);
    return (a > b) - (a < b);
}

static int
compare_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

    return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

static int
compare_docs(const bson_value_t *a, const bson_value_t *b)
{
    bson_iter_t left, right;
    bool more_left, more_right;

    if (!bson_iter_init_from_data(&left, a->value.v_doc.data,
                                  a->value.v_doc.data_len) ||
        !bson_iter_init_from_data(&right, b->value.v_doc.data,
                                  b->value.v_doc.data_len))
        return 0;
    for (;;) {
        const bson_value_t *x, *y;
        int c;

        more_left = bson_iter_next(&left);
        more_right = bson_iter_next(&right);
        if (!more_left || !more_right)
            return more_left - more_right;
        x = bson_iter_value(&left);
        y = bson_iter_value(&right);
        c = order_of(x->value_type) - order_of(y->value_type);
        if (c == 0 && a->value_type == BSON_TYPE_DOCUMENT)
            c = strcmp(bson_iter_key(&left), bson_iter_key(&right));
        if (c == 0)
            c = value_compare(x, y);
        if (c != 0)
            return c;
    }
}

static int
compare_binary(const bson_value_t *a, const bson_value_t *b)
{
    uint32_t x = a->value.v_binary.data_len, y = b->value.v_binary.data_len;

    if (x != y)
        return x < y ? -1 : 1;
    if (a->value.v_binary.subtype != b->value.v_binary.subtype)
        return (int)a->value.v_binary.subtype - (int)b->value.v_binary.subtype;
    return memcmp(a->value.v_binary.data, b->value.v_binary.data, x);
}

static int
compare_regex(const bson_value_t *a, const bson_value_t *b)
{
    int c = strcmp(a->value.v_regex.regex, b->value.v_regex.regex);

    return c != 0 ? c : strcmp(a->value.v_regex.options,
                               b->value.v_regex.options);
}

int
value_compare(const bson_value_t *a, const bson_value_t *b)
{
    int c = order_of(a->value_type) - order_of(b->value_type);

    if (c != 0)
        return c;
    switch (a->value_type) {
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
    case BSON_TYPE_DOUBLE:
    case BSON_TYPE_DECIMAL128: return three_way(number(a), number(b));
    case BSON_TYPE_UTF8:
    case BSON_TYPE_SYMBOL:
        return compare_bytes(a->value.v_utf8.str, a->value.v_utf8.len,
                             b->value.v_utf8.str, b->value.v_utf8.len);
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY: return compare_docs(a, b);
    case BSON_TYPE_BINARY: return compare_binary(a, b);
    case BSON_TYPE_OID:
        return bson_oid_compare(&a->value.v_oid, &b->value.v_oid);
    case BSON_TYPE_BOOL: return a->value.v_bool - b->value.v_bool;
    case BSON_TYPE_DATE_TIME:
        return three_way((long double)a->value.v_datetime,
                         (long double)b->value.v_datetime);
    case BSON_TYPE_TIMESTAMP:
        c = three_way(a->value.v_timestamp.timestamp,
                      b->value.v_timestamp.timestamp);
        return c != 0 ? c : three_way(a->value.v_timestamp.increment,
                                      b->value.v_timestamp.increment);
    case BSON_TYPE_REGEX: return compare_regex(a, b);
    case BSON_TYPE_CODE:
        return compare_bytes(a->value.v_code.code, a->value.v_code.code_len,
                             b->value.v_code.code, b->value.v_code.code_len);
    default: return 0; /* of one value, or of none we store */
    }
}

static bool
one_type_matches(bson_type_t type, const bson_value_t *spec)
{
    if (spec->value_type == BSON_TYPE_UTF8) {
        if (strcmp(spec->value.v_utf8.str, "number") == 0)
            return order_of(type) == 10;
        return strcmp(spec->value.v_utf8.str, value_type_name(type)) == 0;
    }
    return value_is_number(spec) && (int64_t)type == value_int64(spec);
}

bool
value_type_matches(const bson_value_t *value, const bson_value_t *spec)
{
    bson_t list;
    bson_iter_t iter;

    if (spec->value_type != BSON_TYPE_ARRAY)
        return one_type_matches(value->value_type, spec);
    if (!value_doc(spec, &list) || !bson_iter_init(&iter, &list))
        return false;
    while (bson_iter_next(&iter)) {
        if (one_type_matches(value->value_type, bson_iter_value(&iter)))
            return true;
    }
    return false;
}

/* MongoDB's: seed, then canonical type and value, members with their names;
   a number as the whole number in it. */
static void
hash_into(EVP_MD_CTX *ctx, const char *name, const bson_value_t *value)
{
    int32_t order = order_of(value->value_type), end = 0;
    int64_t whole = value_int64(value);
    bson_t box = BSON_INITIALIZER;
    bson_iter_t iter;

    EVP_DigestUpdate(ctx, &order, sizeof(order));
    if (name != NULL)
        EVP_DigestUpdate(ctx, name, strlen(name) + 1);
    if (value_is_number(value)) {
        EVP_DigestUpdate(ctx, &whole, sizeof(whole));
    } else if (value->value_type == BSON_TYPE_DOCUMENT ||
               value->value_type == BSON_TYPE_ARRAY) {
        if (bson_iter_init_from_data(&iter, value->value.v_doc.data,
                                     value->value.v_doc.data_len)) {
            while (bson_iter_next(&iter))
                hash_into(ctx, bson_iter_key(&iter), bson_iter_value(&iter));
        }
        EVP_DigestUpdate(ctx, &end, sizeof(end));
        EVP_DigestUpdate(ctx, "", 1);
    } else if (value->value_type != BSON_TYPE_EOD) {
        /* The bytes that follow type and name in a document of one. */
        bson_append_value(&box, "", 0, value);
        EVP_DigestUpdate(ctx, bson_get_data(&box) + 6, box.len - 7);
    }
    bson_destroy(&box);
}

int64_t
value_hash(const bson_value_t *value)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t digest[EVP_MAX_MD_SIZE] = { 0 };
    int32_t seed = 0;
    int64_t answer;

    if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1) {
        EVP_DigestUpdate(ctx, &seed, sizeof(seed));
        hash_into(ctx, NULL, value);
        EVP_DigestFinal_ex(ctx, digest, NULL);
    }
    EVP_MD_CTX_free(ctx);
    memcpy(&answer, digest, sizeof(answer));
    return answer;
}
