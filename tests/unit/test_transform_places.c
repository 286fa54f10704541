#include "page_fixture.h"

#define INTO    "\"fields\":[{\"column\":\"c\",\"into\":\"c_enc\"}]"
#define SIBLING "\"mode\":\"sibling\"," INTO

/* ---- into ---------------------------------------------------------------- */

static struct envl_bytes
sealed_at(struct rig *rig, const char *kid, const char *id, const char *value)
{
    struct sealed_spec spec = { .kid = kid, .field = "t.c_enc", .id = id,
                                .value = envl_bytes_of(value),
                                .type = ENVL_TYPE_TEXT };

    return rig_seal(rig, &spec);
}

/* A row with a source and a sibling. */
static void
add_pair(struct rig *rig, const char *source, struct envl_bytes sibling)
{
    struct envl_leaf *leaf =
        rig_value(rig, source == NULL ? ENVL_KIND_NULL : ENVL_KIND_TEXT,
                  envl_bytes_of(source));

    leaf->sibling.kind = sibling.len == 0 ? ENVL_KIND_NULL : ENVL_KIND_TEXT;
    leaf->sibling.bytes = sibling;
}

static void
add_pairs(struct rig *rig)
{
    add_pair(rig, "hunter2", LITERAL(""));
    add_pair(rig, NULL, sealed_at(rig, "k2", "int:2", "hunter2"));
    add_pair(rig, NULL, sealed_at(rig, "k1", "int:3", "hunter2"));
    add_pair(rig, "hunter2", sealed_at(rig, "k2", "int:4", "hunter2"));
    add_pair(rig, "hunter2", sealed_at(rig, "k1", "int:5", "hunter2"));
    add_pair(rig, "hunter2", sealed_at(rig, "k2", "int:6", "hunter1"));
    add_pair(rig, "hunter2", sealed_at(rig, "k2", "int:6", "hunter2"));
    add_pair(rig, "hunter2", LITERAL("another"));
    add_pair(rig, "", LITERAL(""));
    rig->leaves[8].value.bytes = sealed_at(rig, "k2", "int:9", "x");
}

static const struct into_case {
    const char *job;
    enum transform_goal goal;
    enum row_state states[9];
    unsigned edits; /* one bit a row  */
    unsigned clears; /* one bit a row */
} intos[] = {
    { INTO, TRANSFORM_SEAL,
      { ROW_PLAINTEXT, ROW_SEALED_CURRENT, ROW_SEALED_OLD_KID, ROW_PLAINTEXT,
        ROW_PLAINTEXT, ROW_BOTH_PRESENT, ROW_BOTH_PRESENT, ROW_BOTH_PRESENT,
        ROW_SEALED_WRONG_CONTEXT },
      1 | 8 | 16, 1 | 8 | 16 },
    { SIBLING, TRANSFORM_SEAL,
      { ROW_PLAINTEXT, ROW_SEALED_CURRENT, ROW_SEALED_OLD_KID,
        ROW_SEALED_CURRENT, ROW_SEALED_OLD_KID, ROW_BOTH_PRESENT,
        ROW_SEALED_WRONG_CONTEXT, ROW_BOTH_PRESENT,
        ROW_SEALED_WRONG_CONTEXT },
      1, 0 },
    { INTO, TRANSFORM_ROTATE,
      { ROW_PLAINTEXT, ROW_SEALED_CURRENT, ROW_SEALED_OLD_KID, ROW_PLAINTEXT,
        ROW_PLAINTEXT, ROW_BOTH_PRESENT, ROW_BOTH_PRESENT, ROW_BOTH_PRESENT,
        ROW_SEALED_WRONG_CONTEXT },
      1 | 4 | 8 | 16, 1 | 8 | 16 },
    { SIBLING, TRANSFORM_ROTATE,
      { ROW_PLAINTEXT, ROW_SEALED_CURRENT, ROW_SEALED_OLD_KID,
        ROW_SEALED_CURRENT, ROW_SEALED_OLD_KID, ROW_BOTH_PRESENT,
        ROW_SEALED_WRONG_CONTEXT, ROW_BOTH_PRESENT,
        ROW_SEALED_WRONG_CONTEXT },
      1 | 4 | 16, 0 },
    { SIBLING, TRANSFORM_VERIFY,
      { ROW_PLAINTEXT, ROW_SEALED_CURRENT, ROW_SEALED_OLD_KID,
        ROW_SEALED_CURRENT, ROW_SEALED_OLD_KID, ROW_BOTH_PRESENT,
        ROW_SEALED_WRONG_CONTEXT, ROW_BOTH_PRESENT,
        ROW_SEALED_WRONG_CONTEXT },
      0, 0 },
};

