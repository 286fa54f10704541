#include "cmocka_all.h"

#include <sodium.h>

#include "envelope/payload.h"

static struct payload_keys keys;

/* spec: ENV-4.7 */
static void
lengths_of_frames_and_payloads_are_inverse(void **state)
{
    size_t valid = 0;

    (void)state;
    for (size_t frame = 1; frame < 70000; frame++) {
        size_t len = payload_len(frame);

        assert_true(payload_len_valid(len));
        assert_int_equal(payload_frame_len(len), frame);
    }
    for (size_t len = 0; len < payload_len(70000); len++)
        valid += payload_len_valid(len);
    assert_int_equal(valid, 69999); /* no other length is one */
    assert_false(payload_len_valid(72));
    assert_true(payload_len_valid(73));
    assert_false(payload_len_valid(56 + 16400));
    assert_false(payload_len_valid(56 + 16400 + 15));
    assert_true(payload_len_valid(56 + 16400 + 16));
}

static void
sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    assert_true(payload_len(SIZE_MAX) == SIZE_MAX);
    assert_true(payload_len(SIZE_MAX - 1) == SIZE_MAX);
    /* spec: ENV-4.8: the last chunk of 2^38 is the last there can be */
    assert_true(payload_len(((size_t)1 << 52) - 1) != SIZE_MAX);
    assert_true(payload_len((size_t)1 << 52) == SIZE_MAX);
}

/* spec: ENV-4.5 */
static void
the_nonce_is_xored_with_a_big_endian_index(void **state)
{
    uint8_t nonce[GCM_NONCE_LEN];

    (void)state;
    memset(&keys, 0x55, sizeof(keys));
    payload_nonce(&keys, 0, nonce);
    assert_memory_equal(nonce, keys.nonce, 12);
    payload_nonce(&keys, UINT64_C(0x0102030405060708), nonce);
    assert_memory_equal(nonce, from_hex("555555555457565150535" "25d").ptr,
                        12);
}

/* Lengths of values on both sides of chunks and of the two ciphers. */
static const size_t lens[] = {
    0, 1, 30, 1022, 1023, 1024, 1025, 16382, 16383, 16384, 16385, 32766,
    32767, 32768, 50000,
};
#define LENS (sizeof(lens) / sizeof(lens[0]))
#define MOST 60000u

static uint8_t value[MOST], payload[MOST], room[MOST];

static size_t
seal(size_t len, size_t block)
{
    struct payload_value v = { { value, len }, ENVL_TYPE_BYTES, block };
    struct envl_span span = { payload, payload_len(frame_len(len, block)) };

    randombytes_buf(&keys, sizeof(keys));
    randombytes_buf(value, len);
    randombytes_buf(payload, PAYLOAD_SALT_LEN);
    assert_true(span.len <= sizeof(payload));
    assert_int_equal(payload_seal(&keys, &v, span, NULL), ENVL_OK);
    assert_true(payload_commits(&keys, payload));
    return span.len;
}

static void
opens_apart_and_leaves_only_the_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENS; i++) {
        for (int padded = 0; padded < 2; padded++) {
            size_t len = seal(lens[i], padded ? 64 : 0);
            struct envl_opened out = { { room, payload_frame_len(len) },
                                       ENVL_TYPE_JSON };
            size_t frame = out.value.len;

            memset(room, 0xee, sizeof(room));
            assert_int_equal(payload_open(&keys, (struct envl_bytes){
                payload, len }, &out, NULL), ENVL_OK);
            assert_int_equal(out.type, ENVL_TYPE_BYTES);
            assert_int_equal(out.value.len, lens[i]);
            assert_memory_equal(room, value, lens[i]);
            for (size_t at = lens[i]; at < frame; at++)
                assert_int_equal(room[at], 0);
            assert_int_equal(room[frame], 0xee);
        }
    }
}

static void
padding_may_run_over_the_end_of_a_chunk(void **state)
{
    (void)state;
    for (size_t len = 16379; len < 16400; len++) {
        size_t sealed = seal(len, 4095);
        struct envl_opened out = { { room, sizeof(room) }, ENVL_TYPE_JSON };

        assert_int_equal(payload_frame_len(sealed), 5 * 4095);
        assert_int_equal(payload_open(&keys, (struct envl_bytes){
            payload, sealed }, &out, NULL), ENVL_OK);
        assert_int_equal(out.value.len, len);
        assert_memory_equal(room, value, len);
    }
}

static void
opens_inside_its_own_memory(void **state)
{
    static const size_t offsets[] = { 0, 1, 43, 200 };

    (void)state;
    for (size_t i = 0; i < LENS; i++) {
        for (size_t o = 0; o < 4; o++) {
            size_t len = seal(lens[i], 32), end = offsets[o] + len;
            struct envl_opened out = { { room, end }, ENVL_TYPE_JSON };

            memcpy(room + offsets[o], payload, len);
            assert_int_equal(payload_open(&keys, (struct envl_bytes){
                room + offsets[o], len }, &out, NULL), ENVL_OK);
            assert_int_equal(out.value.len, lens[i]);
            assert_memory_equal(room, value, lens[i]);
            for (size_t at = lens[i]; at < end; at++)
                assert_int_equal(room[at], 0);
        }
    }
}

static void
a_bad_chunk_anywhere_leaves_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENS; i++) {
        size_t len = seal(lens[i], 0), frame = payload_frame_len(len);

        for (size_t at = PAYLOAD_HEAD_LEN; at < len; at += 4093) {
            struct envl_opened out = { { room, frame }, ENVL_TYPE_BYTES };

            payload[at] ^= 0x10;
            memset(room, 0xee, sizeof(room));
            assert_int_equal(payload_open(&keys, (struct envl_bytes){
                payload, len }, &out, NULL), ENVL_E_AUTH);
            assert_int_equal(out.value.len, 0);
            for (size_t b = 0; b < frame; b++)
                assert_int_equal(room[b], 0);
            payload[at] ^= 0x10;
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_of_frames_and_payloads_are_inverse),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(the_nonce_is_xored_with_a_big_endian_index),
        cmocka_unit_test(opens_apart_and_leaves_only_the_value),
        cmocka_unit_test(padding_may_run_over_the_end_of_a_chunk),
        cmocka_unit_test(opens_inside_its_own_memory),
        cmocka_unit_test(a_bad_chunk_anywhere_leaves_nothing),
    };

    return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
