#include <string.h>

#include "common/say.h"
#include "mongo/command.h"
#include "mongo/fault.h"
#include "mongo/hash.h"
#include "mongo/key.h"
#include "mongo/probe.h"

/* ---- finding one document ----------------------------------------------- */

enum found {
    FOUND_ERROR,
    FOUND_NONE,
    FOUND_ONE
};

/* Run ${find} and destroy it; store the class of the _id that is found. */
static enum found
find_one(struct envl_store *store, bson_t *find, enum key_class *class)
{
    enum found found = FOUND_ERROR;
    struct answer answer;
    bson_iter_t list, id;
    bson_t document;

    if (command_run(store, store->database, find, &answer) &&
        command_batch(&answer, &list)) {
        found = FOUND_NONE;
        if (bson_iter_next(&list) && command_document(&list, &document) &&
            bson_iter_init_find(&id, &document, "_id")) {
            *class = key_class(&id);
            found = FOUND_ONE;
        }
    }
    command_free(&answer);
    bson_destroy(find);
    return found;
}

/* A find of one _id, in the order ${way} (1, -1), ended by ${bound}. */
static bson_t *
one_id(const struct envl_target *target, int way)
{
    return BCON_NEW("find", BCON_UTF8(target->name), "projection", "{", "_id",
                    BCON_INT32(1), "}", "sort", "{", "_id", BCON_INT32(way),
                    "}", "limit", BCON_INT32(1), "singleBatch",
                    BCON_BOOL(true));
}

static bson_t *
bounded(const struct envl_target *target, const char *bound)
{
    bson_t *find = one_id(target, 1);

    BCON_APPEND(find, "hint", "{", "_id", BCON_INT32(1), "}");
    if (strcmp(bound, "max is the least") == 0)
        BCON_APPEND(find, "max", "{", "_id", BCON_MINKEY, "}");
    else if (strcmp(bound, "min is the greatest") == 0)
        BCON_APPEND(find, "min", "{", "_id", BCON_MAXKEY, "}");
    else
        BCON_APPEND(find, "min", "{", "_id", BCON_NULL, "}");
    return find;
}

/* ---- paging ------------------------------------------------------------- */

/*
 * A server that does not know min and max may leave them out, or take them
 * for comparisons inside one type: both would show here.
 */
static bool
index_bounds_work(struct envl_target *target, enum key_class last)
{
    struct envl_store *store = target->store;
    enum key_class class = KEY_MIN;

    if (find_one(store, bounded(target, "max is the least"), &class) !=
        FOUND_NONE)
        return false;
    switch (find_one(store, bounded(target, "min is the greatest"), &class)) {
    case FOUND_ERROR:
        return false;
    case FOUND_ONE:
        if (class != KEY_MAX)
            return false;
        break;
    case FOUND_NONE:
        break;
    }
    return last <= KEY_NULL ||
           find_one(store, bounded(target, "min is null"), &class) ==
               FOUND_ONE;
}

/* A find of an _id of the types whose bits are not in ${unknown}. */
static bson_t *
of_types(const struct envl_target *target, uint32_t unknown)
{
    bson_t *find = one_id(target, 1);
    bson_t filter, id, list;
    uint32_t count = 0;
    char name[16];

    BSON_APPEND_DOCUMENT_BEGIN(find, "filter", &filter);
    BSON_APPEND_DOCUMENT_BEGIN(&filter, "_id", &id);
    BSON_APPEND_ARRAY_BEGIN(&id, "$type", &list);
    for (uint32_t i = 0; i < KEY_TYPES; i++) {
        if (unknown >> i & 1)
            continue;
        bson_snprintf(name, sizeof(name), "%u", count++);
        BSON_APPEND_INT32(&list, name, key_types()[i].number);
    }
    bson_append_array_end(&id, &list);
    bson_append_document_end(&filter, &id);
    bson_append_document_end(find, &filter);
    return find;
}

/* A server that does not know a type cannot hold it either; those that it
   knows have to find something together. */
