#include "stream_fixture.h"

static void
what_a_stream_cannot_be_is_usage(void **state)
{
    static const struct envl_seal_options bad[] = {
        { .size = sizeof(bad[0]), .encoding = ENVL_ENCODING_OBJECT },
        { .size = sizeof(bad[0]), .pad = 32 },
        { .size = sizeof(bad[0]), .type = ENVL_TYPE_BSON },
    };
    struct envl_sealer *sealer = NULL;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(envl_sealer_new(ring, &bad[i], &here, &sealer, NULL),
                         ENVL_E_USAGE);
    assert_null(sealer);
}

/* spec: ENV-9.6 */
static void
nesting_is_tested_on_the_first_16_kib_before_anything_goes_out(void **state)
{
    struct envl_seal_options options = { .size = sizeof(options) };
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    memcpy(value, "env1:k:", 7);
    assert_int_equal(seal_in(&options, (struct envl_bytes){ value, 60000 },
                             1000, &out), ENVL_E_POLICY);
    assert_int_equal(out.len, 0);
    assert_int_equal(seal_in(&options, (struct envl_bytes){ value, 100 }, 1,
                             &out), ENVL_E_POLICY);
    assert_int_equal(out.len, 0);
    options.allow_nested = true;
    assert_int_equal(seal_in(&options, (struct envl_bytes){ value, 60000 },
                             1000, &out), ENVL_OK);

    /* The beginning of an object that ends at the 16,384th byte counts. */
    memset(value, ' ', sizeof(value));
    memcpy(value + 16384 - 8, "{\"env\":1", 8);
    options.allow_nested = false;
    envl_buf_clear(&out);
    assert_int_equal(seal_in(&options, (struct envl_bytes){ value, 60000 },
                             60000, &out), ENVL_E_POLICY);
    assert_int_equal(out.len, 0);
    memset(value, ' ', sizeof(value));
    memcpy(value + 16384 - 7, "{\"env\":1", 8);
    assert_int_equal(seal_in(&options, (struct envl_bytes){ value, 60000 },
                             60000, &out), ENVL_OK);

    /* In JSON, a string's content. */
    options.type = ENVL_TYPE_JSON;
    memset(value, 'v', sizeof(value));
    memcpy(value, "\"\\u0065nv1:", 11);
    value[59999] = '"';
    envl_buf_clear(&out);
    assert_int_equal(seal_in(&options, (struct envl_bytes){ value, 60000 },
                             9999, &out), ENVL_E_POLICY);
    envl_buf_free(&out);
    memset(value, 'v', sizeof(value));
}

static void
text_and_json_are_checked_as_they_pass(void **state)
{
    static const struct {
        enum envl_type type;
        struct envl_bytes value;
        enum envl_status want;
    } cases[] = {
        { ENVL_TYPE_TEXT, LITERAL_INIT("gr\xc3\xbc\xc3\x9f"), ENVL_OK },
        { ENVL_TYPE_TEXT, LITERAL_INIT("a\xc3"), ENVL_E_USAGE },
        { ENVL_TYPE_TEXT, LITERAL_INIT("a\xed\xa0\x80"), ENVL_E_USAGE },
        { ENVL_TYPE_BYTES, LITERAL_INIT("a\xc3"), ENVL_OK },
        { ENVL_TYPE_JSON, LITERAL_INIT("{\"a\":[1,2]}"), ENVL_OK },
        { ENVL_TYPE_JSON, LITERAL_INIT("{\"a\":[1,2}"), ENVL_E_USAGE },
        { ENVL_TYPE_JSON, LITERAL_INIT("{\"a\":[1,2]"), ENVL_E_USAGE },
        { ENVL_TYPE_JSON, LITERAL_INIT(""), ENVL_E_USAGE },
        { ENVL_TYPE_JSON, LITERAL_INIT("12"), ENVL_OK },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t step = 1; step < 20; step += 3) {
            struct envl_seal_options options = { .size = sizeof(options),
                                                 .type = cases[i].type };
            struct envl_buf out = ENVL_BUF_INIT;

            assert_int_equal(seal_in(&options, cases[i].value, step, &out),
                             cases[i].want);
            envl_buf_free(&out);
        }
    }
}

