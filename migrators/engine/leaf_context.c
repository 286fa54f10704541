#include <string.h>

#include "engine/leaf_context.h"
#include "engine/place.h"

static const struct envl_context none = { NULL, SIZE_MAX };

bool
leaf_context_ok(const struct envl_context *context)
{
    return context->count != SIZE_MAX;
}

static bool
same(struct envl_bytes a, struct envl_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool
replaced(const struct job_field *job, struct envl_bytes name)
{
    for (uint32_t i = 0; i < job->context_count; i++) {
        if (same(job->context[i].name, name))
            return true;
    }
    return false;
}

/* spec: JOB-32 */
static enum envl_status
default_field(const struct leaf_site *site, struct slab *slab,
              struct envl_buf *spare, struct envl_bytes *out,
              struct envl_error *err)
{
    enum envl_status status;
    const char *copy = NULL;

    if (site->field->whole.ptr != NULL) {
        *out = site->field->whole;
        return ENVL_OK;
    }
    status = envl_buf_append(spare, site->field->base, err);
    if (status == ENVL_OK)
        status = place_path(spare, &site->leaf->path,
                            site->field->job->spec->into, err);
    if (status == ENVL_OK) {
        copy = slab_copy(slab, envl_buf_view(spare), err);
        if (copy == NULL)
            status = ENVL_E_NOMEM;
    }
    *out = (struct envl_bytes){ (const uint8_t *)copy, spare->len };
    envl_buf_clear(spare);
    return status;
}

/* spec: JOB-36; false where the row has no such text. */
static bool
added_value(const struct leaf_site *site, const struct job_pair *pair,
            struct envl_bytes *out)
{
    const struct envl_cell *cell;

    if (pair->source == JOB_CONSTANT) {
        *out = pair->value;
        return true;
    }
    cell = pair->source == JOB_ELEMENT ? &site->leaf->element
                                       : &site->row->extras[pair->extra];
    *out = cell->bytes;
    return cell->kind == ENVL_KIND_TEXT;
}

enum envl_status
leaf_context_build(const struct leaf_site *site, struct slab *slab,
                   struct envl_buf *spare, struct envl_context *out,
                   struct envl_error *err)
{
    const struct job_field *job = site->field->job;
    const struct envl_row *row = site->row;
    struct envl_pair *pairs;
    enum envl_status status;
    size_t count = 0, most = 1 + (size_t)row->id_count + job->context_count;

    *out = none;
    /* spec: JOB-38: a value is never bound to its field alone. */
    if (row->id_count == 0 && !site->field->own_id)
        return ENVL_OK;
    if ((pairs = slab_take(slab, most * sizeof(*pairs), err)) == NULL)
        return ENVL_E_NOMEM;
    if (!site->field->own_field) {
        pairs[count].name = (struct envl_bytes){ (const uint8_t *)"field", 5 };
        status = default_field(site, slab, spare, &pairs[count++].value, err);
        if (status != ENVL_OK)
            return status;
    }
    for (uint32_t i = 0; i < row->id_count; i++) {
        if (!replaced(job, row->ids[i].name))
            pairs[count++] = row->ids[i];
    }
    for (uint32_t i = 0; i < job->context_count; i++) {
        pairs[count].name = job->context[i].name;
        if (!added_value(site, &job->context[i], &pairs[count++].value))
            return ENVL_OK;
    }
    *out = (struct envl_context){ pairs, count };
    if (envl_context_check(out, NULL) != ENVL_OK)
        *out = none;
    return ENVL_OK;
}
