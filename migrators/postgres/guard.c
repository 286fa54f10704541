#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/guard.h"
#include "postgres/guard_script.h"
#include "postgres/guard_state.h"

#define SCHEMA_NOTE "made for an envelope guard"

/* One call's work. */
struct work {
    struct envl_target *target;
    const struct envl_guard_spec *spec;
    struct guard_sql sql;
    struct guard_state state;
};

/* ---- statements --------------------------------------------------------- */

/* Note the digest of a definition beside it, as the server prints it now. */
static void
add_digest(const struct work *work, struct guard_script *script,
           const char *name, bool trigger)
{
    PGconn *conn = work->target->store->conn;
    struct sql body = { 0 }, sql = { 0 };
    const char *text;

    sql_format(&body, "DECLARE digest text; BEGIN PERFORM "
               "pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', "
               "true); SELECT pg_catalog.md5(pg_catalog.pg_get_%s(oid)) INTO "
               "digest FROM pg_catalog.%s WHERE %s = %u AND %s = '%s'; "
               "EXECUTE pg_catalog.format('COMMENT ON %s %%I ON %%s IS %%L', "
               "'%s', ", trigger ? "triggerdef" : "constraintdef",
               trigger ? "pg_trigger" : "pg_constraint",
               trigger ? "tgrelid" : "conrelid", work->target->oid,
               trigger ? "tgname" : "conname", name,
               trigger ? "TRIGGER" : "CONSTRAINT", name);
    sql_literal(&body, conn, envl_bytes_of(work->target->sql));
    sql_put(&body, ", digest); END");
    text = sql_text(&body);
    sql_put(&sql, "DO ");
    if (text == NULL)
        sql.failed = true;
    else
        sql_literal(&sql, conn, envl_bytes_of(text));
    guard_script_add(script, &sql);
    sql_free(&body);
}

static void
add_trigger(const struct work *work, struct guard_script *script, bool insert)
{
    const char *letter = insert ? "i" : "u";
    struct sql sql = { 0 };
    char name[96];

    snprintf(name, sizeof(name), GUARD_STATE_TRIGGER "%s_%s", work->sql.id,
             letter);
    sql_format(&sql, "CREATE TRIGGER %s BEFORE %s ON %s FOR EACH ROW WHEN "
               "(%s) EXECUTE FUNCTION envelope.%s()", name,
               insert ? "INSERT" : "UPDATE", work->target->sql,
               insert ? work->sql.on_insert : work->sql.on_update,
               work->sql.id);
    guard_script_add(script, &sql);
    add_digest(work, script, name, true);
}

/*
 * SECURITY DEFINER so that writers need no right on the counter; nobody can
 * call it but by these triggers.  A statement that it refuses stays out of
 * the server's log where its owner may say so.  spec: MIG-64, MIG-65
 */
static void
add_function(const struct work *work, enum envl_guard_stage stage,
             struct guard_script *script)
{
    PGconn *conn = work->target->store->conn;
    struct sql sql = { 0 }, body = { 0 };
    const char *text;

    guard_state_body(&work->sql, work->target, stage, &body);
    text = sql_text(&body);
    sql_format(&sql, "CREATE OR REPLACE FUNCTION envelope.%s() RETURNS "
               "trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "
               "pg_catalog, pg_temp%s AS ", work->sql.id,
               work->state.may_hush ? " SET log_min_error_statement = panic "
                                      "SET log_error_verbosity = terse" : "");
    if (text == NULL)
        sql.failed = true;
    else
        sql_literal(&sql, conn, envl_bytes_of(text));
    guard_script_add(script, &sql);
    sql_free(&body);
    sql_format(&sql, "REVOKE ALL ON FUNCTION envelope.%s() FROM PUBLIC",
               work->sql.id);
    guard_script_add(script, &sql);
}

static void
add_note(struct work *work, enum envl_guard_stage stage,
         struct guard_script *script)
{
    struct sql sql = { 0 };

    work->state.asked = stage;
    if (work->state.since_ms == 0)
        work->state.since_ms = work->state.now_ms;
    sql_format(&sql, "COMMENT ON FUNCTION envelope.%s() IS '", work->sql.id);
    guard_state_note(&work->state, &work->sql, &sql);
    sql_put(&sql, "'");
    guard_script_add(script, &sql);
}

