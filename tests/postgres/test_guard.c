/*
 * Guards: plaintext is counted, then refused, and never shown; and nothing is
 * left of them.  spec: MIG-60, MIG-61, MIG-62, MIG-63, MIG-67
 */
#include "guard_rig.h"

static const struct rig_target plain = { .table = "t",
                                         .fields = { { .column = "s" } } };

static void
observe_counts_and_lets_every_write_happen(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, x int);"
             "INSERT INTO t VALUES (1,'old plain'),(2,NULL)");
    rig_bind(&rig, &plain);
    guard_assert_stage(&rig, ENVL_GUARD_OFF, 0);
    guard_assert_set(&rig, ENVL_GUARD_OBSERVE);
    guard_assert_stage(&rig, ENVL_GUARD_OBSERVE, 0);
    rig_sql(&rig, "INSERT INTO t VALUES (3,'env1:k:A'),(4,NULL),(5,'')");
    rig_sql(&rig, "UPDATE t SET x = 1");
    guard_assert_stage(&rig, ENVL_GUARD_OBSERVE, 0);
    rig_sql(&rig, "INSERT INTO t VALUES (6,'new plain'),(7,'more')");
    rig_sql(&rig, "UPDATE t SET s = 'and more' WHERE id = 3");
    guard_assert_stage(&rig, ENVL_GUARD_OBSERVE, 3);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t"), 7);
    assert_false(guard_look(&rig).enforced);
    /* The stage that is in force keeps its count. */
    guard_assert_set(&rig, ENVL_GUARD_OBSERVE);
    guard_assert_set(&rig, ENVL_GUARD_MODERATE);
    guard_assert_stage(&rig, ENVL_GUARD_MODERATE, 3);
    rig_close(&rig);
}

static void
moderate_refuses_new_plaintext_and_spares_old_rows(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, x int);"
             "INSERT INTO t VALUES (1,'old plain'),(2,'env1:k:A')");
    rig_bind(&rig, &plain);
    guard_assert_set(&rig, ENVL_GUARD_MODERATE);
    guard_allows(&rig, "UPDATE t SET x = 1, s = s");
    guard_allows(&rig, "UPDATE t SET s = 'env1:k:B' WHERE id = 1");
    guard_allows(&rig, "INSERT INTO t VALUES (3,'env1:k:A'),(4,NULL),(5,'')");
    guard_refuses(&rig, "UPDATE t SET s = 'old plain' WHERE id = 1");
    guard_refuses(&rig, "UPDATE t SET s = 'plain' WHERE id = 4");
    guard_refuses(&rig, "INSERT INTO t VALUES (6,'plain')");
    guard_refuses(&rig, "INSERT INTO t VALUES (1,'plain') ON CONFLICT (id) "
                  "DO UPDATE SET s = excluded.s");
    guard_refuses(&rig, "INSERT INTO t SELECT 7, 'ENV1:k:A'");
    guard_assert_stage(&rig, ENVL_GUARD_MODERATE, 5);
    assert_true(guard_look(&rig).enforced);
    rig_close(&rig);
}

static void
strict_is_given_only_when_no_plaintext_is_left(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text);"
             "INSERT INTO t VALUES (1,'old plain'),(2,'env1:k:A')");
    rig_bind(&rig, &plain);
    assert_int_equal(guard_set_to(&rig, ENVL_GUARD_STRICT), ENVL_E_FINDINGS);
    guard_assert_stage(&rig, ENVL_GUARD_MODERATE, 0);
    guard_refuses(&rig, "INSERT INTO t VALUES (3,'plain')");
    rig_sql(&rig, "UPDATE t SET s = 'env1:k:A' WHERE id = 1");
    guard_assert_set(&rig, ENVL_GUARD_STRICT);
    guard_assert_stage(&rig, ENVL_GUARD_STRICT, 1);
    guard_refuses(&rig, "INSERT INTO t VALUES (3,'plain')");
    /* The twin: without the triggers it is the check that refuses. */
    rig_sql(&rig, "SET session_replication_role = replica");
    assert_true(guard_says(&rig, "INSERT INTO t VALUES (3,'plain')",
                           "Failing row contains"));
    rig_sql(&rig, "RESET session_replication_role");
    guard_assert_set(&rig, ENVL_GUARD_STRICT);
    guard_assert_set(&rig, ENVL_GUARD_OBSERVE);
    guard_allows(&rig, "INSERT INTO t VALUES (3,'plain')");
    rig_close(&rig);
}

