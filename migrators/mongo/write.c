#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/say.h"
#include "mongo/command.h"
#include "mongo/edit.h"
#include "mongo/fault.h"
#include "mongo/key.h"
#include "mongo/read.h"
#include "mongo/write.h"

#define BULK_UPDATES 1000u
#define BULK_BYTES   (12u * 1024 * 1024)
#define SLACK        16384u /* of a command, beside its updates */

/* A document that is to be written, and what became of it. */
struct entry {
    struct edit_row edits;
    uint32_t number; /* of the row in its page */
    enum envl_outcome outcome;
    bool settled;
};

struct writing {
    struct envl_target *target; /* NULL: no write is under way */
    struct entry *entries;
    uint32_t count, cap;
    struct arena arena;         /* scratch of one update       */
};

/* entries[from .. to) as one command. */
struct bulk {
    struct writing *writing;
    uint32_t from, to;
    uint32_t sent[BULK_UPDATES]; /* entries, in the order of the updates */
    uint32_t count;
};

/* ---- what cannot be written --------------------------------------------- */

static void
settle(struct entry *entry, enum envl_outcome outcome)
{
    entry->outcome = outcome;
    entry->settled = true;
}

static void
refuse(const struct writing *writing, struct entry *entry, const char *why)
{
    settle(entry, ENVL_REFUSED);
    say_note(writing->target->store->host, ENVL_NOTE_WARN,
             writing->target->name, "documents were left alone: %s", why);
}

static const char *
why_not(enum edit_result result)
{
    switch (result) {
    case EDIT_NAMELESS:
        return "a name with a dot or a dollar, or an empty one, at the top "
               "level of a document, cannot be named in an update here";
    case EDIT_EXPOSED:
        return "the server would log the value that is compared";
    default:
        return "the place of a value cannot be written";
    }
}

/* ---- one bulk ----------------------------------------------------------- */

/* Add the update of ${entry} to ${list}, if it has room; false if it is
   full. */
static bool
add_update(struct bulk *bulk, uint32_t index, bson_t *list)
{
    struct writing *writing = bulk->writing;
    const struct server *server = &writing->target->store->server;
    struct entry *entry = &writing->entries[index];
    bson_t op = BSON_INITIALIZER;
    enum edit_result result = edit_append(&entry->edits, &writing->arena, &op);
    bool room = true;
    char name[16];

    if (result != EDIT_MADE) {
        refuse(writing, entry, why_not(result));
    } else if (op.len > server->max_document - SLACK) {
        refuse(writing, entry, "the value before and the value after do not "
               "fit into one update");
    } else if (bulk->count > 0 && list->len + op.len > BULK_BYTES) {
        room = false;
    } else {
        snprintf(name, sizeof(name), "%u", bulk->count);
        BSON_APPEND_DOCUMENT(list, name, &op);
        bulk->sent[bulk->count++] = index;
    }
    arena_clear(&writing->arena);
    bson_destroy(&op);
    return room;
}

/* Fill ${command} with as many updates as it holds; bulk->to is cut to
   them. */
static void
fill(struct bulk *bulk, bson_t *command)
{
    const struct envl_target *target = bulk->writing->target;
    uint32_t most = target->store->server.max_batch < BULK_UPDATES
                        ? target->store->server.max_batch
                        : BULK_UPDATES;
    uint32_t index = bulk->from;
    bson_t list;

    BSON_APPEND_UTF8(command, "update", target->name);
    BSON_APPEND_ARRAY_BEGIN(command, "updates", &list);
    for (; index < bulk->to && bulk->count < most; index++) {
        if (!bulk->writing->entries[index].settled &&
            !add_update(bulk, index, &list))
            break;
    }
    bson_append_array_end(command, &list);
    BSON_APPEND_BOOL(command, "ordered", false);
    command_majority(command, target->store->host->statement_ms);
    bulk->to = index;
}

/* ---- what became of it -------------------------------------------------- */

/* One update that the server did not make. */
static enum envl_status
take_error(struct bulk *bulk, const bson_t *error, uint32_t *errors,
           struct envl_error *err)
{
    struct writing *writing = bulk->writing;
    struct envl_store *store = writing->target->store;
    struct answer failed = { .ok = false };
    int64_t index = command_number(error, "index", -1);
    struct entry *entry;
    char why[96];