static void
add_drop_check(const struct work *work, struct guard_script *script)
{
    struct sql sql = { 0 };

    if (!work->state.constraint)
        return;
    sql_format(&sql, "ALTER TABLE %s%s DROP CONSTRAINT IF EXISTS "
               GUARD_STATE_CHECK "%s", work->target->only, work->target->sql,
               work->sql.id);
    guard_script_add(script, &sql);
}

/* Triggers, CHECK and helpers of before; the function and counter stay. */
static void
add_drop_parts(const struct work *work, struct guard_script *script)
{
    struct sql sql = { 0 };

    add_drop_check(work, script);
    for (int i = 0; work->state.triggers && i < 2; i++) {
        sql_format(&sql, "DROP TRIGGER IF EXISTS " GUARD_STATE_TRIGGER
                   "%s_%s ON %s", work->sql.id, i == 0 ? "i" : "u",
                   work->target->sql);
        guard_script_add(script, &sql);
    }
    if (work->state.old_parts != NULL)
        guard_script_put(script, work->state.old_parts);
}

/* The counter and whatever else lasts from stage to stage. */
static void
add_base(const struct work *work, struct guard_script *script)
{
    const char *id = work->sql.id;
    struct sql sql = { 0 };

    if (!work->state.schema) {
        guard_script_put(script, "CREATE SCHEMA envelope");
        guard_script_put(script, "COMMENT ON SCHEMA envelope IS "
                         "'" SCHEMA_NOTE "'");
    }
    sql_format(&sql, "CREATE SEQUENCE IF NOT EXISTS envelope.%s", id);
    guard_script_add(script, &sql);
    sql_format(&sql, "REVOKE ALL ON SEQUENCE envelope.%s FROM PUBLIC", id);
    guard_script_add(script, &sql);
    sql_format(&sql, "GRANT SELECT ON SEQUENCE envelope.%s TO PUBLIC", id);
    guard_script_add(script, &sql);
}

static void
add_helpers(const struct work *work, struct guard_script *script)
{
    struct sql sql = { 0 };

    for (uint32_t i = 0; i < work->sql.helper_count; i++) {
        const char *text = work->sql.helpers[i];
        const char *name = strstr(text, "envelope.");

        guard_script_put(script, text);
        sql_format(&sql, "GRANT EXECUTE ON FUNCTION %.*s TO PUBLIC",
                   (int)strcspn(name, "("), name);
        guard_script_add(script, &sql);
    }
}

/* ---- stages ------------------------------------------------------------- */

/*
 * From OBSERVE to MODERATE and back only the function is another: no lock on
 * the table.  Anything that is not as it would be made now is made anew.
 */
static enum envl_status
set_triggers(struct work *work, enum envl_guard_stage stage,
             struct envl_error *err)
{
    struct guard_script script = { .count = 0 };
    bool whole = work->state.stage != ENVL_GUARD_OFF && work->state.current;
    enum envl_status status;

    if (whole && work->state.constraint)
        add_drop_check(work, &script);
    if (!whole) {
        add_base(work, &script);
        add_drop_parts(work, &script);
        add_helpers(work, &script);
    }
    add_function(work, stage, &script);
    add_note(work, stage, &script);
    if (!whole) {
        add_trigger(work, &script, true);
        add_trigger(work, &script, false);
    }
    status = guard_script_run(work->target->store, &script,
                              "setting the guard", err);
    if (status == ENVL_E_DATABASE && work->target->spec->where != NULL)
        store_hint(work->target->store, err, "a guard looks names up in "
                   "pg_catalog only: let \"where\" name functions and types "
                   "of your own with their schema");
    return status;
}