static void
the_sibling_receives_and_the_source_is_cleared_in_place_only(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof(intos) / sizeof(intos[0]); c++) {
        unsigned edits = 0, clears = 0;
        struct rig rig;

        rig_begin(&rig, "", intos[c].job);
        add_pairs(&rig);
        rig_goal(&rig, intos[c].goal, "k2");
        rig_run(&rig);
        for (uint32_t i = 0; i < 9; i++)
            expect_state(&rig, i, intos[c].states[i]);
        for (uint32_t i = 0; i < rig.work.edit_count; i++) {
            const struct envl_edit *edit = &rig.work.edits[i];
            struct envl_plain plain;

            edits |= 1u << edit->row;
            assert_true((edit->flags & ENVL_EDIT_INTO) != 0);
            if ((edit->flags & ENVL_EDIT_CLEAR) != 0)
                clears |= 1u << edit->row;
            rig_open(&rig, edit, "t.c_enc", &plain);
            assert_string_equal(plain.kid, "k2");
            assert_int_equal(plain.value.len, 7);
            assert_memory_equal(plain.value.ptr, "hunter2", 7);
            envl_plain_free(&plain);
        }
        assert_int_equal(edits, intos[c].edits);
        assert_int_equal(clears, intos[c].clears);
        rig_end(&rig);
    }
}

/* spec: JOB-27 */
static void
a_source_that_cannot_be_null_is_refused_with_the_remedy(void **state)
{
    struct envl_error err = { ENVL_OK, "", "" };
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", INTO);
    rig.fields[0].source_not_null = true;
    assert_int_equal(rig_try(&rig, TRANSFORM_SEAL, "k2", &err),
                     ENVL_E_POLICY);
    assert_non_null(strstr(err.message, "t.c is NOT NULL"));
    assert_non_null(strstr(err.hint, "DROP NOT NULL"));
    rig_goal(&rig, TRANSFORM_CENSUS, "k2");
    rig_end(&rig);

    rig_begin(&rig, "", SIBLING);
    rig.fields[0].source_not_null = true;
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    rig_end(&rig);
}

/* ---- contexts ------------------------------------------------------------ */

/* What transform_context says of the first leaf; NULL: that there is none. */
static void
expect_context(struct rig *rig, const char *want)
{
    struct envl_buf text = ENVL_BUF_INIT;
    struct envl_error err;
    enum envl_status status;

    status = transform_context(rig->transform, &rig->rows[0], &rig->leaves[0],
                               &text, &err);
    assert_int_equal(status, want == NULL ? ENVL_E_USAGE : ENVL_OK);
    if (want != NULL) {
        assert_int_equal(envl_buf_append(&text, (struct envl_bytes){
                             (const uint8_t *)"", 1 }, NULL), ENVL_OK);
        assert_string_equal((const char *)text.ptr, want);
    }
    envl_buf_free(&text);
    rig_run(rig);
    expect_state(rig, 0, want == NULL ? ROW_BAD_CONTEXT : ROW_PLAINTEXT);
    assert_int_equal(rig->work.edit_count, want != NULL);
}

static void
members_that_a_wildcard_matched_are_named(void **state)
{
    static const struct envl_segment path[] = {
        { ENVL_SEGMENT_MEMBER, LITERAL_INIT("servers"), 0 },
        { ENVL_SEGMENT_ELEMENT, { NULL, 0 }, 4 },
        { ENVL_SEGMENT_MEMBER, LITERAL_INIT("headers"), 0 },
        { ENVL_SEGMENT_MEMBER, LITERAL_INIT("X.Y*"), 0 },
    };
    struct envl_leaf *leaf;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", "\"fields\":[{\"column\":\"c\",\"path\":"
                        "\"servers[*].headers.*\"}]");
    rig.fields[0].takes = ENVL_KIND_JSON;
    leaf = rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    leaf->path = (struct envl_path){ path, 4 };
    rig_goal(&rig, TRANSFORM_SEAL, "k2");

    expect_context(&rig, "field=t.c.servers[*].headers.X~1Y~2\nid=int:1\n");
    rig_end(&rig);
}

static void
a_member_beside_the_source_is_the_place(void **state)
{
    static const struct envl_segment path[] = {
        { ENVL_SEGMENT_MEMBER, LITERAL_INIT("k"), 0 },
        { ENVL_SEGMENT_MEMBER, LITERAL_INIT("s"), 0 },
    };
    struct envl_leaf *leaf;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", "\"fields\":[{\"column\":\"c\",\"path\":\"*.s\","
                        "\"into\":\"s.enc\"}]");
    rig.fields[0].takes = ENVL_KIND_JSON;
    leaf = rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    leaf->path = (struct envl_path){ path, 2 };
    rig_goal(&rig, TRANSFORM_SEAL, "k2");

    expect_context(&rig, "field=t.c.k.s~1enc\nid=int:1\n");
    assert_int_equal(rig.work.edits[0].flags, ENVL_EDIT_INTO |
                                                  ENVL_EDIT_CLEAR);
    rig_end(&rig);
}

#define CONTEXT(pairs) \
    "\"fields\":[{\"column\":\"c\",\"context\":{" pairs "}}]"

