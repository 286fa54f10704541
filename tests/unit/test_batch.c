#include "envelope_fixture.h"

#define COUNT 200

static struct envl_keyring *ring;
static struct fake_provider fake;
static struct envl_item items[COUNT], back[COUNT];
static char values[COUNT][40], ids[COUNT][12];
static struct envl_pair pairs[COUNT];
static struct envl_buf arena, opened;

static void
fill_items(void)
{
    envl_buf_clear(&arena);
    envl_buf_clear(&opened);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(values[i], sizeof(values[i]), "secret number %zu", i);
        snprintf(ids[i], sizeof(ids[i]), "%zu", i);
        pairs[i] = (struct envl_pair){ LITERAL("id"), envl_bytes_of(ids[i]) };
        items[i] = (struct envl_item){
            .input = envl_bytes_of(values[i]), .context = { &pairs[i], 1 },
            .type = i % 2 == 0 ? ENVL_TYPE_TEXT : ENVL_TYPE_BYTES,
            .status = ENVL_E_IO,
        };
    }
}

static void
turn_round(void)
{
    for (size_t i = 0; i < COUNT; i++)
        back[i] = (struct envl_item){ .input = items[i].output,
                                      .context = { &pairs[i], 1 },
                                      .status = ENVL_E_IO };
}

static void
check_back(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(back[i].status, ENVL_OK);
        assert_int_equal(back[i].type, items[i].type);
        assert_int_equal(back[i].output.len, strlen(values[i]));
        assert_memory_equal(back[i].output.ptr, values[i],
                            back[i].output.len);
    }
}

static struct envl_seal_options
options_of(const char *kid, const char *scope, enum envl_encoding encoding)
{
    return (struct envl_seal_options){
        .size = sizeof(struct envl_seal_options), .kid = kid, .scope = scope,
        .encoding = encoding,
    };
}

static void
what_a_batch_seals_a_batch_opens(void **state)
{
    static const char *const kids[][2] = {
        { "k-now", "default" }, { "kek-now", "default" }, { "hsm", "far" },
    };
    struct envl_open_options any = { .size = sizeof(any), .scope = "*" };

    (void)state;
    for (size_t n = 0; n < 9; n++) {
        struct envl_seal_options options = options_of(
            kids[n / 3][0], kids[n / 3][1], (enum envl_encoding)(n % 3));

        fill_items();
        fake.wraps = fake.unwraps = 0;
        assert_int_equal(envl_seal_batch(ring, &options, items, COUNT, &arena,
                                         NULL), ENVL_OK);
        turn_round();
        assert_int_equal(envl_open_batch(ring, &any, back, COUNT, &opened,
                                         NULL), ENVL_OK);
        check_back();
        /* One call each way for all of them. */
        assert_int_equal(fake.wraps, n / 3 == 2);
        assert_int_equal(fake.unwraps, n / 3 == 2);
    }
}

static void
each_output_opens_by_itself_in_its_place_only(void **state)
{
    struct envl_plain plain = ENVL_PLAIN_INIT;

    (void)state;
    fill_items();
    assert_int_equal(envl_seal_batch(ring, NULL, items, COUNT, &arena, NULL),
                     ENVL_OK);
    for (size_t i = 0; i < COUNT; i++) {
        struct envl_context other = { &pairs[(i + 1) % COUNT], 1 };

        assert_int_equal(envl_open(ring, NULL, &items[i].context,
                                   items[i].output, &plain, NULL), ENVL_OK);
        assert_int_equal(envl_open(ring, NULL, &other, items[i].output,
                                   &plain, NULL), ENVL_E_AUTH);
    }
    envl_plain_free(&plain);
}

/* A salt that comes twice is a key and a nonce that come twice. */
static void
no_salt_and_no_wrapped_key_comes_twice(void **state)
{
    static const char *const kids[] = { "k-now", "kek-now" };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct envl_seal_options options = options_of(kids[n], NULL,
                                                      ENVL_ENCODING_BINARY);
        size_t at = 6 + strlen(kids[n]);

        fill_items();
        assert_int_equal(envl_seal_batch(ring, &options, items, COUNT, &arena,
                                         NULL), ENVL_OK);
        for (size_t i = 0; i < COUNT; i++) {
            const uint8_t *a = items[i].output.ptr + at;

            for (size_t j = 0; j < i; j++) {
                const uint8_t *b = items[j].output.ptr + at;

                assert_memory_not_equal(a + 42 * n, b + 42 * n, 24);
                assert_memory_not_equal(a, b, 24 + 18 * n);
            }
        }
    }
}

