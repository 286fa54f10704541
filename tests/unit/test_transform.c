#include "page_fixture.h"

/* ---- between the transform and the library ------------------------------- */

enum envl_status __real_envl_seal_batch(
    struct envl_keyring *ring, const struct envl_seal_options *options,
    struct envl_item *items, size_t count, struct envl_buf *arena,
    struct envl_error *err);
enum envl_status __wrap_envl_seal_batch(
    struct envl_keyring *ring, const struct envl_seal_options *options,
    struct envl_item *items, size_t count, struct envl_buf *arena,
    struct envl_error *err);

static unsigned batches;
static bool sabotage; /* the context of one value is cut short */

/* spec: JOB-41, JOB-52: what begins like an envelope never comes here. */
enum envl_status
__wrap_envl_seal_batch(struct envl_keyring *ring,
                       const struct envl_seal_options *options,
                       struct envl_item *items, size_t count,
                       struct envl_buf *arena, struct envl_error *err)
{
    batches++;
    for (size_t i = 0; i < count && !options->allow_nested; i++)
        assert_int_equal(envl_begins(items[i].input), ENVL_E_NOTENV);
    if (sabotage)
        items[count / 2].context.count = 1;
    return __real_envl_seal_batch(ring, options, items, count, arena, err);
}

/* ---- states -------------------------------------------------------------- */

