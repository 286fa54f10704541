#include <math.h>
#include <stdio.h>

#include "common/say.h"
#include "mongo/bounds.h"
#include "mongo/key.h"

/* A list that is being filled: its elements are named 0, 1, 2 ... */
struct list {
    bson_t bson;
    uint32_t count;
};

static const char *
next_name(struct list *list, char name[16])
{
    snprintf(name, 16, "%u", list->count++);
    return name;
}

static enum envl_status
bad_key(const struct envl_target *target, struct envl_error *err)
{
    return say_fail(target->store->host, err, ENVL_E_USAGE,
                    "a key of a checkpoint is no _id of %s", target->name);
}

/* ---- the condition spelled out ------------------------------------------ */

static bool
within(const struct key_type *type, int from, int to)
{
    return (int)type->class >= from && (int)type->class <= to;
}

static bool
any_known(uint32_t unknown, int from, int to)
{
    for (uint32_t i = 0; i < KEY_TYPES; i++) {
        if (within(&key_types()[i], from, to) && (unknown >> i & 1) == 0)
            return true;
    }
    return false;
}

/* {_id: {$type: [...]}} for the classes from ... to, both included. */
static void
or_classes(const struct envl_target *target, struct list *either, int from,
           int to)
{
    uint32_t unknown = target->store->server.unknown_types;
    const struct key_type *all = key_types();
    bson_t clause, type;
    struct list types = { .count = 0 };
    char name[16];

    if (!any_known(unknown, from, to))
        return;
    BSON_APPEND_DOCUMENT_BEGIN(&either->bson, next_name(either, name),
                               &clause);
    BSON_APPEND_DOCUMENT_BEGIN(&clause, "_id", &type);
    BSON_APPEND_ARRAY_BEGIN(&type, "$type", &types.bson);
    for (uint32_t i = 0; i < KEY_TYPES; i++) {
        if (within(&all[i], from, to) && (unknown >> i & 1) == 0)
            BSON_APPEND_INT32(&types.bson, next_name(&types, name),
                              all[i].number);
    }
    bson_append_array_end(&type, &types.bson);
    bson_append_document_end(&clause, &type);
    bson_append_document_end(&either->bson, &clause);
}

/* {_id: {$gt: after, $lt: until}}; one of them may be NULL. */
static void
or_between(struct list *either, const bson_iter_t *after,
           const bson_iter_t *until)
{
    bson_t clause, range;
    char name[16];

    BSON_APPEND_DOCUMENT_BEGIN(&either->bson, next_name(either, name),
                               &clause);
    BSON_APPEND_DOCUMENT_BEGIN(&clause, "_id", &range);
    if (after != NULL && key_is_nan(after)) /* every number but itself */
        BSON_APPEND_DOUBLE(&range, "$gte", -(double)INFINITY);
    else if (after != NULL)
        bson_append_iter(&range, "$gt", 3, after);
    if (until != NULL)
        bson_append_iter(&range, "$lt", 3, until);
    bson_append_document_end(&clause, &range);
    bson_append_document_end(&either->bson, &clause);
    if (after != NULL || until == NULL || key_class(until) != KEY_NUMBER)
        return;
    /* The least of the numbers, which $lt does not find. */
    BSON_APPEND_DOCUMENT_BEGIN(&either->bson, next_name(either, name),
                               &clause);
    BSON_APPEND_DOUBLE(&clause, "_id", (double)NAN);
    bson_append_document_end(&either->bson, &clause);
}

/* $or of nothing would be an error. */
static void
or_nothing(struct list *either)
{
    bson_t clause, in, none;
    char name[16];

    BSON_APPEND_DOCUMENT_BEGIN(&either->bson, next_name(either, name),
                               &clause);
    BSON_APPEND_DOCUMENT_BEGIN(&clause, "_id", &in);
    BSON_APPEND_ARRAY_BEGIN(&in, "$in", &none);
    bson_append_array_end(&in, &none);
    bson_append_document_end(&clause, &in);
    bson_append_document_end(&either->bson, &clause);
}

