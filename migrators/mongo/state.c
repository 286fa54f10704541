#include <string.h>

#include "common/say.h"
#include "mongo/command.h"
#include "mongo/fault.h"
#include "mongo/record.h"
#include "mongo/state.h"

/* ---- collections -------------------------------------------------------- */

/* One index over what records are found by; the collection comes with it. */
static enum envl_status
make_index(struct envl_store *store, const char *collection,
           struct envl_error *err)
{
    bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(collection),
                               "indexes", "[", "{", "key", "{", "database",
                               BCON_INT32(1), "job", BCON_INT32(1), "}",
                               "name", BCON_UTF8("by_job"), "}", "]");
    enum envl_status status = ENVL_OK;
    struct answer answer;
    enum fault fault;

    command_majority(command, store->host->statement_ms);
    if (!command_run(store, RECORD_DATABASE, command, &answer)) {
        fault = fault_of(answer.code, answer.said);
        /* Somebody with the right has made it: envelope plan --ddl. */
        if (answer.lost || (fault != FAULT_EXISTS && fault != FAULT_DENIED))
            status = fault_tell(store, &answer, "making the collections of "
                                RECORD_DATABASE, err);
    }
    command_free(&answer);
    bson_destroy(command);
    return status;
}

enum envl_status
state_setup(struct envl_store *store, struct envl_error *err)
{
    static const char *const collections[] = { RECORD_JOBS, RECORD_RANGES,
                                               RECORD_QUARANTINE };
    enum envl_status status = ENVL_OK;

    for (size_t i = 0; i < sizeof(collections) / sizeof(collections[0]) &&
                       status == ENVL_OK; i++)
        status = make_index(store, collections[i], err);
    return status;
}

/* ---- a new pass --------------------------------------------------------- */

/* Delete what ${collection} has of the job; of ranges those behind number
   ${above}. */
static enum envl_status
delete_from(struct envl_store *store, const char *collection, const char *job,
            uint32_t above, struct envl_error *err)
{
    bson_t command = BSON_INITIALIZER, list, one, query, number;
    enum envl_status status;
    struct answer answer;

    BSON_APPEND_UTF8(&command, "delete", collection);
    BSON_APPEND_ARRAY_BEGIN(&command, "deletes", &list);
    BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &one);
    BSON_APPEND_DOCUMENT_BEGIN(&one, "q", &query);
    record_of_job(store, job, &query);
    if (above > 0) {
        BSON_APPEND_DOCUMENT_BEGIN(&query, "number", &number);
        BSON_APPEND_INT32(&number, "$gt", (int32_t)above);
        bson_append_document_end(&query, &number);
    }
    bson_append_document_end(&one, &query);
    BSON_APPEND_INT32(&one, "limit", 0);
    bson_append_document_end(&list, &one);
    bson_append_array_end(&command, &list);
    command_majority(&command, store->host->statement_ms);
    status = command_ask(store, RECORD_DATABASE, &command,
                         "beginning a new pass", &answer, err);
    if (status == ENVL_OK)
        status = command_confirmed(store, &answer, "beginning a new pass",
                                   err);
    command_free(&answer);
    bson_destroy(&command);
    return status;
}

/* What was written is there: a job's record must not count ranges that some
   server only said it has. */
struct counting {
    const struct envl_record *ranges;
    uint32_t count, found;
};

static enum envl_status
count_range(void *cookie, const struct envl_record *record,
            struct envl_error *err)
{
    struct counting *counting = cookie;

    (void)err;
    if (record->number > 0 && record->number <= counting->count)
        counting->found +=
            counting->ranges[record->number - 1].epoch == record->epoch;
    return ENVL_OK;
}

static enum envl_status
check_ranges(struct envl_store *store, const struct envl_record *ranges,
             uint32_t count, struct envl_error *err)
{
    struct counting counting = { ranges, count, 0 };
    enum envl_status status;

    if (count == 0)
        return ENVL_OK;
    status = record_read(store, ranges[0].job, count_range, &counting, err);
    if (status == ENVL_OK && counting.found != count)
        status = say_fail(store->host, err, ENVL_E_DATABASE, "beginning a new "
                          "pass: the server does not hold what it said it "
                          "had written");
    return status;
}

