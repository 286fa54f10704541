#include <stdio.h>
#include <string.h>

#include "common/say.h"
#include "mongo/command.h"
#include "mongo/fault.h"
#include "mongo/guard_schema.h"

/* ---- what the server has ------------------------------------------------ */

static void
take_options(const bson_t *entry, struct guard_schema *out)
{
    const char *level, *action;
    bson_t options, validator;
    bson_iter_t at;

    if (!bson_iter_init_find(&at, entry, "options") ||
        !command_document(&at, &options))
        return;
    if (bson_iter_init_find(&at, &options, "validator") &&
        command_document(&at, &validator))
        bson_concat(&out->validator, &validator);
    level = command_text(&options, "validationLevel");
    action = command_text(&options, "validationAction");
    if (level != NULL)
        snprintf(out->level, sizeof(out->level), "%s", level);
    if (action != NULL)
        snprintf(out->action, sizeof(out->action), "%s", action);
}

void
guard_schema_init(struct guard_schema *schema)
{
    bson_init(&schema->validator);
    snprintf(schema->level, sizeof(schema->level), "strict");
    snprintf(schema->action, sizeof(schema->action), "error");
}

void
guard_schema_free(struct guard_schema *schema)
{
    bson_destroy(&schema->validator);
}

enum envl_status
guard_schema_strange(const struct envl_target *target, struct envl_error *err)
{
    return say_fail(target->store->host, err, ENVL_E_DATABASE, "%s: the "
                    "server's answer has not the shape that it should have",
                    target->name);
}

enum envl_status
guard_schema_read(const struct envl_target *target, struct guard_schema *out,
                  struct envl_error *err)
{
    struct envl_store *store = target->store;
    bson_t *command = BCON_NEW("listCollections", BCON_INT32(1), "filter",
                               "{", "name", BCON_UTF8(target->name), "}");
    enum envl_status status;
    struct answer answer;
    bool found = false;
    bson_iter_t list;
    bson_t entry;

    guard_schema_init(out);
    status = command_ask(store, store->database, command,
                         "reading the collection's validator", &answer, err);
    if (status == ENVL_OK && command_batch(&answer, &list)) {
        while (bson_iter_next(&list)) {
            const char *name;

            if (!command_document(&list, &entry))
                continue;
            name = command_text(&entry, "name");
            if (name == NULL || strcmp(name, target->name) != 0)
                continue;
            take_options(&entry, out);
            found = true;
        }
    }
    /* "No validator" is never concluded from an answer of another shape. */
    if (status == ENVL_OK && !found)
        status = guard_schema_strange(target, err);
    command_free(&answer);
    bson_destroy(command);
    return status;
}

static bool
same_schema(const struct guard_schema *a, const struct guard_schema *b)
{
    return bson_equal(&a->validator, &b->validator) &&
           (bson_empty(&a->validator) ||
            (strcmp(a->level, b->level) == 0 &&
             strcmp(a->action, b->action) == 0));
}

enum envl_status
guard_schema_set(const struct envl_target *target,
                 const struct guard_schema *schema, struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct guard_schema found;
    bson_t command = BSON_INITIALIZER;
    enum envl_status status;
    struct answer answer;

    BSON_APPEND_UTF8(&command, "collMod", target->name);
    BSON_APPEND_DOCUMENT(&command, "validator", &schema->validator);
    BSON_APPEND_UTF8(&command, "validationLevel", schema->level);
    BSON_APPEND_UTF8(&command, "validationAction", schema->action);
    command_majority(&command, store->host->statement_ms);
    status = command_ask(store, store->database, &command,
                         "setting the collection's validator", &answer, err);
    if (status == ENVL_OK)
        status = command_confirmed(store, &answer, "setting the collection's "
                                   "validator", err);
    command_free(&answer);
    bson_destroy(&command);
    if (status != ENVL_OK)
        return status;
    status = guard_schema_read(target, &found, err);
    if (status == ENVL_OK && !same_schema(schema, &found))
        status = say_fail(store->host, err, ENVL_E_POLICY, "%s: the server "
                          "took the validator and did not keep it",
                          target->name);
    guard_schema_free(&found);
    return status;
}

/* ---- lists of filters --------------------------------------------------- */

/* {$and: [...]} alone: its list. */
bool
guard_schema_list(const bson_t *validator, bson_iter_t *out)
{
    bson_iter_t at;

    return bson_count_keys(validator) == 1 &&
           bson_iter_init_find(&at, validator, "$and") &&
           BSON_ITER_HOLDS_ARRAY(&at) && bson_iter_recurse(&at, out);
}

bool
guard_schema_has(const struct guard_schema *schema, const bson_t *rule)
{
    bson_iter_t list;
    bson_t one;

    if (!guard_schema_list(&schema->validator, &list))
        return false;
    while (bson_iter_next(&list)) {
        if (command_document(&list, &one) && bson_equal(&one, rule))
            return true;
    }
    return false;
}
