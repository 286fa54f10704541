#include <string.h>

#include "sqlite/db.h"
#include "sqlite/read.h"
#include "sqlite/statement.h"
#include "sqlite/survey.h"

/* One page being read. */
struct reading {
    struct envl_target *target;
    struct page *page;
    sqlite3_stmt *rows;
    uint64_t bytes; /* of values so far */
    struct envl_error *err;
};

static enum envl_status
no_memory(const struct reading *reading)
{
    return say_fail(reading->target->store->host, reading->err, ENVL_E_NOMEM,
                    "out of memory for a page of rows");
}

static enum envl_status
read_failed(const struct reading *reading, int code)
{
    return db_fail(reading->target->store, reading->err, code,
                   "reading a page of rows");
}

/* ---- values of a row ---------------------------------------------------- */

static enum envl_status
take_values(struct reading *reading, int first, struct value *values,
            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (value_take(reading->rows, first + (int)i, &reading->page->arena,
                       &values[i]) != ENVL_OK)
            return no_memory(reading);
        if (values[i].type == SQLITE_TEXT || values[i].type == SQLITE_BLOB)
            reading->bytes += values[i].as.bytes.len;
    }
    return ENVL_OK;
}

static enum envl_status
check_key(const struct reading *reading, const struct row *row)
{
    const struct envl_target *target = reading->target;
    const struct envl_host *host = target->store->host;

    for (uint32_t i = 0; i < target->key.count; i++) {
        if (row->keys[i].type != SQLITE_NULL)
            continue;
        say_fail(host, reading->err, ENVL_E_POLICY, "%s has a row with NULL "
                 "in the key column %s", target->table.name,
                 target->key.columns[i].column->name);
        say_hint(host, reading->err, "give it a key, or declare the column "
                 "NOT NULL");
        return ENVL_E_POLICY;
    }
    return ENVL_OK;
}

/* The row as it stands: key, rowid, slots. */
static enum envl_status
take_row(struct reading *reading, struct row **out)
{
    struct envl_target *target = reading->target;
    uint32_t keys = target->key.count;
    int next = (int)keys;
    enum envl_status status;
    struct row *row;

    row = arena_alloc(&reading->page->arena, sizeof(*row) +
                      (keys + target->slot_count) * sizeof(struct value));
    if (row == NULL)
        return no_memory(reading);
    row->keys = (struct value *)(void *)(row + 1);
    row->slots = row->keys + keys;
    row->sites = NULL;
    row->rowid = 0;
    status = take_values(reading, 0, row->keys, keys);
    if (status == ENVL_OK)
        status = check_key(reading, row);
    if (status != ENVL_OK)
        return status;
    if (target->key.is_rowid)
        row->rowid = row->keys[0].as.integer;
    else if (target->rowid != NULL)
        row->rowid = sqlite3_column_int64(reading->rows, next++);
    *out = row;
    return take_values(reading, next, row->slots, target->slot_count);
}

/* ---- what the engine sees ----------------------------------------------- */

static enum envl_status
add_leaf(struct reading *reading, const struct envl_leaf *leaf,
         struct json_site *site)
{
    if (page_add_leaf(reading->page, leaf, site) == ENVL_OK)
        return ENVL_OK;
    return no_memory(reading);
}

static enum envl_status
add_column(struct reading *reading, uint32_t index, const struct row *row)
{
    const struct field *field = &reading->target->fields[index];
    struct envl_leaf leaf = { .field = index };

    leaf.value = value_cell(&row->slots[field->slot]);
    if (field->into >= 0)
        leaf.sibling = value_cell(&row->slots[field->into]);
    return add_leaf(reading, &leaf, NULL);
}

static enum envl_status
add_found(struct reading *reading, uint32_t index,
          const struct json_leaf *found)
{
    struct arena *arena = &reading->page->arena;
    struct json_site *site = arena_alloc(arena, sizeof(*site));
    struct envl_leaf leaf = { .field = index, .path = found->path,
                              .value = found->value,
                              .sibling = found->sibling };

    if (site == NULL ||
        value_json_text(&found->element, arena,
                        &leaf.element.bytes) != ENVL_OK)
        return no_memory(reading);
    if (leaf.element.bytes.ptr != NULL)
        leaf.element.kind = ENVL_KIND_TEXT;
    else if (found->element.kind != ENVL_KIND_ABSENT)
        leaf.element.kind = ENVL_KIND_OTHER;
    *site = found->site;
    return add_leaf(reading, &leaf, site);
}

