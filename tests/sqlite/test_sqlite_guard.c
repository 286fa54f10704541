/*
 * Guards on SQLite: plaintext is counted, then refused, and never shown; and
 * nothing is left of them.  spec: MIG-60 to MIG-69
 */
#include "rig.h"

static const bool empty_ok[4] = { true, true, true, true };

static enum envl_status
set_to(struct rig *rig, enum envl_guard_stage stage)
{
    struct envl_guard_spec spec = { "it's j", stage, empty_ok };

    return OPS->guard_set(rig->target, &spec, &rig->err);
}

static void
assert_set(struct rig *rig, enum envl_guard_stage stage)
{
    if (set_to(rig, stage) != ENVL_OK)
        fail_msg("%s", rig->err.message);
}

static struct envl_guard_info
look(struct rig *rig)
{
    struct envl_guard_spec spec = { "it's j", ENVL_GUARD_OFF, empty_ok };
    struct envl_guard_info info;

    if (OPS->guard_read(rig->target, &spec, &info, &rig->err) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    return info;
}

static void
assert_stage(struct rig *rig, enum envl_guard_stage stage, uint64_t writes)
{
    struct envl_guard_info info = look(rig);

    assert_int_equal(info.stage, stage);
    assert_int_equal(info.writes, writes);
}

static void
refuses(struct rig *rig, const char *sql)
{
    char *said = NULL;

    assert_int_equal(sqlite3_exec(rig->other, sql, NULL, NULL, &said),
                     SQLITE_CONSTRAINT);
    if (strncmp(said, "plaintext is refused in ", 24) != 0)
        fail_msg("%s: %s", sql, said);
    assert_null(strstr(said + 9, "plain"));
    sqlite3_free(said);
}

static const struct rig_target column = { .table = "t",
                                          .fields = { { .column = "s" } } };

static void
each_stage_does_what_it_says(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, s COLLATE NOCASE,"
             " x); INSERT INTO t VALUES (1,'old plain',0),"
             "(2,'env1:k:A',0)");
    rig_bind(&rig, &column);
    assert_stage(&rig, ENVL_GUARD_OFF, 0);
    assert_set(&rig, ENVL_GUARD_OBSERVE);
    rig_sql(&rig, "INSERT INTO t VALUES (3,'env1:k:A',0),(4,NULL,0),"
            "(5,'',0),(6,x'9e45560100026b32aa',0),(7,x'',0)");
    rig_sql(&rig, "UPDATE t SET x = 1");
    assert_stage(&rig, ENVL_GUARD_OBSERVE, 0);
    rig_sql(&rig, "INSERT INTO t VALUES (8,'plain',0),(9,'plain',0)");
    rig_sql(&rig, "UPDATE t SET s = 7 WHERE id = 8");
    assert_stage(&rig, ENVL_GUARD_OBSERVE, 3);
    assert_set(&rig, ENVL_GUARD_MODERATE);
    assert_stage(&rig, ENVL_GUARD_MODERATE, 3);
    rig_sql(&rig, "UPDATE t SET x = 2, s = s");
    refuses(&rig, "INSERT INTO t VALUES (10,'plain',0)");
    refuses(&rig, "INSERT OR IGNORE INTO t VALUES (10,'plain',0)");
    refuses(&rig, "INSERT OR REPLACE INTO t VALUES (2,'plain',0)");
    refuses(&rig, "UPDATE t SET s = 'OLD PLAIN' WHERE id = 1");
    refuses(&rig, "UPDATE t SET s = x'70' WHERE id = 4");
    assert_int_equal(set_to(&rig, ENVL_GUARD_STRICT), ENVL_E_FINDINGS);
    assert_non_null(strstr(rig.err.message, "3 rows"));
    assert_stage(&rig, ENVL_GUARD_MODERATE, 3);
    rig_sql(&rig, "UPDATE t SET s = 'env1:k:B' WHERE id IN (1,8,9)");
    assert_set(&rig, ENVL_GUARD_STRICT);
    assert_stage(&rig, ENVL_GUARD_STRICT, 3);
    refuses(&rig, "UPDATE t SET s = 'plain' WHERE id = 1");
    rig_close(&rig);
}

static void
documents_are_judged_place_by_place(void **state)
{
    static const struct rig_target spec = {
        .table = "t",
        .fields = { { .column = "d", .path = { "it's", "[*]", "*" } },
                    { .column = "d", .path = { "a", "b" } } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, d TEXT);"
             "INSERT INTO t VALUES (1,'{\"it''s\":[{\"A\":\"old plain\"},5,"
             "{\"A\":\"env1:k:A\"}],\"a\":{\"b\":\"old plain\"}}')");
    rig_bind(&rig, &spec);
    assert_set(&rig, ENVL_GUARD_MODERATE);
    rig_sql(&rig, "UPDATE t SET d = json_set(d, '$.n', 1)");
    rig_sql(&rig, "UPDATE t SET d = json_remove(d, '$.\"it''s\"[1]')");
    rig_sql(&rig, "INSERT INTO t VALUES (2,NULL),(3,'{}'),(4,'no json'),"
            "(5,'[{\"b\":\"plain\"}]'),(6,x'00'),(7,5),(8,'{\"a\":[1]}'),"
            "(9,'{\"a\":{\"b\":{\"env\":1,\"kid\":\"k\",\"payload\":\"A\"}}}'"
            "),(10,'{\"a\":{\"b\":\"\"},\"it''s\":{\"A\":\"plain\"}}')");
    refuses(&rig, "INSERT INTO t VALUES (11,'{\"a\":{\"b\":\"plain\"}}')");
    refuses(&rig, "INSERT INTO t VALUES (11,'{\"a\":{\"b\":true}}')");
    refuses(&rig, "INSERT INTO t VALUES (11,'{\"a\":{\"b\":{\"env\":\"1\","
            "\"payload\":\"plain\"}}}')");
    refuses(&rig, "INSERT INTO t VALUES (11,'{\"it''s\":[{\"x\":"
            "\"plain\"}]}')");
    refuses(&rig, "UPDATE t SET d = json_set(d, '$.a.b', 'plain') WHERE "
            "id = 9");
    refuses(&rig, "UPDATE t SET d = json_set(d, '$.\"it''s\"[0].B', 'plain') "
            "WHERE id = 1");
    assert_int_equal(set_to(&rig, ENVL_GUARD_STRICT), ENVL_E_FINDINGS);
    rig_close(&rig);
}

