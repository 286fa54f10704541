#include <stdio.h>
#include <string.h>

#include "core/utf8.h"
#include "sqlite/db.h"
#include "sqlite/key.h"

#define KEY_MAX  4095u
#define NAME_MAX_CHARS 64u

/* ---- choosing ----------------------------------------------------------- */

/* Columns of the key, as the job or the schema says; -1 is an error. */
static int
list_columns(struct envl_store *store, const struct table *table,
             const struct envl_target_spec *spec, uint32_t *columns,
             struct envl_error *err)
{
    int count = 0, column;

    if (spec->key_count > KEY_COLUMNS) {
        say_fail(store->host, err, ENVL_E_LIMIT, "%s: a key of more than %d "
                 "columns", table->name, KEY_COLUMNS);
        return -1;
    }
    for (uint32_t i = 0; i < spec->key_count; i++) {
        column = table_column(table, spec->keys[i]);
        if (column < 0) {
            say_fail(store->host, err, ENVL_E_NOTFOUND,
                     "%s has no column \"%s\" (key)", table->name,
                     spec->keys[i]);
            return -1;
        }
        columns[count++] = (uint32_t)column;
    }
    if (spec->key_count > 0)
        return count;
    for (uint32_t i = 0; i < table->column_count; i++) {
        int part = table->columns[i].key_part;

        if (part > 0 && part <= KEY_COLUMNS) {
            columns[part - 1] = i;
            count++;
        }
    }
    return count;
}

static bool
contains(const uint32_t *columns, int count, uint32_t column)
{
    for (int i = 0; i < count; i++) {
        if (columns[i] == column)
            return true;
    }
    return false;
}

/* The unique index all of whose columns are among those given. */
static const struct table_unique *
prove(const struct table *table, const uint32_t *columns, int count)
{
    for (uint32_t i = 0; i < table->unique_count; i++) {
        const struct table_unique *unique = &table->uniques[i];
        uint32_t part = 0;

        while (part < unique->count &&
               contains(columns, count, unique->columns[part]))
            part++;
        if (part == unique->count && part > 0)
            return unique;
    }
    return NULL;
}

/* A name as one component: spec JOB-33. */
static enum envl_status
id_name(const char *name, bool single, struct arena *arena,
        struct envl_bytes *out)
{
    static const char special[] = "~.*[";
    uint8_t *text = arena_alloc(arena, strlen(name) * 2 + 4);
    size_t len = 2;

    if (text == NULL)
        return ENVL_E_NOMEM;
    memcpy(text, "id.", 3);
    if (!single) {
        len = 3;
        for (; *name != '\0'; name++) {
            const char *found = strchr(special, *name);

            if (found == NULL) {
                text[len++] = (uint8_t)*name;
                continue;
            }
            text[len++] = '~';
            text[len++] = (uint8_t)('0' + (found - special));
        }
    }
    *out = (struct envl_bytes){ text, len };
    return ENVL_OK;
}

static void
add_column(struct key *key, const struct table *table, uint32_t column,
           const char *collation)
{
    struct key_column *part = &key->columns[key->count++];

    part->column = &table->columns[column];
    part->collation = collation;
    part->nullable = !part->column->not_null && (int)column != table->alias;
}

static enum envl_status
not_unique(struct envl_store *store, const struct table *table, int count,
           struct envl_error *err)
{
    if (count == 0) {
        say_fail(store->host, err, ENVL_E_POLICY, "%s has no primary key",
                 table->name);
        say_hint(store->host, err, "name columns under \"key\" that a unique "
                 "index covers; a bare rowid is no key, since VACUUM changes "
                 "it");
        return ENVL_E_POLICY;
    }
    say_fail(store->host, err, ENVL_E_POLICY, "%s: nothing proves that the "
             "key is unique", table->name);
    say_hint(store->host, err, "CREATE UNIQUE INDEX on its columns, without "
             "WHERE, or name the primary key");
    return ENVL_E_POLICY;
}

/* The proving columns first, in the index's order; the rest behind. */
static void
arrange(struct key *key, const struct table *table, const uint32_t *columns,
        int count, const struct table_unique *unique)
{
    if (unique == NULL) {
        add_column(key, table, (uint32_t)table->alias, "BINARY");
    } else {
        for (uint32_t i = 0; i < unique->count; i++)
            add_column(key, table, unique->columns[i], unique->collations[i]);
    }
    for (int i = 0; i < count; i++) {
        bool have = unique == NULL
            ? (int)columns[i] == table->alias
            : contains(unique->columns, (int)unique->count, columns[i]);

        if (!have)
            add_column(key, table, columns[i],
                       table->columns[columns[i]].collation);
    }
}

