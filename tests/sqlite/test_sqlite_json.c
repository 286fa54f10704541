/*
 * Documents in text columns: what is found, and that an edit changes its
 * place and nothing else, if the whole document is as it was read.
 */
#include "rig.h"

#define SETUP "CREATE TABLE t (id INTEGER PRIMARY KEY, d TEXT, s TEXT);"

static const struct rig_target token = {
    .table = "t",
    .fields = { { .column = "d", .path = { "a", "token" } } } };

static const struct rig_target hooks = {
    .table = "t",
    .fields = { { .column = "d", .path = { "hooks", "[*]", "secret" },
                  .into = "secret_enc", .element_id = "id" } } };

static void
insert(struct rig *rig, const char *document)
{
    char *sql = sqlite3_mprintf("INSERT INTO t(d) VALUES (%Q)", document);

    rig_sql(rig, sql);
    sqlite3_free(sql);
}

static void
documents_give_their_leaves(void **state)
{
    static const struct {
        const char *document;
        enum envl_kind kind;
        const char *bytes;
    } rows[] = {
        { "{\"a\":{\"token\":\"v\\u00e9\"}}", ENVL_KIND_TEXT, "v\xc3\xa9" },
        { "{\"a\":{\"token\":null}}", ENVL_KIND_NULL, "" },
        { "{\"a\":{\"token\":[1e3]}}", ENVL_KIND_JSON, "[1e3]" },
        { "{\"a\":{}}", ENVL_KIND_ABSENT, "" },
        { "{\"a\":{\"token\":\"1\",\"token\":\"2\"}}", ENVL_KIND_OTHER, "" },
        { "not json", ENVL_KIND_OTHER, "" },
        { "", ENVL_KIND_ABSENT, "" },
    };
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, SETUP);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        insert(&rig, rows[i].document);
    rig_sql(&rig, "INSERT INTO t(d) VALUES (NULL), (5), (x'7b7d')");
    rig_bind(&rig, &token);
    assert_int_equal(OPS->target_info(rig.target)->fields[0].takes,
                     ENVL_KIND_JSON);
    page = rig_read(&rig);
    assert_int_equal(page->count, 10);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        rig_assert_cell(page->rows[i].leaves[0].value, rows[i].kind,
                        rows[i].bytes);
    assert_int_equal(page->rows[4].leaf_count, 2);
    assert_int_equal(page->rows[7].leaves[0].value.kind, ENVL_KIND_ABSENT);
    assert_int_equal(page->rows[8].leaves[0].value.kind, ENVL_KIND_ABSENT);
    assert_int_equal(page->rows[9].leaves[0].value.kind, ENVL_KIND_OTHER);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
an_edit_splices_and_keeps_every_other_byte(void **state)
{
    struct envl_edit object;
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, SETUP);
    insert(&rig, "{ \"z\":1e3, \"a\" : {\"token\":\"v\", \"n\":1.0} ,\"z\":2}");
    rig_bind(&rig, &token);
    page = rig_read(&rig);
    assert_int_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "env1:\"")),
                     ENVL_WRITTEN);
    rig_assert_text(&rig, "SELECT d FROM t", "{ \"z\":1e3, \"a\" : "
                    "{\"token\":\"env1:\\\"\", \"n\":1.0} ,\"z\":2}");
    OPS->page_free(page);

    page = rig_read(&rig);
    object = rig_edit(0, 0, 0, "{\"env\":1}");
    object.put.kind = ENVL_KIND_JSON;
    assert_int_equal(rig_write_one(&rig, page, object), ENVL_WRITTEN);
    rig_assert_text(&rig, "SELECT d FROM t", "{ \"z\":1e3, \"a\" : "
                    "{\"token\":{\"env\":1}, \"n\":1.0} ,\"z\":2}");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
all_leaves_of_a_document_are_one_write(void **state)
{
    struct envl_edit edits[2];
    enum envl_outcome outcomes[2];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, SETUP);
    insert(&rig, "{\"hooks\":[{\"secret\":\"1\",\"id\":\"x\"},{},"
           "{\"id\":7.0,\"secret\":\"2\",\"secret_enc\":null}]}");
    insert(&rig, "{\"hooks\":[{\"secret_enc\":\"env1:\"}]}");
    rig_bind(&rig, &hooks);
    page = rig_read(&rig);
    assert_int_equal(page->rows[0].leaf_count, 2);
    rig_assert_cell(page->rows[0].leaves[0].element, ENVL_KIND_TEXT, "str:x");
    rig_assert_cell(page->rows[0].leaves[1].element, ENVL_KIND_TEXT, "int:7");
    assert_int_equal(page->rows[0].leaves[1].sibling.kind, ENVL_KIND_NULL);
    rig_assert_cell(page->rows[1].leaves[0].value, ENVL_KIND_ABSENT, "");
    rig_assert_cell(page->rows[1].leaves[0].sibling, ENVL_KIND_TEXT, "env1:");
    edits[0] = rig_edit(0, 0, ENVL_EDIT_INTO | ENVL_EDIT_CLEAR, "E1");
    edits[1] = rig_edit(0, 1, ENVL_EDIT_INTO | ENVL_EDIT_CLEAR, "E2");
    assert_int_equal(rig_write(&rig, page, edits, 2, outcomes), ENVL_OK);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    assert_int_equal(outcomes[0], ENVL_WRITTEN);
    rig_assert_text(&rig, "SELECT d FROM t WHERE id = 1",
                    "{\"hooks\":[{\"secret_enc\":\"E1\",\"id\":\"x\"},{},"
                    "{\"id\":7.0,\"secret_enc\":\"E2\"}]}");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
