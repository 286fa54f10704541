#include <stdio.h>
#include <string.h>

#include "common/say.h"
#include "mongo/command.h"
#include "mongo/preflight.h"

#define LAG_MS       10000 /* more than so much is worth a word        */
#define WINDOW_HOURS 24    /* less than so much is worth another       */

/* ---- indexes ------------------------------------------------------------ */

/* Whether a key of an index touches the field: the same path, or one above
   or below it, with arrays and wildcards left out as an index leaves them. */
static bool
touches(const char *key, const struct envl_field_spec *field)
{
    size_t at = 0, len = strlen(key);

    for (uint32_t i = 0; i < field->path.count; i++) {
        const struct envl_segment *segment = &field->path.segments[i];

        if (segment->kind == ENVL_SEGMENT_ANY_ELEMENT)
            continue;
        if (at >= len)
            return true; /* an index on what the field lies in */
        if (segment->kind == ENVL_SEGMENT_ANY_MEMBER) {
            at += strcspn(key + at, ".");
        } else {
            if (strncmp(key + at, (const char *)segment->name.ptr,
                        segment->name.len) != 0)
                return false;
            at += segment->name.len;
            if (key[at] != '.' && key[at] != '\0')
                return false;
        }
        at += key[at] == '.';
    }
    return true;
}

static bool
index_touches(const struct envl_target *target, const bson_t *key)
{
    bson_iter_t at;

    if (!bson_iter_init(&at, key))
        return false;
    while (bson_iter_next(&at)) {
        const char *name = bson_iter_key(&at);

        if (strcmp(name, "_fts") == 0 || strstr(name, "$**") != NULL)
            return true;
        for (uint32_t i = 0; i < target->spec->field_count; i++) {
            if (touches(name, &target->spec->fields[i]))
                return true;
        }
    }
    return false;
}

static void
note_index(const struct envl_target *target, const bson_t *index)
{
    const struct envl_host *host = target->store->host;
    const char *name = command_text(index, "name");
    bson_iter_t at;
    bson_t key;

    if (name == NULL)
        name = "?";
    if (bson_has_field(index, "expireAfterSeconds"))
        say_note(host, ENVL_NOTE_INFO, target->name, "TTL index %s: documents "
                 "that expire during the sweep count as gone", name);
    if (!bson_iter_init_find(&at, index, "key") ||
        !command_document(&at, &key) || !index_touches(target, &key))
        return;
    if (command_number(index, "unique", 0) != 0)
        say_note(host, ENVL_NOTE_DECIDE, target->name, "unique index %s: "
                 "equal values get different envelopes, so it stops finding "
                 "duplicates", name);
    else
        say_note(host, ENVL_NOTE_WARN, target->name, "index %s: it finds no "
                 "value any more; its entries hold the old values until the "
                 "documents are written", name);
}

static void
note_indexes(struct envl_target *target)
{
    struct envl_store *store = target->store;
    bson_t *command = BCON_NEW("listIndexes", BCON_UTF8(target->name));
    struct answer answer;
    bson_iter_t list;
    bson_t index;

    if (command_run(store, store->database, command, &answer) &&
        command_batch(&answer, &list)) {
        while (bson_iter_next(&list)) {
            if (command_document(&list, &index))
                note_index(target, &index);
        }
    }
    command_free(&answer);
    bson_destroy(command);
}

/* ---- the set ------------------------------------------------------------ */

/* The time of a member's last operation, in ms; 0 if it does not say. */
static int64_t
optime_of(const bson_t *member)
{
    bson_iter_t at;

    if (bson_iter_init_find(&at, member, "optimeDate") &&
        BSON_ITER_HOLDS_DATE_TIME(&at))
        return bson_iter_date_time(&at);
    return 0;
}

