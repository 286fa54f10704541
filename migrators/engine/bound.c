#include <inttypes.h>
#include <string.h>

#include "engine/bound.h"
#include "engine/place.h"

/* Up to this many bytes values are padded by default (spec ENV-6.9). */
#define SMALL_MAX ((size_t)4096)

/* What bound_init works on. */
struct binding {
    const struct transform_options *options;
    const struct job_target *target;
    struct bound *bound;
    struct envl_error *err;
};

enum envl_kind
bound_put_kind(enum envl_kind takes, enum envl_encoding encoding)
{
    switch (takes) {
    case ENVL_KIND_TEXT:
        return encoding == ENVL_ENCODING_TEXT ? ENVL_KIND_TEXT
                                              : ENVL_KIND_ABSENT;
    case ENVL_KIND_BYTES:
        return encoding == ENVL_ENCODING_OBJECT ? ENVL_KIND_ABSENT
                                                : ENVL_KIND_BYTES;
    case ENVL_KIND_JSON:
        return encoding == ENVL_ENCODING_TEXT     ? ENVL_KIND_TEXT
               : encoding == ENVL_ENCODING_OBJECT ? ENVL_KIND_JSON
                                                  : ENVL_KIND_ABSENT;
    case ENVL_KIND_BSON:
        return encoding == ENVL_ENCODING_TEXT     ? ENVL_KIND_TEXT
               : encoding == ENVL_ENCODING_OBJECT ? ENVL_KIND_BSON
                                                  : ENVL_KIND_BYTES;
    default:
        return ENVL_KIND_ABSENT;
    }
}

static const char *
takes_name(enum envl_kind takes)
{
    return takes == ENVL_KIND_TEXT    ? "text"
           : takes == ENVL_KIND_BYTES ? "bytes"
           : takes == ENVL_KIND_JSON  ? "JSON"
                                      : "a document";
}

/* The values are sealed together that are sealed alike. */
static uint32_t
recipe_of(struct bound *bound, enum envl_encoding encoding, int pad)
{
    for (uint32_t i = 0; i < bound->recipe_count; i++) {
        if (bound->recipes[i].encoding == encoding &&
            bound->recipes[i].pad == pad)
            return i;
    }
    bound->recipes[bound->recipe_count] =
        (struct bound_recipe){ encoding, pad };
    return bound->recipe_count++;
}

/* spec: JOB-22, and the default of `encoding` */
static enum envl_status
bind_encoding(const struct binding *b, struct bound_field *field)
{
    static const char *const names[] = { "text", "object", "binary" };
    enum envl_kind takes = field->takes;
    enum envl_encoding encoding = field->job->encoding;

    if (!field->job->has_encoding)
        encoding = takes == ENVL_KIND_BYTES ? ENVL_ENCODING_BINARY
                                            : ENVL_ENCODING_TEXT;
    if (bound_put_kind(takes, encoding) == ENVL_KIND_ABSENT)
        return envl_fail(b->err, ENVL_E_POLICY,
                         "%.*s holds %s: encoding \"%s\" does not go there",
                         (int)field->base.len, (const char *)field->base.ptr,
                         takes_name(takes), names[encoding]);
    field->recipe = recipe_of(b->bound, encoding, field->job->pad);
    if (!field->job->has_encoding && takes == ENVL_KIND_BSON)
        encoding = ENVL_ENCODING_BINARY;
    field->recipe_bytes = recipe_of(b->bound, encoding, field->job->pad);
    return ENVL_OK;
}

static enum envl_status
keep(const struct binding *b, struct envl_buf *text, struct envl_bytes *out)
{
    const char *copy = slab_copy(&b->bound->slab, envl_buf_view(text), b->err);

    *out = (struct envl_bytes){ (const uint8_t *)copy, text->len };
    return copy == NULL ? ENVL_E_NOMEM : ENVL_OK;
}

