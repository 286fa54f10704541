/*
 * Members of documents: found, written one by one, and nothing beside them.
 */
#include "rig.h"

/* Everything of ${row}'s document but what was put stays, to the byte. */
static void
assert_document(struct rig *rig, int id, const char *expected)
{
    char sql[64];

    snprintf(sql, sizeof(sql), "SELECT d::text FROM t WHERE id = %d", id);
    rig_assert_text(rig, sql, expected);
}

static void
open_with(struct rig *rig, const char *type, const char *const *documents)
{
    char sql[256];

    rig_open(rig, "SELECT 1");
    snprintf(sql, sizeof(sql), "CREATE TABLE t (id int PRIMARY KEY, d %s, "
             "hot int)", type);
    rig_sql(rig, sql);
    for (int i = 0; documents[i] != NULL; i++) {
        const char *values[1] = { documents[i] };
        PGresult *result;

        snprintf(sql, sizeof(sql), "INSERT INTO t VALUES (%d, $1)", i + 1);
        result = PQexecParams(rig->other, sql, 1, NULL, values, NULL, NULL, 0);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            fail_msg("%s", PQresultErrorMessage(result));
        PQclear(result);
    }
    rig->host.allow_log_exposure = true;
}

/* Edit every leaf that holds text, writing its own text in brackets. */
static uint32_t
edit_texts(const struct envl_page *page, struct envl_edit *edits,
           uint32_t flags)
{
    static char texts[64][64];
    uint32_t count = 0;

    for (uint32_t row = 0; row < page->count; row++) {
        for (uint32_t i = 0; i < page->rows[row].leaf_count; i++) {
            const struct envl_cell *cell = &page->rows[row].leaves[i].value;

            if (cell->kind != ENVL_KIND_TEXT)
                continue;
            snprintf(texts[count], 64, "<%.*s>", (int)cell->bytes.len,
                     (const char *)cell->bytes.ptr);
            edits[count] = rig_edit(row, i, flags, texts[count]);
            count++;
        }
    }
    return count;
}

