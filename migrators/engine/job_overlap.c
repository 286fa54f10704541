#include <string.h>
#include <strings.h>

#include "engine/job_overlap.h"
#include "engine/job_path.h"

/* What one field is held against another with. */
struct pair {
    const struct job_node *node;
    const struct job_target *target, *other_target;
    uint32_t t, u; /* their indexes, and the fields' */
    uint32_t field, other;
    bool fold;
};

/* A place that a field reads (0) or, with `into`, writes (1). */
static bool
place_of(const struct envl_field_spec *spec, unsigned which,
         const char **column, struct envl_path *path)
{
    *column = spec->column == NULL ? "" : spec->column;
    *path = spec->path;
    if (which == 0)
        return true;
    if (spec->into == NULL)
        return false;
    if (path->count == 0)
        *column = spec->into;
    else
        path->count--; /* the last segment is compared apart */
    return true;
}

/* With ${into}, its last segment is that instead. */
static bool
paths_meet(const struct envl_path *a, const char *a_into,
           const struct envl_path *b, const char *b_into)
{
    struct envl_segment sa[JOB_PATH_MAX], sb[JOB_PATH_MAX];
    struct envl_path pa = { sa, a->count }, pb = { sb, b->count };

    if (a->count > 0)
        memcpy(sa, a->segments, a->count * sizeof(sa[0]));
    if (b->count > 0)
        memcpy(sb, b->segments, b->count * sizeof(sb[0]));
    if (a_into != NULL)
        sa[pa.count++] = (struct envl_segment){ ENVL_SEGMENT_MEMBER,
                                                envl_bytes_of(a_into), 0 };
    if (b_into != NULL)
        sb[pb.count++] = (struct envl_segment){ ENVL_SEGMENT_MEMBER,
                                                envl_bytes_of(b_into), 0 };
    return job_path_meet(&pa, &pb);
}

static bool
meet(const struct envl_field_spec *a, const struct envl_field_spec *b,
     bool fold)
{
    for (unsigned which = 0; which < 4; which++) {
        const char *ca, *cb;
        struct envl_path pa, pb;

        if (!place_of(a, which & 1, &ca, &pa) ||
            !place_of(b, which >> 1, &cb, &pb))
            continue;
        if (fold ? strcasecmp(ca, cb) != 0 : strcmp(ca, cb) != 0)
            continue;
        if (paths_meet(&pa, (which & 1) != 0 && a->path.count > 0 ? a->into
                                                                   : NULL,
                       &pb, (which >> 1) != 0 && b->path.count > 0 ? b->into
                                                                   : NULL))
            return true;
    }
    return false;
}

static bool
same_column(const char *a, const char *b, bool fold)
{
    return (fold ? strcasecmp(a, b) : strcmp(a, b)) == 0;
}

/* Does ${field} change what stands in ${column}? */
static bool
changes(const struct envl_field_spec *field, const char *column, bool fold)
{
    if (field->column == NULL)
        return false;
    return same_column(field->column, column, fold) ||
           (field->path.count == 0 && field->into != NULL &&
            same_column(field->into, column, fold));
}

/* The place of the identifier of the innermost object around a leaf. */
static struct envl_field_spec
element_of(const struct envl_field_spec *field, struct envl_segment *room)
{
    struct envl_field_spec place = { .column = field->column };
    uint32_t len = 0;

    for (uint32_t i = 1; i < field->path.count; i++) {
        if (field->path.segments[i - 1].kind != ENVL_SEGMENT_MEMBER &&
            field->path.segments[i].kind != ENVL_SEGMENT_ANY_ELEMENT)
            len = i;
    }
    memcpy(room, field->path.segments, len * sizeof(*room));
    room[len] = (struct envl_segment){ ENVL_SEGMENT_MEMBER,
                                       envl_bytes_of(field->element_id), 0 };
    place.path = (struct envl_path){ room, len + 1 };
    return place;
}

/* The place in a document that a context takes (job_field.c has checked that
   it is names and dots). */
static struct envl_field_spec
dotted_of(const char *dotted, struct envl_segment *room)
{
    struct envl_field_spec place = { .column = NULL };
    uint32_t count = 0;

    for (;;) {
        size_t len = strcspn(dotted, ".");

        room[count++] = (struct envl_segment){
            ENVL_SEGMENT_MEMBER, { (const uint8_t *)dotted, len }, 0 };
        if (dotted[len] == '\0' || count == JOB_PATH_MAX)
            break;
        dotted += len + 1;
    }
    place.path = (struct envl_path){ room, count };
    return place;
}

