#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "match.h"

/* Does a collection belong to the database, and under which name. */
static const char *
name_in(const struct store_collection *collection, const char *db)
{
    size_t len = strlen(db);

    return strncmp(collection->ns, db, len) == 0 && collection->ns[len] == '.'
               ? collection->ns + len + 1 : NULL;
}

bool
cmd_admin_list_collections(struct peer_request *request)
{
    struct store_docs docs = { 0 };
    struct store_collection *collection;
    bson_t filter = BSON_INITIALIZER, given, one, part;
    char ns[256];

    if (peer_doc(request, "filter", &given))
        bson_concat(&filter, &given);
    for (size_t i = 0; (collection = store_nth(i)) != NULL; i++) {
        const char *name = name_in(collection, request->db);

        if (name == NULL)
            continue;
        bson_init(&one);
        bson_append_utf8(&one, "name", -1, name, -1);
        bson_append_utf8(
            &one, "type", -1,
            bson_has_field(&collection->options, "viewOn") ? "view"
            : bson_has_field(&collection->options, "timeseries")
                ? "timeseries" : "collection", -1);
        bson_append_document(&one, "options", -1, &collection->options);
        bson_append_document_begin(&one, "info", -1, &part);
        bson_append_bool(&part, "readOnly", -1, false);
        bson_append_document_end(&one, &part);
        if (match_doc(&one, &filter, &request->trouble))
            store_docs_add(&docs, &one);
        bson_destroy(&one);
    }
    bson_destroy(&filter);
    snprintf(ns, sizeof(ns), "%s.$cmd.listCollections", request->db);
    if (request->trouble.code != 0) {
        store_docs_free(&docs);
        return false;
    }
    return cmd_read_give(request, ns, &docs);
}

bool
cmd_admin_list_indexes(struct peer_request *request)
{
    struct store_collection *collection;
    struct store_docs docs = { 0 };
    bson_t one = BSON_INITIALIZER, part;
    bson_iter_t iter;
    char ns[256];

    if (!peer_ns(request, NULL, ns, sizeof(ns)))
        return false;
    collection = store_find(ns, false);
    if (collection == NULL)
        return value_trouble(&request->trouble, 26, "NamespaceNotFound",
                             "ns does not exist: %s", ns);
    bson_append_int32(&one, "v", -1, 2);
    bson_append_document_begin(&one, "key", -1, &part);
    bson_append_int32(&part, "_id", -1, 1);
    bson_append_document_end(&one, &part);
    bson_append_utf8(&one, "name", -1, "_id_", -1);
    store_docs_add(&docs, &one);
    bson_destroy(&one);
    if (bson_iter_init(&iter, &collection->indexes)) {
        while (bson_iter_next(&iter)) {
            if (value_doc(bson_iter_value(&iter), &part))
                store_docs_add(&docs, &part);
        }
    }
    return cmd_read_give(request, ns, &docs);
}

bool
cmd_admin_list_databases(struct peer_request *request)
{
    struct store_collection *collection;
    bson_t list, entry, seen = BSON_INITIALIZER;
    uint32_t n = 0;
    char key[16], db[256];

    bson_append_array_begin(request->reply, "databases", -1, &list);
    for (size_t i = 0; (collection = store_nth(i)) != NULL; i++) {
        snprintf(db, sizeof(db), "%.*s", (int)strcspn(collection->ns, "."),
                 collection->ns);
        if (bson_has_field(&seen, db))
            continue;
        bson_append_bool(&seen, db, -1, true);
        snprintf(key, sizeof(key), "%u", n++);
        bson_append_document_begin(&list, key, -1, &entry);
        bson_append_utf8(&entry, "name", -1, db, -1);
        bson_append_bool(&entry, "empty", -1, collection->count == 0);
        bson_append_document_end(&list, &entry);
    }
    bson_append_array_end(request->reply, &list);
    bson_destroy(&seen);
    return true;
}

