#include "cmocka_all.h"

#include <sodium.h>

#include "core/base64url.h"

/* Against libsodium's, for every length and for overlapping memory. */
static void
agrees_with_libsodium_in_both_directions(void **state)
{
    uint8_t bytes[300], back[303];
    char ours[401], theirs[402];

    (void)state;
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        struct envl_bytes in = { bytes, len };
        size_t text_len = base64url_encoded_len(len);

        randombytes_buf(bytes, len);
        base64url_encode(in, ours);
        sodium_bin2base64(theirs, sizeof(theirs), bytes, len,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        assert_int_equal(strlen(theirs), text_len);
        assert_memory_equal(ours, theirs, text_len);
        assert_int_equal(base64url_decode((struct envl_bytes){
                             (uint8_t *)ours, text_len }, back), len);
        assert_memory_equal(back, bytes, len);
    }
}

static void
encodes_from_the_end_of_its_own_room(void **state)
{
    uint8_t bytes[200];
    char room[268], expected[268];

    (void)state;
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        size_t text_len = base64url_encoded_len(len);

        randombytes_buf(bytes, len);
        base64url_encode((struct envl_bytes){ bytes, len }, expected);
        memcpy(room + text_len - len, bytes, len);
        base64url_encode((struct envl_bytes){
            (uint8_t *)room + text_len - len, len }, room);
        assert_memory_equal(room, expected, text_len);
    }
}

/* spec: ENV-7.4 */
static void
there_is_one_valid_form_only(void **state)
{
    static const char *const bad[] = {
        "A", "AAAAA", "AA=", "AA==", "AAA=", "A A=", "AAA\n", "AA+A", "AA/A",
        "AB", "AAB", "AP", "AAP", "AAAAAB", "AAAAAAB", "AAA.", "AA\xc3\xa9",
        "=AAA", "AAAA=", "\n", "AA\n",
    };
    uint8_t out[16];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (base64url_decode(envl_bytes_of(bad[i]), out) != SIZE_MAX)
            fail_msg("\"%s\" was accepted", bad[i]);
    }
}

static void
every_byte_that_is_no_character_is_refused_everywhere(void **state)
{
    uint8_t text[8], out[8];
    unsigned accepted = 0;

    (void)state;
    for (size_t len = 2; len <= 7; len++) {
        for (size_t at = 0; len != 5 && at < len; at++) {
            for (unsigned c = 0; c < 256; c++) {
                memset(text, 'A', sizeof(text));
                text[at] = (uint8_t)c;
                accepted += base64url_decode((struct envl_bytes){
                                text, len }, out) != SIZE_MAX;
            }
        }
    }
    /* 64 at each place but the last of a tail: 4 of 2 bits, 16 of 4 bits. */
    assert_int_equal(accepted, (64 + 4) + (128 + 16) + 256 + (320 + 4) +
                                   (384 + 16));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_libsodium_in_both_directions),
        cmocka_unit_test(encodes_from_the_end_of_its_own_room),
        cmocka_unit_test(there_is_one_valid_form_only),
        cmocka_unit_test(every_byte_that_is_no_character_is_refused_everywhere),
    };

    return cmocka_run_group_tests_name("base64url", tests, NULL, NULL);
}
