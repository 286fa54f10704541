#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "postgres/cells.h"
#include "postgres/fault.h"
#include "postgres/keys.h"
#include "postgres/read.h"
#include "postgres/select.h"

/* Of ctid and xmin in front of the keys. */
#define VERSION_COLUMNS 2

static int
first_key(enum row_form form)
{
    return form == ROW_VALUE ? 0 : VERSION_COLUMNS;
}

/* ---- sending ------------------------------------------------------------ */

/* The exact rows: for each key column an array of texts. */
static enum envl_status
add_keys(struct envl_target *target, const struct envl_read *read,
         struct sql_array *arrays, struct pipe_params *params,
         struct envl_error *err)
{
    struct key_texts texts = { .buf = ENVL_BUF_INIT };
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; i < target->key_count; i++)
        sql_array_begin(&arrays[i], 25);
    for (uint32_t row = 0; row < read->key_count && status == ENVL_OK; row++) {
        status = keys_split(target, read->keys[row], &texts, err);
        for (uint32_t i = 0; i < target->key_count && status == ENVL_OK; i++)
            sql_array_add(&arrays[i],
                          (struct envl_bytes){ texts.buf.ptr + texts.at[i],
                                               texts.len[i] });
    }
    for (uint32_t i = 0; i < target->key_count; i++)
        pipe_binary(params, sql_array_end(&arrays[i]));
    envl_buf_free(&texts.buf);
    return status;
}

static enum envl_status
add_bound(struct envl_target *target, struct envl_bytes key,
          struct key_texts *texts, struct pipe_params *params,
          struct envl_error *err)
{
    enum envl_status status;

    if (key.len == 0)
        return ENVL_OK;
    status = keys_split(target, key, texts, err);
    if (status == ENVL_OK)
        keys_params(texts, target->key_count, params);
    return status;
}

/* Rows are asked for by what they have lately weighed. */
static uint32_t
rows_for(const struct envl_target *target, const struct envl_read *read)
{
    uint64_t rows = read->bytes / target->row_bytes;

    if (read->bytes == 0 || rows > read->rows)
        rows = read->rows;
    return rows == 0 ? 1 : (uint32_t)rows;
}

static bool
transmit(struct envl_store *store, const char *sql,
         const struct pipe_params *params)
{
    struct pipe_op *op = pipe_open(&store->pipe);

    if (op == NULL)
        return false;
    store->reading.op = op;
    pipe_send(&store->pipe, op, sql, params, true);
    pipe_sync(&store->pipe, op);
    return true;
}

struct bounds {
    struct key_texts after, until;
    struct sql_array arrays[STORE_KEYS_MAX];
    struct pipe_params params;
    char rows[16], bytes[24];
};

static void
bounds_free(struct bounds *bounds)
{
    envl_buf_free(&bounds->after.buf);
    envl_buf_free(&bounds->until.buf);
    for (size_t i = 0; i < STORE_KEYS_MAX; i++)
        sql_array_free(&bounds->arrays[i]);
    pipe_params_free(&bounds->params);
}

static enum envl_status
fill_bounds(struct envl_target *target, const struct envl_read *read,
            struct bounds *bounds, struct envl_error *err)
{
    const struct reading *reading = &target->store->reading;
    struct pipe_params *params = &bounds->params;
    enum envl_status status;

    if (reading->by_keys)
        return add_keys(target, read, bounds->arrays, params, err);
    status = add_bound(target, read->after, &bounds->after, params, err);
    if (status == ENVL_OK)
        status = add_bound(target, read->until, &bounds->until, params, err);
    snprintf(bounds->rows, sizeof(bounds->rows), "%u", reading->rows + 1);
    pipe_text(params, bounds->rows);
    if (reading->measured) {
        snprintf(bounds->bytes, sizeof(bounds->bytes), "%llu",
                 (unsigned long long)reading->bytes);
        pipe_text(params, bounds->bytes);
    }
    return status;
}

