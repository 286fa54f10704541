#include <string.h>

#include "mongo/change.h"
#include "mongo/edit.h"
#include "mongo/exposure.h"
#include "mongo/filter.h"
#include "mongo/key.h"
#include "mongo/leaf.h"
#include "mongo/object.h"

/* A row's edits in the making. */
struct making {
    const struct edit_row *row;
    struct arena *arena;
    struct change *changes; /* at most two an edit */
    uint32_t count;
    bson_t document;        /* as it was read       */
    struct filter_list expressions;
    enum edit_result result;
};

static const struct envl_leaf *
leaf_of(const struct edit_row *row, uint32_t edit)
{
    return &row->row->leaves[row->edits[edit].leaf];
}

static const struct envl_field_spec *
field_of(const struct edit_row *row, uint32_t edit)
{
    return &row->target->spec->fields[leaf_of(row, edit)->field];
}

/* ---- from edits to changes ---------------------------------------------- */

static bool
add_change(struct making *m, uint32_t edit, const struct envl_path *path,
           const struct envl_cell *put)
{
    m->changes[m->count++] = (struct change){ *path, put, edit };
    return true;
}

static bool
changes_of(struct making *m, uint32_t edit)
{
    const struct envl_edit *e = &m->row->edits[edit];
    const struct envl_leaf *leaf = leaf_of(m->row, edit);
    const struct envl_field_spec *field = field_of(m->row, edit);
    const struct envl_cell *put = e->put.kind == ENVL_KIND_ABSENT ? NULL
                                                                  : &e->put;
    struct envl_path beside;

    if ((e->flags & ENVL_EDIT_INTO) == 0) {
        if (put == NULL && (e->flags & ENVL_EDIT_CLEAR) == 0)
            return false;
        return add_change(m, edit, &leaf->path, put);
    }
    if (field->into == NULL || put == NULL)
        return false;
    if (change_sibling(&leaf->path, field->into, m->arena, &beside) !=
        ENVL_OK) {
        m->result = EDIT_NOMEM;
        return false;
    }
    if (e->flags & ENVL_EDIT_CLEAR)
        add_change(m, edit, &leaf->path, NULL);
    return add_change(m, edit, &beside, put);
}

static bool
begin(struct making *m, const struct edit_row *row, struct arena *arena)
{
    *m = (struct making){ .row = row, .arena = arena, .result = EDIT_MADE };
    m->changes = arena_alloc(arena, 2 * row->count * sizeof(*m->changes));
    if (m->changes == NULL) {
        m->result = EDIT_NOMEM;
        return false;
    }
    for (uint32_t i = 0; i < row->count; i++) {
        const struct envl_edit *e = &row->edits[i];

        if (e->leaf >= row->row->leaf_count ||
            leaf_of(row, i)->path.count == 0 || !changes_of(m, i)) {
            if (m->result == EDIT_MADE)
                m->result = EDIT_WRONG;
            return false;
        }
    }
    return true;
}

/* ---- top-level members -------------------------------------------------- */

static struct envl_bytes
top_of(const struct making *m, uint32_t edit)
{
    return leaf_of(m->row, edit)->path.segments[0].name;
}

static bool
same_top(const struct making *m, uint32_t a, uint32_t b)
{
    struct envl_bytes x = top_of(m, a), y = top_of(m, b);

    return x.len == y.len && (x.len == 0 || memcmp(x.ptr, y.ptr, x.len) == 0);
}

static bool
addressable(const struct making *m, uint32_t edit)
{
    const struct envl_path *path = &leaf_of(m->row, edit)->path;

    return leaf_addressable(path, field_of(m->row, edit)->into);
}

/* Whether the places of an edit can be compared each by itself. */
static bool
comparable(const struct making *m, uint32_t edit)
{
    const struct server *server = &m->row->target->store->server;
    const struct envl_leaf *leaf = leaf_of(m->row, edit);

    /* A sibling stands in the same object, in an array or not. */
    return filter_form(server, &leaf->path, &leaf->value) != FILTER_NONE &&
           (field_of(m->row, edit)->into == NULL ||
            filter_form(server, &leaf->path, &leaf->sibling) != FILTER_NONE);
}

/* How the top-level member of an edit is compared and written. */
enum form {
    FORM_PLACES, /* each place by itself                                  */
    FORM_WHOLE,  /* compared whole, written by dotted paths               */
    FORM_ANEW    /* compared whole, and put together anew                 */
};

static enum form
form_of(const struct making *m, uint32_t edit)
{
    enum form form = FORM_PLACES;

    for (uint32_t i = 0; i < m->row->count; i++) {
        if (!same_top(m, i, edit))
            continue;
        if (!addressable(m, i))
            return FORM_ANEW;
        if (!comparable(m, i))
            form = FORM_WHOLE;
    }
    return form;
}

/* The first edit of a top-level member stands for all. */
static bool
first_of_top(const struct making *m, uint32_t edit)
{
    for (uint32_t i = 0; i < edit; i++) {
        if (same_top(m, i, edit))
            return false;
    }
    return true;
}

