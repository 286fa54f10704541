#include <string.h>

#include <sodium.h>

#include "sqlite/db.h"
#include "sqlite/sql_scan.h"
#include "sqlite/table.h"

/* One load, and the first thing that went wrong. */
struct load {
    struct envl_store *store;
    struct arena *arena;
    struct table *table;
    struct envl_error *err;
};

static enum envl_status
no_memory(const struct load *load)
{
    return say_fail(load->store->host, load->err, ENVL_E_NOMEM,
                    "out of memory for a table's description");
}

static const char *
keep(const struct load *load, const char *text)
{
    struct envl_bytes copy;

    if (arena_dup(load->arena, envl_bytes_of(text), &copy) != ENVL_OK)
        return NULL;
    return (const char *)copy.ptr;
}

/* Run ${sql} with ${name} for ?1 and give each row to ${take}. */
static enum envl_status
each_row(const struct load *load, const char *sql, const char *name,
         enum envl_status (*take)(const struct load *load, sqlite3_stmt *row))
{
    sqlite3_stmt *rows;
    enum envl_status status = db_prepare(load->store, sql, &rows, load->err);
    int code = SQLITE_ROW;

    if (status != ENVL_OK)
        return status;
    db_bind_text(rows, 1, envl_bytes_of(name));
    while (status == ENVL_OK &&
           (code = db_step(load->store, rows)) == SQLITE_ROW)
        status = take(load, rows);
    if (status == ENVL_OK && code != SQLITE_DONE)
        status = db_fail(load->store, load->err, code, "reading the schema");
    sqlite3_finalize(rows);
    return status;
}

/* ---- which table -------------------------------------------------------- */

static enum envl_status
take_table(const struct load *load, sqlite3_stmt *row)
{
    const char *type = db_text(row, 1);
    struct table *table = load->table;

    table->name = keep(load, db_text(row, 0));
    table->rowid = sqlite3_column_int(row, 2) == 0;
    table->strict = sqlite3_column_int(row, 3) != 0;
    table->sql = keep(load, db_text(row, 4));
    if (table->name == NULL || table->sql == NULL)
        return no_memory(load);
    if (strcmp(type, "table") == 0 &&
        sqlite3_strlike("sqlite\\_%", table->name, '\\') != 0 &&
        sqlite3_strlike("envelope\\_%", table->name, '\\') != 0)
        return ENVL_OK;
    say_fail(load->store->host, load->err, ENVL_E_POLICY,
             "%s is %s, and only an ordinary table can be swept",
             table->name,
             strcmp(type, "view") == 0 ? "a view" :
             strcmp(type, "virtual") == 0 ? "a virtual table" :
             strcmp(type, "shadow") == 0 ? "a shadow table" :
             "a table of SQLite's or of this program's own");
    if (strcmp(type, "view") == 0)
        say_hint(load->store->host, load->err,
                 "name the table behind the view");
    return ENVL_E_POLICY;
}

static enum envl_status
find_table(const struct load *load, const char *name)
{
    return each_row(load, "SELECT l.name, l.type, l.wr, l.strict, s.sql "
                    "FROM pragma_table_list AS l JOIN sqlite_schema AS s "
                    "ON s.name = l.name AND s.type IN ('table', 'view') "
                    "WHERE l.schema = 'main' "
                    "AND l.name = ?1 COLLATE NOCASE", name, take_table);
}

/* spec: JOB-10 */
static enum envl_status
choose_table(const struct load *load, const char *text)
{
    const struct envl_host *host = load->store->host;
    char schema[256], name[256];
    enum envl_status status = find_table(load, text);

    if (status != ENVL_OK || load->table->name != NULL)
        return status;
    if (sql_scan_table(text, schema, name, sizeof(name))) {
        if (schema[0] != '\0' && !db_names_one(schema, "main"))
            return say_fail(host, load->err, ENVL_E_USAGE,
                            "table %s: a SQLite file has the schema main only",
                            text);
        status = find_table(load, name);
        if (status != ENVL_OK || load->table->name != NULL)
            return status;
    }
    say_fail(host, load->err, ENVL_E_NOTFOUND, "there is no table %s", text);
    say_hint(host, load->err, "the names are those of: SELECT name FROM "
             "sqlite_schema WHERE type = 'table'");
    return ENVL_E_NOTFOUND;
}