any_change_of_the_document_is_a_conflict(void **state)
{
    static const char *const changes[] = {
        "UPDATE t SET d = d || ' '",
        "UPDATE t SET d = replace(d, '\"n\":1', '\"n\":2')",
        "UPDATE t SET d = CAST(d AS BLOB)",
        "UPDATE t SET d = NULL",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct envl_page *page;
        struct rig rig;

        rig_open(&rig, SETUP);
        insert(&rig, "{\"a\":{\"token\":\"v\"},\"n\":1}");
        rig_bind(&rig, &token);
        page = rig_read(&rig);
        rig_sql(&rig, changes[i]);
        assert_int_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "E")),
                         ENVL_CHANGED);
        assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t "
                                    "WHERE instr(d, '\"E\"')"), 0);
        OPS->page_free(page);
        rig_close(&rig);
    }
}

static void
two_paths_and_a_column_of_one_row_are_one_write(void **state)
{
    const struct rig_target target = {
        .table = "t",
        .fields = { { .column = "d", .path = { "a" } },
                    { .column = "s" },
                    { .column = "d", .path = { "b", "*" } } } };
    struct envl_edit edits[4];
    enum envl_outcome outcomes[1];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, SETUP);
    rig_sql(&rig, "INSERT INTO t VALUES (1, '{\"b\":{\"x\":\"2\",\"y\":true},"
            "\"a\":\"1\"}', 'plain')");
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    assert_int_equal(page->rows[0].leaf_count, 4);
    for (uint32_t i = 0; i < 4; i++)
        edits[i] = rig_edit(0, i, 0, i == 0 ? "E0" : i == 1 ? "E1" :
                            i == 2 ? "E2" : "E3");
    assert_int_equal(rig_write(&rig, page, edits, 4, outcomes), ENVL_OK);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    assert_int_equal(outcomes[0], ENVL_WRITTEN);
    rig_assert_text(&rig, "SELECT d || s FROM t", "{\"b\":{\"x\":\"E2\","
                    "\"y\":\"E3\"},\"a\":\"E0\"}E1");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_place_that_cannot_be_written_is_refused(void **state)
{
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, SETUP);
    insert(&rig, "{\"a\":{\"token\":\"1\",\"token\":\"2\"}}");
    rig_bind(&rig, &token);
    page = rig_read(&rig);
    assert_int_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "E")),
                     ENVL_REFUSED);
    rig_assert_text(&rig, "SELECT d FROM t",
                    "{\"a\":{\"token\":\"1\",\"token\":\"2\"}}");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_source_in_a_document_is_removed_by_contract(void **state)
{
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, SETUP);
    insert(&rig, "{\"hooks\":[{\"secret\":\"1\",\"secret_enc\":\"E\"}]}");
    rig_bind(&rig, &hooks);
    page = rig_read(&rig);
    assert_int_equal(rig_write_one(&rig, page,
                                   rig_edit(0, 0, ENVL_EDIT_CLEAR, NULL)),
                     ENVL_WRITTEN);
    rig_assert_text(&rig, "SELECT d FROM t",
                    "{\"hooks\":[{\"secret_enc\":\"E\"}]}");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
many_documents_go_in_one_statement(void **state)
{
    struct envl_edit edits[200];
    enum envl_outcome outcomes[200];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, SETUP);
    rig_sql(&rig, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
            "FROM c WHERE i < 200) INSERT INTO t(d) SELECT "
            "'{\"i\":' || i || ',\"a\":{\"token\":\"t' || i || '\"}}' FROM c");
    rig_bind(&rig, &token);
    page = rig_read(&rig);
    rig_sql(&rig, "UPDATE t SET d = '{}' WHERE id % 10 = 0");
    for (uint32_t i = 0; i < 200; i++)
        edits[i] = rig_edit(i, 0, 0, "E");
    assert_int_equal(rig_write(&rig, page, edits, 200, outcomes), ENVL_OK);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE d = "
                                "'{\"i\":' || id || ',\"a\":{\"token\":"
                                "\"E\"}}'"), 180);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t "
                                "WHERE d = '{}'"), 20);
    OPS->page_free(page);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_give_their_leaves),
        cmocka_unit_test(an_edit_splices_and_keeps_every_other_byte),
        cmocka_unit_test(all_leaves_of_a_document_are_one_write),
        cmocka_unit_test(any_change_of_the_document_is_a_conflict),
        cmocka_unit_test(two_paths_and_a_column_of_one_row_are_one_write),
        cmocka_unit_test(a_place_that_cannot_be_written_is_refused),
        cmocka_unit_test(a_source_in_a_document_is_removed_by_contract),
        cmocka_unit_test(many_documents_go_in_one_statement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
