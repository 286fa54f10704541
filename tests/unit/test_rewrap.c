#include "envelope_fixture.h"

static struct envl_keyring *ring;
static struct fake_provider fake, other;

static struct envl_seal_options
to(const char *kid, const char *scope)
{
    return (struct envl_seal_options){
        .size = sizeof(struct envl_seal_options), .kid = kid, .scope = scope,
    };
}

/* spec: ENV-9.8 */
static void
it_moves_to_the_active_key_and_the_payload_stays(void **state)
{
    struct envl_plain plain = ENVL_PLAIN_INIT;

    (void)state;
    for (int e = 0; e < 3; e++) {
        struct envl_seal_options options = {
            .encoding = (enum envl_encoding)e,
        };
        struct envl_buf old = seal_under("kek-old", options,
                                         LITERAL("secret"));
        struct envl_buf made = ENVL_BUF_INIT, a = ENVL_BUF_INIT,
                        b = ENVL_BUF_INIT;
        struct envl_info info;

        assert_int_equal(envl_rewrap(ring, NULL, &here, envl_buf_view(&old),
                                     &made, NULL), ENVL_OK);
        assert_int_equal(envl_inspect(envl_buf_view(&made), &info, NULL),
                         ENVL_OK);
        assert_string_equal(info.kid, "kek-now");
        assert_int_equal(info.encoding, e);
        assert_int_equal(envl_open(ring, NULL, &here, envl_buf_view(&made),
                                   &plain, NULL), ENVL_OK);
        assert_memory_equal(plain.value.ptr, "secret", 6);

        /* kid and wrapped key differ, the payload not by a bit */
        assert_int_equal(envl_recode(envl_buf_view(&old),
                                     ENVL_ENCODING_BINARY, &a, NULL), ENVL_OK);
        assert_int_equal(envl_recode(envl_buf_view(&made),
                                     ENVL_ENCODING_BINARY, &b, NULL), ENVL_OK);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.ptr + 6 + 7 + 42, b.ptr + 6 + 7 + 42,
                            a.len - 55);
        assert_memory_not_equal(a.ptr + 6 + 7, b.ptr + 6 + 7, 42);
        envl_buf_free(&old);
        envl_buf_free(&made);
        envl_buf_free(&a);
        envl_buf_free(&b);
    }
    envl_plain_free(&plain);
}

static void
what_does_not_check_is_not_moved(void **state)
{
    static const struct envl_pair twice[] = { PAIR("a", "1"), PAIR("a", "1") };
    struct envl_seal_options binary = { .encoding = ENVL_ENCODING_BINARY };
    struct envl_context bad = { twice, 2 };
    struct envl_buf old = seal_under("kek-old", binary, LITERAL("secret"));
    struct envl_buf data = seal_under("k-now", binary, LITERAL("secret"));
    struct envl_seal_options policy = to("kek-old", NULL);
    struct envl_seal_options nokey = to("none", NULL);
    struct envl_seal_options wrong = to("k-now", NULL);
    struct {
        const struct envl_seal_options *options;
        const struct envl_context *context;
        struct envl_bytes envelope;
        enum envl_status want;
    } cases[] = {
        { NULL, &bad, envl_buf_view(&old), ENVL_E_USAGE },
        { NULL, NULL, envl_buf_view(&old), ENVL_E_USAGE },
        { NULL, &here, envl_buf_view(&data), ENVL_E_USAGE },
        { NULL, &here, LITERAL("plain"), ENVL_E_NOTENV },
        { NULL, &here, LITERAL("env3:"), ENVL_E_VERSION },
        { NULL, &here, LITERAL("env1:k:AA"), ENVL_E_FORMAT },
        { NULL, &there, envl_buf_view(&old), ENVL_E_AUTH },
        { &policy, &here, envl_buf_view(&old), ENVL_E_POLICY },
        { &nokey, &here, envl_buf_view(&old), ENVL_E_NOKEY },
        { &wrong, &here, envl_buf_view(&old), ENVL_E_NOKEY },
    };
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(envl_rewrap(ring, cases[i].options, cases[i].context,
                                     cases[i].envelope, &out, NULL),
                         cases[i].want);
        assert_int_equal(out.len, 0);
    }
    old.ptr[20] ^= 1; /* the wrapped key */
    assert_int_equal(envl_rewrap(ring, NULL, &here, envl_buf_view(&old), &out,
                                 NULL), ENVL_E_AUTH);
    old.ptr[20] ^= 1;
    old.ptr[6 + 7 + 42 + 30] ^= 1; /* the commitment */
    assert_int_equal(envl_rewrap(ring, NULL, &here, envl_buf_view(&old), &out,
                                 NULL), ENVL_E_AUTH);
    envl_buf_free(&old);
    envl_buf_free(&data);
    envl_buf_free(&out);
}

static void
what_does_not_come_back_is_not_written(void **state)
{
    struct envl_seal_options binary = { .encoding = ENVL_ENCODING_BINARY };
    struct envl_seal_options far = to("hsm", "far");
    struct envl_buf old = seal_under("hsm-2", binary, LITERAL("secret"));
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    other.forgets = true; /* then the commitment of the old one fails */
    assert_int_equal(envl_rewrap(ring, &far, &here, envl_buf_view(&old), &out,
                                 NULL), ENVL_E_AUTH);
    other.forgets = false;
    fake.forgets = true; /* then the new one does not come back */
    assert_int_equal(envl_rewrap(ring, &far, &here, envl_buf_view(&old), &out,
                                 NULL), ENVL_E_PROVIDER);
    fake.forgets = false;
    assert_int_equal(out.len, 0);
    assert_int_equal(envl_rewrap(ring, &far, &here, envl_buf_view(&old), &out,
                                 NULL), ENVL_OK);
    envl_buf_free(&out);
    envl_buf_free(&old);
}

static int
set_up(void **state)
{
    (void)state;
    ring = make_ring(false);
    set_provider(ring, "hsm", &fake);
    set_provider(ring, "hsm-2", &other);
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
        cmocka_unit_test(it_moves_to_the_active_key_and_the_payload_stays),
        cmocka_unit_test(what_does_not_check_is_not_moved),
        cmocka_unit_test(what_does_not_come_back_is_not_written),
    };

    return cmocka_run_group_tests_name("rewrap", tests, set_up, tear_down);
}
