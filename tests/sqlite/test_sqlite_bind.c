/*
 * What is refused before anything is written, what is noted, and that both
 * name the thing and the remedy.
 */
#include "rig.h"

struct refusal {
    const char *name, *schema;
    struct rig_target target;
    enum envl_status status;
    const char *says; /* part of the message */
};

#define ON_S { { .column = "s" } }

static const struct refusal refusals[] = {
    { "no table", "CREATE TABLE u (id INTEGER PRIMARY KEY, s)",
      { .table = "t", .fields = ON_S }, ENVL_E_NOTFOUND,
      "there is no table t" },
    { "no column", "CREATE TABLE t (id INTEGER PRIMARY KEY, x)",
      { .table = "t", .fields = ON_S }, ENVL_E_NOTFOUND,
      "t has no column \"s\"" },
    { "no key column", "CREATE TABLE t (id INTEGER PRIMARY KEY, s)",
      { .table = "t", .keys = { "nr" }, .fields = ON_S },
      ENVL_E_NOTFOUND, "t has no column \"nr\" (key)" },
    { "no extra", "CREATE TABLE t (id INTEGER PRIMARY KEY, s)",
      { .table = "t", .fields = ON_S, .extras = { "e" } },
      ENVL_E_NOTFOUND, "t has no column \"e\"" },
    { "no sibling", "CREATE TABLE t (id INTEGER PRIMARY KEY, s)",
      { .table = "t", .fields = { { .column = "s", .into = "e" } } },
      ENVL_E_NOTFOUND, "t has no column \"e\"" },
    { "another schema", "CREATE TABLE t (id INTEGER PRIMARY KEY, s)",
      { .table = "aux.t", .fields = ON_S }, ENVL_E_USAGE, "main only" },
    { "no primary key", "CREATE TABLE t (id, s)",
      { .table = "t", .fields = ON_S }, ENVL_E_POLICY,
      "t has no primary key" },
    { "key not unique", "CREATE TABLE t (id INTEGER PRIMARY KEY, k, s)",
      { .table = "t", .keys = { "k" }, .fields = ON_S }, ENVL_E_POLICY,
      "nothing proves that the key is unique" },
    { "unique in part only", "CREATE TABLE t (id INTEGER PRIMARY KEY, k, "
      "s); CREATE UNIQUE INDEX u ON t (k) WHERE k > 5",
      { .table = "t", .keys = { "k" }, .fields = ON_S }, ENVL_E_POLICY,
      "nothing proves" },
    { "unique in an expression only", "CREATE TABLE t (id INTEGER "
      "PRIMARY KEY, k, s); CREATE UNIQUE INDEX u ON t (lower(k))",
      { .table = "t", .keys = { "k" }, .fields = ON_S }, ENVL_E_POLICY,
      "nothing proves" },
    { "null keys", "CREATE TABLE t (id TEXT PRIMARY KEY, s);"
      "INSERT INTO t VALUES (NULL, 'x')",
      { .table = "t", .fields = ON_S }, ENVL_E_POLICY, "NULL in the key" },
    { "a view", "CREATE TABLE u (id INTEGER PRIMARY KEY, s);"
      "CREATE VIEW t AS SELECT * FROM u",
      { .table = "t", .fields = ON_S }, ENVL_E_POLICY, "t is a view" },
    { "a generated column", "CREATE TABLE t (id INTEGER PRIMARY KEY, x, "
      "s AS (x || 'y'))",
      { .table = "t", .fields = ON_S }, ENVL_E_POLICY,
      "t.s is a generated column" },
    { "the key itself", "CREATE TABLE t (s TEXT PRIMARY KEY NOT NULL)",
      { .table = "t", .fields = ON_S }, ENVL_E_POLICY,
      "t.s is in the key" },
    { "not null and into", "CREATE TABLE t (id INTEGER PRIMARY KEY, "
      "s TEXT NOT NULL, e TEXT)",
      { .table = "t", .fields = { { .column = "s", .into = "e" } } },
      ENVL_E_POLICY, "t.s is NOT NULL" },
    { "strict", "CREATE TABLE t (id INTEGER PRIMARY KEY, s INTEGER) "
      "STRICT",
      { .table = "t", .fields = ON_S }, ENVL_E_POLICY,
      "declared INTEGER in a STRICT table" },
    { "a foreign key", "CREATE TABLE p (s TEXT PRIMARY KEY);"
      "CREATE TABLE t (id INTEGER PRIMARY KEY, s REFERENCES p(s))",
      { .table = "t", .fields = ON_S }, ENVL_E_POLICY,
      "t.s takes part in a foreign key" },
    { "a foreign key from elsewhere", "CREATE TABLE t (id INTEGER "
      "PRIMARY KEY, s TEXT UNIQUE); CREATE TABLE c (x REFERENCES t(s))",
      { .table = "t", .fields = ON_S }, ENVL_E_POLICY,
      "t.s takes part in a foreign key" },
    { "the state tables", "CREATE TABLE envelope_job (id INTEGER "
      "PRIMARY KEY, s)",
      { .table = "envelope_job", .fields = ON_S }, ENVL_E_POLICY,
      "own" },
    { "a wrong where", "CREATE TABLE t (id INTEGER PRIMARY KEY, s)",
      { .table = "t", .where = "nonsense = 1", .fields = ON_S },
      ENVL_E_USAGE, "no such column: nonsense" },
    { "a where that leaves its brackets", "CREATE TABLE t (id INTEGER "
      "PRIMARY KEY, s)",
      { .table = "t", .where = "1) OR (1", .fields = ON_S },
      ENVL_E_USAGE, "one condition" },
    { "a where that is not closed", "CREATE TABLE t (id INTEGER "
      "PRIMARY KEY, s)",
      { .table = "t", .where = "s = 'x /*", .fields = ON_S },
      ENVL_E_USAGE, "one condition" },
    { "two statements", "CREATE TABLE t (id INTEGER PRIMARY KEY, s)",
      { .table = "t", .where = "1; DROP TABLE t", .fields = ON_S },
      ENVL_E_USAGE, "one condition" },
    { "into itself", "CREATE TABLE t (id INTEGER PRIMARY KEY, s)",
      { .table = "t", .fields = { { .column = "s", .into = "s" } } },
      ENVL_E_USAGE, "the source itself" },
    { "a sibling of a wildcard", "CREATE TABLE t (id INTEGER PRIMARY "
      "KEY, s)",
      { .table = "t", .fields = { { .column = "s", .path = { "*" },
                                    .into = "e" } } },
      ENVL_E_USAGE, "no sibling" },
};

