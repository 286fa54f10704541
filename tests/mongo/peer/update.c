#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "match.h"
#include "stage.h"
#include "update.h"

#define DEPTH_MOST 100
#define INDEX_MOST 10000

/* One operator on one path. */
struct change {
    const char *op;
    const char *path;
    const bson_value_t *arg;
    const struct update *update; /* NULL: no array operators */
    struct trouble *trouble;
    int depth;
};

static bool rebuild(const bson_t *in, bool array, const char *path,
                    struct change *change, bson_t *out);

/* What the operator makes of the value that stands there (EOD: none). */
static bool
apply(const struct change *change, const bson_value_t *old, bson_value_t *out)
{
    const char *op = change->op;
    struct timeval now;
    bson_t list;
    char key[16];

    if (strcmp(op, "$inc") == 0) {
        if (old->value_type != BSON_TYPE_EOD && !value_is_number(old))
            return value_trouble(change->trouble, 14, "TypeMismatch",
                                 "Cannot apply $inc to another type");
        *out = (bson_value_t){ .value_type = BSON_TYPE_INT64 };
        out->value.v_int64 = (old->value_type == BSON_TYPE_EOD
                                  ? 0 : value_int64(old)) +
                             value_int64(change->arg);
    } else if (strcmp(op, "$currentDate") == 0) {
        gettimeofday(&now, NULL);
        *out = (bson_value_t){ .value_type = BSON_TYPE_DATE_TIME };
        out->value.v_datetime =
            (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
    } else if (old->value_type != BSON_TYPE_EOD &&
               ((strcmp(op, "$min") == 0 &&
                 value_compare(old, change->arg) <= 0) ||
                (strcmp(op, "$max") == 0 &&
                 value_compare(old, change->arg) >= 0))) {
        bson_value_copy(old, out);
    } else if (strcmp(op, "$push") == 0) {
        bson_t made = BSON_INITIALIZER;
        bson_value_t view;

        if (old->value_type != BSON_TYPE_EOD && value_doc(old, &list))
            bson_concat(&made, &list);
        snprintf(key, sizeof(key), "%u", bson_count_keys(&made));
        bson_append_value(&made, key, -1, change->arg);
        view = value_of_doc(&made);
        view.value_type = BSON_TYPE_ARRAY;
        bson_value_copy(&view, out);
        bson_destroy(&made);
    } else {
        bson_value_copy(change->arg, out); /* $set, $setOnInsert */
    }
    return true;
}

static bool
is_unset(const struct change *change)
{
    return strcmp(change->op, "$unset") == 0;
}

/* Does an element take part: by its number, or through `$[]`, `$[name]`. */
static bool
takes_part(const struct change *change, const char *part, size_t len,
           const char *key, const bson_value_t *value)
{
    bson_iter_t filters;
    bson_t filter;
    char name[64];

    if (strlen(key) == len && memcmp(part, key, len) == 0)
        return true;
    if (len < 3 || part[0] != '$' || part[1] != '[' || change->update == NULL)
        return false;
    if (len == 3)
        return true; /* $[] */
    snprintf(name, sizeof(name), "%.*s", (int)len - 3, part + 2);
    if (change->update->array_filters == NULL ||
        !bson_iter_init(&filters, change->update->array_filters))
        return false;
    while (bson_iter_next(&filters)) {
        bson_iter_t first;
        size_t n = strlen(name);

        /* The filter that begins with this name; others may be $and of it. */
        if (value_doc(bson_iter_value(&filters), &filter) &&
            bson_iter_init(&first, &filter) && bson_iter_next(&first) &&
            strncmp(bson_iter_key(&first), name, n) == 0 &&
            (bson_iter_key(&first)[n] == '.' ||
             bson_iter_key(&first)[n] == '\0'))
            return match_element(value, &filter, name, change->trouble);
    }
    return value_trouble(change->trouble, 2, "BadValue",
                         "No array filter found for identifier '%s'", name);
}

/* Append what becomes of the value at ${key}. */
static bool
put(bson_t *out, const char *key, const bson_value_t *old, const char *rest,
    bool array, struct change *change)
{
    bson_t child, made;
    bson_value_t value;
    bool good;

    if (rest == NULL) {
        if (is_unset(change)) {
            if (array)
                bson_append_null(out, key, -1);
            return true;
        }
        if (!apply(change, old, &value))
            return false;
        bson_append_value(out, key, -1, &value);
        bson_value_destroy(&value);
        return true;
    }
    if (old->value_type == BSON_TYPE_EOD)
        bson_init(&child);
    else if (!value_doc(old, &child)) {
        if (!is_unset(change))
            return value_trouble(change->trouble, 28, "PathNotViable",
                                 "Cannot create field in an element");
        return bson_append_value(out, key, -1, old);
    }
    bson_init(&made);
    change->depth++;
    good = rebuild(&child, old->value_type == BSON_TYPE_ARRAY, rest, change,
                   &made);
    change->depth--;
    if (good && old->value_type == BSON_TYPE_ARRAY)
        bson_append_array(out, key, -1, &made);
    else if (good)
        bson_append_document(out, key, -1, &made);
    bson_destroy(&made);
    if (old->value_type == BSON_TYPE_EOD)
        bson_destroy(&child);
    return good;
}

/* The path does not lead to anything in ${out} yet: make it. */
static bool
extend(bson_t *out, bool array, const char *part, const char *rest,
       struct change *change)
{
    bson_value_t none = { .value_type = BSON_TYPE_EOD };
    unsigned n = bson_count_keys(out);
    char key[24];

    if (is_unset(change) || part[0] == '$')
        return true;
    if (array) {
        long index = strtol(part, NULL, 10);

        if (!isdigit((unsigned char)part[0]) || index > INDEX_MOST)
            return value_trouble(change->trouble, 28, "PathNotViable",
                                 "Cannot create field in an array");
        for (; n < (unsigned long)index; n++) {
            snprintf(key, sizeof(key), "%u", n);
            bson_append_null(out, key, -1);
        }
    }
    return put(out, part, &none, rest, array, change);
}

static bool
rebuild(const bson_t *in, bool array, const char *path, struct change *change,
        bson_t *out)
{
    size_t len = strcspn(path, ".");
    const char *rest = path[len] == '.' ? path + len + 1 : NULL;
    bool found = false;
    bson_iter_t iter;
    char part[1024];

    if (len == 0 || len >= sizeof(part) || change->depth > DEPTH_MOST)
        return value_trouble(change->trouble, 56, "EmptyFieldName",
                             "An empty field name in an update path");
    snprintf(part, sizeof(part), "%.*s", (int)len, path);
    if (part[0] == '$' && (!array || part[1] != '['))
        return value_trouble(change->trouble, 2, "BadValue",
                             "The field '%.60s' cannot be a path here", part);
    if (!bson_iter_init(&iter, in))
        return value_trouble(change->trouble, 22, "InvalidBSON", "no document");
    while (bson_iter_next(&iter)) {
        const char *key = bson_iter_key(&iter);
        const bson_value_t *value = bson_iter_value(&iter);
        bool here = array ? takes_part(change, part, len, key, value)
                          : !found && strcmp(key, part) == 0;

        if (change->trouble->code != 0)
            return false;
        found |= here;
        if (!here)
            bson_append_value(out, key, -1, value);
        else if (!put(out, key, value, rest, array, change))
            return false;
    }
    return found || extend(out, array, part, rest, change);
}

/* "a.$.b" -> "a.3.b": the first element that the query is about. */
static bool
positional(const bson_t *doc, const struct update *update, const char *path,
           char *out, size_t room)
{
    const char *dollar = strstr(path, ".$");
    bson_iter_t iter, at, elements;
    char prefix[512], key[600];
    bson_t filter;

    if (dollar == NULL || (dollar[2] != '.' && dollar[2] != '\0') ||
        (size_t)(dollar - path) >= sizeof(prefix)) {
        snprintf(out, room, "%s", path);
        return dollar == NULL || dollar[2] == '[';
    }
    snprintf(prefix, sizeof(prefix), "%.*s", (int)(dollar - path), path);
    if (update->query == NULL || !bson_iter_init(&iter, update->query))
        return false;
    while (bson_iter_next(&iter)) {
        size_t n = strlen(prefix);
        const char *asked = bson_iter_key(&iter);

        if (strncmp(asked, prefix, n) != 0 ||
            (asked[n] != '\0' && asked[n] != '.') ||
            !bson_iter_init(&at, doc) ||
            !bson_iter_find_descendant(&at, prefix, &elements) ||
            !bson_iter_recurse(&elements, &at))
            continue;
        while (bson_iter_next(&at)) {
            struct trouble quiet = { 0 };
            bool good;

            snprintf(key, sizeof(key), "e%s", asked + n);
            bson_init(&filter);
            bson_append_value(&filter, key, -1, bson_iter_value(&iter));
            good = match_element(bson_iter_value(&at), &filter, "e", &quiet);
            bson_destroy(&filter);
            if (good) {
                snprintf(out, room, "%s.%s%s", prefix, bson_iter_key(&at),
                         dollar + 2);
                return true;
            }
        }
    }
    return false;
}

static bool
one_operator(const bson_t *doc, const struct update *update,
             struct change *change, bson_t *out)
{
    char path[1024];

    if (!positional(doc, update, change->path, path, sizeof(path)))
        return value_trouble(change->trouble, 2, "BadValue",
                             "The positional operator did not find the match");
    return rebuild(doc, false, path, change, out);
}

static bool
known(const char *op)
{
    static const char *const names[] = {
        "$set", "$unset", "$inc", "$min", "$max", "$setOnInsert",
        "$currentDate", "$push",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(op, names[i]) == 0)
            return true;
    }
    return false;
}

