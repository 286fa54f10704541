#include <stdio.h>

#include "postgres/grants.h"
#include "postgres/notes.h"

#define NARROW 200u /* characters that the envelope of a short secret takes */

/*
 * $1 is the table, $2 the numbers of the columns that are written, $3 whether
 * errors are logged without the rows at fault.  Each line of the answer is a
 * level (D: to be decided, W: a warning, I: a fact) and its text.
 */
#define DEPENDENT \
    "WITH dependent AS (SELECT d.classid, d.objid, d.objsubid " \
    "FROM pg_catalog.pg_depend d WHERE " \
    "d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass " \
    "AND d.refobjid = $1::pg_catalog.oid " \
    "AND d.refobjsubid = ANY ($2::pg_catalog.int4[])) "

static const char find_effects[] =
    DEPENDENT
    "SELECT 'W', pg_catalog.format('trigger %I fires for every row%s', "
    "t.tgname, CASE WHEN t.tgtype::pg_catalog.int4 & 3 = 3 THEN "
    "'; it runs before the update and can change or skip the row' END) "
    "FROM pg_catalog.pg_trigger t WHERE t.tgrelid = $1::pg_catalog.oid "
    "AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') "
    "AND NOT pg_catalog.starts_with(t.tgname, 'zz_envelope_guard_') "
    "AND t.tgtype::pg_catalog.int4 & 16 <> 0 "
    "AND (pg_catalog.cardinality(t.tgattr::pg_catalog.int2[]) = 0 "
    "OR t.tgattr::pg_catalog.int2[] && $2::pg_catalog.int2[]) "

    "UNION ALL SELECT 'D', pg_catalog.format('rule %I rewrites updates', "
    "r.rulename) FROM pg_catalog.pg_rewrite r "
    "WHERE r.ev_class = $1::pg_catalog.oid AND r.ev_type = '2' "

    "UNION ALL SELECT CASE WHEN i.indisunique THEN 'D' ELSE 'W' END, "
    "pg_catalog.format(CASE WHEN i.indisunique THEN "
    "'unique index %s: equal values get different envelopes, so it stops "
    "finding duplicates' ELSE 'index %s: it finds no value any more, and "
    "refuses envelopes above 2704 bytes if it is a btree' END, "
    "i.indexrelid::pg_catalog.regclass) FROM pg_catalog.pg_index i "
    "WHERE i.indrelid = $1::pg_catalog.oid AND "
    "(i.indkey::pg_catalog.int2[] && $2::pg_catalog.int2[] OR "
    "i.indexrelid IN (SELECT objid FROM dependent WHERE "
    "classid = 'pg_catalog.pg_class'::pg_catalog.regclass)) "

    "UNION ALL SELECT DISTINCT 'D', pg_catalog.format('generated column %I "
    "is computed from a swept column and changes', a.attname) "
    "FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::pg_catalog.oid "
    "AND a.attgenerated <> '' AND (EXISTS (SELECT FROM dependent d WHERE "
    "d.objid = a.attrelid AND d.objsubid = a.attnum) OR EXISTS "
    "(SELECT FROM dependent d JOIN pg_catalog.pg_attrdef f ON "
    "f.oid = d.objid WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum)) "

    "UNION ALL SELECT DISTINCT 'W', pg_catalog.format('view %s reads a swept "
    "column and shows envelopes', r.ev_class::pg_catalog.regclass) "
    "FROM dependent d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid "
    "WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass "
    "AND r.ev_class <> $1::pg_catalog.oid";

