#include <string.h>

#include "common/process.h"
#include "common/say.h"
#include "mongo/command.h"
#include "mongo/fault.h"
#include "mongo/record.h"
#include "mongo/server.h"

static const char reading[] = "reading the state of the job";
static const char writing[] = "writing the state of the job";

#define TRIES 5 /* against somebody who changes the record meanwhile */

static const char *
collection_of(uint32_t number)
{
    return number == 0 ? RECORD_JOBS : RECORD_RANGES;
}

void
record_of_job(const struct envl_store *store, const char *job, bson_t *out)
{
    BSON_APPEND_UTF8(out, "database", store->database);
    BSON_APPEND_UTF8(out, "job", job);
}

/* {_id: {database, job[, number]}} */
static void
append_id(const struct envl_store *store, const struct envl_record *record,
          bson_t *out)
{
    bson_t id;

    BSON_APPEND_DOCUMENT_BEGIN(out, "_id", &id);
    record_of_job(store, record->job, &id);
    if (record->number > 0)
        BSON_APPEND_INT32(&id, "number", (int32_t)record->number);
    bson_append_document_end(out, &id);
}

/* ---- what is stored ----------------------------------------------------- */

/* A stored record; what it points to is borrowed from ${document}. */
struct stored {
    bool there;
    struct envl_record record;
    const char *process;
    int64_t until_ms; /* of the lease, by the server's clock */
};

static const char *
text_of(const bson_t *document, const char *name)
{
    const char *text = command_text(document, name);

    return text == NULL ? "" : text;
}

static struct envl_bytes
bytes_of(const bson_t *document, const char *name)
{
    struct envl_bytes out = { NULL, 0 };
    bson_iter_t at;
    uint32_t len = 0;

    if (bson_iter_init_find(&at, document, name) &&
        BSON_ITER_HOLDS_BINARY(&at)) {
        bson_iter_binary(&at, NULL, &len, &out.ptr);
        out.len = len;
    }
    return out;
}

static void
take_stored(const bson_t *document, int64_t now, struct stored *out)
{
    struct envl_record *record = &out->record;
    struct envl_bytes mac = bytes_of(document, "mac");
    bson_iter_t at;

    *out = (struct stored){ .there = true,
                            .process = text_of(document, "process") };
    record->number = (uint32_t)command_number(document, "number", 0);
    record->epoch = (uint64_t)command_number(document, "epoch", 0);
    record->owner = text_of(document, "owner");
    record->body = bytes_of(document, "body");
    if (bson_iter_init_find(&at, document, "lease_until") &&
        BSON_ITER_HOLDS_DATE_TIME(&at))
        out->until_ms = bson_iter_date_time(&at);
    record->lease_ms = out->until_ms - now;
    record->owner_gone = record->owner[0] != '\0' &&
                         process_gone(out->process);
    /* One of another length is not ours: zeros will not be its MAC. */
    if (mac.len == sizeof(record->mac))
        memcpy(record->mac, mac.ptr, mac.len);
}

/* ---- reading ------------------------------------------------------------ */

static enum envl_status
read_collection(struct envl_store *store, const char *job, uint32_t number,
                envl_record_fn *each, void *cookie, struct envl_error *err)
{
    bson_t find = BSON_INITIALIZER, filter, sort;
    enum envl_status status;
    struct answer answer;
    struct stored stored;
    bson_iter_t list;
    bson_t document;
    int64_t now;

    status = server_now(store, &now, err);
    if (status != ENVL_OK)
        return status;
    BSON_APPEND_UTF8(&find, "find", collection_of(number));
    BSON_APPEND_DOCUMENT_BEGIN(&find, "filter", &filter);
    record_of_job(store, job, &filter);
    bson_append_document_end(&find, &filter);
    BSON_APPEND_DOCUMENT_BEGIN(&find, "sort", &sort);
    BSON_APPEND_INT32(&sort, "number", 1);
    bson_append_document_end(&find, &sort);
    BSON_APPEND_INT32(&find, "batchSize", 100000);
    BSON_APPEND_BOOL(&find, "singleBatch", true);
    status = command_ask(store, RECORD_DATABASE, &find, reading, &answer, err);
    if (status == ENVL_OK)
        status = command_list(store, &answer, reading, &list, err);
    while (status == ENVL_OK && bson_iter_next(&list) &&
           command_document(&list, &document)) {
        take_stored(&document, now, &stored);
        stored.record.job = job;
        status = each(cookie, &stored.record, err);
    }
    command_free(&answer);
    bson_destroy(&find);
    return status;
}

