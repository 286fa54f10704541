/*
 * Compare-and-swap: an application comes between the read and the write.
 *
 * Values begin with PLAIN, so that one look at the server's log tells whether
 * the plugin made it write one.
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

static struct envl_page *
read_by(struct rig *rig, bool by_value)
{
    struct envl_read read = { .rows = 100, .by_value = by_value };

    return rig_read_as(rig, &read);
}

static void
every_row_is_written_and_nothing_else_changes(void **state)
{
    struct rig rig;

    (void)state;
    for (int by_value = 0; by_value < 2; by_value++) {
        struct envl_edit edits[5];
        enum envl_outcome outcomes[5];
        struct envl_page *page;

        rig_open(&rig, ROWS);
        rig_bind(&rig, &plain);
        page = read_by(&rig, by_value);
        assert_int_equal(rig_write(&rig, page, edits,
                                   edit_all(page, edits, "sealed"), outcomes),
                         ENVL_OK);
        for (uint32_t i = 0; i < 5; i++)
            assert_int_equal(outcomes[i], ENVL_WRITTEN);
        assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE s LIKE "
                                    "'PLAIN%'"), 5);
        assert_int_equal(rig_commit(&rig), ENVL_OK);
        OPS->page_free(page);
        assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE s = "
                                    "'sealed' AND n = 'n' || id"), 5);
        rig_close(&rig);
    }
}

/* What an application does between our read and our write, and what becomes
   of row 3 then. */
static const struct meddling {
    const char *sql;
    enum envl_outcome by_version, by_value;
    const char *after; /* what row 3 holds in the end, by version */
} meddlings[] = {
    { "UPDATE t SET s = 'app' WHERE id = 3", ENVL_CHANGED, ENVL_CHANGED,
      "app" },
    { "UPDATE t SET n = 'app' WHERE id = 3", ENVL_CHANGED, ENVL_WRITTEN,
      "PLAIN-3" },
    { "DELETE FROM t WHERE id = 3", ENVL_CHANGED, ENVL_CHANGED, NULL },
    { "DELETE FROM t WHERE id = 3; INSERT INTO t VALUES (3, 'app')",
      ENVL_CHANGED, ENVL_CHANGED, "app" },
    { "UPDATE t SET s = NULL WHERE id = 3", ENVL_CHANGED, ENVL_CHANGED,
      NULL },
    { "UPDATE t SET id = 30 WHERE id = 3", ENVL_CHANGED, ENVL_CHANGED, NULL },
    { "UPDATE t SET s = s || ' ' WHERE id = 3", ENVL_CHANGED, ENVL_CHANGED,
      "PLAIN-3 " },
    { "INSERT INTO t VALUES (6, 'app')", ENVL_WRITTEN, ENVL_WRITTEN,
      "sealed" },
    { "DELETE FROM t WHERE id < 3; VACUUM t; UPDATE t SET s = 'app', n = 'x' "
      "WHERE id = 3; VACUUM t; INSERT INTO t VALUES (9, 'new'), (10, 'new')",
      ENVL_CHANGED, ENVL_CHANGED, "app" },
    /* The row comes back to the place where it was read (or 1 / 0). */
    { "CREATE INDEX ON t (n); UPDATE t SET n = 'x' WHERE id = 3; VACUUM t; "
      "UPDATE t SET s = 'app', n = 'y' WHERE id = 3; SELECT 1 / count(*) "
      "FROM t WHERE id = 3 AND ctid = '(0,3)'",
      ENVL_CHANGED, ENVL_CHANGED, "app" },
};

static void
run_meddling(const struct meddling *one, bool by_value)
{
    enum envl_outcome outcomes[5] = { 0 };
    struct envl_edit edits[5];
    struct envl_page *page;
    struct rig rig;
    const char *rest = one->sql, *next;
    char sql[256];

    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    page = read_by(&rig, by_value);
    for (; rest != NULL; rest = next == NULL ? NULL : next + 1) {
        next = strchr(rest, ';');
        snprintf(sql, sizeof(sql), "%.*s",
                 (int)(next == NULL ? strlen(rest) : (size_t)(next - rest)),
                 rest);
        rig_sql(&rig, sql);
    }
    assert_int_equal(rig_write(&rig, page, edits,
                               edit_all(page, edits, "sealed"), outcomes),
                     ENVL_OK);
    assert_int_equal(outcomes[2], by_value ? one->by_value : one->by_version);
    assert_int_equal(outcomes[3], ENVL_WRITTEN);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    if (!by_value)
        rig_assert_text(&rig, "SELECT (SELECT s FROM t WHERE id = 3)",
                        one->after);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                "id IN (9, 10) AND s <> 'new'"), 0);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_row_that_changed_is_never_overwritten(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(meddlings) / sizeof(meddlings[0]); i++) {
        run_meddling(&meddlings[i], false);
        run_meddling(&meddlings[i], true);
    }
}

