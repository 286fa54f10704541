#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "match.h"
#include "peer.h"
#include "stage.h"
#include "update.h"

/* The updates or deletes of a bulk, and what came of them. */
struct bulk {
    struct peer_request *request;
    struct store_collection *collection; /* NULL: there is none yet */
    char ns[256];
    int32_t n, modified;
    bson_t errors, upserted;
    uint32_t error_count, upserted_count;
};

static void
note_error(struct bulk *bulk, int32_t index, const struct trouble *trouble)
{
    char key[16];
    bson_t error;

    if (getenv("MONGO_PEER_TRACE") != NULL)
        fprintf(stderr, "%s: %d %s\n", bulk->ns, trouble->code, trouble->text);
    snprintf(key, sizeof(key), "%u", bulk->error_count++);
    bson_append_document_begin(&bulk->errors, key, -1, &error);
    bson_append_int32(&error, "index", -1, index);
    bson_append_int32(&error, "code", -1, trouble->code);
    bson_append_utf8(&error, "errmsg", -1, trouble->text, -1);
    bson_append_document_end(&bulk->errors, &error);
}

/* One character in the middle of the longest string becomes another. */
static void
garble(bson_t *doc)
{
    uint8_t *data = (uint8_t *)(uintptr_t)bson_get_data(doc);
    const char *mark = "env1:";

    for (uint32_t i = 0; i + 60 < doc->len; i++) {
        if (memcmp(data + i, mark, 5) == 0) {
            data[i + 40] = data[i + 40] == 'A' ? 'B' : 'A';
            return;
        }
    }
}

/* A router needs the key: here `_id`, or the document is not found by one. */
static bool
targeted(const struct bulk *bulk, const bson_t *query, bool multi)
{
    return multi || !bulk->request->make->mongos ||
           strncmp(bulk->ns, "envelope_admin.", 15) == 0 ||
           bson_has_field(query, "_id");
}

static bool
replace_one(struct bulk *bulk, size_t i, const struct update *update,
            struct trouble *trouble)
{
    bson_t *before = bulk->collection->docs[i], made;
    enum fault_kind fault = bulk->request->fault.kind;
    bool validate = bulk->request->make->validators &&
                    !peer_flag(bulk->request, "bypassDocumentValidation");
    bool good = true, changed;

    if (!update_apply(before, update, &made, trouble))
        return false;
    if (fault == FAULT_GARBLE)
        garble(&made);
    changed = !bson_equal(before, &made);
    if (fault != FAULT_LIE && changed)
        good = store_replace(bulk->collection, i, &made, validate, trouble);
    bson_destroy(&made);
    if (good) {
        bulk->n++;
        bulk->modified += changed;
    }
    return good;
}

static bool
upsert(struct bulk *bulk, int32_t index, const bson_t *query,
       struct update *update, struct trouble *trouble)
{
    bson_t seed = BSON_INITIALIZER, made, entry;
    bson_iter_t iter;
    char key[16];
    bool good;

    /* What the query says equals becomes part of the document. */
    if (bson_iter_init(&iter, query)) {
        while (bson_iter_next(&iter)) {
            const bson_value_t *value = bson_iter_value(&iter);
            bson_t inner;

            if (bson_iter_key(&iter)[0] == '$' ||
                (value->value_type == BSON_TYPE_DOCUMENT &&
                 value_doc(value, &inner) && inner.len > 5 &&
                 bson_get_data(&inner)[5] == '$'))
                continue;
            bson_append_value(&seed, bson_iter_key(&iter), -1, value);
        }
    }
    update->inserting = true;
    good = update_apply(&seed, update, &made, trouble);
    bson_destroy(&seed);
    if (!good)
        return false;
    if (bulk->collection == NULL)
        bulk->collection = store_find(bulk->ns, true);
    good = store_insert(bulk->collection, &made,
                        bulk->request->make->validators, trouble);
    if (good) {
        const bson_t *stored =
            bulk->collection->docs[bulk->collection->count - 1];

        bulk->n++;
        snprintf(key, sizeof(key), "%u", bulk->upserted_count++);
        bson_append_document_begin(&bulk->upserted, key, -1, &entry);
        bson_append_int32(&entry, "index", -1, index);
        bson_iter_init_find(&iter, stored, "_id");
        bson_append_value(&entry, "_id", -1, bson_iter_value(&iter));
        bson_append_document_end(&bulk->upserted, &entry);
    }
    bson_destroy(&made);
    return good;
}

static bool
flag_of(const bson_t *doc, const char *name)
{
    bson_iter_t iter;

    return bson_iter_init_find(&iter, doc, name) &&
           value_truth(bson_iter_value(&iter));
}

static bool
update_op(struct bulk *bulk, int32_t index, const bson_t *op,
          struct trouble *trouble)
{
    bool multi = flag_of(op, "multi"), found = false;
    struct update update = { 0 };
    bson_iter_t q, u, filters;
    bson_t query, list;

