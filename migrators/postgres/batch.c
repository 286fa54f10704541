#include <stdlib.h>
#include <string.h>

#include "postgres/batch.h"
#include "postgres/fields.h"

const struct row_detail *
batch_detail(const struct batch *batch, const struct batch_row *row)
{
    return batch->page->details[row->row];
}

const struct envl_leaf *
batch_leaf(const struct batch *batch, const struct envl_edit *edit)
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
        uint32_t field = batch_leaf(batch, edit)->field, known = 0;

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
        batch->form = batch_detail(batch, batch->rows)->form;
    return status == ENVL_OK ? ENVL_OK : store_nomem(target->store, err);
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
