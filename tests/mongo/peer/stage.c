#include <stdio.h>
#include <string.h>

#include "expr.h"
#include "stage.h"
#include "update.h"

#define PATH_MOST 1024

/* A projection: which paths, and whether they are put in or left out. */
struct shape {
    const bson_t *spec;
    bool keeping;
};

static bool
is_expression(const bson_value_t *value)
{
    return value->value_type == BSON_TYPE_DOCUMENT ||
           value->value_type == BSON_TYPE_ARRAY ||
           value->value_type == BSON_TYPE_UTF8;
}

/* 0: not named; 1: named itself; 2: something below it is. */
static int
named(const struct shape *shape, const char *path)
{
    size_t len = strlen(path);
    bson_iter_t iter;

    if (!bson_iter_init(&iter, shape->spec))
        return 0;
    while (bson_iter_next(&iter)) {
        const char *key = bson_iter_key(&iter);

        if (is_expression(bson_iter_value(&iter)) ||
            value_truth(bson_iter_value(&iter)) != shape->keeping)
            continue;
        if (strcmp(key, path) == 0)
            return 1;
        if (strncmp(key, path, len) == 0 && key[len] == '.')
            return 2;
    }
    return 0;
}

static void
shape_doc(const struct shape *shape, const bson_t *doc, bool array,
          const char *prefix, bson_t *out)
{
    char path[PATH_MOST], key[16];
    bson_iter_t iter;
    uint32_t n = 0;

    if (!bson_iter_init(&iter, doc))
        return;
    while (bson_iter_next(&iter)) {
        const bson_value_t *value = bson_iter_value(&iter);
        const char *name = bson_iter_key(&iter);
        bson_t child, made;
        int how;

        if (array) { /* elements have no names of their own */
            snprintf(path, sizeof(path), "%s", prefix);
            snprintf(key, sizeof(key), "%u", n);
            name = key;
            how = 2;
        } else {
            snprintf(path, sizeof(path), "%s%s%s", prefix,
                     prefix[0] == '\0' ? "" : ".", name);
            how = named(shape, path);
        }
        if (how == 2 && value_doc(value, &child)) {
            bson_init(&made);
            shape_doc(shape, &child, value->value_type == BSON_TYPE_ARRAY,
                      path, &made);
            if (value->value_type == BSON_TYPE_ARRAY)
                bson_append_array(out, name, -1, &made);
            else
                bson_append_document(out, name, -1, &made);
            bson_destroy(&made);
            n++;
        } else if (shape->keeping ? how == 1 : how != 1) {
            bson_append_value(out, name, -1, value);
            n++;
        }
    }
}

static bool
computed(const bson_t *doc, const bson_t *spec, bson_t *out,
         struct trouble *trouble)
{
    struct expr_scope scope = { .root = doc, .trouble = trouble };
    bson_iter_t iter;

    if (!bson_iter_init(&iter, spec))
        return false;
    while (bson_iter_next(&iter)) {
        bson_t next = BSON_INITIALIZER;
        bson_value_t value;
        bool good;

        if (!is_expression(bson_iter_value(&iter)))
            continue;
        if (!expr_value(bson_iter_value(&iter), &scope, &value)) {
            bson_destroy(&next);
            return false;
        }
        good = value.value_type == BSON_TYPE_EOD ||
               update_set(out, bson_iter_key(&iter), &value, &next, trouble);
        if (good && value.value_type != BSON_TYPE_EOD)
            bson_reinit(out), bson_concat(out, &next);
        bson_value_destroy(&value);
        bson_destroy(&next);
        if (!good)
            return false;
    }
    return true;
}

bool
stage_project(const bson_t *doc, const bson_t *spec, bson_t *out,
              struct trouble *trouble)
{
    bool keeping = false, leaving = false, with_id = true, only_id = true;
    bson_t full = BSON_INITIALIZER;
    struct shape shape;
    bson_iter_t iter;

