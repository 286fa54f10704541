#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/keys.h"

#define TYPE_TEXT 25u
#define NAME_MAX_CHARS 200u

/* ---- as SQL ------------------------------------------------------------- */

bool
keys_has_ids(const struct envl_target *target)
{
    for (uint32_t i = 0; i < target->key_count; i++) {
        if (target->keys[i]->class > COLUMN_TEXT)
            return false;
    }
    return true;
}

/* spec: JOB-33, one component */
static void
put_escaped(struct sql *sql, const char *name)
{
    for (; *name != '\0'; name++) {
        const char *special = strchr("~.*[", *name);

        if (special == NULL)
            sql_format(sql, "%c", *name);
        else
            sql_format(sql, "~%d", (int)(special - "~.*["));
    }
}

char *
keys_id_name(const char *column, uint32_t count)
{
    struct sql sql = { 0 };

    sql_put(&sql, "id");
    if (count > 1) {
        sql_put(&sql, ".");
        put_escaped(&sql, column);
    }
    return sql_take(&sql);
}

/* Types whose binary form we know are sent in it, others as text. */
static bool
is_known(const struct pg_column *column)
{
    return column->class <= COLUMN_TEXT;
}

static const char *
cast_of(const struct pg_column *column)
{
    return column->class == COLUMN_TEXT ? "pg_catalog.text"
                                        : column->type_name;
}

void
keys_put_list(const struct envl_target *target, struct sql *sql)
{
    for (uint32_t i = 0; i < target->key_count; i++)
        sql_format(sql, "%s%s%s", i == 0 ? "" : ", ", target->keys[i]->sql,
                   is_known(target->keys[i]) ? "" : "::pg_catalog.text");
}

void
keys_put_order(const struct envl_target *target, struct sql *sql,
               const char *how)
{
    for (uint32_t i = 0; i < target->key_count; i++)
        sql_format(sql, "%s%s%s", i == 0 ? "" : ", ", target->keys[i]->sql,
                   how);
}

void
keys_put_compare(const struct envl_target *target, struct sql *sql,
                 const char *op, uint32_t first)
{
    if (target->key_count == 1) {
        sql_format(sql, "%s%s$%u::%s", target->keys[0]->sql, op, first,
                   cast_of(target->keys[0]));
        return;
    }
    sql_put(sql, "ROW(");
    keys_put_order(target, sql, "");
    sql_format(sql, ")%sROW(", op);
    for (uint32_t i = 0; i < target->key_count; i++)
        sql_format(sql, "%s$%u::%s", i == 0 ? "" : ", ", first + i,
                   cast_of(target->keys[i]));
    sql_put(sql, ")");
}

void
keys_put_among(const struct envl_target *target, struct sql *sql)
{
    if (target->key_count == 1) {
        sql_format(sql, "%s" SQL_EQ "ANY($1::pg_catalog.text[]::%s[])",
                   target->keys[0]->sql, cast_of(target->keys[0]));
        return;
    }
    sql_put(sql, "EXISTS (SELECT 1 FROM (SELECT ");
    for (uint32_t i = 0; i < target->key_count; i++)
        sql_format(sql, "%spg_catalog.unnest($%u::pg_catalog.text[]::%s[]) "
                   "AS k%u", i == 0 ? "" : ", ", i + 1,
                   cast_of(target->keys[i]), i);
    sql_put(sql, ") AS envl_keys WHERE ");
    for (uint32_t i = 0; i < target->key_count; i++)
        sql_format(sql, "%s%s" SQL_EQ "envl_keys.k%u", i == 0 ? "" : " AND ",
                   target->keys[i]->sql, i);
    sql_put(sql, ")");
}

Oid
keys_array_type(const struct pg_column *column)
{
    return is_known(column) && column->class != COLUMN_TEXT ? column->type
                                                            : TYPE_TEXT;
}

void
keys_put_unnest(const struct pg_column *column, struct sql *sql,
                uint32_t parameter)
{
    if (is_known(column))
        sql_format(sql, "pg_catalog.unnest($%u::%s[])", parameter,
                   cast_of(column));
    else
        sql_format(sql, "pg_catalog.unnest($%u::pg_catalog.text[]::%s[])",
                   parameter, cast_of(column));
}

/* ---- opaque bytes to texts ---------------------------------------------- */

static uint32_t
be32_at(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return be32toh(value);
}

static enum envl_status
add_text(struct key_texts *texts, uint32_t index, struct envl_bytes text,
         struct envl_error *err)
{
    enum envl_status status;