enum envl_status
key_choose(struct envl_store *store, const struct table *table,
           const struct envl_target_spec *spec, struct arena *arena,
           struct key *out, struct envl_error *err)
{
    uint32_t columns[KEY_COLUMNS];
    int count = list_columns(store, table, spec, columns, err);
    const struct table_unique *unique = NULL;
    bool alias;

    memset(out, 0, sizeof(*out));
    if (count < 0)
        return spec->key_count > KEY_COLUMNS ? ENVL_E_LIMIT : ENVL_E_NOTFOUND;
    for (int i = 0; i < count; i++) {
        if (contains(columns, i, columns[i]))
            return say_fail(store->host, err, ENVL_E_USAGE, "%s: the key "
                            "names a column twice", table->name);
    }
    alias = table->alias >= 0 &&
            contains(columns, count, (uint32_t)table->alias);
    if (!alias)
        unique = prove(table, columns, count);
    if (!alias && unique == NULL)
        return not_unique(store, table, count, err);
    arrange(out, table, columns, count, unique);
    out->is_rowid = alias && count == 1;
    for (uint32_t i = 0; i < out->count; i++) {
        if (id_name(out->columns[i].column->name, count == 1, arena,
                    &out->columns[i].id_name) != ENVL_OK)
            return say_fail(store->host, err, ENVL_E_NOMEM, "out of memory");
    }
    return ENVL_OK;
}

/* ---- in SQL ------------------------------------------------------------- */

void
key_sql_list(sqlite3_str *sql, const struct key *key)
{
    for (uint32_t i = 0; i < key->count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i > 0 ? ", " : "",
                            key->columns[i].column->name);
}

void
key_sql_order(sqlite3_str *sql, const struct key *key, const char *suffix)
{
    for (uint32_t i = 0; i < key->count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\" COLLATE \"%w\"%s",
                            i > 0 ? ", " : "", key->columns[i].column->name,
                            key->columns[i].collation, suffix);
}

void
key_sql_bound(sqlite3_str *sql, const struct key *key, const char *operator,
              int first)
{
    sqlite3_str_appendall(sql, "(");
    key_sql_list(sql, key);
    sqlite3_str_appendf(sql, ") %s (", operator);
    for (uint32_t i = 0; i < key->count; i++)
        sqlite3_str_appendf(sql, "%s?%d COLLATE \"%w\"", i > 0 ? ", " : "",
                            first + (int)i, key->columns[i].collation);
    sqlite3_str_appendall(sql, ")");
}

