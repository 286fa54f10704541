#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/fault.h"
#include "postgres/guard_state.h"

static const char *const stages[] = { "off", "observe", "moderate",
                                      "strict" };

/* ---- what is kept in the database --------------------------------------- */

void
guard_state_note(const struct guard_state *state,
                 const struct guard_sql *guard, struct sql *sql)
{
    sql_format(sql, "envelope guard 1 %s %" PRId64 " %s",
               stages[state->asked], state->since_ms, guard->digest);
}

static void
take_note(struct guard_state *state, const struct guard_sql *guard,
          const char *note)
{
    char stage[16], digest[24];

    if (sscanf(note, "envelope guard 1 %15s %" SCNd64 " %23s", stage,
               &state->since_ms, digest) != 3)
        return;
    state->current = strcmp(digest, guard->digest) == 0;
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (strcmp(stage, stages[i]) == 0)
            state->asked = (enum envl_guard_stage)i;
    }
}

/*
 * nextval makes nobody wait for the end of another's transaction; that it
 * cannot be called must never stop a write.  spec: MIG-61, MIG-64
 */
void
guard_state_body(const struct guard_sql *guard,
                 const struct envl_target *target,
                 enum envl_guard_stage stage, struct sql *sql)
{
    PGconn *conn = target->store->conn;
    struct sql text = { 0 };
    const char *said;

    sql_format(sql, "BEGIN\n    BEGIN\n        PERFORM pg_catalog.nextval("
               "'envelope.%s'::pg_catalog.regclass);\n"
               "    EXCEPTION WHEN OTHERS THEN NULL;\n    END;\n", guard->id);
    if (stage == ENVL_GUARD_OBSERVE) {
        sql_put(sql, "    RETURN NEW;\nEND");
        return;
    }
    sql_format(&text, "plaintext is refused in %s (%s) by the envelope guard "
               "of job %s", target->label, guard->places,
               guard->job);
    said = sql_text(&text);
    sql_put(sql, "    RAISE EXCEPTION USING ERRCODE = 'check_violation', "
            "MESSAGE = ");
    if (said == NULL)
        sql->failed = true;
    else
        sql_literal(sql, conn, envl_bytes_of(said));
    sql_put(sql, ",\n        HINT = 'seal the value before it is written', "
            "SCHEMA = TG_TABLE_SCHEMA,\n        TABLE = TG_TABLE_NAME, "
            "CONSTRAINT = TG_NAME;\nEND");
    sql_free(&text);
}

/* ---- reading ------------------------------------------------------------ */

enum answer {
    HAS_SCHEMA, FUNCTION_BODY, FUNCTION_NOTE, FUNCTION_HUSHED, COUNTED,
    INSERT_THERE, INSERT_OK, UPDATE_THERE, UPDATE_OK, CHECK_THERE, CHECK_OK,
    NOW, IS_OWNER, OWNER_NAME, MAY_CREATE, OLD_PARTS, LATER, BARE
};

/* $1 the table, $2 the guard's id.  A definition is as it was made if its
   digest is what was noted beside it. */
#define TRIGGER(letter) \
    "LEFT JOIN LATERAL (SELECT t.tgenabled IN ('O', 'A') " \
    "AND t.tgfoid = p.oid " \
    "AND pg_catalog.md5(pg_catalog.pg_get_triggerdef(t.oid)) = " \
    "pg_catalog.obj_description(t.oid, 'pg_trigger') AS ok " \
    "FROM pg_catalog.pg_trigger t WHERE t.tgrelid = $1::pg_catalog.oid AND " \
    "t.tgname = '" GUARD_STATE_TRIGGER "' || $2 || '_" letter "') " letter \
    " ON true "

