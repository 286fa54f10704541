/* The batch controller (JOB-70). */
#include "cmocka_all.h"
#include "engine/pace.h"

static const struct job_pace limits = { .target_ms = 200, .rows_min = 50,
                                        .rows_max = 5000 };

static void
begins_with_500_rows_within_the_limits(void **state)
{
    struct job_pace few = { .target_ms = 200, .rows_min = 1, .rows_max = 10 };
    struct job_pace many = { .target_ms = 200, .rows_min = 900,
                             .rows_max = 1000 };
    struct pace pace;

    (void)state;
    pace_init(&pace, &limits);
    assert_int_equal(pace_rows(&pace), 500);
    pace_init(&pace, &few);
    assert_int_equal(pace_rows(&pace), 10);
    pace_init(&pace, &many);
    assert_int_equal(pace_rows(&pace), 900);
}

/* spec: JOB, section 7 */
static void
widens_only_what_the_job_leaves_open(void **state)
{
    struct job_pace open = limits, given = limits;

    (void)state;
    open.bytes = given.bytes = 4194304;
    given.rows_given = given.bytes_given = true;
    pace_widen(&open);
    pace_widen(&given);
    assert_int_equal(open.rows_max, 20000);
    assert_int_equal(open.bytes, 16777216);
    assert_int_equal(given.rows_max, 5000);
    assert_int_equal(given.bytes, 4194304);
    assert_int_equal(open.target_ms, 200);
}

/* spec: JOB-70 */
static void
grows_by_a_fifth_at_most(void **state)
{
    struct pace pace;
    uint32_t before;

    (void)state;
    pace_init(&pace, &limits);
    for (unsigned i = 0; i < 30; i++) {
        before = pace_rows(&pace);
        pace_batch(&pace, before, 1);
        assert_true(pace_rows(&pace) <= before * 1.2);
    }
    assert_int_equal(pace_rows(&pace), 5000);
}

static void
settles_at_what_the_target_allows(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, &limits);
    for (unsigned i = 0; i < 40; i++)
        pace_batch(&pace, pace_rows(&pace), pace_rows(&pace) / 10);

    /* Ten rows a millisecond for 200 ms. */
    assert_in_range(pace_rows(&pace), 1990, 2010);
    pace_batch(&pace, pace_rows(&pace), 5000); /* a sudden slowness */
    assert_in_range(pace_rows(&pace), 1000, 1400);
}

static void
halves_on_trouble_down_to_one_row(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, &limits);
    pace_trouble(&pace);
    assert_int_equal(pace_rows(&pace), 250);
    for (unsigned i = 0; i < 20; i++)
        pace_trouble(&pace);
    assert_int_equal(pace_rows(&pace), 1);
    pace_batch(&pace, 1, 1);
    assert_int_equal(pace_rows(&pace), 2); /* and comes up again */
}

static void
pages_without_writes_say_nothing_of_writing(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, &limits);
    pace_batch(&pace, 500, 100);
    for (unsigned i = 0; i < 10; i++)
        pace_batch(&pace, 0, 1);
    assert_int_equal(pace_rows(&pace), 5000); /* read fast */

    pace_batch(&pace, 100, 20);

    assert_in_range(pace_rows(&pace), 500, 720); /* write as before */
}

static void
the_common_limit_holds_over_workers(void **state)
{
    struct pace_limit limit = { .rows_per_s = 100 };
    struct pace_limit none = { 0 };

    (void)state;
    assert_int_equal(pace_wait(&none, 1000000, 5), 0);
    assert_int_equal(pace_wait(&limit, 10, 1000), 0);
    assert_int_equal(pace_wait(&limit, 10, 1000), 100);
    assert_int_equal(pace_wait(&limit, 50, 1100), 100);
    assert_int_equal(pace_wait(&limit, 1, 1200), 500);
    assert_int_equal(pace_wait(&limit, 1, 99999), 0); /* nothing is saved up */
    assert_int_equal(pace_wait(&limit, 1, 99999), 10);
}

static void
jitter_stays_within_half_of_what_was_asked(void **state)
{
    bool differ = false;
    uint32_t first = pace_jitter(1000);

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        uint32_t ms = pace_jitter(1000);

        assert_in_range(ms, 500, 1000);
        differ = differ || ms != first;
    }
    assert_true(differ);
    assert_int_equal(pace_jitter(0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_500_rows_within_the_limits),
        cmocka_unit_test(widens_only_what_the_job_leaves_open),
        cmocka_unit_test(grows_by_a_fifth_at_most),
        cmocka_unit_test(settles_at_what_the_target_allows),
        cmocka_unit_test(halves_on_trouble_down_to_one_row),
        cmocka_unit_test(pages_without_writes_say_nothing_of_writing),
        cmocka_unit_test(the_common_limit_holds_over_workers),
        cmocka_unit_test(jitter_stays_within_half_of_what_was_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