    failed.code = (int32_t)command_number(error, "code", 0);
    failed.said = command_text(error, "errmsg");
    if (index < 0 || index >= (int64_t)bulk->count)
        return fault_tell(store, &failed, "writing documents", err);
    entry = &writing->entries[bulk->sent[index]];
    (*errors)++;
    switch (fault_of(failed.code, failed.said)) {
    case FAULT_LOST:
        store->lost = true;
        return fault_tell(store, &failed, "writing documents", err);
    case FAULT_DENIED:
        return fault_tell(store, &failed, "writing documents", err);
    case FAULT_LOCKED:
        settle(entry, ENVL_BUSY);
        break;
    case FAULT_MOVED:
        settle(entry, ENVL_CHANGED);
        break;
    case FAULT_ROW:
        refuse(writing, entry, "the collection's validator refuses them");
        break;
    case FAULT_EXISTS:
        refuse(writing, entry, "a unique index refuses them");
        break;
    case FAULT_LARGE:
        refuse(writing, entry, "they would be too large");
        break;
    default:
        snprintf(why, sizeof(why), "the server refuses them (MongoDB code "
                 "%d)", failed.code);
        refuse(writing, entry, why);
        break;
    }
    return ENVL_OK;
}

/* A document read again: one that holds what was sent was written. */
static enum envl_status
take_again(void *cookie, const bson_t *document, struct envl_error *err)
{
    struct bulk *bulk = cookie;
    struct writing *writing = bulk->writing;
    struct arena arena = ARENA_INIT;
    struct envl_bytes now;
    bson_iter_t id;

    (void)err;
    if (!bson_iter_init_find(&id, document, "_id") ||
        key_encode(&id, &arena, &now) != ENVL_OK) {
        arena_free(&arena);
        return ENVL_OK;
    }
    for (uint32_t i = 0; i < bulk->count; i++) {
        struct entry *entry = &writing->entries[bulk->sent[i]];
        struct envl_bytes its = entry->edits.row->key;

        if (entry->settled || its.len != now.len ||
            memcmp(its.ptr, now.ptr, now.len) != 0)
            continue;
        settle(entry, edit_holds(&entry->edits, &arena, document)
                          ? ENVL_WRITTEN
                          : ENVL_CHANGED);
    }
    arena_free(&arena);
    return ENVL_OK;
}

static enum envl_status
read_again(struct bulk *bulk, struct envl_error *err)
{
    struct writing *writing = bulk->writing;
    struct envl_bytes *keys = calloc(bulk->count, sizeof(*keys));
    enum envl_status status;
    uint32_t count = 0;

    if (keys == NULL)
        return store_nomem(writing->target->store, err);
    for (uint32_t i = 0; i < bulk->count; i++) {
        const struct entry *entry = &writing->entries[bulk->sent[i]];

        if (!entry->settled)
            keys[count++] = entry->edits.row->key;
    }
    status = read_documents(writing->target, keys, count, take_again, bulk,
                            err);
    free(keys);
    for (uint32_t i = 0; status == ENVL_OK && i < bulk->count; i++) {
        struct entry *entry = &writing->entries[bulk->sent[i]];

        if (!entry->settled)
            settle(entry, ENVL_GONE);
    }
    return status;
}

static enum envl_status
take_answer(struct bulk *bulk, const struct answer *answer,
            struct envl_error *err)
{
    struct writing *writing = bulk->writing;
    enum envl_status status = ENVL_OK;
    bson_iter_t at, list;
    uint32_t errors = 0;
    bson_t error;

    if (bson_iter_init_find(&at, &answer->reply, "writeErrors") &&
        BSON_ITER_HOLDS_ARRAY(&at) && bson_iter_recurse(&at, &list)) {
        while (status == ENVL_OK && bson_iter_next(&list) &&
               command_document(&list, &error))
            status = take_error(bulk, &error, &errors, err);
    }
    if (status == ENVL_OK)
        status = command_confirmed(writing->target->store, answer,
                                   "writing documents", err);
    if (status != ENVL_OK)
        return status;
    if (errors > 0 || command_number(&answer->reply, "n", -1) !=
                          (int64_t)bulk->count)
        return read_again(bulk, err);
    for (uint32_t i = 0; i < bulk->count; i++)
        settle(&writing->entries[bulk->sent[i]], ENVL_WRITTEN);
    return ENVL_OK;
}

/* ---- sending ------------------------------------------------------------ */

/* A command that is refused as a whole is tried again update by update: one
   of them is at fault, or none was made. */
static enum envl_status
take_refusal(struct bulk *bulk, const struct answer *answer,
             struct envl_error *err)
{
    struct writing *writing = bulk->writing;
    enum fault fault = fault_of(answer->code, answer->said);
    bson_t error = BSON_INITIALIZER;
    enum envl_status status;
    uint32_t errors = 0;

    if (answer->lost || fault == FAULT_LOST || fault == FAULT_DENIED ||
        fault == FAULT_LOCKED || bulk->count != 1)
        return fault_tell(writing->target->store, answer, "writing documents",
                          err);
    BSON_APPEND_INT32(&error, "index", 0);
    BSON_APPEND_INT32(&error, "code", answer->code);
    if (answer->said != NULL)
        BSON_APPEND_UTF8(&error, "errmsg", answer->said);
    status = take_error(bulk, &error, &errors, err);
    bson_destroy(&error);
    return status;
}