static const char find_guard[] =
    "SELECT n.oid IS NOT NULL, p.prosrc, "
    "pg_catalog.obj_description(p.oid, 'pg_proc'), "
    "coalesce('log_min_error_statement=panic' = ANY (p.proconfig), false), "
    "(SELECT coalesce(pg_catalog.pg_sequence_last_value(s.oid), 0) FROM "
    "pg_catalog.pg_class s WHERE s.relnamespace = n.oid AND s.relname = $2 "
    "AND s.relkind = 'S'), "
    "i.ok IS NOT NULL, coalesce(i.ok, false), u.ok IS NOT NULL, "
    "coalesce(u.ok, false), k.ok IS NOT NULL, coalesce(k.ok, false), "
    "(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)"
    "::pg_catalog.int8, "
    "pg_catalog.pg_has_role(c.relowner, 'USAGE'), "
    "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)), "
    "CASE WHEN n.oid IS NULL THEN pg_catalog.has_database_privilege("
    "pg_catalog.current_database(), 'CREATE') "
    "ELSE pg_catalog.has_schema_privilege(n.oid, 'CREATE, USAGE') END, "
    "(SELECT 'DROP FUNCTION ' || pg_catalog.string_agg("
    "h.oid::pg_catalog.regprocedure::pg_catalog.text, ', ') FROM "
    "pg_catalog.pg_proc h WHERE h.pronamespace = n.oid AND "
    "pg_catalog.starts_with(h.proname, $2 || '_')), "
    "(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(t.tgname), ', ') "
    "FROM pg_catalog.pg_trigger t WHERE t.tgrelid = $1::pg_catalog.oid "
    "AND t.tgtype::pg_catalog.int4 & 3 = 3 "
    "AND t.tgtype::pg_catalog.int4 & 20 <> 0 AND t.tgenabled IN ('O', 'A') "
    "AND t.tgname::pg_catalog.text COLLATE \"C\" > "
    "'" GUARD_STATE_TRIGGER "guard_g'), "
    "(SELECT pg_catalog.string_agg(l.relid::pg_catalog.regclass"
    "::pg_catalog.text, ', ') FROM pg_catalog.pg_partition_tree($1) l "
    "WHERE c.relkind = 'p' AND (SELECT pg_catalog.count(*) FROM "
    "pg_catalog.pg_trigger t WHERE t.tgrelid = l.relid AND t.tgname IN ("
    "'" GUARD_STATE_TRIGGER "' || $2 || '_i', "
    "'" GUARD_STATE_TRIGGER "' || $2 || '_u') "
    "AND t.tgenabled IN ('O', 'A')) < 2) "
    "FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n "
    "ON n.nspname = 'envelope' LEFT JOIN pg_catalog.pg_proc p "
    "ON p.pronamespace = n.oid AND p.proname = $2 AND p.pronargs = 0 "
    TRIGGER("i") TRIGGER("u")
    "LEFT JOIN LATERAL (SELECT k.convalidated AND "
    "pg_catalog.md5(pg_catalog.pg_get_constraintdef(k.oid)) = "
    "pg_catalog.obj_description(k.oid, 'pg_constraint') AS ok "
    "FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND "
    "k.conname = '" GUARD_STATE_CHECK "' || $2) k ON true "
    "WHERE c.oid = $1::pg_catalog.oid";

static bool
says(const PGresult *result, enum answer answer)
{
    return PQgetvalue(result, 0, (int)answer)[0] == 't';
}

/* NULL for SQL NULL; false if memory is short. */
static bool
copy(const PGresult *result, enum answer answer, char **out)
{
    if (PQgetisnull(result, 0, (int)answer))
        return true;
    *out = strdup(PQgetvalue(result, 0, (int)answer));
    return *out != NULL;
}

/* Which stage the function is made for, if it is one of ours. */
static enum envl_guard_stage
stage_of(const struct envl_target *target, const struct guard_sql *guard,
         const char *body)
{
    for (int i = ENVL_GUARD_MODERATE; i >= ENVL_GUARD_OBSERVE; i--) {
        struct sql sql = { 0 };
        const char *ours;
        bool same;

        guard_state_body(guard, target, (enum envl_guard_stage)i, &sql);
        ours = sql_text(&sql);
        same = ours != NULL && strcmp(ours, body) == 0;
        sql_free(&sql);
        if (same)
            return (enum envl_guard_stage)i;
    }
    return ENVL_GUARD_OFF;
}