/* ---- columns ------------------------------------------------------------ */

/* datatype3.html section 3.1, its five rules in order. */
static enum table_affinity
affinity_of(const char *type)
{
    if (sqlite3_strlike("%INT%", type, 0) == 0)
        return TABLE_NUMBER;
    if (sqlite3_strlike("%CHAR%", type, 0) == 0 ||
        sqlite3_strlike("%CLOB%", type, 0) == 0 ||
        sqlite3_strlike("%TEXT%", type, 0) == 0)
        return TABLE_TEXT;
    if (sqlite3_strlike("%BLOB%", type, 0) == 0)
        return TABLE_BLOB;
    if (type[0] == '\0' || sqlite3_stricmp(type, "ANY") == 0)
        return TABLE_ANY;
    return TABLE_NUMBER;
}

static enum envl_status
take_column(const struct load *load, sqlite3_stmt *row)
{
    struct table *table = load->table;
    struct table_column *column = &table->columns[table->column_count++];
    const char *collation = NULL;
    int hidden = sqlite3_column_int(row, 4);

    column->name = keep(load, db_text(row, 0));
    column->type = keep(load, db_text(row, 1));
    if (column->name == NULL || column->type == NULL)
        return no_memory(load);
    /* Outside STRICT tables "ANY" is a number's name like any other. */
    column->affinity = affinity_of(column->type);
    if (!table->strict && sqlite3_stricmp(column->type, "ANY") == 0)
        column->affinity = TABLE_NUMBER;
    column->not_null = sqlite3_column_int(row, 2) != 0;
    column->key_part = sqlite3_column_int(row, 3);
    column->generated = hidden == 2 || hidden == 3;
    sqlite3_table_column_metadata(load->store->db, "main", table->name,
                                  column->name, NULL, &collation, NULL, NULL,
                                  NULL);
    column->collation = keep(load, collation == NULL ? "BINARY" : collation);
    return column->collation == NULL ? no_memory(load) : ENVL_OK;
}

static enum envl_status
count_rows(const struct load *load, sqlite3_stmt *row)
{
    (void)row;
    load->table->column_count++;
    return ENVL_OK;
}

static enum envl_status
load_columns(const struct load *load)
{
    static const char sql[] =
        "SELECT name, type, \"notnull\", pk, hidden "
        "FROM pragma_table_xinfo(?1, 'main')";
    struct table *table = load->table;
    enum envl_status status = each_row(load, sql, table->name, count_rows);
    size_t size = table->column_count * sizeof(*table->columns);

    if (status != ENVL_OK)
        return status;
    table->columns = arena_alloc(load->arena, size);
    if (table->columns == NULL)
        return no_memory(load);
    memset(table->columns, 0, size);
    table->column_count = 0;
    return each_row(load, sql, table->name, take_column);
}

int
table_column(const struct table *table, const char *name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return (int)i;
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (db_names_one(table->columns[i].name, name))
            return (int)i;
    }
    return -1;
}

/* ---- unique indexes ----------------------------------------------------- */

static enum envl_status
take_index(const struct load *load, sqlite3_stmt *row)
{
    struct table *table = load->table;
    struct table_unique *unique = &table->uniques[table->unique_count++];

    unique->name = keep(load, db_text(row, 0));
    unique->primary = strcmp(db_text(row, 1), "pk") == 0;
    return unique->name == NULL ? no_memory(load) : ENVL_OK;
}

static enum envl_status
count_index(const struct load *load, sqlite3_stmt *row)
{
    (void)row;
    load->table->unique_count++;
    return ENVL_OK;
}