/* Does the other field change what the context's ${pair} takes? */
static bool
takes_changed(const struct pair *p, const struct job_pair *pair,
              const struct envl_field_spec *other)
{
    const char *extra = p->target->spec.extras[pair->extra];
    struct envl_segment room[JOB_PATH_MAX];
    struct envl_field_spec place;

    if (other->column != NULL)
        return changes(other, extra, p->fold);
    place = dotted_of(extra, room);
    return meet(&place, other, false);
}

/* May the other field be written while the first one's contexts hold? */
static enum envl_status
check_context(const struct pair *p)
{
    const struct job_field *field = &p->target->fields[p->field];
    const struct envl_field_spec *other =
        &p->other_target->spec.fields[p->other];
    struct envl_segment room[JOB_PATH_MAX + 1];

    for (uint32_t i = 0; i < field->context_count; i++) {
        const struct job_pair *pair = &field->context[i];

        if (pair->source == JOB_COLUMN &&
            takes_changed(p, pair, other))
            return job_node_fail(p->node, "targets[%u].fields[%u].context "
                                 "takes a column that targets[%u].fields[%u] "
                                 "changes", p->t, p->field, p->u, p->other);
    }
    if (field->spec->element_id != NULL) {
        struct envl_field_spec element = element_of(field->spec, room);

        if (meet(&element, other, p->fold))
            return job_node_fail(p->node, "targets[%u].fields[%u].context "
                                 "takes an element that targets[%u]."
                                 "fields[%u] changes", p->t, p->field, p->u,
                                 p->other);
    }
    return ENVL_OK;
}

static enum envl_status
check_key(const struct pair *p)
{
    const struct envl_target_spec *spec = &p->target->spec;
    const struct envl_field_spec *other =
        &p->other_target->spec.fields[p->other];
    const struct envl_segment *first = other->path.segments;

    for (uint32_t i = 0; i < spec->key_count; i++) {
        if (changes(other, spec->keys[i], p->fold))
            return job_node_fail(p->node, "targets[%u].key[%u] is changed by "
                                 "targets[%u].fields[%u]", p->t, i, p->u,
                                 p->other);
    }
    /* A deeper `*.x` is for the plugin, which knows what _id holds. */
    if (other->column == NULL &&
        ((first->kind == ENVL_SEGMENT_ANY_MEMBER && other->path.count == 1) ||
         (first->kind == ENVL_SEGMENT_MEMBER && first->name.len == 3 &&
          memcmp(first->name.ptr, "_id", 3) == 0)))
        return job_node_fail(p->node, "targets[%u].fields[%u] would change "
                             "_id, the key", p->u, p->other);
    return ENVL_OK;
}

/* spec: JOB-25 */
static enum envl_status
check_pair(const struct pair *p)
{
    const struct envl_field_spec *a = &p->target->spec.fields[p->field];
    const struct envl_field_spec *b = &p->other_target->spec.fields[p->other];
    enum envl_status status = ENVL_OK;

    if (a != b && meet(a, b, p->fold))
        return job_node_fail(p->node, "targets[%u].fields[%u] and targets[%u]."
                             "fields[%u] meet in one place", p->t, p->field,
                             p->u, p->other);
    if (p->field == 0)
        status = check_key(p);
    return status == ENVL_OK ? check_context(p) : status;
}

static enum envl_status
check_targets(struct pair *p)
{
    const struct envl_target_spec *a = &p->target->spec;
    const struct envl_target_spec *b = &p->other_target->spec;
    enum envl_status status = ENVL_OK;

    if (strcmp(a->table, b->table) != 0)
        return ENVL_OK;
    for (uint32_t i = 0; i < a->field_count; i++) {
        for (uint32_t j = 0; j < b->field_count && status == ENVL_OK; j++) {
            p->field = i;
            p->other = j;
            status = check_pair(p);
        }
    }
    return status;
}

enum envl_status
job_overlap_check(const struct job_node *node,
                  const struct job_target *targets, uint32_t count,
                  bool fold)
{
    enum envl_status status = ENVL_OK;

    for (uint32_t t = 0; t < count; t++) {
        for (uint32_t u = 0; u < count && status == ENVL_OK; u++) {
            struct pair p = { node, &targets[t], &targets[u], t, u, 0, 0,
                              fold };

            status = check_targets(&p);
        }
    }
    return status;
}
