/*
 * Pages: every row once, in the server's order, with exact values.
 */
#include "rig.h"

#define PLAIN { .table = "t", .fields = { { .column = "s" } } }
static const struct rig_target plain = PLAIN;

/* Walk the table in pages of ${size}; give each key's text to ${out}. */
static uint32_t
walk(struct rig *rig, uint32_t size, bool by_value, char (*out)[64])
{
    struct envl_read read = { .rows = size, .bytes = 1u << 22,
                              .by_value = by_value };
    struct envl_page *last = NULL, *page;
    uint32_t seen = 0;

    for (;;) {
        bool end;

        page = rig_read_as(rig, &read);
        assert_true(page->count <= size);
        for (uint32_t i = 0; i < page->count; i++, seen++)
            snprintf(out[seen], 64, "%.*s", (int)page->rows[i].name.len,
                     (const char *)page->rows[i].name.ptr);
        end = page->end;
        assert_true(page->count > 0 || end);
        OPS->page_free(last);
        last = page;
        if (end)
            break;
        read.after = page->rows[page->count - 1].key;
    }
    OPS->page_free(last);
    return seen;
}

/* The walk in pages of every size equals the server's own order. */
static void
assert_walk(struct rig *rig, const char *order)
{
    static char names[64][64];
    PGresult *want = PQexec(rig->other, order);
    uint32_t total = (uint32_t)PQntuples(want);

    assert_int_equal(PQresultStatus(want), PGRES_TUPLES_OK);
    for (uint32_t size = 1; size <= total + 1; size++) {
        assert_int_equal(walk(rig, size, size % 2 == 0, names), total);
        for (uint32_t i = 0; i < total; i++)
            assert_string_equal(names[i], PQgetvalue(want, (int)i, 0));
    }
    PQclear(want);
}

static void
keys_of_every_type_are_paged_in_the_servers_order(void **state)
{
    static const char *const keys[][2] = {
        { "smallint", "(-7),(3),(4),(32000)" },
        { "integer", "(-7),(3),(4),(2000000000)" },
        { "bigint", "(-9223372036854775808),(-1),(0),(9223372036854775807)" },
        { "uuid", "('ffffffff-0000-4000-8000-000000000001'),"
                  "('00000000-0000-4000-8000-0000000000ff')" },
        { "text COLLATE \"C\"", "(''),('a'),('B'),('b'),('Z'),('\xc3\xa4')" },
        { "varchar(20)", "(''),('a'),('B'),('b'),('a b'),('\xc3\xa4')" },
        { "numeric", "(1.50),(-2),(10),(9.99)" },
        { "timestamptz", "('2020-01-01 00:00:00.5+02'),('1999-12-31 23:00Z')" },
        { "date", "('2020-01-01'),('1999-12-31')" },
        { "bytea", "('\\x00ff'),('\\x'),('\\x01')" },
    };
    struct rig rig;
    char sql[512];

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        snprintf(sql, sizeof(sql), "CREATE TABLE t (k %s PRIMARY KEY, s text);"
                 "INSERT INTO t (k) VALUES %s", keys[i][0], keys[i][1]);
        rig_open(&rig, sql);
        rig_bind(&rig, &plain);
        assert_int_equal(OPS->target_info(rig.target)->has_ids, i < 6);
        assert_walk(&rig, "SELECT 'k=' || k::text FROM t ORDER BY k");
        rig_close(&rig);
    }
}

static void
a_text_key_is_ordered_by_its_own_collation(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE COLLATION german (provider = icu, locale = 'de');"
             "CREATE TABLE t (k text COLLATE german PRIMARY KEY, s text);"
             "INSERT INTO t (k) VALUES ('z'),('Z'),('a'),('A'),('\xc3\xa4'),"
             "('b'),('_'),('1')");
    rig_bind(&rig, &plain);
    assert_walk(&rig, "SELECT 'k=' || k FROM t ORDER BY k");
    rig_close(&rig);
}

static void
a_key_of_several_columns_is_one_order(void **state)
{
    static const struct rig_target target = {
        .table = "t", .keys = { "b", "a" }, .fields = { { .column = "s" } }
    };
    struct rig rig;
    struct envl_page *page;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (a int, b text, s text, PRIMARY KEY (a, b));"
             "INSERT INTO t VALUES (1,'x','s'),(1,'','s'),(2,'a','s'),"
             "(2,'b','s'),(10,'','s'),(-1,'z','s')");
    rig_bind(&rig, &target);
    assert_walk(&rig, "SELECT 'a=' || a || ',b=' || b FROM t ORDER BY a, b");
    page = rig_read(&rig);
    assert_int_equal(page->rows[0].id_count, 2);
    rig_assert_bytes(page->rows[0].ids[0].name, "id.a");
    rig_assert_bytes(page->rows[0].ids[0].value, "-1");
    rig_assert_bytes(page->rows[0].ids[1].name, "id.b");
    rig_assert_bytes(page->rows[0].ids[1].value, "z");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