static bool
operators(const bson_t *doc, const struct update *update, bson_t *out,
          struct trouble *trouble)
{
    bson_t list, fields;
    bson_iter_t op, field;

    bson_concat(out, doc);
    if (!value_doc(update->u, &list) || !bson_iter_init(&op, &list))
        return value_trouble(trouble, 9, "FailedToParse", "no update");
    while (bson_iter_next(&op)) {
        if (!known(bson_iter_key(&op)))
            return value_trouble(trouble, 9, "FailedToParse",
                                 "Unknown modifier: %.60s", bson_iter_key(&op));
        if (strcmp(bson_iter_key(&op), "$setOnInsert") == 0 &&
            !update->inserting)
            continue;
        if (!value_doc(bson_iter_value(&op), &fields) ||
            !bson_iter_init(&field, &fields))
            return value_trouble(trouble, 9, "FailedToParse",
                                 "Modifiers operate on fields");
        while (bson_iter_next(&field)) {
            struct change change = { bson_iter_key(&op), bson_iter_key(&field),
                                     bson_iter_value(&field), update,
                                     trouble, 0 };
            bson_t next = BSON_INITIALIZER;
            bool good = one_operator(out, update, &change, &next);

            if (good)
                bson_reinit(out), bson_concat(out, &next);
            bson_destroy(&next);
            if (!good)
                return false;
        }
    }
    return true;
}

