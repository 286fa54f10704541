#include "page_fixture.h"

#include "engine/bound.h"

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
    /* A census that saw more plaintext than a sweep seals would never end. */
    rig_goal(&rig, TRANSFORM_CENSUS, "k2");
    rig_run(&rig);
    expect_state(&rig, 0, c->state);
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
    struct bound look = { 0 };
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", COLUMN_C);
    memset(value, 'x', sizeof(value));
    for (size_t m = 0; m < sizeof(maxima) / sizeof(maxima[0]); m++) {
        rig.fields[0].max_len = maxima[m];
        rig_goal(&rig, TRANSFORM_SEAL, "k2");
        assert_int_equal(bound_init(&look, &(struct transform_options){
                             rig.ring, rig.job, 0, &rig.info,
                             TRANSFORM_CENSUS, "k2" }, NULL), ENVL_OK);
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
            assert_int_equal(bound_fits(&look.fields[0], len), fits);
            assert_int_equal(rig.work.edit_count, fits);
            if (fits)
                assert_int_equal(rig.work.edits[0].put.bytes.len, sealed_len);
        }
        bound_free(&look);
    }
    rig_end(&rig);
}

static const struct CMUnitTest claims[] = {
    cmocka_unit_test(an_encoding_that_does_not_go_there_is_refused),
    cmocka_unit_test(too_large_is_exact),
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
    return cmocka_run_group_tests_name("transform_values", tests, NULL, NULL);
}
