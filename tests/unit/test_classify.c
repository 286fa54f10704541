#include "envelope_fixture.h"

static struct envl_keyring *ring;
static struct fake_provider fake;

static void
it_says_what_the_envelope_says(void **state)
{
    static uint8_t value[30000];

    (void)state;
    for (size_t n = 0; n < 6; n++) {
        struct envl_seal_options options = {
            .encoding = (enum envl_encoding)(n % 3), .pad = ENVL_PAD_NONE,
        };
        const char *kid = n / 3 == 0 ? "k-old" : "kek-old";
        size_t len = n * 6000;
        struct envl_buf e = seal_under(kid, options, (struct envl_bytes){
            value, len });
        struct envl_buf binary = ENVL_BUF_INIT;
        struct envl_info info;

        assert_int_equal(envl_inspect(envl_buf_view(&e), &info, NULL),
                         ENVL_OK);
        assert_int_equal(info.version, 1);
        assert_int_equal(info.encoding, options.encoding);
        assert_int_equal(info.mode, n / 3);
        assert_string_equal(info.kid, kid);
        assert_int_equal(envl_recode(envl_buf_view(&e), ENVL_ENCODING_BINARY,
                                     &binary, NULL), ENVL_OK);
        assert_int_equal(info.binary_len, binary.len);
        envl_buf_free(&binary);
        envl_buf_free(&e);
    }
}

static void
it_knows_the_place_and_the_state_without_decrypting(void **state)
{
    static const struct {
        const char *kid;
        enum envl_key_state state;
    } cases[] = {
        { "k-now", ENVL_KEY_ACTIVE }, { "k-old", ENVL_KEY_DECRYPT_ONLY },
        { "k-pre", ENVL_KEY_PRE_ACTIVE }, { "kek-now", ENVL_KEY_ACTIVE },
        { "hsm-2", ENVL_KEY_DECRYPT_ONLY },
    };
    struct envl_open_options any = { .size = sizeof(any), .scope = "*" };
    struct envl_seal_options text = { .encoding = ENVL_ENCODING_TEXT };

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct envl_buf e = seal_under(cases[i].kid, text, LITERAL("secret"));
        struct envl_verdict verdict;

        assert_int_equal(envl_classify(ring, &any, &here, envl_buf_view(&e),
                                       &verdict, NULL), ENVL_OK);
        assert_int_equal(verdict.status, ENVL_OK);
        assert_int_equal(verdict.state, cases[i].state);
        assert_string_equal(verdict.info.kid, cases[i].kid);
        assert_int_equal(envl_classify(ring, &any, &there, envl_buf_view(&e),
                                       &verdict, NULL), ENVL_OK);
        assert_int_equal(verdict.status, ENVL_E_AUTH);
        assert_int_equal(verdict.state, cases[i].state);
        assert_string_equal(verdict.info.kid, cases[i].kid);
        envl_buf_free(&e);
    }
}

/* spec: ENV-4.11: it is enough to skip a value, and proves no value. */
static void
a_broken_chunk_does_not_show(void **state)
{
    struct envl_seal_options binary = { .encoding = ENVL_ENCODING_BINARY };
    struct envl_buf e = seal_under("k-now", binary, LITERAL("secret"));
    struct envl_verdict verdict;

    (void)state;
    e.ptr[e.len - 1] ^= 1;
    assert_int_equal(envl_classify(ring, NULL, &here, envl_buf_view(&e),
                                   &verdict, NULL), ENVL_OK);
    assert_int_equal(verdict.status, ENVL_OK);
    envl_buf_free(&e);
}