static void
what_cannot_be_swept_is_refused_by_name(void **state)
{
    const struct refusal *cases = refusals;

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        enum envl_status status;
        struct rig rig;

        rig_open(&rig, cases[i].schema);
        status = rig_try_bind(&rig, &cases[i].target);
        if (status != cases[i].status ||
            strstr(rig.err.message, cases[i].says) == NULL)
            fail_msg("%s: status %d, %s", cases[i].name, (int)status,
                     rig.err.message);
        assert_null(rig.target);
        rig_close(&rig);
    }
}

static void
odd_names_are_names(void **state)
{
    static const struct {
        const char *create, *insert, *table, *column;
    } cases[] = {
        { "CREATE TABLE \"odd \"\"name.x\" (id INTEGER PRIMARY KEY, "
          "\"a b.\"\"c\" TEXT)",
          "INSERT INTO \"odd \"\"name.x\" VALUES (1, 'plain')",
          "odd \"name.x", "a b.\"c" },
        { "CREATE TABLE \"odd name\" (id INTEGER PRIMARY KEY, \"select\" "
          "TEXT)", "INSERT INTO \"odd name\" VALUES (1, 'plain')",
          "main.\"odd name\"", "select" },
        { "CREATE TABLE t (id INTEGER PRIMARY KEY, rowid TEXT)",
          "INSERT INTO t VALUES (1, 'plain')", "MAIN.T", "rowid" },
        { "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, rowid TEXT, oid, "
          "_rowid_)", "INSERT INTO t VALUES ('1', 'plain', 1, 2)", "[t]",
          "rowid" },
        { "CREATE TABLE t (\"i'd\" INTEGER PRIMARY KEY, \"\xc3\xa9\" TEXT)",
          "INSERT INTO t VALUES (1, 'plain')", "`t`", "\xc3\xa9" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig_target target = { .table = cases[i].table };
        struct envl_page *page;
        struct rig rig;

        rig_open(&rig, cases[i].create);
        rig_sql(&rig, cases[i].insert);
        target.fields[0].column = cases[i].column;
        rig_bind(&rig, &target);
        page = rig_read(&rig);
        rig_assert_cell(page->rows[0].leaves[0].value, ENVL_KIND_TEXT,
                        "plain");
        assert_int_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "E")),
                         ENVL_WRITTEN);
        OPS->page_free(page);
        page = rig_read(&rig);
        rig_assert_cell(page->rows[0].leaves[0].value, ENVL_KIND_TEXT, "E");
        OPS->page_free(page);
        rig_close(&rig);
    }
}

