#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "expr.h"
#include "match.h"
#include "stage.h"

#define BATCH_FIRST 101
#define REPLY_MOST (16u * 1024 * 1024)

/* Put up to ${most} documents of the cursor into ${array}. */
static void
fill(struct store_cursor *cursor, int64_t most, bson_t *array)
{
    char key[16];
    uint32_t n = 0;

    while (cursor->at < cursor->docs.count && (int64_t)n < most) {
        const bson_t *doc = cursor->docs.docs[cursor->at];

        if (n > 0 && array->len + doc->len > REPLY_MOST)
            break;
        snprintf(key, sizeof(key), "%u", n++);
        bson_append_document(array, key, -1, doc);
        cursor->at++;
    }
}

static void
give_cursor(struct peer_request *request, const char *member,
            struct store_cursor *cursor, int64_t most, bool keep)
{
    bson_t batch, array = BSON_INITIALIZER;
    char ns[256];
    bool more;

    snprintf(ns, sizeof(ns), "%s", cursor->ns);
    fill(cursor, most, &array);
    more = keep && cursor->at < cursor->docs.count;
    bson_append_document_begin(request->reply, "cursor", -1, &batch);
    bson_append_array(&batch, member, -1, &array);
    bson_append_int64(&batch, "id", -1, more ? cursor->id : 0);
    bson_append_utf8(&batch, "ns", -1, ns, -1);
    bson_append_document_end(request->reply, &batch);
    bson_destroy(&array);
    if (!more)
        store_cursor_free(cursor);
}

static int64_t
batch_size(const struct peer_request *request)
{
    bson_t options;
    bson_iter_t iter;
    int64_t most = peer_number(request, "batchSize", BATCH_FIRST);

    if (peer_doc(request, "cursor", &options) &&
        bson_iter_init_find(&iter, &options, "batchSize"))
        most = value_int64(bson_iter_value(&iter));
    return most;
}

bool
cmd_read_give(struct peer_request *request, const char *ns,
              struct store_docs *docs)
{
    struct store_cursor *cursor = store_cursor_new(ns, docs);
    int64_t most = batch_size(request);
    bool killed = request->fault.kind == FAULT_CURSOR_KILLED;
    int64_t id;

    if (cursor == NULL) {
        store_docs_free(docs);
        return value_trouble(&request->trouble, 146, "ExceededMemoryLimit",
                             "too many cursors");
    }
    if (killed && cursor->docs.count > 1)
        most = (int64_t)cursor->docs.count / 2;
    id = cursor->id;
    give_cursor(request, "firstBatch", cursor, most,
                !peer_flag(request, "singleBatch") || killed);
    cursor = killed ? store_cursor_find(id) : NULL;
    if (cursor != NULL)
        store_cursor_free(cursor);
    return true;
}

/* ---- find -------------------------------------------------------------- */

/* min (inclusive) and max (exclusive) of an index on `_id`. */
static bool
within(const bson_t *doc, const struct peer_request *request)
{
    bson_iter_t id, bound;
    bson_t limit;

    if (!bson_iter_init_find(&id, doc, "_id"))
        return false;
    if (peer_doc(request, "min", &limit) &&
        bson_iter_init_find(&bound, &limit, "_id") &&
        value_compare(bson_iter_value(&id), bson_iter_value(&bound)) < 0)
        return false;
    if (peer_doc(request, "max", &limit) &&
        bson_iter_init_find(&bound, &limit, "_id") &&
        value_compare(bson_iter_value(&id), bson_iter_value(&bound)) >= 0)
        return false;
    return true;
}

static bool
matching(struct peer_request *request, const char *ns, const bson_t *filter,
         struct store_docs *docs)
{
    const struct store_collection *collection = store_find(ns, false);

    for (size_t i = 0; collection != NULL && i < collection->count; i++) {
        if (within(collection->docs[i], request) &&
            match_doc(collection->docs[i], filter, &request->trouble))
            store_docs_add(docs, collection->docs[i]);
        if (request->trouble.code != 0)
            return false;
    }
    return true;
}

/* Where nothing can match the server still reads the filter. */
static bool
understood(struct peer_request *request, const bson_t *filter)
{
    bson_t none = BSON_INITIALIZER;

    match_doc(&none, filter, &request->trouble);
    bson_destroy(&none);
    return request->trouble.code == 0;
}

