#include <malloc.h>

#include "page_fixture.h"

/* ---- what is counted ----------------------------------------------------- */

static uint64_t
counted(const struct census *census, enum row_state state, const char *kid)
{
    uint64_t count = 0;

    for (size_t i = 0; i < census->count; i++) {
        if (census->entries[i].state == state &&
            strcmp(census->entries[i].kid, kid) == 0)
            count += census->entries[i].count;
    }
    return count;
}

/* Two leaves a row: the second one is sealed already. */
static void
add_rows(struct rig *rig, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        struct sealed_spec spec = { .kid = "k1", .field = "t.d",
                                    .value = LITERAL_INIT("x") };
        char id[24];

        snprintf(id, sizeof(id), "int:%u", i);
        spec.id = id;
        rig_row(rig);
        rig_leaf(rig, 0, ENVL_KIND_TEXT, LITERAL("hunter2"));
        rig_leaf(rig, 1, ENVL_KIND_TEXT, rig_seal(rig, &spec));
    }
}

static void
rows_are_counted_by_what_became_of_them(void **state)
{
    static const enum envl_outcome outcomes[] = {
        ENVL_WRITTEN, ENVL_CHANGED, ENVL_GONE, ENVL_BUSY, ENVL_REFUSED,
        ENVL_WRITTEN,
    };
    struct census census = { 0 };
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", "\"fields\":[{\"column\":\"c\"},{\"column\":\"d\"}]");
    add_rows(&rig, 6);
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    rig_run(&rig);
    assert_int_equal(page_work_settle(&rig.work, &rig.page, outcomes, &census,
                                      NULL), ENVL_OK);

    assert_int_equal(counted(&census, ROW_SEALED_CURRENT, "k2"), 2);
    assert_int_equal(counted(&census, ROW_SEALED_OLD_KID, "k1"), 3);
    assert_int_equal(counted(&census, ROW_TOO_LARGE, ""), 1);
    assert_int_equal(census_total(&census, ROW_PLAINTEXT), 0);
    assert_int_equal(census.entries[0].field, 0);
    census_free(&census);

    assert_int_equal(page_work_settle(&rig.work, &rig.page, NULL, &census,
                                      NULL), ENVL_OK);
    assert_int_equal(counted(&census, ROW_SEALED_CURRENT, "k2"), 6);
    assert_int_equal(counted(&census, ROW_SEALED_OLD_KID, "k1"), 6);
    census_free(&census);
    rig_end(&rig);
}

/* spec: JOB-56: every leaf of every row is counted once, whatever it is. */
static void
a_census_counts_plaintext_as_it_is(void **state)
{
    struct census census = { 0 };
    uint64_t total = 0;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", "\"fields\":[{\"column\":\"c\"},{\"column\":\"d\"}]");
    add_rows(&rig, 6);
    rig_goal(&rig, TRANSFORM_CENSUS, "k2");
    rig_run(&rig);
    assert_int_equal(page_work_settle(&rig.work, &rig.page, NULL, &census,
                                      NULL), ENVL_OK);

    assert_int_equal(census_total(&census, ROW_PLAINTEXT), 6);
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++)
        total += census_total(&census, (enum row_state)i);
    assert_int_equal(total, rig.leaf_count);
    census_free(&census);
    rig_end(&rig);
}

/* ---- what is listed ------------------------------------------------------ */

static void
a_digest_is_of_the_row_and_the_value_under_the_ring(void **state)
{
    uint8_t first[32];
    struct rig rig;

    (void)state;
    rig_begin(&rig, "\"on\":{\"plaintext\":\"quarantine\"},", COLUMN_C);
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter3"));
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    rig_run(&rig);
    assert_memory_not_equal(rig.work.leaves[0].digest,
                            rig.work.leaves[1].digest, 32);
    assert_memory_not_equal(rig.work.leaves[1].digest,
                            rig.work.leaves[2].digest, 32);
    memcpy(first, rig.work.leaves[0].digest, 32);

    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    rig_run(&rig);
    assert_memory_equal(rig.work.leaves[0].digest, first, 32);
    rig.leaves[0].value.bytes = LITERAL("hunter3");
    rig_run(&rig);
    assert_memory_not_equal(rig.work.leaves[0].digest, first, 32);
    rig_end(&rig);
}