static void
siblings_and_conditions_count(void **state)
{
    static const struct rig_target spec = {
        .table = "t", .where = "t.kind = 'api' -- only",
        .fields = { { .column = "s", .into = "e", .keep_source = true },
                    { .column = "d", .path = { "p" }, .into = "e",
                      .keep_source = true } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, kind, s, e, d);"
             "INSERT INTO t VALUES (1,'api','plain','env1:k:A',"
             "'{\"p\":\"plain\",\"e\":\"env1:k:A\"}'),"
             "(2,'other','plain',NULL,NULL)");
    rig_bind(&rig, &spec);
    assert_set(&rig, ENVL_GUARD_MODERATE);
    rig_sql(&rig, "INSERT INTO t VALUES (3,'other','plain',NULL,NULL)");
    rig_sql(&rig, "UPDATE t SET s = 'new plain', e = 'env1:k:B' WHERE "
            "id = 1");
    refuses(&rig, "UPDATE t SET s = 'stale plain' WHERE id = 1");
    refuses(&rig, "UPDATE t SET e = NULL WHERE id = 1");
    refuses(&rig, "UPDATE t SET kind = 'api' WHERE id = 2");
    refuses(&rig, "UPDATE t SET d = json_remove(d, '$.e') WHERE id = 1");
    refuses(&rig, "INSERT INTO t VALUES (4,'api',NULL,NULL,"
            "'{\"p\":\"plain\"}')");
    rig_sql(&rig, "INSERT INTO t VALUES (4,'api',NULL,NULL,'{\"p\":"
            "\"plain\",\"e\":\"env1:k:A\"}')");
    assert_set(&rig, ENVL_GUARD_STRICT);
    rig_close(&rig);
}

static void
off_leaves_the_schema_as_it_was(void **state)
{
    static const struct rig_target odd = {
        .table = "a \"b\" 'c'", .fields = { { .column = "s \"' %s" } },
    };
    static const char dump[] = "SELECT group_concat(sql, ';') FROM "
                               "sqlite_schema";
    char *before;
    struct rig rig;
    sqlite3_stmt *row;

    (void)state;
    rig_open(&rig, "CREATE TABLE \"a \"\"b\"\" 'c'\" (id INTEGER PRIMARY KEY,"
             " \"s \"\"' %s\")");
    assert_int_equal(sqlite3_prepare_v2(rig.other, dump, -1, &row, NULL),
                     SQLITE_OK);
    sqlite3_step(row);
    before = strdup((const char *)sqlite3_column_text(row, 0));
    sqlite3_finalize(row);
    rig_bind(&rig, &odd);
    for (int stage = ENVL_GUARD_OBSERVE; stage <= ENVL_GUARD_STRICT;
         stage++) {
        assert_set(&rig, (enum envl_guard_stage)stage);
        assert_true(rig_number(&rig, "SELECT count(*) FROM sqlite_schema "
                               "WHERE type = 'trigger'") == 2);
        assert_set(&rig, ENVL_GUARD_OFF);
        rig_assert_text(&rig, dump, before);
        assert_set(&rig, ENVL_GUARD_OFF);
        assert_stage(&rig, ENVL_GUARD_OFF, 0);
    }
    free(before);
    rig_close(&rig);
}

static void
what_somebody_changed_is_told(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, s, o)");
    rig_bind(&rig, &column);
    assert_set(&rig, ENVL_GUARD_MODERATE);
    rig_bind(&rig, &(struct rig_target){ .table = "t", .fields = {
        { .column = "s" }, { .column = "o" } } });
    assert_stage(&rig, ENVL_GUARD_OFF, 0);
    assert_int_equal(look(&rig).asked, ENVL_GUARD_MODERATE);
    assert_set(&rig, ENVL_GUARD_MODERATE);
    refuses(&rig, "INSERT INTO t VALUES (1,NULL,'plain')");
    assert_stage(&rig, ENVL_GUARD_MODERATE, 0);
    rig_close(&rig);
}

/* A guard does not stop a sweep, nor is it a change of the schema to it. */
static void
a_sweep_goes_on_under_a_guard(void **state)
{
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, s);"
             "INSERT INTO t VALUES (1,'plain'),(2,'plain')");
    rig_bind(&rig, &column);
    page = rig_read(&rig);
    assert_set(&rig, ENVL_GUARD_MODERATE);
    assert_int_equal(rig_write_one(&rig, page,
                                   rig_edit(0, 0, 0, "env1:k:A")),
                     ENVL_WRITTEN);
    OPS->page_free(page);
    rig_bind(&rig, &column);
    assert_null(strstr(rig.notes, "trigger"));
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stage_does_what_it_says),
        cmocka_unit_test(documents_are_judged_place_by_place),
        cmocka_unit_test(siblings_and_conditions_count),
        cmocka_unit_test(off_leaves_the_schema_as_it_was),
        cmocka_unit_test(what_somebody_changed_is_told),
        cmocka_unit_test(a_sweep_goes_on_under_a_guard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
