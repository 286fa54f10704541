#include "envelope_fixture.h"

/* spec: ENV-7.1 to ENV-7.4 */
static void
every_encoding_leads_to_every_other_and_back(void **state)
{
    static const char *const kids[] = { "k-now", "kek-now", "hsm" };
    static uint8_t value[20000];

    (void)state;
    for (size_t len = 0; len < sizeof(value); len = len * 3 + 1) {
        for (size_t n = 0; n < 27; n++) {
            struct envl_seal_options options = {
                .encoding = (enum envl_encoding)(n % 3),
            };
            struct envl_buf e = seal_under(kids[n / 9], options,
                                           (struct envl_bytes){ value, len });
            struct envl_buf other = ENVL_BUF_INIT, back = ENVL_BUF_INIT;
            struct envl_info info;

            assert_int_equal(envl_recode(envl_buf_view(&e),
                (enum envl_encoding)(n / 3 % 3), &other, NULL), ENVL_OK);
            assert_int_equal(envl_inspect(envl_buf_view(&other), &info, NULL),
                             ENVL_OK);
            assert_int_equal(info.encoding, n / 3 % 3);
            assert_int_equal(envl_recode(envl_buf_view(&other),
                                         options.encoding, &back, NULL),
                             ENVL_OK);
            assert_int_equal(back.len, e.len);
            assert_memory_equal(back.ptr, e.ptr, e.len);
            envl_buf_free(&e);
            envl_buf_free(&other);
            envl_buf_free(&back);
        }
    }
}

/* spec: ENV-7.5, ENV-7.8: an object may be spelled in many ways. */
static void
an_object_in_any_spelling_becomes_the_one_a_writer_makes(void **state)
{
    struct envl_seal_options object = { .encoding = ENVL_ENCODING_OBJECT };
    struct envl_buf e = seal_under("kek-now", object, LITERAL("secret"));
    struct envl_buf back = ENVL_BUF_INIT;
    char *payload, *wrapped, text[2048];
    struct envl_bytes nul = LITERAL("\0");

    (void)state;
    assert_int_equal(envl_buf_append(&e, nul, NULL), ENVL_OK);
    payload = strstr((char *)e.ptr, "\"payload\":\"") + 11;
    wrapped = strstr(payload, "\",\"wrapped\":\"") + 13;
    snprintf(text, sizeof(text), "\n{ \"wr\\u0061pped\" : \"%.*s\",\t\"kid\":"
             "\"k\\u0065k-n\\u006fw\",\r\"payload\":\"\\u%04x%.*s\" , "
             "\"mode\":\"wr\\u0061pped\",\"\\u0065nv\": 1 } ",
             (int)strcspn(wrapped, "\""), wrapped, (unsigned)payload[0],
             (int)strcspn(payload, "\"") - 1, payload + 1);
    assert_int_equal(envl_recode(envl_bytes_of(text), ENVL_ENCODING_OBJECT,
                                 &back, NULL), ENVL_OK);
    assert_int_equal(back.len, e.len - 1);
    assert_memory_equal(back.ptr, e.ptr, back.len);
    envl_buf_free(&e);
    envl_buf_free(&back);
}

/* spec: ENV-3.5: a wrapped key may have up to 4096 bytes. */
static void
long_wrapped_keys_come_through(void **state)
{
    static const size_t paddings[] = { 219, 220, 221, 1000, 4060 };
    struct envl_open_options far = { .size = sizeof(far), .scope = "far" };
    struct envl_keyring *ring = make_ring(false);
    struct fake_provider fake = { .answer = ENVL_OK };
    struct envl_plain plain = ENVL_PLAIN_INIT;

    (void)state;
    set_provider(ring, "hsm", &fake);
    for (size_t n = 0; n < 5 * 9; n++) {
        struct envl_seal_options options = {
            .size = sizeof(options), .kid = "hsm", .scope = "far",
            .encoding = (enum envl_encoding)(n % 3),
        };
        struct envl_buf e = ENVL_BUF_INIT, other = ENVL_BUF_INIT;
        struct envl_info info;
        struct envl_verdict verdict;

        fake.padding = paddings[n / 9];
        assert_int_equal(envl_seal(ring, &options, &here, LITERAL("secret"),
                                   &e, NULL), ENVL_OK);
        assert_int_equal(envl_recode(envl_buf_view(&e),
            (enum envl_encoding)(n / 3 % 3), &other, NULL), ENVL_OK);
        assert_int_equal(envl_open(ring, &far, &here, envl_buf_view(&other),
                                   &plain, NULL), ENVL_OK);
        assert_memory_equal(plain.value.ptr, "secret", 6);
        assert_int_equal(envl_inspect(envl_buf_view(&other), &info, NULL),
                         ENVL_OK);
        assert_int_equal(info.binary_len, 6 + 3 + 2 + 36 + fake.padding +
                                              56 + 32 + 16);
        assert_int_equal(envl_classify(ring, &far, &here,
            envl_buf_view(&other), &verdict, NULL), ENVL_OK);
        assert_int_equal(verdict.status, ENVL_OK);
        envl_buf_free(&e);
        envl_buf_free(&other);
    }
    envl_plain_free(&plain);
    envl_keyring_free(ring);
}

static void
what_is_no_envelope_is_not_recoded(void **state)
{
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(envl_recode(LITERAL("x"), ENVL_ENCODING_TEXT, &out,
                                 NULL), ENVL_E_NOTENV);
    assert_int_equal(envl_recode(LITERAL("env2:"), ENVL_ENCODING_TEXT, &out,
                                 NULL), ENVL_E_VERSION);
    assert_int_equal(envl_recode(LITERAL("env1:k:"), ENVL_ENCODING_TEXT, &out,
                                 NULL), ENVL_E_FORMAT);
    assert_int_equal(envl_recode(LITERAL("x"), (enum envl_encoding)3, &out,
                                 NULL), ENVL_E_USAGE);
    assert_null(out.ptr);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_encoding_leads_to_every_other_and_back),
        cmocka_unit_test(
            an_object_in_any_spelling_becomes_the_one_a_writer_makes),
        cmocka_unit_test(long_wrapped_keys_come_through),
        cmocka_unit_test(what_is_no_envelope_is_not_recoded),
    };

    return cmocka_run_group_tests_name("recode", tests, NULL, NULL);
}
