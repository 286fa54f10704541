/* One place of a document, and the texts that contexts write. */
#include "leaf_fixture.h"

#include "mongo/ident.h"

static bool
found(const bson_t *bson, const char *text, bson_iter_t *at)
{
    struct pattern p;

    pattern(&p, text);
    for (uint32_t i = 0; i < p.path.count; i++) {
        struct envl_segment *segment = &p.segments[i];

        /* In these tests a name that is a number is an element. */
        if (segment->name.len > 0 && segment->name.ptr[0] == '#') {
            segment->kind = ENVL_SEGMENT_ELEMENT;
            segment->index = strtoul((const char *)segment->name.ptr + 1,
                                     NULL, 10);
        }
    }
    return leaf_find(bson, &p.path, at);
}

static void
the_value_at_a_path_is_found(void **state)
{
    bson_t *bson = document("{\"s\":[{\"h\":{\"A\":\"x\"}},{\"h\":1}],"
                            "\"x.y\":{\"\":\"e\"},\"t\":{\"0\":\"m\"}}");
    bson_iter_t at;

    (void)state;
    assert_true(found(bson, "s.#0.h.A", &at));
    assert_string_equal(bson_iter_utf8(&at, NULL), "x");
    assert_true(found(bson, "s.#1.h", &at));
    assert_int_equal(bson_iter_int32(&at), 1);
    assert_true(found(bson, "x~1y._", &at));
    assert_string_equal(bson_iter_utf8(&at, NULL), "e");
    assert_true(found(bson, "t.0", &at));
    assert_false(found(bson, "t.#0", &at)); /* a member is no element */
    assert_false(found(bson, "s.0", &at));
    assert_false(found(bson, "s.#2", &at));
    assert_false(found(bson, "s.#1.h.A", &at));
    assert_false(found(bson, "x.y", &at));
    assert_false(found(bson, "nothing", &at));
    bson_destroy(bson);
}

static void
what_stands_twice_is_not_found(void **state)
{
    bson_iter_t at;
    bson_t bson;

    (void)state;
    bson_init(&bson);
    bson_append_utf8(&bson, "a", -1, "1", -1);
    bson_append_utf8(&bson, "b", -1, "2", -1);
    bson_append_utf8(&bson, "a", -1, "3", -1);
    assert_false(found(&bson, "a", &at));
    assert_true(found(&bson, "b", &at));
    bson_destroy(&bson);
}

static void
extras_are_looked_up_by_dotted_names(void **state)
{
    static const struct {
        const char *dotted, *want;
    } cases[] = {
        { "tenant", "str:t1" }, { "org.id", "int:7" },
        { "org.deep.id", "oid:65f0c0ffee65f0c0ffee0001" },
        { "org", NULL }, { "half", NULL },
    };
    bson_t *bson = document("{\"tenant\":\"t1\",\"half\":1.5,\"org\":"
                            "{\"id\":7,\"deep\":{\"id\":{\"$oid\":"
                            "\"65f0c0ffee65f0c0ffee0001\"}}}}");
    struct arena arena = ARENA_INIT;
    struct envl_cell cell;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(leaf_extra(bson, cases[i].dotted, &arena, &cell),
                         ENVL_OK);
        if (cases[i].want == NULL) {
            assert_int_equal(cell.kind, ENVL_KIND_OTHER);
            continue;
        }
        assert_int_equal(cell.kind, ENVL_KIND_TEXT);
        assert_int_equal(cell.bytes.len, strlen(cases[i].want));
        assert_memory_equal(cell.bytes.ptr, cases[i].want, cell.bytes.len);
    }
    assert_int_equal(leaf_extra(bson, "org.none", &arena, &cell), ENVL_OK);
    assert_int_equal(cell.kind, ENVL_KIND_ABSENT);
    assert_int_equal(leaf_extra(bson, "tenant.id", &arena, &cell), ENVL_OK);
    assert_int_equal(cell.kind, ENVL_KIND_ABSENT);
    bson_destroy(bson);
    arena_free(&arena);
}

static void
which_places_have_a_dotted_path(void **state)
{
    static const struct {
        const char *path, *into;
        bool want;
    } cases[] = {
        { "a", NULL, true },      { "a.b", "c", true },
        { "a.0", NULL, true },    { "a[*].b", NULL, true },
        { "a.x~1y", NULL, false }, { "a._", NULL, false },
        { "$a", NULL, false },    { "a.$b", NULL, false },
        { "a$", NULL, true },     { "a", "x.y", false },
        { "a", "$x", false },     { "a", "", false },
    };
    struct pattern p;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pattern(&p, cases[i].path);
        if (leaf_addressable(&p.path, cases[i].into) != cases[i].want)
            fail_msg("%s", cases[i].path);
    }
}