/* Read all, bracket all texts, commit; every row that had one is written. */
static void
bracket_all(struct rig *rig, uint32_t flags, bool by_value)
{
    struct envl_read read = { .rows = 100, .by_value = by_value };
    struct envl_page *page = rig_read_as(rig, &read);
    enum envl_outcome outcomes[64];
    struct envl_edit edits[64];
    uint32_t count = edit_texts(page, edits, flags);

    assert_true(count > 0);
    if (rig_write(rig, page, edits, count, outcomes) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(outcomes[edits[i].row], ENVL_WRITTEN);
    assert_int_equal(rig_commit(rig), ENVL_OK);
    OPS->page_free(page);
}

/* ---- one table of paths, run by version and by value -------------------- */

static const struct path_case {
    const char *name;
    struct rig_target target;
    uint32_t flags;
    const char *before[5], *after[5];
} path_cases[] = {
    { "a_member", { .table = "t", .fields = { { "d", { "a" } } } }, 0,
      { "{\"a\": \"x\", \"b\": 1.50}", "{\"b\": \"a\"}", "[\"a\"]", "\"a\"" },
      { "{\"a\": \"<x>\", \"b\": 1.50}", "{\"b\": \"a\"}", "[\"a\"]",
        "\"a\"" } },
    { "a_member_deep_inside",
      { .table = "t", .fields = { { "d", { "a", "b", "c" } } } }, 0,
      { "{\"a\": {\"b\": {\"c\": \"x\", \"d\": null}}}", "{\"a\": [1]}",
        "{\"a\": {\"b\": \"c\"}}" },
      { "{\"a\": {\"b\": {\"c\": \"<x>\", \"d\": null}}}", "{\"a\": [1]}",
        "{\"a\": {\"b\": \"c\"}}" } },
    { "a_name_that_looks_like_an_index",
      { .table = "t", .fields = { { "d", { "0", "-1" } } } }, 0,
      { "{\"0\": {\"-1\": \"x\"}}", "[[\"y\"]]", "{\"0\": [\"z\"]}",
        "[{\"-1\": \"v\"}]" },
      { "{\"0\": {\"-1\": \"<x>\"}}", "[[\"y\"]]", "{\"0\": [\"z\"]}",
        "[{\"-1\": \"v\"}]" } },
    { "names_that_need_quoting",
      { .table = "t", .fields = { { "d", { "a'b\\c", "\"{,} " } } } }, 0,
      { "{\"a'b\\\\c\": {\"\\\"{,} \": \"x\", \"n\": 1}}" },
      { "{\"a'b\\\\c\": {\"n\": 1, \"\\\"{,} \": \"<x>\"}}" } },
    { "any_member", { .table = "t", .fields = { { "d", { "h", "*" } } } }, 0,
      { "{\"h\": {\"a\": \"x\", \"b\": \"y\", \"n\": 1}}", "{\"h\": {}}",
        "{\"h\": {\"q,\\\"}\": \"x\"}}", "{\"h\": [\"x\"]}" },
      { "{\"h\": {\"a\": \"<x>\", \"b\": \"<y>\", \"n\": 1}}", "{\"h\": {}}",
        "{\"h\": {\"q,\\\"}\": \"<x>\"}}", "{\"h\": [\"x\"]}" } },
    { "any_element_of_the_root",
      { .table = "t", .fields = { { "d", { "[*]" } } } }, 0,
      { "[\"x\", 1, null, \"y\"]", "[]", "{\"0\": \"x\"}" },
      { "[\"<x>\", 1, null, \"<y>\"]", "[]", "{\"0\": \"x\"}" } },
    { "elements_of_different_numbers",
      { .table = "t", .fields = { { "d", { "s", "[*]", "k" } } } }, 0,
      { "{\"s\": [{\"k\": \"a\"}, {\"k\": \"b\"}, {\"k\": \"c\"}]}",
        "{\"s\": [{\"k\": \"a\"}]}", "{\"s\": [{\"n\": 1}, {\"k\": \"b\"}]}",
        "{\"s\": [[\"k\"]]}" },
      { "{\"s\": [{\"k\": \"<a>\"}, {\"k\": \"<b>\"}, {\"k\": \"<c>\"}]}",
        "{\"s\": [{\"k\": \"<a>\"}]}",
        "{\"s\": [{\"n\": 1}, {\"k\": \"<b>\"}]}", "{\"s\": [[\"k\"]]}" } },
    { "into_a_sibling_that_is_made",
      { .table = "t", .fields = { { "d", { "a", "k" }, "k_enc" } } },
      ENVL_EDIT_INTO | ENVL_EDIT_CLEAR,
      { "{\"a\": {\"k\": \"x\", \"z\": 1}}",
        "{\"a\": {\"k\": \"y\", \"k_enc\": 7}}", "{\"a\": {}}" },
      { "{\"a\": {\"z\": 1, \"k_enc\": \"<x>\"}}",
        "{\"a\": {\"k_enc\": \"<y>\"}}", "{\"a\": {}}" } },
    { "into_a_sibling_with_the_source_kept",
      { .table = "t", .fields = { { "d", { "k" }, "e", NULL, true } } },
      ENVL_EDIT_INTO,
      { "{\"k\": \"x\"}" }, { "{\"e\": \"<x>\", \"k\": \"x\"}" } },
    { "into_siblings_of_elements",
      { .table = "t", .fields = { { "d", { "s", "[*]", "k" }, "e" } } },
      ENVL_EDIT_INTO | ENVL_EDIT_CLEAR,
      { "{\"s\": [{\"k\": \"a\"}, {\"k\": \"b\", \"n\": 1}]}" },
      { "{\"s\": [{\"e\": \"<a>\"}, {\"e\": \"<b>\", \"n\": 1}]}" } },
    { "two_fields_of_one_document",
      { .table = "t", .fields = { { "d", { "a" } },
                                  { "d", { "s", "[*]" } } } }, 0,
      { "{\"a\": \"x\", \"s\": [\"y\", \"z\"]}", "{\"s\": [\"y\"]}" },
      { "{\"a\": \"<x>\", \"s\": [\"<y>\", \"<z>\"]}",
        "{\"s\": [\"<y>\"]}" } },
    { "the_document_itself", { .table = "t", .fields = { { "d" } } }, 0,
      { "\"x\"", "{\"a\": \"x\"}", "null" },
      { "\"<x>\"", "{\"a\": \"x\"}", "null" } },
};

static void
run_path_case(const struct path_case *one, bool by_value)
{
    struct rig rig;

    open_with(&rig, "jsonb", one->before);
    rig_bind(&rig, &one->target);
    assert_int_equal(OPS->target_info(rig.target)->fields[0].takes,
                     ENVL_KIND_JSON);
    bracket_all(&rig, one->flags, by_value);
    for (int i = 0; one->after[i] != NULL; i++)
        assert_document(&rig, i + 1, one->after[i]);
    rig_close(&rig);
}

static void
every_path_is_written_and_nothing_beside_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(path_cases) / sizeof(path_cases[0]); i++) {
        run_path_case(&path_cases[i], false);
        run_path_case(&path_cases[i], true);
    }
}

/* ---- what a leaf is ----------------------------------------------------- */

