#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "mongo/cell.h"
#include "mongo/ident.h"
#include "mongo/leaf.h"

static const struct envl_cell absent = { ENVL_KIND_ABSENT, { NULL, 0 } };
static const struct envl_cell other = { ENVL_KIND_OTHER, { NULL, 0 } };

static bool
same(struct envl_bytes a, struct envl_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool
is_wild(const struct envl_segment *segment)
{
    return segment->kind == ENVL_SEGMENT_ANY_MEMBER ||
           segment->kind == ENVL_SEGMENT_ANY_ELEMENT;
}

/* ---- what is being collected --------------------------------------------- */

struct collector {
    struct arena *arena;
    struct envl_leaf *leaves;
    size_t count, cap;
    /* The field that is looked for. */
    const struct envl_field_spec *spec;
    uint32_t field;
    uint32_t id_segment;       /* whose documents hold element_id; 0: none */
    struct envl_segment *self; /* how the walk came here, one a segment    */
};

/* Members of one document or array that the pattern goes into. */
struct level {
    struct envl_bytes inside; /* the document's bytes          */
    uint32_t segment;         /* of the pattern, chooses here  */
    size_t first;             /* leaf                          */
    uint32_t matches, siblings, ids, index;
    bool unclear;             /* two of one name, or no array  */
    struct envl_cell sibling, id;
    struct member *members;   /* that `*` matched              */
    size_t member_count, member_cap;
};

struct member {
    struct envl_bytes name;
    size_t from, to; /* its leaves */
};

static enum envl_status
add_leaf(struct collector *c, const struct envl_leaf *leaf)
{
    size_t cap = c->cap == 0 ? 16 : 2 * c->cap;
    struct envl_leaf *more;

    if (c->count == UINT32_MAX)
        return ENVL_E_LIMIT;
    if (c->count == c->cap) {
        if ((more = arena_alloc(c->arena, cap * sizeof(*more))) == NULL)
            return ENVL_E_NOMEM;
        if (c->count > 0)
            memcpy(more, c->leaves, c->count * sizeof(*more));
        c->leaves = more;
        c->cap = cap;
    }
    c->leaves[c->count++] = *leaf;
    return ENVL_OK;
}

/* A leaf at the walk's place. */
static enum envl_status
add_here(struct collector *c, const struct envl_cell *value)
{
    size_t size = c->spec->path.count * sizeof(*c->self);
    struct envl_leaf leaf = { .field = c->field, .value = *value };
    struct envl_segment *path = arena_alloc(c->arena, size);

    if (path == NULL)
        return ENVL_E_NOMEM;
    memcpy(path, c->self, size);
    leaf.path = (struct envl_path){ path, c->spec->path.count };
    return add_leaf(c, &leaf);
}

/* Which of them an update would change is not ours to guess. */
static void
mark_other(struct collector *c, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        struct envl_leaf *leaf = &c->leaves[i];

        leaf->value = other;
        if (leaf->sibling.kind != ENVL_KIND_ABSENT)
            leaf->sibling = other;
    }
}

/* ---- the walk ------------------------------------------------------------ */

static enum envl_status walk(struct collector *c, struct envl_bytes inside,
                             uint32_t segment);

/* A value that the pattern up to ${segment} leads to. */
static enum envl_status
reach(struct collector *c, const struct bson_element *element,
      uint32_t segment)
{
    const struct envl_path *path = &c->spec->path;
    struct envl_cell value;
    enum envl_status status;
    bool array;

    if (segment == path->count) {
        status = cell_take(element, c->arena, &value);
        return status == ENVL_OK ? add_here(c, &value) : status;
    }
    array = path->segments[segment].kind == ENVL_SEGMENT_ANY_ELEMENT;
    if (element->type != (array ? BSON_ARRAY : BSON_DOCUMENT))
        return ENVL_OK;
    return walk(c, element->value, segment);
}

static enum envl_status
take_element(struct collector *c, struct level *level,
             const struct bson_element *element)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", level->index);
    level->unclear |= !same(element->name, envl_bytes_of(number));
    c->self[level->segment] = (struct envl_segment){
        .kind = ENVL_SEGMENT_ELEMENT, .index = level->index++ };
    return reach(c, element, level->segment + 1);
}

static enum envl_status
add_member(struct collector *c, struct level *level,
           const struct member *member)
{
    size_t cap = level->member_cap == 0 ? 16 : 2 * level->member_cap;
    struct member *more;

    if (level->member_count == level->member_cap) {
        if ((more = arena_alloc(c->arena, cap * sizeof(*more))) == NULL)
            return ENVL_E_NOMEM;
        if (level->member_count > 0)
            memcpy(more, level->members,
                   level->member_count * sizeof(*more));
        level->members = more;
        level->member_cap = cap;
    }
    level->members[level->member_count++] = *member;
    return ENVL_OK;
}

