#include "envelope_fixture.h"

static struct envl_keyring *ring;

/* ---- helpers ------------------------------------------------------------- */

static enum envl_status
seal_in(const struct envl_seal_options *options, struct envl_bytes value,
        size_t step, struct envl_buf *out)
{
    struct envl_sealer *sealer = NULL;
    enum envl_status status;

    status = envl_sealer_new(ring, options, &here, &sealer, NULL);
    while (status == ENVL_OK && value.len > 0) {
        size_t len = value.len < step ? value.len : step;

        status = envl_sealer_update(sealer, (struct envl_bytes){
            value.ptr, len }, out, NULL);
        value.ptr += len;
        value.len -= len;
    }
    if (status == ENVL_OK)
        status = envl_sealer_finish(sealer, out, NULL);
    envl_sealer_free(sealer);
    return status;
}

static enum envl_status
open_in(struct envl_bytes envelope, const struct envl_context *context,
        size_t step, struct envl_buf *out, enum envl_type *type)
{
    struct envl_open_options any = { .size = sizeof(any), .scope = "*" };
    struct envl_opener *opener = NULL;
    enum envl_status status;

    status = envl_opener_new(ring, &any, context, &opener, NULL);
    while (status == ENVL_OK && envelope.len > 0) {
        size_t len = envelope.len < step ? envelope.len : step;

        status = envl_opener_update(opener, (struct envl_bytes){
            envelope.ptr, len }, out, NULL);
        envelope.ptr += len;
        envelope.len -= len;
    }
    if (status == ENVL_OK)
        status = envl_opener_finish(opener, out, type, NULL);
    envl_opener_free(opener);
    return status;
}

static uint8_t value[100000];

/* Lengths at which something changes: a chunk, the sealer's test of 16 KiB. */
static const size_t lens[] = {
    0, 1, 16382, 16383, 16384, 16385, 32766, 32767, 32768, 49150, 49151,
    49152, 70000,
};
#define LENS (sizeof(lens) / sizeof(lens[0]))

/* ---- both ways ----------------------------------------------------------- */

static void
streams_and_values_in_memory_are_the_same_envelopes(void **state)
{
    static const size_t steps[] = { 1000, 16383, 16384, 16385, 16400, 65536,
                                    100000 };
    static const char *const kids[] = { "k-now", "kek-now" };

    (void)state;
    for (size_t n = 0; n < LENS * 7 * 4; n++) {
        struct envl_bytes in = { value, lens[n % LENS] };
        size_t step = steps[n / LENS % 7];
        struct envl_seal_options options = {
            .size = sizeof(options), .kid = kids[n / LENS / 7 % 2],
            .type = ENVL_TYPE_TEXT, .pad = ENVL_PAD_NONE,
            .encoding = n / LENS / 14 == 0 ? ENVL_ENCODING_TEXT
                                           : ENVL_ENCODING_BINARY,
        };
        struct envl_buf sealed = ENVL_BUF_INIT, opened = ENVL_BUF_INIT,
                        whole = ENVL_BUF_INIT;
        struct envl_plain plain = ENVL_PLAIN_INIT;
        enum envl_type type = ENVL_TYPE_BSON;
        size_t want;

        /* Sealed in pieces, opened as a whole. */
        assert_int_equal(seal_in(&options, in, step, &sealed), ENVL_OK);
        assert_int_equal(envl_sealed_len(ring, &options, in.len, &want, NULL),
                         ENVL_OK);
        assert_int_equal(sealed.len, want);
        assert_int_equal(envl_open(ring, NULL, &here, envl_buf_view(&sealed),
                                   &plain, NULL), ENVL_OK);
        assert_int_equal(plain.value.len, in.len);
        if (in.len > 0)
            assert_memory_equal(plain.value.ptr, value, in.len);

        /* Sealed as a whole, opened in pieces. */
        assert_int_equal(envl_seal(ring, &options, &here, in, &whole, NULL),
                         ENVL_OK);
        assert_int_equal(open_in(envl_buf_view(&whole), &here, step, &opened,
                                 &type), ENVL_OK);
        assert_int_equal(type, ENVL_TYPE_TEXT);
        assert_int_equal(opened.len, in.len);
        if (in.len > 0)
            assert_memory_equal(opened.ptr, value, in.len);
        envl_buf_free(&sealed);
        envl_buf_free(&opened);
        envl_buf_free(&whole);
        envl_plain_free(&plain);
    }
}