static bool
pipeline(const bson_t *doc, const struct update *update, bson_t *out,
         struct trouble *trouble)
{
    bson_t stages, stage;
    bson_iter_t iter;

    bson_concat(out, doc);
    if (!value_doc(update->u, &stages) || !bson_iter_init(&iter, &stages))
        return false;
    while (bson_iter_next(&iter)) {
        bson_t next = BSON_INITIALIZER;
        bool good = value_doc(bson_iter_value(&iter), &stage) &&
                    stage_one(out, &stage, &next, trouble);

        if (good)
            bson_reinit(out), bson_concat(out, &next);
        bson_destroy(&next);
        if (!good)
            return value_trouble(trouble, 40324, "Location40324",
                                 "a stage that no update may have");
    }
    return true;
}

static bool
replacement(const bson_t *doc, const struct update *update, bson_t *out)
{
    bson_t fresh;
    bson_iter_t iter;

    if (!value_doc(update->u, &fresh))
        return false;
    if (!bson_has_field(&fresh, "_id") &&
        bson_iter_init_find(&iter, doc, "_id"))
        bson_append_value(out, "_id", 3, bson_iter_value(&iter));
    return bson_concat(out, &fresh);
}

bool
update_apply(const bson_t *doc, const struct update *update, bson_t *out,
             struct trouble *trouble)
{
    bson_iter_t before, after;
    bool good;
    bson_t u;

    bson_init(out);
    if (update->u->value_type == BSON_TYPE_ARRAY)
        good = pipeline(doc, update, out, trouble);
    else if (value_doc(update->u, &u) && u.len > 5 &&
             bson_get_data(&u)[5] == '$')
        good = operators(doc, update, out, trouble);
    else
        good = replacement(doc, update, out);
    if (good && bson_iter_init_find(&before, doc, "_id") &&
        (!bson_iter_init_find(&after, out, "_id") ||
         value_compare(bson_iter_value(&before), bson_iter_value(&after))))
        good = value_trouble(trouble, 66, "ImmutableField",
                             "the _id of a document cannot be changed");
    if (!good)
        bson_destroy(out);
    return good;
}

bool
update_set(const bson_t *doc, const char *path, const bson_value_t *value,
           bson_t *out, struct trouble *trouble)
{
    bson_value_t none = { .value_type = BSON_TYPE_NULL };
    struct change change = { value == NULL ? "$unset" : "$set", path,
                             value == NULL ? &none : value, NULL, trouble, 0 };

    return rebuild(doc, false, path, &change, out);
}
