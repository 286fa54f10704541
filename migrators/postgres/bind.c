#include <stdlib.h>

#include "postgres/bind.h"
#include "postgres/catalog.h"
#include "postgres/fields.h"
#include "postgres/guard.h"
#include "postgres/keys.h"
#include "postgres/notes.h"
#include "postgres/select.h"

/* Row versions are compared where the role can read them (spec: JOB-51). */
static enum envl_status
choose_form(struct envl_target *target, struct envl_error *err)
{
    bool tid = true, xmin = true;
    enum envl_status status = ENVL_OK;

    if (target->form == ROW_VALUE)
        return ENVL_OK;
    status = catalog_can_read(target, "ctid", &tid, err);
    if (status == ENVL_OK)
        status = catalog_can_read(target, "xmin", &xmin, err);
    if (status == ENVL_OK && !(tid && xmin))
        target->form = ROW_VALUE;
    return status;
}

static enum envl_status
name_ids(struct envl_target *target, struct envl_error *err)
{
    target->info.has_ids = keys_has_ids(target);
    for (uint32_t i = 0; i < target->key_count; i++) {
        target->id_names[i] = keys_id_name(target->keys[i]->name,
                                           target->key_count);
        if (target->id_names[i] == NULL)
            return store_nomem(target->store, err);
    }
    return ENVL_OK;
}

/* spec: JOB-27 */
static enum envl_status
check_clearing(const struct envl_target *target, struct envl_error *err)
{
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        const struct pg_field *field = &target->fields[i];

        if (field->into == NULL || field->spec->keep_source ||
            !field->column->not_null)
            continue;
        store_fail(target->store, err, ENVL_E_USAGE,
                   "%s.%s is NOT NULL: it cannot be cleared once its value "
                   "is in %s", target->label, field->column->name,
                   field->into->name);
        store_hint(target->store, err, "ALTER TABLE %s ALTER COLUMN %s DROP "
                   "NOT NULL;  or let the job's mode be \"sibling\"",
                   target->label, field->column->quoted);
        return ENVL_E_USAGE;
    }
    return ENVL_OK;
}

/* One expression, which closes no bracket of ours: "true) OR (true" would
   undo a page's bounds, and the sweep would never end. */
static enum envl_status
check_where(struct envl_target *target, struct envl_error *err)
{
    const char *where = target->spec->where;
    PGresult *result = NULL;
    struct sql sql = { 0 };
    enum envl_status status;

    if (where == NULL)
        return ENVL_OK;
    sql_format(&sql, "SELECT ARRAY[%s\n] FROM %s%s WHERE false AND (%s\n)",
               where, target->only, target->sql, where);
    status = store_ask(target->store, sql_text(&sql), NULL, &result, err);
    if (status == ENVL_E_DATABASE)
        store_hint(target->store, err, "\"where\" of %s has to be one SQL "
                   "expression over its columns", target->label);
    PQclear(result);
    sql_free(&sql);
    return status;
}

enum envl_status
bind_target(struct envl_store *store, const struct envl_target_spec *spec,
            struct envl_target **out, struct envl_error *err)
{
    struct envl_target *target = calloc(1, sizeof(*target));
    enum envl_status status;

    if (target == NULL)
        return store_nomem(store, err);
    target->store = store;
    target->spec = spec;
    status = catalog_load(target, err);
    if (status == ENVL_OK)
        status = catalog_key(target, err);
    if (status == ENVL_OK)
        status = choose_form(target, err);
    if (status == ENVL_OK)
        status = name_ids(target, err);
    if (status == ENVL_OK)
        status = check_where(target, err);
    if (status == ENVL_OK)
        status = fields_bind(target, err);
    if (status == ENVL_OK)
        status = check_clearing(target, err);
    if (status == ENVL_OK)
        status = notes_say(target, err);
    if (status != ENVL_OK) {
        bind_release(target);
        return status;
    }
    target->info.label = target->label;
    target->info.place = target->place;
    target->info.place_count = 2;
    target->info.finds_unsealed = select_can_find_unsealed(target);
    target->info.fields = target->field_infos;
    *out = target;
    return ENVL_OK;
}

void
bind_release(struct envl_target *target)
{
    if (target == NULL)
        return;
    guard_read_release(target);
    fields_free(target);
    for (uint32_t i = 0; i < STORE_KEYS_MAX; i++)
        free(target->id_names[i]);
    for (uint32_t i = 0; i < SELECT_COUNT; i++)
        free(target->selects[i]);
    catalog_free(target);
    free(target);
}

const struct envl_target_info *
bind_info(struct envl_target *target)
{
    return &target->info;
}
