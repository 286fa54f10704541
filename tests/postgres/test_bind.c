/*
 * What is refused, what is noted, which rights are asked for, and that a role
 * with exactly these rights can do the work.
 */
#include "rig.h"

#define FIELD { { .column = "s" } }

static const struct refusal {
    const char *name, *ddl;
    struct rig_target target;
    enum envl_status status;
    const char *message, *hint;
} refusals[] = {
    { "no_table", "SELECT 1", { .table = "nope", .fields = FIELD },
      ENVL_E_NOTFOUND, "no table nope", "quoted" },
    { "no_column", "CREATE TABLE t (id int PRIMARY KEY)",
      { .table = "t", .fields = FIELD }, ENVL_E_NOTFOUND, "no column s", "" },
    { "no_key_column", "CREATE TABLE t (id int PRIMARY KEY, s text)",
      { .table = "t", .keys = { "nr" }, .fields = FIELD }, ENVL_E_NOTFOUND,
      "no column nr", "" },
    { "no_key", "CREATE TABLE t (id int, s text)",
      { .table = "t", .fields = FIELD }, ENVL_E_USAGE, "no primary key",
      "unique index" },
    { "not_unique", "CREATE TABLE t (id int NOT NULL, s text);"
      "CREATE INDEX ON t (id)", { .table = "t", .keys = { "id" },
      .fields = FIELD }, ENVL_E_USAGE, "not unique", "CREATE UNIQUE INDEX" },
    { "partly_unique", "CREATE TABLE t (id int NOT NULL, s text);"
      "CREATE UNIQUE INDEX ON t (id) WHERE id > 0",
      { .table = "t", .keys = { "id" }, .fields = FIELD }, ENVL_E_USAGE,
      "not unique", "" },
    { "unique_with_another", "CREATE TABLE t (id int NOT NULL, b int NOT "
      "NULL, s text, UNIQUE (id, b))", { .table = "t", .keys = { "id" },
      .fields = FIELD }, ENVL_E_USAGE, "not unique", "" },
    { "nullable_key", "CREATE TABLE t (id int UNIQUE, s text)",
      { .table = "t", .keys = { "id" }, .fields = FIELD }, ENVL_E_USAGE,
      "can be null", "SET NOT NULL" },
    { "deferrable_key", "CREATE TABLE t (id int PRIMARY KEY DEFERRABLE, "
      "s text)", { .table = "t", .fields = FIELD }, ENVL_E_USAGE,
      "no primary key", "" },
    { "padded_key", "CREATE TABLE t (id char(9) PRIMARY KEY, s text)",
      { .table = "t", .fields = FIELD }, ENVL_E_USAGE, "character", "" },
    { "fuzzy_key", "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-"
      "level2', deterministic = false); CREATE TABLE t (id text COLLATE ci "
      "PRIMARY KEY, s text)", { .table = "t", .fields = FIELD }, ENVL_E_USAGE,
      "nondeterministic", "" },
    { "fuzzy_value", "CREATE COLLATION ci (provider = icu, locale = 'und-u-"
      "ks-level2', deterministic = false); CREATE TABLE t (id int PRIMARY "
      "KEY, s text COLLATE ci)", { .table = "t", .fields = FIELD },
      ENVL_E_USAGE, "nondeterministic", "" },
    { "padded_value", "CREATE TABLE t (id int PRIMARY KEY, s char(300))",
      { .table = "t", .fields = FIELD }, ENVL_E_USAGE, "pads", "TYPE text" },
    { "number", "CREATE TABLE t (id int PRIMARY KEY, s numeric)",
      { .table = "t", .fields = FIELD }, ENVL_E_USAGE,
      "numeric: it cannot hold", "" },
    { "citext", "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;"
      "CREATE TABLE t (id int PRIMARY KEY, s citext)",
      { .table = "t", .fields = FIELD }, ENVL_E_USAGE, "citext", "" },
    { "generated", "CREATE TABLE t (id int PRIMARY KEY, s text GENERATED "
      "ALWAYS AS ('x') STORED)", { .table = "t", .fields = FIELD },
      ENVL_E_USAGE, "generated", "" },
    { "key_as_value", "CREATE TABLE t (s text PRIMARY KEY)",
      { .table = "t", .fields = FIELD }, ENVL_E_USAGE, "part of the key",
      "" },
    { "path_in_bytes", "CREATE TABLE t (id int PRIMARY KEY, s bytea)",
      { .table = "t", .fields = { { "s", { "a" } } } }, ENVL_E_USAGE,
      "a path needs JSON", "" },
    { "no_sibling", "CREATE TABLE t (id int PRIMARY KEY, s text)",
      { .table = "t", .fields = { { .column = "s", .into = "e" } } },
      ENVL_E_NOTFOUND, "no column e", "" },
    { "not_null_source", "CREATE TABLE t (id int PRIMARY KEY, s text NOT "
      "NULL, e text)", { .table = "t",
      .fields = { { .column = "s", .into = "e" } } }, ENVL_E_USAGE,
      "is NOT NULL", "ALTER COLUMN s DROP NOT NULL" },
    { "bad_extra", "CREATE TABLE t (id int PRIMARY KEY, s text, x numeric)",
      { .table = "t", .fields = FIELD, .extras = { "x" } }, ENVL_E_USAGE,
      "a context takes", "" },
    { "materialized", "CREATE MATERIALIZED VIEW t AS SELECT 1 AS id, 'x' s",
      { .table = "t", .fields = FIELD }, ENVL_E_USAGE, "materialized view",
      "" },
    { "view_twice", "CREATE VIEW t AS SELECT 1 AS id, 'x'::text AS s FROM "
      "generate_series(1, 2)", { .table = "t", .keys = { "id" },
      .fields = FIELD }, ENVL_E_USAGE, "null or not unique", "" },
};