static bool
find_top(const struct making *m, uint32_t edit, bson_iter_t *at)
{
    struct envl_bytes top = top_of(m, edit);

    return bson_iter_init(at, &m->document) &&
           bson_iter_find_w_len(at, (const char *)top.ptr, (int)top.len);
}

/* ---- the filter --------------------------------------------------------- */

/* spec: JOB-51: the value, its type, and no array that holds it. */
static bool
append_same(struct making *m, const struct envl_path *path,
            const struct envl_cell *cell, bson_t *q)
{
    const struct envl_store *store = m->row->target->store;
    enum filter_form form = filter_form(&store->server, path, cell);

    if (form == FILTER_PLAIN)
        return filter_plain(path, cell, m->arena, q);
    return filter_expression(path, cell, form == FILTER_HASHED, m->arena,
                             &m->expressions);
}

/* The whole member as it was read. */
static bool
append_whole(struct making *m, uint32_t edit, bson_t *q)
{
    struct envl_bytes top = top_of(m, edit);
    bson_iter_t at;
    bson_t is;
    bool ok = false;

    bson_append_document_begin(q, (const char *)top.ptr, (int)top.len, &is);
    if (find_top(m, edit, &at))
        ok = bson_append_iter(&is, "$eq", 3, &at) &&
             BSON_APPEND_INT32(&is, "$type", (int32_t)bson_iter_type(&at));
    bson_append_document_end(q, &is);
    return ok;
}

static bool
append_places(struct making *m, uint32_t edit, bson_t *q)
{
    const struct envl_leaf *leaf = leaf_of(m->row, edit);
    const struct envl_field_spec *field = field_of(m->row, edit);
    struct envl_path beside;

    for (uint32_t i = 0; i < edit; i++) {
        if (m->row->edits[i].leaf == m->row->edits[edit].leaf)
            return true;
    }
    if (!append_same(m, &leaf->path, &leaf->value, q))
        return false;
    if (field->into == NULL)
        return true;
    if (change_sibling(&leaf->path, field->into, m->arena, &beside) !=
        ENVL_OK) {
        m->result = EDIT_NOMEM;
        return false;
    }
    return append_same(m, &beside, &leaf->sibling, q);
}

/* So that mongos knows the shard: what the key's members held. */
static void
append_shard_key(const struct making *m, bson_t *q)
{
    const struct envl_target *target = m->row->target;

    for (uint32_t i = 0; i < target->shard_key_count; i++) {
        bson_iter_t at, value;
        bson_t is;

        if (!bson_iter_init(&at, &m->document) ||
            !bson_iter_find_descendant(&at, target->shard_keys[i], &value) ||
            bson_has_field(q, target->shard_keys[i]))
            continue;
        BSON_APPEND_DOCUMENT_BEGIN(q, target->shard_keys[i], &is);
        bson_append_iter(&is, "$eq", 3, &value);
        bson_append_document_end(q, &is);
    }
}

static bool
append_filter(struct making *m, bson_t *op)
{
    bson_iter_t id;
    bson_t q, expr;
    bool ok;

    bson_init(&m->expressions.bson);
    BSON_APPEND_DOCUMENT_BEGIN(op, "q", &q);
    ok = key_decode(m->row->row->key, &id) &&
         bson_append_iter(&q, "_id", 3, &id);
    for (uint32_t i = 0; ok && i < m->row->count; i++) {
        if (form_of(m, i) == FORM_PLACES)
            ok = append_places(m, i, &q);
        else if (first_of_top(m, i))
            ok = append_whole(m, i, &q);
    }
    if (m->expressions.count > 0) {
        BSON_APPEND_DOCUMENT_BEGIN(&q, "$expr", &expr);
        BSON_APPEND_ARRAY(&expr, "$and", &m->expressions.bson);
        bson_append_document_end(&q, &expr);
    }
    append_shard_key(m, &q);
    bson_append_document_end(op, &q);
    bson_destroy(&m->expressions.bson);
    return ok;
}

/* ---- the update --------------------------------------------------------- */

static bool
append_anew(struct making *m, uint32_t edit, bson_t *set)
{
    struct envl_bytes top = top_of(m, edit), bytes = { NULL, 0 };
    struct envl_buf anew = ENVL_BUF_INIT;
    struct change *mine;
    uint32_t count = 0, len;
    bson_iter_t at;
    bson_t view;
    bool ok;

    mine = arena_alloc(m->arena, m->count * sizeof(*mine));
    if (mine == NULL || !find_top(m, edit, &at)) {
        m->result = mine == NULL ? EDIT_NOMEM : EDIT_WRONG;
        return false;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        if (same_top(m, m->changes[i].edit, edit))
            mine[count++] = m->changes[i];
    }
    if (BSON_ITER_HOLDS_DOCUMENT(&at))
        bson_iter_document(&at, &len, &bytes.ptr);
    else if (BSON_ITER_HOLDS_ARRAY(&at))
        bson_iter_array(&at, &len, &bytes.ptr);
    bytes.len = bytes.ptr == NULL ? 0 : len;
    ok = bytes.ptr != NULL && change_splice(bytes, mine, count, 1, &anew) &&
         bson_init_static(&view, anew.ptr, anew.len) &&
         (BSON_ITER_HOLDS_ARRAY(&at)
              ? bson_append_array(set, (const char *)top.ptr, (int)top.len,
                                  &view)
              : bson_append_document(set, (const char *)top.ptr,
                                     (int)top.len, &view));
    envl_buf_free(&anew);
    return ok;
}