/* A row of each state in a text column, as a sweep finds them. */
static void
add_each_state(struct rig *rig)
{
    static const char vault[] =
        "vault:v1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    rig_value(rig, ENVL_KIND_ABSENT, LITERAL(""));
    rig_value(rig, ENVL_KIND_NULL, LITERAL(""));
    rig_value(rig, ENVL_KIND_TEXT, LITERAL(""));
    rig_value(rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    rig_value(rig, ENVL_KIND_TEXT, rig_sealed(rig, "k2", "int:5"));
    rig_value(rig, ENVL_KIND_TEXT, rig_sealed(rig, "k1", "int:6"));
    rig_value(rig, ENVL_KIND_TEXT, rig_sealed(rig, "kx", "int:7"));
    rig_value(rig, ENVL_KIND_TEXT, rig_sealed(rig, "k3", "int:8"));
    rig_value(rig, ENVL_KIND_TEXT, rig_sealed(rig, "k4", "int:9"));
    rig_value(rig, ENVL_KIND_TEXT, rig_sealed(rig, "w1", "int:10"));
    rig_value(rig, ENVL_KIND_TEXT, rig_sealed(rig, "k2", "int:10"));
    rig_value(rig, ENVL_KIND_TEXT, LITERAL("env2:k1:AAAA"));
    rig_value(rig, ENVL_KIND_TEXT, LITERAL("env1:not an envelope"));
    rig_value(rig, ENVL_KIND_TEXT, envl_bytes_of(vault));
    rig_value(rig, ENVL_KIND_OTHER, LITERAL(""));
}

static const struct found {
    enum row_state state;
    const char *kid;
} found[] = {
    { ROW_ABSENT, "" },
    { ROW_NULL, "" },
    { ROW_EMPTY, "" },
    { ROW_PLAINTEXT, "" },
    { ROW_SEALED_CURRENT, "k2" },
    { ROW_SEALED_OLD_KID, "k1" },
    { ROW_SEALED_UNKNOWN_KID, "kx" }, /* not in the ring                 */
    { ROW_SEALED_UNKNOWN_KID, "k3" }, /* disabled                        */
    { ROW_SEALED_UNKNOWN_KID, "k4" }, /* of another scope                */
    { ROW_SEALED_UNKNOWN_KID, "w1" }, /* of a mode that is not the kid's */
    { ROW_SEALED_WRONG_CONTEXT, "k2" }, /* of row 10, in row 11          */
    { ROW_SEALED_NEWER, "" },
    { ROW_PREFIX_COLLISION, "" },
    { ROW_LEGACY_CIPHER, "" },
    { ROW_WRONG_TYPE, "" },
};

#define FOUND (sizeof(found) / sizeof(found[0]))

static void
each_value_gets_its_state_and_only_plaintext_an_edit(void **state)
{
    static const enum transform_goal goals[] = {
        TRANSFORM_SEAL, TRANSFORM_CENSUS, TRANSFORM_VERIFY };
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    add_each_state(&rig);
    for (size_t g = 0; g < 3; g++) {
        rig_goal(&rig, goals[g], "k2");
        rig_run(&rig);
        for (uint32_t i = 0; i < FOUND; i++) {
            expect_state(&rig, i, found[i].state);
            assert_string_equal(rig.work.leaves[i].kid, found[i].kid);
        }
        assert_int_equal(rig.work.edit_count, goals[g] == TRANSFORM_SEAL);
    }
    rig_end(&rig);
}

static void
a_rotation_takes_old_kids_and_the_other_mode_too(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    add_each_state(&rig);
    rig_goal(&rig, TRANSFORM_ROTATE, "k2");
    rig_run(&rig);

    for (uint32_t i = 0; i < FOUND; i++)
        expect_state(&rig, i, i == 9 ? ROW_SEALED_OLD_KID : found[i].state);
    assert_int_equal(rig.work.edit_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        static const uint32_t rows[] = { 3, 5, 9 };
        const struct envl_edit *edit = &rig.work.edits[i];
        struct envl_plain plain;

        assert_int_equal(edit->row, rows[i]);
        assert_int_equal(edit->flags, 0);
        assert_int_equal(rig.work.leaves[rows[i]].after, ROW_SEALED_CURRENT);
        rig_open(&rig, edit, "t.c", &plain);
        assert_string_equal(plain.kid, "k2");
        assert_int_equal(plain.type, ENVL_TYPE_TEXT);
        assert_memory_equal(plain.value.ptr, "hunter2", 7);
        envl_plain_free(&plain);
    }
    rig_end(&rig);
}

/* spec: JOB-40: found by rotate and verify, not by a commitment. */
static void
a_damaged_payload_is_found_by_opening_it(void **state)
{
    struct rig rig;
    struct envl_bytes old, current;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    old = rig_damaged(&rig, rig_sealed(&rig, "k1", "int:1"));
    current = rig_damaged(&rig, rig_sealed(&rig, "k2", "int:2"));
    rig_value(&rig, ENVL_KIND_TEXT, old);
    rig_value(&rig, ENVL_KIND_TEXT, current);

    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    rig_run(&rig);
    expect_state(&rig, 0, ROW_SEALED_OLD_KID);
    expect_state(&rig, 1, ROW_SEALED_CURRENT);

    rig_goal(&rig, TRANSFORM_ROTATE, "k2");
    rig_run(&rig);
    expect_state(&rig, 0, ROW_SEALED_CORRUPT);
    assert_int_equal(rig.work.leaves[0].action, JOB_QUARANTINE);
    assert_int_equal(rig.work.edit_count, 0);

    rig_goal(&rig, TRANSFORM_VERIFY, "k2");
    rig_run(&rig);
    expect_state(&rig, 0, ROW_SEALED_CORRUPT);
    expect_state(&rig, 1, ROW_SEALED_CORRUPT);
    assert_string_equal(rig.work.leaves[0].kid, "k1");
    rig_end(&rig);
}

static void
without_a_kid_nothing_is_current(void **state)
{
    struct envl_error err;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    rig_value(&rig, ENVL_KIND_TEXT, rig_sealed(&rig, "k2", "int:1"));
    rig_value(&rig, ENVL_KIND_TEXT, rig_sealed(&rig, "w1", "int:2"));
    rig_goal(&rig, TRANSFORM_CENSUS, NULL);
    rig_run(&rig);

    expect_state(&rig, 0, ROW_SEALED_OLD_KID);
    expect_state(&rig, 1, ROW_SEALED_OLD_KID);
    rig_clear(&rig);
    transform_free(rig.transform);
    rig.transform = NULL;
    assert_int_equal(rig_try(&rig, TRANSFORM_SEAL, NULL, &err), ENVL_E_NOKEY);
    assert_int_equal(rig_try(&rig, TRANSFORM_SEAL, "kx", &err), ENVL_E_NOKEY);
    assert_int_equal(rig_try(&rig, TRANSFORM_SEAL, "k1", &err),
                     ENVL_E_POLICY);
    assert_int_equal(rig_try(&rig, TRANSFORM_SEAL, "k4", &err), ENVL_E_NOKEY);
    rig_end(&rig);
}

/* spec: JOB-42 */
static void
the_job_says_what_is_done_with_a_state(void **state)
{
    struct envl_error err;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "\"on\":{\"plaintext\":\"quarantine\","
                    "\"wrong_type\":\"skip\",\"sealed_newer\":\"stop\"},",
              COLUMN_C);
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    rig_value(&rig, ENVL_KIND_OTHER, LITERAL(""));
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    rig_run(&rig);
    assert_int_equal(rig.work.leaves[0].action, JOB_QUARANTINE);
    assert_int_equal(rig.work.leaves[1].action, JOB_SKIP);
    assert_int_equal(rig.work.edit_count, 0);

    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("env2:x:y"));
    assert_int_equal(rig_page(&rig, &err), ENVL_E_PARTIAL);
    assert_non_null(strstr(err.message, "int:3"));
    assert_non_null(strstr(err.message, "sealed_newer"));
    assert_null(rig.work.impl);
    rig_goal(&rig, TRANSFORM_CENSUS, "k2");
    rig_run(&rig);
    rig_end(&rig);
}