/* spec: JOB-31; a member that `*` matches gives its name row by row. */
static enum envl_status
bind_place(const struct binding *b, struct bound_field *field)
{
    const struct envl_target_info *info = b->options->info;
    const struct envl_field_spec *spec = field->job->spec;
    const struct envl_path *select = &field->job->select;
    const char *column = place_column(spec, field->info);
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status = ENVL_OK;
    bool named = false;

    for (uint32_t i = 0; i < info->place_count && status == ENVL_OK; i++)
        status = place_component(&text, envl_bytes_of(info->place[i]), i == 0,
                                 b->err);
    if (status == ENVL_OK && column != NULL)
        status = place_component(&text, envl_bytes_of(column),
                                 info->place_count == 0, b->err);
    if (status == ENVL_OK)
        status = keep(b, &text, &field->base);
    for (uint32_t i = 0; i < spec->path.count; i++)
        named |= spec->path.segments[i].kind == ENVL_SEGMENT_ANY_MEMBER;
    for (uint32_t i = 0; i < select->count; i++)
        named |= select->segments[i].kind == ENVL_SEGMENT_ANY_MEMBER;
    if (status == ENVL_OK && !named)
        status = place_path(&text, &spec->path, spec->into, b->err);
    if (status == ENVL_OK && !named)
        status = place_path(&text, select, NULL, b->err);
    if (status == ENVL_OK && !named)
        status = keep(b, &text, &field->whole);
    envl_buf_free(&text);
    return status;
}

static bool
names(const struct job_pair *pair, const char *name, bool prefix)
{
    size_t len = strlen(name);

    return (prefix ? pair->name.len >= len : pair->name.len == len) &&
           memcmp(pair->name.ptr, name, len) == 0;
}

/* spec: JOB-36, JOB-38 */
static enum envl_status
bind_context(const struct binding *b, struct bound_field *field)
{
    for (uint32_t i = 0; i < field->job->context_count; i++) {
        const struct job_pair *pair = &field->job->context[i];

        field->own_field |= names(pair, "field", false);
        field->own_id |= names(pair, "id", false) || names(pair, "id.", true);
    }
    if (b->options->info->has_ids || field->own_id)
        return ENVL_OK;
    (void)envl_fail(b->err, ENVL_E_POLICY,
                    "the key of %s is of a type that gives no \"id\"",
                    b->options->info->label);
    envl_hint(b->err, "say in each field what identifies the row: "
                      "\"context\": {\"id\": {\"column\": \"...\"}}");
    return ENVL_E_POLICY;
}

/* spec: JOB-27 */
static enum envl_status
bind_source(const struct binding *b, const struct bound_field *field)
{
    const struct envl_field_spec *spec = field->job->spec;
    bool writes = b->options->goal == TRANSFORM_SEAL ||
                  b->options->goal == TRANSFORM_ROTATE;

    if (!writes || spec->into == NULL || spec->keep_source ||
        !field->info->source_not_null)
        return ENVL_OK;
    (void)envl_fail(b->err, ENVL_E_POLICY,
                    "%s.%s is NOT NULL, so its plaintext cannot be removed",
                    b->options->info->label, spec->column);
    envl_hint(b->err, "ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL; or mode "
              "\"sibling\"", b->options->info->label, spec->column);
    return ENVL_E_POLICY;
}

/* The first length in [from, to) whose envelope is longer than ${max}. */
static enum envl_status
first_too_long(const struct binding *b, const struct envl_seal_options *seal,
               size_t bounds[2], uint64_t max)
{
    enum envl_status status = ENVL_OK;
    size_t len;

    while (bounds[0] < bounds[1] && status == ENVL_OK) {
        size_t middle = bounds[0] + (bounds[1] - bounds[0]) / 2;

        status = envl_sealed_len(b->options->ring, seal, middle, &len, b->err);
        if (status == ENVL_OK && len > max)
            bounds[1] = middle;
        else
            bounds[0] = middle + 1;
    }
    return status;
}

