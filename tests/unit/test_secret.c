#include "cmocka_all.h"

#include <envelope/secret.h>

static void
a_new_secret_is_zero_and_can_be_filled(void **state)
{
    struct envl_secret *secret = NULL;

    (void)state;
    assert_int_equal(envl_secret_new(32, &secret, NULL), ENVL_OK);
    assert_int_equal(envl_secret_bytes(secret).len, 32);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(envl_secret_bytes(secret).ptr[i], 0);
    memset(envl_secret_span(secret).ptr, 7, 32);
    assert_int_equal(envl_secret_bytes(secret).ptr[31], 7);
    envl_secret_free(secret);
}

static void
an_empty_secret_is_refused(void **state)
{
    struct envl_secret *secret = NULL;
    struct envl_error err;

    (void)state;
    assert_int_equal(envl_secret_new(0, &secret, &err), ENVL_E_USAGE);
    assert_null(secret);
}

static void
equal_looks_at_length_and_every_byte(void **state)
{
    struct envl_secret *a = NULL, *b = NULL, *c = NULL;

    (void)state;
    assert_int_equal(envl_secret_new(32, &a, NULL), ENVL_OK);
    assert_int_equal(envl_secret_new(32, &b, NULL), ENVL_OK);
    assert_int_equal(envl_secret_new(31, &c, NULL), ENVL_OK);
    assert_true(envl_secret_equal(a, b));
    assert_false(envl_secret_equal(a, c));
    envl_secret_span(b).ptr[31] = 1;
    assert_false(envl_secret_equal(a, b));
    envl_secret_free(a);
    envl_secret_free(b);
    envl_secret_free(c);
    envl_secret_free(NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_secret_is_zero_and_can_be_filled),
        cmocka_unit_test(an_empty_secret_is_refused),
        cmocka_unit_test(equal_looks_at_length_and_every_byte),
    };

    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
