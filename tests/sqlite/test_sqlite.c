/*
 * Pages of rows: their order, their kinds, their ids, their bounds.
 */
#include "rig.h"

#define ROWS "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, n TEXT);" \
             "INSERT INTO t VALUES (1,'one','a'),(2,'two','b'),(3,'three','c');"

static const struct rig_target plain = { .table = "t",
                                         .fields = { { .column = "s" } } };

static void
rows_come_in_key_order_with_typed_ids(void **state)
{
    struct rig rig;
    struct envl_page *page;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    assert_int_equal(page->count, 3);
    assert_true(page->end);
    for (uint32_t i = 0; i < 3; i++) {
        static const char *const ids[] = { "int:1", "int:2", "int:3" };
        static const char *const names[] = { "id=1", "id=2", "id=3" };
        static const char *const values[] = { "one", "two", "three" };
        const struct envl_row *row = &page->rows[i];

        assert_int_equal(row->id_count, 1);
        rig_assert_bytes(row->ids[0].name, "id");
        rig_assert_bytes(row->ids[0].value, ids[i]);
        rig_assert_bytes(row->name, names[i]);
        assert_int_equal(row->leaf_count, 1);
        rig_assert_cell(row->leaves[0].value, ENVL_KIND_TEXT, values[i]);
        assert_int_equal(row->leaves[0].sibling.kind, ENVL_KIND_ABSENT);
    }
    OPS->page_free(page);
    rig_close(&rig);
}

static void
the_storage_class_decides_the_kind(void **state)
{
    static const struct {
        enum envl_kind kind;
        const char *bytes;
    } expected[] = {
        { ENVL_KIND_TEXT, "text" }, { ENVL_KIND_BYTES, "blob" },
        { ENVL_KIND_NULL, "" }, { ENVL_KIND_OTHER, "" },
        { ENVL_KIND_OTHER, "" }, { ENVL_KIND_TEXT, "" },
        { ENVL_KIND_BYTES, "" }, { ENVL_KIND_OTHER, "" },
    };
    struct rig rig;
    struct envl_page *page;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, s);"
             "INSERT INTO t(s) VALUES ('text'), (x'626c6f62'), (NULL), (42),"
             "(4.5), (''), (x''), (CAST(x'ff' AS TEXT));");
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    assert_int_equal(page->count, 8);
    for (uint32_t i = 0; i < 8; i++)
        rig_assert_cell(page->rows[i].leaves[0].value, expected[i].kind,
                        expected[i].bytes);
    OPS->page_free(page);
    rig_close(&rig);
}

/* Pages of every size give every row once, in order. */
static void
assert_pages(struct rig *rig, uint32_t total)
{
    for (uint32_t size = 1; size <= total + 1; size++) {
        struct envl_bytes after = { NULL, 0 }, none = { NULL, 0 };
        struct envl_page *last = NULL;
        uint32_t seen = 0;
        bool end = false;

        while (!end) {
            struct envl_page *page = rig_read_some(rig, after, none, size);

            assert_true(page->count <= size);
            assert_true(page->count > 0 || page->end);
            seen += page->count;
            end = page->end;
            if (page->count > 0) {
                OPS->page_free(last);
                last = page;
                after = page->rows[page->count - 1].key;
            } else {
                OPS->page_free(page);
            }
        }
        OPS->page_free(last);
        assert_int_equal(seen, total);
    }
}

static void
keys_of_every_type_are_paged_in_sqlites_order(void **state)
{
    static const char *const ids[] = { "int:-7", NULL, "int:3", "int:4",
                                       "str:", "str:10", "str:a", "bin:0:",
                                       "bin:0:00ff" };
    struct rig rig;
    struct envl_page *page;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (k PRIMARY KEY, s TEXT);"
             "INSERT INTO t VALUES ('a','x'),(x'','x'),(4,'x'),(-7,'x'),"
             "(3.0,'x'),(0.5,'x'),('10','x'),(x'00ff','x'),('','x');");
    rig_bind(&rig, &plain);
    assert_pages(&rig, 9);
    page = rig_read(&rig);
    assert_int_equal(page->count, 9);
    for (uint32_t i = 0; i < 9; i++) {
        assert_int_equal(page->rows[i].id_count, ids[i] == NULL ? 0 : 1);
        if (ids[i] != NULL)
            rig_assert_bytes(page->rows[i].ids[0].value, ids[i]);
    }
    OPS->page_free(page);
    assert_non_null(strstr(rig.notes, "WARN the key k holds values of type "
                           "integer and of type blob"));
    rig_close(&rig);
}

