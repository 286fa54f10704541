#include <stdio.h>

#include <sodium.h>

#include "mongo/command.h"
#include "mongo/commit.h"
#include "mongo/record.h"
#include "mongo/server.h"
#include "mongo/write.h"

#define ITEMS_MOST 500u /* quarantined values in one insert */

static void
digest_part(crypto_hash_sha256_state *state, struct envl_bytes part)
{
    uint64_t len = part.len;

    crypto_hash_sha256_update(state, (const uint8_t *)&len, sizeof(len));
    if (part.len > 0)
        crypto_hash_sha256_update(state, part.ptr, part.len);
}

/* One entry for a value however often it is added: its own id. */
static void
append_item(const struct envl_store *store, const char *job, int64_t now,
            const struct envl_quarantine *item, bson_t *out)
{
    struct envl_bytes digest = { item->digest, sizeof(item->digest) };
    uint8_t id[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    digest_part(&state, envl_bytes_of(store->database));
    digest_part(&state, envl_bytes_of(job));
    digest_part(&state, envl_bytes_of(item->target));
    digest_part(&state, envl_bytes_of(item->field));
    digest_part(&state, item->key);
    digest_part(&state, digest);
    crypto_hash_sha256_final(&state, id);
    BSON_APPEND_BINARY(out, "_id", BSON_SUBTYPE_BINARY, id, sizeof(id));
    record_of_job(store, job, out);
    BSON_APPEND_UTF8(out, "target", item->target);
    BSON_APPEND_UTF8(out, "field", item->field);
    BSON_APPEND_BINARY(out, "key", BSON_SUBTYPE_BINARY, item->key.ptr,
                       (uint32_t)item->key.len);
    BSON_APPEND_UTF8(out, "row", item->row);
    BSON_APPEND_UTF8(out, "state", item->state);
    BSON_APPEND_BINARY(out, "digest", BSON_SUBTYPE_BINARY, digest.ptr,
                       (uint32_t)digest.len);
    BSON_APPEND_DATE_TIME(out, "since", now);
}

static enum envl_status
add_items(struct envl_store *store, const struct envl_commit *commit,
          uint32_t from, uint32_t to, struct envl_error *err)
{
    bson_t command = BSON_INITIALIZER, list, document;
    enum envl_status status;
    struct answer answer;
    char name[16];
    int64_t now;

    status = server_now(store, &now, err);
    if (status != ENVL_OK)
        return status;
    BSON_APPEND_UTF8(&command, "insert", RECORD_QUARANTINE);
    BSON_APPEND_ARRAY_BEGIN(&command, "documents", &list);
    for (uint32_t i = from; i < to; i++) {
        snprintf(name, sizeof(name), "%u", i - from);
        BSON_APPEND_DOCUMENT_BEGIN(&list, name, &document);
        append_item(store, commit->record->job, now, &commit->quarantine[i],
                    &document);
        bson_append_document_end(&list, &document);
    }
    bson_append_array_end(&command, &list);
    BSON_APPEND_BOOL(&command, "ordered", false);
    command_majority(&command, store->host->statement_ms);
    status = command_ask(store, RECORD_DATABASE, &command,
                         "writing the quarantine", &answer, err);
    if (status == ENVL_OK)
        status = command_inserted(store, &answer, NULL, err);
    command_free(&answer);
    bson_destroy(&command);
    return status;
}

/*
 * The quarantine first: an entry that stands there without its checkpoint is
 * added again and stays one entry; a checkpoint without its entries would
 * lose them.
 */
enum envl_status
commit_begin(struct envl_store *store, const struct envl_commit *commit,
             struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (commit->record == NULL)
        return ENVL_OK;
    for (uint32_t from = 0;
         from < commit->quarantine_count && status == ENVL_OK;
         from += ITEMS_MOST) {
        uint32_t to = commit->quarantine_count - from < ITEMS_MOST
                          ? commit->quarantine_count
                          : from + ITEMS_MOST;

        status = add_items(store, commit, from, to, err);
    }
    if (status == ENVL_OK)
        status = record_put(store, commit->record, commit->ttl_ms, err);
    return status;
}

enum envl_status
commit_end(struct envl_store *store, struct envl_error *err)
{
    (void)store;
    (void)err;
    return ENVL_OK;
}

void
commit_rollback(struct envl_store *store)
{
    write_abandon(store);
}