static void
off_leaves_the_schema_as_it_was(void **state)
{
    static const struct rig_target spec = {
        .table = "odd.\"T \"\"q\"\" $guard$\"", .where = "\"n\" > 0 -- so",
        .fields = { { .column = "s '\" $1" },
                    { .column = "d", .path = { "a'b", "[*]", "*" } },
                    { .column = "d", .path = { "x\\y" } } },
    };
    static const enum envl_guard_stage stages[] = {
        ENVL_GUARD_OBSERVE, ENVL_GUARD_MODERATE, ENVL_GUARD_STRICT
    };
    char *before, *after;
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE SCHEMA IF NOT EXISTS odd;"
             "DROP TABLE IF EXISTS odd.\"T \"\"q\"\" $guard$\";"
             "CREATE TABLE odd.\"T \"\"q\"\" $guard$\" (id int PRIMARY KEY, "
             "n int, \"s '\"\" $1\" varchar(900), d jsonb)");
    before = guard_dump();
    for (size_t i = 0; i < 3; i++) {
        rig_bind(&rig, &spec);
        guard_assert_set(&rig, stages[i]);
        after = guard_dump();
        assert_string_not_equal(before, after);
        free(after);
        if (i > 0)
            guard_refuses(&rig, "INSERT INTO odd.\"T \"\"q\"\" $guard$\" "
                          "VALUES (1, 1, NULL, '{\"x\\\\y\":\"plain\"}')");
        guard_assert_set(&rig, ENVL_GUARD_OFF);
        after = guard_dump();
        assert_string_equal(before, after);
        free(after);
        guard_assert_stage(&rig, ENVL_GUARD_OFF, 0);
        guard_assert_set(&rig, ENVL_GUARD_OFF);
    }
    free(before);
    rig_sql(&rig, "DROP SCHEMA odd CASCADE");
    rig_close(&rig);
}

static void
what_somebody_changed_is_told(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, o text)");
    rig_bind(&rig, &plain);
    guard_assert_set(&rig, ENVL_GUARD_STRICT);
    rig_sql(&rig, "ALTER TABLE t DISABLE TRIGGER USER");
    guard_assert_stage(&rig, ENVL_GUARD_OFF, 0);
    assert_int_equal(guard_look(&rig).asked, ENVL_GUARD_STRICT);
    assert_true(guard_gap(&rig, "set it again"));
    guard_assert_set(&rig, ENVL_GUARD_STRICT);
    rig_sql(&rig, "DO 'BEGIN EXECUTE (SELECT format(''ALTER TABLE t DROP "
            "CONSTRAINT %I'', conname) FROM pg_constraint WHERE conname LIKE "
            "''envelope_guard%''); END'");
    guard_assert_stage(&rig, ENVL_GUARD_MODERATE, 0);
    assert_true(guard_gap(&rig, "its check is gone"));
    guard_assert_set(&rig, ENVL_GUARD_MODERATE);
    assert_int_equal(guard_look(&rig).asked, ENVL_GUARD_MODERATE);
    /* A trigger of that name that watches nothing. */
    rig_sql(&rig, "DO 'DECLARE n text; f text; BEGIN SELECT tgname, "
            "tgfoid::regproc INTO n, f FROM pg_trigger WHERE tgname LIKE "
            "''zz_envelope%_i''; EXECUTE format(''DROP TRIGGER %I ON t'', n); "
            "EXECUTE format(''CREATE TRIGGER %I BEFORE INSERT ON t FOR EACH "
            "ROW WHEN (false) EXECUTE FUNCTION %s()'', n, f); END'");
    guard_assert_stage(&rig, ENVL_GUARD_OFF, 0);
    guard_assert_set(&rig, ENVL_GUARD_MODERATE);
    guard_refuses(&rig, "INSERT INTO t VALUES (1,'plain')");
    /* And a job that names more than it did. */
    rig_bind(&rig, &(struct rig_target){ .table = "t", .fields = {
        { .column = "s" }, { .column = "o" } } });
    assert_true(guard_gap(&rig, "fields are others"));
    guard_assert_set(&rig, ENVL_GUARD_MODERATE);
    guard_refuses(&rig, "INSERT INTO t VALUES (1,NULL,'plain')");
    rig_close(&rig);
}

