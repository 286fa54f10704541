#include <stdio.h>
#include <string.h>

#include "common/say.h"
#include "mongo/command.h"
#include "mongo/guard_note.h"
#include "mongo/record.h"

#define GUARDS "guard" /* in envelope_admin */

/* ---- the note ----------------------------------------------------------- */

/*
 * {_id: {database, collection}, before: {validator, level, action},
 *  guards: [{job, asked, since, rule}]}
 */
static void
append_id(const struct envl_target *target, bson_t *out)
{
    bson_t id;

    BSON_APPEND_DOCUMENT_BEGIN(out, "_id", &id);
    BSON_APPEND_UTF8(&id, "database", target->store->database);
    BSON_APPEND_UTF8(&id, "collection", target->name);
    bson_append_document_end(out, &id);
}

enum envl_status
guard_note_read(const struct envl_target *target, struct guard_note *out,
                struct envl_error *err)
{
    bson_t find = BSON_INITIALIZER, filter;
    enum envl_status status;
    struct answer answer;
    bson_iter_t list;
    bson_t found;

    bson_init(&out->document);
    BSON_APPEND_UTF8(&find, "find", GUARDS);
    BSON_APPEND_DOCUMENT_BEGIN(&find, "filter", &filter);
    append_id(target, &filter);
    bson_append_document_end(&find, &filter);
    BSON_APPEND_INT32(&find, "limit", 1);
    BSON_APPEND_BOOL(&find, "singleBatch", true);
    status = command_ask(target->store, RECORD_DATABASE, &find,
                         "reading the guard", &answer, err);
    if (status == ENVL_OK && !command_batch(&answer, &list))
        status = guard_schema_strange(target, err);
    else if (status == ENVL_OK && bson_iter_next(&list) &&
             command_document(&list, &found))
        bson_concat(&out->document, &found);
    command_free(&answer);
    bson_destroy(&find);
    return status;
}

enum envl_status
guard_note_write(const struct envl_target *target,
                 const struct guard_note *note, struct envl_error *err)
{
    bool gone = bson_empty(&note->document);
    bson_t command = BSON_INITIALIZER, list, one, query;
    enum envl_status status;
    struct answer answer;

    BSON_APPEND_UTF8(&command, gone ? "delete" : "update", GUARDS);
    bson_append_array_begin(&command, gone ? "deletes" : "updates", -1, &list);
    BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &one);
    BSON_APPEND_DOCUMENT_BEGIN(&one, "q", &query);
    append_id(target, &query);
    bson_append_document_end(&one, &query);
    if (gone) {
        BSON_APPEND_INT32(&one, "limit", 1);
    } else {
        BSON_APPEND_DOCUMENT(&one, "u", &note->document);
        BSON_APPEND_BOOL(&one, "upsert", true);
    }
    bson_append_document_end(&list, &one);
    bson_append_array_end(&command, &list);
    command_majority(&command, target->store->host->statement_ms);
    status = command_ask(target->store, RECORD_DATABASE, &command,
                         "writing down the guard", &answer, err);
    if (status == ENVL_OK && (bson_has_field(&answer.reply, "writeErrors") ||
                              !bson_has_field(&answer.reply, "n")))
        status = say_fail(target->store->host, err, ENVL_E_DATABASE,
                          "%s: the guard could not be written down",
                          target->name);
    if (status == ENVL_OK)
        status = command_confirmed(target->store, &answer,
                                   "writing down the guard", err);
    command_free(&answer);
    bson_destroy(&command);
    return status;
}

void
guard_note_free(struct guard_note *note)
{
    bson_destroy(&note->document);
}

static bool
guards_of(const struct guard_note *note, bson_iter_t *out)
{
    bson_iter_t at;

    return bson_iter_init_find(&at, &note->document, "guards") &&
           BSON_ITER_HOLDS_ARRAY(&at) && bson_iter_recurse(&at, out);
}

static void
take_guard(const bson_t *guard, struct guard_entry *out)
{
    bson_iter_t at;

    out->there = bson_iter_init_find(&at, guard, "rule") &&
                 command_document(&at, &out->rule);
    out->asked = (enum envl_guard_stage)command_number(guard, "asked", 0);
    if (out->asked > ENVL_GUARD_STRICT)
        out->asked = ENVL_GUARD_STRICT;
    out->since_ms = 0;
    if (bson_iter_init_find(&at, guard, "since") &&
        BSON_ITER_HOLDS_DATE_TIME(&at))
        out->since_ms = bson_iter_date_time(&at);
}

void
guard_note_entry(const struct guard_note *note, const char *job,
                 struct guard_entry *out)
{
    bson_iter_t list;
    bson_t guard;

    *out = (struct guard_entry){ .there = false };
    if (!guards_of(note, &list))
        return;
    while (bson_iter_next(&list)) {
        const char *name;

        if (!command_document(&list, &guard))
            continue;
        name = command_text(&guard, "job");
        if (name != NULL && strcmp(name, job) == 0)
            take_guard(&guard, out);
    }
}

void
guard_note_own(const struct guard_note *note, struct guard_schema *out)
{
    const char *level, *action;
    bson_t before, validator;
    bson_iter_t at;

    guard_schema_init(out);
    if (!bson_iter_init_find(&at, &note->document, "before") ||
        !command_document(&at, &before))
        return;
    if (bson_iter_init_find(&at, &before, "validator") &&
        command_document(&at, &validator))
        bson_concat(&out->validator, &validator);
    level = command_text(&before, "level");
    action = command_text(&before, "action");
    if (level != NULL)
        snprintf(out->level, sizeof(out->level), "%s", level);
    if (action != NULL)
        snprintf(out->action, sizeof(out->action), "%s", action);
}