static void
composite_keys_are_paged(void **state)
{
    static const char *const sqls[] = {
        "CREATE TABLE t (a TEXT, b INTEGER, s TEXT, PRIMARY KEY (a, b));"
        "INSERT INTO t VALUES ('x',1,'s'),('x',2,'s'),('y',1,'s'),"
        "('y',-5,'s'),('z',0,'s');",
        "CREATE TABLE t (a TEXT, b INTEGER, s TEXT, PRIMARY KEY (a, b))"
        " WITHOUT ROWID;"
        "INSERT INTO t VALUES ('x',1,'s'),('x',2,'s'),('y',1,'s'),"
        "('y',-5,'s'),('z',0,'s');",
        "CREATE TABLE t (a TEXT NOT NULL, b INTEGER NOT NULL, s TEXT);"
        "CREATE UNIQUE INDEX u ON t (b DESC, a);"
        "INSERT INTO t VALUES ('x',1,'s'),('x',2,'s'),('y',1,'s'),"
        "('y',-5,'s'),('z',0,'s');",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(sqls) / sizeof(sqls[0]); i++) {
        const struct rig_target target = { .table = "t", .keys = { "b", "a" },
                                           .fields = { { .column = "s" } } };
        struct envl_page *page;
        struct rig rig;

        rig_open(&rig, sqls[i]);
        rig_bind(&rig, &target);
        assert_pages(&rig, 5);
        page = rig_read(&rig);
        assert_int_equal(page->rows[0].id_count, 2);
        assert_int_equal(page->rows[0].ids[0].name.len, 4);
        assert_memory_equal(page->rows[0].ids[0].name.ptr, "id.", 3);
        assert_int_equal(rig_write_one(&rig, page, rig_edit(2, 0, 0, "E")),
                         ENVL_WRITTEN);
        assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t "
                                    "WHERE s = 'E'"), 1);
        OPS->page_free(page);
        rig_close(&rig);
    }
}

static void
a_range_has_its_bounds(void **state)
{
    struct envl_bytes first, second;
    struct envl_page *page, *part;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    first = page->rows[0].key;
    second = page->rows[1].key;
    part = rig_read_some(&rig, first, second, 10);
    assert_int_equal(part->count, 1);
    assert_true(part->end);
    rig_assert_bytes(part->rows[0].name, "id=2");
    OPS->page_free(part);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_page_is_bounded_by_bytes_but_has_a_row(void **state)
{
    struct envl_read read = { .rows = 100, .bytes = 5 };
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    assert_int_equal(OPS->read_begin(rig.target, &read, &rig.err), ENVL_OK);
    assert_int_equal(OPS->read_end(rig.target, &page, &rig.err), ENVL_OK);
    assert_int_equal(page->count, 2);
    assert_false(page->end);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
rows_are_read_again_by_their_keys(void **state)
{
    struct envl_bytes keys[3];
    struct envl_read read = { .keys = keys, .key_count = 3, .bytes = 1000 };
    struct envl_page *page, *again;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    for (int i = 0; i < 3; i++)
        keys[i] = page->rows[i].key;
    rig_sql(&rig, "DELETE FROM t WHERE id = 2; "
            "UPDATE t SET s = 'neu' WHERE id = 3");
    assert_int_equal(OPS->read_begin(rig.target, &read, &rig.err), ENVL_OK);
    assert_int_equal(OPS->read_end(rig.target, &again, &rig.err), ENVL_OK);
    assert_int_equal(again->count, 2);
    assert_true(again->end);
    rig_assert_cell(again->rows[1].leaves[0].value, ENVL_KIND_TEXT, "neu");
    OPS->page_free(again);
    OPS->page_free(page);
    rig_close(&rig);
}

static enum envl_status
take_key(void *cookie, struct envl_bytes key, struct envl_error *err)
{
    struct envl_buf *out = cookie;

    return envl_buf_append(out, key, err);
}

static void
the_last_key_bounds_a_pass(void **state)
{
    struct envl_buf last = ENVL_BUF_INIT;
    const struct envl_bytes none = { NULL, 0 };
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    assert_int_equal(OPS->last_key(rig.target, take_key, &last, &rig.err),
                     ENVL_OK);
    rig_sql(&rig, "INSERT INTO t VALUES (9,'new','')");
    page = rig_read_some(&rig, none, envl_buf_view(&last), 10);
    assert_int_equal(page->count, 3);
    OPS->page_free(page);
    envl_buf_free(&last);
    rig_sql(&rig, "DELETE FROM t");
    assert_int_equal(OPS->last_key(rig.target, take_key, &last, &rig.err),
                     ENVL_OK);
    assert_int_equal(last.len, 0);
    rig_close(&rig);
}

static void
where_and_extras_are_read(void **state)
{
    const struct rig_target target = {
        .table = "t", .where = "n <> 'b' -- not b",
        .fields = { { .column = "s" } }, .extras = { "n", "id" } };
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    assert_int_equal(page->count, 2);
    rig_assert_cell(page->rows[1].extras[0], ENVL_KIND_TEXT, "str:c");
    rig_assert_cell(page->rows[1].extras[1], ENVL_KIND_TEXT, "int:3");
    OPS->page_free(page);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_in_key_order_with_typed_ids),
        cmocka_unit_test(the_storage_class_decides_the_kind),
        cmocka_unit_test(keys_of_every_type_are_paged_in_sqlites_order),
        cmocka_unit_test(composite_keys_are_paged),
        cmocka_unit_test(a_range_has_its_bounds),
        cmocka_unit_test(a_page_is_bounded_by_bytes_but_has_a_row),
        cmocka_unit_test(rows_are_read_again_by_their_keys),
        cmocka_unit_test(the_last_key_bounds_a_pass),
        cmocka_unit_test(where_and_extras_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