/* In a snapshot that began after every writer from before MODERATE ended. */
static enum envl_status
count_plaintext(struct work *work, struct envl_error *err)
{
    struct envl_store *store = work->target->store;
    struct guard_script barrier = { .count = 0 };
    PGresult *result = NULL;
    struct sql sql = { 0 };
    enum envl_status status;
    const char *count;

    sql_format(&sql, "LOCK TABLE %s%s IN SHARE ROW EXCLUSIVE MODE",
               work->target->only, work->target->sql);
    guard_script_add(&barrier, &sql);
    status = guard_script_run(store, &barrier, "waiting for writers", err);
    if (status != ENVL_OK)
        return status;
    sql_format(&sql, "SELECT pg_catalog.count(*) FROM (SELECT FROM %s%s "
               "WHERE %s LIMIT 1000) AS found", work->target->only,
               work->target->sql, work->sql.of_row);
    status = store_ask(store, "SET statement_timeout = 0", NULL, NULL, err);
    if (status == ENVL_OK)
        status = store_ask(store, sql_text(&sql), NULL, &result, err);
    sql_free(&sql);
    sql_format(&sql, "SET statement_timeout = '%ums'",
               store->host->statement_ms);
    store_ask(store, sql_text(&sql), NULL, NULL, NULL);
    sql_free(&sql);
    if (status != ENVL_OK)
        return status;
    count = PQgetvalue(result, 0, 0);
    if (strcmp(count, "0") != 0) {
        status = store_fail(store, err, ENVL_E_FINDINGS, "%s%s rows of %s "
                            "hold plaintext", strlen(count) > 3 ? "at least "
                            : "", count, work->target->label);
        store_hint(store, err, "the guard stays at moderate: run envelope "
                   "migrate, then set strict again");
    }
    PQclear(result);
    return status;
}

static enum envl_status
set_check(struct work *work, struct envl_error *err)
{
    struct envl_store *store = work->target->store;
    struct guard_script script = { .slow = true };
    struct sql sql = { 0 };
    enum envl_status status;
    char name[64];

    snprintf(name, sizeof(name), GUARD_STATE_CHECK "%s", work->sql.id);
    sql_format(&sql, "ALTER TABLE %s%s ADD CONSTRAINT %s CHECK (NOT (%s))%s "
               "NOT VALID", work->target->only, work->target->sql, name,
               work->sql.of_row, work->target->only[0] != '\0' ? " NO INHERIT"
                                                             : "");
    work->state.constraint = true;
    guard_script_add(&script, &sql);
    status = guard_script_run(store, &script, "adding the check", err);
    if (status != ENVL_OK)
        return status;
    /* A scan beside which writers go on (SHARE UPDATE EXCLUSIVE). */
    script.slow = true;
    sql_format(&sql, "ALTER TABLE %s%s VALIDATE CONSTRAINT %s",
               work->target->only, work->target->sql, name);
    guard_script_add(&script, &sql);
    add_digest(work, &script, name, false);
    add_note(work, ENVL_GUARD_STRICT, &script);
    status = guard_script_run(store, &script, "validating the check", err);
    if (status == ENVL_OK)
        return ENVL_OK;
    add_drop_check(work, &script);
    guard_script_run(store, &script, "removing the check", NULL);
    if (status != ENVL_E_CONFLICT)
        return status;
    status = store_fail(store, err, ENVL_E_FINDINGS, "rows of %s hold "
                        "plaintext", work->target->label);
    store_hint(store, err, "the guard stays at moderate: run envelope "
               "migrate, then set strict again");
    return status;
}

static enum envl_status
look_again(struct work *work, struct envl_error *err)
{
    guard_state_free(&work->state);
    return guard_state_read(work->target, &work->sql, &work->state, err);
}

static enum envl_status
set_strict(struct work *work, struct envl_error *err)
{
    struct envl_store *store = work->target->store;
    enum envl_status status = ENVL_OK;

    if (work->sql.covered < work->target->spec->field_count)
        return store_fail(store, err, ENVL_E_POLICY, "%s: the server cannot "
                          "judge every field of this job, so it cannot vouch "
                          "for them: moderate is the most",
                          work->target->label);
    if (work->state.later != NULL) {
        status = store_fail(store, err, ENVL_E_POLICY, "%s: trigger %s runs "
                            "after the guard's: a check that refused what it "
                            "puts there would show the row",
                            work->target->label, work->state.later);
        store_hint(store, err, "rename it, so that it comes before \""
                   GUARD_STATE_TRIGGER "\"; moderate is the most until then");
        return status;
    }
    if (work->state.stage == ENVL_GUARD_STRICT)
        return ENVL_OK;
    if (work->state.stage != ENVL_GUARD_MODERATE || work->state.constraint) {
        status = set_triggers(work, ENVL_GUARD_MODERATE, err);
        if (status == ENVL_OK)
            status = look_again(work, err);
    }
    if (status == ENVL_OK)
        status = count_plaintext(work, err);
    return status == ENVL_OK ? set_check(work, err) : status;
}

