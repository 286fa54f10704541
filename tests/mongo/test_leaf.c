/* Which leaves a document has for a pattern. */
#include "leaf_fixture.h"

struct leaf_case {
    const char *name, *document, *path, *into, *element_id, *want;
};

static void
expect_leaves(const char *name, const bson_t *bson,
              const struct leaf_case *c, const char *want)
{
    struct envl_field_spec field = { .into = c->into,
                                     .element_id = c->element_id };
    struct arena arena = ARENA_INIT;
    struct envl_leaf *leaves = NULL;
    struct pattern p;
    char text[4096];
    uint32_t count = 0;

    pattern(&p, c->path);
    field.path = p.path;
    assert_int_equal(leaf_collect(bson, &field, 1, &arena, &leaves, &count,
                                  NULL), ENVL_OK);
    assert_true(count >= 1);
    show(text, sizeof(text), leaves, count);
    if (strcmp(text, want) != 0)
        fail_msg("%s: %s, not %s", name, text, want);
    arena_free(&arena);
}

static void
run(const struct leaf_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bson_t *bson = document(cases[i].document);

        expect_leaves(cases[i].name, bson, &cases[i], cases[i].want);
        bson_destroy(bson);
    }
}

#define RUN(cases) run(cases, sizeof(cases) / sizeof((cases)[0]))

/* spec: MIG-24 */
static void
a_pattern_finds_every_place(void **state)
{
    static const struct leaf_case cases[] = {
        { "a member", "{\"a\":\"x\"}", "a", NULL, NULL, "a=\"x\"" },
        { "deeper", "{\"a\":{\"b\":{\"c\":\"x\"}}}", "a.b.c", NULL, NULL,
          "a.b.c=\"x\"" },
        { "nothing", "{\"b\":\"x\"}", "a", NULL, NULL, "a=absent" },
        { "nothing on the way", "{\"a\":\"x\"}", "a.b", NULL, NULL,
          "a.b=absent" },
        { "no document at all", "{}", "*", NULL, NULL, "=absent" },
        { "null", "{\"a\":null}", "a", NULL, NULL, "a=null" },
        { "null on the way", "{\"a\":null}", "a.b", NULL, NULL,
          "a.b=absent" },
        { "any member", "{\"h\":{\"x\":\"1\",\"y\":\"2\"}}", "h.*", NULL,
          NULL, "h.x=\"1\"; h.y=\"2\"" },
        { "any element", "{\"s\":[\"1\",\"2\"]}", "s[*]", NULL, NULL,
          "s[0]=\"1\"; s[1]=\"2\"" },
        { "elements of elements", "{\"s\":[[\"1\"],[\"2\",\"3\"]]}",
          "s[*][*]", NULL, NULL,
          "s[0][0]=\"1\"; s[1][0]=\"2\"; s[1][1]=\"3\"" },
        { "the shape of tools",
          "{\"servers\":[{\"headers\":{\"A\":\"1\",\"B\":\"2\"}},"
          "{\"url\":\"u\"},{\"headers\":{\"A\":\"3\"}}]}",
          "servers[*].headers.*", NULL, NULL,
          "servers[0].headers.A=\"1\"; servers[0].headers.B=\"2\"; "
          "servers[2].headers.A=\"3\"" },
        { "the shape of integrations",
          "{\"integrations\":{\"git\":{\"credentials\":{\"token\":\"1\"}},"
          "\"ci\":{\"credentials\":{\"token\":\"2\"}},\"off\":true}}",
          "integrations.*.credentials.token", NULL, NULL,
          "integrations.git.credentials.token=\"1\"; "
          "integrations.ci.credentials.token=\"2\"" },
        { "a name is no element", "{\"a\":[\"x\"]}", "a.0", NULL, NULL,
          "a.0=absent" },
        { "an element is no member", "{\"a\":{\"0\":\"x\"}}", "a[*]", NULL,
          NULL, "=absent" },
        { "a number as a name", "{\"a\":{\"0\":\"x\"}}", "a.0", NULL, NULL,
          "a.0=\"x\"" },
        { "`*` is no element", "{\"a\":[\"x\"]}", "a.*", NULL, NULL,
          "=absent" },
        { "names with dots, dollars and nothing",
          "{\"h\":{\"x.y\":\"1\",\"$z\":\"2\",\"\":\"3\"}}", "h.*", NULL,
          NULL, "h.x.y=\"1\"; h.$z=\"2\"; h.=\"3\"" },
        { "by such a name", "{\"x.y\":{\"\":\"1\"}}", "x~1y._", NULL, NULL,
          "x.y.=\"1\"" },
        { "_id is no member of `*`", "{\"_id\":{\"k\":\"x\"},\"a\":"
          "{\"_id\":{\"k\":\"y\"},\"k\":\"z\"}}", "*.k", NULL, NULL,
          "a.k=\"z\"" },
        { "a deeper _id is", "{\"a\":{\"_id\":{\"k\":\"y\"}}}", "a.*.k",
          NULL, NULL, "a._id.k=\"y\"" },
    };

    (void)state;
    RUN(cases);
}

