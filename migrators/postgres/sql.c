#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/sql.h"

/* Header of a binary array: dimensions, flags, type, count, lower bound. */
#define ARRAY_HEADER 20u
#define ARRAY_COUNT  12u

static void
append(struct sql *sql, const void *bytes, size_t len)
{
    struct envl_bytes piece = { bytes, len };

    if (!sql->failed && envl_buf_append(&sql->buf, piece, NULL) != ENVL_OK)
        sql->failed = true;
}

void
sql_put(struct sql *sql, const char *text)
{
    append(sql, text, strlen(text));
}

void
sql_format(struct sql *sql, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int len;

    va_start(args, format);
    len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0) {
        sql->failed = true;
        return;
    }
    append(sql, text, (size_t)len);
    free(text);
}

static void
append_quoted(struct sql *sql, char *quoted)
{
    if (quoted == NULL) {
        sql->failed = true;
        return;
    }
    sql_put(sql, quoted);
    PQfreemem(quoted);
}

void
sql_name(struct sql *sql, PGconn *conn, const char *name)
{
    append_quoted(sql, PQescapeIdentifier(conn, name, strlen(name)));
}

void
sql_literal(struct sql *sql, PGconn *conn, struct envl_bytes text)
{
    const char *chars = text.len == 0 ? "" : (const char *)text.ptr;

    append_quoted(sql, PQescapeLiteral(conn, chars, text.len));
}

const char *
sql_text(struct sql *sql)
{
    if (!sql->failed && envl_buf_reserve(&sql->buf, 1, NULL) != ENVL_OK)
        sql->failed = true;
    if (sql->failed)
        return NULL;
    sql->buf.ptr[sql->buf.len] = 0;
    return (const char *)sql->buf.ptr;
}

char *
sql_take(struct sql *sql)
{
    const char *text = sql_text(sql);
    char *copy = text == NULL ? NULL : strdup(text);

    sql_free(sql);
    return copy;
}

void
sql_free(struct sql *sql)
{
    envl_buf_free(&sql->buf);
    sql->failed = false;
}

/* ---- arrays ------------------------------------------------------------- */

static void
put_be32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof(value));
}

void
sql_array_begin(struct sql_array *array, Oid type)
{
    array->buf.len = 0;
    array->count = 0;
    array->failed = envl_buf_reserve(&array->buf, ARRAY_HEADER, NULL) !=
                    ENVL_OK;
    if (array->failed)
        return;
    array->buf.len = ARRAY_HEADER;
    put_be32(array->buf.ptr, 1);
    put_be32(array->buf.ptr + 4, 0);
    put_be32(array->buf.ptr + 8, type);
    put_be32(array->buf.ptr + ARRAY_COUNT, 0);
    put_be32(array->buf.ptr + 16, 1);
}

uint8_t *
sql_array_room(struct sql_array *array, size_t len)
{
    struct envl_buf *buf = &array->buf;

    if (len > INT32_MAX || (!array->failed && buf->cap - buf->len < len + 4 &&
                            envl_buf_reserve(buf, len + 4, NULL) != ENVL_OK))
        array->failed = true;
    if (array->failed)
        return NULL;
    put_be32(buf->ptr + buf->len, (uint32_t)len);
    buf->len += len + 4;
    array->count++;
    return buf->ptr + buf->len - len;
}

void
sql_array_add(struct sql_array *array, struct envl_bytes element)
{
    uint8_t *room = sql_array_room(array, element.len);

    if (room != NULL && element.len > 0)
        memcpy(room, element.ptr, element.len);
}

void
sql_array_add_int4(struct sql_array *array, int32_t value)
{
    uint8_t *room = sql_array_room(array, 4);

    if (room != NULL)
        put_be32(room, (uint32_t)value);
}

struct envl_bytes
sql_array_end(struct sql_array *array)
{
    if (array->failed)
        return (struct envl_bytes){ NULL, 0 };
    put_be32(array->buf.ptr + ARRAY_COUNT, array->count);
    return envl_buf_view(&array->buf);
}

void
sql_array_free(struct sql_array *array)
{
    envl_buf_free(&array->buf);
    array->count = 0;
}