int
key_bind(sqlite3_stmt *statement, int first, const struct value *values,
         const struct key *key)
{
    for (uint32_t i = 0; i < key->count; i++) {
        int code = value_bind(statement, first + (int)i, &values[i]);

        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

/* ---- as bytes ----------------------------------------------------------- */

/* i and r: 8 bytes, big endian; t and b: a length in 4 and the bytes. */
static uint8_t *
put_number(uint8_t *at, uint64_t number, unsigned bytes)
{
    while (bytes-- > 0)
        *at++ = (uint8_t)(number >> 8 * bytes);
    return at;
}

static uint64_t
get_number(const uint8_t *at, unsigned bytes)
{
    uint64_t number = 0;

    while (bytes-- > 0)
        number = number << 8 | *at++;
    return number;
}

static uint8_t *
put_value(uint8_t *at, const struct value *value)
{
    uint64_t number;

    switch (value->type) {
    case SQLITE_INTEGER:
        *at++ = 'i';
        return put_number(at, (uint64_t)value->as.integer, 8);
    case SQLITE_FLOAT:
        *at++ = 'r';
        memcpy(&number, &value->as.real, 8);
        return put_number(at, number, 8);
    default:
        *at++ = value->type == SQLITE_TEXT ? 't' : 'b';
        at = put_number(at, value->as.bytes.len, 4);
        if (value->as.bytes.len > 0)
            memcpy(at, value->as.bytes.ptr, value->as.bytes.len);
        return at + value->as.bytes.len;
    }
}

static size_t
size_of(const struct value *value)
{
    if (value->type == SQLITE_INTEGER || value->type == SQLITE_FLOAT)
        return 9;
    return 5 + value->as.bytes.len;
}

enum envl_status
key_encode(const struct value *values, const struct key *key,
           struct arena *arena, struct envl_bytes *out)
{
    size_t len = 0;
    uint8_t *bytes, *at;

    for (uint32_t i = 0; i < key->count; i++) {
        len += size_of(&values[i]);
        if (len > KEY_MAX)
            return ENVL_E_LIMIT;
    }
    bytes = at = arena_alloc(arena, len);
    if (bytes == NULL)
        return ENVL_E_NOMEM;
    for (uint32_t i = 0; i < key->count; i++)
        at = put_value(at, &values[i]);
    *out = (struct envl_bytes){ bytes, len };
    return ENVL_OK;
}

static bool
get_value(struct envl_bytes *rest, struct value *out)
{
    const uint8_t *at = rest->ptr;
    uint64_t number;
    size_t len = 9;

    if (rest->len < 1)
        return false;
    if (*at == 't' || *at == 'b') {
        if (rest->len < 5)
            return false;
        number = get_number(at + 1, 4);
        len = 5 + (size_t)number;
        out->type = *at == 't' ? SQLITE_TEXT : SQLITE_BLOB;
        out->as.bytes = (struct envl_bytes){ at + 5, (size_t)number };
    } else if (*at != 'i' && *at != 'r') {
        return false;
    }
    if (rest->len < len)
        return false;
    if (*at == 'i') {
        out->type = SQLITE_INTEGER;
        out->as.integer = (int64_t)get_number(at + 1, 8);
    } else if (*at == 'r') {
        out->type = SQLITE_FLOAT;
        number = get_number(at + 1, 8);
        memcpy(&out->as.real, &number, 8);
    }
    rest->ptr += len;
    rest->len -= len;
    return true;
}

bool
key_decode(struct envl_bytes bytes, const struct key *key,
           struct value *values)
{
    for (uint32_t i = 0; i < key->count; i++) {
        if (!get_value(&bytes, &values[i]))
            return false;
    }
    return bytes.len == 0;
}

/* ---- for people and contexts -------------------------------------------- */

/* Up to NAME_MAX_CHARS bytes of it, whole characters, nothing unprintable. */
static size_t
show_text(char *out, struct envl_bytes text)
{
    size_t len = text.len < NAME_MAX_CHARS ? text.len : NAME_MAX_CHARS;
    bool cut = len < text.len, clean = utf8_valid(text);

    while (cut && clean && len > 0 && (text.ptr[len] & 0xc0) == 0x80)
        len--;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text.ptr[i];

        out[i] = c < 0x20 || c == 0x7f || (c >= 0x80 && !clean) ? '?'
                                                                 : (char)c;
    }
    if (cut)
        memcpy(out + len, "...", 3);
    return cut ? len + 3 : len;
}

static size_t
show(char *out, size_t room, const struct value *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        return (size_t)snprintf(out, room, "%lld",
                                (long long)value->as.integer);
    case SQLITE_FLOAT:
        return (size_t)snprintf(out, room, "%.17g", value->as.real);
    case SQLITE_TEXT:
        return show_text(out, value->as.bytes);
    default:
        memcpy(out, "x'", 2);
        room = 2;
        for (size_t i = 0; i < value->as.bytes.len && i < 24; i++)
            room += (size_t)snprintf(out + room, 3, "%02x",
                                     value->as.bytes.ptr[i]);
        room += (size_t)snprintf(out + room, 5, "%s",
                                 value->as.bytes.len > 24 ? "...'" : "'");
        return room;
    }
}

enum envl_status
key_name(const struct value *values, const struct key *key,
         struct arena *arena, struct envl_bytes *out)
{
    size_t room = 1, len = 0;
    char *text;

    for (uint32_t i = 0; i < key->count; i++)
        room += strlen(key->columns[i].column->name) + NAME_MAX_CHARS + 16;
    text = arena_alloc(arena, room);
    if (text == NULL)
        return ENVL_E_NOMEM;
    for (uint32_t i = 0; i < key->count; i++) {
        const char *name = key->columns[i].column->name;
        size_t name_len = strlen(name);

        if (i > 0) {
            memcpy(text + len, ", ", 2);
            len += 2;
        }
        memcpy(text + len, name, name_len);
        len += name_len;
        text[len++] = '=';
        len += show(text + len, room - len, &values[i]);
    }
    *out = (struct envl_bytes){ (const uint8_t *)text, len };
    return ENVL_OK;
}

enum envl_status
key_ids(const struct value *values, const struct key *key,
        struct arena *arena, const struct envl_pair **ids, uint32_t *count)
{
    struct envl_pair *pairs = arena_alloc(arena, key->count * sizeof(*pairs));

    if (pairs == NULL)
        return ENVL_E_NOMEM;
    *ids = pairs;
    *count = 0;
    for (uint32_t i = 0; i < key->count; i++) {
        if (value_text(&values[i], arena, &pairs[i].value) != ENVL_OK)
            return ENVL_E_NOMEM;
        if (pairs[i].value.ptr == NULL)
            return ENVL_OK;
        pairs[i].name = key->columns[i].id_name;
    }
    *count = key->count;
    return ENVL_OK;
}