static enum envl_status
take_wild(struct collector *c, struct level *level,
          const struct bson_element *element)
{
    struct member member = { element->name, c->count, 0 };
    enum envl_status status;

    /* spec: JOB-20 */
    if (level->segment == 0 && same(element->name, envl_bytes_of("_id")))
        return ENVL_OK;
    c->self[level->segment] = (struct envl_segment){
        .kind = ENVL_SEGMENT_MEMBER, .name = element->name };
    status = reach(c, element, level->segment + 1);
    if (status != ENVL_OK)
        return status;
    member.to = c->count;
    if (!utf8_valid(element->name))
        mark_other(c, member.from, member.to);
    return add_member(c, level, &member);
}

static enum envl_status
take_named(struct collector *c, struct level *level,
           const struct bson_element *element)
{
    const struct envl_segment *wanted =
        &c->spec->path.segments[level->segment];

    if (same(element->name, wanted->name)) {
        level->matches++;
        c->self[level->segment] = *wanted;
        return reach(c, element, level->segment + 1);
    }
    if (c->spec->into == NULL ||
        level->segment + 1 != c->spec->path.count ||
        !same(element->name, envl_bytes_of(c->spec->into)))
        return ENVL_OK;
    level->siblings++;
    return cell_take(element, c->arena, &level->sibling);
}

static enum envl_status
take_member(struct collector *c, struct level *level,
            const struct bson_element *element)
{
    const struct envl_segment *wanted =
        &c->spec->path.segments[level->segment];
    enum envl_status status = ENVL_OK;

    if (wanted->kind == ENVL_SEGMENT_ANY_ELEMENT)
        return take_element(c, level, element);
    if (c->id_segment != 0 && c->id_segment == level->segment &&
        same(element->name, envl_bytes_of(c->spec->element_id))) {
        level->ids++;
        status = cell_text(element, c->arena, &level->id);
    }
    if (status != ENVL_OK)
        return status;
    return wanted->kind == ENVL_SEGMENT_ANY_MEMBER
               ? take_wild(c, level, element) : take_named(c, level, element);
}

static int
compare_names(const void *left, const void *right)
{
    const struct envl_bytes *a = &((const struct member *)left)->name;
    const struct envl_bytes *b = &((const struct member *)right)->name;
    size_t len = a->len < b->len ? a->len : b->len;
    int order = len == 0 ? 0 : memcmp(a->ptr, b->ptr, len);

    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* Under `*` no two members may have one name. */
static void
mark_twins(struct collector *c, struct level *level)
{
    struct member *m = level->members;
    size_t count = level->member_count;

    if (count < 2)
        return;
    qsort(m, count, sizeof(*m), compare_names);
    for (size_t i = 0; i < count; i++) {
        if ((i > 0 && same(m[i].name, m[i - 1].name)) ||
            (i + 1 < count && same(m[i].name, m[i + 1].name)))
            mark_other(c, m[i].from, m[i].to);
    }
}

/* What the end of a document says of the leaves found in it. */
static enum envl_status
close_level(struct collector *c, struct level *level)
{
    enum envl_status status = ENVL_OK;

    if (level->siblings > 0 && level->matches == 0) {
        c->self[level->segment] = c->spec->path.segments[level->segment];
        status = add_here(c, &absent);
    }
    for (size_t i = level->first; status == ENVL_OK && i < c->count; i++) {
        if (level->siblings > 0)
            c->leaves[i].sibling = level->sibling;
        if (level->ids > 0)
            c->leaves[i].element = level->ids == 1 ? level->id : other;
    }
    if (level->unclear || level->matches > 1 || level->siblings > 1)
        mark_other(c, level->first, c->count);
    mark_twins(c, level);
    return status;
}

/* As deep as the pattern is long, however deep the document. */
static enum envl_status
walk(struct collector *c, struct envl_bytes inside, uint32_t segment)
{
    struct level level = { .segment = segment, .first = c->count };
    enum envl_status status = ENVL_OK;
    struct bson_element element;
    size_t at = 4;

    while (status == ENVL_OK) {
        at = bson_check_next_shape(inside, at, &element);
        if (at == 0)
            return close_level(c, &level);
        status = at == SIZE_MAX ? ENVL_E_INTERNAL /* it was checked */
                                : take_member(c, &level, &element);
    }
    return status;
}

/* ---- fields -------------------------------------------------------------- */

/* The innermost document around a leaf that a wildcard matched. */
static uint32_t
find_id_segment(const struct envl_field_spec *spec)
{
    if (spec->element_id == NULL)
        return 0;
    for (uint32_t i = spec->path.count - 1; i > 0; i--) {
        if (is_wild(&spec->path.segments[i - 1]) &&
            spec->path.segments[i].kind != ENVL_SEGMENT_ANY_ELEMENT)
            return i;
    }
    return 0;
}

static bool
has_wildcard(const struct envl_path *path)
{
    for (uint32_t i = 0; i < path->count; i++) {
        if (is_wild(&path->segments[i]))
            return true;
    }
    return false;
}

static enum envl_status
collect_field(struct collector *c, struct envl_bytes document, bool valid)
{
    struct envl_leaf none = { .field = c->field,
                              .value = valid ? absent : other };
    const struct envl_path *path = &c->spec->path;
    size_t before = c->count;
    enum envl_status status = ENVL_OK;

    if (valid) {
        c->id_segment = find_id_segment(c->spec);
        c->self = arena_alloc(c->arena, path->count * sizeof(*c->self));
        if (c->self == NULL)
            return ENVL_E_NOMEM;
        status = walk(c, document, 0);
    }
    if (status != ENVL_OK || c->count > before)
        return status;
    if (!has_wildcard(path))
        none.path = *path;
    return add_leaf(c, &none);
}

enum envl_status
leaf_collect(const bson_t *document, const struct envl_field_spec *fields,
             uint32_t count, struct arena *arena, struct envl_leaf **leaves,
             uint32_t *leaf_count, struct envl_error *err)
{
    struct collector c = { .arena = arena };
    struct envl_bytes bytes = { bson_get_data(document), document->len };
    enum envl_status status = bson_check_shape(bytes, NULL);
    bool valid = status == ENVL_OK;

    if (status == ENVL_E_USAGE)
        status = ENVL_OK;
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++) {
        c.spec = &fields[i];
        c.field = i;
        status = collect_field(&c, bytes, valid);
    }
    if (status == ENVL_E_NOMEM)
        return envl_fail(err, status, "out of memory for a document");
    if (status == ENVL_E_LIMIT)
        return envl_fail(err, status, "a document with too many values");
    if (status != ENVL_OK)
        return envl_fail(err, status, "a document changed under its walk");
    *leaves = c.leaves;
    *leaf_count = (uint32_t)c.count;
    return ENVL_OK;
}