enum envl_status
record_read(struct envl_store *store, const char *job, envl_record_fn *each,
            void *cookie, struct envl_error *err)
{
    enum envl_status status = read_collection(store, job, 0, each, cookie,
                                              err);

    if (status == ENVL_OK)
        status = read_collection(store, job, 1, each, cookie, err);
    return status;
}

/* ---- changing ----------------------------------------------------------- */

/* The members of a record but for its lease. */
static void
append_members(const struct envl_store *store,
               const struct envl_record *record, bson_t *out)
{
    const uint8_t *body = record->body.ptr;

    BSON_APPEND_INT64(out, "epoch", (int64_t)record->epoch);
    BSON_APPEND_UTF8(out, "owner", record->owner == NULL ? ""
                                                         : record->owner);
    BSON_APPEND_UTF8(out, "process", record->owner == NULL ||
                                             record->owner[0] == '\0'
                                         ? ""
                                         : store->process);
    BSON_APPEND_BINARY(out, "body", BSON_SUBTYPE_BINARY,
                       body == NULL ? (const uint8_t *)"" : body,
                       (uint32_t)record->body.len);
    BSON_APPEND_BINARY(out, "mac", BSON_SUBTYPE_BINARY, record->mac,
                       sizeof(record->mac));
}

/* findAndModify of the document that ${query} finds; ${found}: it did. */
static enum envl_status
modify(struct envl_store *store, uint32_t number, const bson_t *query,
       const bson_t *update, bool *found, struct envl_error *err)
{
    bson_t command = BSON_INITIALIZER, fields;
    enum envl_status status;
    struct answer answer;
    bson_iter_t at;

    BSON_APPEND_UTF8(&command, "findAndModify", collection_of(number));
    BSON_APPEND_DOCUMENT(&command, "query", query);
    BSON_APPEND_DOCUMENT(&command, "update", update);
    BSON_APPEND_DOCUMENT_BEGIN(&command, "fields", &fields);
    BSON_APPEND_INT32(&fields, "_id", 1);
    bson_append_document_end(&command, &fields);
    command_majority(&command, store->host->statement_ms);
    status = command_ask(store, RECORD_DATABASE, &command, writing, &answer,
                         err);
    if (status == ENVL_OK)
        status = command_confirmed(store, &answer, writing, err);
    /* null, or nothing, if no document was found */
    if (status == ENVL_OK &&
        !bson_iter_init_find(&at, &answer.reply, "value") &&
        !bson_has_field(&answer.reply, "lastErrorObject"))
        status = say_fail(store->host, err, ENVL_E_DATABASE, "%s: the "
                          "server's answer is not one to this command",
                          writing);
    *found = status == ENVL_OK &&
             bson_iter_init_find(&at, &answer.reply, "value") &&
             BSON_ITER_HOLDS_DOCUMENT(&at);
    command_free(&answer);
    bson_destroy(&command);
    return status;
}

static enum envl_status
lost_lease(const struct envl_store *store, const struct envl_record *record,
           struct envl_error *err)
{
    return say_fail(store->host, err, ENVL_E_CONFLICT,
                    "job %s: another process has taken record %u",
                    record->job, record->number);
}

/* Change the record behind its fence: the lease lasts to ${ttl_ms} from now
   at least, and with ${whole} body and MAC are put. */
