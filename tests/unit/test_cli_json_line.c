/* The lines of `envelope seal` and `envelope open`, as the command reads
   them; cli/ is no library, so its file is taken in. */
#include "cmocka_all.h"

#include "../../cli/json_line.c"

static enum envl_status
parse_line(const char *line, bool sealing, struct envl_buf *scratch,
           struct json_line *out)
{
    struct envl_bytes text = envl_bytes_of(line);

    assert_int_equal(envl_buf_reserve(scratch, text.len + 1, NULL), ENVL_OK);
    return sealing ? json_line_parse_seal(text, scratch, out)
                   : json_line_parse_open(text, scratch, out);
}

static void
assert_bytes(struct envl_bytes got, const char *want, size_t len)
{
    assert_int_equal(got.len, len);
    assert_memory_equal(got.ptr, want, len);
}

static void
seal_takes_a_value_a_type_and_a_context(void **state)
{
    struct envl_buf scratch = ENVL_BUF_INIT;
    struct json_line line;

    (void)state;
    assert_int_equal(
        parse_line(" {\"context\": {\"field\": \"a\\u00e9\", \"id\":\"\"}, "
                   "\"type\":\"json\", \"value\" : \"[1]\"} ", true, &scratch,
                   &line), ENVL_OK);
    assert_bytes(line.value, "[1]", 3);
    assert_int_equal(line.type, ENVL_TYPE_JSON);
    assert_int_equal(line.pair_count, 2);
    assert_bytes(line.pairs[0].name, "field", 5);
    assert_bytes(line.pairs[0].value, "a\xc3\xa9", 3);
    assert_bytes(line.pairs[1].value, "", 0);
    envl_buf_free(&scratch);
}

static void
seal_takes_escaped_names_and_nul_in_values(void **state)
{
    struct envl_buf scratch = ENVL_BUF_INIT;
    struct json_line line;

    (void)state;
    assert_int_equal(parse_line("{\"v\\u0061lue\":\"a\\u0000b\"}", true,
                                &scratch, &line), ENVL_OK);
    assert_bytes(line.value, "a\0b", 3);
    assert_int_equal(line.type, ENVL_TYPE_TEXT);
    envl_buf_free(&scratch);
}

static void
seal_takes_base64_in_its_one_form(void **state)
{
    struct envl_buf scratch = ENVL_BUF_INIT;
    struct json_line line;

    (void)state;
    assert_int_equal(parse_line("{\"value_b64\":\"AAH/\"}", true, &scratch,
                                &line), ENVL_OK);
    assert_bytes(line.value, "\0\1\xff", 3);
    assert_int_equal(line.type, ENVL_TYPE_BYTES);
    assert_int_equal(parse_line("{\"value_b64\":\"\"}", true, &scratch,
                                &line), ENVL_OK);
    assert_int_equal(line.value.len, 0);
    envl_buf_free(&scratch);
}

/* Each would be something else, or nothing, under a laxer reader. */
static const char *const no_seal[] = {
    "", " ", "{}", "[]", "null", "\"value\"", "{\"value\":\"a\"",
    "{\"value\":\"a\"}x", "{\"value\":\"a\"} {}", "{\"value\":\"a\",}",
    "{\"value\":1}", "{\"value\":null}", "{\"value\":[\"a\"]}",
    "{\"value\":\"a\",\"value\":\"a\"}",
    "{\"value\":\"a\",\"v\\u0061lue\":\"a\"}",
    "{\"value\":\"a\",\"value_b64\":\"YQ==\"}",
    "{\"value\":\"a\",\"other\":1}", "{\"value\":\"a\",\"envelope\":\"b\"}",
    "{\"value\":\"a\",\"type\":\"Text\"}", "{\"value\":\"a\",\"type\":1}",
    "{\"value\":\"a\",\"type\":\"text\",\"type\":\"text\"}",
    "{\"value\":\"a\",\"context\":[]}", "{\"value\":\"a\",\"context\":\"b\"}",
    "{\"value\":\"a\",\"context\":{\"n\":1}}",
    "{\"value\":\"a\",\"context\":{\"n\":{}}}",
    "{\"value\":\"a\",\"context\":{}", "{\"type\":\"text\"}",
    "{\"value_b64\":\"YQ\"}", "{\"value_b64\":\"YR==\"}",
    "{\"value_b64\":\"Y Q=\"}", "{\"value_b64\":\"YQ==\\n\"}",
    "{\"value_b64\":\"-_-_\"}", "{\"value\":\"\\ud800\"}",
    "{\"value\":\"\xff\"}", "{\"value\":\"a\tb\"}",
    "\xef\xbb\xbf{\"value\":\"a\"}",
};

static void
seal_refuses_everything_else(void **state)
{
    struct envl_buf scratch = ENVL_BUF_INIT;
    struct json_line line;

    (void)state;
    for (size_t i = 0; i < sizeof(no_seal) / sizeof(*no_seal); i++)
        if (parse_line(no_seal[i], true, &scratch, &line) != ENVL_E_USAGE)
            fail_msg("accepted: %s", no_seal[i]);
    envl_buf_free(&scratch);
}

static void
seal_limits_the_pairs(void **state)
{
    struct envl_buf scratch = ENVL_BUF_INIT;
    struct json_line line;
    char text[1024];
    int at = snprintf(text, sizeof(text), "{\"value\":\"\",\"context\":{");

    (void)state;
    for (int i = 0; i < 33; i++)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%s\"n%d\":\"\"",
                       i > 0 ? "," : "", i);
    snprintf(text + at, sizeof(text) - (size_t)at, "}}");
    assert_int_equal(parse_line(text, true, &scratch, &line), ENVL_E_LIMIT);
    envl_buf_free(&scratch);
}

static void
open_takes_a_string_or_an_object_as_it_stands(void **state)
{
    struct envl_buf scratch = ENVL_BUF_INIT;
    struct json_line line;

    (void)state;
    assert_int_equal(parse_line("{\"envelope\":\"env1:k:AA\"}", false,
                                &scratch, &line), ENVL_OK);
    assert_bytes(line.value, "env1:k:AA", 9);
    assert_int_equal(parse_line("{\"envelope\": {\"env\":1.0, \"a\":[{}]} }",
                                false, &scratch, &line), ENVL_OK);
    assert_bytes(line.value, "{\"env\":1.0, \"a\":[{}]}", 21);
    assert_int_equal(parse_line("{\"envelope\":[1]}", false, &scratch, &line),
                     ENVL_E_USAGE);
    assert_int_equal(parse_line("{\"value\":\"a\"}", false, &scratch, &line),
                     ENVL_E_USAGE);
    assert_int_equal(parse_line("{\"envelope\":\"a\",\"type\":\"text\"}", false,
                                &scratch, &line), ENVL_E_USAGE);
    envl_buf_free(&scratch);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal_takes_a_value_a_type_and_a_context),
        cmocka_unit_test(seal_takes_escaped_names_and_nul_in_values),
        cmocka_unit_test(seal_takes_base64_in_its_one_form),
        cmocka_unit_test(seal_refuses_everything_else),
        cmocka_unit_test(seal_limits_the_pairs),
        cmocka_unit_test(open_takes_a_string_or_an_object_as_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
