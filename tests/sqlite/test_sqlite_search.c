/*
 * The search for what is left: no plaintext escapes it, of whatever class.
 * spec: MIG-51
 */
#include "rig.h"

/* Rows of t(id, ...): those with a negative id are to be found. */
static void
assert_found(struct rig *rig, const struct rig_target *spec, const char *kid)
{
    struct envl_read read = { .rows = 1000, .bytes = 1u << 22,
                              .unsealed = kid };
    struct envl_page *page = NULL;

    rig_bind(rig, spec);
    assert_true(OPS->target_info(rig->target)->finds_unsealed);
    assert_int_equal(OPS->read_begin(rig->target, &read, &rig->err), ENVL_OK);
    assert_int_equal(OPS->read_end(rig->target, &page, &rig->err), ENVL_OK);
    assert_true(page->end);
    for (uint32_t i = 0; i < page->count; i++)
        assert_int_equal(page->rows[i].name.ptr[3], '-');
    assert_int_equal(page->count,
                     rig_number(rig, "SELECT count(*) FROM t WHERE id < 0"));
    OPS->page_free(page);
}

static void
values_of_every_class_are_found(void **state)
{
    static const struct rig_target spec = { .table = "t",
                                            .fields = { { .column = "s" } } };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, s);"
             "INSERT INTO t VALUES (1,NULL),(2,'env1:k1:AA'),(3,'env1:k2:AA'),"
             "(4,x'9e45560100026b32aa'),(-1,''),(-2,x''),(-3,'ENV1:k1:AA'),"
             "(-4,' env1:k1:AA'),(-5,7),(-6,1.5),(-7,x'9e4556'),"
             "(-8,CAST('env1:k1:AA' AS BLOB)),(-9,'plain')");
    assert_found(&rig, &spec, "");
    rig_sql(&rig, "INSERT INTO t VALUES (-10,'env1:k22:AA'),(-11,'env1:k2'),"
            "(-12,x'9e45560100026b31aa'),(-13,x'9e45560100036b3232')");
    rig_sql(&rig, "UPDATE t SET id = -14 WHERE id = 2");
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
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, s, e);"
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
        .table = "t", .where = "b IS NOT 'out'",
        .fields = { { .column = "a" }, { .column = "b", .into = "c" } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c);"
             "INSERT INTO t VALUES (1,NULL,NULL,NULL),"
             "(2,'env1:k:A',NULL,'env1:k:A'),(3,'plain','out',NULL),"
             "(-1,NULL,NULL,'plain'),(-2,NULL,'plain','env1:k:A'),"
             "(-3,'plain',NULL,NULL),(-4,'plain',NULL,'env1:k:A')");
    assert_found(&rig, &spec, "");
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_class_are_found),
        cmocka_unit_test(a_source_and_its_sibling_are_both_looked_at),
        cmocka_unit_test(each_field_counts_and_the_condition_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
