/*
 * Guards on every kind of place: members, wildcards, siblings, bytes,
 * conditions.  spec: MIG-60, MIG-62
 */
#include "guard_rig.h"

static void
set_on(struct rig *rig, const struct rig_target *spec,
       enum envl_guard_stage stage)
{
    rig_bind(rig, spec);
    guard_assert_set(rig, stage);
}

static void
bytes_are_judged_by_their_beginning(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, b bytea)");
    set_on(&rig, &(struct rig_target){ .table = "t",
                                       .fields = { { .column = "b" } } },
           ENVL_GUARD_STRICT);
    guard_allows(&rig, "INSERT INTO t VALUES (1,'\\x9e45560100026b32aa'),"
                 "(2,NULL),(3,'')");
    guard_refuses(&rig, "INSERT INTO t VALUES (4,'plain')");
    guard_refuses(&rig, "INSERT INTO t VALUES (4,'env1:k:A')");
    guard_refuses(&rig, "UPDATE t SET b = '\\x9e4556' WHERE id = 1");
    rig_close(&rig);
}

static void
members_of_documents_are_judged_by_themselves(void **state)
{
    static const struct rig_target spec = {
        .table = "t", .fields = { { .column = "d", .path = { "a", "b" } } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, d jsonb);"
             "INSERT INTO t VALUES (1,'{\"a\":{\"b\":\"old plain\"}}'),"
             "(2,'{\"a\":{\"b\":\"env1:k:A\"},\"x\":1}')");
    set_on(&rig, &spec, ENVL_GUARD_MODERATE);
    guard_allows(&rig, "UPDATE t SET d = d || '{\"x\":2}'");
    guard_allows(&rig, "INSERT INTO t VALUES (3,NULL),(4,'{}'),(5,'[]'),"
                 "(6,'{\"a\":{\"b\":null}}'),(7,'{\"a\":{\"b\":\"\"}}'),"
                 "(8,'{\"a\":{\"b\":{\"env\":1,\"kid\":\"k\",\"payload\":"
                 "\"A\"}}}'),(9,'{\"a\":[{\"b\":\"plain\"}],\"b\":1}')");
    guard_refuses(&rig, "INSERT INTO t VALUES (10,'{\"a\":{\"b\":"
                  "\"plain\"}}')");
    guard_refuses(&rig, "INSERT INTO t VALUES (10,'{\"a\":{\"b\":7}}')");
    guard_refuses(&rig, "INSERT INTO t VALUES (10,'{\"a\":{\"b\":{\"env\":"
                  "\"prod\",\"payload\":\"plain\"}}}')");
    guard_refuses(&rig, "UPDATE t SET d = jsonb_set(d, '{a,b}', "
                  "'\"plain\"') WHERE id = 2");
    guard_refuses(&rig, "UPDATE t SET d = jsonb_set(d, '{a,b}', "
                  "'\"other plain\"') WHERE id = 1");
    rig_close(&rig);
}

static void
a_whole_document_is_an_envelope_or_is_refused(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, d jsonb)");
    set_on(&rig, &(struct rig_target){ .table = "t",
                                       .fields = { { .column = "d" } } },
           ENVL_GUARD_STRICT);
    guard_allows(&rig, "INSERT INTO t VALUES (1,'\"env1:k:A\"'),(2,'null'),"
                 "(3,'{\"env\":1,\"kid\":\"k\",\"payload\":\"A\"}')");
    guard_refuses(&rig, "INSERT INTO t VALUES (4,'{\"a\":\"plain\"}')");
    guard_refuses(&rig, "INSERT INTO t VALUES (4,'[]')");
    rig_close(&rig);
}