/* ---- one place ----------------------------------------------------------- */

enum found { FOUND_NONE, FOUND_ONE, FOUND_TWO };

/* The member or element that ${segment} names, among those of ${inside}. */
static enum found
find_one(bson_iter_t inside, const struct envl_segment *segment,
         bson_iter_t *out)
{
    enum found found = FOUND_NONE;
    struct envl_bytes name = segment->name;
    char number[24];

    if (segment->kind == ENVL_SEGMENT_ELEMENT) {
        snprintf(number, sizeof(number), "%llu",
                 (unsigned long long)segment->index);
        name = envl_bytes_of(number);
    }
    while (bson_iter_next(&inside)) {
        if (!same(name, (struct envl_bytes){
                            (const uint8_t *)bson_iter_key(&inside),
                            bson_iter_key_len(&inside) }))
            continue;
        if (found == FOUND_ONE)
            return FOUND_TWO;
        found = FOUND_ONE;
        *out = inside;
    }
    return found;
}

static enum found
find(const bson_t *document, const struct envl_path *path, bson_iter_t *at)
{
    enum found found = FOUND_NONE;
    bson_iter_t inside;

    if (!bson_iter_init(&inside, document))
        return FOUND_NONE;
    for (uint32_t i = 0; i < path->count; i++) {
        bool element = path->segments[i].kind == ENVL_SEGMENT_ELEMENT;

        if (i == 0 ? element
                   : bson_iter_type(at) != (element ? BSON_TYPE_ARRAY
                                                    : BSON_TYPE_DOCUMENT) ||
                         !bson_iter_recurse(at, &inside))
            return FOUND_NONE;
        found = find_one(inside, &path->segments[i], at);
        if (found != FOUND_ONE)
            break;
    }
    return found;
}

bool
leaf_find(const bson_t *document, const struct envl_path *path,
          bson_iter_t *at)
{
    return find(document, path, at) == FOUND_ONE;
}

enum envl_status
leaf_extra(const bson_t *document, const char *dotted, struct arena *arena,
           struct envl_cell *out)
{
    struct envl_segment segment = { .kind = ENVL_SEGMENT_MEMBER };
    enum found found = FOUND_NONE;
    bson_iter_t inside, at;

    *out = absent;
    if (!bson_iter_init(&inside, document))
        return ENVL_OK;
    for (;;) {
        size_t len = strcspn(dotted, ".");

        segment.name = (struct envl_bytes){ (const uint8_t *)dotted, len };
        found = find_one(inside, &segment, &at);
        if (found != FOUND_ONE || dotted[len] == '\0')
            break;
        if (bson_iter_type(&at) != BSON_TYPE_DOCUMENT ||
            !bson_iter_recurse(&at, &inside))
            return ENVL_OK;
        dotted += len + 1;
    }
    if (found == FOUND_TWO)
        *out = other;
    return found == FOUND_ONE ? ident_text(&at, arena, out) : ENVL_OK;
}

static bool
name_addressable(struct envl_bytes name)
{
    return name.len > 0 && name.ptr[0] != '$' &&
           memchr(name.ptr, '.', name.len) == NULL;
}

bool
leaf_addressable(const struct envl_path *path, const char *into)
{
    for (uint32_t i = 0; i < path->count; i++) {
        if (path->segments[i].kind == ENVL_SEGMENT_MEMBER &&
            !name_addressable(path->segments[i].name))
            return false;
    }
    return into == NULL || name_addressable(envl_bytes_of(into));
}