/* spec: ENV-6.11, MIG-25 */
static void
types_are_kept(void **state)
{
    static const struct leaf_case cases[] = {
        { "a number", "{\"a\":{\"$numberInt\":\"42\"}}", "a", NULL, NULL,
          "a={ \"v\" : { \"$numberInt\" : \"42\" } }" },
        { "a long one", "{\"a\":{\"$numberLong\":\"42\"}}", "a", NULL, NULL,
          "a={ \"v\" : { \"$numberLong\" : \"42\" } }" },
        { "a double", "{\"a\":{\"$numberDouble\":\"-0.0\"}}", "a", NULL,
          NULL, "a={ \"v\" : { \"$numberDouble\" : \"-0.0\" } }" },
        { "a decimal", "{\"a\":{\"$numberDecimal\":\"1.50\"}}", "a", NULL,
          NULL, "a={ \"v\" : { \"$numberDecimal\" : \"1.50\" } }" },
        { "a boolean", "{\"a\":true}", "a", NULL, NULL,
          "a={ \"v\" : true }" },
        { "a date", "{\"a\":{\"$date\":{\"$numberLong\":\"1\"}}}", "a", NULL,
          NULL, "a={ \"v\" : { \"$date\" : { \"$numberLong\" : \"1\" } } }" },
        { "BinData 0", "{\"a\":{\"$binary\":{\"base64\":\"/wA=\","
          "\"subType\":\"00\"}}}", "a", NULL, NULL, "a=ff00" },
        { "BinData 4", "{\"a\":{\"$binary\":{\"base64\":\"/wA=\","
          "\"subType\":\"04\"}}}", "a", NULL, NULL,
          "a={ \"v\" : { \"$binary\" : { \"base64\" : \"/wA=\", "
          "\"subType\" : \"04\" } } }" },
        { "a document", "{\"a\":{\"b\":1,\"a\":[]}}", "a", NULL, NULL,
          "a={ \"v\" : { \"b\" : { \"$numberInt\" : \"1\" }, \"a\" : [  ] } "
          "}" },
        { "an array", "{\"a\":[1]}", "a", NULL, NULL,
          "a={ \"v\" : [ { \"$numberInt\" : \"1\" } ] }" },
        { "MinKey", "{\"a\":{\"$minKey\":1}}", "a", NULL, NULL,
          "a={ \"v\" : { \"$minKey\" : 1 } }" },
        { "undefined", "{\"a\":{\"$undefined\":true}}", "a", NULL, NULL,
          "a=other" },
        { "an empty string", "{\"a\":\"\"}", "a", NULL, NULL, "a=\"\"" },
    };

    (void)state;
    RUN(cases);
}