    if (!bson_iter_init_find(&q, op, "q") ||
        !value_doc(bson_iter_value(&q), &query) ||
        !bson_iter_init_find(&u, op, "u"))
        return value_trouble(trouble, 9, "FailedToParse", "no q or u");
    update.u = bson_iter_value(&u);
    update.query = &query;
    if (bson_iter_init_find(&filters, op, "arrayFilters") &&
        value_doc(bson_iter_value(&filters), &list))
        update.array_filters = &list;
    if (update.u->value_type == BSON_TYPE_ARRAY &&
        !bulk->request->make->pipelines)
        return value_trouble(trouble, 9, "FailedToParse",
                             "the update is an array");
    if (!targeted(bulk, &query, multi))
        return value_trouble(trouble, 72, "InvalidOptions",
                             "an update of one document needs its _id or the "
                             "shard key");
    for (size_t i = 0; bulk->collection != NULL &&
                       i < bulk->collection->count; i++) {
        if (!match_doc(bulk->collection->docs[i], &query, trouble)) {
            if (trouble->code != 0)
                return false;
            continue;
        }
        found = true;
        if (!replace_one(bulk, i, &update, trouble))
            return false;
        if (!multi)
            break;
    }
    return found || !flag_of(op, "upsert") ||
           upsert(bulk, index, &query, &update, trouble);
}

static bool
delete_op(struct bulk *bulk, int32_t index, const bson_t *op,
          struct trouble *trouble)
{
    bson_iter_t q, limit;
    bson_t query;
    bool one = bson_iter_init_find(&limit, op, "limit") &&
               value_truth(bson_iter_value(&limit));

    (void)index;
    if (!bson_iter_init_find(&q, op, "q") ||
        !value_doc(bson_iter_value(&q), &query))
        return value_trouble(trouble, 9, "FailedToParse", "no q");
    for (size_t i = 0; bulk->collection != NULL &&
                       i < bulk->collection->count;) {
        if (!match_doc(bulk->collection->docs[i], &query, trouble)) {
            if (trouble->code != 0)
                return false;
            i++;
            continue;
        }
        if (bulk->request->fault.kind != FAULT_LIE)
            store_remove(bulk->collection, i);
        else
            i++;
        bulk->n++;
        if (one)
            break;
    }
    return true;
}

static bool
insert_op(struct bulk *bulk, int32_t index, const bson_t *op,
          struct trouble *trouble)
{
    bool validate = bulk->request->make->validators &&
                    !peer_flag(bulk->request, "bypassDocumentValidation");

    (void)index;
    if (bulk->collection == NULL)
        bulk->collection = store_find(bulk->ns, true);
    if (bulk->collection == NULL)
        return value_trouble(trouble, 146, "ExceededMemoryLimit", "no room");
    if (bulk->request->fault.kind != FAULT_LIE &&
        !store_insert(bulk->collection, op, validate, trouble))
        return false;
    bulk->n++;
    return true;
}

typedef bool op_fn(struct bulk *bulk, int32_t index, const bson_t *op,
                   struct trouble *trouble);

static bool
each_op(struct bulk *bulk, const char *list, op_fn *one)
{
    struct peer_request *request = bulk->request;
    bool ordered = peer_number(request, "ordered", 1) != 0;
    enum fault_kind fault = request->fault.kind;
    int32_t index = 0, half = INT32_MAX;
    bson_t ops, op;
    bson_iter_t iter;

    if (!peer_doc(request, list, &ops) || !bson_iter_init(&iter, &ops))
        return value_trouble(&request->trouble, 9, "FailedToParse",
                             "no %s", list);
    if (fault == FAULT_PARTIAL || fault == FAULT_PARTIAL_CUT)
        half = (int32_t)bson_count_keys(&ops) / 2;
    for (; bson_iter_next(&iter); index++) {
        struct trouble trouble = { 0 };

        if (index >= half)
            value_trouble(&trouble, 91, "ShutdownInProgress",
                          "the server goes down");
        else if (!value_doc(bson_iter_value(&iter), &op))
            value_trouble(&trouble, 22, "InvalidBSON", "no document");
        else
            one(bulk, index, &op, &trouble);
        if (trouble.code != 0) {
            note_error(bulk, index, &trouble);
            if (ordered)
                break;
        }
    }
    return true;
}

static bool
run_bulk(struct peer_request *request, const char *list, op_fn *one,
         bool counts_modified)
{
    struct bulk bulk = { .request = request };
    bool good;

    if (!peer_ns(request, NULL, bulk.ns, sizeof(bulk.ns)))
        return false;
    bulk.collection = store_find(bulk.ns, false);
    bson_init(&bulk.errors);
    bson_init(&bulk.upserted);
    good = each_op(&bulk, list, one);
    bson_append_int32(request->reply, "n", -1, bulk.n);
    if (counts_modified)
        bson_append_int32(request->reply, "nModified", -1, bulk.modified);
    if (bulk.upserted_count > 0)
        bson_append_array(request->reply, "upserted", -1, &bulk.upserted);
    if (bulk.error_count > 0)
        bson_append_array(request->reply, "writeErrors", -1, &bulk.errors);
    bson_destroy(&bulk.errors);
    bson_destroy(&bulk.upserted);
    return good;
}

