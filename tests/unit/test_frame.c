#include "cmocka_all.h"

#include "envelope/frame.h"

/* spec: ENV-6.9 */
static void
the_default_block_is_32_up_to_4096_bytes(void **state)
{
    (void)state;
    assert_int_equal(frame_block(ENVL_PAD_DEFAULT, 0), 32);
    assert_int_equal(frame_block(ENVL_PAD_DEFAULT, 4096), 32);
    assert_int_equal(frame_block(ENVL_PAD_DEFAULT, 4097), 0);
    assert_int_equal(frame_block(ENVL_PAD_NONE, 10), 0);
    assert_int_equal(frame_block(4096, 1000000), 4096);
}

/* spec: ENV-6.3 */
static void
a_padded_frame_is_a_multiple_and_has_room_for_the_80(void **state)
{
    (void)state;
    for (size_t block = 2; block <= 4096; block = block * 3 / 2 + 1) {
        for (size_t len = 0; len < 3 * block && len < 500; len++) {
            size_t frame = frame_len(len, block);

            assert_int_equal(frame % block, 0);
            assert_true(frame >= len + 2 && frame < len + 2 + block);
        }
    }
    assert_int_equal(frame_len(7, 0), 8);
}

static void
sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    assert_true(frame_len(SIZE_MAX, 0) == SIZE_MAX);
    assert_true(frame_len(SIZE_MAX - 1, 32) == SIZE_MAX);
    assert_true(frame_len(SIZE_MAX - 4098, 4096) != 0);
}

/* spec: ENV-6.1, ENV-6.2 */
static void
the_first_byte_is_one_of_eight(void **state)
{
    struct frame_head head;
    struct envl_error err;
    unsigned good = 0;

    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        enum envl_status status = frame_read_first((uint8_t)c, &head, &err);

        if (status == ENVL_OK) {
            good++;
            assert_int_equal(frame_first(head.type, head.padded ? 32 : 0), c);
        } else {
            assert_int_equal(status, ENVL_E_FORMAT);
        }
    }
    assert_int_equal(good, 8);
}

/* spec: ENV-6.4.  What follows the type byte, and what is left; -1: format. */
static const struct unpad_case {
    const char *name;
    const char *hex;
    int zeros; /* appended */
    int want;
} unpad_cases[] = {
    { "takes_off_the_80", "6180", 0, 1 },
    { "takes_off_zeros_and_the_80", "618000", 0, 1 },
    { "leaves_an_80_of_the_value", "80800000", 0, 1 },
    { "leaves_zeros_of_the_value", "00008000", 0, 2 },
    { "an_80_alone_is_an_empty_value", "80", 0, 0 },
    { "nothing_is_no_padding", "", 0, -1 },
    { "zeros_alone_are_no_padding", "000000", 0, -1 },
    { "another_byte_is_no_padding", "6181", 0, -1 },
    { "no_80_before_the_zeros", "6100", 0, -1 },
    { "4095_zeros_are_padding", "6180", 4095, 1 },
    { "4096_zeros_are_not", "6180", 4096, -1 },
};

static void
run_unpad_case(void **state)
{
    const struct unpad_case *c = *state;
    struct envl_bytes bytes = from_hex(c->hex);
    uint8_t padded[5000] = { 0 };
    size_t len = 99;

    memcpy(padded, bytes.ptr, bytes.len);
    bytes = (struct envl_bytes){ padded, bytes.len + (size_t)c->zeros };
    if (c->want < 0) {
        assert_int_equal(frame_unpad(bytes, &len, NULL), ENVL_E_FORMAT);
        return;
    }
    assert_int_equal(frame_unpad(bytes, &len, NULL), ENVL_OK);
    assert_int_equal(len, c->want);
}

#define UNPAD (sizeof(unpad_cases) / sizeof(unpad_cases[0]))

int
main(void)
{
    struct CMUnitTest tests[4 + UNPAD] = {
        cmocka_unit_test(the_default_block_is_32_up_to_4096_bytes),
        cmocka_unit_test(a_padded_frame_is_a_multiple_and_has_room_for_the_80),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(the_first_byte_is_one_of_eight),
    };

    for (size_t i = 0; i < UNPAD; i++)
        tests[4 + i] = (struct CMUnitTest){
            .name = unpad_cases[i].name, .test_func = run_unpad_case,
            .initial_state = (void *)(uintptr_t)&unpad_cases[i],
        };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