static void
cut_out(struct store_docs *docs, size_t skip, size_t limit)
{
    struct store_docs kept = { 0 };

    for (size_t i = skip; i < docs->count && kept.count < limit; i++)
        store_docs_add(&kept, docs->docs[i]);
    store_docs_free(docs);
    *docs = kept;
}

static bool
project_all(struct store_docs *docs, const bson_t *spec,
            struct trouble *trouble)
{
    for (size_t i = 0; i < docs->count; i++) {
        bson_t made = BSON_INITIALIZER;
        bool good = stage_project(docs->docs[i], spec, &made, trouble);

        if (good) {
            bson_destroy(docs->docs[i]);
            docs->docs[i] = bson_copy(&made);
        }
        bson_destroy(&made);
        if (!good)
            return false;
    }
    return true;
}

bool
cmd_read_find(struct peer_request *request)
{
    struct store_docs docs = { 0 };
    int64_t limit = peer_number(request, "limit", 0);
    bson_t filter = BSON_INITIALIZER, given, order, by_id = BSON_INITIALIZER;
    bool good;
    char ns[256];

    if (peer_doc(request, "filter", &given))
        bson_concat(&filter, &given);
    bson_append_int32(&by_id, "_id", 3, 1);
    good = peer_ns(request, NULL, ns, sizeof(ns)) &&
           understood(request, &filter) &&
           matching(request, ns, &filter, &docs);
    if (peer_doc(request, "sort", &order) && !bson_empty(&order))
        store_docs_sort(&docs, &order);
    else if (bson_has_field(request->body, "hint"))
        store_docs_sort(&docs, &by_id);
    cut_out(&docs, (size_t)peer_number(request, "skip", 0),
            limit == 0 ? SIZE_MAX : (size_t)llabs(limit));
    if (good && peer_doc(request, "projection", &given) &&
        !bson_empty(&given))
        good = project_all(&docs, &given, &request->trouble);
    bson_destroy(&filter);
    bson_destroy(&by_id);
    if (!good) {
        store_docs_free(&docs);
        return false;
    }
    return cmd_read_give(request, ns, &docs);
}

bool
cmd_read_get_more(struct peer_request *request)
{
    struct store_cursor *cursor =
        store_cursor_find(peer_number(request, "getMore", 0));

    if (cursor == NULL)
        return value_trouble(&request->trouble, 43, "CursorNotFound",
                             "cursor id not found");
    if (request->fault.kind == FAULT_CURSOR_KILLED) {
        store_cursor_free(cursor);
        return value_trouble(&request->trouble, 237, "CursorKilled",
                             "cursor killed");
    }
    give_cursor(request, "nextBatch", cursor,
                peer_number(request, "batchSize", INT32_MAX), true);
    return true;
}

bool
cmd_read_kill_cursors(struct peer_request *request)
{
    bson_t ids, empty = BSON_INITIALIZER;
    bson_iter_t iter;

    if (peer_doc(request, "cursors", &ids) && bson_iter_init(&iter, &ids)) {
        while (bson_iter_next(&iter)) {
            struct store_cursor *cursor =
                store_cursor_find(value_int64(bson_iter_value(&iter)));

            if (cursor != NULL)
                store_cursor_free(cursor);
        }
        bson_append_array(request->reply, "cursorsKilled", -1, &ids);
    }
    bson_append_array(request->reply, "cursorsNotFound", -1, &empty);
    bson_append_array(request->reply, "cursorsAlive", -1, &empty);
    bson_append_array(request->reply, "cursorsUnknown", -1, &empty);
    bson_destroy(&empty);
    return true;
}

static bool
all_matching(struct peer_request *request, char *ns, size_t room,
             struct store_docs *docs)
{
    bson_t filter = BSON_INITIALIZER, given;
    bool good;

    if (peer_doc(request, "query", &given))
        bson_concat(&filter, &given);
    good = peer_ns(request, NULL, ns, room) && understood(request, &filter) &&
           matching(request, ns, &filter, docs);
    bson_destroy(&filter);
    if (!good)
        store_docs_free(docs);
    return good;
}

