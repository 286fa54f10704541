#include <errno.h>
#include <sys/random.h>

#include "cmocka_all.h"

#include "core/random.h"

/* What getrandom answers instead: 0 for the real one. */
static int answer_errno, short_by, interruptions;

ssize_t __real_getrandom(void *out, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags);

ssize_t
__wrap_getrandom(void *out, size_t len, unsigned flags)
{
    if (interruptions > 0) {
        interruptions--;
        errno = EINTR;
        return -1;
    }
    if (answer_errno != 0) {
        errno = answer_errno;
        return -1;
    }
    if (short_by > 0 && len > (size_t)short_by)
        len -= (size_t)short_by;
    return __real_getrandom(out, len, flags);
}

static void
two_fills_differ(void **state)
{
    uint8_t a[32] = { 0 }, b[32] = { 0 };

    (void)state;
    assert_int_equal(random_fill((struct envl_span){ a, 32 }, NULL), ENVL_OK);
    assert_int_equal(random_fill((struct envl_span){ b, 32 }, NULL), ENVL_OK);
    assert_memory_not_equal(a, b, 32);
}

static void
short_and_interrupted_reads_are_continued(void **state)
{
    uint8_t a[512] = { 0 };
    int zeros = 0;

    (void)state;
    short_by = 100;
    interruptions = 2;
    assert_int_equal(random_fill((struct envl_span){ a, 512 }, NULL),
                     ENVL_OK);
    short_by = 0;
    for (size_t i = 480; i < 512; i++)
        zeros += a[i] == 0;
    assert_true(zeros < 10); /* the end was filled, too */
}

static void
a_failure_wipes_and_is_reported(void **state)
{
    uint8_t a[16];
    struct envl_error err;

    (void)state;
    memset(a, 7, sizeof(a));
    answer_errno = ENOSYS;
    assert_int_equal(random_fill((struct envl_span){ a, 16 }, &err),
                     ENVL_E_INTERNAL);
    answer_errno = 0;
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(a[i], 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_fills_differ),
        cmocka_unit_test(short_and_interrupted_reads_are_continued),
        cmocka_unit_test(a_failure_wipes_and_is_reported),
    };

    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