static void
what_is_no_answer_leaves_the_verdict_alone(void **state)
{
    static const struct envl_pair twice[] = { PAIR("a", "1"), PAIR("a", "1") };
    struct envl_open_options far = { .size = sizeof(far), .scope = "far" };
    struct envl_seal_options text = { .encoding = ENVL_ENCODING_TEXT };
    const struct envl_context bad = { twice, 2 };
    struct envl_buf e = seal_under("hsm", text, LITERAL("secret"));
    struct envl_verdict verdict = { .status = ENVL_E_IO };

    (void)state;
    assert_int_equal(envl_classify(ring, NULL, &bad, LITERAL("x"), &verdict,
                                   NULL), ENVL_E_USAGE);
    fake.answer = ENVL_E_PROVIDER;
    assert_int_equal(envl_classify(ring, &far, &here, envl_buf_view(&e),
                                   &verdict, NULL), ENVL_E_PROVIDER);
    fake.answer = ENVL_OK;
    assert_int_equal(verdict.status, ENVL_E_IO);
    envl_buf_free(&e);
}

/* Base64url is checked to its end though only its head is kept. */
static void
a_bad_character_far_behind_is_format(void **state)
{
    struct envl_seal_options text = { .encoding = ENVL_ENCODING_TEXT };
    static uint8_t value[20000];
    struct envl_buf e = seal_under("k-now", text, (struct envl_bytes){
        value, sizeof(value) });
    struct envl_info info;

    (void)state;
    assert_int_equal(envl_inspect(envl_buf_view(&e), &info, NULL), ENVL_OK);
    for (size_t at = 20; at < e.len; at += 397) {
        uint8_t c = e.ptr[at];

        e.ptr[at] = '=';
        assert_int_equal(envl_inspect(envl_buf_view(&e), &info, NULL),
                         ENVL_E_FORMAT);
        e.ptr[at] = c;
    }
    envl_buf_free(&e);
}

/* spec: ENV-3.1 to ENV-3.5: found without any key. */
static void
a_broken_header_is_format(void **state)
{
    static const char *const heads[] = {
        "9e455601",             /* cut before the mode      */
        "9e45560100",           /* before the kid's length  */
        "9e455601000161",       /* before the payload       */
        "9e4556010000",         /* a kid of no bytes        */
        "9e45560100016b",
        "9e45560102016b",       /* mode 2                   */
        "9e455601ff016b",
        "9e4556010001" "4b",    /* an upper-case kid        */
        "9e4556010001" "2d",    /* a kid that begins with - */
        "9e45560101016b",       /* before the wrapped key   */
        "9e45560101016b00",
        "9e45560101016b0000",   /* a wrapped key of 0 bytes */
        "9e45560101016b1001",   /* of 4097                  */
        "9e45560101016b0fff",   /* longer than the input    */
    };
    uint8_t bytes[2000] = { 0 };
    struct envl_info info;

    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct envl_bytes head = from_hex(heads[i]);
        bool cut = i < 3 || i == 4 || i == 9 || i == 10;

        memcpy(bytes, head.ptr, head.len);
        assert_int_equal(envl_inspect((struct envl_bytes){
            bytes, cut ? head.len : head.len + 200 }, &info, NULL),
            ENVL_E_FORMAT);
    }
    /* The twin: a header that is whole, and a payload of a good length. */
    memcpy(bytes, from_hex("9e45560101016b0001aa").ptr, 10);
    assert_int_equal(envl_inspect((struct envl_bytes){ bytes, 10 + 73 },
                                  &info, NULL), ENVL_OK);
    assert_int_equal(envl_inspect((struct envl_bytes){ bytes, 10 + 72 },
                                  &info, NULL), ENVL_E_FORMAT);
}

static int
set_up(void **state)
{
    (void)state;
    ring = make_ring(false);
    set_provider(ring, "hsm", &fake);
    set_provider(ring, "hsm-2", &fake);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    envl_keyring_free(ring);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_the_envelope_says),
        cmocka_unit_test(it_knows_the_place_and_the_state_without_decrypting),
        cmocka_unit_test(a_broken_chunk_does_not_show),
        cmocka_unit_test(what_is_no_answer_leaves_the_verdict_alone),
        cmocka_unit_test(a_broken_header_is_format),
        cmocka_unit_test(a_bad_character_far_behind_is_format),
    };

    return cmocka_run_group_tests_name("classify", tests, set_up, tear_down);
}