static void
what_cannot_be_swept_is_refused_by_its_name(void **state)
{
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *one = &refusals[i];

        rig_open(&rig, one->ddl);
        if (rig_try_bind(&rig, &one->target) != one->status ||
            strstr(rig.err.message, one->message) == NULL ||
            strstr(rig.err.hint, one->hint) == NULL)
            fail_msg("%s: %s; %s", one->name, rig.err.message, rig.err.hint);
        rig_close(&rig);
    }
}

static void
tables_are_named_as_sql_names_them(void **state)
{
    static const struct rig_target targets[] = {
        { .table = "\"My Schema\".\"T.x\"", .fields = { { .column = "S s" } } },
        { .table = "PUBLIC.Small", .fields = FIELD },
        { .table = "small", .fields = FIELD },
    };
    const struct envl_target_info *info;
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, "DROP SCHEMA IF EXISTS \"My Schema\" CASCADE;"
             "CREATE SCHEMA \"My Schema\"; CREATE TABLE \"My Schema\".\"T.x\""
             " (\"I\"\"d\" int PRIMARY KEY, \"S s\" text);"
             "INSERT INTO \"My Schema\".\"T.x\" VALUES (1, 'x');"
             "CREATE TABLE small (id int PRIMARY KEY, s varchar(99))");
    rig_bind(&rig, &targets[0]);
    info = OPS->target_info(rig.target);
    assert_string_equal(info->label, "\"My Schema\".\"T.x\"");
    assert_string_equal(info->place[0], "My Schema");
    assert_string_equal(info->place[1], "T.x");
    assert_string_equal(info->fields[0].column, "S s");
    page = rig_read(&rig);
    rig_assert_bytes(page->rows[0].name, "I\"d=1");
    assert_int_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "y")),
                     ENVL_WRITTEN);
    OPS->page_free(page);
    for (int i = 1; i < 3; i++) {
        rig_bind(&rig, &targets[i]);
        info = OPS->target_info(rig.target);
        assert_string_equal(info->label, "public.small");
        assert_int_equal(info->fields[0].max_len, 99);
        rig_assert_note(&rig, "DECIDE s holds 99 characters");
    }
    rig_close(&rig);
}

