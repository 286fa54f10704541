/*
 * Rows that cannot be written now or at all: locked, refused, rewritten.
 */
#include "rig.h"

#define ROWS "CREATE TABLE t (id int PRIMARY KEY, s text, n text, b bytea);" \
             "INSERT INTO t SELECT i, 'PLAIN-' || i, 'n' || i FROM " \
             "generate_series(1, 5) i"

static const struct rig_target plain = {
    .table = "t", .fields = { { .column = "s" } }
};

/* Edit leaf 0 of every row. */
static uint32_t
edit_all(const struct envl_page *page, struct envl_edit *edits,
         const char *text)
{
    for (uint32_t i = 0; i < page->count; i++)
        edits[i] = rig_edit(i, 0, 0, text);
    return page->count;
}

static void
a_locked_row_is_waited_for_shortly_then_left_out(void **state)
{
    enum envl_outcome outcomes[5];
    struct envl_edit edits[5];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    rig_sql(&rig, "BEGIN; SELECT 1 FROM t WHERE id = 3 FOR UPDATE");
    assert_int_equal(rig_write(&rig, page, edits,
                               edit_all(page, edits, "sealed"), outcomes),
                     ENVL_E_LOCKED);
    assert_int_equal(rig_write(&rig, page, edits,
                               edit_all(page, edits, "sealed"), outcomes),
                     ENVL_OK);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(outcomes[i], i == 2 ? ENVL_BUSY : ENVL_WRITTEN);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    rig_sql(&rig, "COMMIT");
    OPS->page_free(page);

    page = rig_read(&rig);
    assert_int_equal(rig_write_one(&rig, page, rig_edit(2, 0, 0, "sealed")),
                     ENVL_WRITTEN);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
rows_read_again_by_key_are_never_waited_for(void **state)
{
    struct rig rig;
    struct envl_page *page;
    struct envl_bytes key = { (const uint8_t *)"=3", 2 };
    struct envl_read read = { .rows = 1, .keys = &key, .key_count = 1 };

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    rig_sql(&rig, "BEGIN; SELECT 1 FROM t WHERE id = 3 FOR UPDATE");
    for (int by_value = 0; by_value < 2; by_value++) {
        read.by_value = by_value;
        page = rig_read_as(&rig, &read);
        assert_int_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "x")),
                         ENVL_BUSY);
        OPS->page_free(page);
    }
    rig_sql(&rig, "UPDATE t SET s = 'app' WHERE id = 3");
    page = rig_read_as(&rig, &read);
    rig_sql(&rig, "COMMIT");
    assert_int_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "x")),
                     ENVL_CHANGED);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
only_the_rows_that_are_refused_are_left(void **state)
{
    enum envl_outcome outcomes[40];
    struct envl_edit edits[40];
    struct envl_page *page;
    struct rig rig;
    uint32_t refused = 0;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s varchar(20) CHECK "
             "(s <> 'bad'), n text); INSERT INTO t SELECT i, 's' || i, "
             "'PLAIN' FROM generate_series(1, 40) i");
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    edit_all(page, edits, "sealed");
    edits[0] = rig_edit(0, 0, 0, "bad");
    edits[17] = rig_edit(17, 0, 0, "much too long for the column");
    edits[18] = rig_edit(18, 0, 0, "bad");
    edits[39] = rig_edit(39, 0, 0, "bad");
    assert_int_equal(rig_write(&rig, page, edits, 40, outcomes), ENVL_OK);
    for (uint32_t i = 0; i < 40; i++) {
        bool bad = i == 0 || i == 17 || i == 18 || i == 39;

        assert_int_equal(outcomes[i], bad ? ENVL_REFUSED : ENVL_WRITTEN);
        refused += bad;
    }
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                "s = 'sealed'"), 40 - refused);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_trigger_that_rewrites_what_is_stored_stops_the_sweep(void **state)
{
    enum envl_outcome outcomes[5];
    struct envl_edit edits[5];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS "; CREATE FUNCTION f() RETURNS trigger LANGUAGE "
             "plpgsql AS $$ BEGIN NEW.s := upper(NEW.s); RETURN NEW; END $$;"
             "CREATE TRIGGER up BEFORE UPDATE ON t FOR EACH ROW WHEN "
             "(NEW.id = 4) EXECUTE FUNCTION f()");
    rig_bind(&rig, &plain);
    rig_assert_note(&rig, "trigger up fires for every row; it runs before");
    page = rig_read(&rig);
    assert_int_equal(rig_write(&rig, page, edits,
                               edit_all(page, edits, "sealed"), outcomes),
                     ENVL_E_DATABASE);
    assert_non_null(strstr(rig.err.message, "does not hold what was written"));
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                "s LIKE 'PLAIN%'"), 5);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_trigger_that_skips_the_row_is_not_called_written(void **state)
{
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS "; CREATE FUNCTION f() RETURNS trigger LANGUAGE "
             "plpgsql AS $$ BEGIN RETURN NULL; END $$;"
             "CREATE TRIGGER skip BEFORE UPDATE ON t FOR EACH ROW EXECUTE "
             "FUNCTION f()");
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    assert_int_not_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "x")),
                         ENVL_WRITTEN);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
the_servers_log_holds_no_value(void **state)
{
    (void)state;
    assert_true(cluster_log_holds("envl_new"));
    assert_false(cluster_log_holds("PLAIN"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_locked_row_is_waited_for_shortly_then_left_out),
        cmocka_unit_test(rows_read_again_by_key_are_never_waited_for),
        cmocka_unit_test(only_the_rows_that_are_refused_are_left),
        cmocka_unit_test(
            a_trigger_that_rewrites_what_is_stored_stops_the_sweep),
        cmocka_unit_test(a_trigger_that_skips_the_row_is_not_called_written),
        cmocka_unit_test(the_servers_log_holds_no_value),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