/* Whoever writes rows can make kids up; they hide none of the ring's. */
static void
made_up_kids_hide_none_of_the_ring(void **state)
{
    static char texts[50 * MAX_ROWS][160];
    struct census census = { 0 };
    struct rig rig;
    unsigned made = 0;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    rig_goal(&rig, TRANSFORM_CENSUS, "k2");
    for (unsigned page = 0; page < 50; page++) {
        rig_clear(&rig);
        for (unsigned i = 0; i < MAX_ROWS; i++) {
            char *text = texts[made];

            snprintf(text, sizeof(texts[0]), "env1:x%u:%0136d", made++, 0);
            memset(strrchr(text, ':') + 1, 'A', 98);
            rig_value(&rig, ENVL_KIND_TEXT, envl_bytes_of(text));
        }
        rig_run(&rig);
        assert_int_equal(page_work_settle(&rig.work, &rig.page, NULL, &census,
                                          NULL), ENVL_OK);
    }
    rig_clear(&rig);
    rig_value(&rig, ENVL_KIND_TEXT, rig_sealed(&rig, "k1", "int:1"));
    rig_run(&rig);
    assert_int_equal(page_work_settle(&rig.work, &rig.page, NULL, &census,
                                      NULL), ENVL_OK);

    assert_int_equal(census_total(&census, ROW_SEALED_UNKNOWN_KID), made);
    assert_int_equal(counted(&census, ROW_SEALED_OLD_KID, "k1"), 1);
    assert_true(census.count < CENSUS_MAX_ENTRIES + 8);
    census_free(&census);
    rig_end(&rig);
}

/* ---- rotations ----------------------------------------------------------- */

static void
a_rewrap_leaves_the_payload_untouched(void **state)
{
    struct envl_buf before = ENVL_BUF_INIT, after = ENVL_BUF_INIT;
    struct envl_plain plain;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    rig_value(&rig, ENVL_KIND_TEXT, rig_sealed(&rig, "w1", "int:1"));
    rig_value(&rig, ENVL_KIND_TEXT, rig_sealed(&rig, "w2", "int:2"));
    rig_value(&rig, ENVL_KIND_TEXT, rig_sealed(&rig, "k1", "int:3"));
    rig_value(&rig, ENVL_KIND_TEXT,
              rig_damaged(&rig, rig_sealed(&rig, "w1", "int:4")));
    rig_goal(&rig, TRANSFORM_ROTATE, "w2");
    rig_run(&rig);

    assert_int_equal(rig.work.edit_count, 2);
    expect_state(&rig, 1, ROW_SEALED_CURRENT);
    expect_state(&rig, 3, ROW_SEALED_CORRUPT);
    assert_int_equal(envl_recode(rig.leaves[0].value.bytes,
                                 ENVL_ENCODING_BINARY, &before, NULL),
                     ENVL_OK);
    assert_int_equal(envl_recode(rig.work.edits[0].put.bytes,
                                 ENVL_ENCODING_BINARY, &after, NULL),
                     ENVL_OK);
    /* 4 and mode, kid length, kid of 2, length, wrapped key of 40. */
    assert_int_equal(before.len, after.len);
    assert_memory_not_equal(before.ptr + 10, after.ptr + 10, 40);
    assert_memory_equal(before.ptr + 50, after.ptr + 50, before.len - 50);
    for (uint32_t i = 0; i < 2; i++) {
        rig_open(&rig, &rig.work.edits[i], "t.c", &plain);
        assert_string_equal(plain.kid, "w2");
        envl_plain_free(&plain);
    }
    envl_buf_free(&before);
    envl_buf_free(&after);
    rig_end(&rig);
}

/* A value that was sealed on purpose although it begins like an envelope. */
static void
a_rotation_keeps_type_and_nested_values(void **state)
{
    static const enum envl_type types[] = { ENVL_TYPE_BYTES, ENVL_TYPE_TEXT,
                                            ENVL_TYPE_JSON };
    struct envl_plain plain;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    for (uint32_t i = 0; i < 3; i++) {
        struct sealed_spec spec = { .kid = "k1", .field = "t.c",
                                    .value = LITERAL_INIT("\"env1:k1:x\""),
                                    .type = types[i], .nested = true };
        char id[24];

        snprintf(id, sizeof(id), "int:%u", i + 1);
        spec.id = id;
        rig_value(&rig, ENVL_KIND_TEXT, rig_seal(&rig, &spec));
    }
    rig_goal(&rig, TRANSFORM_ROTATE, "k2");
    rig_run(&rig);
    assert_int_equal(rig.work.edit_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        rig_open(&rig, &rig.work.edits[i], "t.c", &plain);
        assert_int_equal(plain.type, types[i]);
        assert_int_equal(plain.value.len, 11);
        envl_plain_free(&plain);
    }
    rig_end(&rig);
}