/* spec: ENV-8.16: what is cut short is never whole. */
static void
no_truncation_of_a_stream_is_ok(void **state)
{
    struct envl_seal_options options = { .size = sizeof(options) };

    (void)state;
    for (int e = 0; e < 2; e++) {
        struct envl_buf sealed = ENVL_BUF_INIT;

        options.encoding = e == 0 ? ENVL_ENCODING_TEXT : ENVL_ENCODING_BINARY;
        assert_int_equal(seal_in(&options, (struct envl_bytes){
            value, 33000 }, 65536, &sealed), ENVL_OK);
        for (size_t len = 0; len < sealed.len; len += len < 200 ||
             sealed.len - len < 40 ? 1 : 101) {
            struct envl_buf out = ENVL_BUF_INIT;
            enum envl_status status = open_in((struct envl_bytes){
                sealed.ptr, len }, &here, 30000, &out, NULL);

            assert_true(status == ENVL_E_FORMAT || status == ENVL_E_AUTH ||
                        (status == ENVL_E_NOTENV && len < 5));
            /* What did come out is a part of the value. */
            assert_true(out.len < 33000);
            if (out.len > 0)
                assert_memory_equal(out.ptr, value, out.len);
            envl_buf_free(&out);
        }
        envl_buf_free(&sealed);
    }
}

/* spec: ENV-4.7: a last chunk has at least its tag. */
static void
a_last_chunk_shorter_than_a_tag_is_format(void **state)
{
    struct envl_seal_options options = { .size = sizeof(options),
                                         .encoding = ENVL_ENCODING_BINARY };
    struct envl_buf sealed = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(seal_in(&options, (struct envl_bytes){ value, 33000 },
                             65536, &sealed), ENVL_OK);
    for (size_t rest = 0; rest <= 16; rest++) {
        struct envl_buf out = ENVL_BUF_INIT;

        assert_int_equal(open_in((struct envl_bytes){
            sealed.ptr, 11 + 56 + 16400 + rest }, &here, 5000, &out, NULL),
            rest < 16 ? ENVL_E_FORMAT : ENVL_E_AUTH);
        envl_buf_free(&out);
    }
    envl_buf_free(&sealed);
}

/* For the sanitizers: an escape that the first 16 KiB cut in two. */
static void
a_cut_escape_is_left_alone(void **state)
{
    struct envl_seal_options options = { .size = sizeof(options),
                                         .type = ENVL_TYPE_JSON };

    (void)state;
    for (size_t at = 16384 - 8; at <= 16384; at++) {
        struct envl_buf out = ENVL_BUF_INIT;

        memset(value, 'v', sizeof(value));
        value[0] = '"';
        memcpy(value + at, "\\ud83d\\udd11\"", 13);
        assert_int_equal(seal_in(&options, (struct envl_bytes){
            value, at + 13 }, 3000, &out), ENVL_OK);
        envl_buf_free(&out);
    }
    memset(value, 'v', sizeof(value));
}

static void
a_changed_chunk_is_not_released(void **state)
{
    struct envl_seal_options options = { .size = sizeof(options),
                                         .encoding = ENVL_ENCODING_BINARY };
    struct envl_buf sealed = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(seal_in(&options, (struct envl_bytes){ value, 50000 },
                             65536, &sealed), ENVL_OK);
    for (size_t chunk = 0; chunk < 4; chunk++) {
        size_t at = 11 + 56 + chunk * 16400 + 5;
        struct envl_buf out = ENVL_BUF_INIT;

        sealed.ptr[at] ^= 1;
        assert_int_equal(open_in(envl_buf_view(&sealed), &here, 65536, &out,
                                 NULL), ENVL_E_AUTH);
        assert_int_equal(out.len, chunk == 0 ? 0 : chunk * 16384 - 1);
        sealed.ptr[at] ^= 1;
        envl_buf_free(&out);
    }
    envl_buf_free(&sealed);
}

