#include "stream_fixture.h"

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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_and_values_in_memory_are_the_same_envelopes),
        cmocka_unit_test(every_single_step_of_small_pieces_works),
        cmocka_unit_test(a_wrapped_key_of_a_provider_streams_too),
        cmocka_unit_test(the_ring_may_be_freed_before_the_sealer),
        cmocka_unit_test(runs_that_look_like_padding_come_out_whole),
    };

    return cmocka_run_group_tests_name("stream", tests, set_up,
                                       tear_down);
}