static uint32_t
variant_of(const struct envl_read *read, const struct reading *reading)
{
    uint32_t variant = reading->form == ROW_VALUE ? SELECT_VALUE : 0;

    if (reading->by_keys)
        return variant | SELECT_KEYS;
    return variant | (read->after.len > 0 ? SELECT_AFTER : 0) |
           (read->until.len > 0 ? SELECT_UNTIL : 0) |
           (reading->unsealed ? SELECT_UNSEALED : 0);
}

enum envl_status
read_begin(struct envl_target *target, const struct envl_read *read,
           struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct reading *reading = &store->reading;
    struct bounds bounds = { 0 };
    enum envl_status status;
    const char *sql;

    if (reading->op != NULL)
        return store_fail(store, err, ENVL_E_USAGE,
                          "a read is under way already");
    *reading = (struct reading){
        .target = target,
        .rows = rows_for(target, read),
        .bytes = read->bytes == 0 ? UINT64_MAX : read->bytes,
        .form = read->by_value ? ROW_VALUE : target->form,
        .by_keys = read->keys != NULL,
    };
    reading->unsealed = read->unsealed != NULL && !reading->by_keys &&
                        target->info.finds_unsealed;
    if (reading->unsealed)
        select_for_kid(target, read->unsealed);
    reading->measured = select_is_measured(target) && !reading->by_keys &&
                        !reading->unsealed;
    sql = select_page(target, variant_of(read, reading));
    if (sql == NULL)
        return store_nomem(store, err);
    status = fill_bounds(target, read, &bounds, err);
    if (status == ENVL_OK && !transmit(store, sql, &bounds.params))
        status = store_nomem(store, err);
    bounds_free(&bounds);
    return status;
}

/* ---- a result to a page ------------------------------------------------- */

static enum envl_status
take_detail(struct cells *cells, const struct reading *reading,
            const uint8_t *salt, struct row_detail **out)
{
    struct row_detail *detail = arena_alloc(&cells->page->arena,
                                            sizeof(*detail));

    if (detail == NULL)
        return ENVL_E_NOMEM;
    *detail = (struct row_detail){ .form = reading->form,
                                    .retried = reading->by_keys,
                                    .salt = salt };
    if (reading->form == ROW_VALUE) {
        cells_digest(cells, salt, detail->digest);
    } else {
        if (PQgetlength(cells->result, cells->row, 0) != 6 ||
            PQgetlength(cells->result, cells->row, 1) != 4)
            return ENVL_E_INTERNAL;
        memcpy(detail->tid, PQgetvalue(cells->result, cells->row, 0), 6);
        memcpy(detail->xmin, PQgetvalue(cells->result, cells->row, 1), 4);
    }
    *out = detail;
    return ENVL_OK;
}

static enum envl_status
take_row(struct cells *cells, const struct reading *reading,
         const uint8_t *salt, struct envl_error *err)
{
    const int at[2] = { cells->row, first_key(reading->form) };
    struct envl_row row = { .ids = NULL };
    struct row_detail *detail;
    enum envl_status status;

    status = take_detail(cells, reading, salt, &detail);
    if (status == ENVL_OK)
        status = keys_take(cells->target, cells->result, at,
                           &cells->page->arena, &row, &detail->keys);
    if (status == ENVL_OK)
        status = cells_take_extras(cells, &row.extras, err);
    if (status == ENVL_OK)
        status = cells_take_leaves(cells, detail, err);
    if (status == ENVL_OK)
        status = page_end_row(cells->page, &row, detail, &detail->sites);
    return status;
}

/* With the running size in the last column but one, rows beyond the wanted
   bytes were cut; then those that came may not be all that there are. */
static bool
was_cut(const struct reading *reading, const PGresult *result)
{
    int rows = PQntuples(result), total_at = PQnfields(result) - 2;
    uint64_t bits;
    double total;

    if (!reading->measured || rows == 0)
        return false;
    memcpy(&bits, PQgetvalue(result, rows - 1, total_at), sizeof(bits));
    bits = be64toh(bits);
    memcpy(&total, &bits, sizeof(total));
    return total >= (double)reading->bytes;
}

