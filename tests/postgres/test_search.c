/*
 * The search for what is left: no plaintext escapes it, in any kind of field.
 * spec: MIG-51
 */
#include "rig.h"

/* Rows of t(id, ...): those with a negative id are to be found. */
static void
assert_found(struct rig *rig, const struct rig_target *spec, const char *kid)
{
    struct envl_read read = { .rows = 1000, .bytes = 1u << 22,
                              .unsealed = kid };
    struct envl_page *page;

    rig_bind(rig, spec);
    assert_true(OPS->target_info(rig->target)->finds_unsealed);
    page = rig_read_as(rig, &read);
    assert_true(page->end);
    for (uint32_t i = 0; i < page->count; i++)
        assert_int_equal(page->rows[i].name.ptr[3], '-');
    assert_int_equal(page->count,
                     rig_number(rig, "SELECT count(*) FROM t WHERE id < 0"));
    OPS->page_free(page);
}

static void
text_that_does_not_begin_like_an_envelope_is_found(void **state)
{
    static const struct rig_target spec = { .table = "t",
                                            .fields = { { .column = "s" } } };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text);"
             "INSERT INTO t VALUES (1,NULL),(2,'env1:k1:AA'),(3,'env1:k2:AA'),"
             "(-1,''),(-2,'env1'),(-3,'ENV1:k1:AA'),(-4,' env1:k1:AA'),"
             "(-5,'plain'),(-6,'{\"env\":1,\"payload\":\"\"}'),"
             "(-7,repeat('large',100000))");
    assert_found(&rig, &spec, "");
    rig_sql(&rig, "INSERT INTO t VALUES (-8,'env1:k22:AA'),(-9,'env1:k2')");
    rig_sql(&rig, "UPDATE t SET id = -10 WHERE s = 'env1:k1:AA'");
    assert_found(&rig, &spec, "k2");
    rig_close(&rig);
}

static void
bytes_that_do_not_begin_like_an_envelope_are_found(void **state)
{
    static const struct rig_target spec = { .table = "t",
                                            .fields = { { .column = "s" } } };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s bytea);"
             "INSERT INTO t VALUES (1,NULL),(2,'\\x9e45560100026b32aa'),"
             "(3,'\\x9e45560150026b32aa'),(-1,''),(-2,'\\x9e4556'),"
             "(-3,'plain'),(-4,'env1:k2:AA'),(-5,'\\x9e455602')");
    assert_found(&rig, &spec, "");
    rig_sql(&rig, "INSERT INTO t VALUES (-6,'\\x9e45560100026b31aa'),"
            "(-7,'\\x9e45560100036b3232'),(-8,'\\x9e45560100')");
    assert_found(&rig, &spec, "k2");
    rig_close(&rig);
}

static void
documents_that_only_resemble_an_envelope_are_found(void **state)
{
    static const struct rig_target spec = {
        .table = "t", .fields = { { .column = "d", .path = { "a" } } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, d jsonb);"
             "INSERT INTO t SELECT id, jsonb_build_object('a', a::jsonb) FROM "
             "(VALUES (1,'\"env1:k2:AA\"'),"
             "(2,'{\"env\":1,\"kid\":\"k2\",\"payload\":\"AA\"}'),"
             "(-1,'\"plain\"'),(-2,'1e400'),(-3,'[\"env\",\"payload\"]'),"
             "(-4,'{\"env\":\"prod\",\"payload\":\"plain\"}'),"
             "(-5,'{\"env\":null,\"payload\":\"plain\"}'),"
             "(-6,'{\"env\":true,\"payload\":\"plain\"}'),"
             "(-7,'{\"env\":[1],\"payload\":\"plain\"}'),"
             "(-8,'{\"env\":\"1\",\"payload\":\"plain\"}'),"
             "(-9,'{\"env\":1,\"value\":\"plain\"}'),(-10,'{}'),(-11,'false'),"
             "(-12,'{\"payload\":\"plain\"}')) AS v(id, a);"
             "INSERT INTO t VALUES (4,NULL),(5,'{}'),(6,'[]'),(7,'\"a\"')");
    assert_found(&rig, &spec, "");
    rig_sql(&rig, "INSERT INTO t VALUES (-13,'{\"a\":{\"env\":1,\"kid\":"
            "\"k1\",\"payload\":\"AA\"}}'),(-14,'{\"a\":{\"env\":1,"
            "\"payload\":\"AA\"}}'),(-15,'{\"a\":\"env1:k1:AA\"}')");
    assert_found(&rig, &spec, "k2");
    rig_close(&rig);
}

static void
a_source_and_its_sibling_are_both_looked_at(void **state)
{
    static const struct rig_target moved = {
        .table = "t", .fields = { { .column = "s", .into = "e" } },
    };
    static const struct rig_target kept = {
        .table = "t",
        .fields = { { .column = "s", .into = "e", .keep_source = true } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, e text);"
             "INSERT INTO t VALUES (1,NULL,NULL),(2,NULL,'env1:k2:AA'),"
             "(-1,'plain',NULL),(-2,'plain','env1:k2:AA'),(-3,NULL,'plain'),"
             "(-4,'plain','plain')");
    assert_found(&rig, &moved, "");
    rig_sql(&rig, "INSERT INTO t VALUES (-5,NULL,'env1:k1:AA')");
    assert_found(&rig, &moved, "k2");
    rig_sql(&rig, "UPDATE t SET id = 3 WHERE id = -2");
    assert_found(&rig, &kept, "k2");
    rig_sql(&rig, "UPDATE t SET id = 4 WHERE id = -5");
    assert_found(&rig, &kept, "");
    rig_close(&rig);
}

static void
each_field_counts_and_the_condition_holds(void **state)
{
    static const struct rig_target spec = {
        .table = "t", .where = "b IS DISTINCT FROM 'out' -- a comment",
        .fields = { { .column = "a" }, { .column = "b" },
                    { .column = "d", .path = { "x" } } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, a text, b text,"
             "d jsonb); INSERT INTO t VALUES (1,NULL,NULL,NULL),"
             "(2,'env1:k:A',NULL,NULL),(3,'plain','out',NULL),"
             "(-1,NULL,NULL,'{\"x\":1}'),(-2,NULL,'plain',NULL),"
             "(-3,'plain',NULL,NULL),(-4,'env1:k:A','plain','{}')");
    assert_found(&rig, &spec, "");
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_does_not_begin_like_an_envelope_is_found),
        cmocka_unit_test(bytes_that_do_not_begin_like_an_envelope_are_found),
        cmocka_unit_test(documents_that_only_resemble_an_envelope_are_found),
        cmocka_unit_test(a_source_and_its_sibling_are_both_looked_at),
        cmocka_unit_test(each_field_counts_and_the_condition_holds),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
