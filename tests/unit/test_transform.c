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

/* ---- values -------------------------------------------------------------- */

#define MATERIAL "\"fields\":[{\"column\":\"c\"%s}]"

/* spec: JOB-22, JOB-23, JOB-26: what is sealed, as what, and how put. */
static const struct value_case {
    const char *name;
    const char *members; /* of the field */
    enum envl_kind takes, kind;
    struct envl_bytes value;
    enum row_state state;
    enum envl_kind put;
    enum envl_type type;
    struct envl_bytes want;
} values[] = {
    { "text_is_text", "", ENVL_KIND_TEXT, ENVL_KIND_TEXT,
      LITERAL_INIT("gr\xc3\xbc\xc3\x9f"), ROW_PLAINTEXT, ENVL_KIND_TEXT,
      ENVL_TYPE_TEXT, LITERAL_INIT("gr\xc3\xbc\xc3\x9f") },
    { "text_that_is_not_utf8_is_bytes", "", ENVL_KIND_TEXT, ENVL_KIND_TEXT,
      LITERAL_INIT("\xff\xfe"), ROW_PLAINTEXT, ENVL_KIND_TEXT,
      ENVL_TYPE_BYTES, LITERAL_INIT("\xff\xfe") },
    { "a_blob_is_bytes_in_binary", "", ENVL_KIND_BYTES, ENVL_KIND_BYTES,
      LITERAL_INIT("abc"), ROW_PLAINTEXT, ENVL_KIND_BYTES, ENVL_TYPE_BYTES,
      LITERAL_INIT("abc") },
    { "a_blob_can_hold_the_text_form", ",\"encoding\":\"text\"",
      ENVL_KIND_BYTES, ENVL_KIND_BYTES, LITERAL_INIT("abc"), ROW_PLAINTEXT,
      ENVL_KIND_BYTES, ENVL_TYPE_BYTES, LITERAL_INIT("abc") },
    { "a_string_in_json_is_text", ",\"path\":\"p\"", ENVL_KIND_JSON,
      ENVL_KIND_TEXT, LITERAL_INIT("abc"), ROW_PLAINTEXT, ENVL_KIND_TEXT,
      ENVL_TYPE_TEXT, LITERAL_INIT("abc") },
    { "a_number_in_json_is_json", ",\"path\":\"p\"", ENVL_KIND_JSON,
      ENVL_KIND_JSON, LITERAL_INIT("1e3"), ROW_PLAINTEXT, ENVL_KIND_TEXT,
      ENVL_TYPE_JSON, LITERAL_INIT("1e3") },
    { "an_object_goes_into_json",
      ",\"path\":\"p\",\"encoding\":\"object\"", ENVL_KIND_JSON,
      ENVL_KIND_JSON, LITERAL_INIT("{\"a\": [1, 2]}"), ROW_PLAINTEXT,
      ENVL_KIND_JSON, ENVL_TYPE_JSON, LITERAL_INIT("{\"a\": [1, 2]}") },
    { "text_can_be_sealed_as_bytes", ",\"type\":\"bytes\"", ENVL_KIND_TEXT,
      ENVL_KIND_TEXT, LITERAL_INIT("abc"), ROW_PLAINTEXT, ENVL_KIND_TEXT,
      ENVL_TYPE_BYTES, LITERAL_INIT("abc") },
    { "a_blob_can_be_sealed_as_text", ",\"type\":\"text\"", ENVL_KIND_BYTES,
      ENVL_KIND_BYTES, LITERAL_INIT("abc"), ROW_PLAINTEXT, ENVL_KIND_BYTES,
      ENVL_TYPE_TEXT, LITERAL_INIT("abc") },
    { "what_is_not_utf8_is_no_text", ",\"type\":\"text\"", ENVL_KIND_BYTES,
      ENVL_KIND_BYTES, LITERAL_INIT("\xff"), ROW_WRONG_TYPE, ENVL_KIND_BYTES,
      ENVL_TYPE_TEXT, LITERAL_INIT("") },
    { "text_can_be_sealed_as_json", ",\"type\":\"json\"", ENVL_KIND_TEXT,
      ENVL_KIND_TEXT, LITERAL_INIT(" {\"a\":1} "), ROW_PLAINTEXT,
      ENVL_KIND_TEXT, ENVL_TYPE_JSON, LITERAL_INIT(" {\"a\":1} ") },
    { "what_is_not_json_is_not_sealed_as_it", ",\"type\":\"json\"",
      ENVL_KIND_TEXT, ENVL_KIND_TEXT, LITERAL_INIT("{\"a\":1"),
      ROW_WRONG_TYPE, ENVL_KIND_TEXT, ENVL_TYPE_JSON, LITERAL_INIT("") },
    { "a_number_is_no_text", ",\"path\":\"p\",\"type\":\"text\"",
      ENVL_KIND_JSON, ENVL_KIND_JSON, LITERAL_INIT("1"), ROW_WRONG_TYPE,
      ENVL_KIND_TEXT, ENVL_TYPE_TEXT, LITERAL_INIT("") },
    { "base64_is_decoded_first", ",\"codec\":[\"base64\"]", ENVL_KIND_TEXT,
      ENVL_KIND_TEXT, LITERAL_INIT("aHVudGVyMg=="), ROW_PLAINTEXT,
      ENVL_KIND_TEXT, ENVL_TYPE_TEXT, LITERAL_INIT("hunter2") },
    { "decoded_bytes_are_bytes", ",\"codec\":[\"hex\"]", ENVL_KIND_TEXT,
      ENVL_KIND_TEXT, LITERAL_INIT("ff00"), ROW_PLAINTEXT, ENVL_KIND_TEXT,
      ENVL_TYPE_BYTES, LITERAL_INIT("\xff\0") },
    { "codecs_run_in_order", ",\"codec\":[\"json\",\"hex\"]", ENVL_KIND_TEXT,
      ENVL_KIND_TEXT, LITERAL_INIT("\"616263\""), ROW_PLAINTEXT,
      ENVL_KIND_TEXT, ENVL_TYPE_TEXT, LITERAL_INIT("abc") },
    { "a_blob_decodes_to_bytes", ",\"codec\":[\"hex\"]", ENVL_KIND_BYTES,
      ENVL_KIND_BYTES, LITERAL_INIT("6162"), ROW_PLAINTEXT, ENVL_KIND_BYTES,
      ENVL_TYPE_BYTES, LITERAL_INIT("ab") },
    { "what_does_not_decode_is_bad_codec", ",\"codec\":[\"base64\"]",
      ENVL_KIND_TEXT, ENVL_KIND_TEXT, LITERAL_INIT("aHVudGVyMg="),
      ROW_BAD_CODEC, ENVL_KIND_TEXT, ENVL_TYPE_TEXT, LITERAL_INIT("") },
    { "a_number_does_not_decode", ",\"path\":\"p\",\"codec\":[\"hex\"]",
      ENVL_KIND_JSON, ENVL_KIND_JSON, LITERAL_INIT("61"), ROW_BAD_CODEC,
      ENVL_KIND_TEXT, ENVL_TYPE_TEXT, LITERAL_INIT("") },
    { "an_envelope_in_disguise_is_no_plaintext", ",\"codec\":[\"base64\"]",
      ENVL_KIND_TEXT, ENVL_KIND_TEXT, LITERAL_INIT("ZW52MTprMjphYWE="),
      ROW_PREFIX_COLLISION, ENVL_KIND_TEXT, ENVL_TYPE_TEXT,
      LITERAL_INIT("") },
    { "a_json_string_with_an_envelope_in_it_is_not_sealed",
      ",\"type\":\"json\"", ENVL_KIND_TEXT, ENVL_KIND_TEXT,
      LITERAL_INIT("\"env1:k2:aaa\""), ROW_PREFIX_COLLISION, ENVL_KIND_TEXT,
      ENVL_TYPE_TEXT, LITERAL_INIT("") },
    { "empty_is_sealed_where_the_job_says_so", ",\"empty\":\"seal\"",
      ENVL_KIND_TEXT, ENVL_KIND_TEXT, LITERAL_INIT(""), ROW_PLAINTEXT,
      ENVL_KIND_TEXT, ENVL_TYPE_TEXT, LITERAL_INIT("") },
    { "json_that_is_none_is_wrong_type", ",\"path\":\"p\"", ENVL_KIND_JSON,
      ENVL_KIND_JSON, LITERAL_INIT("{"), ROW_WRONG_TYPE, ENVL_KIND_TEXT,
      ENVL_TYPE_JSON, LITERAL_INIT("") },
    { "without_padding", ",\"pad\":\"none\"", ENVL_KIND_TEXT, ENVL_KIND_TEXT,
      LITERAL_INIT("abc"), ROW_PLAINTEXT, ENVL_KIND_TEXT, ENVL_TYPE_TEXT,
      LITERAL_INIT("abc") },
};