static uint64_t
bytes_of(const PGresult *result, int rows)
{
    int columns = PQnfields(result);
    uint64_t bytes = 0;

    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++)
            bytes += (uint64_t)PQgetlength(result, row, column);
    }
    return bytes;
}

/* Learn what a row weighs; a page that was far too heavy is the last that the
   server does not measure. */
static void
weigh(struct envl_target *target, const struct reading *reading,
      uint64_t bytes, uint64_t rows)
{
    target->row_bytes = 1 + (target->row_bytes + 3 * (bytes / rows)) / 4;
    if (!target->has_toast && bytes / 4 > reading->bytes)
        select_measure(target);
}

static enum envl_status
tell_row(const struct envl_target *target, enum envl_status status,
         struct envl_error *err)
{
    switch (status) {
    case ENVL_E_NOMEM:
        return store_nomem(target->store, err);
    case ENVL_E_LIMIT:
        return store_fail(target->store, err, status,
                          "%s: a key of more than %u bytes", target->label,
                          STORE_KEY_MAX);
    case ENVL_E_USAGE:
        return store_fail(target->store, err, status,
                          "%s: a row with a null in its key", target->label);
    case ENVL_E_INTERNAL:
        return store_fail(target->store, err, status,
                          "%s: no row versions came with the rows",
                          target->label);
    default:
        return status;
    }
}

static enum envl_status
build(struct reading *reading, const PGresult *result, struct page *page,
      struct envl_error *err)
{
    struct envl_target *target = reading->target;
    struct cells cells = {
        .target = target,
        .result = result,
        .first = first_key(reading->form) + (int)target->key_count,
        .page = page,
    };
    int rows = PQntuples(result);
    enum envl_status status = ENVL_OK;
    uint8_t *salt;

    page->pub.end = reading->by_keys ||
                    (rows <= (int)reading->rows && !was_cut(reading, result));
    if (!reading->by_keys && rows > (int)reading->rows)
        rows = (int)reading->rows;
    salt = arena_alloc(&page->arena, sizeof(reading->salt));
    if (salt == NULL)
        return store_nomem(target->store, err);
    if (reading->form == ROW_VALUE)
        status = random_fill((struct envl_span){ salt, sizeof(reading->salt) },
                             err);
    for (; cells.row < rows && status == ENVL_OK; cells.row++)
        status = take_row(&cells, reading, salt, err);
    if (rows > 0 && !reading->unsealed)
        weigh(target, reading, bytes_of(result, rows), (uint64_t)rows);
    envl_buf_free(&cells.scratch);
    return tell_row(target, status, err);
}

enum envl_status
read_end(struct envl_target *target, struct envl_page **out,
         struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct reading *reading = &store->reading;
    struct page *page = NULL;
    PGresult *result = NULL;
    enum envl_status status = ENVL_OK;
    char doing[160];

    if (reading->op == NULL || reading->target != target)
        return store_fail(store, err, ENVL_E_USAGE, "no read is under way");
    snprintf(doing, sizeof(doing), "reading %s", target->label);
    if (!pipe_wait(&store->pipe, reading->op) ||
        pipe_error(reading->op) != NULL)
        status = fault_tell(store, pipe_error(reading->op), doing, FAULT_NAMES,
                            err);
    else
        result = pipe_take(reading->op, 0);
    pipe_close(reading->op);
    reading->op = NULL;
    if (status == ENVL_OK && page_new(&store->pool, &page) != ENVL_OK)
        status = store_nomem(store, err);
    if (status == ENVL_OK)
        status = build(reading, result, page, err);
    pipe_wipe(result);
    if (status == ENVL_OK)
        *out = &page->pub;
    else
        page_free(page);
    return status;
}

void
read_page_free(struct envl_page *page)
{
    page_free((struct page *)page);
}

void
read_abandon(struct envl_store *store)
{
    pipe_close(store->reading.op);
    store->reading.op = NULL;
}
