#include <string.h>

#include "common/say.h"
#include "mongo/command.h"
#include "mongo/fault.h"
#include "mongo/key.h"
#include "mongo/split.h"

#define SAMPLES_A_PART 20u /* evens out what chance does to the parts */

static enum envl_status
give(const struct envl_target *target, const bson_t *document,
     envl_key_fn *each, void *cookie, struct envl_error *err)
{
    struct arena arena = ARENA_INIT;
    enum envl_status status = ENVL_E_LIMIT;
    struct envl_bytes key;
    bson_iter_t id;

    if (bson_iter_init_find(&id, document, "_id"))
        status = key_encode(&id, &arena, &key);
    if (status == ENVL_OK)
        status = each(cookie, key, err);
    else
        say_fail(target->store->host, err, status,
                 "%s has an _id of 4,096 bytes or more", target->name);
    arena_free(&arena);
    return status;
}

enum envl_status
split_last(struct envl_target *target, envl_key_fn *each, void *cookie,
           struct envl_error *err)
{
    static const char doing[] = "looking for the largest _id";
    struct envl_store *store = target->store;
    bson_t *find = BCON_NEW("find", BCON_UTF8(target->name), "projection",
                            "{", "_id", BCON_INT32(1), "}", "sort", "{",
                            "_id", BCON_INT32(-1), "}", "limit",
                            BCON_INT32(1), "singleBatch", BCON_BOOL(true));
    enum envl_status status;
    struct answer answer;
    bson_iter_t list;
    bson_t document;

    status = command_ask(store, store->database, find, doing, &answer, err);
    if (status == ENVL_OK)
        status = command_list(store, &answer, doing, &list, err);
    if (status == ENVL_OK && bson_iter_next(&list) &&
        command_document(&list, &document))
        status = give(target, &document, each, cookie, err);
    command_free(&answer);
    bson_destroy(find);
    return status;
}

static bson_t *
sample(const struct envl_target *target, uint32_t size)
{
    return BCON_NEW("aggregate", BCON_UTF8(target->name), "pipeline", "[",
                    "{", "$sample", "{", "size", BCON_INT32((int32_t)size),
                    "}", "}", "{", "$project", "{", "_id", BCON_INT32(1), "}",
                    "}", "{", "$sort", "{", "_id", BCON_INT32(1), "}", "}",
                    "]", "cursor", "{", "batchSize",
                    BCON_INT32((int32_t)size), "}", "maxTimeMS",
                    BCON_INT32((int32_t)target->store->host->statement_ms));
}

/* Every so many of the sampled _ids, never the same one twice. */
static enum envl_status
give_some(struct envl_target *target, const struct answer *answer,
          uint32_t parts, envl_key_fn *each, void *cookie,
          struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    uint32_t seen = 0, given = 1;
    bson_iter_t list, id, last;
    bool first = true;
    bson_t document;

    if (!command_batch(answer, &list))
        return ENVL_OK;
    while (status == ENVL_OK && given < parts && bson_iter_next(&list)) {
        if (!command_document(&list, &document) ||
            !bson_iter_init_find(&id, &document, "_id") ||
            ++seen < given * SAMPLES_A_PART)
            continue;
        if (!first && key_compare(&last, &id, target->collated) != KEY_LESS)
            continue; /* unknown counts as equal: a part less does no harm */
        status = give(target, &document, each, cookie, err);
        first = false;
        last = id;
        given++;
    }
    return status;
}

enum envl_status
split_keys(struct envl_target *target, uint32_t parts, envl_key_fn *each,
           void *cookie, struct envl_error *err)
{
    struct envl_store *store = target->store;
    bson_t *command = sample(target, parts * SAMPLES_A_PART);
    enum envl_status status = ENVL_OK;
    struct answer answer;

    /* Where nothing can be sampled there is one range. */
    if (command_run(store, store->database, command, &answer))
        status = give_some(target, &answer, parts, each, cookie, err);
    else if (answer.lost)
        status = fault_tell(store, &answer, "sampling _ids", err);
    command_free(&answer);
    bson_destroy(command);
    return status;
}