/* A document: its leaves; ABSENT if it has none; OTHER if it is no JSON. */
static enum envl_status
add_document(struct reading *reading, uint32_t index, const struct row *row)
{
    const struct field *field = &reading->target->fields[index];
    const struct value *document = &row->slots[field->slot];
    struct envl_leaf none = { .field = index };
    const struct json_leaf *found;
    enum envl_status status;
    uint32_t count;

    if (document->type == SQLITE_NULL ||
        (document->type == SQLITE_TEXT && document->as.bytes.len == 0))
        return add_leaf(reading, &none, NULL);
    none.value.kind = ENVL_KIND_OTHER;
    if (document->type != SQLITE_TEXT)
        return add_leaf(reading, &none, NULL);
    status = json_path_find(field->path, document->as.bytes,
                            &reading->page->arena, NULL);
    if (status == ENVL_E_FORMAT)
        return add_leaf(reading, &none, NULL);
    if (status != ENVL_OK)
        return no_memory(reading);
    found = json_path_leaves(field->path, &count);
    none.value.kind = ENVL_KIND_ABSENT;
    if (count == 0)
        return add_leaf(reading, &none, NULL);
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++)
        status = add_found(reading, index, &found[i]);
    return status;
}

static enum envl_status
add_extras(struct reading *reading, struct envl_row *out)
{
    struct envl_target *target = reading->target;
    uint32_t count = target->spec->extra_count;
    int first = sqlite3_column_count(reading->rows) - (int)count;
    struct arena *arena = &reading->page->arena;
    struct envl_cell *cells;

    if (count == 0)
        return ENVL_OK;
    cells = arena_alloc(arena, count * sizeof(*cells));
    if (cells == NULL)
        return no_memory(reading);
    for (uint32_t i = 0; i < count; i++) {
        struct value value;

        if (value_take(reading->rows, first + (int)i, arena,
                       &value) != ENVL_OK ||
            value_text(&value, arena, &cells[i].bytes) != ENVL_OK)
            return no_memory(reading);
        cells[i].kind = cells[i].bytes.ptr != NULL ? ENVL_KIND_TEXT
            : value.type == SQLITE_NULL ? ENVL_KIND_NULL : ENVL_KIND_OTHER;
    }
    out->extras = cells;
    return ENVL_OK;
}

static enum envl_status
name_row(struct reading *reading, const struct row *row, struct envl_row *out)
{
    struct envl_target *target = reading->target;
    struct arena *arena = &reading->page->arena;
    const struct key *key = &target->key;
    enum envl_status status = key_encode(row->keys, key, arena, &out->key);

    if (status == ENVL_E_LIMIT)
        return say_fail(target->store->host, reading->err, status, "%s has a "
                        "key of 4,096 bytes or more", target->table.name);
    if (status != ENVL_OK ||
        key_name(row->keys, key, arena, &out->name) != ENVL_OK ||
        key_ids(row->keys, key, arena, &out->ids, &out->id_count) != ENVL_OK)
        return no_memory(reading);
    return ENVL_OK;
}

static enum envl_status
add_row(struct reading *reading)
{
    struct envl_target *target = reading->target;
    struct envl_row out = { .id_count = 0 };
    struct row *row = NULL;
    enum envl_status status = take_row(reading, &row);

    if (status == ENVL_OK)
        status = name_row(reading, row, &out);
    if (status == ENVL_OK)
        status = add_extras(reading, &out);
    for (uint32_t i = 0; status == ENVL_OK && i < target->spec->field_count;
         i++)
        status = target->fields[i].path == NULL
            ? add_column(reading, i, row) : add_document(reading, i, row);
    if (status == ENVL_OK && page_end_row(reading->page, &out, row,
                                          &row->sites) != ENVL_OK)
        status = no_memory(reading);
    return status;
}

/* ---- pages -------------------------------------------------------------- */

static enum envl_status
bad_key(const struct reading *reading)
{
    return say_fail(reading->target->store->host, reading->err, ENVL_E_USAGE,
                    "a key of a checkpoint does not fit the key of %s",
                    reading->target->table.name);
}

/* Bind a bound of the range, if there is one, and count its parameters. */
static enum envl_status
bind_bound(const struct reading *reading, struct envl_bytes bound, int *next)
{
    const struct key *key = &reading->target->key;
    struct value values[KEY_COLUMNS];
    int code;

    if (bound.len == 0)
        return ENVL_OK;
    if (!key_decode(bound, key, values))
        return bad_key(reading);
    code = key_bind(reading->rows, *next, values, key);
    *next += (int)key->count;
    return code == SQLITE_OK ? ENVL_OK : read_failed(reading, code);
}

/* Take rows until they or their bytes are as many as was asked for. */
static enum envl_status
take_rows(struct reading *reading, const struct envl_read *read,
          enum envl_status status)
{
    uint32_t rows = read->rows == 0 ? 1 : read->rows;
    int code = SQLITE_ROW;

    while (status == ENVL_OK &&
           (reading->page->pub.count == 0 || read->bytes == 0 ||
            reading->bytes < read->bytes) &&
           (code = sqlite3_step(reading->rows)) == SQLITE_ROW)
        status = add_row(reading);
    if (status == ENVL_OK && code != SQLITE_ROW && code != SQLITE_DONE)
        status = read_failed(reading, code);
    reading->page->pub.end = code == SQLITE_DONE &&
                             reading->page->pub.count < rows;
    return status;
}