bool
cmd_read_count(struct peer_request *request)
{
    struct store_docs docs = { 0 };
    int64_t limit = peer_number(request, "limit", 0);
    char ns[256];

    if (!all_matching(request, ns, sizeof(ns), &docs))
        return false;
    bson_append_int32(request->reply, "n", -1,
                      limit > 0 && (size_t)limit < docs.count
                          ? (int32_t)limit : (int32_t)docs.count);
    store_docs_free(&docs);
    return true;
}

/* ---- aggregate --------------------------------------------------------- */

/* {$group: {_id: expr, name: {$sum|$min|$max|$first: expr}}} */
static bool
accumulate(const bson_t *group, const bson_t *spec, const bson_t *doc,
           bson_t *out, struct trouble *trouble)
{
    struct expr_scope scope = { .root = doc, .trouble = trouble };
    bson_iter_t iter, op, before;

    if (!bson_iter_init(&iter, spec))
        return false;
    while (bson_iter_next(&iter)) {
        const char *name = bson_iter_key(&iter);
        bson_value_t value, sum = { .value_type = BSON_TYPE_INT64 };
        const bson_value_t *old = NULL;
        int c;

        if (strcmp(name, "_id") == 0)
            continue;
        if (!BSON_ITER_HOLDS_DOCUMENT(&iter) ||
            !bson_iter_recurse(&iter, &op) || !bson_iter_next(&op))
            return value_trouble(trouble, 40234, "Location40234",
                                 "an accumulator is needed");
        if (bson_iter_init_find(&before, group, name))
            old = bson_iter_value(&before);
        if (!expr_value(bson_iter_value(&op), &scope, &value))
            return false;
        if (strcmp(bson_iter_key(&op), "$sum") == 0) {
            sum.value.v_int64 = value_int64(old) + value_int64(&value);
            bson_append_value(out, name, -1, &sum);
        } else {
            c = old == NULL ? 1 : value_compare(&value, old);
            if (value.value_type != BSON_TYPE_EOD &&
                (old == NULL ||
                 (strcmp(bson_iter_key(&op), "$min") == 0 && c < 0) ||
                 (strcmp(bson_iter_key(&op), "$max") == 0 && c > 0)))
                bson_append_value(out, name, -1, &value);
            else if (old != NULL)
                bson_append_value(out, name, -1, old);
        }
        bson_value_destroy(&value);
    }
    return true;
}

static bool
group_stage(struct store_docs *docs, const bson_t *spec,
            struct trouble *trouble)
{
    struct store_docs groups = { 0 };
    bson_iter_t id, have;
    bool good = bson_iter_init_find(&id, spec, "_id");

    for (size_t i = 0; good && i < docs->count; i++) {
        struct expr_scope scope = { .root = docs->docs[i], .trouble = trouble };
        bson_t box = BSON_INITIALIZER;
        bson_value_t key;
        size_t at = 0;

        good = expr_value(bson_iter_value(&id), &scope, &key);
        if (!good)
            break;
        if (key.value_type == BSON_TYPE_EOD)
            bson_append_null(&box, "_id", 3);
        else
            bson_append_value(&box, "_id", 3, &key);
        bson_value_destroy(&key);
        bson_iter_init_find(&have, &box, "_id");
        while (at < groups.count) {
            bson_iter_t there;

            if (bson_iter_init_find(&there, groups.docs[at], "_id") &&
                value_compare(bson_iter_value(&there),
                              bson_iter_value(&have)) == 0)
                break;
            at++;
        }
        if (at == groups.count)
            store_docs_add(&groups, &box);
        good = accumulate(groups.docs[at], spec, docs->docs[i], &box, trouble);
        if (good) {
            bson_destroy(groups.docs[at]);
            groups.docs[at] = bson_copy(&box);
        }
        bson_destroy(&box);
    }
    store_docs_free(docs);
    *docs = groups;
    return good;
}

static bool
count_stage(struct store_docs *docs, const bson_value_t *name)
{
    bson_t one = BSON_INITIALIZER;
    size_t count = docs->count;

    store_docs_free(docs);
    if (count > 0 && name->value_type == BSON_TYPE_UTF8) {
        bson_append_int32(&one, name->value.v_utf8.str, -1, (int32_t)count);
        store_docs_add(docs, &one);
    }
    bson_destroy(&one);
    return true;
}