static bool
types_work(struct envl_target *target)
{
    struct server *server = &target->store->server;
    enum key_class class;

    server->unknown_types = 0;
    if (find_one(target->store, of_types(target, 0), &class) == FOUND_ONE)
        return true;
    for (uint32_t i = 0; i < KEY_TYPES; i++) {
        uint32_t bit = (uint32_t)1 << i;

        if (find_one(target->store, of_types(target, ~bit), &class) ==
            FOUND_ERROR)
            server->unknown_types |= bit;
    }
    return find_one(target->store, of_types(target, server->unknown_types),
                    &class) == FOUND_ONE;
}

/* ---- expressions -------------------------------------------------------- */

/* {v: EXPRESSION} of one document of the collection: store its number. */
static bool
evaluate(struct envl_target *target, bson_t *project, int64_t *out)
{
    struct envl_store *store = target->store;
    bson_t *command = BCON_NEW("aggregate", BCON_UTF8(target->name),
                               "pipeline", "[", "{", "$limit", BCON_INT32(1),
                               "}", "{", "$project", BCON_DOCUMENT(project),
                               "}", "]", "cursor", "{", "}");
    struct answer answer;
    bson_iter_t list;
    bson_t document;
    bool ok;

    ok = command_run(store, store->database, command, &answer) &&
         command_batch(&answer, &list) && bson_iter_next(&list) &&
         command_document(&list, &document) &&
         bson_has_field(&document, "v");
    if (ok)
        *out = command_number(&document, "v", INT64_MIN);
    command_free(&answer);
    bson_destroy(command);
    bson_destroy(project);
    return ok;
}

/* Steps down a path as edit.c writes them, and the type at its end. */
static bool
expressions_work(struct envl_target *target)
{
    int64_t is = 0;
    bson_t *project = BCON_NEW(
        "_id", BCON_INT32(0), "v", "{", "$cond", "[",
        "{", "$eq", "[", "{", "$type", "{", "$let", "{",
        "vars", "{", "s", "{", "$let", "{",
        "vars", "{", "s", "{", "$literal", "{", "m", "[", "{", "n",
        BCON_UTF8("x"), "}", "]", "}", "}", "}",
        "in", "{", "$arrayElemAt", "[", BCON_UTF8("$$s.m"), BCON_INT32(0),
        "]", "}", "}", "}", "}",
        "in", BCON_UTF8("$$s.n"), "}", "}", "}", BCON_UTF8("string"), "]",
        "}", BCON_INT32(7), BCON_INT32(8), "]", "}");

    return evaluate(target, project, &is) && is == 7;
}

/* Known answers: if the server's hash is not ours, it is not used. */
static bool
hash_works(struct envl_target *target)
{
    static const char probe[] = "envelope-probe";
    bson_t value = BSON_INITIALIZER;
    bson_iter_t at;
    int64_t ours = 0, theirs = 0;
    bool works;

    BSON_APPEND_UTF8(&value, "", probe);
    works = bson_iter_init(&at, &value) && bson_iter_next(&at) &&
            hash_value(&at, &ours) &&
            evaluate(target, BCON_NEW("_id", BCON_INT32(0), "v", "{",
                                      "$toHashedIndexKey", "{", "$literal",
                                      BCON_UTF8(probe), "}", "}"), &theirs) &&
            ours == theirs;
    bson_destroy(&value);
    return works;
}

enum envl_status
probe_server(struct envl_target *target, struct envl_error *err)
{
    struct envl_store *store = target->store;
    enum key_class last = KEY_MIN;
    enum found found;

    if (store->server.probed)
        return ENVL_OK;
    found = find_one(store, one_id(target, -1), &last);
    if (found == FOUND_ONE) {
        store->server.bounds = index_bounds_work(target, last);
        if (!store->server.bounds && !types_work(target) && !store->lost)
            return say_fail(store->host, err, ENVL_E_DATABASE, "the server "
                            "knows neither min and max nor $type: documents "
                            "cannot be read in order");
        store->server.expressions = expressions_work(target);
        store->server.hash = store->server.expressions && hash_works(target);
        store->server.probed = true;
    }
    if (store->lost)
        return say_fail(store->host, err, ENVL_E_DATABASE,
                        "trying what the server can do: the connection was "
                        "lost");
    return ENVL_OK;
}
