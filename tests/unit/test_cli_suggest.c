/* "Did you mean"; cli/ is no library, so its file is taken in. */
#include "cmocka_all.h"

#include "../../cli/suggest.c"

static const char *const words[] = { "encrypt", "decrypt", "key", "seal",
                                     "status", "selftest", "verify" };

static const char *
nearest(const char *word)
{
    return suggest_nearest(word, words, sizeof(words) / sizeof(*words));
}

static void
one_slip_finds_the_word(void **state)
{
    (void)state;
    assert_string_equal(nearest("encrpyt"), "encrypt"); /* swapped  */
    assert_string_equal(nearest("decrpt"), "decrypt");  /* dropped  */
    assert_string_equal(nearest("seeal"), "seal");      /* added    */
    assert_string_equal(nearest("veryfi"), "verify");   /* two slips */
    assert_string_equal(nearest("kez"), "key");
    assert_string_equal(nearest("stat"), "status");     /* begun    */
}

static void
what_is_far_finds_nothing(void **state)
{
    (void)state;
    assert_null(nearest("frobnicate"));
    assert_null(nearest("x"));
    assert_null(nearest(""));
    assert_null(nearest("se")); /* begins two of them */
    assert_null(nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_slip_finds_the_word),
        cmocka_unit_test(what_is_far_finds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