static void
append_guard(bson_t *list, uint32_t n, const char *job,
             const struct guard_entry *entry)
{
    char key[16];
    bson_t one;

    snprintf(key, sizeof(key), "%u", n);
    bson_append_document_begin(list, key, -1, &one);
    BSON_APPEND_UTF8(&one, "job", job);
    BSON_APPEND_INT32(&one, "asked", (int32_t)entry->asked);
    BSON_APPEND_DATE_TIME(&one, "since", entry->since_ms);
    BSON_APPEND_DOCUMENT(&one, "rule", &entry->rule);
    bson_append_document_end(list, &one);
}

void
guard_note_with(const struct guard_note *note, const struct guard_schema *own,
                const char *job, const struct guard_entry *entry,
                struct guard_note *out)
{
    bson_t list, before, guard;
    bson_iter_t at;
    uint32_t n = 0;

    bson_init(&out->document);
    BSON_APPEND_DOCUMENT_BEGIN(&out->document, "before", &before);
    BSON_APPEND_DOCUMENT(&before, "validator", &own->validator);
    BSON_APPEND_UTF8(&before, "level", own->level);
    BSON_APPEND_UTF8(&before, "action", own->action);
    bson_append_document_end(&out->document, &before);
    BSON_APPEND_ARRAY_BEGIN(&out->document, "guards", &list);
    if (guards_of(note, &at)) {
        while (bson_iter_next(&at)) {
            struct guard_entry other;
            const char *name;

            if (!command_document(&at, &guard))
                continue;
            name = command_text(&guard, "job");
            take_guard(&guard, &other);
            if (name != NULL && other.there && strcmp(name, job) != 0)
                append_guard(&list, n++, name, &other);
        }
    }
    if (entry->asked != ENVL_GUARD_OFF)
        append_guard(&list, n++, job, entry);
    bson_append_array_end(&out->document, &list);
    if (n == 0)
        bson_reinit(&out->document);
}

/* ---- both together ------------------------------------------------------ */

static bool
is_rule_of(const struct guard_note *note, const bson_t *filter)
{
    bson_iter_t list;
    bson_t guard;

    if (!guards_of(note, &list))
        return false;
    while (bson_iter_next(&list)) {
        struct guard_entry entry;

        if (command_document(&list, &guard)) {
            take_guard(&guard, &entry);
            if (entry.there && bson_equal(&entry.rule, filter))
                return true;
        }
    }
    return false;
}

static void
add(bson_t *list, uint32_t *n, const bson_t *filter)
{
    char key[16];

    snprintf(key, sizeof(key), "%u", (*n)++);
    bson_append_document(list, key, -1, filter);
}

/* What of ${now} is neither a guard's nor the application's of before. */
static void
add_others(const struct guard_note *before, const struct guard_schema *own,
           const struct guard_schema *now, bson_t *list, uint32_t *n)
{
    bson_iter_t at;
    bson_t one;

    if (!guard_schema_list(&now->validator, &at))
        return;
    while (bson_iter_next(&at)) {
        if (command_document(&at, &one) && !is_rule_of(before, &one) &&
            !bson_equal(&one, &own->validator))
            add(list, n, &one);
    }
}

bool
guard_note_stands(const struct guard_note *note,
                  const struct guard_schema *schema)
{
    bson_iter_t at;
    bson_t one;

    if (!guard_schema_list(&schema->validator, &at))
        return false;
    while (bson_iter_next(&at)) {
        if (command_document(&at, &one) && is_rule_of(note, &one))
            return true;
    }
    return false;
}

void
guard_note_schema(const struct guard_note *before,
                  const struct guard_note *note,
                  const struct guard_schema *own,
                  const struct guard_schema *now, struct guard_schema *out)
{
    bool strict = true, any = false, ours = guard_note_stands(before, now);
    bson_t list = BSON_INITIALIZER, guard;
    bson_iter_t at;
    uint32_t n = 0;

    guard_schema_init(out);
    if (!bson_empty(&own->validator))
        add(&list, &n, &own->validator);
    if (ours)
        add_others(before, own, now, &list, &n);
    if (guards_of(note, &at)) {
        while (bson_iter_next(&at)) {
            struct guard_entry entry;

            if (!command_document(&at, &guard))
                continue;
            take_guard(&guard, &entry);
            if (!entry.there)
                continue;
            any = true;
            strict &= entry.asked == ENVL_GUARD_STRICT;
            add(&list, &n, &entry.rule);
        }
    }
    if (!any && n <= 1) {
        bson_concat(&out->validator, &own->validator);
        if (n == 1 && bson_empty(&own->validator) &&
            bson_iter_init_find(&at, &list, "0") &&
            command_document(&at, &guard))
            bson_concat(&out->validator, &guard);
    } else {
        BSON_APPEND_ARRAY(&out->validator, "$and", &list);
    }
    snprintf(out->level, sizeof(out->level), "%s",
             any ? strict ? "strict" : "moderate" : own->level);
    snprintf(out->action, sizeof(out->action), "%s",
             any ? "error" : own->action);
    bson_destroy(&list);
}

bool
guard_note_ours(const struct envl_target *target)
{
    struct envl_error quiet = { .status = ENVL_OK };
    struct guard_schema schema;
    struct guard_note note;
    bson_iter_t at;
    bson_t one;
    bool ours;

    ours = guard_schema_read(target, &schema, &quiet) == ENVL_OK;
    ours &= guard_note_read(target, &note, &quiet) == ENVL_OK;
    ours = ours && guard_schema_list(&schema.validator, &at);
    while (ours && bson_iter_next(&at))
        ours = command_document(&at, &one) && is_rule_of(&note, &one);
    guard_schema_free(&schema);
    guard_note_free(&note);
    return ours;
}
