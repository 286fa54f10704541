#include <stdlib.h>

#include "sqlite/change.h"

/* One row's edits on their way into a change. */
struct making {
    struct envl_target *target;
    const struct envl_row *seen; /* as the engine saw the row */
    const struct row *row;
    const struct envl_edit *edits;
    uint32_t count;
    uint64_t set, compare;
    struct value *values; /* by slot */
    struct envl_error *err;
};

static enum envl_status
senseless(const struct making *making, const char *why)
{
    return say_fail(making->target->store->host, making->err, ENVL_E_USAGE,
                    "%s: an edit of row %.*s %s", making->target->table.name,
                    (int)making->seen->name.len,
                    (const char *)making->seen->name.ptr, why);
}

static enum envl_status
no_memory(const struct making *making)
{
    return say_fail(making->target->store->host, making->err, ENVL_E_NOMEM,
                    "out of memory for a batch");
}

static enum envl_status
set_slot(struct making *making, uint32_t slot,
         const struct value *value)
{
    uint64_t bit = (uint64_t)1 << slot;

    if ((making->set & bit) != 0)
        return senseless(making, "writes a column twice");
    making->set |= bit;
    making->values[slot] = *value;
    return ENVL_OK;
}

/* ---- columns ------------------------------------------------------------ */

static bool
value_of(const struct envl_cell *put, struct value *out)
{
    out->as.bytes = put->bytes;
    switch (put->kind) {
    case ENVL_KIND_TEXT:
    case ENVL_KIND_JSON:
        out->type = SQLITE_TEXT;
        return true;
    case ENVL_KIND_BYTES:
        out->type = SQLITE_BLOB;
        return true;
    case ENVL_KIND_NULL:
        out->type = SQLITE_NULL;
        return true;
    default:
        return false;
    }
}

static enum envl_status
edit_column(struct making *making, const struct field *field,
            const struct envl_edit *edit)
{
    const struct value null = { .type = SQLITE_NULL };
    bool into = (edit->flags & ENVL_EDIT_INTO) != 0;
    bool clear = (edit->flags & ENVL_EDIT_CLEAR) != 0;
    enum envl_status status = ENVL_OK;
    struct value value;

    making->compare |= (uint64_t)1 << field->slot;
    if (field->into >= 0)
        making->compare |= (uint64_t)1 << field->into;
    if (clear)
        status = set_slot(making, field->slot, &null);
    if (status != ENVL_OK || (clear && !into &&
                              edit->put.kind == ENVL_KIND_ABSENT))
        return status;
    if (!value_of(&edit->put, &value))
        return senseless(making, "puts what a column cannot hold");
    if (into && field->into < 0)
        return senseless(making, "goes to a sibling, and there is none");
    return set_slot(making, into ? (uint32_t)field->into : field->slot,
                    &value);
}

/* ---- documents ---------------------------------------------------------- */

/* Room for the edits of one row. */
static enum envl_status
reserve(struct making *making)
{
    struct envl_target *target = making->target;
    struct json_edit *more;

    if (making->count <= target->edit_cap)
        return ENVL_OK;
    more = realloc(target->edits, making->count * sizeof(*more));
    if (more == NULL)
        return no_memory(making);
    target->edits = more;
    target->edit_cap = making->count;
    return ENVL_OK;
}

static bool
splices(const struct making *making, const struct envl_edit *edit,
        uint32_t slot)
{
    uint32_t field = making->seen->leaves[edit->leaf].field;

    return making->target->fields[field].slot == slot &&
           making->target->fields[field].path != NULL;
}

/* All edits of the document in ${slot}, in one splice. */
static enum envl_status
edit_document(struct making *making, uint32_t slot)
{
    struct envl_target *target = making->target;
    struct envl_buf *out = &target->spliced;
    struct value value = { .type = SQLITE_TEXT };
    enum envl_status status = reserve(making);
    uint32_t count = 0;

    if (status != ENVL_OK)
        return status;
    for (uint32_t i = 0; i < making->count; i++) {
        const struct envl_edit *edit = &making->edits[i];
        const struct envl_leaf *leaf = &making->seen->leaves[edit->leaf];

        if (!splices(making, edit, slot))
            continue;
        if (making->row->sites[edit->leaf] == NULL)
            return senseless(making, "is of a place that is not there");
        target->edits[count++] = (struct json_edit){
            making->row->sites[edit->leaf], edit->flags,
            target->spec->fields[leaf->field].into, edit->put };
    }
    status = json_splice(making->row->slots[slot].as.bytes, target->edits,
                         count, out, NULL);
    if (status == ENVL_E_USAGE)
        return ENVL_E_POLICY;
    if (status == ENVL_OK)
        status = arena_dup(&target->batch, envl_buf_view(out),
                           &value.as.bytes);
    envl_buf_clear(out);
    if (status != ENVL_OK)
        return no_memory(making);
    making->compare |= (uint64_t)1 << slot;
    return set_slot(making, slot, &value);
}

/* The new values, without the gaps, where they last as long as the batch. */
static enum envl_status
settle(struct making *making, struct entry *out)
{
    size_t count = (size_t)__builtin_popcountll(making->set);
    struct value *values = arena_alloc(&making->target->batch,
                                       count * sizeof(*values));

    if (values == NULL)
        return no_memory(making);
    out->set = making->set;
    out->compare = making->compare;
    out->old = making->row;
    out->values = values;
    for (uint32_t i = 0; i < making->target->slot_count; i++) {
        if ((making->set >> i & 1) != 0)
            *values++ = making->values[i];
    }
    return ENVL_OK;
}

enum envl_status
change_make(struct envl_target *target, const struct page *page,
            const struct envl_edit *edits, uint32_t count, struct entry *out,
            struct envl_error *err)
{
    struct value values[TARGET_SLOTS];
    struct making making = {
        .target = target, .seen = &page->rows[edits->row],
        .row = page->details[edits->row], .edits = edits, .count = count,
        .values = values, .err = err
    };
    enum envl_status status = ENVL_OK;
    uint64_t done = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (edits[i].leaf >= making.seen->leaf_count)
            return senseless(&making, "is of a leaf that is not there");
    }
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++) {
        const struct envl_leaf *leaf = &making.seen->leaves[edits[i].leaf];
        const struct field *field = &target->fields[leaf->field];

        if (field->path == NULL) {
            status = edit_column(&making, field, &edits[i]);
        } else if ((done >> field->slot & 1) == 0) {
            done |= (uint64_t)1 << field->slot;
            status = edit_document(&making, field->slot);
        }
    }
    return status == ENVL_OK ? settle(&making, out) : status;
}
