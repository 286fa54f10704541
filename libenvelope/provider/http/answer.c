#include "provider/http/answer.h"

#include <stdarg.h>
#include <string.h>

#include <sodium.h>

#define SECRET_LIMIT 16384u

/* The value whose first token was just read, with all that is in it. */
static bool
whole_value(struct json_scan *scan, enum json_token kind,
            struct answer_value *out)
{
    size_t start = scan->start;

    if (kind == JSON_SCAN_ERROR || kind == JSON_SCAN_END)
        return false;
    if (kind == JSON_SCAN_OBJECT_BEGIN || kind == JSON_SCAN_ARRAY_BEGIN) {
        if (!json_scan_skip(scan))
            return false;
    } else {
        out->kind = kind;
        out->text = (struct envl_bytes){ scan->text.ptr + start, scan->len };
        return true;
    }
    out->kind = kind;
    out->text = (struct envl_bytes){ scan->text.ptr + start,
                                     scan->at - start };
    return true;
}

bool
answer_whole(struct envl_bytes text, struct answer_value *out)
{
    struct json_scan scan;
    bool ok;

    if (!json_scan_valid(text))
        return false;
    json_scan_init(&scan, text);
    ok = whole_value(&scan, json_scan_next(&scan), out);
    json_scan_free(&scan);
    return ok;
}

/* Escapes in names are undone: "\u0064ata" is "data", and the same member. */
static bool
is_named(struct json_scan *scan, const char *name)
{
    struct envl_buf text = ENVL_BUF_INIT;
    bool same = json_scan_unescape((struct envl_bytes){
                    scan->text.ptr + scan->start, scan->len }, &text,
                    NULL) == ENVL_OK &&
                text.len == strlen(name) &&
                strncmp((const char *)text.ptr, name, text.len) == 0;

    envl_buf_free(&text);
    return same;
}

bool
answer_member(const struct answer_value *object, const char *name,
              struct answer_value *out)
{
    struct json_scan scan;
    enum json_token token;
    size_t found = 0;

    out->kind = JSON_SCAN_END;
    if (object->kind != JSON_SCAN_OBJECT_BEGIN)
        return false;
    json_scan_init(&scan, object->text);
    token = json_scan_next(&scan);
    while ((token = json_scan_next(&scan)) == JSON_SCAN_NAME) {
        struct answer_value value;
        bool is_it = is_named(&scan, name);

        if (!whole_value(&scan, json_scan_next(&scan), &value))
            break;
        if (is_it && found++ == 0)
            *out = value;
    }
    json_scan_free(&scan);
    if (found == 1 && token == JSON_SCAN_OBJECT_END)
        return true;
    out->kind = JSON_SCAN_END;
    return false;
}

bool
answer_path(const struct answer_value *object, const char *path,
            struct answer_value *out)
{
    struct answer_value at = *object;
    char name[64];

    for (;;) {
        size_t len = strcspn(path, ".");

        if (len >= sizeof(name))
            return false;
        memcpy(name, path, len);
        name[len] = '\0';
        if (!answer_member(&at, name, out))
            return false;
        if (path[len] == '\0')
            return true;
        at = *out;
        path += len + 1;
    }
}

void
answer_items_begin(const struct answer_value *array,
                   struct answer_items *out)
{
    out->failed = array->kind != JSON_SCAN_ARRAY_BEGIN;
    json_scan_init(&out->scan, array->text);
    if (!out->failed)
        out->failed = json_scan_next(&out->scan) != JSON_SCAN_ARRAY_BEGIN;
}

bool
answer_items_next(struct answer_items *items, struct answer_value *out)
{
    enum json_token token;

    if (items->failed)
        return false;
    token = json_scan_next(&items->scan);
    if (token == JSON_SCAN_ARRAY_END || !whole_value(&items->scan, token,
                                                     out)) {
        items->failed = true;
        return false;
    }
    return true;
}

void
answer_items_end(struct answer_items *items)
{
    json_scan_free(&items->scan);
}

static enum envl_status
no_string(struct envl_error *err)
{
    return envl_fail(err, ENVL_E_FORMAT, "an answer lacks a string");
}

enum envl_status
answer_text(const struct answer_value *value, struct envl_buf *out,
            struct envl_error *err)
{
    size_t before = out->len;
    enum envl_status status;

    if (value->kind != JSON_SCAN_STRING)
        return no_string(err);
    status = json_scan_unescape(value->text, out, err);
    if (status == ENVL_OK && out->len > before &&
        memchr(out->ptr + before, 0, out->len - before) != NULL)
        status = no_string(err);
    return status;
}

enum envl_status
answer_secret(const struct answer_value *value, struct envl_secret **out,
              struct envl_error *err)
{
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status = answer_text(value, &text, err);

    if (status == ENVL_OK && (text.len == 0 || text.len > SECRET_LIMIT))
        status = no_string(err);
    if (status == ENVL_OK)
        status = envl_secret_new(text.len, out, err);
    if (status == ENVL_OK)
        memcpy(envl_secret_span(*out).ptr, text.ptr, text.len);
    envl_buf_free(&text);
    return status;
}

enum envl_status
answer_base64(const struct answer_value *value, struct envl_span *out,
              struct envl_error *err)
{
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status = answer_text(value, &text, err);
    const char *end = NULL;
    size_t len = 0;

    if (status == ENVL_OK && text.len > 0 &&
        text.ptr[text.len - 1] == '\n')
        text.len--;
    if (status == ENVL_OK &&
        (sodium_base642bin(out->ptr, out->len, (const char *)text.ptr,
                           text.len, NULL, &len, &end,
                           sodium_base64_VARIANT_ORIGINAL) != 0 ||
         end != (const char *)text.ptr + text.len))
        status = envl_fail(err, ENVL_E_FORMAT, "an answer is not base64");
    if (status == ENVL_OK)
        out->len = len;
    else
        sodium_memzero(out->ptr, out->len);
    envl_buf_free(&text);
    return status;
}

int64_t
answer_number(const struct answer_value *value, int64_t otherwise)
{
    int64_t number = 0;

    if (value->kind != JSON_SCAN_NUMBER || value->text.len > 15)
        return otherwise;
    for (size_t i = 0; i < value->text.len; i++) {
        if (value->text.ptr[i] < '0' || value->text.ptr[i] > '9')
            return otherwise;
        number = number * 10 + (value->text.ptr[i] - '0');
    }
    return number;
}

enum envl_status
answer_put_base64(struct envl_bytes bytes, struct envl_buf *out,
                  struct envl_error *err)
{
    size_t room = sodium_base64_ENCODED_LEN(bytes.len,
                                            sodium_base64_VARIANT_ORIGINAL);
    enum envl_status status = envl_buf_reserve(out, room + 2, err);

    if (status != ENVL_OK)
        return status;
    out->ptr[out->len++] = '"';
    sodium_bin2base64((char *)out->ptr + out->len, room, bytes.ptr,
                      bytes.len, sodium_base64_VARIANT_ORIGINAL);
    out->len += room - 1; /* without its NUL */
    out->ptr[out->len++] = '"';
    return ENVL_OK;
}

enum envl_status
answer_put(struct envl_buf *out, struct envl_error *err, ...)
{
    enum envl_status status = ENVL_OK;
    const char *text;
    va_list list;

    va_start(list, err);
    while (status == ENVL_OK && (text = va_arg(list, const char *)) != NULL)
        status = envl_buf_append(out, envl_bytes_of(text), err);
    va_end(list);
    return status;
}