    texts->at[index] = texts->buf.len;
    texts->len[index] = (uint32_t)text.len;
    status = envl_buf_append(&texts->buf, text, err);
    if (status != ENVL_OK)
        return status;
    return envl_buf_append(&texts->buf,
                           (struct envl_bytes){ (const uint8_t *)"", 1 }, err);
}

enum envl_status
keys_split(const struct envl_target *target, struct envl_bytes key,
           struct key_texts *texts, struct envl_error *err)
{
    const uint8_t *at = key.ptr, *end = key.ptr + key.len;
    enum envl_status status = ENVL_OK;

    texts->buf.len = 0;
    if (target->key_count == 1 && key.len > 0 && at[0] == '=')
        return add_text(texts, 0,
                        (struct envl_bytes){ at + 1, key.len - 1 }, err);
    for (uint32_t i = 0; i < target->key_count && status == ENVL_OK; i++) {
        uint32_t len;

        if (target->key_count == 1 || end - at < 4 ||
            (len = be32_at(at)) > (size_t)(end - at - 4))
            return store_fail(target->store, err, ENVL_E_USAGE,
                              "a row's key is not one of %s", target->label);
        status = add_text(texts, i, (struct envl_bytes){ at + 4, len }, err);
        at += 4 + len;
    }
    return status;
}

void
keys_params(const struct key_texts *texts, uint32_t count,
            struct pipe_params *params)
{
    for (uint32_t i = 0; i < count; i++)
        pipe_text(params, (const char *)texts->buf.ptr + texts->at[i]);
}

/* ---- a result's columns to a row ---------------------------------------- */

static uint64_t
be_at(const uint8_t *at, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value = value << 8 | at[i];
    return value;
}

/* Decimal digits of ${value}; return how many. */
static size_t
put_decimal(int64_t value, char *out)
{
    char digits[20];
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    size_t count = 0, len = 0;

    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        out[len++] = '-';
    while (count > 0)
        out[len++] = digits[--count];
    return len;
}

static size_t
put_uuid(const uint8_t *bytes, char *out)
{
    static const char hex[] = "0123456789abcdef";
    size_t len = 0;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[len++] = '-';
        out[len++] = hex[bytes[i] >> 4];
        out[len++] = hex[bytes[i] & 15];
    }
    return len;
}

/* Room that the text of a key column needs at most. */
static size_t
text_room(const struct pg_column *column, struct envl_bytes raw)
{
    if (column->class == COLUMN_UUID)
        return 36;
    return column->class <= COLUMN_INT8 ? 20 : raw.len;
}

static size_t
put_text(const struct pg_column *column, struct envl_bytes raw, char *out)
{
    switch (column->class) {
    case COLUMN_INT2:
        return put_decimal((int16_t)be_at(raw.ptr, 2), out);
    case COLUMN_INT4:
        return put_decimal((int32_t)be_at(raw.ptr, 4), out);
    case COLUMN_INT8:
        return put_decimal((int64_t)be_at(raw.ptr, 8), out);
    case COLUMN_UUID:
        return put_uuid(raw.ptr, out);
    default:
        memcpy(out, raw.ptr, raw.len);
        return raw.len;
    }
}

/* Text that would spoil a line, or fill a screen, is shown in part. */
static void
make_name_fit(struct arena *arena, struct envl_bytes *name)
{
    size_t len = name->len < NAME_MAX_CHARS ? name->len : NAME_MAX_CHARS;
    bool fit = name->len <= NAME_MAX_CHARS;
    char *copy;

    for (size_t i = 0; i < len && fit; i++)
        fit = name->ptr[i] >= 0x20 && name->ptr[i] != 0x7f;
    if (fit)
        return;
    while (len > 0 && len < name->len && (name->ptr[len] & 0xc0) == 0x80)
        len--; /* not inside a character */
    copy = arena_alloc(arena, len + 3);
    if (copy == NULL) {
        name->len = 0;
        return;
    }
    for (size_t i = 0; i < len; i++)
        copy[i] = name->ptr[i] < 0x20 || name->ptr[i] == 0x7f
                      ? '?'
                      : (char)name->ptr[i];
    if (len < name->len) {
        memcpy(copy + len, "...", 3);
        len += 3;
    }
    *name = (struct envl_bytes){ (const uint8_t *)copy, len };
}