static bool
worth_parting(const struct answer *answer)
{
    enum fault fault = fault_of(answer->code, answer->said);

    return !answer->lost && fault != FAULT_LOST && fault != FAULT_DENIED &&
           fault != FAULT_LOCKED;
}

static enum envl_status write_some(struct writing *writing, uint32_t from,
                                   uint32_t to, struct envl_error *err);

static enum envl_status
send_bulk(struct bulk *bulk, const bson_t *command, struct envl_error *err)
{
    struct writing *writing = bulk->writing;
    struct envl_store *store = writing->target->store;
    uint32_t middle = bulk->from + (bulk->to - bulk->from) / 2;
    enum envl_status status;
    struct answer answer;

    if (command_run(store, store->database, command, &answer)) {
        status = take_answer(bulk, &answer, err);
    } else if (bulk->count > 1 && worth_parting(&answer)) {
        status = write_some(writing, bulk->from, middle, err);
        if (status == ENVL_OK)
            status = write_some(writing, middle, bulk->to, err);
    } else {
        status = take_refusal(bulk, &answer, err);
    }
    command_free(&answer);
    return status;
}

static enum envl_status
write_some(struct writing *writing, uint32_t from, uint32_t to,
           struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    struct bulk *bulk = malloc(sizeof(*bulk));

    if (bulk == NULL)
        return store_nomem(writing->target->store, err);
    while (status == ENVL_OK && from < to) {
        bson_t command = BSON_INITIALIZER;

        *bulk = (struct bulk){ .writing = writing, .from = from, .to = to };
        fill(bulk, &command);
        from = bulk->to;
        if (bulk->count > 0)
            status = send_bulk(bulk, &command, err);
        bson_destroy(&command);
    }
    free(bulk);
    return status;
}

/* ---- the whole ---------------------------------------------------------- */

static enum envl_status
add_entry(struct writing *writing, const struct page *page,
          const struct envl_edit *edits, uint32_t count,
          struct envl_error *err)
{
    const struct row_detail *detail;
    uint32_t row = edits[0].row;

    if (row >= page->pub.count)
        return say_fail(writing->target->store->host, err, ENVL_E_USAGE,
                        "an edit of a row that is not in the page");
    if (writing->count == writing->cap) {
        uint32_t cap = writing->cap == 0 ? 256 : writing->cap * 2;
        struct entry *more = realloc(writing->entries, cap * sizeof(*more));

        if (more == NULL)
            return store_nomem(writing->target->store, err);
        writing->entries = more;
        writing->cap = cap;
    }
    detail = page->details[row];
    writing->entries[writing->count++] = (struct entry){
        .edits = { writing->target, &page->pub.rows[row], detail->document,
                   edits, count },
        .number = row,
        .outcome = ENVL_CHANGED,
    };
    return ENVL_OK;
}

enum envl_status
write_begin(struct envl_target *target, const struct envl_page *page,
            const struct envl_edit *edits, uint32_t count,
            struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct writing *writing = store->writing;
    enum envl_status status = ENVL_OK;

    if (writing == NULL &&
        (store->writing = writing = calloc(1, sizeof(*writing))) == NULL)
        return store_nomem(store, err);
    if (writing->target != NULL)
        return say_fail(store->host, err, ENVL_E_USAGE,
                        "a write is under way already");
    writing->target = target;
    writing->count = 0;
    for (uint32_t from = 0, to; status == ENVL_OK && from < count; from = to) {
        for (to = from + 1; to < count && edits[to].row == edits[from].row;)
            to++;
        status = add_entry(writing, (const struct page *)page, edits + from,
                           to - from, err);
    }
    if (status == ENVL_OK)
        status = write_some(writing, 0, writing->count, err);
    if (status != ENVL_OK)
        write_abandon(store);
    return status;
}

enum envl_status
write_end(struct envl_target *target, enum envl_outcome *outcomes,
          struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct writing *writing = store->writing;

    if (writing == NULL || writing->target != target)
        return say_fail(store->host, err, ENVL_E_USAGE,
                        "no write is under way");
    for (uint32_t i = 0; i < writing->count; i++)
        outcomes[writing->entries[i].number] = writing->entries[i].outcome;
    write_abandon(store);
    return ENVL_OK;
}

void
write_abandon(struct envl_store *store)
{
    if (store->writing == NULL)
        return;
    store->writing->target = NULL;
    store->writing->count = 0;
}

void
write_free(struct envl_store *store)
{
    if (store->writing == NULL)
        return;
    arena_free(&store->writing->arena);
    free(store->writing->entries);
    free(store->writing);
    store->writing = NULL;
}