static const char find_limits[] =
    DEPENDENT
    "SELECT 'D', pg_catalog.format(CASE c.contype "
    "WHEN 'c' THEN 'check constraint %I has to hold for envelopes too%s' "
    "WHEN 'f' THEN 'foreign key %I is on a swept column' "
    "ELSE 'exclusion constraint %I is on a swept column' END, c.conname, "
    "CASE WHEN NOT $3::pg_catalog.bool THEN '; the server logs the rows that "
    "it refuses: GRANT SET ON PARAMETER log_error_verbosity prevents it' "
    "END) "
    "FROM pg_catalog.pg_constraint c WHERE (c.contype IN ('c', 'f', 'x') "
    "AND NOT pg_catalog.starts_with(c.conname, 'envelope_guard_') "
    "AND c.conrelid = $1::pg_catalog.oid "
    "AND c.conkey && $2::pg_catalog.int2[]) OR (c.contype = 'f' "
    "AND c.confrelid = $1::pg_catalog.oid "
    "AND c.confkey && $2::pg_catalog.int2[]) "

    "UNION ALL SELECT 'W', pg_catalog.format('policy %I looks at a swept "
    "column', p.polname) FROM dependent d JOIN pg_catalog.pg_policy p ON "
    "p.oid = d.objid "
    "WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass "

    "UNION ALL SELECT CASE i.identity WHEN 'f' THEN 'W' WHEN 'n' THEN 'D' "
    "ELSE 'I' END, pg_catalog.format(CASE i.identity "
    "WHEN 'f' THEN 'publication %I: with replica identity full it sends the "
    "old values, plaintext, to its subscribers once more' "
    "WHEN 'n' THEN 'publication %I: updates of a table without a replica "
    "identity are refused; ALTER TABLE ... REPLICA IDENTITY USING INDEX' "
    "ELSE 'publication %I sends the envelopes to its subscribers' END, "
    "t.pubname) "
    "FROM pg_catalog.pg_publication_tables t JOIN pg_catalog.pg_namespace n "
    "ON n.nspname = t.schemaname JOIN pg_catalog.pg_class c "
    "ON c.relname = t.tablename AND c.relnamespace = n.oid, "
    "LATERAL (SELECT CASE WHEN c.relreplident = 'd' AND NOT EXISTS "
    "(SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND "
    "x.indisprimary) THEN 'n' ELSE c.relreplident END) i(identity) "
    "WHERE c.oid = $1::pg_catalog.oid "

    "UNION ALL SELECT 'I', 'the planner''s statistics keep some of the old "
    "values until the next ANALYZE' FROM pg_catalog.pg_class c "
    "WHERE c.oid = $1::pg_catalog.oid AND c.reltuples > 0";

static enum envl_note
level_of(char letter)
{
    switch (letter) {
    case 'D':
        return ENVL_NOTE_DECIDE;
    case 'W':
        return ENVL_NOTE_WARN;
    default:
        return ENVL_NOTE_INFO;
    }
}

static enum envl_status
say(const struct envl_target *target, const char *sql,
    const struct pipe_params *params, struct envl_error *err)
{
    PGresult *result = NULL;
    enum envl_status status = store_ask(target->store, sql, params, &result,
                                        err);

    for (int row = 0; status == ENVL_OK && row < PQntuples(result); row++)
        store_note(target->store, level_of(PQgetvalue(result, row, 0)[0]),
                   target->label, "%s", PQgetvalue(result, row, 1));
    PQclear(result);
    return status;
}

static enum envl_status
say_effects(const struct envl_target *target, struct envl_error *err)
{
    struct pipe_params params = { 0 };
    struct sql columns = { 0 };
    enum envl_status status;
    const char *comma = "";
    char oid[16];

    snprintf(oid, sizeof(oid), "%u", target->oid);
    sql_put(&columns, "{");
    for (uint32_t i = 0; i < target->column_count; i++) {
        if (!grants_is_written(target, &target->columns[i]))
            continue;
        sql_format(&columns, "%s%d", comma, target->columns[i].number);
        comma = ",";
    }
    sql_put(&columns, "}");
    pipe_text(&params, oid);
    pipe_text(&params, sql_text(&columns));
    status = say(target, find_effects, &params, err);
    pipe_text(&params, target->store->quiet ? "t" : "f");
    if (status == ENVL_OK)
        status = say(target, find_limits, &params, err);
    pipe_params_free(&params);
    sql_free(&columns);
    return status;
}

/* A column that is wide enough for today's envelopes may not be tomorrow. */
static void
say_widths(const struct envl_target *target)
{
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        const struct pg_field *field = &target->fields[i];
        const struct pg_column *column = field->into != NULL ? field->into
                                                             : field->column;

        if (column->max_chars == 0)
            continue;
        store_note(target->store,
                   column->max_chars < NARROW ? ENVL_NOTE_DECIDE
                                              : ENVL_NOTE_WARN,
                   target->label,
                   "%s holds %u characters: longer envelopes are refused; "
                   "ALTER TABLE %s ALTER COLUMN %s TYPE text; rewrites "
                   "nothing", column->name, column->max_chars, target->label,
                   column->quoted);
    }
}

enum envl_status
notes_say(struct envl_target *target, struct envl_error *err)
{
    enum envl_status status = say_effects(target, err);

    if (status != ENVL_OK)
        return status;
    say_widths(target);
    if (target->form == ROW_VALUE && target->kind == 'v')
        store_note(target->store, ENVL_NOTE_INFO, target->label,
                   "a view: rows are compared by a digest of their values");
    else if (target->form == ROW_VALUE)
        store_note(target->store, ENVL_NOTE_INFO, target->label,
                   "rows are compared by a digest of their values, at about "
                   "a third more work for the server; GRANT SELECT (ctid, "
                   "xmin) ON %s lets it compare row versions", target->label);
    return grants_note(target, err);
}