/* The schema goes too if a guard made it and nothing else lives there. */
static enum envl_status
set_off(struct work *work, struct envl_error *err)
{
    static const char drop_schema[] =
        "DO 'BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE "
        "n.nspname = ''envelope'' AND pg_catalog.obj_description(n.oid, "
        "''pg_namespace'') = ''" SCHEMA_NOTE "'' AND "
        "pg_catalog.pg_has_role(n.nspowner, ''USAGE'') AND NOT EXISTS "
        "(SELECT FROM pg_catalog.pg_depend d WHERE d.refobjid = n.oid AND "
        "d.refclassid = ''pg_catalog.pg_namespace''::pg_catalog.regclass)) "
        "THEN DROP SCHEMA envelope; END IF; END'";
    struct guard_script script = { .count = 0 };
    struct sql sql = { 0 };

    if (!work->state.function && !work->state.triggers &&
        !work->state.constraint)
        return ENVL_OK;
    add_drop_parts(work, &script);
    sql_format(&sql, "DROP FUNCTION IF EXISTS envelope.%s()", work->sql.id);
    guard_script_add(&script, &sql);
    sql_format(&sql, "DROP SEQUENCE IF EXISTS envelope.%s", work->sql.id);
    guard_script_add(&script, &sql);
    guard_script_put(&script, drop_schema);
    return guard_script_run(work->target->store, &script,
                            "removing the guard", err);
}

/* ---- what is refused ---------------------------------------------------- */

static enum envl_status
check_rights(const struct work *work, struct envl_error *err)
{
    const struct envl_target *target = work->target;
    const struct guard_state *state = &work->state;

    if (state->owner && (state->may_create ||
                         work->spec->stage == ENVL_GUARD_OFF))
        return ENVL_OK;
    if (!state->owner)
        store_fail(target->store, err, ENVL_E_POLICY, "a guard on %s is set "
                   "by its owner, %s", target->label, state->owner_name);
    else
        store_fail(target->store, err, ENVL_E_POLICY, "this role may not "
                   "create in the schema envelope");
    store_hint(target->store, err, "connect as that role for this: envelope "
               "plan --ddl prints what it needs");
    return ENVL_E_POLICY;
}

static enum envl_status
check_kind(const struct work *work, struct envl_error *err)
{
    const struct envl_target *target = work->target;
    struct envl_store *store = target->store;

    if (target->kind == 'v') {
        store_fail(store, err, ENVL_E_POLICY, "%s is a view, which has no "
                   "guard of its own", target->label);
        store_hint(store, err, "make a job for the table behind it");
        return ENVL_E_POLICY;
    }
    if (target->kind == 'p' && store->version < 130000)
        return store_fail(store, err, ENVL_E_POLICY, "%s is partitioned: a "
                          "guard on it needs PostgreSQL 13", target->label);
    if (work->sql.covered == 0 && work->spec->stage != ENVL_GUARD_OFF)
        return store_fail(store, err, ENVL_E_POLICY, "%s: %s",
                          target->label, guard_sql_gap(&target->fields[0]));
    return ENVL_OK;
}

enum envl_status
guard_set(struct envl_target *target, const struct envl_guard_spec *spec,
          struct envl_error *err)
{
    struct work work = { .target = target, .spec = spec };
    enum envl_status status = guard_sql_make(target, spec, &work.sql, err);

    if (status == ENVL_OK)
        status = check_kind(&work, err);
    if (status == ENVL_OK)
        status = guard_state_read(target, &work.sql, &work.state, err);
    if (status == ENVL_OK)
        status = check_rights(&work, err);
    if (status == ENVL_OK && spec->stage == ENVL_GUARD_OFF)
        status = set_off(&work, err);
    else if (status == ENVL_OK && spec->stage == ENVL_GUARD_STRICT)
        status = set_strict(&work, err);
    else if (status == ENVL_OK && (work.state.stage != spec->stage ||
                                   work.state.asked != spec->stage))
        status = set_triggers(&work, spec->stage, err);
    guard_state_free(&work.state);
    guard_sql_free(&work.sql);
    return status;
}