static void
append_either(const struct envl_target *target, bson_t *filter,
              const bson_iter_t *after, const bson_iter_t *until)
{
    int low = after == NULL ? KEY_MIN - 1 : (int)key_class(after);
    int high = until == NULL ? KEY_CLASSES : (int)key_class(until);
    struct list either = { .count = 0 };

    BSON_APPEND_ARRAY_BEGIN(filter, "$or", &either.bson);
    if (after != NULL && until != NULL && low == high) {
        or_between(&either, after, until);
    } else if (low < high) {
        if (after != NULL && !key_single((enum key_class)low))
            or_between(&either, after, NULL);
        or_classes(target, &either, low + 1, high - 1);
        if (until != NULL && !key_single((enum key_class)high))
            or_between(&either, NULL, until);
    }
    if (either.count == 0)
        or_nothing(&either);
    bson_append_array_end(filter, &either.bson);
}

/* ---- the command -------------------------------------------------------- */

static void
append_bound(bson_t *find, const char *name, const bson_iter_t *id)
{
    bson_t bound;

    if (id == NULL)
        return;
    BSON_APPEND_DOCUMENT_BEGIN(find, name, &bound);
    bson_append_iter(&bound, "_id", 3, id);
    bson_append_document_end(find, &bound);
}

static void
append_by_id(bson_t *find, const char *name)
{
    bson_t by_id;

    BSON_APPEND_DOCUMENT_BEGIN(find, name, &by_id);
    BSON_APPEND_INT32(&by_id, "_id", 1);
    bson_append_document_end(find, &by_id);
}

/* min is included.  A document of 16 MiB there would fill the batch. */
static void
append_other_than(bson_t *filter, const bson_iter_t *id)
{
    bson_t other;

    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &other);
    bson_append_iter(&other, "$ne", 3, id);
    bson_append_document_end(filter, &other);
}

/* {$and: [where, ...]}: a condition of the job is one of several. */
static void
append_where(const struct envl_target *target, bson_t *filter)
{
    struct list both = { .count = 0 };
    char name[16];

    if (bson_empty(&target->where))
        return;
    BSON_APPEND_ARRAY_BEGIN(filter, "$and", &both.bson);
    BSON_APPEND_DOCUMENT(&both.bson, next_name(&both, name), &target->where);
    bson_append_array_end(filter, &both.bson);
}

enum envl_status
bounds_append(const struct envl_target *target, const struct bounds *bounds,
              bson_t *find, struct envl_error *err)
{
    bool by_index = target->store->server.bounds;
    bson_iter_t after, until;
    bson_iter_t *low = NULL, *high = NULL;
    bson_t filter;

    if (bounds->after.len > 0 && key_decode(bounds->after, &after))
        low = &after;
    if (bounds->until.len > 0 && key_decode(bounds->until, &until))
        high = &until;
    if ((low == NULL) != (bounds->after.len == 0) ||
        (high == NULL) != (bounds->until.len == 0))
        return bad_key(target, err);
    BSON_APPEND_DOCUMENT_BEGIN(find, "filter", &filter);
    append_where(target, &filter);
    if (by_index && low != NULL)
        append_other_than(&filter, low);
    else if (!by_index && (low != NULL || high != NULL))
        append_either(target, &filter, low, high);
    bson_append_document_end(find, &filter);
    append_by_id(find, "sort");
    if (by_index) {
        append_by_id(find, "hint");
        append_bound(find, "min", low);
        append_bound(find, "max", high);
    }
    return ENVL_OK;
}

enum envl_status
bounds_keys(const struct envl_target *target, const struct envl_bytes *keys,
            uint32_t count, bson_t *find, struct envl_error *err)
{
    struct list in = { .count = 0 };
    enum envl_status status = ENVL_OK;
    bson_t filter, one_of;
    bson_iter_t id;
    char name[16];

    BSON_APPEND_DOCUMENT_BEGIN(find, "filter", &filter);
    BSON_APPEND_DOCUMENT_BEGIN(&filter, "_id", &one_of);
    BSON_APPEND_ARRAY_BEGIN(&one_of, "$in", &in.bson);
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++) {
        if (key_decode(keys[i], &id))
            bson_append_iter(&in.bson, next_name(&in, name), -1, &id);
        else
            status = bad_key(target, err);
    }
    bson_append_array_end(&one_of, &in.bson);
    bson_append_document_end(&filter, &one_of);
    append_where(target, &filter);
    bson_append_document_end(find, &filter);
    append_by_id(find, "sort");
    return status;
}
