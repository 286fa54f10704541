#include <stdlib.h>
#include <string.h>

#include "engine/names.h"
#include "engine/overlap.h"

#define SEGMENTS_MAX 64u

/* A column (may be NULL) and a path that a field reads or writes. */
struct place {
    const char *column;
    struct envl_path path;
    struct envl_segment own[SEGMENTS_MAX]; /* of a path with `into` in it */
};

static bool
is_element(const struct envl_segment *segment)
{
    return segment->kind == ENVL_SEGMENT_ANY_ELEMENT ||
           segment->kind == ENVL_SEGMENT_ELEMENT;
}

static bool
can_match_both(const struct envl_segment *a, const struct envl_segment *b)
{
    if (is_element(a) != is_element(b))
        return false;
    if (a->kind != ENVL_SEGMENT_MEMBER || b->kind != ENVL_SEGMENT_MEMBER)
        return true; /* a wildcard, or elements by number */
    return a->name.len == b->name.len &&
           memcmp(a->name.ptr, b->name.ptr, a->name.len) == 0;
}

bool
overlap_paths(const struct envl_path *a, const struct envl_path *b)
{
    uint32_t count = a->count < b->count ? a->count : b->count;

    for (uint32_t i = 0; i < count; i++) {
        if (!can_match_both(&a->segments[i], &b->segments[i]))
            return false;
    }
    return true;
}

static bool
same_column(const char *a, const char *b)
{
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

/* Where the envelope of ${spec} goes. */
static void
destination(const struct envl_field_spec *spec, struct place *out)
{
    uint32_t last;

    out->column = spec->column;
    out->path = spec->path;
    if (spec->into == NULL)
        return;
    if (spec->path.count == 0 || spec->path.count > SEGMENTS_MAX) {
        out->column = spec->into;
        return;
    }
    memcpy(out->own, spec->path.segments,
           spec->path.count * sizeof(out->own[0]));
    for (last = spec->path.count; last > 0; last--) {
        if (out->own[last - 1].kind == ENVL_SEGMENT_MEMBER) {
            out->own[last - 1].name = envl_bytes_of(spec->into);
            break;
        }
    }
    out->path.segments = out->own;
}

static bool
clash(const struct place *a, const struct place *b)
{
    return same_column(a->column, b->column) &&
           overlap_paths(&a->path, &b->path);
}

static bool
fields_clash(const struct envl_field_spec *a, const struct envl_field_spec *b)
{
    struct place from[2], to[2];

    from[0] = (struct place){ .column = a->column, .path = a->path };
    from[1] = (struct place){ .column = b->column, .path = b->path };
    destination(a, &to[0]);
    destination(b, &to[1]);
    return clash(&from[0], &from[1]) || clash(&from[0], &to[1]) ||
           clash(&to[0], &from[1]) || clash(&to[0], &to[1]);
}

static enum envl_status
refuse(const char *label, const struct job_field *a,
       const struct job_field *b, struct envl_error *err)
{
    char *names[2] = { names_field(a), names_field(b) };

    envl_fail(err, ENVL_E_USAGE, "fields %s and %s of %s touch the same place",
              names[0] == NULL ? "?" : names[0],
              names[1] == NULL ? "?" : names[1], label);
    envl_hint(err, "a value may belong to one field only");
    free(names[0]);
    free(names[1]);
    return ENVL_E_USAGE;
}

static enum envl_status
compare(const struct session *session, uint32_t a, uint32_t b,
        struct envl_error *err)
{
    const struct job_target *left = &session->env->job->targets[a];
    const struct job_target *right = &session->env->job->targets[b];

    for (uint32_t i = 0; i < left->spec.field_count; i++) {
        for (uint32_t j = a == b ? i + 1 : 0; j < right->spec.field_count;
             j++) {
            if (fields_clash(left->fields[i].spec, right->fields[j].spec))
                return refuse(session_info(session, a)->label,
                              &left->fields[i], &right->fields[j], err);
        }
    }
    return ENVL_OK;
}

enum envl_status
overlap_check(const struct session *session, struct envl_error *err)
{
    uint32_t count = session->env->job->target_count;
    enum envl_status status = ENVL_OK;

    for (uint32_t a = 0; status == ENVL_OK && a < count; a++) {
        for (uint32_t b = a; status == ENVL_OK && b < count; b++) {
            if (strcmp(session_info(session, a)->label,
                       session_info(session, b)->label) == 0)
                status = compare(session, a, b, err);
        }
    }
    return status;
}