static void
bad_items_do_not_stop_the_others(void **state)
{
    static const struct envl_pair twice[] = { PAIR("a", "1"), PAIR("a", "1") };
    struct envl_error err;
    unsigned good = 0;

    (void)state;
    fill_items();
    items[3].input = LITERAL("env1:k:AA");
    items[70].input = LITERAL("\xff");
    items[100].context = (struct envl_context){ twice, 2 };
    items[140].type = (enum envl_type)9;
    assert_int_equal(envl_seal_batch(ring, NULL, items, COUNT, &arena, &err),
                     ENVL_E_PARTIAL);
    assert_non_null(strstr(err.message, "4 of 200"));
    assert_int_equal(items[3].status, ENVL_E_POLICY);
    assert_int_equal(items[70].status, ENVL_E_USAGE);
    assert_int_equal(items[100].status, ENVL_E_USAGE);
    assert_int_equal(items[140].status, ENVL_E_USAGE);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(items[i].status == ENVL_OK,
                         items[i].output.len > 0);
        good += items[i].status == ENVL_OK;
    }
    assert_int_equal(good, COUNT - 4);

    turn_round();
    back[5].input = LITERAL("plaintext");
    back[6].context = (struct envl_context){ &pairs[7], 1 };
    assert_int_equal(envl_open_batch(ring, NULL, back, COUNT, &opened, &err),
                     ENVL_E_PARTIAL);
    assert_int_equal(back[5].status, ENVL_E_NOTENV);
    assert_int_equal(back[6].status, ENVL_E_AUTH);
    assert_int_equal(back[3].status, ENVL_E_NOTENV); /* nothing was sealed */
    assert_int_equal(back[8].status, ENVL_OK);
    assert_int_equal(back[6].output.len, 0);
}

/* What concerns all is said once, and of each. */
static void
what_concerns_all_fails_the_call(void **state)
{
    struct envl_seal_options options = options_of("k-old", NULL,
                                                  ENVL_ENCODING_TEXT);

    (void)state;
    fill_items();
    assert_int_equal(envl_seal_batch(ring, &options, items, COUNT, &arena,
                                     NULL), ENVL_E_POLICY);
    options = options_of("hsm", "far", ENVL_ENCODING_TEXT);
    fake.answer = ENVL_E_PROVIDER;
    assert_int_equal(envl_seal_batch(ring, &options, items, COUNT, &arena,
                                     NULL), ENVL_E_PROVIDER);
    fake.answer = ENVL_OK;
    assert_int_equal(arena.len, 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(items[i].status, ENVL_E_PROVIDER);
        assert_int_equal(items[i].output.len, 0);
    }
}

/* Two provider keys, local keys and rubbish in one batch. */
static void
a_provider_is_called_once_for_each_of_its_keys(void **state)
{
    struct envl_open_options any = { .size = sizeof(any), .scope = "*" };
    static const char *const kids[] = { "hsm", "k-old", "hsm-2", "kek-old",
                                        "lost" };
    struct envl_seal_options text = { .encoding = ENVL_ENCODING_TEXT };
    struct envl_buf sealed[20];

    (void)state;
    envl_buf_clear(&opened);
    for (size_t i = 0; i < 20; i++) {
        /* "lost" cannot wrap, so its items carry another kid's envelope. */
        const char *kid = kids[i % 5];

        sealed[i] = seal_under(strcmp(kid, "lost") == 0 ? "hsm" : kid, text,
                               LITERAL("xyz"));
        if (i == 10)
            sealed[i].ptr[sealed[i].len - 30] ^= 1;
        back[i] = (struct envl_item){ .input = envl_buf_view(&sealed[i]),
                                      .context = here };
    }
    fake.unwraps = 0;
    assert_int_equal(envl_open_batch(ring, &any, back, 20, &opened, NULL),
                     ENVL_E_PARTIAL);
    assert_int_equal(fake.unwraps, 2);
    for (size_t i = 0; i < 20; i++)
        if (i != 10)
            assert_int_equal(back[i].status, ENVL_OK);
    assert_true(back[10].status == ENVL_E_AUTH ||
                back[10].status == ENVL_E_FORMAT);

    /* Its failure leaves the others open. */
    envl_buf_clear(&opened);
    fake.answer = ENVL_E_PROVIDER;
    assert_int_equal(envl_open_batch(ring, &any, back, 20, &opened, NULL),
                     ENVL_E_PROVIDER);
    fake.answer = ENVL_OK;
    assert_int_equal(back[0].status, ENVL_E_PROVIDER);
    assert_int_equal(back[2].status, ENVL_E_PROVIDER);
    assert_int_equal(back[1].status, ENVL_OK);
    assert_int_equal(back[3].status, ENVL_OK);
    for (size_t i = 0; i < 20; i++)
        envl_buf_free(&sealed[i]);
}

static void
an_empty_batch_is_nothing(void **state)
{
    (void)state;
    envl_buf_free(&arena);
    assert_int_equal(envl_seal_batch(ring, NULL, NULL, 0, &arena, NULL),
                     ENVL_OK);
    assert_int_equal(envl_open_batch(ring, NULL, NULL, 0, &arena, NULL),
                     ENVL_OK);
    assert_null(arena.ptr);
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
    envl_buf_free(&arena);
    envl_buf_free(&opened);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_batch_seals_a_batch_opens),
        cmocka_unit_test(each_output_opens_by_itself_in_its_place_only),
        cmocka_unit_test(no_salt_and_no_wrapped_key_comes_twice),
        cmocka_unit_test(bad_items_do_not_stop_the_others),
        cmocka_unit_test(what_concerns_all_fails_the_call),
        cmocka_unit_test(a_provider_is_called_once_for_each_of_its_keys),
        cmocka_unit_test(an_empty_batch_is_nothing),
    };

    return cmocka_run_group_tests_name("batch", tests, set_up, tear_down);
}