static void
the_place_is_as_the_schema_spells_it(void **state)
{
    const struct rig_target target = {
        .table = "main.ACCOUNTS",
        .fields = { { .column = "secret" }, { .column = "raw" },
                    { .column = "secret", .into = "RAW" } } };
    const struct envl_target_info *info;
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE Accounts (id INTEGER PRIMARY KEY, "
             "Secret TEXT, raw BLOB)");
    rig_sql(&rig, "INSERT INTO Accounts VALUES (1,2,3),(5,6,7)");
    rig_bind(&rig, &target);
    info = OPS->target_info(rig.target);
    assert_string_equal(info->label, "Accounts");
    assert_int_equal(info->place_count, 1);
    assert_string_equal(info->place[0], "Accounts");
    assert_true(info->has_ids);
    assert_int_equal(info->rows, 2);
    assert_string_equal(info->fields[0].column, "Secret");
    assert_int_equal(info->fields[0].takes, ENVL_KIND_TEXT);
    assert_int_equal(info->fields[1].takes, ENVL_KIND_BYTES);
    assert_string_equal(info->fields[2].column, "raw");
    rig_close(&rig);
}

static void
what_depends_on_a_field_is_noted(void **state)
{
    static const struct {
        const char *sql, *note;
    } cases[] = {
        { "CREATE INDEX i ON t (s)", "DECIDE s is in the index i" },
        { "CREATE UNIQUE INDEX i ON t (n, s)",
          "DECIDE s is in the unique index i" },
        { "CREATE INDEX i ON t (lower(\"S\"))", "DECIDE s is in the index i" },
        { "CREATE INDEX i ON t (n) WHERE s IS NULL",
          "DECIDE s is in the index i" },
        { "CREATE INDEX i ON t (n)", NULL },
        { "CREATE TRIGGER r AFTER UPDATE OF s ON t BEGIN SELECT 1; END",
          "DECIDE the trigger r depends on s" },
        { "CREATE TRIGGER r AFTER UPDATE ON t BEGIN SELECT 1; END",
          "WARN the trigger r runs for every row" },
        { "CREATE TRIGGER r AFTER UPDATE OF n ON t BEGIN SELECT 1; END",
          NULL },
        { "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET s = 1; END",
          NULL },
        { "CREATE VIEW w AS SELECT t.[s] FROM t", "DECIDE s is read by the "
          "view w" },
        { "CREATE VIEW w AS SELECT n FROM t -- s", NULL },
    };
    const struct rig_target target = { .table = "t", .fields = ON_S };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;

        rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, s, n)");
        rig_sql(&rig, cases[i].sql);
        rig_bind(&rig, &target);
        if (cases[i].note == NULL)
            assert_string_equal(rig.notes, "");
        else if (strstr(rig.notes, cases[i].note) == NULL)
            fail_msg("%s: %s", cases[i].sql, rig.notes);
        rig_close(&rig);
    }
}