/*
 * Which lengths fit.  Padding ends at 4096 bytes, so 4097 can give a shorter
 * envelope than 4096: two bounds, not one.
 */
static enum envl_status
bind_length(const struct binding *b, struct bound_field *field)
{
    const struct bound_recipe *recipe =
        &b->bound->recipes[field->recipe];
    struct envl_seal_options seal = { .size = sizeof(seal),
                                      .kid = b->options->kid,
                                      .scope = b->options->job->scope,
                                      .encoding = recipe->encoding,
                                      .pad = recipe->pad };
    uint64_t max = field->max_len;
    size_t small[2] = { 0, SMALL_MAX + 1 };
    size_t large[2] = { SMALL_MAX + 1, SMALL_MAX + 1 };
    enum envl_status status;

    field->small_end = field->large_end = SIZE_MAX;
    if (max == 0 || b->options->kid == NULL)
        return ENVL_OK;
    if (max > SMALL_MAX)
        large[1] = max < SIZE_MAX / 4 ? (size_t)max : SIZE_MAX / 4;
    status = first_too_long(b, &seal, small, max);
    if (status == ENVL_OK)
        status = first_too_long(b, &seal, large, max);
    if (status == ENVL_OK) {
        field->small_end = small[0];
        field->large_end = large[0];
    }
    /* To look at what an earlier key sealed needs no key that seals. */
    if ((b->options->goal == TRANSFORM_CENSUS ||
         b->options->goal == TRANSFORM_VERIFY) &&
        (status == ENVL_E_POLICY || status == ENVL_E_NOKEY))
        return ENVL_OK;
    return status;
}

/* spec: JOB-28: how long the whole may be is seen when it is written. */
static enum envl_status
bind_select(const struct binding *b, struct bound_field *field)
{
    const struct json_path_spec spec = { .pattern = field->job->select };
    enum envl_kind takes = field->info->takes;

    field->takes = takes;
    field->max_len = field->info->max_len;
    if (spec.pattern.count == 0)
        return ENVL_OK;
    field->takes = ENVL_KIND_JSON;
    field->max_len = 0;
    return json_path_new(&spec, &field->select, b->err);
}

bool
bound_fits(const struct bound_field *field, size_t len)
{
    return len < (len <= SMALL_MAX ? field->small_end : field->large_end);
}

enum envl_status
bound_init(struct bound *bound, const struct transform_options *options,
           struct envl_error *err)
{
    const struct job_target *target = &options->job->targets[options->target];
    struct binding b = { options, target, bound, err };
    uint32_t count = target->spec.field_count;
    enum envl_status status = ENVL_OK;

    bound->fields = slab_take(&bound->slab, count * sizeof(*bound->fields),
                              err);
    bound->recipes = slab_take(&bound->slab,
                               2 * count * sizeof(*bound->recipes), err);
    if (bound->fields == NULL || bound->recipes == NULL)
        return ENVL_E_NOMEM;
    memset(bound->fields, 0, count * sizeof(*bound->fields));
    bound->count = count;
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++) {
        struct bound_field *field = &bound->fields[i];

        field->job = &target->fields[i];
        field->info = &options->info->fields[i];
        if ((status = bind_select(&b, field)) == ENVL_OK &&
            (status = bind_place(&b, field)) == ENVL_OK &&
            (status = bind_context(&b, field)) == ENVL_OK &&
            (status = bind_source(&b, field)) == ENVL_OK &&
            (status = bind_encoding(&b, field)) == ENVL_OK)
            status = bind_length(&b, field);
    }
    return status;
}

void
bound_free(struct bound *bound)
{
    for (uint32_t i = 0; bound->fields != NULL && i < bound->count; i++)
        json_path_free(bound->fields[i].select);
    slab_free(&bound->slab);
    memset(bound, 0, sizeof(*bound));
}