values_come_exactly_as_they_are_stored(void **state)
{
    static const struct rig_target target = {
        .table = "t",
        .fields = { { .column = "s" }, { .column = "b" }, { .column = "j" },
                    { .column = "js" } },
    };
    struct rig rig;
    struct envl_page *page;
    const struct envl_leaf *leaves;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, b bytea, "
             "j jsonb, js json);"
             "INSERT INTO t VALUES (1, E'\xc3\xa4\\t\\n ', '\\x00ff', "
             "'\"a\\\"b\\u00e4\"', ' {\"a\" : 1e3} '),"
             "(2, NULL, NULL, NULL, NULL),"
             "(3, '', '', 'null', ' \"\" '), (4, NULL, NULL, '[1, 2.50]', "
             "'\"\\ud800\"')");
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    assert_int_equal(page->count, 4);
    leaves = page->rows[0].leaves;
    rig_assert_cell(leaves[0].value, ENVL_KIND_TEXT, "\xc3\xa4\t\n ");
    assert_int_equal(leaves[1].value.kind, ENVL_KIND_BYTES);
    assert_memory_equal(leaves[1].value.bytes.ptr, "\x00\xff", 2);
    rig_assert_cell(leaves[2].value, ENVL_KIND_TEXT, "a\"b\xc3\xa4");
    rig_assert_cell(leaves[3].value, ENVL_KIND_JSON, "{\"a\" : 1e3}");
    for (uint32_t i = 0; i < 4; i++)
        rig_assert_cell(page->rows[1].leaves[i].value, ENVL_KIND_NULL, "");
    leaves = page->rows[2].leaves;
    rig_assert_cell(leaves[0].value, ENVL_KIND_TEXT, "");
    rig_assert_cell(leaves[1].value, ENVL_KIND_BYTES, "");
    rig_assert_cell(leaves[2].value, ENVL_KIND_NULL, "");
    rig_assert_cell(leaves[3].value, ENVL_KIND_TEXT, "");
    leaves = page->rows[3].leaves;
    rig_assert_cell(leaves[2].value, ENVL_KIND_JSON, "[1, 2.50]");
    rig_assert_cell(leaves[3].value, ENVL_KIND_OTHER, "");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
bytes_of_no_encoding_come_and_go_unchanged(void **state)
{
    static const struct rig_target target = PLAIN;
    struct rig rig;
    struct envl_page *page;

    (void)state;
    rig_open_with(&rig, "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0",
                  "SET client_encoding = 'SQL_ASCII';"
                  "CREATE TABLE t (id int PRIMARY KEY, s text);"
                  "INSERT INTO t VALUES (1, 'caf\xe9'), (2, 'caf\xc3\xa9')");
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    rig_assert_cell(page->rows[0].leaves[0].value, ENVL_KIND_BYTES,
                    "caf\xe9");
    rig_assert_cell(page->rows[1].leaves[0].value, ENVL_KIND_TEXT,
                    "caf\xc3\xa9");
    assert_int_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "new")),
                     ENVL_WRITTEN);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
another_servers_encoding_is_read_as_utf8(void **state)
{
    struct rig rig;
    struct envl_page *page;

    (void)state;
    rig_open_with(&rig, "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
                  "SET client_encoding = 'UTF8'");
    rig_sql(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text);"
            "INSERT INTO t VALUES (1, 'caf\xc3\xa9')");
    rig_bind(&rig, &plain);
    for (int by_value = 0; by_value < 2; by_value++) {
        struct envl_read read = { .rows = 9, .by_value = by_value };

        page = rig_read_as(&rig, &read);
        rig_assert_cell(page->rows[0].leaves[0].value, ENVL_KIND_TEXT,
                        "caf\xc3\xa9");
        assert_int_equal(rig_write_one(&rig, page,
                                       rig_edit(0, 0, 0, "caf\xc3\xa9")),
                         ENVL_WRITTEN);
        OPS->page_free(page);
    }
    rig_close(&rig);
}

