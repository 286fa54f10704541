/*
 * bare_mongo - the loop that anybody would write with libmongoc: read a
 * thousand documents by `_id`, and set another text where the one that was
 * read still stands, in one unordered bulk, with w: majority.
 *
 *   bare_mongo URI DATABASE [FROM UNTIL]
 *
 * On the collection t, member api_key, `_id` a whole number; it seals nothing
 * and keeps no state.  bench_mongo.py holds a sweep against it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mongoc/mongoc.h>

#define BATCH 1000
#define TEXT_LEN 200u /* about an envelope's */

static int
fail(const char *what, const bson_error_t *error)
{
    fprintf(stderr, "bare_mongo: %s: %s\n", what, error->message);
    return 1;
}

/* {_id: id, api_key: old} -> {$set: {api_key: new}} */
static void
add_update(mongoc_bulk_operation_t *bulk, int64_t id, const char *old)
{
    char text[TEXT_LEN + 1];
    bson_t *filter = BCON_NEW("_id", BCON_INT64(id), "api_key",
                              BCON_UTF8(old));
    bson_t *update;

    memset(text, 'y', TEXT_LEN);
    text[TEXT_LEN] = '\0';
    memcpy(text, old, strlen(old) < TEXT_LEN ? strlen(old) : TEXT_LEN);
    update = BCON_NEW("$set", "{", "api_key", BCON_UTF8(text), "}");
    mongoc_bulk_operation_update_one_with_opts(bulk, filter, update, NULL,
                                               NULL);
    bson_destroy(filter);
    bson_destroy(update);
}

/* One page after ${last}, which moves on; how many there were, or -1. */
static int
page(mongoc_collection_t *collection, int64_t *last, int64_t until)
{
    bson_t *filter = BCON_NEW("_id", "{", "$gt", BCON_INT64(*last), "$lte",
                              BCON_INT64(until), "}");
    bson_t *read = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "limit",
                            BCON_INT64(BATCH), "batchSize", BCON_INT32(BATCH),
                            "projection", "{", "api_key", BCON_INT32(1), "}");
    bson_t *options = BCON_NEW("ordered", BCON_BOOL(false));
    mongoc_cursor_t *cursor =
        mongoc_collection_find_with_opts(collection, filter, read, NULL);
    mongoc_bulk_operation_t *bulk =
        mongoc_collection_create_bulk_operation_with_opts(collection, options);
    bson_t reply = BSON_INITIALIZER;
    bson_error_t error;
    const bson_t *doc;
    bson_iter_t id, value;
    int count = 0;

    while (mongoc_cursor_next(cursor, &doc)) {
        if (!bson_iter_init_find(&id, doc, "_id") ||
            !bson_iter_init_find(&value, doc, "api_key"))
            continue;
        *last = bson_iter_as_int64(&id);
        add_update(bulk, *last, bson_iter_utf8(&value, NULL));
        count++;
    }
    if (mongoc_cursor_error(cursor, &error) ||
        (count > 0 && mongoc_bulk_operation_execute(bulk, &reply,
                                                    &error) == 0))
        count = -fail("a page", &error);
    bson_destroy(&reply);
    mongoc_bulk_operation_destroy(bulk);
    mongoc_cursor_destroy(cursor);
    bson_destroy(filter);
    bson_destroy(read);
    bson_destroy(options);
    return count;
}

int
main(int argc, char **argv)
{
    mongoc_collection_t *collection;
    mongoc_write_concern_t *majority;
    mongoc_client_t *client;
    int64_t last = argc > 3 ? atoll(argv[3]) : INT64_MIN;
    int64_t until = argc > 4 ? atoll(argv[4]) : INT64_MAX;
    int count = 0;

    if (argc < 3) {
        fprintf(stderr, "usage: bare_mongo URI DATABASE [FROM UNTIL]\n");
        return 2;
    }
    mongoc_init();
    client = mongoc_client_new(argv[1]);
    if (client == NULL)
        return 2;
    collection = mongoc_client_get_collection(client, argv[2], "t");
    majority = mongoc_write_concern_new();
    mongoc_write_concern_set_w(majority, MONGOC_WRITE_CONCERN_W_MAJORITY);
    mongoc_collection_set_write_concern(collection, majority);
    do
        count = page(collection, &last, until);
    while (count > 0);
    mongoc_write_concern_destroy(majority);
    mongoc_collection_destroy(collection);
    mongoc_client_destroy(client);
    mongoc_cleanup();
    return count < 0;
}