static void
side_effects_are_noted(void **state)
{
    static const struct rig_target target = { .table = "t", .fields = FIELD };
    static const char *const notes[] = {
        "WARN trigger a fires", "WARN index t_s_idx", "WARN index t_upper_idx",
        "DECIDE unique index t_s_key", "DECIDE generated column len",
        "WARN view v reads", "DECIDE check constraint t_s_check",
        "DECIDE foreign key t_s_fkey", "WARN publication p",
        "DECIDE rule r rewrites", "WARN policy pol",
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE o (s text PRIMARY KEY);"
             "CREATE TABLE t (id int PRIMARY KEY, s text UNIQUE CHECK (s <> "
             "'') REFERENCES o, n text, len int GENERATED ALWAYS AS "
             "(length(s)) STORED);"
             "CREATE INDEX ON t (s); CREATE INDEX ON t (upper(s));"
             "CREATE VIEW v AS SELECT s FROM t; CREATE FUNCTION f() RETURNS "
             "trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
             "CREATE TRIGGER a AFTER UPDATE ON t FOR EACH ROW EXECUTE "
             "FUNCTION f(); CREATE TRIGGER other AFTER UPDATE OF n ON t FOR "
             "EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER ins AFTER INSERT "
             "ON t EXECUTE FUNCTION f(); ALTER TABLE t REPLICA IDENTITY FULL;"
             "CREATE POLICY pol ON t USING (s <> 'x');"
             "CREATE RULE r AS ON UPDATE TO t WHERE NEW.id < 0 DO INSTEAD "
             "NOTHING");
    rig_sql(&rig, "DROP PUBLICATION IF EXISTS p");
    rig_sql(&rig, "CREATE PUBLICATION p FOR TABLE t");
    rig_bind(&rig, &target);
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
        rig_assert_note(&rig, notes[i]);
    assert_null(strstr(rig.notes, "trigger other"));
    assert_null(strstr(rig.notes, "trigger ins"));
    assert_null(strstr(rig.notes, "t_pkey"));
    rig_sql(&rig, "ALTER TABLE t REPLICA IDENTITY NOTHING");
    rig_bind(&rig, &target);
    rig_assert_note(&rig, "DECIDE publication p: updates of a table without");
    rig_sql(&rig, "DROP PUBLICATION p");
    rig_close(&rig);
}

/* ---- rights ------------------------------------------------------------- */

static void
append(void *cookie, const char *text)
{
    char *ddl = cookie;
    size_t len = strlen(ddl);

    snprintf(ddl + len, 8192 - len, "%s", text);
}

#define SECRETS "CREATE TABLE t (id int PRIMARY KEY, s text, other text, " \
                "d jsonb, e text, x text);" \
                "INSERT INTO t SELECT i, 'PLAIN-' || i, 'o', " \
                "'{\"k\": \"PLAIN\"}', NULL, 'x' " \
                "FROM generate_series(1, 3) i;" \
                "REVOKE ALL ON SCHEMA public FROM PUBLIC"

static const struct rig_target wide = {
    .table = "public.t", .extras = { "x" },
    .fields = { { .column = "s", .into = "e" }, { "d", { "k" } } }
};

static void
make_role(struct rig *rig)
{
    if (rig_number(rig, "SELECT count(*) FROM pg_roles WHERE rolname = "
                   "'mig'") == 0)
        rig_sql(rig, "CREATE ROLE mig LOGIN");
}

/* A whole sweep of two fields as the role that ddl names. */
static void
sweep_as_role(struct rig *rig)
{
    struct envl_record record = { .job = "j", .epoch = 1, .owner = "me",
                                  .body = envl_bytes_of("{}") };
    struct envl_commit commit = { .record = &record, .ttl_ms = 1000 };
    enum envl_outcome outcomes[3];
    struct envl_edit edits[6];
    struct envl_page *page;

    rig_bind(rig, &wide);
    if (OPS->state_setup(rig->store, &rig->err) != ENVL_OK ||
        OPS->state_take(rig->store, &record, 1000, &rig->err) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    page = rig_read(rig);
    for (uint32_t i = 0; i < 3; i++) {
        edits[2 * i] = rig_edit(i, 0, ENVL_EDIT_INTO | ENVL_EDIT_CLEAR, "S");
        edits[2 * i + 1] = rig_edit(i, 1, 0, "K");
    }
    if (rig_write(rig, page, edits, 6, outcomes) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(outcomes[i], ENVL_WRITTEN);
    if (OPS->commit_begin(rig->store, &commit, &rig->err) != ENVL_OK ||
        OPS->commit_end(rig->store, &rig->err) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    OPS->page_free(page);
    assert_int_equal(OPS->state_release(rig->store, &record, &rig->err),
                     ENVL_OK);
    assert_int_equal(rig_number(rig, "SELECT count(*) FROM t WHERE s IS NULL "
                                "AND e = 'S' AND d = '{\"k\": \"K\"}'"), 3);
}

static void
a_role_with_exactly_the_printed_rights_can_sweep(void **state)
{
    char ddl[8192] = "";
    struct envl_target *targets[1];
    struct rig rig;

    (void)state;
    rig_open(&rig, SECRETS);
    make_role(&rig);
    rig_sql(&rig, "CREATE SCHEMA envelope; CREATE TABLE envelope.job (x int)");
    rig_reopen(&rig, "mig");
    assert_int_equal(rig_try_bind(&rig, &wide), ENVL_E_POLICY);
    assert_non_null(strstr(rig.err.hint, "GRANT USAGE ON SCHEMA public"));
    rig_sql(&rig, "DROP SCHEMA envelope CASCADE;"
            "GRANT USAGE ON SCHEMA public TO mig");
    rig_bind(&rig, &wide);
    rig_assert_note(&rig, "GRANT GRANT SELECT (id, s, d, e, x) ON public.t");
    rig_assert_note(&rig, "GRANT GRANT UPDATE (s, d, e) ON public.t");
    rig_assert_note(&rig, "GRANT SELECT (ctid, xmin)");
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_E_POLICY);
    targets[0] = rig.target;
    assert_int_equal(OPS->ddl(rig.store, targets, 1, append, ddl, &rig.err),
                     ENVL_OK);
    assert_non_null(strstr(ddl, "ctid, xmin"));
    rig_sql(&rig, "REVOKE ALL ON SCHEMA public FROM mig");
    rig_sql(&rig, ddl);
    rig_reopen(&rig, "mig");
    sweep_as_role(&rig);
    assert_null(strstr(rig.notes, "GRANT"));
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM "
                                "information_schema.column_privileges WHERE "
                                "grantee = 'mig' AND column_name = 'other'"),
                     0);
    rig_sql(&rig, "DROP OWNED BY mig");
    rig_close(&rig);
}