static bool
match_stage(struct store_docs *docs, const bson_t *filter,
            struct trouble *trouble)
{
    struct store_docs kept = { 0 };

    for (size_t i = 0; i < docs->count; i++) {
        if (match_doc(docs->docs[i], filter, trouble))
            store_docs_add(&kept, docs->docs[i]);
    }
    store_docs_free(docs);
    *docs = kept;
    return trouble->code == 0;
}

static bool
coll_stats_stage(struct store_docs *docs, const char *ns)
{
    bson_t one = BSON_INITIALIZER, stats;
    int64_t size = 0;

    for (size_t i = 0; i < docs->count; i++)
        size += docs->docs[i]->len;
    bson_append_utf8(&one, "ns", -1, ns, -1);
    bson_append_int64(&one, "count", -1, (int64_t)docs->count);
    bson_append_document_begin(&one, "storageStats", -1, &stats);
    bson_append_int64(&stats, "count", -1, (int64_t)docs->count);
    bson_append_int64(&stats, "size", -1, size);
    bson_append_document_end(&one, &stats);
    store_docs_free(docs);
    store_docs_add(docs, &one);
    bson_destroy(&one);
    return true;
}

static bool
each_stage(struct store_docs *docs, const bson_t *stage,
           struct trouble *trouble)
{
    for (size_t i = 0; i < docs->count; i++) {
        bson_t made = BSON_INITIALIZER;
        bool good = stage_one(docs->docs[i], stage, &made, trouble);

        if (good) {
            bson_destroy(docs->docs[i]);
            docs->docs[i] = bson_copy(&made);
        }
        bson_destroy(&made);
        if (!good)
            return value_trouble(trouble, 40324, "Location40324",
                                 "Unrecognized pipeline stage name");
    }
    return true;
}

static bool
run_stage(struct peer_request *request, const char *ns, const bson_t *stage,
          struct store_docs *docs)
{
    bson_iter_t iter, size;
    const bson_value_t *arg;
    const char *name;
    bson_t spec;
    bool is_doc;

    if (!bson_iter_init(&iter, stage) || !bson_iter_next(&iter))
        return value_trouble(&request->trouble, 40323, "Location40323",
                             "a stage has one field");
    name = bson_iter_key(&iter);
    arg = bson_iter_value(&iter);
    is_doc = value_doc(arg, &spec);
    if (strcmp(name, "$limit") == 0)
        cut_out(docs, 0, (size_t)value_int64(arg));
    else if (strcmp(name, "$skip") == 0)
        cut_out(docs, (size_t)value_int64(arg), SIZE_MAX);
    else if (strcmp(name, "$count") == 0)
        return count_stage(docs, arg);
    else if (is_doc && strcmp(name, "$match") == 0)
        return match_stage(docs, &spec, &request->trouble);
    else if (is_doc && strcmp(name, "$sort") == 0)
        store_docs_sort(docs, &spec);
    else if (is_doc && strcmp(name, "$group") == 0)
        return group_stage(docs, &spec, &request->trouble);
    else if (is_doc && strcmp(name, "$sample") == 0)
        cut_out(docs, 0, bson_iter_init_find(&size, &spec, "size")
                ? (size_t)value_int64(bson_iter_value(&size)) : 0);
    else if (is_doc && strcmp(name, "$collStats") == 0)
        return coll_stats_stage(docs, ns);
    else
        return each_stage(docs, stage, &request->trouble);
    return true;
}

bool
cmd_read_aggregate(struct peer_request *request)
{
    struct store_docs docs = { 0 };
    bson_t pipeline, stage;
    bson_iter_t iter;
    bool good;
    char ns[256];

    good = all_matching(request, ns, sizeof(ns), &docs) &&
           peer_doc(request, "pipeline", &pipeline) &&
           bson_iter_init(&iter, &pipeline);
    while (good && bson_iter_next(&iter))
        good = value_doc(bson_iter_value(&iter), &stage) &&
               run_stage(request, ns, &stage, &docs);
    if (!good) {
        store_docs_free(&docs);
        return value_trouble(&request->trouble, 9, "FailedToParse",
                             "no pipeline");
    }
    return cmd_read_give(request, ns, &docs);
}