static void
what_no_longer_fits_keeps_its_old_envelope(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    rig.fields[0].max_len = 100;
    rig_value(&rig, ENVL_KIND_TEXT, rig_sealed(&rig, "k1", "int:1"));
    rig_goal(&rig, TRANSFORM_ROTATE, "k2");
    rig_run(&rig);

    expect_state(&rig, 0, ROW_TOO_LARGE);
    assert_int_equal(rig.work.leaves[0].after, ROW_TOO_LARGE);
    assert_int_equal(rig.work.leaves[0].action, JOB_QUARANTINE);
    assert_int_equal(rig.work.edit_count, 0);
    rig_end(&rig);
}

/* ---- memory -------------------------------------------------------------- */

static void
warm_pages_take_no_memory(void **state)
{
    struct mallinfo2 before;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", "\"fields\":[{\"column\":\"c\",\"codec\":[\"hex\"]},"
                        "{\"column\":\"d\"}]");
    for (unsigned i = 0; i < 8; i++) {
        rig_row(&rig);
        rig_leaf(&rig, 0, ENVL_KIND_TEXT, LITERAL("68756e74657232"));
        rig_leaf(&rig, 1, ENVL_KIND_TEXT, LITERAL("hunter2"));
    }
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    for (unsigned i = 0; i < 80; i++) /* the proof's samples come round */
        rig_run(&rig);
    before = mallinfo2();
    for (unsigned i = 0; i < 500; i++)
        rig_run(&rig);
    assert_int_equal(mallinfo2().uordblks, before.uordblks);
    rig_end(&rig);
}

/* ---- any rows ------------------------------------------------------------ */