bool
cmd_write_insert(struct peer_request *request)
{
    return run_bulk(request, "documents", insert_op, false);
}

bool
cmd_write_update(struct peer_request *request)
{
    return run_bulk(request, "updates", update_op, true);
}

bool
cmd_write_delete(struct peer_request *request)
{
    return run_bulk(request, "deletes", delete_op, false);
}

/* ---- findAndModify ----------------------------------------------------- */

/* The document of that `_id`, projected, or null. */
static void
give_value(struct peer_request *request, const bson_t *doc)
{
    bson_t made = BSON_INITIALIZER, fields;

    if (doc == NULL)
        bson_append_null(request->reply, "value", -1);
    else if (peer_doc(request, "fields", &fields) && !bson_empty(&fields) &&
             stage_project(doc, &fields, &made, &request->trouble))
        bson_append_document(request->reply, "value", -1, &made);
    else
        bson_append_document(request->reply, "value", -1, doc);
    bson_destroy(&made);
}

static void
last_error(struct peer_request *request, int32_t n, bool existing,
           const struct bulk *bulk)
{
    bson_iter_t iter, entry;
    bson_t error;

    bson_append_document_begin(request->reply, "lastErrorObject", -1, &error);
    bson_append_int32(&error, "n", -1, n);
    bson_append_bool(&error, "updatedExisting", -1, existing);
    if (bulk->upserted_count > 0 &&
        bson_iter_init_find(&iter, &bulk->upserted, "0") &&
        bson_iter_recurse(&iter, &entry) && bson_iter_find(&entry, "_id"))
        bson_append_value(&error, "upserted", -1, bson_iter_value(&entry));
    bson_append_document_end(request->reply, &error);
}

static size_t
first_match(const struct bulk *bulk, const bson_t *query,
            struct trouble *trouble)
{
    size_t count = bulk->collection == NULL ? 0 : bulk->collection->count;

    for (size_t i = 0; i < count; i++) {
        if (match_doc(bulk->collection->docs[i], query, trouble))
            return i;
    }
    return count;
}

static bool
modify(struct bulk *bulk, const bson_t *query, size_t at, bool existing)
{
    struct peer_request *request = bulk->request;
    bool fresh = peer_flag(request, "new");
    struct update update = { .query = query };
    bson_t *before = existing ? bson_copy(bulk->collection->docs[at]) : NULL;
    const bson_t *after;
    bson_iter_t iter;
    bson_t filters;
    bool good;

    if (!bson_iter_init_find(&iter, request->body, "update")) {
        bson_destroy(before);
        return value_trouble(&request->trouble, 9, "FailedToParse",
                             "neither update nor remove");
    }
    update.u = bson_iter_value(&iter);
    if (peer_doc(request, "arrayFilters", &filters))
        update.array_filters = &filters;
    if (update.u->value_type == BSON_TYPE_ARRAY && !request->make->pipelines)
        good = value_trouble(&request->trouble, 9, "FailedToParse",
                             "the update is an array");
    else if (existing)
        good = replace_one(bulk, at, &update, &request->trouble);
    else
        good = !peer_flag(request, "upsert") ||
               upsert(bulk, 0, query, &update, &request->trouble);
    if (good) {
        after = existing ? bulk->collection->docs[at]
                : bulk->upserted_count > 0
                    ? bulk->collection->docs[bulk->collection->count - 1]
                    : NULL;
        last_error(request, bulk->n, existing, bulk);
        give_value(request, fresh ? after : before);
    }
    bson_destroy(before);
    return good;
}

bool
cmd_write_find_and_modify(struct peer_request *request)
{
    struct bulk bulk = { .request = request };
    bson_t query;
    size_t at;
    bool existing, good;

    if (!peer_ns(request, NULL, bulk.ns, sizeof(bulk.ns)))
        return false;
    if (!peer_doc(request, "query", &query))
        bson_init(&query);
    if (!targeted(&bulk, &query, false))
        return value_trouble(&request->trouble, 31, "ShardKeyNotFound",
                             "the query holds no shard key");
    bulk.collection = store_find(bulk.ns, false);
    bson_init(&bulk.errors);
    bson_init(&bulk.upserted);
    at = first_match(&bulk, &query, &request->trouble);
    existing = bulk.collection != NULL && at < bulk.collection->count;
    if (request->trouble.code != 0) {
        good = false;
    } else if (peer_flag(request, "remove")) {
        last_error(request, existing, existing, &bulk);
        give_value(request, existing ? bulk.collection->docs[at] : NULL);
        if (existing && request->fault.kind != FAULT_LIE)
            store_remove(bulk.collection, at);
        good = true;
    } else {
        good = modify(&bulk, &query, at, existing);
    }
    bson_destroy(&bulk.errors);
    bson_destroy(&bulk.upserted);
    return good;
}