static void
wildcards_compare_what_stood_there_before(void **state)
{
    static const struct rig_target spec = {
        .table = "t",
        .fields = { { .column = "d",
                      .path = { "hooks", "[*]", "headers", "*" } } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, d jsonb);"
             "INSERT INTO t VALUES (1,'{\"n\":1,\"hooks\":[{\"headers\":"
             "{\"A\":\"old plain\",\"B\":\"env1:k:A\"}},{},7,"
             "{\"headers\":{\"A\":\"older plain\"}}]}')");
    set_on(&rig, &spec, ENVL_GUARD_MODERATE);
    guard_allows(&rig, "UPDATE t SET d = d || '{\"n\":2}'");
    guard_allows(&rig, "UPDATE t SET d = d #- '{hooks,0}'");
    guard_allows(&rig, "UPDATE t SET d = jsonb_set(d, '{hooks,2,headers,C}', "
                 "'\"env1:k:B\"')");
    guard_refuses(&rig, "UPDATE t SET d = jsonb_set(d, '{hooks,2,headers,D}',"
                  " '\"plain\"')");
    guard_refuses(&rig, "UPDATE t SET d = jsonb_set(d, '{hooks,0}', "
                  "'{\"headers\":{\"A\":\"older plain\"}}')");
    guard_refuses(&rig, "INSERT INTO t SELECT 2, d FROM t");
    guard_allows(&rig, "INSERT INTO t VALUES (3,'{\"hooks\":{\"headers\":"
                 "{\"A\":\"plain\"}}}'),(4,'[]'),(5,NULL),(6,'3')");
    assert_int_equal(guard_set_to(&rig, ENVL_GUARD_STRICT), ENVL_E_FINDINGS);
    rig_sql(&rig, "DELETE FROM t WHERE id = 1");
    guard_assert_set(&rig, ENVL_GUARD_STRICT);
    guard_refuses(&rig, "INSERT INTO t VALUES (2,'{\"hooks\":[{\"headers\":"
                  "{\"A\":\"plain\"}}]}')");
    rig_close(&rig);
}