static uint32_t
next(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* One of everything that can stand in a column, moved to any row. */
static struct envl_cell
any_cell(struct rig *rig, uint32_t *seed)
{
    static const char *const kids[] = { "k1", "k2", "k3", "k4", "kx", "w1",
                                        "w2" };
    static const char *const texts[] = {
        "", "hunter2", "env1:", "env1:k2:AAAA", "env2:k:x", "{\"env\":1}",
        "{\"env\":1,\"payload\":\"x\"}", "ff00", "\"s\"", "\xff",
        "vault:v1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    };
    struct envl_cell cell = { ENVL_KIND_TEXT, { NULL, 0 } };
    struct sealed_spec spec = { .value = LITERAL_INIT("hunter2") };
    char id[24];
    uint32_t kind = next(seed, 12);

    if (kind < 3)
        return (struct envl_cell){ ENVL_KIND_NULL, { NULL, 0 } };
    if (kind < 6)
        return (struct envl_cell){ ENVL_KIND_TEXT, LITERAL("hunter2") };
    if (kind < 8) {
        const char *text = texts[next(seed, 11)];

        cell.kind = (enum envl_kind)next(seed, 7);
        cell.bytes = envl_bytes_of(text);
        if (cell.kind == ENVL_KIND_BSON)
            cell.kind = ENVL_KIND_JSON;
        return cell;
    }
    snprintf(id, sizeof(id), "int:%u",
             next(seed, 4) == 0 ? 1 + next(seed, 8) : rig->page.count);
    spec.kid = kids[next(seed, 7)];
    spec.field = next(seed, 4) == 0 ? "t.c" : "t.c_enc";
    spec.id = id;
    spec.encoding = (enum envl_encoding)next(seed, 3);
    cell.bytes = rig_seal(rig, &spec);
    if (spec.encoding == ENVL_ENCODING_BINARY)
        cell.kind = ENVL_KIND_BYTES;
    if (next(seed, 4) == 0)
        cell.bytes = rig_damaged(rig, cell.bytes);
    if (next(seed, 16) == 0)
        cell.bytes.len = next(seed, (uint32_t)cell.bytes.len);
    return cell;
}

/*
 * spec: JOB-41, JOB-52.  Whatever the rows: an edit comes from plaintext or,
 * in a rotation, an old kid; it opens under the new one; every leaf has one
 * answer; a second pass over what was written finds nothing to do.
 */
static void
check_page(struct rig *rig, enum transform_goal goal)
{
    static const char *const kid = "k2";
    uint32_t edits = 0;

    for (uint32_t i = 0; i < rig->work.leaf_count; i++) {
        const struct leaf_result *leaf = &rig->work.leaves[i];
        bool edited = leaf->after != leaf->state;

        assert_true((unsigned)leaf->state < ROW_STATE_COUNT);
        edits += edited;
        if (edited)
            assert_true(leaf->state == ROW_PLAINTEXT ||
                        (goal == TRANSFORM_ROTATE &&
                         leaf->state == ROW_SEALED_OLD_KID));
        assert_int_equal(leaf->kid[0] != '\0', row_state_sealed(leaf->state));
    }
    assert_int_equal(edits, rig->work.edit_count);
    if (goal == TRANSFORM_CENSUS || goal == TRANSFORM_VERIFY)
        assert_int_equal(edits, 0);
    for (uint32_t i = 0; i < edits; i++) {
        const struct envl_edit *edit = &rig->work.edits[i];
        struct envl_plain plain;

        rig_open(rig, edit, "t.c_enc", &plain);
        assert_string_equal(plain.kid, kid);
        assert_int_equal(envl_begins(envl_buf_view(&plain.value)),
                         ENVL_E_NOTENV);
        envl_plain_free(&plain);
    }
}

/* As a plugin would write them. */
static void
apply_edits(struct rig *rig)
{
    for (uint32_t i = 0; i < rig->work.edit_count; i++) {
        const struct envl_edit *edit = &rig->work.edits[i];
        struct envl_leaf *leaf = &rig->leaves[edit->row];
        struct envl_buf *copy = &rig->made[rig->made_count++];

        assert_int_equal(envl_buf_append(copy, edit->put.bytes, NULL),
                         ENVL_OK);
        assert_true((edit->flags & ENVL_EDIT_INTO) != 0);
        leaf->sibling.kind = edit->put.kind;
        leaf->sibling.bytes = envl_buf_view(copy);
        if ((edit->flags & ENVL_EDIT_CLEAR) != 0)
            leaf->value = (struct envl_cell){ ENVL_KIND_NULL, { NULL, 0 } };
    }
}

static void
any_rows_lead_only_to_sound_edits(void **state)
{
    static const char *const modes[] = {
        "\"fields\":[{\"column\":\"c\",\"into\":\"c_enc\"}]",
        "\"mode\":\"sibling\",\"fields\":[{\"column\":\"c\","
        "\"into\":\"c_enc\",\"empty\":\"seal\"}]",
    };
    unsigned rounds = getenv("ENVL_TEST_QUICK") != NULL ? 20 : 400;
    uint32_t seed = 20260101, edits = 0;

    (void)state;
    for (unsigned n = 0; n < rounds; n++) {
        enum transform_goal goal = (enum transform_goal)(n % 4);
        struct rig rig;

        rig_begin(&rig, "", modes[n / 4 % 2]);
        for (unsigned i = 0; i < 32; i++) {
            struct envl_leaf *leaf;

            rig_row(&rig);
            leaf = rig_leaf(&rig, 0, ENVL_KIND_NULL, LITERAL(""));
            leaf->value = any_cell(&rig, &seed);
            leaf->sibling = any_cell(&rig, &seed);
        }
        rig_goal(&rig, goal, "k2");
        rig_run(&rig);
        check_page(&rig, goal);
        edits += rig.work.edit_count;
        apply_edits(&rig);
        rig_run(&rig);
        assert_int_equal(rig.work.edit_count, 0);
        rig_end(&rig);
    }
    assert_true(edits > rounds); /* there was something to check */
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_counted_by_what_became_of_them),
        cmocka_unit_test(a_census_counts_plaintext_as_it_is),
        cmocka_unit_test(a_digest_is_of_the_row_and_the_value_under_the_ring),
        cmocka_unit_test(made_up_kids_hide_none_of_the_ring),
        cmocka_unit_test(a_rewrap_leaves_the_payload_untouched),
        cmocka_unit_test(a_rotation_keeps_type_and_nested_values),
        cmocka_unit_test(what_no_longer_fits_keeps_its_old_envelope),
        cmocka_unit_test(warm_pages_take_no_memory),
        cmocka_unit_test(any_rows_lead_only_to_sound_edits),
    };

    return cmocka_run_group_tests_name("page_work", tests, NULL, NULL);
}
