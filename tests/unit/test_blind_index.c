#include "envelope_fixture.h"

static struct envl_keyring *ring;

static enum envl_status
index_of(const char *kid, const char *scope, unsigned bits, char *hex)
{
    struct envl_index_input input = {
        .kid = kid, .scope = scope, .field = LITERAL("users.email"),
        .value = LITERAL("a@example.org"), .bits = bits,
    };

    return envl_blind_index(ring, &input, hex, NULL);
}

/* spec: ENV-10.1 */
static void
bits_decide_how_much_of_one_answer_is_given(void **state)
{
    char all[ENVL_INDEX_HEX_SIZE], some[ENVL_INDEX_HEX_SIZE];

    (void)state;
    assert_int_equal(index_of(NULL, NULL, 256, all), ENVL_OK);
    for (unsigned bits = 0; bits <= 300; bits++) {
        bool good = bits % 8 == 0 && bits >= 16 && bits <= 256;

        assert_int_equal(index_of(NULL, NULL, bits, some),
                         good ? ENVL_OK : ENVL_E_USAGE);
        if (!good)
            continue;
        assert_int_equal(strlen(some), bits / 4);
        assert_memory_equal(some, all, bits / 4);
    }
}

static void
only_an_index_key_of_the_scope_makes_one(void **state)
{
    static const struct {
        const char *kid, *scope;
        enum envl_status want;
    } cases[] = {
        { "idx", NULL, ENVL_OK }, { "idx", "default", ENVL_OK },
        { "idx", "tenant", ENVL_E_NOKEY }, { NULL, "tenant", ENVL_E_NOKEY },
        { "k-now", NULL, ENVL_E_NOKEY }, { "mac", NULL, ENVL_E_NOKEY },
        { "none", NULL, ENVL_E_NOKEY }, { "No", NULL, ENVL_E_NOKEY },
    };
    char hex[ENVL_INDEX_HEX_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(index_of(cases[i].kid, cases[i].scope, 64, hex),
                         cases[i].want);
}

static void
field_and_value_do_not_run_together(void **state)
{
    struct envl_index_input a = { .field = LITERAL("ab"),
                                  .value = LITERAL("c"), .bits = 128 };
    struct envl_index_input b = { .field = LITERAL("a"),
                                  .value = LITERAL("bc"), .bits = 128 };
    char x[ENVL_INDEX_HEX_SIZE], y[ENVL_INDEX_HEX_SIZE];

    (void)state;
    assert_int_equal(envl_blind_index(ring, &a, x, NULL), ENVL_OK);
    assert_int_equal(envl_blind_index(ring, &b, y, NULL), ENVL_OK);
    assert_string_not_equal(x, y);
}

static int
set_up(void **state)
{
    (void)state;
    ring = make_ring(false);
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
        cmocka_unit_test(bits_decide_how_much_of_one_answer_is_given),
        cmocka_unit_test(only_an_index_key_of_the_scope_makes_one),
        cmocka_unit_test(field_and_value_do_not_run_together),
    };

    return cmocka_run_group_tests_name("blind_index", tests, set_up,
                                       tear_down);
}
