#include "cmocka_all.h"

#include <envelope/error.h>

static void
every_status_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i <= ENVL_E_INTERRUPTED; i++) {
        assert_string_not_equal(envl_status_name((enum envl_status)i),
                                "unknown");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(envl_status_name((enum envl_status)i),
                                    envl_status_name((enum envl_status)j));
    }
    assert_string_equal(envl_status_name((enum envl_status)99), "unknown");
}

static void
exit_codes_are_those_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(envl_status_exit_code(ENVL_OK), 0);
    assert_int_equal(envl_status_exit_code(ENVL_E_LIMIT), 2);
    assert_int_equal(envl_status_exit_code(ENVL_E_PARTIAL), 3);
    assert_int_equal(envl_status_exit_code(ENVL_E_AUTH), 12);
    assert_int_equal(envl_status_exit_code(ENVL_E_NOKEY), 13);
    assert_int_equal(envl_status_exit_code(ENVL_E_INTEGRITY), 18);
    assert_int_equal(envl_status_exit_code(ENVL_E_NOTENV), 19);
    assert_int_equal(envl_status_exit_code(ENVL_E_FORMAT), 19);
    assert_int_equal(envl_status_exit_code(ENVL_E_VERSION), 19);
    assert_int_equal(envl_status_exit_code(ENVL_E_INTERRUPTED), 130);
    assert_int_equal(envl_status_exit_code((enum envl_status)99), 1);
}

static void
fail_writes_the_message_and_clears_the_hint(void **state)
{
    struct envl_error err = { ENVL_OK, "old", "old" };

    (void)state;
    assert_int_equal(envl_fail(&err, ENVL_E_NOKEY, "no key '%s'", "k1"),
                     ENVL_E_NOKEY);
    assert_int_equal(err.status, ENVL_E_NOKEY);
    assert_string_equal(err.message, "no key 'k1'");
    assert_string_equal(err.hint, "");
    envl_hint(&err, "see %d", 3);
    assert_string_equal(err.hint, "see 3");
}

static void
no_error_struct_is_no_problem(void **state)
{
    (void)state;
    assert_int_equal(envl_fail(NULL, ENVL_E_IO, "x"), ENVL_E_IO);
    envl_hint(NULL, "x");
}

static void
control_characters_in_names_do_not_reach_the_terminal(void **state)
{
    struct envl_error err;

    (void)state;
    (void)envl_fail(&err, ENVL_E_IO, "%s", "a\nb\033[2Jc\177");
    assert_string_equal(err.message, "a?b?[2Jc?");
}

static void
a_message_that_is_cut_ends_in_a_whole_character(void **state)
{
    struct envl_error err;
    char long_name[400];

    (void)state;
    memset(long_name, 'x', sizeof(long_name));
    long_name[254] = '\xe2';
    long_name[255] = '\x9c';
    long_name[256] = '\x93';
    long_name[399] = '\0';
    (void)envl_fail(&err, ENVL_E_IO, "%s", long_name);
    assert_int_equal(strlen(err.message), 254);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_own_name),
        cmocka_unit_test(exit_codes_are_those_of_the_table),
        cmocka_unit_test(fail_writes_the_message_and_clears_the_hint),
        cmocka_unit_test(no_error_struct_is_no_problem),
        cmocka_unit_test(control_characters_in_names_do_not_reach_the_terminal),
        cmocka_unit_test(a_message_that_is_cut_ends_in_a_whole_character),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