static void
after_a_failure_or_the_end_nothing_goes_on(void **state)
{
    struct envl_buf out = ENVL_BUF_INIT;
    struct envl_opener *opener = NULL;
    struct envl_sealer *sealer = NULL;

    (void)state;
    assert_int_equal(envl_opener_new(ring, NULL, &here, &opener, NULL),
                     ENVL_OK);
    assert_int_equal(envl_opener_update(opener, LITERAL("plain"), &out, NULL),
                     ENVL_E_NOTENV);
    assert_int_equal(envl_opener_update(opener, LITERAL("env1:"), &out, NULL),
                     ENVL_E_USAGE);
    assert_int_equal(envl_opener_finish(opener, &out, NULL, NULL),
                     ENVL_E_USAGE);
    envl_opener_free(opener);

    assert_int_equal(envl_sealer_new(ring, NULL, &here, &sealer, NULL),
                     ENVL_OK);
    assert_int_equal(envl_sealer_finish(sealer, &out, NULL), ENVL_OK);
    assert_int_equal(envl_sealer_update(sealer, LITERAL("x"), &out, NULL),
                     ENVL_E_USAGE);
    assert_int_equal(envl_sealer_finish(sealer, &out, NULL), ENVL_E_USAGE);
    envl_sealer_free(sealer);
    envl_sealer_free(NULL);
    envl_opener_free(NULL);
    envl_buf_free(&out);
}

/* What is no envelope is found out without keeping it. */
static void
the_status_of_plaintext_does_not_depend_on_its_size(void **state)
{
    static const struct {
        const char *begin, *end;
        enum envl_status want;
    } cases[] = {
        { "env1", "", ENVL_E_NOTENV },
        { "env1", ":", ENVL_E_VERSION },
        { "{\"a\":\"", "\"}", ENVL_E_NOTENV },
        { "{\"a\":\"", "\",\"env\":2,\"payload\":", ENVL_E_USAGE },
        { "   ", "x", ENVL_E_NOTENV },
        { "   ", "{\"env\":1", ENVL_E_USAGE },
        { "", "", ENVL_E_NOTENV },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct envl_opener *opener = NULL;
        struct envl_buf out = ENVL_BUF_INIT;
        enum envl_status status;
        char fill[5000];

        memset(fill, cases[i].begin[0] == ' ' ? ' ' : '7', sizeof(fill));
        assert_int_equal(envl_opener_new(ring, NULL, &here, &opener, NULL),
                         ENVL_OK);
        status = envl_opener_update(opener, envl_bytes_of(cases[i].begin),
                                    &out, NULL);
        for (int n = 0; cases[i].begin[0] != '\0' && n < 200; n++) {
            assert_int_equal(status, ENVL_OK);
            status = envl_opener_update(opener, (struct envl_bytes){
                (uint8_t *)fill, sizeof(fill) }, &out, NULL);
        }
        if (status == ENVL_OK)
            status = envl_opener_update(opener, envl_bytes_of(cases[i].end),
                                        &out, NULL);
        if (status == ENVL_OK)
            status = envl_opener_finish(opener, &out, NULL, NULL);
        assert_string_equal(envl_status_name(status),
                            envl_status_name(cases[i].want));
        envl_opener_free(opener);
        envl_buf_free(&out);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_stream_cannot_be_is_usage),
        cmocka_unit_test(
            nesting_is_tested_on_the_first_16_kib_before_anything_goes_out),
        cmocka_unit_test(text_and_json_are_checked_as_they_pass),
        cmocka_unit_test(no_truncation_of_a_stream_is_ok),
        cmocka_unit_test(a_last_chunk_shorter_than_a_tag_is_format),
        cmocka_unit_test(a_cut_escape_is_left_alone),
        cmocka_unit_test(a_changed_chunk_is_not_released),
        cmocka_unit_test(after_a_failure_or_the_end_nothing_goes_on),
        cmocka_unit_test(the_status_of_plaintext_does_not_depend_on_its_size),
    };

    return cmocka_run_group_tests_name("stream_refusals", tests, set_up,
                                       tear_down);
}