static enum envl_status
extend(struct envl_store *store, const struct envl_record *record,
       uint32_t ttl_ms, bool whole, struct envl_error *err)
{
    bson_t query = BSON_INITIALIZER, update = BSON_INITIALIZER, part;
    enum envl_status status;
    bool found = false;
    int64_t now;

    status = server_now(store, &now, err);
    if (status != ENVL_OK)
        return status;
    append_id(store, record, &query);
    BSON_APPEND_INT64(&query, "epoch", (int64_t)record->epoch);
    BSON_APPEND_UTF8(&query, "owner", record->owner);
    if (whole) {
        BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &part);
        append_members(store, record, &part);
        bson_append_document_end(&update, &part);
    }
    BSON_APPEND_DOCUMENT_BEGIN(&update, "$max", &part);
    BSON_APPEND_DATE_TIME(&part, "lease_until", now + ttl_ms);
    bson_append_document_end(&update, &part);
    status = modify(store, record->number, &query, &update, &found, err);
    if (status == ENVL_OK && !found)
        status = lost_lease(store, record, err);
    bson_destroy(&query);
    bson_destroy(&update);
    return status;
}

enum envl_status
record_put(struct envl_store *store, const struct envl_record *record,
           uint32_t ttl_ms, struct envl_error *err)
{
    return extend(store, record, ttl_ms, true, err);
}

enum envl_status
record_fence(struct envl_store *store, const struct envl_record *record,
             struct envl_error *err)
{
    return extend(store, record, 0, false, err);
}

enum envl_status
record_release(struct envl_store *store, const struct envl_record *record,
               struct envl_error *err)
{
    bson_t query = BSON_INITIALIZER, update = BSON_INITIALIZER, set;
    enum envl_status status;
    bool found;

    append_id(store, record, &query);
    BSON_APPEND_INT64(&query, "epoch", (int64_t)record->epoch);
    BSON_APPEND_UTF8(&query, "owner", record->owner);
    BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &set);
    BSON_APPEND_UTF8(&set, "owner", "");
    BSON_APPEND_UTF8(&set, "process", "");
    BSON_APPEND_DATE_TIME(&set, "lease_until", 0);
    bson_append_document_end(&update, &set);
    status = modify(store, record->number, &query, &update, &found, err);
    bson_destroy(&query);
    bson_destroy(&update);
    return status;
}

/* ---- taking ------------------------------------------------------------- */

/* A whole document, for a record that is not there yet. */
static void
append_whole(const struct envl_store *store, const struct envl_record *record,
             int64_t until_ms, bson_t *out)
{
    append_id(store, record, out);
    record_of_job(store, record->job, out);
    BSON_APPEND_INT32(out, "number", (int32_t)record->number);
    append_members(store, record, out);
    BSON_APPEND_DATE_TIME(out, "lease_until", until_ms);
}

/* ${made} is false if somebody else was quicker. */
static enum envl_status
insert(struct envl_store *store, const struct envl_record *record,
       int64_t until_ms, bool *made, struct envl_error *err)
{
    bson_t command = BSON_INITIALIZER, list, document;
    enum envl_status status;
    struct answer answer;

    BSON_APPEND_UTF8(&command, "insert", collection_of(record->number));
    BSON_APPEND_ARRAY_BEGIN(&command, "documents", &list);
    BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &document);
    append_whole(store, record, until_ms, &document);
    bson_append_document_end(&list, &document);
    bson_append_array_end(&command, &list);
    command_majority(&command, store->host->statement_ms);
    status = command_ask(store, RECORD_DATABASE, &command, writing, &answer,
                         err);
    if (status == ENVL_OK)
        status = command_inserted(store, &answer, made, err);
    command_free(&answer);
    bson_destroy(&command);
    return status;
}

/* spec: MIG-42 */
static enum envl_status
judge(const struct envl_store *store, const struct envl_record *next,
      const struct stored *stored, struct envl_error *err)
{
    const struct envl_record *found = &stored->record;

    if ((stored->there ? found->epoch : 0) != next->epoch - 1)
        return lost_lease(store, next, err);
    if (!stored->there || found->owner[0] == '\0' ||
        strcmp(found->owner, next->owner) == 0 || found->lease_ms <= 0 ||
        found->owner_gone)
        return ENVL_OK;
    say_fail(store->host, err, ENVL_E_LOCKED, "job %s: record %u is held by "
             "%s", next->job, next->number, found->owner);
    say_hint(store->host, err, "it ends by itself, or its lease runs out in "
             "%lld ms", (long long)found->lease_ms);
    return ENVL_E_LOCKED;
}