    if (!bson_iter_init(&iter, spec))
        return false;
    while (bson_iter_next(&iter)) {
        const bson_value_t *value = bson_iter_value(&iter);
        bool expression = is_expression(value);

        if (strcmp(bson_iter_key(&iter), "_id") == 0 && !expression) {
            with_id = value_truth(value);
            continue;
        }
        only_id = false;
        keeping |= expression || value_truth(value);
        leaving |= !expression && !value_truth(value);
    }
    if (only_id)
        keeping = with_id && !bson_empty(spec);
    if (keeping && leaving)
        return value_trouble(trouble, 31254, "Location31254",
                             "a projection that puts in and leaves out");
    bson_concat(&full, spec);
    if (keeping && with_id && !bson_has_field(spec, "_id"))
        bson_append_int32(&full, "_id", 3, 1);
    shape = (struct shape){ &full, keeping };
    shape_doc(&shape, doc, false, "", out);
    bson_destroy(&full);
    return computed(doc, spec, out, trouble);
}

static bool
set_fields(const bson_t *doc, const bson_t *spec, bson_t *out,
           struct trouble *trouble)
{
    struct expr_scope scope = { .root = doc, .trouble = trouble };
    bson_iter_t iter;

    bson_concat(out, doc);
    if (!bson_iter_init(&iter, spec))
        return false;
    while (bson_iter_next(&iter)) {
        bson_t next = BSON_INITIALIZER;
        bson_value_t value;
        bool good = expr_value(bson_iter_value(&iter), &scope, &value);

            /* A missing value, such as $$REMOVE, removes the field. */
        if (good)
            good = update_set(out, bson_iter_key(&iter),
                              value.value_type == BSON_TYPE_EOD ? NULL
                                                                : &value,
                              &next, trouble);
        if (good)
            bson_reinit(out), bson_concat(out, &next);
        bson_value_destroy(&value);
        bson_destroy(&next);
        if (!good)
            return false;
    }
    return true;
}

static bool
unset_fields(const bson_t *doc, const bson_value_t *what, bson_t *out,
             struct trouble *trouble)
{
    bson_t list = BSON_INITIALIZER, names;
    bson_iter_t iter;
    bool good = true;

    if (what->value_type == BSON_TYPE_ARRAY && value_doc(what, &names))
        bson_concat(&list, &names);
    else
        bson_append_value(&list, "0", 1, what);
    bson_concat(out, doc);
    bson_iter_init(&iter, &list);
    while (good && bson_iter_next(&iter)) {
        bson_t next = BSON_INITIALIZER;

        good = BSON_ITER_HOLDS_UTF8(&iter) &&
               update_set(out, bson_iter_utf8(&iter, NULL), NULL, &next,
                          trouble);
        if (good)
            bson_reinit(out), bson_concat(out, &next);
        bson_destroy(&next);
    }
    bson_destroy(&list);
    return good;
}

static bool
replace_with(const bson_t *doc, const bson_value_t *expr, bson_t *out,
             struct trouble *trouble)
{
    struct expr_scope scope = { .root = doc, .trouble = trouble };
    bson_value_t value;
    bson_t fresh;
    bool good = expr_value(expr, &scope, &value);

    if (good && !(value.value_type == BSON_TYPE_DOCUMENT &&
                  value_doc(&value, &fresh) && bson_concat(out, &fresh)))
        good = value_trouble(trouble, 40228, "Location40228",
                             "a new root that is no document");
    bson_value_destroy(&value);
    return good;
}

bool
stage_one(const bson_t *doc, const bson_t *stage, bson_t *out,
          struct trouble *trouble)
{
    bson_iter_t iter, root;
    const bson_value_t *arg;
    const char *name;
    bson_t spec;

    if (!bson_iter_init(&iter, stage) || !bson_iter_next(&iter))
        return false;
    name = bson_iter_key(&iter);
    arg = bson_iter_value(&iter);
    if (strcmp(name, "$unset") == 0)
        return unset_fields(doc, arg, out, trouble);
    if (strcmp(name, "$replaceWith") == 0)
        return replace_with(doc, arg, out, trouble);
    if (!value_doc(arg, &spec))
        return false;
    if (strcmp(name, "$replaceRoot") == 0)
        return bson_iter_init_find(&root, &spec, "newRoot") &&
               replace_with(doc, bson_iter_value(&root), out, trouble);
    if (strcmp(name, "$project") == 0)
        return stage_project(doc, &spec, out, trouble);
    if (strcmp(name, "$set") == 0 || strcmp(name, "$addFields") == 0)
        return set_fields(doc, &spec, out, trouble);
    return false;
}