/* The index being filled is the last of those counted so far. */
static enum envl_status
take_part(const struct load *load, sqlite3_stmt *row)
{
    struct table_unique *unique =
        &load->table->uniques[load->table->unique_count];
    int column = sqlite3_column_int(row, 0);

    if (column < 0 || unique->count == 16) {
        unique->count = UINT32_MAX; /* an expression: not for us */
        return ENVL_OK;
    }
    if (unique->count == UINT32_MAX)
        return ENVL_OK;
    unique->columns[unique->count] = (uint32_t)column;
    unique->collations[unique->count] = keep(load, db_text(row, 1));
    return unique->collations[unique->count++] == NULL ? no_memory(load)
                                                       : ENVL_OK;
}

static enum envl_status
load_uniques(const struct load *load)
{
    static const char sql[] =
        "SELECT name, origin FROM pragma_index_list(?1, 'main') "
        "WHERE \"unique\" AND NOT partial ORDER BY origin <> 'pk', seq";
    struct table *table = load->table;
    enum envl_status status = each_row(load, sql, table->name, count_index);
    uint32_t count = table->unique_count, kept = 0;
    size_t size = count * sizeof(*table->uniques);

    if (status != ENVL_OK)
        return status;
    table->uniques = arena_alloc(load->arena, size);
    if (table->uniques == NULL)
        return no_memory(load);
    memset(table->uniques, 0, size);
    table->unique_count = 0;
    status = each_row(load, sql, table->name, take_index);
    for (uint32_t i = 0; status == ENVL_OK && i < count; i++) {
        table->unique_count = i;
        status = each_row(load, "SELECT cid, coll FROM "
                          "pragma_index_xinfo(?1, 'main') WHERE key "
                          "ORDER BY seqno", table->uniques[i].name,
                          take_part);
        if (table->uniques[i].count != UINT32_MAX)
            table->uniques[kept++] = table->uniques[i];
    }
    table->unique_count = kept;
    return status;
}

/* A single INTEGER primary key without an index of its own is the rowid. */
static int
find_alias(const struct table *table)
{
    int alias = -1;

    for (uint32_t i = 0; i < table->unique_count; i++) {
        if (table->uniques[i].primary)
            return -1;
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].key_part > 1)
            return -1;
        if (table->columns[i].key_part == 1 &&
            db_names_one(table->columns[i].type, "INTEGER"))
            alias = (int)i;
    }
    return table->rowid ? alias : -1;
}

enum envl_status
table_load(struct envl_store *store, const char *text, struct arena *arena,
           struct table *out, struct envl_error *err)
{
    struct load load = { store, arena, out, err };
    enum envl_status status;

    memset(out, 0, sizeof(*out));
    status = choose_table(&load, text);
    if (status == ENVL_OK)
        status = load_columns(&load);
    if (status == ENVL_OK)
        status = load_uniques(&load);
    if (status == ENVL_OK)
        out->alias = find_alias(out);
    return status;
}

/* ---- has it changed? ---------------------------------------------------- */

enum envl_status
table_fingerprint(struct envl_store *store, const char *table,
                  uint8_t out[32], struct envl_error *err)
{
    crypto_generichash_state hash;
    sqlite3_stmt *rows;
    enum envl_status status;
    int code;

    status = db_prepare(store, "SELECT type, name, sql FROM sqlite_schema "
                        "WHERE tbl_name = ?1 COLLATE NOCASE "
                        "AND name NOT GLOB 'envelope_guard_*' "
                        "ORDER BY type, name", &rows, err);
    if (status != ENVL_OK)
        return status;
    db_bind_text(rows, 1, envl_bytes_of(table));
    crypto_generichash_init(&hash, NULL, 0, 32);
    while ((code = db_step(store, rows)) == SQLITE_ROW) {
        for (int i = 0; i < 3; i++) {
            const char *text = db_text(rows, i);

            crypto_generichash_update(&hash, (const unsigned char *)text,
                                      strlen(text) + 1);
        }
    }
    crypto_generichash_final(&hash, out, 32);
    if (code != SQLITE_DONE)
        status = db_fail(store, err, code, "reading the schema");
    sqlite3_finalize(rows);
    return status;
}