/* Put ${next} in the place of exactly what was found. */
static enum envl_status
exchange(struct envl_store *store, const struct envl_record *next,
         const struct stored *stored, int64_t until_ms, bool *done,
         struct envl_error *err)
{
    bson_t query = BSON_INITIALIZER, update = BSON_INITIALIZER, set;
    enum envl_status status;

    append_id(store, next, &query);
    BSON_APPEND_INT64(&query, "epoch", (int64_t)stored->record.epoch);
    BSON_APPEND_UTF8(&query, "owner", stored->record.owner);
    BSON_APPEND_UTF8(&query, "process", stored->process);
    BSON_APPEND_DATE_TIME(&query, "lease_until", stored->until_ms);
    BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &set);
    append_members(store, next, &set);
    BSON_APPEND_DATE_TIME(&set, "lease_until", until_ms);
    bson_append_document_end(&update, &set);
    status = modify(store, next->number, &query, &update, done, err);
    bson_destroy(&query);
    bson_destroy(&update);
    return status;
}

static bson_t *
find_record(const struct envl_store *store, const struct envl_record *record)
{
    bson_t *find = BCON_NEW("find",
                            BCON_UTF8(collection_of(record->number)), "limit",
                            BCON_INT32(1), "singleBatch", BCON_BOOL(true));
    bson_t filter;

    BSON_APPEND_DOCUMENT_BEGIN(find, "filter", &filter);
    append_id(store, record, &filter);
    bson_append_document_end(find, &filter);
    return find;
}

static enum envl_status
try_take(struct envl_store *store, const struct envl_record *next,
         uint32_t ttl_ms, bool *taken, struct envl_error *err)
{
    bson_t *find = find_record(store, next);
    struct stored stored = { .there = false };
    enum envl_status status;
    struct answer answer;
    bson_iter_t list;
    bson_t document;
    int64_t now;

    *taken = false;
    status = command_ask(store, RECORD_DATABASE, find, reading, &answer, err);
    if (status == ENVL_OK)
        status = command_list(store, &answer, reading, &list, err);
    if (status == ENVL_OK)
        status = server_now(store, &now, err);
    if (status == ENVL_OK && bson_iter_next(&list) &&
        command_document(&list, &document))
        take_stored(&document, now, &stored);
    if (status == ENVL_OK)
        status = judge(store, next, &stored, err);
    if (status == ENVL_OK && stored.there)
        status = exchange(store, next, &stored, now + ttl_ms, taken, err);
    else if (status == ENVL_OK)
        status = insert(store, next, now + ttl_ms, taken, err);
    command_free(&answer);
    bson_destroy(find);
    return status;
}

enum envl_status
record_take(struct envl_store *store, const struct envl_record *next,
            uint32_t ttl_ms, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    bool taken = false;

    if (next->epoch == 0)
        return say_fail(store->host, err, ENVL_E_USAGE,
                        "job %s: an epoch begins at 1", next->job);
    for (int i = 0; i < TRIES && status == ENVL_OK && !taken; i++)
        status = try_take(store, next, ttl_ms, &taken, err);
    if (status == ENVL_OK && !taken)
        status = lost_lease(store, next, err);
    return status;
}

/* ---- the ranges of a new pass ------------------------------------------- */

enum envl_status
record_replace(struct envl_store *store, const struct envl_record *range,
               struct envl_error *err)
{
    bson_t query = BSON_INITIALIZER, update = BSON_INITIALIZER, part;
    enum envl_status status;
    bool done = false;

    append_id(store, range, &query);
    BSON_APPEND_DOCUMENT_BEGIN(&query, "epoch", &part);
    BSON_APPEND_INT64(&part, "$lt", (int64_t)range->epoch);
    bson_append_document_end(&query, &part);
    BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &part);
    append_members(store, range, &part);
    BSON_APPEND_DATE_TIME(&part, "lease_until", 0);
    bson_append_document_end(&update, &part);
    status = modify(store, range->number, &query, &update, &done, err);
    if (status == ENVL_OK && !done)
        status = insert(store, range, 0, &done, err);
    if (status == ENVL_OK && !done)
        status = lost_lease(store, range, err);
    bson_destroy(&query);
    bson_destroy(&update);
    return status;
}
