#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_splice.h"
#include "postgres/batch.h"
#include "postgres/fields.h"
#include "postgres/keys.h"

#define TYPE_TID   27u
#define TYPE_XID   28u
#define TYPE_INT4  23u
#define TYPE_BYTEA 17u
#define TYPE_TEXT  25u

static struct row_detail *
detail_of(const struct batch *batch, const struct batch_row *row)
{
    return batch->page->details[row->row];
}

static const struct envl_leaf *
leaf_of(const struct batch *batch, const struct envl_edit *edit)
{
    return &batch->page->pub.rows[edit->row].leaves[edit->leaf];
}

/* ---- shapes ------------------------------------------------------------- */

static int
by_leaf(const void *a, const void *b)
{
    const struct envl_edit *x = a, *y = b;

    return (x->leaf > y->leaf) - (x->leaf < y->leaf);
}

/* Leaves are in the order of fields: equal shapes look equal once sorted. */
static void
sort_edits(struct envl_edit *edits, uint32_t count)
{
    bool sorted = true;

    for (uint32_t i = 1; i < count && sorted; i++)
        sorted = edits[i - 1].leaf < edits[i].leaf;
    if (!sorted)
        qsort(edits, count, sizeof(*edits), by_leaf);
}

/* The slots of a row; edits of one spliced document are one slot. */
static uint32_t
make_slots(const struct batch *batch, const struct batch_row *row,
           struct slot *slots)
{
    const struct envl_target *target = batch->target;
    uint32_t count = 0;

    for (uint32_t i = 0; i < row->count; i++) {
        const struct envl_edit *edit = &batch->edits[row->first + i];
        uint32_t field = leaf_of(batch, edit)->field, known = 0;

        if (target->fields[field].mode != FIELD_SPLICE) {
            slots[count++] = (struct slot){ field, edit->flags,
                                            edit->put.kind };
            continue;
        }
        field = fields_document(target, field);
        while (known < count && slots[known].field != field)
            known++;
        if (known == count)
            slots[count++] = (struct slot){ field, 0, ENVL_KIND_TEXT };
    }
    return count;
}

static bool
same_shape(const struct shape *shape, const struct slot *slots, uint32_t count)
{
    return shape->count == count &&
           memcmp(shape->slots, slots, count * sizeof(*slots)) == 0;
}

static enum envl_status
add_shape(struct batch *batch, const struct slot *slots, uint32_t count)
{
    struct shape *shape;

    if (batch->shape_count == batch->shape_cap) {
        uint32_t cap = batch->shape_cap == 0 ? 8 : batch->shape_cap * 2;
        struct shape *more = realloc(batch->shapes, cap * sizeof(*more));

        if (more == NULL)
            return ENVL_E_NOMEM;
        batch->shapes = more;
        batch->shape_cap = cap;
    }
    shape = &batch->shapes[batch->shape_count];
    shape->count = count;
    shape->slots = arena_alloc(&batch->arena, count * sizeof(*slots));
    if (shape->slots == NULL)
        return ENVL_E_NOMEM;
    memcpy(shape->slots, slots, count * sizeof(*slots));
    batch->shape_count++;
    return ENVL_OK;
}

/* Neighbours are mostly alike: the newest shape is looked at first. */
static enum envl_status
find_shape(struct batch *batch, struct batch_row *row, struct slot *slots)
{
    uint32_t count = make_slots(batch, row, slots);

    for (uint32_t i = batch->shape_count; i > 0; i--) {
        if (same_shape(&batch->shapes[i - 1], slots, count)) {
            row->shape = i - 1;
            return ENVL_OK;
        }
    }
    row->shape = batch->shape_count;
    return add_shape(batch, slots, count);
}

/* ---- edits -------------------------------------------------------------- */

static bool
is_possible(const struct envl_target *target, const struct page *page,
            const struct envl_edit *edit)
{
    const struct envl_leaf *leaf;
    const struct pg_field *field;
    bool into = (edit->flags & ENVL_EDIT_INTO) != 0;

    if (edit->row >= page->pub.count ||
        edit->leaf >= page->pub.rows[edit->row].leaf_count)
        return false;
    leaf = &page->pub.rows[edit->row].leaves[edit->leaf];
    field = &target->fields[leaf->field];
    if (into && field->spec->into == NULL)
        return false;
    if (edit->put.kind == ENVL_KIND_ABSENT)
        return edit->flags == ENVL_EDIT_CLEAR;
    return (edit->put.kind == ENVL_KIND_TEXT ||
            edit->put.kind == ENVL_KIND_BYTES ||
            edit->put.kind == ENVL_KIND_JSON) &&
           leaf->path.count == field->spec->path.count;
}

