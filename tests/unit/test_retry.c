/* Rows that were lost: when they are tried again, and what counts. */
#include "cmocka_all.h"
#include "engine/pace.h"
#include "engine/retry.h"

#define LATER (pace_now() + 60000)

static void
lose(struct retry *retry, const char *key, uint32_t values)
{
    struct envl_row row = { .key = envl_bytes_of(key),
                            .leaf_count = values };

    assert_int_equal(retry_lost(retry, &row, row.leaf_count, NULL), ENVL_OK);
}

static void
a_row_is_tried_only_once_its_loss_stands(void **state)
{
    struct retry retry = { 0 };
    struct retry_round round;

    (void)state;
    lose(&retry, "a", 2);
    retry_pick(&retry, LATER, &round);
    assert_int_equal(round.count, 0);

    retry_committed(&retry);

    retry_pick(&retry, LATER, &round);
    assert_int_equal(round.count, 1);
    assert_int_equal(round.values, 2);
    assert_false(round.by_value);
    retry_committed(&retry); /* it was settled */
    assert_int_equal(retry.count, 0);
    retry_free(&retry);
}

static void
what_is_rolled_back_was_never_lost_nor_tried(void **state)
{
    struct retry retry = { 0 };
    struct retry_round round;

    (void)state;
    lose(&retry, "stands", 1);
    retry_committed(&retry);
    retry_pick(&retry, LATER, &round);
    lose(&retry, "new", 1);

    retry_undone(&retry);

    assert_int_equal(retry.count, 1);
    retry_pick(&retry, LATER, &round);
    assert_int_equal(round.count, 1);
    assert_memory_equal(round.keys[0].ptr, "stands", 6);
    retry_free(&retry);
}

static void
a_row_is_compared_by_value_after_three_losses_and_left_after_six(void **state)
{
    struct retry retry = { 0 };
    struct retry_round round;
    unsigned rounds = 0, by_value = 0;

    (void)state;
    lose(&retry, "hot", 1);
    retry_committed(&retry);
    while (retry.count > 0) {
        retry_pick(&retry, LATER, &round);
        assert_int_equal(round.count, 1);
        rounds++;
        by_value += round.by_value;
        lose(&retry, "hot", 1);
        retry_committed(&retry);
    }

    assert_int_equal(rounds, RETRY_MOST - 1);
    assert_int_equal(by_value, RETRY_MOST - RETRY_BY_VALUE);
    retry_free(&retry);
}

static void
a_round_is_of_one_kind_and_no_longer_than_a_batch(void **state)
{
    struct retry retry = { 0 };
    struct retry_round round;
    char key[16];

    (void)state;
    for (unsigned i = 0; i < RETRY_BATCH + 50; i++) {
        snprintf(key, sizeof(key), "%u", i);
        lose(&retry, key, 1);
    }
    retry_committed(&retry);
    retry.rows[0].losses = RETRY_BY_VALUE;
    retry_pick(&retry, LATER, &round);
    assert_int_equal(round.count, 1);
    retry_undone(&retry);
    retry.rows[0].losses = 1;
    retry_pick(&retry, LATER, &round);
    assert_int_equal(round.count, RETRY_BATCH);
    retry_free(&retry);
}

static void
rows_wait_a_little_before_they_are_tried(void **state)
{
    struct retry retry = { 0 };

    (void)state;
    assert_int_equal(retry_wait(&retry, pace_now()), 0);
    lose(&retry, "a", 1);
    retry_committed(&retry);

    assert_in_range(retry_wait(&retry, pace_now()), 1, 40);
    assert_false(retry_ready(&retry, pace_now()));
    assert_true(retry_ready(&retry, LATER)); /* overdue */
    assert_int_equal(retry_wait(&retry, LATER), 0);
    retry_free(&retry);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_tried_only_once_its_loss_stands),
        cmocka_unit_test(what_is_rolled_back_was_never_lost_nor_tried),
        cmocka_unit_test(
            a_row_is_compared_by_value_after_three_losses_and_left_after_six),
        cmocka_unit_test(a_round_is_of_one_kind_and_no_longer_than_a_batch),
        cmocka_unit_test(rows_wait_a_little_before_they_are_tried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
