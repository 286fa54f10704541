/*
 * Masking: what is secret goes, every other byte stays, and what cannot be
 * read goes whole.  The secrets are test data.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

#include <envelope/redact.h>

#define M "[redacted]"

/* CANARY-.. is what must never come out again. */
static const struct {
    const char *in, *out;
} texts[] = {
    { "nothing here at all\n", "nothing here at all\n" },
    { "password=CANARY-1 user=bob\n", "password=" M " user=bob\n" },
    { "password: \"CANARY 2\", next\n", "password: \"" M "\", next\n" },
    { "POST /x?api_key=CANARY-3&page=2 200\n",
      "POST /x?api_key=" M "&page=2 200\n" },
    { "token_count=17 max_tokens=4096\n", "token_count=17 max_tokens=4096\n" },
    { "password=null token=none\n", "password=null token=none\n" },
    { "Authorization: Bearer CANARY-4 and more\n",
      "Authorization: " M "\n" },
    { "Cookie: a=CANARY-5; b=CANARY-6\r\n", "Cookie: " M "\r\n" },
    { "dsn postgres://app:CANARY-7x9@db/app ok\n",
      "dsn postgres://app:" M "@db/app ok\n" },
    { "key sk_live_CANARY8abcdefghijklmnop end\n", "key " M " end\n" },
    { "got ghp_CANARY9abcdefghijklmnopqrstuvwxyz0123.\n", "got " M ".\n" },
    { "body={\\\"password\\\":\\\"CANARY-10\\\",\\\"n\\\":1}\n",
      "body={\\\"password\\\":\\\"" M "\\\",\\\"n\\\":1}\n" },
    { "client_secret='CANARY-11\n", "client_secret='" M "\n" },
    { "export DB_PASSWORD=CANARY-12\n", "export DB_PASSWORD=" M "\n" },
    { "--password=CANARY-13 --verbose\n", "--password=" M " --verbose\n" },
    { "password=env1:k1:AAAABBBB\n", "password=env1:k1:AAAABBBB\n" },
    { "\xff\xfe\x00 raw \x80 bytes\n", "\xff\xfe\x00 raw \x80 bytes\n" },
    { "no newline secret: CANARY-15", "no newline secret: " M },
    { "", "" },
    { "\n\n", "\n\n" },
    { "-----BEGIN RSA PRIVATE KEY-----\nCANARY-16\nCANARY-17\n"
      "-----END RSA PRIVATE KEY-----\nafter\n", M "\n\nafter\n" },
    { "x -----BEGIN PRIVATE KEY-----\\nCANARY-18\\n"
      "-----END PRIVATE KEY----- y\n", "x " M " y\n" },
    { "-----BEGIN PRIVATE KEY-----\nCANARY-19\n", M "\n" },
    { "-----BEGIN CERTIFICATE-----\nAAAA\n", "-----BEGIN CERTIFICATE-----\n"
      "AAAA\n" },
    { "{\"password\":\"CANARY-20\",\"a\": 1.50 }\n",
      "{\"password\":\"" M "\",\"a\": 1.50 }\n" },
    { "{\"pin_code\":1,\"secret\": 123456, \"ok\":true}\n",
      "{\"pin_code\":1,\"secret\": \"" M "\", \"ok\":true}\n" },
    { "{\"credentials\":{\"user\":\"CANARY-21\",\"x\":[\"CANARY-22\"]},"
      "\"z\":\"kept\"}\n",
      "{\"credentials\":{\"user\":\"" M "\",\"x\":[\"" M "\"]},"
      "\"z\":\"kept\"}\n" },
    { "{\"msg\":\"login password=CANARY-23 failed\"}\n",
      "{\"msg\":\"login password=" M " failed\"}\n" },
    { "{\"msg\":\"say \\\"hi\\\" token=CANARY-24\"}\n",
      "{\"msg\":\"" M "\"}\n" },
    { "{\"p\\u0061ssword\":\"CANARY-25\"}\n",
      "{\"p\\u0061ssword\":\"" M "\"}\n" },
    { "{\"a\":1,\"a\":2,\"password\":\"\",\"token\":null}\n",
      "{\"a\":1,\"a\":2,\"password\":\"\",\"token\":null}\n" },
    { "[{\"apiKey\":\"CANARY-26\"}, 1e400]\n",
      "[{\"apiKey\":\"" M "\"}, 1e400]\n" },
    { "{\"password\":\"CANARY-27\"\n", "{\"password\":\"" M "\"\n" },
};

static void
masks_what_is_secret_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct envl_buf out = ENVL_BUF_INIT;

        assert_int_equal(envl_redact(NULL, envl_bytes_of(texts[i].in), &out,
                                     NULL, NULL),
                         ENVL_OK);
        if (out.len != strlen(texts[i].out) ||
            (out.len > 0 && memcmp(out.ptr, texts[i].out, out.len) != 0))
            fail_msg("case %zu: %.*s", i, (int)out.len, out.ptr);
        envl_buf_free(&out);
    }
}

static enum envl_status
collect(void *cookie, struct envl_bytes bytes, struct envl_error *err)
{
    return envl_buf_append(cookie, bytes, err);
}