static void
bounds_conditions_and_extras_are_kept(void **state)
{
    static const struct rig_target target = {
        .table = "t", .where = "t.live AND s <> 'no' -- a comment",
        .fields = { { .column = "s" } }, .extras = { "tenant", "nr" },
    };
    struct rig rig;
    struct envl_page *page;
    struct envl_read read = { .rows = 9, .bytes = 1000 };

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, live bool, "
             "tenant text, nr int); INSERT INTO t SELECT i, 's' || i, i <> 4, "
             "nullif('t' || i, 't5'), i FROM generate_series(1, 7) i;"
             "UPDATE t SET s = 'no' WHERE id = 6");
    rig_bind(&rig, &target);
    read.after = (struct envl_bytes){ (const uint8_t *)"=1", 2 };
    read.until = (struct envl_bytes){ (const uint8_t *)"=6", 2 };
    page = rig_read_as(&rig, &read);
    assert_int_equal(page->count, 3);
    assert_true(page->end);
    rig_assert_bytes(page->rows[0].key, "=2");
    rig_assert_bytes(page->rows[2].key, "=5");
    rig_assert_cell(page->rows[0].extras[0], ENVL_KIND_TEXT, "t2");
    rig_assert_cell(page->rows[0].extras[1], ENVL_KIND_TEXT, "2");
    rig_assert_cell(page->rows[2].extras[0], ENVL_KIND_NULL, "");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
exact_rows_are_read_and_those_that_are_gone_left_out(void **state)
{
    static const struct rig_target composite = {
        .table = "c", .fields = { { .column = "s" } }
    };
    struct rig rig;
    struct envl_page *first, *page;
    struct envl_bytes keys[3];
    struct envl_read read = { .rows = 9, .keys = keys, .key_count = 3 };

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text);"
             "CREATE TABLE c (a text, b uuid, s text, PRIMARY KEY (a, b));"
             "INSERT INTO t SELECT i, 's' || i FROM generate_series(1, 5) i;"
             "INSERT INTO c SELECT 'k' || i, gen_random_uuid(), 's' "
             "FROM generate_series(1, 5) i");
    for (int i = 0; i < 2; i++) {
        rig_bind(&rig, i == 0 ? &plain : &composite);
        first = rig_read(&rig);
        for (uint32_t k = 0; k < 3; k++)
            keys[k] = first->rows[4 - k].key;
        rig_sql(&rig, i == 0 ? "DELETE FROM t WHERE id = 4"
                             : "DELETE FROM c WHERE a = 'k4'");
        page = rig_read_as(&rig, &read);
        assert_int_equal(page->count, 2);
        assert_true(page->end);
        assert_memory_equal(page->rows[0].key.ptr, keys[2].ptr, keys[2].len);
        assert_memory_equal(page->rows[1].key.ptr, keys[0].ptr, keys[0].len);
        OPS->page_free(page);
        OPS->page_free(first);
    }
    rig_close(&rig);
}

static void
a_page_of_heavy_rows_is_cut_by_bytes(void **state)
{
    struct rig rig;
    struct envl_read read = { .rows = 100, .bytes = 1u << 20 };
    struct envl_page *page;
    uint32_t seen = 0, pages = 0;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text);"
             "ALTER TABLE t ALTER s SET STORAGE EXTERNAL;"
             "INSERT INTO t SELECT i, repeat('x', CASE WHEN i > 15 THEN 900000 "
             "ELSE 10 END) FROM generate_series(1, 20) i; ANALYZE t");
    rig_bind(&rig, &plain);
    for (bool end = false; !end; pages++) {
        static char after[8];

        page = rig_read_as(&rig, &read);
        seen += page->count;
        end = page->end;
        assert_true(page->count > 0 || end);
        assert_true(page->count <= 2 || page->rows[0].leaves[0].value.bytes.len
                    == 10);
        if (page->count > 0) {
            struct envl_bytes key = page->rows[page->count - 1].key;

            snprintf(after, sizeof(after), "%.*s", (int)key.len,
                     (const char *)key.ptr);
            read.after = envl_bytes_of(after);
        }
        OPS->page_free(page);
    }
    assert_int_equal(seen, 20);
    assert_true(pages >= 4);
    rig_close(&rig);
}

/* Rows that a search for what is left gives, as "1 3 4". */
static void
assert_left(struct rig *rig, const char *kid, const char *expected)
{
    struct envl_read read = { .rows = 9, .unsealed = kid };
    struct envl_page *page = rig_read_as(rig, &read);
    char ids[16] = "";

    assert_true(page->end);
    for (int id = 1; id < 10; id++) {
        for (uint32_t i = 0; i < page->count; i++) {
            if (page->rows[i].key.len == 2 && page->rows[i].key.ptr[1] ==
                '0' + id)
                snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%d",
                         id);
        }
    }
    assert_string_equal(ids, expected);
    OPS->page_free(page);
}