static bool
take(const struct envl_target *target, const struct guard_sql *guard,
     const PGresult *result, struct guard_state *out)
{
    out->schema = says(result, HAS_SCHEMA);
    out->function = !PQgetisnull(result, 0, FUNCTION_BODY);
    out->hushed = says(result, FUNCTION_HUSHED);
    out->triggers = says(result, INSERT_THERE) || says(result, UPDATE_THERE);
    out->constraint = says(result, CHECK_THERE);
    out->writes = strtoull(PQgetvalue(result, 0, COUNTED), NULL, 10);
    out->now_ms = strtoll(PQgetvalue(result, 0, NOW), NULL, 10);
    out->owner = says(result, IS_OWNER);
    out->may_create = says(result, MAY_CREATE);
    take_note(out, guard, PQgetvalue(result, 0, FUNCTION_NOTE));
    if (out->function && out->current && says(result, INSERT_OK) &&
        says(result, UPDATE_OK) && PQgetisnull(result, 0, BARE))
        out->stage = stage_of(target, guard,
                              PQgetvalue(result, 0, FUNCTION_BODY));
    if (out->stage == ENVL_GUARD_MODERATE && says(result, CHECK_OK))
        out->stage = ENVL_GUARD_STRICT;
    return copy(result, OWNER_NAME, &out->owner_name) &&
           copy(result, OLD_PARTS, &out->old_parts) &&
           copy(result, LATER, &out->later) &&
           copy(result, BARE, &out->bare);
}

/* May this role have functions of its own keep statements out of the log? */
static enum envl_status
read_hush(struct envl_store *store, bool *may, struct envl_error *err)
{
    PGresult *result = NULL;
    enum envl_status status;

    status = store_ask(
        store,
        store->version >= 150000
            ? "SELECT pg_catalog.has_parameter_privilege("
              "'log_min_error_statement', 'SET') AND "
              "pg_catalog.has_parameter_privilege('log_error_verbosity', "
              "'SET')"
            : "SELECT pg_catalog.current_setting('is_superuser') = 'on'",
        NULL, &result, err);
    if (status == ENVL_OK)
        *may = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return status;
}

/* Definitions read the same only under the same search_path. */
enum envl_status
guard_state_read(const struct envl_target *target,
                 const struct guard_sql *guard, struct guard_state *out,
                 struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct pipe_params params = { 0 };
    struct pipe_op *op = pipe_open(&store->pipe);
    enum envl_status status = ENVL_OK;
    char oid[16];

    if (op == NULL)
        return store_nomem(store, err);
    snprintf(oid, sizeof(oid), "%u", target->oid);
    pipe_text(&params, oid);
    pipe_text(&params, guard->id);
    pipe_send(&store->pipe, op, "SELECT pg_catalog.set_config('search_path', "
              "'pg_catalog, pg_temp', true)", NULL, false);
    pipe_send(&store->pipe, op, find_guard, &params, false);
    pipe_sync(&store->pipe, op);
    if (!pipe_wait(&store->pipe, op) || pipe_error(op) != NULL)
        status = fault_tell(store, pipe_error(op), "looking for the guard",
                            FAULT_ALL, err);
    else if (PQntuples(pipe_result(op, 1)) != 1)
        status = store_fail(store, err, ENVL_E_NOTFOUND,
                            "%s is not there any more", target->label);
    else if (!take(target, guard, pipe_result(op, 1), out))
        status = store_nomem(store, err);
    pipe_close(op);
    pipe_params_free(&params);
    if (status == ENVL_OK)
        status = read_hush(store, &out->may_hush, err);
    return status;
}

void
guard_state_free(struct guard_state *state)
{
    free(state->owner_name);
    free(state->old_parts);
    free(state->later);
    free(state->bare);
    *state = (struct guard_state){ .schema = false };
}