/* However the input is cut, the output is the same. */
static void
does_not_depend_on_how_the_input_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct envl_bytes in = envl_bytes_of(texts[i].in);
        struct envl_buf whole = ENVL_BUF_INIT, cut = ENVL_BUF_INIT;
        struct envl_redactor *redactor;

        assert_int_equal(envl_redact(NULL, in, &whole, NULL, NULL), ENVL_OK);
        assert_int_equal(envl_redactor_new(NULL, &redactor, NULL), ENVL_OK);
        for (size_t at = 0; at < in.len; at++)
            assert_int_equal(
                envl_redactor_feed(redactor,
                                   (struct envl_bytes){ in.ptr + at, 1 },
                                   collect, &cut, NULL),
                ENVL_OK);
        assert_int_equal(envl_redactor_end(redactor, collect, &cut, NULL),
                         ENVL_OK);
        assert_int_equal(whole.len, cut.len);
        if (whole.len > 0)
            assert_memory_equal(whole.ptr, cut.ptr, whole.len);
        envl_redactor_free(redactor);
        envl_buf_free(&whole);
        envl_buf_free(&cut);
    }
}

static void
masks_whole_what_should_be_json_and_is_not(void **state)
{
    struct envl_redact_rules rules = { .input = ENVL_REDACT_JSON };
    struct envl_redact_counts counts;
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(envl_redact(&rules, envl_bytes_of("{\"a\":CANARY}"),
                                 &out, &counts, NULL),
                     ENVL_OK);
    assert_int_equal(counts.refused, 1);
    assert_int_equal(out.len, strlen("\"" M "\""));
    assert_memory_equal(out.ptr, "\"" M "\"", out.len);
    envl_buf_free(&out);
}

static void
masks_whole_a_line_that_is_too_long(void **state)
{
    const size_t size = ENVL_REDACT_LINE + 10;
    uint8_t *text = malloc(size + 7);
    struct envl_redact_counts counts;
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text + size, "\nafter\n", 7);
    assert_int_equal(envl_redact(NULL, (struct envl_bytes){ text, size + 7 },
                                 &out, &counts, NULL),
                     ENVL_OK);
    assert_int_equal(counts.refused, 1);
    assert_int_equal(out.len, strlen(M "\nafter\n"));
    assert_memory_equal(out.ptr, M "\nafter\n", out.len);
    envl_buf_free(&out);
    free(text);
}

static void
counts_a_key_without_an_end_as_refused(void **state)
{
    struct envl_redact_counts counts;
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(envl_redact(NULL,
                                 envl_bytes_of("-----BEGIN PRIVATE KEY-----\n"
                                               "CANARY\n"),
                                 &out, &counts, NULL),
                     ENVL_OK);
    assert_int_equal(counts.refused, 1);
    assert_int_equal(counts.masked, 1);
    envl_buf_free(&out);
}

static void
takes_names_and_masks_of_the_caller(void **state)
{
    const char *names[] = { "blood_type" }, *keep[] = { "token" };
    struct envl_redact_rules rules = { .names = names, .name_count = 1,
                                       .keep = keep, .keep_count = 1,
                                       .mask = "***" };
    struct envl_buf out = ENVL_BUF_INIT;
    const char *want = "Blood_Type=*** token=kept password=***";

    (void)state;
    assert_int_equal(
        envl_redact(&rules,
                    envl_bytes_of("Blood_Type=AB token=kept password=CANARY"),
                    &out, NULL, NULL),
        ENVL_OK);
    assert_int_equal(out.len, strlen(want));
    assert_memory_equal(out.ptr, want, out.len);
    envl_buf_free(&out);

    rules.mask = "\"";
    assert_int_equal(envl_redact(&rules, envl_bytes_of("x"), &out, NULL, NULL),
                     ENVL_E_USAGE);
}

static void
masks_what_looks_random_only_if_asked(void **state)
{
    struct envl_redact_rules rules = { .random = true };
    struct envl_buf out = ENVL_BUF_INIT;
    struct envl_bytes in =
        envl_bytes_of("id=q8Zx2LmN7vKp4RtY9wBc3HdF note=plain\n");
    const char *want = "id=" M " note=plain\n";

    (void)state;
    assert_int_equal(envl_redact(NULL, in, &out, NULL, NULL), ENVL_OK);
    assert_int_equal(out.len, in.len);
    envl_buf_free(&out);
    assert_int_equal(envl_redact(&rules, in, &out, NULL, NULL), ENVL_OK);
    assert_int_equal(out.len, strlen(want));
    assert_memory_equal(out.ptr, want, out.len);
    envl_buf_free(&out);
}

/* A log is what an attacker wrote: no line takes the square of its length. */
static void
takes_time_in_proportion(void **state)
{
    static const char *const units[] = { "a=", "password=", "{\"a\":", "[",
        "x:'", "=\\\"", "token:\"", "://a:", "-----BEGIN ", "a=b," };
    const size_t size = getenv("ENVL_TEST_QUICK") != NULL
                            ? 1u << 14 : ENVL_REDACT_LINE;
    uint8_t *text = malloc(size);
    struct envl_redact_rules rules = { .random = true };

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        struct envl_buf out = ENVL_BUF_INIT;

        for (size_t at = 0; at < size; at++)
            text[at] = (uint8_t)units[i][at % strlen(units[i])];
        assert_int_equal(
            envl_redact(&rules,
                        (struct envl_bytes){ text, size }, &out,
                        NULL, NULL),
            ENVL_OK);
        envl_buf_free(&out);
    }
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_what_is_secret_and_nothing_else),
        cmocka_unit_test(does_not_depend_on_how_the_input_is_cut),
        cmocka_unit_test(masks_whole_what_should_be_json_and_is_not),
        cmocka_unit_test(masks_whole_a_line_that_is_too_long),
        cmocka_unit_test(counts_a_key_without_an_end_as_refused),
        cmocka_unit_test(takes_names_and_masks_of_the_caller),
        cmocka_unit_test(masks_what_looks_random_only_if_asked),
        cmocka_unit_test(takes_time_in_proportion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