static uint32_t
count_rows(const struct envl_edit *edits, uint32_t count, uint32_t *widest)
{
    uint32_t rows = 0, width = 0;

    *widest = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool same = i > 0 && edits[i].row == edits[i - 1].row;

        rows += !same;
        width = same ? width + 1 : 1;
        if (width > *widest)
            *widest = width;
    }
    return rows;
}

static void
find_rows(struct batch *batch, uint32_t count)
{
    struct batch_row *row = batch->rows - 1;

    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || batch->edits[i].row != batch->edits[i - 1].row)
            *++row = (struct batch_row){ .row = batch->edits[i].row,
                                         .first = i };
        row->count++;
    }
}

enum envl_status
batch_fill(struct batch *batch, struct envl_target *target,
           const struct page *page, const struct envl_edit *edits,
           uint32_t count, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    struct slot *slots;
    uint32_t widest;

    for (uint32_t i = 0; i < count; i++) {
        if (!is_possible(target, page, &edits[i]))
            return store_fail(target->store, err, ENVL_E_USAGE,
                              "%s: an edit that its leaf cannot take",
                              target->label);
    }
    batch->target = target;
    batch->page = page;
    batch->row_count = count_rows(edits, count, &widest);
    batch->edits = malloc((count + (size_t)1) * sizeof(*edits));
    batch->rows = malloc((batch->row_count + (size_t)1) *
                         sizeof(*batch->rows));
    slots = malloc((widest + (size_t)1) * sizeof(*slots));
    if (batch->edits == NULL || batch->rows == NULL || slots == NULL) {
        free(slots);
        return store_nomem(target->store, err);
    }
    if (count > 0)
        memcpy(batch->edits, edits, count * sizeof(*edits));
    find_rows(batch, count);
    for (uint32_t i = 0; i < batch->row_count && status == ENVL_OK; i++) {
        struct batch_row *row = &batch->rows[i];

        sort_edits(batch->edits + row->first, row->count);
        status = find_shape(batch, row, slots);
    }
    free(slots);
    if (batch->row_count > 0)
        batch->form = detail_of(batch, batch->rows)->form;
    return status == ENVL_OK ? ENVL_OK : store_nomem(target->store, err);
}

/* ---- arrays ------------------------------------------------------------- */

/* The array of the parameter of that number, counted from 1. */
static struct sql_array *
array_at(struct batch *batch, uint32_t parameter)
{
    return &batch->arrays[parameter - 1];
}

static bool
reserve_arrays(struct batch *batch, uint32_t count)
{
    struct sql_array *more;

    if (count <= batch->array_count)
        return true;
    more = realloc(batch->arrays, count * sizeof(*more));
    if (more == NULL)
        return false;
    memset(more + batch->array_count, 0,
           (count - batch->array_count) * sizeof(*more));
    batch->arrays = more;
    batch->array_count = count;
    return true;
}

static void
begin_version(struct batch *batch)
{
    const struct envl_target *target = batch->target;

    sql_array_begin(array_at(batch, SHAPE_TID), TYPE_TID);
    sql_array_begin(array_at(batch, SHAPE_XMIN),
                    batch->form == ROW_VALUE ? TYPE_BYTEA : TYPE_XID);
    sql_array_begin(array_at(batch, SHAPE_ORDINAL), TYPE_INT4);
    for (uint32_t i = 0; i < target->key_count; i++)
        sql_array_begin(array_at(batch, SHAPE_KEYS + i),
                        keys_array_type(target->keys[i]));
}

static void
add_version(struct batch *batch, const struct batch_row *row)
{
    const struct row_detail *detail = detail_of(batch, row);
    struct envl_bytes tid = { detail->tid, sizeof(detail->tid) };
    struct envl_bytes xmin = { detail->xmin, sizeof(detail->xmin) };
    struct envl_bytes digest = { detail->digest, sizeof(detail->digest) };

    if (batch->form != ROW_VALUE)
        sql_array_add(array_at(batch, SHAPE_TID), tid);
    sql_array_add(array_at(batch, SHAPE_XMIN),
                  batch->form == ROW_VALUE ? digest : xmin);
    sql_array_add_int4(array_at(batch, SHAPE_ORDINAL), (int32_t)row->row);
    for (uint32_t i = 0; i < batch->target->key_count; i++)
        sql_array_add(array_at(batch, SHAPE_KEYS + i), detail->keys[i]);
}

/* The salt is one for the page, all else an array. */
static void
add_params(struct batch *batch, uint32_t count, const uint8_t *salt,
           struct pipe_params *params)
{
    for (uint32_t i = 1; i <= count; i++) {
        struct envl_bytes bytes = { salt, 16 };

        if (i != SHAPE_TID || batch->form != ROW_VALUE)
            bytes = sql_array_end(array_at(batch, i));
        pipe_binary(params, bytes);
    }
}

