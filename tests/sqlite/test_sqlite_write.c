/*
 * The compare-and-swap against an application that writes between the read
 * and the write, and transactions that others are in the way of.
 */
#include "rig.h"

#define ROWS "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, n TEXT);" \
             "INSERT INTO t VALUES (1,'one','a'),(2,'two','b'),(3,'three','c');"

static const struct rig_target plain = { .table = "t",
                                         .fields = { { .column = "s" } } };

struct race {
    const char *name, *sql;
    enum envl_outcome outcome;
    const char *after; /* what the application finds */
};

/* Read row 2, let the application do its thing, write. */
static void
race(const char *schema, const struct race *race)
{
    struct envl_page *page;
    enum envl_outcome outcome;
    struct rig rig;

    rig_open(&rig, schema);
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    rig_sql(&rig, race->sql);
    outcome = rig_write_one(&rig, page, rig_edit(1, 0, 0, "env1:k:E"));
    if (outcome != race->outcome)
        fail_msg("%s: outcome %d", race->name, (int)outcome);
    rig_assert_text(&rig, "SELECT (SELECT group_concat(quote(s), ' ') FROM "
                    "(SELECT s FROM t ORDER BY 1))", race->after);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_write_lands_only_on_what_was_read(void **state)
{
    static const struct race races[] = {
        { "nobody", "", ENVL_WRITTEN, "'env1:k:E' 'one' 'three'" },
        { "another column", "UPDATE t SET n = 'z'", ENVL_WRITTEN,
          "'env1:k:E' 'one' 'three'" },
        { "the value", "UPDATE t SET s = 'new' WHERE id = 2", ENVL_CHANGED,
          "'new' 'one' 'three'" },
        { "its case", "UPDATE t SET s = 'TWO' WHERE id = 2", ENVL_CHANGED,
          "'TWO' 'one' 'three'" },
        { "its type", "UPDATE t SET s = CAST('two' AS BLOB) WHERE id = 2",
          ENVL_CHANGED, "'one' 'three' X'74776F'" },
        { "to null", "UPDATE t SET s = NULL WHERE id = 2", ENVL_CHANGED,
          "NULL 'one' 'three'" },
        { "deleted", "DELETE FROM t WHERE id = 2", ENVL_GONE,
          "'one' 'three'" },
        { "another row under the key",
          "DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (2,'other','')",
          ENVL_CHANGED, "'one' 'other' 'three'" },
        { "the key", "UPDATE t SET id = 20 WHERE id = 2", ENVL_GONE,
          "'one' 'three' 'two'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++)
        race(ROWS, &races[i]);
}

#define NOCASE \
    "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, " \
    "s TEXT COLLATE NOCASE, n);" \
    "INSERT INTO t VALUES ('A','one',''),('b','two',''),('C','three','');"

static void
a_collation_hides_no_change(void **state)
{
    static const struct race races[] = {
        { "nobody", "", ENVL_WRITTEN, "'env1:k:E' 'one' 'three'" },
        { "the value's case", "UPDATE t SET s = 'TWO' WHERE id = 'b'",
          ENVL_CHANGED, "'one' 'three' 'TWO'" },
        { "the key's case", "UPDATE t SET id = 'B' WHERE id = 'b'",
          ENVL_GONE, "'one' 'three' 'two'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++)
        race(NOCASE, &races[i]);
}

#define UNTYPED \
    "CREATE TABLE t (id PRIMARY KEY NOT NULL, s, n);" \
    "INSERT INTO t VALUES (1,'one',''),(2,'two',''),(3,'three','');"

static void
a_key_that_changed_its_type_is_another(void **state)
{
    static const struct race races[] = {
        { "nobody", "", ENVL_WRITTEN, "'env1:k:E' 'one' 'three'" },
        { "to a real", "UPDATE t SET id = 2.0 WHERE id = 2", ENVL_GONE,
          "'one' 'three' 'two'" },
        { "to text", "UPDATE t SET id = '2' WHERE id = 2", ENVL_GONE,
          "'one' 'three' 'two'" },
        { "rowids, as VACUUM may do", "UPDATE t SET rowid = 9 WHERE id = 2; "
          "UPDATE t SET rowid = 2 WHERE id = 3", ENVL_CHANGED,
          "'one' 'three' 'two'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++)
        race(UNTYPED, &races[i]);
}

static void
all_fields_of_a_row_are_one_write(void **state)
{
    const struct rig_target target = {
        .table = "t", .fields = { { .column = "s" }, { .column = "n" } } };
    enum envl_outcome outcomes[3];
    struct envl_edit edits[] = {
        rig_edit(0, 0, 0, "E1"), rig_edit(0, 1, 0, "E2"),
        rig_edit(1, 0, 0, "E3"), rig_edit(1, 1, 0, "E4"),
    };
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    rig_sql(&rig, "UPDATE t SET n = 'moved' WHERE id = 2");
    assert_int_equal(rig_write(&rig, page, edits, 4, outcomes), ENVL_OK);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    assert_int_equal(outcomes[0], ENVL_WRITTEN);
    assert_int_equal(outcomes[1], ENVL_CHANGED);
    rig_assert_text(&rig, "SELECT group_concat(s || n) FROM t",
                    "E1E2,twomoved,threec");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_sibling_is_compared_too(void **state)
{
    const struct rig_target target = {
        .table = "t", .fields = { { .column = "s", .into = "n" } } };
    enum envl_outcome outcomes[3];
    struct envl_edit edits[] = {
        rig_edit(0, 0, ENVL_EDIT_INTO | ENVL_EDIT_CLEAR, "E1"),
        rig_edit(1, 0, ENVL_EDIT_INTO | ENVL_EDIT_CLEAR, "E2"),
        rig_edit(2, 0, ENVL_EDIT_INTO, "E3"),
    };
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    rig_assert_cell(page->rows[0].leaves[0].sibling, ENVL_KIND_TEXT, "a");
    rig_sql(&rig, "UPDATE t SET n = 'moved' WHERE id = 2");
    assert_int_equal(rig_write(&rig, page, edits, 3, outcomes), ENVL_OK);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    assert_int_equal(outcomes[1], ENVL_CHANGED);
    rig_assert_text(&rig, "SELECT group_concat(quote(s) || n) FROM t",
                    "NULLE1,'two'moved,'three'E3");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
nothing_is_seen_before_the_commit_and_rollback_leaves_nothing(void **state)
{
    struct envl_edit edit = rig_edit(0, 0, 0, "E");
    enum envl_outcome outcomes[3];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, "PRAGMA journal_mode = WAL;" ROWS);
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes), ENVL_OK);
    rig_assert_text(&rig, "SELECT s FROM t WHERE id = 1", "one");
    OPS->rollback(rig.store);
    OPS->rollback(rig.store);
    rig_assert_text(&rig, "SELECT s FROM t WHERE id = 1", "one");
    assert_int_equal(rig_write_one(&rig, page, edit), ENVL_WRITTEN);
    rig_assert_text(&rig, "SELECT s FROM t WHERE id = 1", "E");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_writer_in_the_way_is_locked_and_nothing_is_lost(void **state)
{
    static const char *const modes[] = { "WAL", "DELETE" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct envl_edit edit = rig_edit(0, 0, 0, "E");
        enum envl_outcome outcomes[3];
        struct envl_page *page;
        char sql[256];
        struct rig rig;

        snprintf(sql, sizeof(sql), "PRAGMA journal_mode = %s; " ROWS,
                 modes[i]);
        rig_open(&rig, sql);
        rig_bind(&rig, &plain);
        page = rig_read(&rig);
        rig_sql(&rig, "BEGIN IMMEDIATE; UPDATE t SET s = 'app'");
        assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes),
                         ENVL_E_LOCKED);
        rig_sql(&rig, "COMMIT");
        assert_int_equal(rig_write_one(&rig, page, edit), ENVL_CHANGED);
        rig_assert_text(&rig, "SELECT group_concat(s) FROM t", "app,app,app");
        OPS->page_free(page);
        rig_close(&rig);
    }
}

static void
a_reader_that_blocks_the_commit_is_locked(void **state)
{
    struct envl_edit edit = rig_edit(0, 0, 0, "E");
    enum envl_outcome outcomes[3];
    sqlite3_stmt *reader;
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, "PRAGMA journal_mode = DELETE;" ROWS);
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes), ENVL_OK);
    assert_int_equal(sqlite3_prepare_v2(rig.other, "SELECT s FROM t", -1,
                                        &reader, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(reader), SQLITE_ROW);
    assert_int_equal(rig_commit(&rig), ENVL_E_LOCKED);
    sqlite3_finalize(reader);
    rig_assert_text(&rig, "SELECT s FROM t WHERE id = 1", "one");
    assert_int_equal(rig_write_one(&rig, page, edit), ENVL_WRITTEN);
    OPS->page_free(page);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_lands_only_on_what_was_read),
        cmocka_unit_test(a_collation_hides_no_change),
        cmocka_unit_test(a_key_that_changed_its_type_is_another),
        cmocka_unit_test(all_fields_of_a_row_are_one_write),
        cmocka_unit_test(a_sibling_is_compared_too),
        cmocka_unit_test(
            nothing_is_seen_before_the_commit_and_rollback_leaves_nothing),
        cmocka_unit_test(a_writer_in_the_way_is_locked_and_nothing_is_lost),
        cmocka_unit_test(a_reader_that_blocks_the_commit_is_locked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
