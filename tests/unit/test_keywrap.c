#include "cmocka_all.h"

#include "crypto/keywrap.h"

/* RFC 3394, section 4.6: 256 bits of key data under a 256-bit KEK. */
static const char kek_hex[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const char key_hex[] =
    "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f";
static const char wrapped_hex[] =
    "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43b"
    "fb988b9b7a02dd21";

static void
gives_the_rfc_3394_answer_both_ways(void **state)
{
    struct envl_bytes kek = from_hex(kek_hex), key = from_hex(key_hex);
    uint8_t wrapped[KEYWRAP_LEN], back[KEYWRAP_KEY_LEN];

    (void)state;
    assert_int_equal(keywrap_wrap(kek.ptr, key.ptr, wrapped, NULL), ENVL_OK);
    assert_memory_equal(wrapped, from_hex(wrapped_hex).ptr, KEYWRAP_LEN);
    assert_int_equal(keywrap_unwrap(kek.ptr, wrapped, back, NULL), ENVL_OK);
    assert_memory_equal(back, key.ptr, KEYWRAP_KEY_LEN);
}

static void
every_flipped_bit_is_refused_and_nothing_is_left(void **state)
{
    struct envl_bytes kek = from_hex(kek_hex);
    uint8_t wrapped[KEYWRAP_LEN], back[KEYWRAP_KEY_LEN];
    struct envl_error err;

    (void)state;
    memcpy(wrapped, from_hex(wrapped_hex).ptr, KEYWRAP_LEN);
    for (size_t bit = 0; bit < 8 * KEYWRAP_LEN; bit++) {
        wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
        memset(back, 7, sizeof(back));
        assert_int_equal(keywrap_unwrap(kek.ptr, wrapped, back, &err),
                         ENVL_E_AUTH);
        for (size_t i = 0; i < sizeof(back); i++)
            assert_int_equal(back[i], 0);
        wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_rfc_3394_answer_both_ways),
        cmocka_unit_test(every_flipped_bit_is_refused_and_nothing_is_left),
    };

    return cmocka_run_group_tests_name("keywrap", tests, NULL, NULL);
}