static void
put_name(struct envl_buf *out, struct envl_bytes name, bool *failed)
{
    *failed |= envl_buf_append(out, envl_bytes_of("\""), NULL) != ENVL_OK;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"' || name.ptr[i] == '\\')
            *failed |= envl_buf_append(out, envl_bytes_of("\\"), NULL) !=
                       ENVL_OK;
        *failed |= envl_buf_append(out, (struct envl_bytes){ name.ptr + i, 1 },
                                   NULL) != ENVL_OK;
    }
    *failed |= envl_buf_append(out, envl_bytes_of("\""), NULL) != ENVL_OK;
}

/* A path as the text of a text[]; its last name replaced by ${into}. */
static void
add_path(struct batch *batch, uint32_t parameter, const struct envl_path *path,
         const char *into)
{
    struct envl_buf text = ENVL_BUF_INIT;
    bool failed = false;
    char index[24];

    for (uint32_t i = 0; i < path->count; i++) {
        const struct envl_segment *segment = &path->segments[i];
        struct envl_bytes name = segment->name;

        if (segment->kind == ENVL_SEGMENT_ELEMENT) {
            snprintf(index, sizeof(index), "%llu",
                     (unsigned long long)segment->index);
            name = envl_bytes_of(index);
        }
        if (into != NULL && i + 1 == path->count)
            name = envl_bytes_of(into);
        failed |= envl_buf_append(&text, envl_bytes_of(i == 0 ? "{" : ","),
                                  NULL) != ENVL_OK;
        put_name(&text, name, &failed);
    }
    failed |= envl_buf_append(&text, envl_bytes_of("}"), NULL) != ENVL_OK;
    sql_array_add(array_at(batch, parameter), envl_buf_view(&text));
    array_at(batch, parameter)->failed |= failed;
    envl_buf_free(&text);
}

/* ---- spliced documents -------------------------------------------------- */

static enum envl_status
add_document(struct batch *batch, const struct batch_row *row, uint32_t field,
             uint32_t parameter, struct envl_error *err)
{
    const struct envl_target *target = batch->target;
    const struct row_detail *detail = detail_of(batch, row);
    struct json_edit *edits = calloc(row->count, sizeof(*edits));
    enum envl_status status;
    uint32_t count = 0;

    if (edits == NULL)
        return store_nomem(target->store, err);
    for (uint32_t i = 0; i < row->count; i++) {
        const struct envl_edit *edit = &batch->edits[row->first + i];
        uint32_t its = leaf_of(batch, edit)->field;

        if (target->fields[its].mode == FIELD_SPLICE &&
            fields_document(target, its) == field)
            edits[count++] = (struct json_edit){
                .site = detail->sites[edit->leaf],
                .flags = edit->flags,
                .into = target->fields[its].spec->into,
                .put = edit->put,
            };
    }
    envl_buf_clear(&batch->document);
    status = json_splice(detail->documents[field], edits, count,
                         &batch->document, err);
    free(edits);
    if (status == ENVL_OK)
        sql_array_add(array_at(batch, parameter),
                      envl_buf_view(&batch->document));
    return status;
}

/* ---- statements --------------------------------------------------------- */

/* Has an earlier edit of the row brought in the same document? */
static bool
document_seen(const struct batch *batch, const struct batch_row *row,
              uint32_t edit)
{
    const struct envl_target *target = batch->target;
    const struct envl_edit *edits = &batch->edits[row->first];
    uint32_t field = leaf_of(batch, &edits[edit])->field;

    for (uint32_t i = 0; i < edit; i++) {
        uint32_t other = leaf_of(batch, &edits[i])->field;

        if (target->fields[other].mode == FIELD_SPLICE &&
            fields_document(target, other) == fields_document(target, field))
            return true;
    }
    return false;
}

static void
add_edit(struct batch *batch, const struct envl_edit *edit,
         const struct slot *slot, uint32_t *next)
{
    const struct pg_field *field = &batch->target->fields[slot->field];
    struct slot_arrays arrays = shape_arrays(batch->target, slot);
    const struct envl_path *path = &leaf_of(batch, edit)->path;

    if (arrays.value)
        sql_array_add(array_at(batch, (*next)++), edit->put.bytes);
    if (arrays.source)
        add_path(batch, (*next)++, path, NULL);
    if (arrays.into)
        add_path(batch, (*next)++, path, field->spec->into);
}

