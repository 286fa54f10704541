#include "cmocka_all.h"

#include "engine/census.h"

static struct census_entry
entry_of(uint32_t target, uint32_t field, enum row_state state,
         const char *kid, uint64_t count)
{
    struct census_entry entry = { target, field, state, "", count };

    snprintf(entry.kid, sizeof(entry.kid), "%s", kid);
    return entry;
}

static void
add(struct census *census, struct census_entry entry)
{
    assert_int_equal(census_add(census, &entry, NULL), ENVL_OK);
}

static void
counts_each_field_state_and_kid_apart(void **state)
{
    struct census census = { 0 };

    (void)state;
    add(&census, entry_of(0, 0, ROW_SEALED_CURRENT, "k1", 2));
    add(&census, entry_of(0, 1, ROW_SEALED_CURRENT, "k1", 3));
    add(&census, entry_of(1, 0, ROW_SEALED_CURRENT, "k1", 4));
    add(&census, entry_of(0, 0, ROW_SEALED_CURRENT, "k2", 5));
    add(&census, entry_of(0, 0, ROW_SEALED_OLD_KID, "k1", 6));
    add(&census, entry_of(0, 0, ROW_SEALED_CURRENT, "k1", 10));

    assert_int_equal(census.count, 5);
    assert_int_equal(census.entries[0].count, 12);
    assert_int_equal(census_total(&census, ROW_SEALED_CURRENT), 24);
    assert_int_equal(census_total(&census, ROW_SEALED_OLD_KID), 6);
    assert_int_equal(census_total(&census, ROW_PLAINTEXT), 0);
    census_free(&census);
    assert_int_equal(census.count, 0);
}

static void
merging_adds_what_is_there(void **state)
{
    struct census a = { 0 }, b = { 0 };

    (void)state;
    add(&a, entry_of(0, 0, ROW_PLAINTEXT, "", 1));
    add(&b, entry_of(0, 0, ROW_PLAINTEXT, "", 2));
    add(&b, entry_of(0, 0, ROW_NULL, "", 7));

    assert_int_equal(census_merge(&a, &b, NULL), ENVL_OK);

    assert_int_equal(census_total(&a, ROW_PLAINTEXT), 3);
    assert_int_equal(census_total(&a, ROW_NULL), 7);
    census_free(&a);
    census_free(&b);
}

/* Whoever writes rows can make kids up; they cannot make it grow. */
static void
made_up_kids_do_not_make_it_grow(void **state)
{
    struct census census = { 0 };
    char kid[ENVL_KID_MAX + 1];

    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(kid, sizeof(kid), "made-up-%u", i);
        add(&census, entry_of(0, 0, ROW_SEALED_UNKNOWN_KID, kid, 1));
    }

    assert_int_equal(census.count, CENSUS_MAX_ENTRIES + 1);
    assert_int_equal(census_total(&census, ROW_SEALED_UNKNOWN_KID), 10000);
    add(&census, entry_of(0, 0, ROW_SEALED_UNKNOWN_KID, "made-up-0", 1));
    assert_int_equal(census.entries[0].count, 2);
    /* They do not hide the kids of the ring. */
    add(&census, entry_of(0, 0, ROW_SEALED_OLD_KID, "k1", 3));
    assert_string_equal(census.entries[census.count - 1].kid, "k1");
    census_free(&census);
}

static void
decoding_gives_back_what_was_encoded(void **state)
{
    struct census census = { 0 }, back = { 0 };
    json_t *array;

    (void)state;
    add(&census, entry_of(3, 0, ROW_SEALED_CURRENT, "k2026-11", 1u << 30));
    add(&census, entry_of(0, 9, ROW_PLAINTEXT, "", UINT64_C(5000000000)));

    array = census_encode(&census);
    assert_non_null(array);
    assert_int_equal(census_decode(array, &back, NULL), ENVL_OK);

    assert_int_equal(back.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(back.entries[i].target, census.entries[i].target);
        assert_int_equal(back.entries[i].field, census.entries[i].field);
        assert_int_equal(back.entries[i].state, census.entries[i].state);
        assert_string_equal(back.entries[i].kid, census.entries[i].kid);
        assert_int_equal(back.entries[i].count, census.entries[i].count);
    }
    json_decref(array);
    census_free(&census);
    census_free(&back);
}

static void
a_damaged_census_is_refused(void **state)
{
    static const char *const bad[] = {
        "{}", "[1]", "[[0,0,\"plaintext\",\"\"]]",
        "[[0,0,\"plaintext\",\"\",1,2]]", "[[0,0,\"plain\",\"\",1]]",
        "[[-1,0,\"plaintext\",\"\",1]]", "[[0,0,\"plaintext\",\"\",-1]]",
        "[[0,4294967296,\"plaintext\",\"\",1]]",
        "[[0,0,\"plaintext\",\"\",1.5]]", "[[0,0,\"plaintext\",null,1]]",
        "[[0,0,\"plaintext\",\"\",1],[0,0,\"plaintext\",\"aaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",1]]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_t *json = json_loads(bad[i], JSON_DECODE_ANY, NULL);
        struct census census = { 0 };

        assert_non_null(json);
        if (census_decode(json, &census, NULL) != ENVL_E_INTEGRITY)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(census.count, 0);
        assert_null(census.entries);
        json_decref(json);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_each_field_state_and_kid_apart),
        cmocka_unit_test(merging_adds_what_is_there),
        cmocka_unit_test(made_up_kids_do_not_make_it_grow),
        cmocka_unit_test(decoding_gives_back_what_was_encoded),
        cmocka_unit_test(a_damaged_census_is_refused),
    };

    return cmocka_run_group_tests_name("census", tests, NULL, NULL);
}