static void
partitions_of_now_and_later_are_watched(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text) PARTITION BY "
             "RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) "
             "TO (10)");
    rig_bind(&rig, &plain);
    guard_assert_set(&rig, ENVL_GUARD_STRICT);
    rig_sql(&rig, "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO "
            "(20)");
    guard_refuses(&rig, "INSERT INTO t VALUES (1,'plain')");
    guard_refuses(&rig, "INSERT INTO t1 VALUES (1,'plain')");
    guard_refuses(&rig, "INSERT INTO t2 VALUES (11,'plain')");
    guard_allows(&rig, "INSERT INTO t VALUES (1,'env1:k:A')");
    guard_allows(&rig, "UPDATE t SET id = 12 WHERE id = 1");
    guard_assert_stage(&rig, ENVL_GUARD_STRICT, 3);
    rig_sql(&rig, "ALTER TABLE t2 DISABLE TRIGGER USER");
    assert_true(guard_gap(&rig, "triggers are off on"));
    guard_assert_stage(&rig, ENVL_GUARD_OFF, 3);
    rig_close(&rig);
}

static void
what_cannot_be_guarded_is_refused_with_the_reason(void **state)
{
    static const struct rig_target two = {
        .table = "t", .fields = { { .column = "s" }, { .column = "j" } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, j json);"
             "CREATE VIEW v AS SELECT * FROM t;"
             "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS "
             "'BEGIN NEW.s := ''plain''; RETURN NEW; END';");
    rig_bind(&rig, &(struct rig_target){ .table = "v", .keys = { "id" },
             .fields = { { .column = "s" } } });
    assert_int_equal(guard_set_to(&rig, ENVL_GUARD_OBSERVE), ENVL_E_POLICY);
    rig_bind(&rig, &(struct rig_target){ .table = "t",
             .fields = { { .column = "j" } } });
    assert_int_equal(guard_set_to(&rig, ENVL_GUARD_OBSERVE), ENVL_E_POLICY);
    rig_bind(&rig, &two);
    guard_assert_set(&rig, ENVL_GUARD_MODERATE);
    assert_true(guard_gap(&rig, "j is not guarded"));
    assert_int_equal(guard_set_to(&rig, ENVL_GUARD_STRICT), ENVL_E_POLICY);
    guard_assert_set(&rig, ENVL_GUARD_OFF);
    rig_bind(&rig, &plain);
    rig_sql(&rig, "CREATE TRIGGER zzz_late BEFORE INSERT ON t FOR EACH ROW "
            "EXECUTE FUNCTION late()");
    assert_int_equal(guard_set_to(&rig, ENVL_GUARD_STRICT), ENVL_E_POLICY);
    assert_non_null(strstr(rig.err.message, "zzz_late"));
    guard_assert_set(&rig, ENVL_GUARD_MODERATE);
    assert_true(guard_gap(&rig, "zzz_late"));
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observe_counts_and_lets_every_write_happen),
        cmocka_unit_test(moderate_refuses_new_plaintext_and_spares_old_rows),
        cmocka_unit_test(strict_is_given_only_when_no_plaintext_is_left),
        cmocka_unit_test(off_leaves_the_schema_as_it_was),
        cmocka_unit_test(what_somebody_changed_is_told),
        cmocka_unit_test(partitions_of_now_and_later_are_watched),
        cmocka_unit_test(what_cannot_be_guarded_is_refused_with_the_reason),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