static void
without_rights_to_row_versions_values_are_compared(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, SECRETS);
    make_role(&rig);
    rig_sql(&rig, "GRANT USAGE ON SCHEMA public TO mig;"
            "GRANT SELECT (id, s, d, e, x), UPDATE (s, d, e) ON t TO mig;"
            "CREATE SCHEMA envelope AUTHORIZATION mig;"
            "GRANT CREATE ON DATABASE postgres TO mig");
    rig_reopen(&rig, "mig");
    sweep_as_role(&rig);
    rig_assert_note(&rig, "INFO rows are compared by a digest");
    rig_sql(&rig, "DROP OWNED BY mig CASCADE");
    assert_false(cluster_log_holds("PLAIN"));
    rig_close(&rig);
}

/* A census that cannot see every row would call a sweep done. */
static void
rows_hidden_from_the_role_refuse_the_table(void **state)
{
    struct rig_target spec = { .table = "t",
                               .fields = { { .column = "s" } } };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text);"
             "ALTER TABLE t ENABLE ROW LEVEL SECURITY");
    make_role(&rig);
    rig_sql(&rig, "GRANT USAGE ON SCHEMA public TO mig;"
            "GRANT SELECT, UPDATE ON t TO mig;"
            "CREATE POLICY part_of_it ON t TO mig USING (id > 1)");
    assert_int_equal(rig_try_bind(&rig, &spec), ENVL_OK);
    rig_reopen(&rig, "mig");
    assert_int_equal(rig_try_bind(&rig, &spec), ENVL_E_POLICY);
    assert_non_null(strstr(rig.err.message, "row security"));
    rig_sql(&rig, "DROP OWNED BY mig CASCADE");
    rig_close(&rig);
}

/* spec: JOB-12 */
static void
a_condition_that_closes_our_brackets_is_refused(void **state)
{
    static const char *const bad[] = { "true) OR (true", "true] || ARRAY[true",
                                       "id > 0; SELECT 1", "id > /*", "nope",
                                       "id > 1, true" };
    struct rig_target spec = { .table = "t",
                               .fields = { { .column = "s" } } };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text)");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        spec.where = bad[i];
        assert_int_equal(rig_try_bind(&rig, &spec), ENVL_E_DATABASE);
        assert_non_null(strstr(rig.err.hint, "\"where\" of public.t"));
    }
    spec.where = "id > 1 OR s = ')' -- all";
    assert_int_equal(rig_try_bind(&rig, &spec), ENVL_OK);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_swept_is_refused_by_its_name),
        cmocka_unit_test(tables_are_named_as_sql_names_them),
        cmocka_unit_test(side_effects_are_noted),
        cmocka_unit_test(a_role_with_exactly_the_printed_rights_can_sweep),
        cmocka_unit_test(without_rights_to_row_versions_values_are_compared),
        cmocka_unit_test(rows_hidden_from_the_role_refuse_the_table),
        cmocka_unit_test(a_condition_that_closes_our_brackets_is_refused),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