/* Walk the row's edits as make_slots did. */
static enum envl_status
add_values(struct batch *batch, const struct batch_row *row,
           struct envl_error *err)
{
    const struct envl_target *target = batch->target;
    const struct shape *shape = &batch->shapes[row->shape];
    uint32_t next = SHAPE_KEYS + target->key_count, slot = 0;
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; i < row->count && status == ENVL_OK; i++) {
        const struct envl_edit *edit = &batch->edits[row->first + i];
        uint32_t field = leaf_of(batch, edit)->field;

        if (target->fields[field].mode != FIELD_SPLICE) {
            add_edit(batch, edit, &shape->slots[slot++], &next);
        } else if (!document_seen(batch, row, i)) {
            status = add_document(batch, row, fields_document(target, field),
                                  next++, err);
            slot++;
        }
    }
    return status;
}

/* Begin the arrays of a shape; return the number of all parameters, or 0. */
static uint32_t
begin_values(struct batch *batch, const struct shape *shape)
{
    uint32_t next = SHAPE_KEYS + batch->target->key_count;

    if (!reserve_arrays(batch, next + 3 * shape->count))
        return 0;
    begin_version(batch);
    for (uint32_t i = 0; i < shape->count; i++) {
        struct slot_arrays arrays = shape_arrays(batch->target,
                                                 &shape->slots[i]);

        if (arrays.value)
            sql_array_begin(array_at(batch, next++), arrays.type);
        if (arrays.source)
            sql_array_begin(array_at(batch, next++), TYPE_TEXT);
        if (arrays.into)
            sql_array_begin(array_at(batch, next++), TYPE_TEXT);
    }
    return next - 1;
}

static enum envl_status
send_shape(struct batch *batch, uint32_t shape, uint32_t count,
           const struct batch_row *any, struct batch_sending *sending)
{
    struct envl_target *target = batch->target;
    struct pipe_params params = { 0 };
    bool sent;
    char *sql;

    sql = shape_update(target, &batch->shapes[shape], batch->form,
                       sending->locking);
    if (sql == NULL)
        return ENVL_E_NOMEM;
    add_params(batch, count, detail_of(batch, any)->salt, &params);
    sent = pipe_send(&target->store->pipe, sending->op, sql, &params, true);
    pipe_params_free(&params);
    free(sql);
    return sent || target->store->pipe.lost ? ENVL_OK : ENVL_E_NOMEM;
}

enum envl_status
batch_send(struct batch *batch, const struct batch_sending *sending,
           struct envl_error *err)
{
    for (uint32_t shape = 0; shape < batch->shape_count; shape++) {
        const struct batch_row *any = NULL;
        uint32_t count = 0;

        for (uint32_t i = sending->from; i < sending->to; i++) {
            const struct batch_row *row = &batch->rows[i];
            enum envl_status status;

            if (row->shape != shape)
                continue;
            if (any == NULL &&
                (count = begin_values(batch, &batch->shapes[shape])) == 0)
                return store_nomem(batch->target->store, err);
            any = row;
            add_version(batch, row);
            status = add_values(batch, row, err);
            if (status != ENVL_OK)
                return status;
        }
        if (any != NULL &&
            send_shape(batch, shape, count, any, sending) != ENVL_OK)
            return store_nomem(batch->target->store, err);
    }
    return ENVL_OK;
}

bool
batch_send_probe(struct batch *batch, const enum envl_outcome *outcomes,
                 struct pipe_op *op)
{
    struct envl_target *target = batch->target;
    struct pipe_params params = { 0 };
    const struct batch_row *any = NULL;
    bool sent;
    char *sql;

    if (!reserve_arrays(batch, SHAPE_KEYS + target->key_count))
        return false;
    begin_version(batch);
    for (uint32_t i = 0; i < batch->row_count; i++) {
        if (outcomes[batch->rows[i].row] == ENVL_CHANGED) {
            any = &batch->rows[i];
            add_version(batch, any);
        }
    }
    sql = shape_probe(target, batch->form);
    if (any == NULL || sql == NULL) {
        free(sql);
        return false;
    }
    add_params(batch, SHAPE_KEYS + target->key_count - 1,
               detail_of(batch, any)->salt, &params);
    sent = pipe_send(&target->store->pipe, op, sql, &params, true);
    pipe_params_free(&params);
    free(sql);
    return sent;
}

/* ---- life --------------------------------------------------------------- */

void
batch_clear(struct batch *batch)
{
    free(batch->edits);
    free(batch->rows);
    batch->edits = NULL;
    batch->rows = NULL;
    batch->row_count = batch->shape_count = 0;
    batch->page = NULL;
    arena_clear(&batch->arena);
    envl_buf_clear(&batch->document);
}

void
batch_free(struct batch *batch)
{
    batch_clear(batch);
    for (uint32_t i = 0; i < batch->array_count; i++)
        sql_array_free(&batch->arrays[i]);
    free(batch->arrays);
    free(batch->shapes);
    arena_free(&batch->arena);
    envl_buf_free(&batch->document);
    *batch = (struct batch){ .target = NULL };
}
