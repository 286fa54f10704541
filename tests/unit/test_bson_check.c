#include "cmocka_all.h"

#include "core/bson_check.h"

/* bsonspec.org, version 1.1: one row a type, valid and not. */
static const struct bson_case {
    const char *name;
    enum envl_status want;
    const char *hex;
} bson_cases[] = {
    { "an_empty_document", ENVL_OK, "0500000000" },
    { "a_double", ENVL_OK, "100000000176000000000000000000" "00" },
    { "a_string", ENVL_OK, "0f0000000276000300000068690000" },
    { "a_string_with_nul", ENVL_OK, "0f0000000276000300000068000000" },
    { "a_document", ENVL_OK, "0d000000037600050000000000" },
    { "an_array", ENVL_OK, "0d000000047600050000000000" },
    { "binary", ENVL_OK, "0e0000000576000100000000ff00" },
    { "old_binary", ENVL_OK, "12000000057600050000000201000000ff00" },
    { "an_object_id", ENVL_OK, "14000000077600" "0102030405060708090a0b0c"
                               "00" },
    { "a_boolean", ENVL_OK, "09000000087600" "01" "00" },
    { "a_date", ENVL_OK, "10000000097600" "0000000000000000" "00" },
    { "null", ENVL_OK, "080000000a760000" },
    { "a_regex", ENVL_OK, "0c0000000b7600" "6100" "6900" "00" },
    { "code", ENVL_OK, "0f0000000d76000300000068690000" },
    { "code_with_scope", ENVL_OK,
      "170000000f7600" "0f000000" "020000007800" "0500000000" "00" },
    { "an_int32", ENVL_OK, "0c000000107600" "07000000" "00" },
    { "a_timestamp", ENVL_OK, "10000000117600" "0000000000000000" "00" },
    { "an_int64", ENVL_OK, "10000000127600" "0000000000000000" "00" },
    { "a_decimal128", ENVL_OK,
      "18000000137600" "00000000000000000000000000000000" "00" },
    { "min_key", ENVL_OK, "08000000ff760000" },
    { "max_key", ENVL_OK, "080000007f760000" },
    { "nothing", ENVL_E_USAGE, "" },
    { "four_bytes", ENVL_E_USAGE, "05000000" },
    { "a_length_too_small", ENVL_E_USAGE, "0400000000" },
    { "a_length_too_large", ENVL_E_USAGE, "0600000000" },
    { "bytes_behind", ENVL_E_USAGE, "050000000000" },
    { "no_terminator", ENVL_E_USAGE, "0500000001" },
    { "an_unknown_type", ENVL_E_USAGE, "0c000000147600" "07000000" "00" },
    { "a_name_without_end", ENVL_E_USAGE, "080000000a767676" },
    { "a_name_not_utf_8", ENVL_E_USAGE, "080000000aff0000" },
    { "a_boolean_of_2", ENVL_E_USAGE, "09000000087600" "02" "00" },
    { "a_string_of_length_0", ENVL_E_USAGE, "0c0000000276000000000000" },
    { "a_string_too_long", ENVL_E_USAGE, "0f0000000276000400000068690000" },
    { "a_string_not_ended", ENVL_E_USAGE, "0f0000000276000300000068696900" },
    { "a_string_not_utf_8", ENVL_E_USAGE, "0f00000002760003000000c3280000" },
    { "binary_too_long", ENVL_E_USAGE, "0e0000000576000200000000ff00" },
    { "binary_of_negative_length", ENVL_E_USAGE,
      "0e000000057600ffffffff00ff00" },
    { "old_binary_with_another_length", ENVL_E_USAGE,
      "12000000057600050000000202000000ff00" },
    { "a_document_that_is_too_long", ENVL_E_USAGE,
      "0d000000037600060000000000" },
    { "a_document_that_is_broken_inside", ENVL_E_USAGE,
      "11000000037600090000001076000000" "00" },
    { "a_number_cut_short", ENVL_E_USAGE, "0b000000107600" "070000" "00" },
    { "a_terminator_in_between", ENVL_E_USAGE, "0900000000" "0a760000" },
    { "code_with_a_byte_behind_its_scope", ENVL_E_USAGE,
      "180000000f7600" "10000000" "020000007800" "0500000000" "00" "00" },
    { "code_with_a_broken_scope", ENVL_E_USAGE,
      "170000000f7600" "0f000000" "020000007800" "0600000000" "00" },
};
#define CASES (sizeof(bson_cases) / sizeof(bson_cases[0]))

static void
run_case(void **state)
{
    const struct bson_case *c = *state;

    assert_int_equal(bson_check_document(from_hex(c->hex), NULL), c->want);
}

/* Of every valid document, no part and nothing longer is one. */
static void
no_truncation_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct envl_bytes doc = from_hex(bson_cases[i].hex);

        if (bson_cases[i].want != ENVL_OK)
            continue;
        for (size_t len = 0; len < doc.len; len++)
            assert_int_equal(bson_check_document((struct envl_bytes){
                doc.ptr, len }, NULL), ENVL_E_USAGE);
    }
}

static void
depth_has_no_limit_and_does_not_recurse(void **state)
{
    enum { DEPTH = 100000 };
    size_t len = 5 + 8 * DEPTH;
    uint8_t *doc = calloc(1, len), *p = doc;

    (void)state;
    assert_non_null(doc);
    for (size_t d = 0; d <= DEPTH; d++) {
        size_t inner = len - 8 * d;

        p[0] = (uint8_t)inner;
        p[1] = (uint8_t)(inner >> 8);
        p[2] = (uint8_t)(inner >> 16);
        p[3] = (uint8_t)(inner >> 24);
        if (d < DEPTH) {
            p[4] = BSON_DOCUMENT;
            p[5] = 'v';
            p += 7;
        }
    }
    assert_int_equal(bson_check_document((struct envl_bytes){ doc, len },
                                         NULL), ENVL_OK);
    p[4] = 1; /* the innermost terminator */
    assert_int_equal(bson_check_document((struct envl_bytes){ doc, len },
                                         NULL), ENVL_E_USAGE);
    free(doc);
}

int
main(void)
{
    struct CMUnitTest tests[2 + CASES] = {
        cmocka_unit_test(no_truncation_is_valid),
        cmocka_unit_test(depth_has_no_limit_and_does_not_recurse),
    };

    for (size_t i = 0; i < CASES; i++)
        tests[2 + i] = (struct CMUnitTest){
            .name = bson_cases[i].name, .test_func = run_case,
            .initial_state = (void *)(uintptr_t)&bson_cases[i],
        };
    return cmocka_run_group_tests_name("bson_check", tests, NULL, NULL);
}
