#include "common/say.h"
#include "mongo/command.h"
#include "mongo/fault.h"

/* An answer of the server says "ok", whatever libmongoc makes of it. */
static void
take_answer(struct answer *answer)
{
    int64_t ok = command_number(&answer->reply, "ok", -1);
    const char *said = command_text(&answer->reply, "errmsg");

    answer->lost = ok < 0;
    answer->ok = ok > 0;
    if (answer->lost || answer->ok)
        return;
    answer->code = (int32_t)command_number(&answer->reply, "code", 0);
    answer->said = said != NULL ? said
                                : command_text(&answer->reply, "$err");
}

bool
command_run(struct envl_store *store, const char *database,
            const bson_t *command, struct answer *answer)
{
    *answer = (struct answer){ .lost = true };
    if (store->lost) {
        bson_init(&answer->reply);
        return false;
    }
    (void)mongoc_client_command_simple(store->client, database, command, NULL,
                                       &answer->reply, &answer->error);
    take_answer(answer);
    /* A server that is no primary any more has to be found again. */
    if (answer->lost ||
        (!answer->ok && fault_of(answer->code, answer->said) == FAULT_LOST))
        store->lost = true;
    return answer->ok;
}

enum envl_status
command_ask(struct envl_store *store, const char *database,
            const bson_t *command, const char *doing, struct answer *answer,
            struct envl_error *err)
{
    if (command_run(store, database, command, answer))
        return ENVL_OK;
    return fault_tell(store, answer, doing, err);
}

bool
command_can(struct envl_store *store, const char *database,
            const bson_t *command)
{
    struct answer answer;
    bool can = command_run(store, database, command, &answer) ||
               (!answer.lost &&
                fault_of(answer.code, answer.said) != FAULT_MISSING);

    command_free(&answer);
    return can;
}

void
command_free(struct answer *answer)
{
    bson_destroy(&answer->reply);
    *answer = (struct answer){ .ok = false };
}

static enum envl_status
malformed(const struct envl_store *store, const char *doing,
          struct envl_error *err)
{
    return say_fail(store->host, err, ENVL_E_DATABASE, "%s: the server's "
                    "answer is not one to this command", doing);
}

bool
command_batch(const struct answer *answer, bson_iter_t *out)
{
    bson_iter_t at, batch;

    return bson_iter_init(&at, &answer->reply) &&
           bson_iter_find_descendant(&at, "cursor.firstBatch", &batch) &&
           BSON_ITER_HOLDS_ARRAY(&batch) && bson_iter_recurse(&batch, out);
}

enum envl_status
command_list(const struct envl_store *store, const struct answer *answer,
             const char *doing, bson_iter_t *out, struct envl_error *err)
{
    if (command_batch(answer, out))
        return ENVL_OK;
    return malformed(store, doing, err);
}

bool
command_document(const bson_iter_t *at, bson_t *out)
{
    const uint8_t *bytes = NULL;
    uint32_t len = 0;

    if (BSON_ITER_HOLDS_DOCUMENT(at))
        bson_iter_document(at, &len, &bytes);
    else if (BSON_ITER_HOLDS_ARRAY(at))
        bson_iter_array(at, &len, &bytes);
    return bytes != NULL && bson_init_static(out, bytes, len);
}

int64_t
command_number(const bson_t *document, const char *name, int64_t otherwise)
{
    bson_iter_t at;

    if (!bson_iter_init_find(&at, document, name) ||
        !(BSON_ITER_HOLDS_NUMBER(&at) || BSON_ITER_HOLDS_BOOL(&at)))
        return otherwise;
    return bson_iter_as_int64(&at);
}

const char *
command_text(const bson_t *document, const char *name)
{
    bson_iter_t at;

    if (!bson_iter_init_find(&at, document, name) ||
        !BSON_ITER_HOLDS_UTF8(&at))
        return NULL;
    return bson_iter_utf8(&at, NULL);
}

void
command_majority(bson_t *command, uint32_t wtimeout_ms)
{
    bson_t concern;

    BSON_APPEND_DOCUMENT_BEGIN(command, "writeConcern", &concern);
    BSON_APPEND_UTF8(&concern, "w", "majority");
    BSON_APPEND_INT32(&concern, "wtimeout", (int32_t)wtimeout_ms);
    bson_append_document_end(command, &concern);
}

/* ---- what became of a write --------------------------------------------- */

enum envl_status
command_confirmed(struct envl_store *store, const struct answer *answer,
                  const char *doing, struct envl_error *err)
{
    struct answer failed = { .ok = false };
    bson_t concern;
    bson_iter_t at;

    if (!bson_iter_init_find(&at, &answer->reply, "writeConcernError") ||
        !command_document(&at, &concern))
        return ENVL_OK;
    failed.code = (int32_t)command_number(&concern, "code", 64);
    failed.said = command_text(&concern, "errmsg");
    if (fault_of(failed.code, failed.said) == FAULT_LOST)
        store->lost = true;
    return fault_tell(store, &failed, doing, err);
}

enum envl_status
command_inserted(struct envl_store *store, const struct answer *answer,
                 bool *made, struct envl_error *err)
{
    static const char doing[] = "writing the state of the job";
    struct answer failed = { .ok = false };
    bson_iter_t at, list;
    bson_t error;

    if (made != NULL)
        *made = true;
    if (command_number(&answer->reply, "n", -1) < 0)
        return malformed(store, doing, err);
    if (bson_iter_init_find(&at, &answer->reply, "writeErrors") &&
        BSON_ITER_HOLDS_ARRAY(&at) && bson_iter_recurse(&at, &list)) {
        while (bson_iter_next(&list) && command_document(&list, &error)) {
            failed.code = (int32_t)command_number(&error, "code", 0);
            failed.said = command_text(&error, "errmsg");
            if (fault_of(failed.code, failed.said) != FAULT_EXISTS)
                return fault_tell(store, &failed, doing, err);
            if (made != NULL)
                *made = false;
        }
    }
    return command_confirmed(store, answer, doing, err);
}