/* spec: JOB-36, JOB-37 */
static void
the_job_replaces_and_adds_names(void **state)
{
    struct envl_pair ids[2] = {
        { LITERAL_INIT("id.a"), LITERAL_INIT("int:1") },
        { LITERAL_INIT("id.b"), LITERAL_INIT("str:x") },
    };
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", CONTEXT("\"id.b\":\"fixed\",\"tenant\":{\"column\":"
                                "\"org\"},\"field\":\"api-key\""));
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    rig.rows[0].ids = ids;
    rig.rows[0].id_count = 2;
    rig.extras[0][0] = (struct envl_cell){ ENVL_KIND_TEXT,
                                           LITERAL_INIT("int:77") };
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    expect_context(&rig, "id.a=int:1\nid.b=fixed\ntenant=int:77\n"
                         "field=api-key\n");

    rig.extras[0][0].kind = ENVL_KIND_NULL;
    expect_context(&rig, NULL);
    rig_end(&rig);
}

static void
an_element_names_itself(void **state)
{
    static const struct envl_segment path[] = {
        { ENVL_SEGMENT_MEMBER, LITERAL_INIT("a"), 0 },
        { ENVL_SEGMENT_ELEMENT, { NULL, 0 }, 9 },
        { ENVL_SEGMENT_MEMBER, LITERAL_INIT("s"), 0 },
    };
    struct envl_leaf *leaf;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", "\"fields\":[{\"column\":\"c\",\"path\":\"a[*].s\","
                        "\"context\":{\"hook\":{\"element\":\"id\"}}}]");
    rig.fields[0].takes = ENVL_KIND_JSON;
    leaf = rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    leaf->path = (struct envl_path){ path, 3 };
    leaf->element = (struct envl_cell){ ENVL_KIND_TEXT,
                                        LITERAL_INIT("str:h1") };
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    expect_context(&rig, "field=t.c.a[*].s\nid=int:1\nhook=str:h1\n");

    leaf->element.kind = ENVL_KIND_ABSENT;
    expect_context(&rig, NULL);
    rig_end(&rig);
}

/* spec: JOB-38 */
static void
a_key_that_gives_no_id_needs_a_context(void **state)
{
    struct envl_error err = { ENVL_OK, "", "" };
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    rig.info.has_ids = false;
    assert_int_equal(rig_try(&rig, TRANSFORM_CENSUS, "k2", &err),
                     ENVL_E_POLICY);
    assert_non_null(strstr(err.hint, "\"context\""));
    rig_end(&rig);

    rig_begin(&rig, "", CONTEXT("\"id\":{\"column\":\"uid\"}"));
    rig.info.has_ids = false;
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    rig.rows[0].id_count = 0;
    rig.extras[0][0] = (struct envl_cell){ ENVL_KIND_TEXT,
                                           LITERAL_INIT("u1") };
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    expect_context(&rig, "field=t.c\nid=u1\n");
    rig_end(&rig);
}

static void
a_row_without_a_valid_context_is_bad_context(void **state)
{
    static char longest[5000];
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("hunter2"));
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    expect_context(&rig, "field=t.c\nid=int:1\n");

    rig.rows[0].id_count = 0; /* a null, a fraction */
    expect_context(&rig, NULL);
    rig.rows[0].id_count = 1;
    rig.ids[0].value = LITERAL("str:\xff");
    expect_context(&rig, NULL);
    memset(longest, 'x', sizeof(longest) - 1);
    rig.ids[0].value = envl_bytes_of(longest);
    expect_context(&rig, NULL);
    /* An envelope there is no plaintext, and nothing is no bad context. */
    rig.leaves[0].value.bytes = rig_sealed(&rig, "k2", "int:1");
    rig_run(&rig);
    expect_state(&rig, 0, ROW_BAD_CONTEXT);
    rig.leaves[0].value.bytes = LITERAL("env7:x");
    rig_run(&rig);
    expect_state(&rig, 0, ROW_SEALED_NEWER);
    rig.leaves[0].value.kind = ENVL_KIND_NULL;
    rig_run(&rig);
    expect_state(&rig, 0, ROW_NULL);
    rig_end(&rig);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_sibling_receives_and_the_source_is_cleared_in_place_only),
        cmocka_unit_test(
            a_source_that_cannot_be_null_is_refused_with_the_remedy),
        cmocka_unit_test(members_that_a_wildcard_matched_are_named),
        cmocka_unit_test(a_member_beside_the_source_is_the_place),
        cmocka_unit_test(the_job_replaces_and_adds_names),
        cmocka_unit_test(an_element_names_itself),
        cmocka_unit_test(a_key_that_gives_no_id_needs_a_context),
        cmocka_unit_test(a_row_without_a_valid_context_is_bad_context),
    };

    return cmocka_run_group_tests_name("transform_places", tests, NULL, NULL);
}
