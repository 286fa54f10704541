#include "cmocka_all.h"

#include <jansson.h>
#include <sodium.h>

#include "core/json_scan.h"

static const char *const good_texts[] = {
    "null", " true ", "false", "0", "-0", "1.5e-7", "1E400", "\"\"", "[]",
    "{}", "[1,2,[3]]", "{\"a\":{\"b\":[{}]},\"a\":1}", "\t\r\n[ ]\n",
    "\"\\ud800\"", "\"\\u0000\"", "\"\xf0\x9f\x94\x91\"", "[\"\\\\\"]",
    "123456789012345678901234567890123456789012345678901234567890",
    "\"\x7f\"",
};

static const char *const bad_texts[] = {
    "", " ", "nul", "nulll", "tru e", "01", "-", "+1", ".5", "1.", "1e",
    "1e+", "0x1", "NaN", "Infinity", "'a'", "\"a", "\"\n\"", "\"\\x\"",
    "\"\\u12g4\"", "\"\\u123\"", "[", "]", "[1,]", "[,1]", "[1 2]", "{",
    "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{\"a\":1 \"b\":2}",
    "{1:2}", "1 2", "[]]", "{}{}", "\xef\xbb\xbf{}", "\"\xff\"",
    "\"\xed\xa0\x80\"", "[1}", "{\"a\":1]", "\v1", "// x\n1", "\"\x1f\"",
    "{\"a\":1,\"b\"", "\"\\", "{\"\xc3\":1}",
};

static void
accepts_json_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good_texts) / sizeof(good_texts[0]); i++) {
        if (!json_scan_valid(envl_bytes_of(good_texts[i])))
            fail_msg("refused: %s", good_texts[i]);
    }
    for (size_t i = 0; i < sizeof(bad_texts) / sizeof(bad_texts[0]); i++) {
        if (json_scan_valid(envl_bytes_of(bad_texts[i])))
            fail_msg("accepted: %s", bad_texts[i]);
    }
    assert_false(json_scan_valid(LITERAL("1\0")));
    assert_false(json_scan_valid(LITERAL("[\0]")));
}

/* What jansson accepts we do; what only we accept is a limit of its own. */
static void
agrees_with_jansson_on_mutated_documents(void **state)
{
    static const char seed[] =
        "{\"a\": [1, -2.5e3, \"x\\n\\u00e9\", true, null], \"b\": {\"c\": "
        "\"\xe2\x9c\x93\"}}";
    static const char bytes[] = "{}[]\",:\\u0e.-+1 atn";
    unsigned rounds = getenv("ENVL_TEST_QUICK") == NULL ? 200000 : 10000;
    unsigned accepted = 0;

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        char text[sizeof(seed)];
        json_t *doc;
        bool ours;

        memcpy(text, seed, sizeof(seed));
        for (unsigned n = randombytes_uniform(3) + 1; n > 0; n--)
            text[randombytes_uniform(sizeof(seed) - 1)] =
                bytes[randombytes_uniform(sizeof(bytes) - 1)];
        doc = json_loadb(text, sizeof(seed) - 1,
                         JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        ours = json_scan_valid((struct envl_bytes){ (uint8_t *)text,
                                                    sizeof(seed) - 1 });
        accepted += ours;
        if (doc != NULL && !ours)
            fail_msg("jansson accepts, we do not: %s", text);
        if (doc == NULL && ours && strstr(text, "\\u") == NULL &&
            strstr(text, "e") == NULL && strstr(text, "E") == NULL)
            fail_msg("we accept, jansson does not: %s", text);
        json_decref(doc);
    }
    assert_true(accepted > rounds / 200);
}

static void
tokens_lie_where_they_are_said_to(void **state)
{
    static const struct {
        enum json_token token;
        const char *text;
    } want[] = {
        { JSON_SCAN_OBJECT_BEGIN, "{" }, { JSON_SCAN_NAME, "\"a\"" },
        { JSON_SCAN_ARRAY_BEGIN, "[" },  { JSON_SCAN_NUMBER, "-1.5" },
        { JSON_SCAN_TRUE, "true" },      { JSON_SCAN_ARRAY_END, "]" },
        { JSON_SCAN_NAME, "\"b\\\"\"" }, { JSON_SCAN_STRING, "\"c\"" },
        { JSON_SCAN_OBJECT_END, "}" },   { JSON_SCAN_END, "" },
        { JSON_SCAN_END, "" },
    };
    struct json_scan scan;

    (void)state;
    json_scan_init(&scan, envl_bytes_of(
        " { \"a\" : [ -1.5 , true ] , \"b\\\"\":\"c\" } "));
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_int_equal(json_scan_next(&scan), want[i].token);
        assert_int_equal(scan.len, strlen(want[i].text));
        assert_memory_equal(scan.text.ptr + scan.start, want[i].text,
                            scan.len);
    }
    json_scan_free(&scan);
}