static void
a_member_that_is_no_text_says_what_it_is(void **state)
{
    static const char *const documents[] = {
        "{\"a\": null}", "{\"a\": 1.50}", "{}", "{\"a\": {\"b\": [1]}}",
        "{\"a\": \"\"}", "{\"a\": \"q\\\"\\u00e4\\n\"}", NULL
    };
    static const struct {
        enum envl_kind kind;
        const char *text;
    } want[] = {
        { ENVL_KIND_NULL, "" }, { ENVL_KIND_JSON, "1.50" },
        { ENVL_KIND_ABSENT, "" }, { ENVL_KIND_JSON, "{\"b\": [1]}" },
        { ENVL_KIND_TEXT, "" }, { ENVL_KIND_TEXT, "q\"\xc3\xa4\n" },
        { ENVL_KIND_ABSENT, "" },
    };
    static const struct rig_target target = {
        .table = "t", .fields = { { "d", { "a" }, "b" } }
    };
    struct envl_page *page;
    struct rig rig;

    (void)state;
    open_with(&rig, "jsonb", documents);
    rig_sql(&rig, "INSERT INTO t VALUES (7, NULL)");
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    assert_int_equal(page->count, 7);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(page->rows[i].leaf_count, 1);
        rig_assert_cell(page->rows[i].leaves[0].value, want[i].kind,
                        want[i].text);
        rig_assert_cell(page->rows[i].leaves[0].sibling, ENVL_KIND_ABSENT,
                        "");
    }
    OPS->page_free(page);
    rig_close(&rig);
}