/* The texts, each as an id's value, and the name that holds them all. */
static enum envl_status
take_texts(const struct envl_target *target, const struct envl_bytes *raw,
           struct arena *arena, struct envl_row *out, struct envl_pair *ids)
{
    size_t room = 0, at = 0;
    char *name;

    for (uint32_t i = 0; i < target->key_count; i++)
        room += strlen(target->keys[i]->name) + 2 +
                text_room(target->keys[i], raw[i]);
    name = arena_alloc(arena, room);
    if (name == NULL)
        return ENVL_E_NOMEM;
    for (uint32_t i = 0; i < target->key_count; i++) {
        const struct pg_column *column = target->keys[i];
        size_t len = strlen(column->name);

        if (i > 0)
            name[at++] = ',';
        memcpy(name + at, column->name, len);
        at += len;
        name[at++] = '=';
        len = put_text(column, raw[i], name + at);
        ids[i] = (struct envl_pair){
            envl_bytes_of(target->id_names[i]),
            { (const uint8_t *)name + at, len }
        };
        at += len;
    }
    out->name = (struct envl_bytes){ (const uint8_t *)name, at };
    return ENVL_OK;
}

/* The name of a single key ends with '=' and its text, which is the key. */
static enum envl_status
take_key(const struct envl_target *target, const struct envl_pair *ids,
         struct arena *arena, struct envl_row *out)
{
    size_t len = 0;
    uint8_t *at;

    if (target->key_count == 1) {
        out->key = (struct envl_bytes){ ids[0].value.ptr - 1,
                                        ids[0].value.len + 1 };
        return out->key.len > STORE_KEY_MAX ? ENVL_E_LIMIT : ENVL_OK;
    }
    for (uint32_t i = 0; i < target->key_count; i++)
        len += 4 + ids[i].value.len;
    if (len > STORE_KEY_MAX)
        return ENVL_E_LIMIT;
    at = arena_alloc(arena, len);
    if (at == NULL)
        return ENVL_E_NOMEM;
    out->key = (struct envl_bytes){ at, len };
    for (uint32_t i = 0; i < target->key_count; i++) {
        uint32_t be = htobe32((uint32_t)ids[i].value.len);

        memcpy(at, &be, 4);
        if (ids[i].value.len > 0)
            memcpy(at + 4, ids[i].value.ptr, ids[i].value.len);
        at += 4 + ids[i].value.len;
    }
    return ENVL_OK;
}

/* A view may come to have a null key, whatever was checked. */
static bool
fits(const struct pg_column *column, const PGresult *result, int row, int at)
{
    static const int sizes[] = { [COLUMN_INT2] = 2, [COLUMN_INT4] = 4,
                                 [COLUMN_INT8] = 8, [COLUMN_UUID] = 16 };

    if (PQgetisnull(result, row, at))
        return false;
    return column->class > COLUMN_UUID ||
           PQgetlength(result, row, at) == sizes[column->class];
}

static enum envl_status
take_raw(const struct envl_target *target, const PGresult *result,
         const int at[2], struct arena *arena, struct envl_bytes *raw)
{
    for (uint32_t i = 0; i < target->key_count; i++) {
        int column = at[1] + (int)i;
        struct envl_bytes value = {
            (const uint8_t *)PQgetvalue(result, at[0], column),
            (size_t)PQgetlength(result, at[0], column)
        };

        if (!fits(target->keys[i], result, at[0], column))
            return ENVL_E_USAGE;
        if (arena_dup(arena, value, &raw[i]) != ENVL_OK)
            return ENVL_E_NOMEM;
    }
    return ENVL_OK;
}

enum envl_status
keys_take(const struct envl_target *target, const PGresult *result,
          const int at[2], struct arena *arena, struct envl_row *out,
          struct envl_bytes **raw)
{
    size_t count = target->key_count;
    struct envl_bytes *columns = arena_alloc(arena, count * sizeof(*columns));
    struct envl_pair *ids = arena_alloc(arena, count * sizeof(*ids));
    enum envl_status status;

    if (columns == NULL || ids == NULL)
        return ENVL_E_NOMEM;
    status = take_raw(target, result, at, arena, columns);
    if (status == ENVL_OK)
        status = take_texts(target, columns, arena, out, ids);
    if (status == ENVL_OK)
        status = take_key(target, ids, arena, out);
    if (status != ENVL_OK)
        return status;
    make_name_fit(arena, &out->name);
    if (target->info.has_ids) {
        out->ids = ids;
        out->id_count = target->key_count;
    }
    if (raw != NULL)
        *raw = columns;
    return ENVL_OK;
}