static enum envl_status
read_search(struct reading *reading, const struct envl_read *read)
{
    enum envl_status status;

    status = statement_search(reading->target, read->unsealed, &reading->rows,
                              reading->err);
    if (status == ENVL_OK)
        sqlite3_bind_int64(reading->rows, 1, (int64_t)read->rows);
    status = take_rows(reading, read, status);
    sqlite3_finalize(reading->rows);
    reading->rows = NULL;
    return status;
}

static enum envl_status
read_range(struct reading *reading, const struct envl_read *read)
{
    uint32_t rows = read->rows == 0 ? 1 : read->rows;
    enum envl_status status;
    int next = 1;

    status = statement_page(reading->target, read->after.len > 0,
                            read->until.len > 0, &reading->rows,
                            reading->err);
    if (status == ENVL_OK)
        status = bind_bound(reading, read->after, &next);
    if (status == ENVL_OK)
        status = bind_bound(reading, read->until, &next);
    if (status == ENVL_OK)
        sqlite3_bind_int64(reading->rows, next, (int64_t)rows);
    reading->page->contiguous = reading->target->spec->where == NULL;
    return take_rows(reading, read, status);
}

static enum envl_status
read_keys(struct reading *reading, const struct envl_read *read)
{
    struct envl_target *target = reading->target;
    struct value values[KEY_COLUMNS];
    enum envl_status status;

    status = statement_row(target, STATEMENT_ONE, &reading->rows,
                           reading->err);
    for (uint32_t i = 0; status == ENVL_OK && i < read->key_count; i++) {
        int code;

        if (!key_decode(read->keys[i], &target->key, values))
            return bad_key(reading);
        code = statement_bind_key(reading->rows, target, values);
        if (code == SQLITE_OK)
            code = sqlite3_step(reading->rows);
        if (code == SQLITE_ROW)
            status = add_row(reading);
        else if (code != SQLITE_DONE)
            status = read_failed(reading, code);
        sqlite3_reset(reading->rows);
    }
    reading->page->pub.end = true;
    return status;
}

enum envl_status
read_begin(struct envl_target *target, const struct envl_read *read,
           struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct reading reading = { .target = target, .err = err };
    enum envl_status status = target_check_schema(target, err);

    page_free(target->ready);
    target->ready = NULL;
    if (status == ENVL_OK && read->keys == NULL && read->after.len == 0 &&
        read->unsealed == NULL)
        status = survey_keys(target, err);
    if (status != ENVL_OK)
        return status;
    if (page_new(&store->pool, &reading.page) != ENVL_OK)
        return no_memory(&reading);
    db_limit(store, store->host->statement_ms);
    if (read->keys != NULL)
        status = read_keys(&reading, read);
    else if (read->unsealed != NULL && target->info.finds_unsealed)
        status = read_search(&reading, read);
    else
        status = read_range(&reading, read);
    db_unlimit(store);
    if (reading.rows != NULL) {
        sqlite3_reset(reading.rows);
        sqlite3_clear_bindings(reading.rows);
    }
    if (status == ENVL_OK)
        target->ready = reading.page;
    else
        page_free(reading.page);
    return status;
}

enum envl_status
read_end(struct envl_target *target, struct envl_page **page,
         struct envl_error *err)
{
    if (target->ready == NULL)
        return say_fail(target->store->host, err, ENVL_E_USAGE,
                        "no read was begun");
    *page = &target->ready->pub;
    target->ready = NULL;
    return ENVL_OK;
}

void
read_page_free(struct envl_page *page)
{
    page_free((struct page *)page);
}

/* ---- the largest key ---------------------------------------------------- */

enum envl_status
read_last_key(struct envl_target *target, envl_key_fn *each, void *cookie,
              struct envl_error *err)
{
    struct reading reading = { .target = target, .err = err };
    struct value values[KEY_COLUMNS];
    struct arena arena = ARENA_INIT;
    struct envl_bytes key;
    enum envl_status status;
    int code;

    status = survey_keys(target, err);
    if (status == ENVL_OK)
        status = statement_last(target, &reading.rows, err);
    if (status != ENVL_OK)
        return status;
    code = db_step(target->store, reading.rows);
    for (uint32_t i = 0; code == SQLITE_ROW && status == ENVL_OK &&
                         i < target->key.count; i++)
        status = value_take(reading.rows, (int)i, &arena, &values[i]);
    if (code == SQLITE_ROW && status == ENVL_OK)
        status = key_encode(values, &target->key, &arena, &key);
    if (status != ENVL_OK)
        say_fail(target->store->host, err, status, "%s: the largest key does "
                 "not fit", target->table.name);
    sqlite3_reset(reading.rows);
    if (code == SQLITE_ROW && status == ENVL_OK)
        status = each(cookie, key, err);
    else if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = read_failed(&reading, code);
    arena_free(&arena);
    return status;
}

/* One writer is all there can be, so there is nothing to share out. */
enum envl_status
read_split(struct envl_target *target, uint32_t parts, envl_key_fn *each,
           void *cookie, struct envl_error *err)
{
    (void)target, (void)parts, (void)each, (void)cookie, (void)err;
    return ENVL_OK;
}