/* spec: MIG-26 */
static void
siblings_and_identifiers_come_along(void **state)
{
    static const struct leaf_case cases[] = {
        { "no sibling", "{\"a\":\"x\"}", "a", "b", NULL, "a=\"x\"" },
        { "a sibling", "{\"b\":\"e\",\"a\":\"x\"}", "a", "b", NULL,
          "a=\"x\" sibling \"e\"" },
        { "the sibling alone", "{\"b\":\"e\"}", "a", "b", NULL,
          "a=absent sibling \"e\"" },
        { "a null sibling", "{\"a\":\"x\",\"b\":null}", "a", "b", NULL,
          "a=\"x\" sibling null" },
        { "a document as sibling", "{\"a\":\"x\",\"b\":{\"env\":true}}", "a",
          "b", NULL, "a=\"x\" sibling { \"v\" : { \"env\" : true } }" },
        { "the sibling of each", "{\"s\":[{\"a\":\"1\",\"b\":\"e\"},"
          "{\"b\":\"f\"},{\"a\":\"2\"}]}", "s[*].a", "b", NULL,
          "s[0].a=\"1\" sibling \"e\"; s[1].a=absent sibling \"f\"; "
          "s[2].a=\"2\"" },
        { "an element's identifier",
          "{\"s\":[{\"k\":\"x\",\"n\":\"one\"},{\"n\":7,\"k\":\"y\"}]}",
          "s[*].k", NULL, "n",
          "s[0].k=\"x\" element \"str:one\"; s[1].k=\"y\" element "
          "\"int:7\"" },
        { "the innermost one's",
          "{\"s\":[{\"n\":1,\"t\":[{\"n\":2,\"h\":{\"k\":\"x\"}}]}]}",
          "s[*].t[*].h.k", NULL, "n",
          "s[0].t[0].h.k=\"x\" element \"int:2\"" },
        { "one that is no text", "{\"s\":[{\"k\":\"x\",\"n\":1.5}]}",
          "s[*].k", NULL, "n", "s[0].k=\"x\" element other" },
        { "a member's", "{\"m\":{\"p\":{\"n\":\"q\",\"k\":\"x\"}}}",
          "m.*.k", NULL, "n", "m.p.k=\"x\" element \"str:q\"" },
    };

    (void)state;
    RUN(cases);
}

static void
append(bson_t *bson, const char *name, const char *value)
{
    assert_true(bson_append_utf8(bson, name, -1, value, -1));
}

/* Two members of one name: no driver and no server agree on which counts. */
static void
what_stands_twice_is_never_guessed(void **state)
{
    struct leaf_case c = { .path = "a" };
    bson_t bson, child;

    (void)state;
    bson_init(&bson);
    append(&bson, "a", "x");
    append(&bson, "b", "y");
    append(&bson, "a", "z");
    expect_leaves("a member", &bson, &c, "a=other; a=other");
    c.path = "*";
    expect_leaves("under `*`", &bson, &c, "a=other; b=\"y\"; a=other");
    c.path = "b";
    expect_leaves("another member", &bson, &c, "b=\"y\"");
    c = (struct leaf_case){ .path = "b", .into = "a" };
    expect_leaves("a sibling", &bson, &c, "b=other sibling other");
    bson_destroy(&bson);

    bson_init(&bson);
    append(&bson, "p", "x");
    bson_append_document_begin(&bson, "p", 1, &child);
    append(&child, "a", "y");
    append(&child, "k", "1");
    append(&child, "k", "2");
    bson_append_document_end(&bson, &child);
    c = (struct leaf_case){ .path = "p.a" };
    expect_leaves("a name on the way", &bson, &c, "p.a=other");
    c = (struct leaf_case){ .path = "*.a", .element_id = "k" };
    expect_leaves("and under `*`", &bson, &c, "p.a=other element other");
    bson_destroy(&bson);
}

/* An array is positions; one with other keys is something else. */
static void
arrays_of_other_keys_are_told(void **state)
{
    static const char *const keys[][3] = { { "0", "2", "1" },
                                           { "0", "0", "1" },
                                           { "a", "b", "c" },
                                           { "00", "1", "2" } };
    struct leaf_case c = { .path = "s[*]" };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        bson_t bson, child;

        bson_init(&bson);
        bson_append_array_begin(&bson, "s", 1, &child);
        for (size_t k = 0; k < 3; k++)
            append(&child, keys[i][k], "x");
        bson_append_array_end(&bson, &child);
        expect_leaves(keys[i][0], &bson, &c,
                      "s[0]=other; s[1]=other; s[2]=other");
        bson_destroy(&bson);
    }
}

static void
what_is_not_utf_8_is_other_and_alone(void **state)
{
    struct leaf_case c = { .path = "*" };
    bson_t bson;

    (void)state;
    bson_init(&bson);
    append(&bson, "a", "caf\xe9");
    append(&bson, "b\xff", "x");
    append(&bson, "c", "y");
    expect_leaves("any", &bson, &c, "a=other; b\xff=other; c=\"y\"");
    bson_destroy(&bson);
}