static void
checks_and_generated_columns_are_noted(void **state)
{
    const struct rig_target target = { .table = "t", .fields = ON_S };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, "
             "s TEXT CHECK (length(\"s\") < 100), "
             "g AS (upper(s)) STORED, n CHECK (n > 0))");
    rig_bind(&rig, &target);
    assert_non_null(strstr(rig.notes, "DECIDE s stands in a CHECK"));
    assert_non_null(strstr(rig.notes, "DECIDE s is used by a generated"));
    rig_close(&rig);
}

static int
compare(void *cookie, int a_len, const void *a, int b_len, const void *b)
{
    (void)cookie;
    return a_len != b_len ? a_len - b_len : memcmp(a, b, (size_t)a_len);
}

static void
a_key_with_a_collation_of_the_applications_own_is_refused(void **state)
{
    const struct rig_target target = { .table = "t", .fields = ON_S };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE x (i)");
    assert_int_equal(sqlite3_create_collation(rig.other, "mine", SQLITE_UTF8,
                                              NULL, compare), SQLITE_OK);
    rig_sql(&rig, "CREATE TABLE t (id TEXT COLLATE mine PRIMARY KEY, s)");
    assert_int_equal(rig_try_bind(&rig, &target), ENVL_E_USAGE);
    assert_non_null(strstr(rig.err.message, "no such collation"));
    rig_close(&rig);
}

/* The plan of a page reads the key's index and sorts nothing. */
static void
pages_use_the_keys_index(void **state)
{
    static const char *const cases[][2] = {
        { "CREATE TABLE t (id INTEGER PRIMARY KEY, s)",
          "SELECT id FROM t WHERE (id) > (?1 COLLATE \"BINARY\") AND (id) <= "
          "(?2 COLLATE \"BINARY\") ORDER BY id COLLATE \"BINARY\" LIMIT ?3" },
        { "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, s)",
          "SELECT id FROM t WHERE (id) > (?1 COLLATE \"NOCASE\") AND (id) <= "
          "(?2 COLLATE \"NOCASE\") ORDER BY id COLLATE \"NOCASE\" LIMIT ?3" },
        { "CREATE TABLE t (a, b, s, PRIMARY KEY (a, b)) WITHOUT ROWID",
          "SELECT a FROM t WHERE (a, b) > (?1 COLLATE \"BINARY\", ?2 COLLATE "
          "\"BINARY\") AND (a, b) <= (?3 COLLATE \"BINARY\", ?4 COLLATE "
          "\"BINARY\") ORDER BY a COLLATE \"BINARY\", b COLLATE \"BINARY\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char sql[512];
        sqlite3_stmt *plan;
        struct rig rig;

        rig_open(&rig, cases[i][0]);
        snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", cases[i][1]);
        assert_int_equal(sqlite3_prepare_v2(rig.other, sql, -1, &plan, NULL),
                         SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);

            if (strncmp(step, "SEARCH", 6) != 0)
                fail_msg("%s: %s", cases[i][0], step);
        }
        sqlite3_finalize(plan);
        rig_close(&rig);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_swept_is_refused_by_name),
        cmocka_unit_test(odd_names_are_names),
        cmocka_unit_test(the_place_is_as_the_schema_spells_it),
        cmocka_unit_test(what_depends_on_a_field_is_noted),
        cmocka_unit_test(checks_and_generated_columns_are_noted),
        cmocka_unit_test(
            a_key_with_a_collation_of_the_applications_own_is_refused),
        cmocka_unit_test(pages_use_the_keys_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