/* VACUUM FULL gives rows new places and keeps their xmin. */
static void
rows_that_were_moved_are_not_mistaken(void **state)
{
    enum envl_outcome outcomes[5];
    struct envl_edit edits[5];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    rig_sql(&rig, "DELETE FROM t WHERE id = 1");
    rig_sql(&rig, "VACUUM FULL t");
    assert_int_equal(rig_write(&rig, page, edits,
                               edit_all(page, edits, "sealed"), outcomes),
                     ENVL_OK);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(outcomes[i], ENVL_CHANGED);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                "s = 'PLAIN-' || id"), 4);
    OPS->page_free(page);
    rig_close(&rig);
}

/* A writer that has not committed when we come, and commits while we wait. */
static void
a_change_that_commits_while_we_wait_is_kept(void **state)
{
    enum envl_outcome outcomes[5];
    struct envl_edit edits[5];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    for (int by_value = 0; by_value < 2; by_value++) {
        rig_open(&rig, ROWS);
        rig.host.lock_ms = 5000;
        rig_reopen(&rig, "postgres");
        rig_bind(&rig, &plain);
        page = read_by(&rig, by_value);
        rig_sql(&rig, "BEGIN; UPDATE t SET s = 'app' WHERE id = 3;"
                "UPDATE t SET n = 'app' WHERE id = 4");
        assert_int_equal(OPS->write_begin(rig.target, page, edits,
                                          edit_all(page, edits, "sealed"),
                                          &rig.err), ENVL_OK);
        rig_sql(&rig, "SELECT pg_sleep(0.2); COMMIT");
        assert_int_equal(OPS->write_end(rig.target, outcomes, &rig.err),
                         ENVL_OK);
        assert_int_equal(outcomes[2], ENVL_CHANGED);
        assert_int_equal(outcomes[3], by_value ? ENVL_WRITTEN : ENVL_CHANGED);
        assert_int_equal(outcomes[4], ENVL_WRITTEN);
        assert_int_equal(rig_commit(&rig), ENVL_OK);
        rig_assert_text(&rig, "SELECT s FROM t WHERE id = 3", "app");
        OPS->page_free(page);
        rig_close(&rig);
    }
}

static void
all_fields_of_a_row_are_written_together(void **state)
{
    static const struct rig_target target = {
        .table = "t",
        .fields = { { .column = "s" }, { .column = "n", .into = "b" } },
    };
    struct envl_page *page;
    enum envl_outcome outcomes[5];
    struct envl_edit edits[3];
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS "; CREATE TABLE log (id int); CREATE FUNCTION f() "
             "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log "
             "VALUES (NEW.id); RETURN NULL; END $$; CREATE TRIGGER l AFTER "
             "UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()");
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    edits[0] = rig_edit(0, 1, ENVL_EDIT_INTO | ENVL_EDIT_CLEAR, "into-b");
    edits[1] = rig_edit(0, 0, 0, "sealed");
    edits[2] = rig_edit(1, 1, ENVL_EDIT_CLEAR, NULL);
    assert_int_equal(rig_write(&rig, page, edits, 3, outcomes), ENVL_OK);
    assert_int_equal(outcomes[0], ENVL_WRITTEN);
    assert_int_equal(outcomes[1], ENVL_WRITTEN);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM log"), 2);
    rig_assert_text(&rig, "SELECT concat(s, ',', n, ',', convert_from(b, "
                    "'UTF8')) FROM t WHERE id = 1", "sealed,,into-b");
    rig_assert_text(&rig, "SELECT n FROM t WHERE id = 2", NULL);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_rollback_leaves_nothing_and_the_store_goes_on(void **state)
{
    enum envl_outcome outcomes[5];
    struct envl_edit edits[5];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    OPS->rollback(rig.store);
    page = rig_read(&rig);
    assert_int_equal(rig_write(&rig, page, edits,
                               edit_all(page, edits, "sealed"), outcomes),
                     ENVL_OK);
    OPS->rollback(rig.store);
    OPS->rollback(rig.store);
    assert_int_equal(OPS->write_begin(rig.target, page, edits, 5, &rig.err),
                     ENVL_OK);
    OPS->rollback(rig.store);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                "s LIKE 'PLAIN%'"), 5);
    assert_int_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "x")),
                     ENVL_WRITTEN);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