static void
every_single_step_of_small_pieces_works(void **state)
{
    struct envl_seal_options options = { .size = sizeof(options),
                                         .encoding = ENVL_ENCODING_TEXT };

    (void)state;
    for (size_t step = 1; step < 12; step++) {
        for (size_t len = 0; len < 40; len++) {
            struct envl_buf sealed = ENVL_BUF_INIT, opened = ENVL_BUF_INIT;

            assert_int_equal(seal_in(&options, (struct envl_bytes){
                value, len }, step, &sealed), ENVL_OK);
            assert_int_equal(open_in(envl_buf_view(&sealed), &here, step,
                                     &opened, NULL), ENVL_OK);
            assert_int_equal(opened.len, len);
            envl_buf_free(&sealed);
            envl_buf_free(&opened);
        }
    }
}

static void
a_wrapped_key_of_a_provider_streams_too(void **state)
{
    struct fake_provider fake = { .answer = ENVL_OK };
    struct envl_seal_options options = {
        .size = sizeof(options), .kid = "hsm", .scope = "far",
        .encoding = ENVL_ENCODING_TEXT,
    };
    struct envl_buf sealed = ENVL_BUF_INIT, opened = ENVL_BUF_INIT;

    (void)state;
    set_provider(ring, "hsm", &fake);
    assert_int_equal(seal_in(&options, (struct envl_bytes){ value, 20000 },
                             777, &sealed), ENVL_OK);
    assert_int_equal(open_in(envl_buf_view(&sealed), &here, 777, &opened,
                             NULL), ENVL_OK);
    assert_int_equal(opened.len, 20000);
    envl_buf_clear(&opened);
    fake.answer = ENVL_E_PROVIDER;
    assert_int_equal(open_in(envl_buf_view(&sealed), &here, 777, &opened,
                             NULL), ENVL_E_PROVIDER);
    assert_int_equal(opened.len, 0);
    envl_buf_free(&sealed);
    envl_buf_free(&opened);
}

static void
the_ring_may_be_freed_before_the_sealer(void **state)
{
    struct envl_keyring *own = make_ring(false);
    struct envl_buf out = ENVL_BUF_INIT, opened = ENVL_BUF_INIT;
    struct envl_sealer *sealer = NULL;

    (void)state;
    assert_int_equal(envl_sealer_new(own, NULL, &here, &sealer, NULL),
                     ENVL_OK);
    envl_keyring_free(own);
    assert_int_equal(envl_sealer_update(sealer, LITERAL("abc"), &out, NULL),
                     ENVL_OK);
    assert_int_equal(envl_sealer_finish(sealer, &out, NULL), ENVL_OK);
    envl_sealer_free(sealer);
    assert_int_equal(open_in(envl_buf_view(&out), &here, 10, &opened, NULL),
                     ENVL_OK);
    envl_buf_free(&out);
    envl_buf_free(&opened);
}

/* ---- padding: spec ENV-6.8 ----------------------------------------------- */

/* Values that end in what looks like padding, near the ends of chunks. */
static void
runs_that_look_like_padding_come_out_whole(void **state)
{
    static uint8_t tricky[60000];
    static const size_t runs[] = { 0, 1, 2, 15, 4094, 4095, 4096, 16384,
                                   20000 };

    (void)state;
    for (size_t r = 0; r < sizeof(runs) / sizeof(runs[0]); r++) {
        for (size_t end = 16380; end < 16400; end++) {
            for (int after = 0; after < 3; after++) {
                size_t len = end + 1 + runs[r] + (size_t)after;
                struct envl_seal_options options = {
                    .size = sizeof(options), .pad = 2 + 4094 * (after == 2),
                    .encoding = ENVL_ENCODING_BINARY,
                };
                struct envl_buf sealed = ENVL_BUF_INIT,
                                opened = ENVL_BUF_INIT;

                memset(tricky, 'v', sizeof(tricky));
                tricky[end] = 0x80;
                memset(tricky + end + 1, 0, runs[r]);
                if (after == 2)
                    tricky[len - 1] = 0x80;
                assert_int_equal(envl_seal(ring, &options, &here,
                    (struct envl_bytes){ tricky, len }, &sealed, NULL),
                    ENVL_OK);
                assert_int_equal(open_in(envl_buf_view(&sealed), &here, 8000,
                                         &opened, NULL), ENVL_OK);
                assert_int_equal(opened.len, len);
                assert_memory_equal(opened.ptr, tricky, len);
                envl_buf_free(&sealed);
                envl_buf_free(&opened);
            }
        }
    }
}

/* ---- refusals ------------------------------------------------------------ */

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

static int
set_up(void **state)
{
    (void)state;
    ring = make_ring(false);
    memset(value, 'v', sizeof(value));
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
        cmocka_unit_test(streams_and_values_in_memory_are_the_same_envelopes),
        cmocka_unit_test(every_single_step_of_small_pieces_works),
        cmocka_unit_test(a_wrapped_key_of_a_provider_streams_too),
        cmocka_unit_test(the_ring_may_be_freed_before_the_sealer),
        cmocka_unit_test(runs_that_look_like_padding_come_out_whole),
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

    return cmocka_run_group_tests_name("stream", tests, set_up, tear_down);
}