static void
skip_goes_past_the_whole_value(void **state)
{
    struct json_scan scan;

    (void)state;
    json_scan_init(&scan, envl_bytes_of("[{\"a\":[[],{}]},2,[[3]]"));
    assert_int_equal(json_scan_next(&scan), JSON_SCAN_ARRAY_BEGIN);
    assert_int_equal(json_scan_next(&scan), JSON_SCAN_OBJECT_BEGIN);
    assert_true(json_scan_skip(&scan));
    assert_int_equal(json_scan_next(&scan), JSON_SCAN_NUMBER);
    assert_true(json_scan_skip(&scan));
    assert_int_equal(json_scan_next(&scan), JSON_SCAN_ARRAY_BEGIN);
    assert_true(json_scan_skip(&scan));
    assert_int_equal(json_scan_next(&scan), JSON_SCAN_ERROR);
    assert_false(json_scan_skip(&scan));
    json_scan_free(&scan);
}

static void
depth_has_no_limit(void **state)
{
    static const size_t depths[] = { 2047, 2048, 2049, 2056, 2057, 1000000 };

    (void)state;
    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        size_t depth = depths[i];
        char *text = malloc(6 * depth + 1), *p = text;

        assert_non_null(text);
        /* Arrays and objects in turn, so that each level's bit matters. */
        for (size_t d = 0; d < depth; d++)
            p = stpcpy(p, d % 3 == 0 ? "{\"\":" : "[");
        *p++ = '0';
        for (size_t d = depth; d-- > 0;)
            *p++ = d % 3 == 0 ? '}' : ']';
        assert_true(json_scan_valid((struct envl_bytes){
            (uint8_t *)text, (size_t)(p - text) }));
        p[-2] = p[-2] == '}' ? ']' : '}';
        assert_false(json_scan_valid((struct envl_bytes){
            (uint8_t *)text, (size_t)(p - text) }));
        free(text);
    }
}

static void
unescape_gives_the_bytes(void **state)
{
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(json_scan_unescape(envl_bytes_of(
        "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\u2713\\ud83d\\uDD11z\""),
        &out, NULL), ENVL_OK);
    assert_int_equal(out.len, 20);
    assert_memory_equal(out.ptr, "a\"\\/\b\f\n\r\t\0\xc3\xa9\xe2\x9c\x93"
                        "\xf0\x9f\x94\x91z", 20);
    envl_buf_free(&out);
}

static void
unescape_refuses_half_a_surrogate_pair(void **state)
{
    static const char *const bad[] = {
        "\"\\ud800\"", "\"x\\udc00\"", "\"\\ud83dA\"", "\"\\ud83d\\u0041\"",
        "\"\\ud83d\\n\"", "\"\\udc00\\ud800\"",
    };
    struct envl_buf out = ENVL_BUF_INIT;
    struct envl_error err;

    (void)state;
    assert_int_equal(envl_buf_append(&out, LITERAL("keep"), NULL), ENVL_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(json_scan_unescape(envl_bytes_of(bad[i]), &out,
                                            &err), ENVL_E_FORMAT);
        assert_int_equal(out.len, 4);
    }
    envl_buf_free(&out);
}

static void
escape_and_unescape_are_inverse(void **state)
{
    struct envl_buf text = ENVL_BUF_INIT, back = ENVL_BUF_INIT;
    char all[129];

    (void)state;
    for (int i = 0; i < 128; i++)
        all[i] = (char)i;
    assert_int_equal(json_scan_escape((struct envl_bytes){
        (uint8_t *)all, 128 }, &text, NULL), ENVL_OK);
    assert_true(json_scan_valid(envl_buf_view(&text)));
    assert_int_equal(json_scan_unescape(envl_buf_view(&text), &back, NULL),
                     ENVL_OK);
    assert_int_equal(back.len, 128);
    assert_memory_equal(back.ptr, all, 128);
    envl_buf_free(&text);
    envl_buf_free(&back);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_json_and_nothing_else),
        cmocka_unit_test(agrees_with_jansson_on_mutated_documents),
        cmocka_unit_test(tokens_lie_where_they_are_said_to),
        cmocka_unit_test(skip_goes_past_the_whole_value),
        cmocka_unit_test(depth_has_no_limit),
        cmocka_unit_test(unescape_gives_the_bytes),
        cmocka_unit_test(unescape_refuses_half_a_surrogate_pair),
        cmocka_unit_test(escape_and_unescape_are_inverse),
    };

    return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