the_next_page_is_read_ahead_of_write_and_commit(void **state)
{
    struct envl_page *page, *next;
    struct envl_commit commit = { .record = NULL };
    struct envl_read read = { .rows = 2 };
    enum envl_outcome outcomes[2];
    struct envl_edit edits[2];
    struct rig rig;
    uint32_t written = 0;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    page = rig_read_as(&rig, &read);
    for (bool committing = false; page != NULL; page = next) {
        bool end = page->end;

        next = NULL;
        read.after = page->rows[page->count - 1].key;
        if (!end)
            assert_int_equal(OPS->read_begin(rig.target, &read, &rig.err),
                             ENVL_OK);
        assert_int_equal(OPS->write_begin(rig.target, page, edits,
                                          edit_all(page, edits, "sealed"),
                                          &rig.err), ENVL_OK);
        if (committing)
            assert_int_equal(OPS->commit_end(rig.store, &rig.err), ENVL_OK);
        if (!end)
            assert_int_equal(OPS->read_end(rig.target, &next, &rig.err),
                             ENVL_OK);
        assert_int_equal(OPS->write_end(rig.target, outcomes, &rig.err),
                         ENVL_OK);
        for (uint32_t i = 0; i < page->count; i++)
            written += outcomes[i] == ENVL_WRITTEN;
        assert_int_equal(OPS->commit_begin(rig.store, &commit, &rig.err),
                         ENVL_OK);
        committing = true;
        OPS->page_free(page);
    }
    assert_int_equal(OPS->commit_end(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(written, 5);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                "s = 'sealed'"), 5);
    rig_close(&rig);
}

static void
a_partitioned_table_and_a_view_are_swept_too(void **state)
{
    static const struct rig_target targets[] = {
        { .table = "p", .fields = { { .column = "s" } } },
        { .table = "v", .keys = { "id" }, .fields = { { .column = "s" } } },
    };
    enum envl_outcome outcomes[6];
    struct envl_edit edits[6];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE p (id int PRIMARY KEY, s text) PARTITION BY "
             "RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) "
             "TO (4); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (4) TO "
             "(9); CREATE VIEW v AS SELECT * FROM p;"
             "INSERT INTO p SELECT i, 'PLAIN-' || i FROM "
             "generate_series(1, 6) i");
    for (size_t i = 0; i < 2; i++) {
        rig_bind(&rig, &targets[i]);
        page = rig_read(&rig);
        assert_int_equal(page->count, 6);
        rig_sql(&rig, "UPDATE p SET s = 'app' WHERE id = 5");
        assert_int_equal(rig_write(&rig, page, edits,
                                   edit_all(page, edits,
                                            i == 0 ? "first" : "second"),
                                   outcomes), ENVL_OK);
        for (uint32_t k = 0; k < 6; k++)
            assert_int_equal(outcomes[k], k == 4 && i == 0 ? ENVL_CHANGED
                                                           : ENVL_WRITTEN);
        assert_int_equal(rig_commit(&rig), ENVL_OK);
        OPS->page_free(page);
    }
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM p WHERE "
                                "s = 'second'"), 6);
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
        cmocka_unit_test(every_row_is_written_and_nothing_else_changes),
        cmocka_unit_test(a_row_that_changed_is_never_overwritten),
        cmocka_unit_test(rows_that_were_moved_are_not_mistaken),
        cmocka_unit_test(a_change_that_commits_while_we_wait_is_kept),
        cmocka_unit_test(all_fields_of_a_row_are_written_together),
        cmocka_unit_test(a_rollback_leaves_nothing_and_the_store_goes_on),
        cmocka_unit_test(the_next_page_is_read_ahead_of_write_and_commit),
        cmocka_unit_test(a_partitioned_table_and_a_view_are_swept_too),
        cmocka_unit_test(the_servers_log_holds_no_value),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