static void
a_search_finds_what_does_not_begin_like_an_envelope(void **state)
{
    static const struct rig_target targets[] = {
        { .table = "t", .fields = { { .column = "s" } } },
        { .table = "t", .fields = { { "d", { "a", "b" } } } },
        { .table = "t", .fields = { { .column = "s", .into = "e" } } },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, d jsonb, "
             "e text); INSERT INTO t (id, s) VALUES (1, 'plain'), (2, NULL), "
             "(3, 'env1:k1:x'), (4, 'env1:k2:x'), (5, ''), (6, 'env1:k1');"
             "UPDATE t SET d = jsonb_build_object('a', jsonb_build_object("
             "'b', s)); UPDATE t SET d = '{\"a\": {\"b\": {\"env\": 1, "
             "\"kid\": \"k1\", \"payload\": \"x\"}}}' WHERE id = 6");
    for (int i = 0; i < 2; i++) {
        rig_bind(&rig, &targets[i]);
        assert_true(OPS->target_info(rig.target)->finds_unsealed);
        assert_left(&rig, "", i == 0 ? "15" : "125");
        assert_left(&rig, "k1", i == 0 ? "1456" : "1245");
    }
    rig_sql(&rig, "UPDATE t SET e = 'env1:k1:x', s = NULL WHERE id > 4;"
            "UPDATE t SET s = NULL, e = 'plain' WHERE id = 4");
    rig_bind(&rig, &targets[2]);
    assert_left(&rig, "", "134");
    rig_close(&rig);
}

struct found {
    char keys[16][64];
    uint32_t count;
};

static enum envl_status
keep_key(void *cookie, struct envl_bytes key, struct envl_error *err)
{
    struct found *found = cookie;

    (void)err;
    snprintf(found->keys[found->count++], 64, "%.*s", (int)key.len,
             (const char *)key.ptr);
    return ENVL_OK;
}

static void
the_last_key_and_splits_are_found(void **state)
{
    struct rig rig;
    struct found found = { .count = 0 };

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text)");
    rig_bind(&rig, &plain);
    assert_int_equal(OPS->last_key(rig.target, keep_key, &found, &rig.err),
                     ENVL_OK);
    assert_int_equal(OPS->split(rig.target, 4, keep_key, &found, &rig.err),
                     ENVL_OK);
    assert_int_equal(found.count, 0);
    rig_sql(&rig, "INSERT INTO t SELECT i FROM generate_series(1, 1000) i;"
            "ANALYZE t");
    rig_bind(&rig, &plain);
    assert_int_equal(OPS->last_key(rig.target, keep_key, &found, &rig.err),
                     ENVL_OK);
    assert_string_equal(found.keys[0], "=1000");
    found.count = 0;
    assert_int_equal(OPS->split(rig.target, 4, keep_key, &found, &rig.err),
                     ENVL_OK);
    assert_int_equal(found.count, 3);
    assert_string_equal(found.keys[0], "=250");
    assert_string_equal(found.keys[1], "=500");
    assert_string_equal(found.keys[2], "=750");
    rig_close(&rig);
}

static void
a_name_for_people_holds_no_control_character(void **state)
{
    struct rig rig;
    struct envl_page *page;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (k text PRIMARY KEY, s text);"
             "INSERT INTO t VALUES (E'a\\nb', 's'), "
             "(repeat('\xc3\xa4', 300), '')");
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    rig_assert_bytes(page->rows[0].name, "k=a?b");
    rig_assert_bytes(page->rows[0].ids[0].value, "a\nb");
    assert_true(page->rows[1].name.len <= 203);
    assert_memory_equal(page->rows[1].name.ptr + page->rows[1].name.len - 5,
                        "\xc3\xa4...", 5);
    OPS->page_free(page);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_every_type_are_paged_in_the_servers_order),
        cmocka_unit_test(a_text_key_is_ordered_by_its_own_collation),
        cmocka_unit_test(a_key_of_several_columns_is_one_order),
        cmocka_unit_test(values_come_exactly_as_they_are_stored),
        cmocka_unit_test(bytes_of_no_encoding_come_and_go_unchanged),
        cmocka_unit_test(another_servers_encoding_is_read_as_utf8),
        cmocka_unit_test(bounds_conditions_and_extras_are_kept),
        cmocka_unit_test(exact_rows_are_read_and_those_that_are_gone_left_out),
        cmocka_unit_test(a_page_of_heavy_rows_is_cut_by_bytes),
        cmocka_unit_test(a_search_finds_what_does_not_begin_like_an_envelope),
        cmocka_unit_test(the_last_key_and_splits_are_found),
        cmocka_unit_test(a_name_for_people_holds_no_control_character),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
