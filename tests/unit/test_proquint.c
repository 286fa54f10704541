#include "cmocka_all.h"
#include "core/proquint.h"

/* The examples of the proposal (arXiv:0901.4016). */
static void
words_are_those_of_the_proposal(void **state)
{
    static const struct {
        uint8_t address[4];
        const char *words;
    } rows[] = {
        { { 127, 0, 0, 1 }, "lusab babad\n" },
        { { 63, 84, 220, 193 }, "gutih tugad\n" },
        { { 63, 118, 7, 35 }, "gutuk bisog\n" },
        { { 140, 98, 193, 141 }, "mudof sakat\n" },
        { { 64, 255, 6, 200 }, "haguz biram\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[PROQUINT_LEN(4)];
        uint8_t back[4];
        size_t bad;

        proquint_encode((struct envl_bytes){ rows[i].address, 4 }, 6, text);
        assert_memory_equal(text, rows[i].words, sizeof(text));
        assert_int_equal(proquint_decode(envl_bytes_of(rows[i].words),
                                         (struct envl_span){ back, 4 }, &bad),
                         ENVL_OK);
        assert_memory_equal(back, rows[i].address, 4);
    }
}

static void
all_of_a_word_come_back(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 65536; bits++) {
        const uint8_t bytes[2] = { (uint8_t)(bits >> 8), (uint8_t)bits };
        char text[PROQUINT_LEN(2)];
        uint8_t back[2];
        size_t bad;

        proquint_encode((struct envl_bytes){ bytes, 2 }, 1, text);
        assert_int_equal(
            proquint_decode((struct envl_bytes){ (uint8_t *)text,
                                                 sizeof(text) },
                            (struct envl_span){ back, 2 }, &bad), ENVL_OK);
        assert_memory_equal(back, bytes, 2);
    }
}

static void
how_words_are_set_does_not_matter(void **state)
{
    static const char *const same[] = {
        "lusab babad", "LUSAB-Babad\n", "lusab\r\nbabad\r\n",
        "# a remark lusab\n\n  lusab,\tbabad", "lusab babad\n#",
        "\nlusab--babad"
    };

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
        uint8_t back[4];
        size_t bad;

        assert_int_equal(proquint_decode(envl_bytes_of(same[i]),
                                         (struct envl_span){ back, 4 }, &bad),
                         ENVL_OK);
        assert_memory_equal(back, "\x7f\0\0\1", 4);
    }
}

static void
what_is_no_word_is_named_by_its_number(void **state)
{
    static const struct {
        const char *text;
        size_t bad;
    } rows[] = {
        { "lusab babae", 2 },  { "lusa babad", 1 },   { "lusabb abad", 1 },
        { "lusab", 0 },        { "", 0 },
        { "lusab babad lusab", 0 },
        { "lusab # babad", 2 }, { "lu\0ab babad", 1 }, { "ausab babad", 1 },
        { "lusab b\xc3\xa4" "bad", 2 }, { "lusabbabad", 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint8_t back[4];
        size_t bad = 99;

        assert_int_equal(proquint_decode(envl_bytes_of(rows[i].text),
                                         (struct envl_span){ back, 4 }, &bad),
                         ENVL_E_FORMAT);
        assert_int_equal(bad, rows[i].bad);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_those_of_the_proposal),
        cmocka_unit_test(all_of_a_word_come_back),
        cmocka_unit_test(how_words_are_set_does_not_matter),
        cmocka_unit_test(what_is_no_word_is_named_by_its_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