static void
a_sibling_takes_the_place_of_its_source(void **state)
{
    static const struct rig_target moved = {
        .table = "t", .fields = { { .column = "s", .into = "e" } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, e text, "
             "x int); INSERT INTO t VALUES (1,'old plain',"
             "NULL),(2,NULL,'env1:k:A')");
    set_on(&rig, &moved, ENVL_GUARD_MODERATE);
    guard_allows(&rig, "UPDATE t SET x = 1");
    guard_allows(&rig, "UPDATE t SET s = NULL, e = 'env1:k:B' WHERE id = 1");
    guard_refuses(&rig, "INSERT INTO t VALUES (3,'plain','env1:k:A')");
    guard_refuses(&rig, "INSERT INTO t VALUES (3,NULL,'plain')");
    guard_refuses(&rig, "UPDATE t SET e = 'plain' WHERE id = 1");
    rig_close(&rig);
}

static void
sibling_mode_wants_an_envelope_beside_each_new_source(void **state)
{
    static const struct rig_target kept = {
        .table = "t",
        .fields = { { .column = "s", .into = "e", .keep_source = true },
                    { .column = "d", .path = { "s" }, .into = "e",
                      .keep_source = true },
                    { .column = "d", .path = { "l", "[*]", "s" },
                      .into = "e", .keep_source = true } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, e bytea, "
             "d jsonb, x int); INSERT INTO t VALUES "
             "(1,'old plain',NULL),(2,'both plain','\\x9e45560100026b32aa')");
    set_on(&rig, &kept, ENVL_GUARD_MODERATE);
    guard_allows(&rig, "UPDATE t SET x = 1");
    guard_allows(&rig, "UPDATE t SET e = '\\x9e45560100026b32bb'");
    guard_allows(&rig, "UPDATE t SET s = 'new plain', "
                 "e = '\\x9e45560100026b32cc' WHERE id = 2");
    guard_refuses(&rig, "UPDATE t SET s = 'stale plain' WHERE id = 2");
    guard_refuses(&rig, "UPDATE t SET e = NULL WHERE id = 2");
    guard_refuses(&rig, "INSERT INTO t VALUES (3,'plain')");
    guard_refuses(&rig, "INSERT INTO t VALUES (3,NULL,NULL,"
                  "'{\"s\":\"plain\"}')");
    guard_refuses(&rig, "INSERT INTO t VALUES (3,NULL,NULL,"
                  "'{\"l\":[{\"s\":\"plain\"}]}')");
    guard_allows(&rig, "INSERT INTO t VALUES (4,NULL,NULL,'{\"s\":\"plain\","
                 "\"e\":\"env1:k:A\",\"l\":[{\"s\":\"plain\","
                 "\"e\":\"env1:k:A\"}]}')");
    guard_refuses(&rig, "UPDATE t SET d = jsonb_set(d, '{s}', "
                  "'\"stale plain\"') WHERE id = 4");
    guard_assert_set(&rig, ENVL_GUARD_STRICT);
    rig_close(&rig);
}

static void
the_condition_limits_the_guard(void **state)
{
    static const struct rig_target spec = {
        .table = "t", .where = "kind = 'api' AND t.n > 0 -- only these",
        .fields = { { .column = "s" } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, kind text, n int, "
             "s text); INSERT INTO t VALUES (1,'other',1,'plain')");
    set_on(&rig, &spec, ENVL_GUARD_STRICT);
    guard_allows(&rig, "INSERT INTO t VALUES (2,'other',1,'plain'),"
                 "(3,NULL,1,'plain'),(4,'api',0,'plain')");
    guard_refuses(&rig, "INSERT INTO t VALUES (5,'api',1,'plain')");
    /* Old plaintext that comes under the condition is new to it. */
    guard_refuses(&rig, "UPDATE t SET kind = 'api' WHERE id = 1");
    guard_allows(&rig, "UPDATE t SET kind = 'else' WHERE id = 1");
    rig_close(&rig);
}

static void
a_condition_that_needs_a_search_path_is_refused(void **state)
{
    static const struct rig_target spec = {
        .table = "t", .where = "mine(s)", .fields = { { .column = "s" } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text);"
             "CREATE FUNCTION mine(text) RETURNS bool LANGUAGE sql AS "
             "'SELECT true'");
    rig_bind(&rig, &spec);
    assert_int_not_equal(guard_set_to(&rig, ENVL_GUARD_OBSERVE), ENVL_OK);
    assert_non_null(strstr(rig.err.hint, "schema"));
    guard_assert_stage(&rig, ENVL_GUARD_OFF, 0);
    rig_bind(&rig, &(struct rig_target){ .table = "t",
             .where = "public.mine(s)", .fields = { { .column = "s" } } });
    guard_assert_set(&rig, ENVL_GUARD_MODERATE);
    guard_refuses(&rig, "INSERT INTO t VALUES (1,'plain')");
    rig_close(&rig);
}

static void
empty_values_are_plaintext_only_where_the_job_seals_them(void **state)
{
    static const bool none[1] = { false };
    struct envl_guard_spec strict = { "j", ENVL_GUARD_MODERATE, none };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text)");
    rig_bind(&rig, &(struct rig_target){ .table = "t",
             .fields = { { .column = "s" } } });
    assert_int_equal(OPS->guard_set(rig.target, &strict, &rig.err), ENVL_OK);
    guard_refuses(&rig, "INSERT INTO t VALUES (1,'')");
    guard_allows(&rig, "INSERT INTO t VALUES (1,NULL)");
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_judged_by_their_beginning),
        cmocka_unit_test(members_of_documents_are_judged_by_themselves),
        cmocka_unit_test(a_whole_document_is_an_envelope_or_is_refused),
        cmocka_unit_test(wildcards_compare_what_stood_there_before),
        cmocka_unit_test(a_sibling_takes_the_place_of_its_source),
        cmocka_unit_test(
            sibling_mode_wants_an_envelope_beside_each_new_source),
        cmocka_unit_test(the_condition_limits_the_guard),
        cmocka_unit_test(a_condition_that_needs_a_search_path_is_refused),
        cmocka_unit_test(
            empty_values_are_plaintext_only_where_the_job_seals_them),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
