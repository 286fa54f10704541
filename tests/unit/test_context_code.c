#include "envelope_fixture.h"

#include "envelope/context_code.h"

/* spec: CTX-10 */
static void
the_order_of_pairs_does_not_matter(void **state)
{
    struct envl_pair pairs[ENVL_CONTEXT_MAX_PAIRS];
    struct context_code first, other;
    char names[ENVL_CONTEXT_MAX_PAIRS][8];

    (void)state;
    for (size_t i = 0; i < ENVL_CONTEXT_MAX_PAIRS; i++) {
        snprintf(names[i], sizeof(names[i]), "%s%zu", i % 3 == 0 ? ""
                                                                 : "n", i);
        pairs[i] = (struct envl_pair){ envl_bytes_of(names[i]),
                                       LITERAL("v") };
    }
    assert_int_equal(context_code_make(&(struct envl_context){
        pairs, ENVL_CONTEXT_MAX_PAIRS }, &first, NULL), ENVL_OK);
    for (unsigned round = 0; round < 200; round++) {
        uint32_t a = randombytes_uniform(ENVL_CONTEXT_MAX_PAIRS);
        uint32_t b = randombytes_uniform(ENVL_CONTEXT_MAX_PAIRS);
        struct envl_pair pair = pairs[a];

        pairs[a] = pairs[b];
        pairs[b] = pair;
        assert_int_equal(context_code_make(&(struct envl_context){
            pairs, ENVL_CONTEXT_MAX_PAIRS }, &other, NULL), ENVL_OK);
        assert_int_equal(other.len, first.len);
        assert_memory_equal(other.bytes, first.bytes, first.len);
    }
}

/* spec: CTX-11: what moves over a boundary is another context. */
static void
boundaries_are_part_of_it(void **state)
{
    static const struct envl_pair a[] = { PAIR("ab", "c"), PAIR("d", "ef") };
    static const struct envl_pair b[] = { PAIR("a", "bc"), PAIR("d", "ef") };
    static const struct envl_pair c[] = { PAIR("ab", "cd"), PAIR("e", "f") };
    static const struct envl_pair d[] = { PAIR("ab", "c"), PAIR("d", "ef"),
                                          PAIR("e", "") };
    const struct envl_context all[] = { { a, 2 }, { b, 2 }, { c, 2 },
                                        { d, 3 }, { a, 1 }, { a, 0 } };
    struct context_code codes[6];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(context_code_make(&all[i], &codes[i], NULL),
                         ENVL_OK);
        for (size_t j = 0; j < i; j++)
            assert_true(codes[i].len != codes[j].len ||
                        memcmp(codes[i].bytes, codes[j].bytes,
                               codes[i].len) != 0);
    }
}

static void
no_context_is_no_pairs(void **state)
{
    struct context_code none, empty;

    (void)state;
    assert_int_equal(context_code_make(NULL, &none, NULL), ENVL_OK);
    assert_int_equal(context_code_make(&(struct envl_context){ NULL, 0 },
                                       &empty, NULL), ENVL_OK);
    assert_int_equal(none.len, 20);
    assert_memory_equal(none.bytes, empty.bytes, 20);
    assert_int_equal(envl_context_check(NULL, NULL), ENVL_OK);
}

/* A hostile count or length must not be added up to something small. */
static void
lengths_cannot_wrap_round(void **state)
{
    static const uint8_t one[] = { 'a' };
    const struct envl_pair pairs[] = {
        { { one, 1 }, { one, SIZE_MAX } }, { { one, SIZE_MAX }, { one, 1 } },
        { { one, SIZE_MAX - 1 }, { one, 2 } },
    };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(envl_context_check(&(struct envl_context){
            &pairs[i], 1 }, NULL), ENVL_E_USAGE);
    assert_int_equal(envl_context_check(&(struct envl_context){
        pairs, SIZE_MAX }, NULL), ENVL_E_USAGE);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_pairs_does_not_matter),
        cmocka_unit_test(boundaries_are_part_of_it),
        cmocka_unit_test(no_context_is_no_pairs),
        cmocka_unit_test(lengths_cannot_wrap_round),
    };

    return cmocka_run_group_tests_name("context_code", tests, NULL, NULL);
}