static void
run_value(void **state)
{
    const struct value_case *c = *state;
    struct envl_plain plain;
    struct rig rig;
    char fields[256];

    snprintf(fields, sizeof(fields), MATERIAL, c->members);
    rig_begin(&rig, "", fields);
    rig.fields[0].takes = c->takes;
    rig_value(&rig, c->kind, c->value)->path =
        rig.job->targets[0].spec.fields[0].path;
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    rig_run(&rig);

    expect_state(&rig, 0, c->state);
    assert_int_equal(rig.work.edit_count, c->state == ROW_PLAINTEXT);
    if (c->state == ROW_PLAINTEXT) {
        assert_int_equal(rig.work.edits[0].put.kind, c->put);
        rig_open(&rig, &rig.work.edits[0],
                 strstr(c->members, "path") != NULL ? "t.c.p" : "t.c", &plain);
        assert_int_equal(plain.type, c->type);
        assert_int_equal(plain.value.len, c->want.len);
        assert_memory_equal(plain.value.ptr, c->want.ptr, c->want.len);
        envl_plain_free(&plain);
    }
    rig_end(&rig);
}

static void
an_encoding_that_does_not_go_there_is_refused(void **state)
{
    static const struct {
        const char *encoding;
        enum envl_kind takes;
        bool good;
    } cases[] = {
        { "text", ENVL_KIND_TEXT, true },
        { "object", ENVL_KIND_TEXT, false },
        { "binary", ENVL_KIND_TEXT, false },
        { "text", ENVL_KIND_BYTES, true },
        { "object", ENVL_KIND_BYTES, false },
        { "binary", ENVL_KIND_BYTES, true },
        { "text", ENVL_KIND_JSON, true },
        { "object", ENVL_KIND_JSON, true },
        { "binary", ENVL_KIND_JSON, false },
        { "text", ENVL_KIND_BSON, true },
        { "object", ENVL_KIND_BSON, true },
        { "binary", ENVL_KIND_BSON, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct envl_error err = { ENVL_OK, "", "" };
        char fields[128];
        struct rig rig;

        snprintf(fields, sizeof(fields), "\"fields\":[{\"column\":\"c\","
                 "\"encoding\":\"%s\"}]", cases[i].encoding);
        rig_begin(&rig, "", fields);
        rig.fields[0].takes = cases[i].takes;
        assert_int_equal(rig_try(&rig, TRANSFORM_SEAL, "k2", &err),
                         cases[i].good ? ENVL_OK : ENVL_E_POLICY);
        if (!cases[i].good)
            assert_non_null(strstr(err.message, "t.c holds"));
        rig_end(&rig);
    }
}

/* Every length around the bounds: what is called fitting fits, and nothing
   that fits is called too large. */
static void
too_large_is_exact(void **state)
{
    static const uint64_t maxima[] = { 1, 120, 150, 151, 160, 200, 255, 5500,
                                       5600, 5650 };
    static uint8_t value[4200];
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    memset(value, 'x', sizeof(value));
    for (size_t m = 0; m < sizeof(maxima) / sizeof(maxima[0]); m++) {
        rig.fields[0].max_len = maxima[m];
        rig_goal(&rig, TRANSFORM_SEAL, "k2");
        for (size_t len = 1; len < sizeof(value);
             len += len > 100 && len < 4000 ? 97 : 1) {
            struct envl_seal_options options = { .size = sizeof(options),
                                                 .kid = "k2" };
            size_t sealed_len;
            bool fits;

            rig_clear(&rig);
            rig_value(&rig, ENVL_KIND_TEXT, (struct envl_bytes){ value, len });
            rig_run(&rig);
            assert_int_equal(envl_sealed_len(rig.ring, &options, len,
                                             &sealed_len, NULL), ENVL_OK);
            fits = sealed_len <= maxima[m];
            expect_state(&rig, 0, fits ? ROW_PLAINTEXT : ROW_TOO_LARGE);
            assert_int_equal(rig.work.edit_count, fits);
            if (fits)
                assert_int_equal(rig.work.edits[0].put.bytes.len, sealed_len);
        }
    }
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

static const struct CMUnitTest claims[] = {
    cmocka_unit_test(each_value_gets_its_state_and_only_plaintext_an_edit),
    cmocka_unit_test(a_rotation_takes_old_kids_and_the_other_mode_too),
    cmocka_unit_test(a_damaged_payload_is_found_by_opening_it),
    cmocka_unit_test(without_a_kid_nothing_is_current),
    cmocka_unit_test(the_job_says_what_is_done_with_a_state),
    cmocka_unit_test(an_encoding_that_does_not_go_there_is_refused),
    cmocka_unit_test(too_large_is_exact),
    cmocka_unit_test(a_page_is_sealed_in_one_batch_a_recipe),
    cmocka_unit_test(what_was_sealed_wrongly_is_not_handed_out),
    cmocka_unit_test(two_pages_live_side_by_side),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
main(void)
{
    struct CMUnitTest tests[COUNT(values) + COUNT(claims)];
    size_t count = 0;

    for (size_t i = 0; i < COUNT(values); i++) {
        union {
            const struct value_case *given;
            void *taken;
        } initial = { &values[i] };

        tests[count++] = (struct CMUnitTest){
            .name = values[i].name, .test_func = run_value,
            .initial_state = initial.taken };
    }
    for (size_t i = 0; i < COUNT(claims); i++)
        tests[count++] = claims[i];
    return cmocka_run_group_tests_name("transform", tests, NULL, NULL);
}