static void
leaves_carry_their_path_sibling_and_element(void **state)
{
    static const char *const documents[] = {
        "{\"s\": [{\"id\": 7, \"k\": \"a\"}, {\"id\": \"x\", \"k\": \"b\", "
        "\"e\": \"old\"}, {\"id\": 1.5, \"e\": \"alone\"}]}", NULL
    };
    static const struct rig_target target = {
        .table = "t", .fields = { { "d", { "s", "[*]", "k" }, "e", "id" } }
    };
    const struct envl_leaf *leaves;
    struct envl_page *page;
    struct rig rig;

    (void)state;
    open_with(&rig, "jsonb", documents);
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    assert_int_equal(page->rows[0].leaf_count, 3);
    leaves = page->rows[0].leaves;
    rig_assert_cell(leaves[0].element, ENVL_KIND_TEXT, "7");
    rig_assert_cell(leaves[1].element, ENVL_KIND_TEXT, "x");
    rig_assert_cell(leaves[1].sibling, ENVL_KIND_TEXT, "old");
    rig_assert_cell(leaves[2].element, ENVL_KIND_OTHER, "");
    assert_int_equal(leaves[2].value.kind, ENVL_KIND_ABSENT);
    assert_int_equal(leaves[1].path.count, 3);
    rig_assert_bytes(leaves[1].path.segments[0].name, "s");
    assert_int_equal(leaves[1].path.segments[1].kind, ENVL_SEGMENT_ELEMENT);
    assert_int_equal(leaves[1].path.segments[1].index, 1);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
an_object_is_put_as_an_object(void **state)
{
    static const char *const documents[] = { "{\"a\": \"x\"}", NULL };
    static const struct rig_target target = {
        .table = "t", .fields = { { "d", { "a" } } }
    };
    struct envl_edit edit = rig_edit(0, 0, 0, "{\"env\": \"v1\", \"n\": 1}");
    struct envl_page *page;
    struct rig rig;

    (void)state;
    open_with(&rig, "jsonb", documents);
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    edit.put.kind = ENVL_KIND_JSON;
    assert_int_equal(rig_write_one(&rig, page, edit), ENVL_WRITTEN);
    assert_document(&rig, 1, "{\"a\": {\"n\": 1, \"env\": \"v1\"}}");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_member_that_is_not_there_is_never_made(void **state)
{
    static const char *const documents[] = { "{\"b\": 1}", NULL };
    static const struct rig_target target = {
        .table = "t", .fields = { { "d", { "a" } } }
    };
    struct envl_edit edit = rig_edit(0, 0, 0, "sealed");
    enum envl_outcome outcome;
    struct envl_page *page;
    struct rig rig;

    (void)state;
    open_with(&rig, "jsonb", documents);
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    assert_int_equal(rig_write(&rig, page, &edit, 1, &outcome),
                     ENVL_E_DATABASE);
    assert_document(&rig, 1, "{\"b\": 1}");
    OPS->page_free(page);
    rig_close(&rig);
}

/* ---- an application in between ------------------------------------------ */

static void
a_document_that_changed_is_left_alone(void **state)
{
    static const char *const documents[] = {
        "{\"s\": [\"a\", \"b\"], \"n\": 1}", "{\"s\": [\"a\"], \"n\": 1}",
        "{\"s\": [\"a\"], \"n\": 1}", NULL
    };
    static const struct rig_target target = {
        .table = "t", .fields = { { "d", { "s", "[*]" } } }
    };
    struct rig rig;

    (void)state;
    for (int by_value = 0; by_value < 2; by_value++) {
        struct envl_read read = { .rows = 9, .by_value = by_value };
        enum envl_outcome outcomes[3];
        struct envl_edit edits[8];
        struct envl_page *page;

        open_with(&rig, "jsonb", documents);
        rig_bind(&rig, &target);
        page = rig_read_as(&rig, &read);
        rig_sql(&rig, "UPDATE t SET d = '{\"s\": [\"b\", \"a\"], \"n\": 1}' "
                "WHERE id = 1; UPDATE t SET d = jsonb_set(d, '{n}', '2'), "
                "hot = 1 WHERE id = 2");
        assert_int_equal(rig_write(&rig, page, edits,
                                   edit_texts(page, edits, 0), outcomes),
                         ENVL_OK);
        assert_int_equal(outcomes[0], ENVL_CHANGED);
        assert_int_equal(outcomes[1], by_value ? ENVL_WRITTEN : ENVL_CHANGED);
        assert_int_equal(outcomes[2], ENVL_WRITTEN);
        assert_int_equal(rig_commit(&rig), ENVL_OK);
        assert_document(&rig, 1, "{\"n\": 1, \"s\": [\"b\", \"a\"]}");
        assert_document(&rig, 2, by_value ? "{\"n\": 2, \"s\": [\"<a>\"]}"
                                          : "{\"n\": 2, \"s\": [\"a\"]}");
        OPS->page_free(page);
        rig_close(&rig);
    }
}

/* ---- json, and JSON in text --------------------------------------------- */

static const char spaced[] =
    " {\"n\" : 1e3, \"a\":{ \"k\" : \"x\" , \"k2\":[] }, \"n\": 1E+3,"
    "\"s\":[\"y\",\"z\"]}\n";
static const char spaced_after[] =
    " {\"n\" : 1e3, \"a\":{ \"k\" : \"<x>\" , \"k2\":[] }, \"n\": 1E+3,"
    "\"s\":[\"<y>\",\"<z>\"]}\n";

static void
json_is_changed_byte_by_byte(void **state)
{
    static const char *const types[] = { "json", "text" };
    static const char *const documents[] = { spaced, "{}", NULL };
    static const struct rig_target target = {
        .table = "t", .fields = { { "d", { "a", "k" } },
                                  { "d", { "s", "[*]" } } }
    };
    struct rig rig;

    (void)state;
    for (int i = 0; i < 4; i++) {
        open_with(&rig, types[i % 2], documents);
        rig_bind(&rig, &target);
        bracket_all(&rig, 0, i >= 2);
        assert_document(&rig, 1, spaced_after);
        assert_document(&rig, 2, "{}");
        rig_close(&rig);
    }
}

static void
text_that_is_no_json_is_no_value(void **state)
{
    static const char *const documents[] = { "not json", NULL };
    static const struct rig_target target = {
        .table = "t", .fields = { { "d", { "a" } } }
    };
    struct envl_page *page;
    struct rig rig;

    (void)state;
    open_with(&rig, "text", documents);
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    rig_assert_cell(page->rows[0].leaves[0].value, ENVL_KIND_OTHER, "");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
json_is_refused_where_the_server_logs_parameters(void **state)
{
    static const char *const documents[] = { "{}", NULL };
    static const struct rig_target target = {
        .table = "t", .fields = { { "d", { "a" } } }
    };
    struct rig rig;

    (void)state;
    open_with(&rig, "json", documents);
    rig.host.allow_log_exposure = false;
    assert_int_equal(rig_try_bind(&rig, &target), ENVL_E_POLICY);
    assert_non_null(strstr(rig.err.message, "log_min_duration_statement"));
    rig_sql(&rig, "ALTER SYSTEM SET log_parameter_max_length = 0");
    rig_sql(&rig, "SELECT pg_reload_conf()");
    for (int i = 0; i < 50 && rig_try_bind(&rig, &target) != ENVL_OK; i++)
        rig_sql(&rig, "SELECT pg_sleep(0.05)");
    assert_int_equal(rig_try_bind(&rig, &target), ENVL_OK);
    rig_sql(&rig, "ALTER SYSTEM RESET log_parameter_max_length");
    rig_sql(&rig, "SELECT pg_reload_conf()");
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_is_written_and_nothing_beside_it),
        cmocka_unit_test(a_member_that_is_no_text_says_what_it_is),
        cmocka_unit_test(leaves_carry_their_path_sibling_and_element),
        cmocka_unit_test(an_object_is_put_as_an_object),
        cmocka_unit_test(a_member_that_is_not_there_is_never_made),
        cmocka_unit_test(a_document_that_changed_is_left_alone),
        cmocka_unit_test(json_is_changed_byte_by_byte),
        cmocka_unit_test(text_that_is_no_json_is_no_value),
        cmocka_unit_test(json_is_refused_where_the_server_logs_parameters),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