static void
note_lag(struct envl_target *target, const bson_t *status)
{
    int64_t newest = 0, oldest = INT64_MAX;
    bson_iter_t at, list;
    bson_t member;

    if (!bson_iter_init_find(&at, status, "members") ||
        !BSON_ITER_HOLDS_ARRAY(&at) || !bson_iter_recurse(&at, &list))
        return;
    while (bson_iter_next(&list) && command_document(&list, &member)) {
        int64_t state = command_number(&member, "state", 0);
        int64_t optime = optime_of(&member);

        if (command_number(&member, "health", 1) == 0)
            say_note(target->store->host, ENVL_NOTE_WARN, NULL, "a member of "
                     "the set cannot be reached: writes wait for the majority "
                     "of all members");
        if ((state != 1 && state != 2) || optime == 0)
            continue;
        newest = optime > newest ? optime : newest;
        oldest = optime < oldest ? optime : oldest;
    }
    if (newest > 0 && newest - oldest > LAG_MS)
        say_note(target->store->host, ENVL_NOTE_WARN, NULL, "a secondary is "
                 "%lld s behind: every batch waits for the majority",
                 (long long)(newest - oldest) / 1000);
}

/* Seconds since 1970 of the first (1) or last (-1) entry of the oplog. */
static uint32_t
oplog_end(struct envl_store *store, int way)
{
    bson_t *find = BCON_NEW("find", "oplog.rs", "sort", "{", "$natural",
                            BCON_INT32(way), "}", "projection", "{", "ts",
                            BCON_INT32(1), "}", "limit", BCON_INT32(1),
                            "singleBatch", BCON_BOOL(true), "maxTimeMS",
                            BCON_INT32((int32_t)store->host->statement_ms));
    uint32_t seconds = 0, increment;
    struct answer answer;
    bson_iter_t list, at;
    bson_t entry;

    if (command_run(store, "local", find, &answer) &&
        command_batch(&answer, &list) && bson_iter_next(&list) &&
        command_document(&list, &entry) &&
        bson_iter_init_find(&at, &entry, "ts") &&
        BSON_ITER_HOLDS_TIMESTAMP(&at))
        bson_iter_timestamp(&at, &seconds, &increment);
    command_free(&answer);
    bson_destroy(find);
    return seconds;
}

static void
note_oplog(struct envl_target *target)
{
    struct envl_store *store = target->store;
    uint32_t first = oplog_end(store, 1);
    uint32_t last = first == 0 ? 0 : oplog_end(store, -1);

    if (last <= first)
        return;
    say_note(store->host, (last - first) / 3600 < WINDOW_HOURS
                              ? ENVL_NOTE_WARN
                              : ENVL_NOTE_INFO,
             NULL, "the oplog reaches back %u h: a sweep that writes faster "
             "than that much in it leaves slow members behind; values that "
             "were inserted in that time still stand in it",
             (last - first) / 3600);
}

static void
note_set(struct envl_target *target)
{
    struct envl_store *store = target->store;
    bson_t *command;
    struct answer answer;

    if (store->server.set[0] == '\0')
        return;
    command = BCON_NEW("replSetGetStatus", BCON_INT32(1));
    if (command_run(store, "admin", command, &answer))
        note_lag(target, &answer.reply);
    command_free(&answer);
    bson_destroy(command);
    note_oplog(target);
}

static void
note_abilities(const struct envl_target *target)
{
    const struct server *server = &target->store->server;

    if (!server->probed)
        say_note(target->store->host, ENVL_NOTE_INFO, target->name,
                 "no documents: what the server can do with them is not "
                 "known");
    else if (!server->bounds)
        say_note(target->store->host, ENVL_NOTE_INFO, target->name, "the "
                 "server does not bound a search by its index (min, max): "
                 "pages are asked for type by type");
    if (!server->coll_mod)
        say_note(target->store->host, ENVL_NOTE_INFO, NULL, "the server has "
                 "no collMod: envelope guard cannot keep plaintext out");
}

enum envl_status
preflight_say(struct envl_target *target, struct envl_error *err)
{
    note_indexes(target);
    note_set(target);
    note_abilities(target);
    if (target->store->lost)
        return say_fail(target->store->host, err, ENVL_E_DATABASE,
                        "looking at the collection: the connection was lost");
    return ENVL_OK;
}
