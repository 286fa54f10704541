#include "cmocka_all.h"

static void
append_keeps_what_was_there(void **state)
{
    struct envl_buf buf = ENVL_BUF_INIT;
    char expected[4001];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(envl_buf_append(&buf, LITERAL("abcd"), NULL),
                         ENVL_OK);
        memcpy(expected + 4 * i, "abcd", 5);
    }
    assert_int_equal(buf.len, 4000);
    assert_memory_equal(buf.ptr, expected, 4000);
    assert_true(buf.cap >= 4000 && buf.cap <= 8192);
    envl_buf_free(&buf);
}

static void
nothing_appended_allocates_nothing(void **state)
{
    struct envl_buf buf = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(envl_buf_append(&buf, envl_bytes_of(NULL), NULL),
                     ENVL_OK);
    assert_int_equal(envl_buf_reserve(&buf, 0, NULL), ENVL_OK);
    assert_null(buf.ptr);
    envl_buf_free(&buf);
}

static void
an_impossible_size_leaves_the_buffer_as_it_was(void **state)
{
    static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 3, SIZE_MAX / 2 };
    struct envl_buf buf = ENVL_BUF_INIT;
    struct envl_error err;

    (void)state;
    assert_int_equal(envl_buf_append(&buf, LITERAL("abcd"), NULL), ENVL_OK);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(envl_buf_reserve(&buf, sizes[i], &err),
                         ENVL_E_NOMEM);
        assert_int_equal(buf.len, 4);
        assert_memory_equal(buf.ptr, "abcd", 4);
    }
    envl_buf_free(&buf);
}

static void
clear_wipes_and_keeps_the_memory(void **state)
{
    struct envl_buf buf = ENVL_BUF_INIT;
    uint8_t *before;

    (void)state;
    assert_int_equal(envl_buf_append(&buf, LITERAL("abcd"), NULL), ENVL_OK);
    before = buf.ptr;
    envl_buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    assert_ptr_equal(buf.ptr, before);
    assert_memory_equal(before, "\0\0\0\0", 4);
    envl_buf_free(&buf);
}

static void
a_freed_buffer_may_be_used_again(void **state)
{
    struct envl_buf buf = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(envl_buf_append(&buf, LITERAL("abcd"), NULL), ENVL_OK);
    envl_buf_free(&buf);
    assert_null(buf.ptr);
    assert_int_equal(envl_buf_append(&buf, LITERAL("ef"), NULL), ENVL_OK);
    assert_int_equal(envl_buf_view(&buf).len, 2);
    envl_buf_free(&buf);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(append_keeps_what_was_there),
        cmocka_unit_test(nothing_appended_allocates_nothing),
        cmocka_unit_test(an_impossible_size_leaves_the_buffer_as_it_was),
        cmocka_unit_test(clear_wipes_and_keeps_the_memory),
        cmocka_unit_test(a_freed_buffer_may_be_used_again),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
