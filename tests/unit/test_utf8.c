#include "cmocka_all.h"

#include "core/utf8.h"

static void
encode(uint32_t cp, uint8_t out[4], size_t *len)
{
    static const uint8_t marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

    *len = n;
    for (size_t i = n; i-- > 1; cp >>= 6)
        out[i] = (uint8_t)(0x80 | (cp & 0x3f));
    out[0] = (uint8_t)(marks[n] | cp);
}

static void
accepts_each_code_point_and_no_surrogate(void **state)
{
    uint8_t bytes[4];
    size_t len;

    (void)state;
    for (uint32_t cp = 0; cp <= 0x110fff; cp++) {
        bool good = cp < 0xd800 || (cp > 0xdfff && cp <= 0x10ffff);

        encode(cp, bytes, &len);
        if (utf8_valid((struct envl_bytes){ bytes, len }) != good)
            fail_msg("U+%04X", (unsigned)cp);
    }
}

static void
refuses_what_is_no_utf8(void **state)
{
    static const struct envl_bytes bad[] = {
        LITERAL_INIT("\x80"), LITERAL_INIT("\xbf"), LITERAL_INIT("a\xc3"),
        LITERAL_INIT("\xc0\x80"), LITERAL_INIT("\xc1\xbf"),
        LITERAL_INIT("\xe0\x9f\xbf"), LITERAL_INIT("\xed\xa0\x80"),
        LITERAL_INIT("\xf0\x8f\xbf\xbf"), LITERAL_INIT("\xf4\x90\x80\x80"),
        LITERAL_INIT("\xf5\x80\x80\x80"), LITERAL_INIT("\xff"),
        LITERAL_INIT("\xe2\x82"), LITERAL_INIT("\xe2\x28\xa1"),
        LITERAL_INIT("aaaaaaaaaaaaaaaa\xff"),
        LITERAL_INIT("aaaaaaaa\xc3" "aaaaaaaa"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (utf8_valid(bad[i]))
            fail_msg("case %zu was accepted", i);
    }
    assert_true(utf8_valid(LITERAL("")));
    assert_true(utf8_valid(LITERAL("a\0b")));
}

/* The same answer wherever the text is cut. */
static void
pieces_give_the_answer_of_the_whole(void **state)
{
    static const struct envl_bytes texts[] = {
        LITERAL_INIT("gr\xc3\xbc\xc3\x9f \xe2\x9c\x93 \xf0\x9f\x94\x91 key"),
        LITERAL_INIT("abcdefgh\xed\xa0\x80zz"), LITERAL_INIT("abc\xe2\x9c"),
    };

    (void)state;
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
        bool whole = utf8_valid(texts[t]);

        for (size_t cut = 0; cut <= texts[t].len; cut++) {
            struct utf8_check check = { 0, 0, 0 };
            bool good =
                utf8_update(&check, (struct envl_bytes){ texts[t].ptr, cut }) &&
                utf8_update(&check, (struct envl_bytes){
                    texts[t].ptr + cut, texts[t].len - cut }) &&
                utf8_finish(&check);

            assert_int_equal(good, whole);
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_each_code_point_and_no_surrogate),
        cmocka_unit_test(refuses_what_is_no_utf8),
        cmocka_unit_test(pieces_give_the_answer_of_the_whole),
    };

    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