/* spec: JOB-35; NULL: there is no such text */
static const struct {
    const char *json, *want;
} idents[] = {
    { "{\"$numberInt\":\"42\"}", "int:42" },
    { "{\"$numberInt\":\"-2147483648\"}", "int:-2147483648" },
    { "{\"$numberLong\":\"9223372036854775807\"}",
      "int:9223372036854775807" },
    { "{\"$numberLong\":\"-9223372036854775808\"}",
      "int:-9223372036854775808" },
    { "{\"$numberDouble\":\"42\"}", "int:42" },
    { "{\"$numberDouble\":\"-0.0\"}", "int:0" },
    { "{\"$numberDouble\":\"-42\"}", "int:-42" },
    { "{\"$numberDouble\":\"9007199254740993\"}", "int:9007199254740992" },
    { "{\"$numberDouble\":\"1e23\"}", "int:99999999999999991611392" },
    { "{\"$numberDouble\":\"4.5\"}", NULL },
    { "{\"$numberDouble\":\"Infinity\"}", NULL },
    { "{\"$numberDouble\":\"NaN\"}", NULL },
    { "{\"$numberDecimal\":\"42\"}", "int:42" },
    { "{\"$numberDecimal\":\"42.000\"}", "int:42" },
    { "{\"$numberDecimal\":\"4.2E1\"}", "int:42" },
    { "{\"$numberDecimal\":\"42E+3\"}", "int:42000" },
    { "{\"$numberDecimal\":\"-0.00\"}", "int:0" },
    { "{\"$numberDecimal\":\"0E+6000\"}", "int:0" },
    { "{\"$numberDecimal\":\"-7\"}", "int:-7" },
    { "{\"$numberDecimal\":\"1234567890123456789012345678901234\"}",
      "int:1234567890123456789012345678901234" },
    { "{\"$numberDecimal\":\"42.5\"}", NULL },
    { "{\"$numberDecimal\":\"1E-6176\"}", NULL },
    { "{\"$numberDecimal\":\"1E+6000\"}", NULL }, /* no context holds it */
    { "{\"$numberDecimal\":\"Infinity\"}", NULL },
    { "{\"$numberDecimal\":\"NaN\"}", NULL },
    { "\"42\"", "str:42" },
    { "\"\"", "str:" },
    { "\"\\u00e9\"", "str:\xc3\xa9" },
    { "{\"$oid\":\"65f0c0ffee65f0c0ffee0001\"}",
      "oid:65f0c0ffee65f0c0ffee0001" },
    { "{\"$binary\":{\"base64\":\"ZfDA/+5lQMCP7gAAAAAAAQ==\","
      "\"subType\":\"04\"}}", "uuid:65f0c0ff-ee65-40c0-8fee-000000000001" },
    { "{\"$binary\":{\"base64\":\"AQ==\",\"subType\":\"80\"}}",
      "bin:128:01" },
    { "{\"$binary\":{\"base64\":\"/wA=\",\"subType\":\"00\"}}",
      "bin:0:ff00" },
    { "{\"$binary\":{\"base64\":\"/wA=\",\"subType\":\"04\"}}",
      "bin:4:ff00" },
    { "{\"$binary\":{\"base64\":\"/wA=\",\"subType\":\"02\"}}",
      "bin:2:ff00" },
    { "true", NULL }, { "null", NULL }, { "{\"a\":1}", NULL },
    { "[1]", NULL }, { "{\"$date\":{\"$numberLong\":\"1\"}}", NULL },
};

static void
each_key_has_its_text(void **state)
{
    struct arena arena = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(idents) / sizeof(idents[0]); i++) {
        const char *want = idents[i].want;
        struct envl_cell cell;
        bson_iter_t at;
        char json[256];
        bson_t *bson;

        snprintf(json, sizeof(json), "{\"k\":%s}", idents[i].json);
        bson = document(json);
        assert_true(bson_iter_init_find(&at, bson, "k"));
        assert_int_equal(ident_text(&at, &arena, &cell), ENVL_OK);
        if (want == NULL && cell.kind != ENVL_KIND_OTHER)
            fail_msg("%s: %s", json, (const char *)cell.bytes.ptr);
        if (want != NULL &&
            (cell.kind != ENVL_KIND_TEXT || cell.bytes.len != strlen(want) ||
             memcmp(cell.bytes.ptr, want, cell.bytes.len) != 0))
            fail_msg("%s is not %s", json, want);
        bson_destroy(bson);
    }
    arena_free(&arena);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_value_at_a_path_is_found),
        cmocka_unit_test(what_stands_twice_is_not_found),
        cmocka_unit_test(extras_are_looked_up_by_dotted_names),
        cmocka_unit_test(which_places_have_a_dotted_path),
        cmocka_unit_test(each_key_has_its_text),
    };

    return cmocka_run_group_tests_name("mongo leaf_find", tests, NULL, NULL);
}
