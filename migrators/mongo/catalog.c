#include <string.h>

#include "common/say.h"
#include "mongo/catalog.h"
#include "mongo/command.h"
#include "mongo/fault.h"
#include "mongo/guard_note.h"

/* ---- kinds of collections ----------------------------------------------- */

static enum envl_status
refuse(const struct envl_target *target, const char *why, const char *hint,
       struct envl_error *err)
{
    say_fail(target->store->host, err, ENVL_E_USAGE, "%s %s", target->name,
             why);
    say_hint(target->store->host, err, "%s", hint);
    return ENVL_E_USAGE;
}

static enum envl_status
check_kind(const struct envl_target *target, const bson_t *entry,
           const bson_t *options, struct envl_error *err)
{
    const char *type = command_text(entry, "type");

    if ((type != NULL && strcmp(type, "view") == 0) ||
        bson_has_field(options, "viewOn"))
        return refuse(target, "is a view: it holds no documents",
                      "name the collection that it shows", err);
    if ((type != NULL && strcmp(type, "timeseries") == 0) ||
        bson_has_field(options, "timeseries"))
        return refuse(target, "is a time series: its measurements cannot be "
                      "changed one by one", "seal the values before they are "
                      "inserted, and let the old ones expire", err);
    if (command_number(options, "capped", 0) != 0)
        return refuse(target, "is capped: a document in it cannot grow",
                      "copy it into a collection that is not capped, and "
                      "sweep that", err);
    if (bson_has_field(options, "encryptedFields"))
        return refuse(target, "has fields of Queryable Encryption: the "
                      "server refuses other writes to them", "sweep the "
                      "application's other collections", err);
    return ENVL_OK;
}

static void
note_options(struct envl_target *target, const bson_t *options)
{
    const struct envl_host *host = target->store->host;
    const char *locale = NULL;
    bson_t collation, images, validator;
    bson_iter_t at;

    if (bson_iter_init_find(&at, options, "collation") &&
        command_document(&at, &collation))
        locale = command_text(&collation, "locale");
    target->collated = locale != NULL && strcmp(locale, "simple") != 0;
    if (target->collated)
        say_note(host, ENVL_NOTE_WARN, target->name, "its collation is %s: "
                 "values are compared byte by byte all the same; documents "
                 "whose _id is a string are found without the index then, so "
                 "that their updates are slow", locale);
    if (bson_iter_init_find(&at, options, "changeStreamPreAndPostImages") &&
        command_document(&at, &images) &&
        command_number(&images, "enabled", 0) != 0)
        say_note(host, ENVL_NOTE_DECIDE, target->name, "pre-images are on: "
                 "config.system.preimages keeps every value that is sealed "
                 "until it expires; db.runCommand({collMod: \"%s\", "
                 "changeStreamPreAndPostImages: {enabled: false}}) for the "
                 "sweep", target->name);
    /* An envelope passes the rules of our own guards. */
    if (bson_iter_init_find(&at, options, "validator") &&
        command_document(&at, &validator) && !bson_empty(&validator) &&
        !guard_note_ours(target))
        say_note(host, ENVL_NOTE_DECIDE, target->name, "a validator: sealed "
                 "documents have to pass it, or they are refused and "
                 "quarantined");
}

/* ---- asking ------------------------------------------------------------- */

static enum envl_status
not_there(const struct envl_target *target, struct envl_error *err)
{
    say_fail(target->store->host, err, ENVL_E_NOTFOUND,
             "there is no collection %s in the database %s", target->name,
             target->store->database);
    say_hint(target->store->host, err, "names are spelled exactly; envelope "
             "scan lists what is there");
    return ENVL_E_NOTFOUND;
}

static enum envl_status
take_entry(struct envl_target *target, const struct answer *answer,
           struct envl_error *err)
{
    bson_t entry, options = BSON_INITIALIZER;
    enum envl_status status;
    bson_iter_t list, at;
    const char *name;

    status = command_list(target->store, answer, "looking for the collection",
                          &list, err);
    if (status != ENVL_OK)
        return status;
    while (bson_iter_next(&list)) {
        if (!command_document(&list, &entry))
            continue;
        name = command_text(&entry, "name");
        if (name == NULL || strcmp(name, target->name) != 0)
            continue;
        if (bson_iter_init_find(&at, &entry, "options"))
            command_document(&at, &options);
        status = check_kind(target, &entry, &options, err);
        if (status == ENVL_OK)
            note_options(target, &options);
        return status;
    }
    return not_there(target, err);
}

/* The shard key, where config can be read; without it mongos asks all. */
static void
find_shard_key(struct envl_target *target)
{
    struct envl_store *store = target->store;
    bson_t *find;
    char *namespace = bson_strdup_printf("%s.%s", store->database,
                                         target->name);
    struct answer answer;
    bson_iter_t list, at;
    bson_t entry, key;

    find = BCON_NEW("find", "collections", "filter", "{", "_id",
                    BCON_UTF8(namespace), "}", "limit", BCON_INT32(1),
                    "singleBatch", BCON_BOOL(true));
    if (command_run(store, "config", find, &answer) &&
        command_batch(&answer, &list) && bson_iter_next(&list) &&
        command_document(&list, &entry) &&
        bson_iter_init_find(&at, &entry, "key") &&
        command_document(&at, &key) && bson_iter_init(&at, &key)) {
        while (bson_iter_next(&at) &&
               target->shard_key_count < TARGET_SHARD_KEYS) {
            if (strcmp(bson_iter_key(&at), "_id") != 0)
                target->shard_keys[target->shard_key_count++] =
                    strdup(bson_iter_key(&at));
        }
    }
    command_free(&answer);
    bson_destroy(find);
    bson_free(namespace);
}

enum envl_status
catalog_load(struct envl_target *target, struct envl_error *err)
{
    struct envl_store *store = target->store;
    bson_t *command = BCON_NEW("listCollections", BCON_INT32(1), "filter",
                               "{", "name", BCON_UTF8(target->name), "}");
    enum envl_status status;
    struct answer answer;

    if (command_run(store, store->database, command, &answer)) {
        status = take_entry(target, &answer, err);
    } else if (!answer.lost &&
               fault_of(answer.code, answer.said) == FAULT_DENIED) {
        say_note(store->host, ENVL_NOTE_GRANT, target->name, "listCollections "
                 "on the database %s, so that views, capped collections and "
                 "validators are seen", store->database);
        status = ENVL_OK;
    } else {
        status = fault_tell(store, &answer, "looking for the collection",
                            err);
    }
    command_free(&answer);
    bson_destroy(command);
    if (status == ENVL_OK && store->server.mongos)
        find_shard_key(target);
    return status;
}