/* $set what is put, or $unset what is removed, by dotted path. */
static bool
append_changes(struct making *m, bool removed, bson_t *out)
{
    struct envl_bytes name;
    bool ok = true;

    for (uint32_t i = 0; ok && i < m->count; i++) {
        const struct change *change = &m->changes[i];

        if ((change->put == NULL) != removed ||
            form_of(m, change->edit) == FORM_ANEW)
            continue;
        if (change_dotted(&change->path, m->arena, &name) != ENVL_OK) {
            m->result = EDIT_NOMEM;
            return false;
        }
        ok = removed ? bson_append_utf8(out, (const char *)name.ptr,
                                        (int)name.len, "", 0)
                     : object_append(out, name, change->put);
    }
    return ok;
}

static bool
append_update(struct making *m, bson_t *op)
{
    bson_t set = BSON_INITIALIZER, unset = BSON_INITIALIZER, u;
    bool ok = append_changes(m, false, &set) &&
              append_changes(m, true, &unset);

    for (uint32_t i = 0; ok && i < m->row->count; i++) {
        if (form_of(m, i) == FORM_ANEW && first_of_top(m, i))
            ok = append_anew(m, i, &set);
    }
    BSON_APPEND_DOCUMENT_BEGIN(op, "u", &u);
    if (!bson_empty(&set))
        ok = ok && BSON_APPEND_DOCUMENT(&u, "$set", &set);
    if (!bson_empty(&unset))
        ok = ok && BSON_APPEND_DOCUMENT(&u, "$unset", &unset);
    bson_append_document_end(op, &u);
    bson_destroy(&set);
    bson_destroy(&unset);
    return ok;
}

/* ---- the whole ---------------------------------------------------------- */

/* Whether a value of an edit would stand in the filter. */
static bool
shows(const struct making *m, uint32_t edit)
{
    const struct server *server = &m->row->target->store->server;
    const struct envl_leaf *leaf = leaf_of(m->row, edit);
    const struct envl_cell *cells[] = { &leaf->value, &leaf->sibling };

    for (size_t i = 0; i < 2; i++) {
        if (cells[i]->kind != ENVL_KIND_ABSENT &&
            cells[i]->kind != ENVL_KIND_NULL &&
            filter_form(server, &leaf->path, cells[i]) != FILTER_HASHED)
            return true;
    }
    return false;
}

/* What no form can do, before anything is put together. */
static enum edit_result
check(const struct making *m)
{
    struct envl_segment first = { ENVL_SEGMENT_MEMBER, { NULL, 0 }, 0 };
    const struct envl_path alone = { &first, 1 };

    bool exposed = exposure_matters(m->row->target->store);

    for (uint32_t i = 0; i < m->row->count; i++) {
        if (exposed && (form_of(m, i) != FORM_PLACES || shows(m, i)))
            return EDIT_EXPOSED;
        first.name = top_of(m, i);
        if (form_of(m, i) == FORM_ANEW &&
            (leaf_of(m->row, i)->path.count == 1 ||
             !leaf_addressable(&alone, NULL)))
            return EDIT_NAMELESS;
    }
    return EDIT_MADE;
}

enum edit_result
edit_append(const struct edit_row *row, struct arena *arena, bson_t *op)
{
    struct making m;
    bson_t collation;

    if (!begin(&m, row, arena))
        return m.result;
    if (!bson_init_static(&m.document, row->document.ptr, row->document.len))
        return EDIT_WRONG;
    m.result = check(&m);
    if (m.result != EDIT_MADE)
        return m.result;
    if (!append_filter(&m, op) || !append_update(&m, op))
        return m.result == EDIT_MADE ? EDIT_WRONG : m.result;
    BSON_APPEND_DOCUMENT_BEGIN(op, "collation", &collation);
    BSON_APPEND_UTF8(&collation, "locale", "simple");
    bson_append_document_end(op, &collation);
    return EDIT_MADE;
}

bool
edit_holds(const struct edit_row *row, struct arena *arena,
           const bson_t *document)
{
    struct making m;

    if (!begin(&m, row, arena))
        return false;
    for (uint32_t i = 0; i < m.count; i++) {
        if (!change_made(document, &m.changes[i]))
            return false;
    }
    return true;
}