/* Options of the collection with those that the command names put anew. */
static void
take_options(struct peer_request *request,
             struct store_collection *collection, bool validators)
{
    static const char *const taken[] = {
        "validator", "validationLevel", "validationAction", "capped", "size",
        "max", "timeseries", "viewOn", "pipeline", "collation",
        "changeStreamPreAndPostImages", "expireAfterSeconds",
    };
    bson_t made = BSON_INITIALIZER;
    bson_iter_t iter, old;

    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (!validators && strncmp(taken[i], "valid", 5) == 0)
            continue;
        if (bson_iter_init_find(&iter, request->body, taken[i]))
            bson_append_value(&made, taken[i], -1, bson_iter_value(&iter));
        else if (bson_iter_init_find(&old, &collection->options, taken[i]))
            bson_append_value(&made, taken[i], -1, bson_iter_value(&old));
    }
    bson_reinit(&collection->options);
    bson_concat(&collection->options, &made);
    bson_destroy(&made);
}

bool
cmd_admin_coll_mod(struct peer_request *request)
{
    struct store_collection *collection;
    bson_t filter, none = BSON_INITIALIZER;
    char ns[256];

    if (!request->make->coll_mod)
        return value_trouble(&request->trouble, 59, "CommandNotFound",
                             "no such command: 'collMod'");
    if (!peer_ns(request, NULL, ns, sizeof(ns)))
        return false;
    collection = store_find(ns, false);
    if (collection == NULL)
        return value_trouble(&request->trouble, 26, "NamespaceNotFound",
                             "ns does not exist");
    if (peer_doc(request, "validator", &filter)) {
        match_doc(&none, &filter, &request->trouble);
        bson_destroy(&none);
        if (request->trouble.code != 0)
            return false;
    }
    if (request->fault.kind != FAULT_LIE)
        take_options(request, collection, true);
    return true;
}

bool
cmd_admin_create(struct peer_request *request)
{
    struct store_collection *collection;
    char ns[256];

    if (!peer_ns(request, NULL, ns, sizeof(ns)))
        return false;
    if (store_find(ns, false) != NULL)
        return value_trouble(&request->trouble, 48, "NamespaceExists",
                             "a collection %s already exists", ns);
    collection = store_find(ns, true);
    if (collection != NULL)
        take_options(request, collection, request->make->at_create);
    return true;
}

bool
cmd_admin_create_indexes(struct peer_request *request)
{
    struct store_collection *collection;
    bson_t given;
    bson_iter_t iter;
    char ns[256], key[16];

    if (!peer_ns(request, NULL, ns, sizeof(ns)))
        return false;
    collection = store_find(ns, true);
    if (collection == NULL || !peer_doc(request, "indexes", &given) ||
        !bson_iter_init(&iter, &given))
        return false;
    while (bson_iter_next(&iter)) {
        snprintf(key, sizeof(key), "%u",
                 bson_count_keys(&collection->indexes));
        bson_append_value(&collection->indexes, key, -1,
                          bson_iter_value(&iter));
    }
    return true;
}

bool
cmd_admin_drop(struct peer_request *request)
{
    char ns[256];

    if (!peer_ns(request, NULL, ns, sizeof(ns)))
        return false;
    return store_drop(ns) ||
           value_trouble(&request->trouble, 26, "NamespaceNotFound",
                         "ns not found");
}

bool
cmd_admin_drop_database(struct peer_request *request)
{
    struct store_collection *collection;
    size_t i = 0;

    while ((collection = store_nth(i)) != NULL) {
        if (name_in(collection, request->db) != NULL)
            store_drop(collection->ns);
        else
            i++;
    }
    return true;
}

bool
cmd_admin_coll_stats(struct peer_request *request)
{
    const struct store_collection *collection;
    int64_t size = 0;
    char ns[256];

    if (!peer_ns(request, NULL, ns, sizeof(ns)))
        return false;
    collection = store_find(ns, false);
    for (size_t i = 0; collection != NULL && i < collection->count; i++)
        size += collection->docs[i]->len;
    bson_append_utf8(request->reply, "ns", -1, ns, -1);
    bson_append_int64(request->reply, "size", -1, size);
    bson_append_int64(request->reply, "count", -1,
                      collection == NULL ? 0 : (int64_t)collection->count);
    bson_append_bool(request->reply, "capped", -1, collection != NULL &&
                     bson_has_field(&collection->options, "capped"));
    return true;
}