/* ---- batches ------------------------------------------------------------- */

static void
a_page_is_sealed_in_one_batch_a_recipe(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", "\"fields\":[{\"column\":\"c\"},{\"column\":\"d\"},"
                        "{\"column\":\"e\"}]");
    rig.fields[2].takes = ENVL_KIND_BYTES;
    for (unsigned r = 0; r < 20; r++) {
        rig_row(&rig);
        rig_leaf(&rig, 0, ENVL_KIND_TEXT, LITERAL("one"));
        rig_leaf(&rig, 1, ENVL_KIND_TEXT, LITERAL("two"));
        rig_leaf(&rig, 2, ENVL_KIND_BYTES, LITERAL("three"));
    }
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    batches = 0;
    rig_run(&rig);

    assert_int_equal(batches, 2);
    assert_int_equal(rig.work.edit_count, 60);
    for (uint32_t i = 0; i < 60; i++) {
        static const char *const fields[] = { "t.c", "t.d", "t.e" };
        static const char *const want[] = { "one", "two", "three" };
        struct envl_plain plain;

        assert_int_equal(rig.work.edits[i].row, i / 3);
        assert_int_equal(rig.work.edits[i].leaf, i % 3);
        rig_open(&rig, &rig.work.edits[i], fields[i % 3], &plain);
        assert_memory_equal(plain.value.ptr, want[i % 3], plain.value.len);
        envl_plain_free(&plain);
    }
    rig_end(&rig);
}

static void
what_was_sealed_wrongly_is_not_handed_out(void **state)
{
    struct envl_error err;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    for (unsigned r = 0; r < 9; r++)
        rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    rig_goal(&rig, TRANSFORM_SEAL, "k2");

    sabotage = true;
    assert_int_equal(rig_page(&rig, &err), ENVL_E_INTERNAL);
    sabotage = false;

    assert_null(rig.work.impl);
    assert_non_null(strstr(err.message, "int:5"));
    assert_null(strstr(err.message, "hunter2"));
    rig_run(&rig);
    assert_int_equal(rig.work.edit_count, 9);
    rig_end(&rig);
}

/* Two works at a time, and given back in either order. */
static void
two_pages_live_side_by_side(void **state)
{
    struct page_work first = { 0 };
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    assert_int_equal(transform_page(rig.transform, &rig.page, &first, NULL),
                     ENVL_OK);
    for (unsigned n = 0; n < 10; n++) {
        struct page_work next = { 0 };
        struct envl_plain plain;

        assert_int_equal(transform_page(rig.transform, &rig.page, &next,
                                        NULL), ENVL_OK);
        assert_ptr_not_equal(first.impl, next.impl);
        rig_open(&rig, &first.edits[0], "t.c", &plain);
        envl_plain_free(&plain);
        page_work_free(&first);
        first = next;
    }
    page_work_free(&first);
    page_work_free(&first);
    rig_end(&rig);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_gets_its_state_and_only_plaintext_an_edit),
        cmocka_unit_test(a_rotation_takes_old_kids_and_the_other_mode_too),
        cmocka_unit_test(a_damaged_payload_is_found_by_opening_it),
        cmocka_unit_test(without_a_kid_nothing_is_current),
        cmocka_unit_test(the_job_says_what_is_done_with_a_state),
        cmocka_unit_test(a_page_is_sealed_in_one_batch_a_recipe),
        cmocka_unit_test(what_was_sealed_wrongly_is_not_handed_out),
        cmocka_unit_test(two_pages_live_side_by_side),
    };

    return cmocka_run_group_tests_name("transform", tests, NULL, NULL);
}