/*
 * spec: MIG-46, without a transaction.  The ranges first, each with the name
 * of the new phase; the job's record, which names it too, behind them; those
 * that are too many go last.  Whoever finds this half done sees ranges of
 * another phase than the job's, never a range that is missing, and begins the
 * phase again.
 */
enum envl_status
state_reset(struct envl_store *store, const struct envl_record *job,
            const struct envl_record *ranges, uint32_t count,
            struct envl_error *err)
{
    enum envl_status status = record_fence(store, job, err);

    for (uint32_t i = 0; i < count && status == ENVL_OK; i++)
        status = record_replace(store, &ranges[i], err);
    if (status == ENVL_OK)
        status = check_ranges(store, ranges, count, err);
    if (status == ENVL_OK)
        status = delete_from(store, RECORD_QUARANTINE, job->job, 0, err);
    if (status == ENVL_OK)
        status = record_put(store, job, 0, err);
    if (status == ENVL_OK)
        status = delete_from(store, RECORD_RANGES, job->job, count, err);
    return status;
}

/* ---- quarantine --------------------------------------------------------- */

static enum envl_status
give(const bson_t *document, envl_quarantine_fn *each, void *cookie,
     struct envl_error *err)
{
    struct envl_quarantine item = { .target = "" };
    const char *texts[4];
    static const char *const names[] = { "target", "field", "row", "state" };
    const uint8_t *bytes;
    bson_iter_t at;
    uint32_t len;

    for (size_t i = 0; i < 4; i++) {
        texts[i] = command_text(document, names[i]);
        if (texts[i] == NULL)
            texts[i] = "";
    }
    item.target = texts[0];
    item.field = texts[1];
    item.row = texts[2];
    item.state = texts[3];
    if (bson_iter_init_find(&at, document, "key") &&
        BSON_ITER_HOLDS_BINARY(&at)) {
        bson_iter_binary(&at, NULL, &len, &bytes);
        item.key = (struct envl_bytes){ bytes, len };
    }
    if (bson_iter_init_find(&at, document, "digest") &&
        BSON_ITER_HOLDS_BINARY(&at)) {
        bson_iter_binary(&at, NULL, &len, &bytes);
        if (len == sizeof(item.digest))
            memcpy(item.digest, bytes, len);
    }
    return each(cookie, &item, err);
}

enum envl_status
state_quarantine(struct envl_store *store, const char *job, uint32_t limit,
                 envl_quarantine_fn *each, void *cookie,
                 struct envl_error *err)
{
    static const char doing[] = "reading the quarantine";
    bson_t find = BSON_INITIALIZER, part;
    enum envl_status status;
    struct answer answer;
    bson_iter_t list;
    bson_t document;

    BSON_APPEND_UTF8(&find, "find", RECORD_QUARANTINE);
    BSON_APPEND_DOCUMENT_BEGIN(&find, "filter", &part);
    record_of_job(store, job, &part);
    bson_append_document_end(&find, &part);
    BSON_APPEND_DOCUMENT_BEGIN(&find, "sort", &part);
    BSON_APPEND_INT32(&part, "target", 1);
    BSON_APPEND_INT32(&part, "field", 1);
    BSON_APPEND_INT32(&part, "since", 1);
    BSON_APPEND_INT32(&part, "_id", 1);
    bson_append_document_end(&find, &part);
    BSON_APPEND_INT32(&find, "limit", (int32_t)limit);
    BSON_APPEND_INT32(&find, "batchSize", (int32_t)limit);
    BSON_APPEND_BOOL(&find, "singleBatch", true);
    status = command_ask(store, RECORD_DATABASE, &find, doing, &answer, err);
    if (status == ENVL_OK)
        status = command_list(store, &answer, doing, &list, err);
    while (status == ENVL_OK && bson_iter_next(&list) &&
           command_document(&list, &document))
        status = give(&document, each, cookie, err);
    command_free(&answer);
    bson_destroy(&find);
    return status;
}
