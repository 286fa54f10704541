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
    const struct row_detail *detail = batch_detail(batch, row);
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
    const struct row_detail *detail = batch_detail(batch, row);
    struct json_edit *edits = calloc(row->count, sizeof(*edits));
    enum envl_status status;
    uint32_t count = 0;

    if (edits == NULL)
        return store_nomem(target->store, err);
    for (uint32_t i = 0; i < row->count; i++) {
        const struct envl_edit *edit = &batch->edits[row->first + i];
        uint32_t its = batch_leaf(batch, edit)->field;

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
    uint32_t field = batch_leaf(batch, &edits[edit])->field;

    for (uint32_t i = 0; i < edit; i++) {
        uint32_t other = batch_leaf(batch, &edits[i])->field;

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
    const struct envl_path *path = &batch_leaf(batch, edit)->path;

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
        uint32_t field = batch_leaf(batch, edit)->field;

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
           const struct batch_row *any, const struct batch_sending *sending)
{
    struct envl_target *target = batch->target;
    struct pipe_params params = { 0 };
    bool sent;
    char *sql;

    sql = shape_update(target, &batch->shapes[shape], batch->form,
                       sending->locking);
    if (sql == NULL)
        return ENVL_E_NOMEM;
    add_params(batch, count, batch_detail(batch, any)->salt, &params);
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
               batch_detail(batch, any)->salt, &params);
    sent = pipe_send(&target->store->pipe, op, sql, &params, true);
    pipe_params_free(&params);
    free(sql);
    return sent;
}