/* libbson sorts a regular expression's options when it writes one. */
static void
values_are_the_bytes_of_the_document(void **state)
{
    static const char hex[] = "0f000000"
                              "0b6100" "7800" "7861" "697300" "00";
    struct envl_bytes bytes = from_hex(hex);
    struct envl_field_spec field = { .into = NULL };
    struct arena arena = ARENA_INIT;
    struct envl_leaf *leaves;
    struct pattern p;
    uint32_t count;
    bson_t bson;

    (void)state;
    assert_true(bson_init_static(&bson, bytes.ptr, bytes.len));
    pattern(&p, "a");
    field.path = p.path;
    assert_int_equal(leaf_collect(&bson, &field, 1, &arena, &leaves, &count,
                                  NULL), ENVL_OK);
    assert_int_equal(leaves[0].value.kind, ENVL_KIND_BSON);
    assert_int_equal(leaves[0].value.bytes.len, bytes.len);
    assert_memory_equal(leaves[0].value.bytes.ptr + 7, bytes.ptr + 7,
                        bytes.len - 7);
    arena_free(&arena);
}

static void
a_document_that_is_none_has_no_leaf_to_write(void **state)
{
    /* A string whose length reaches beyond its document. */
    struct envl_bytes bytes = from_hex("0e000000" "026100" "ff000000" "7800"
                                       "00");
    struct leaf_case c = { .path = "a" };
    bson_t bson;

    (void)state;
    assert_true(bson_init_static(&bson, bytes.ptr, bytes.len));
    expect_leaves("broken", &bson, &c, "a=other");
    c.path = "b.*";
    expect_leaves("broken, wild", &bson, &c, "=other");
}

static void
depth_costs_no_stack(void **state)
{
    enum { DEPTH = 200000 };
    size_t len = 5 + DEPTH * 8;
    uint8_t *bytes = calloc(1, len);
    struct leaf_case c = { .path = "a.a.b" };
    bson_t bson;

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i <= DEPTH; i++) { /* each {"a": the next} */
        size_t inner = len - 8 * i;

        for (unsigned b = 0; b < 4; b++)
            bytes[7 * i + b] = (uint8_t)(inner >> 8 * b);
        if (i < DEPTH)
            memcpy(bytes + 7 * i + 4, "\x03" "a", 3);
    }
    assert_true(bson_init_static(&bson, bytes, len));
    expect_leaves("deep", &bson, &c, "a.a.b=absent");
    free(bytes);
}

static void
fields_come_in_their_order(void **state)
{
    struct envl_field_spec fields[3] = { { .into = NULL } };
    struct arena arena = ARENA_INIT;
    struct envl_leaf *leaves;
    struct pattern p[3];
    uint32_t count;
    bson_t *bson = document("{\"b\":\"2\",\"a\":\"1\"}");

    (void)state;
    pattern(&p[0], "a");
    pattern(&p[1], "x");
    pattern(&p[2], "b");
    for (size_t i = 0; i < 3; i++)
        fields[i].path = p[i].path;
    assert_int_equal(leaf_collect(bson, fields, 3, &arena, &leaves, &count,
                                  NULL), ENVL_OK);
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(leaves[i].field, i);
    assert_int_equal(leaves[1].value.kind, ENVL_KIND_ABSENT);
    bson_destroy(bson);
    arena_free(&arena);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_finds_every_place),
        cmocka_unit_test(types_are_kept),
        cmocka_unit_test(siblings_and_identifiers_come_along),
        cmocka_unit_test(what_stands_twice_is_never_guessed),
        cmocka_unit_test(arrays_of_other_keys_are_told),
        cmocka_unit_test(what_is_not_utf_8_is_other_and_alone),
        cmocka_unit_test(values_are_the_bytes_of_the_document),
        cmocka_unit_test(a_document_that_is_none_has_no_leaf_to_write),
        cmocka_unit_test(depth_costs_no_stack),
        cmocka_unit_test(fields_come_in_their_order),
    };

    return cmocka_run_group_tests_name("mongo leaf", tests, NULL, NULL);
}
