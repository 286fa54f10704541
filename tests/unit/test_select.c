/* Values inside an encoded value.  spec: JOB-28 */
#include <sodium.h>

#include "engine/inner.h"
#include "page_fixture.h"

#define SELECT_HEADERS "\"fields\":[{\"column\":\"c\",\"codec\":[\"base64\"]," \
                       "\"select\":\"headers.*\"}]"
#define SELECT_TEXT    "\"fields\":[{\"column\":\"c\",\"select\":\"a\"}]"

static struct envl_bytes
base64(struct rig *rig, const char *text)
{
    struct envl_buf *out = &rig->made[rig->made_count++];
    size_t len = strlen(text), size;

    size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
    assert_int_equal(envl_buf_reserve(out, size, NULL), ENVL_OK);
    sodium_bin2base64((char *)out->ptr, size, (const uint8_t *)text, len,
                      sodium_base64_VARIANT_ORIGINAL);
    out->len = size - 1;
    return envl_buf_view(out);
}

/* What an edit puts, without its base64, as a string. */
static void
decoded(const struct envl_edit *edit, char *out, size_t room)
{
    size_t len;

    assert_int_equal(edit->put.kind, ENVL_KIND_TEXT);
    assert_int_equal(sodium_base642bin((uint8_t *)out, room - 1,
                                       (const char *)edit->put.bytes.ptr,
                                       edit->put.bytes.len, NULL, &len, NULL,
                                       sodium_base64_VARIANT_ORIGINAL), 0);
    out[len] = '\0';
}

/* The envelope behind ${name} in a text opens, at ${field}, to ${want}. */
static void
expect_inside(struct rig *rig, const char *text, const char *name,
              const char *field, const char *want)
{
    const char *at = strstr(text, name);
    struct envl_edit edit = { .row = 0 };
    struct envl_plain plain;

    assert_non_null(at);
    at = strchr(at + strlen(name), 'e');
    assert_non_null(at);
    edit.put.bytes = (struct envl_bytes){ (const uint8_t *)at,
                                          strcspn(at, "\"") };
    rig_open(rig, &edit, field, &plain);
    assert_int_equal(plain.value.len, strlen(want));
    assert_memory_equal(plain.value.ptr, want, plain.value.len);
    envl_plain_free(&plain);
}

static void
begin(struct rig *rig, const char *fields)
{
    rig_begin(rig, "", fields);
    rig_goal(rig, TRANSFORM_SEAL, "k2");
}

static void
run(struct rig *rig)
{
    struct envl_error err = { ENVL_OK, "", "" };

    if (rig_page(rig, &err) != ENVL_OK)
        fail_msg("%s", err.message);
}

static const char document[] =
    "{ \"n\": 1e3,\r\n \"headers\" : {\"A\":\"secret-a\", \"B\" : \"b\\u0062\","
    "\"N\":42, \"Z\":null},\"headers2\":\"\"} ";

static void
what_is_selected_is_sealed_where_it_stands(void **state)
{
    static const char tail[] = "\", \"Z\":null},\"headers2\":\"\"} ";
    struct envl_plain plain;
    struct envl_edit edit;
    char text[4096];
    struct rig rig;

    (void)state;
    begin(&rig, SELECT_HEADERS);
    rig_value(&rig, ENVL_KIND_TEXT, base64(&rig, document));
    run(&rig);
    assert_int_equal(rig.work.leaf_count, 4);
    assert_int_equal(rig.work.edit_count, 1);
    expect_state(&rig, 0, ROW_PLAINTEXT);
    expect_state(&rig, 3, ROW_NULL);
    decoded(&rig.work.edits[0], text, sizeof(text));
    /* Every other byte is where it was. */
    assert_memory_equal(text, document, 32);
    assert_memory_equal(text + strlen(text) - strlen(tail), tail,
                        strlen(tail));
    expect_inside(&rig, text, "\"A\":", "t.c.headers.A", "secret-a");
    expect_inside(&rig, text, "\"B\" :", "t.c.headers.B", "bb");
    edit = (struct envl_edit){ .row = 0 };
    edit.put.bytes = envl_bytes_of(strchr(strstr(text, "\"N\":"), 'e'));
    edit.put.bytes.len = strcspn((const char *)edit.put.bytes.ptr, "\"");
    rig_open(&rig, &edit, "t.c.headers.N", &plain);
    assert_int_equal(plain.type, ENVL_TYPE_JSON);
    assert_memory_equal(plain.value.ptr, "42", 2);
    envl_plain_free(&plain);
    rig_end(&rig);
}

/* What one sweep wrote, the next skips, verify opens, rotate seals again. */
static void
what_was_sealed_inside_is_found_again(void **state)
{
    struct envl_bytes whole;
    struct envl_buf *kept;
    char text[4096];
    struct rig rig;

    (void)state;
    begin(&rig, SELECT_HEADERS);
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    rig_value(&rig, ENVL_KIND_TEXT, base64(&rig, document));
    run(&rig);
    kept = &rig.made[rig.made_count++];
    assert_int_equal(envl_buf_append(kept, rig.work.edits[0].put.bytes, NULL),
                     ENVL_OK);
    whole = envl_buf_view(kept);
    rig.leaves[0].value.bytes = whole;
    run(&rig);
    assert_int_equal(rig.work.edit_count, 0);
    for (uint32_t i = 0; i < 3; i++)
        expect_state(&rig, i, ROW_SEALED_CURRENT);
    rig_goal(&rig, TRANSFORM_VERIFY, "k2");
    run(&rig);
    for (uint32_t i = 0; i < 3; i++)
        expect_state(&rig, i, ROW_SEALED_CURRENT);
    rig_goal(&rig, TRANSFORM_ROTATE, "w2"); /* to another key, and mode */
    run(&rig);
    expect_state(&rig, 0, ROW_SEALED_OLD_KID);
    assert_int_equal(rig.work.edit_count, 1);
    decoded(&rig.work.edits[0], text, sizeof(text));
    assert_null(strstr(text, "env1:k2:"));
    expect_inside(&rig, text, "\"A\":", "t.c.headers.A", "secret-a");
    rig_end(&rig);
}

/* The states of values that nothing can be selected in. */
static void
what_cannot_be_looked_into_is_told(void **state)
{
    static const char wrong[] = "{\"headers\":{\"A\":\"x\",\"A\":\"y\"}}";
    struct rig rig;

    (void)state;
    begin(&rig, SELECT_HEADERS);
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("not base64!"));
    rig_value(&rig, ENVL_KIND_TEXT, base64(&rig, "not JSON"));
    rig_value(&rig, ENVL_KIND_TEXT, base64(&rig, "{\"headers\":{}}"));
    rig_value(&rig, ENVL_KIND_TEXT, rig_sealed(&rig, "k2", "int:4"));
    rig_value(&rig, ENVL_KIND_TEXT, base64(&rig, "env1:k2:AAAA"));
    rig_value(&rig, ENVL_KIND_NULL, LITERAL(""));
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL(""));
    rig_value(&rig, ENVL_KIND_JSON, LITERAL("{\"headers\":{\"A\":\"x\"}}"));
    rig_value(&rig, ENVL_KIND_TEXT, base64(&rig, wrong));
    run(&rig);
    expect_state(&rig, 0, ROW_BAD_CODEC);
    expect_state(&rig, 1, ROW_BAD_CODEC);
    expect_state(&rig, 2, ROW_ABSENT);
    expect_state(&rig, 3, ROW_PREFIX_COLLISION);
    expect_state(&rig, 4, ROW_PREFIX_COLLISION);
    expect_state(&rig, 5, ROW_NULL);
    expect_state(&rig, 6, ROW_EMPTY);
    expect_state(&rig, 7, ROW_BAD_CODEC);
    expect_state(&rig, 8, ROW_WRONG_TYPE);
    expect_state(&rig, 9, ROW_WRONG_TYPE);
    assert_int_equal(rig.work.edit_count, 0);
    rig_end(&rig);
}

static void
escapes_and_digits_come_back_as_they_were(void **state)
{
    static const struct {
        const char *fields;
        struct envl_bytes value;
        const char *begins, *ends; /* of what is put; NULL: bad_codec */
    } cases[] = {
        { SELECT_TEXT, LITERAL_INIT("{\"a\":\"x\"}"), "{\"a\":\"env1:k2:",
          "\"}" },
        { "\"fields\":[{\"column\":\"c\",\"codec\":[\"json\"],\"select\":"
          "\"a\"}]", LITERAL_INIT("\"{\\\"\\u00e9\\\":1,\\\"a\\\":\\\"x\\\"}"
                                  "\""),
          "\"{\\\"\\u00e9\\\":1,\\\"a\\\":\\\"env1:k2:", "\\\"}\"" },
        { "\"fields\":[{\"column\":\"c\",\"codec\":[\"hex\"],\"select\":"
          "\"a\"}]", LITERAL_INIT("7B2261223A2278227D"),
          "7B2261223A22656E76313A6B323A", "227D" },
        { "\"fields\":[{\"column\":\"c\",\"codec\":[\"hex\"],\"select\":"
          "\"a\"}]", LITERAL_INIT("7b2261223A2278227D"), NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct envl_bytes put;
        struct rig rig;

        begin(&rig, cases[i].fields);
        rig_value(&rig, ENVL_KIND_TEXT, cases[i].value);
        run(&rig);
        if (cases[i].begins == NULL) {
            expect_state(&rig, 0, ROW_BAD_CODEC);
        } else {
            size_t tail = strlen(cases[i].ends);

            assert_int_equal(rig.work.edit_count, 1);
            put = rig.work.edits[0].put.bytes;
            assert_memory_equal(put.ptr, cases[i].begins,
                                strlen(cases[i].begins));
            assert_memory_equal(put.ptr + put.len - tail, cases[i].ends,
                                tail);
        }
        rig_end(&rig);
    }
}

static void
a_whole_that_does_not_fit_is_left(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, SELECT_TEXT);
    rig.fields[0].max_len = 100;
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    rig_value(&rig, ENVL_KIND_TEXT, LITERAL("{\"a\":\"x\"}"));
    run(&rig);
    assert_int_equal(rig.work.leaves[0].state, ROW_TOO_LARGE);
    assert_int_equal(rig.work.leaves[0].action, JOB_QUARANTINE);
    assert_int_equal(rig.work.edit_count, 0);
    rig.fields[0].max_len = 1000;
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    run(&rig);
    assert_int_equal(rig.work.edit_count, 1);
    rig_end(&rig);
}

/* Bytes are put as bytes; the object form goes into the JSON. */
static void
kinds_and_encodings_fit_the_place(void **state)
{
    static const char object[] = "\"fields\":[{\"column\":\"c\",\"select\":"
                                 "\"[*].k\",\"encoding\":\"object\"}]";
    struct envl_bytes put;
    struct rig rig;

    (void)state;
    rig_begin(&rig, "", object);
    rig.fields[0].takes = ENVL_KIND_BYTES;
    rig_goal(&rig, TRANSFORM_SEAL, "k2");
    rig_value(&rig, ENVL_KIND_BYTES, LITERAL("[{\"k\":\"x\"},{\"k\":\"y\"}]"));
    run(&rig);
    assert_int_equal(rig.work.leaf_count, 2);
    assert_int_equal(rig.work.edit_count, 1);
    put = rig.work.edits[0].put.bytes;
    assert_int_equal(rig.work.edits[0].put.kind, ENVL_KIND_BYTES);
    assert_memory_equal(put.ptr, "[{\"k\":{\"env\":1,\"kid\":\"k2\",", 26);
    rig_end(&rig);
}

static void
many_rows_grow_the_work(void **state)
{
    char text[8192] = "{\"headers\":{";
    struct rig rig;

    (void)state;
    for (unsigned i = 0; i < 300; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "%s\"h%u\":\"v%u\"", i == 0 ? "" : ",", i, i);
    strncat(text, "}}", sizeof(text) - strlen(text) - 1);
    begin(&rig, SELECT_HEADERS);
    for (unsigned i = 0; i < 20; i++)
        rig_value(&rig, ENVL_KIND_TEXT, base64(&rig, text));
    run(&rig);
    assert_int_equal(rig.work.leaf_count, 6000);
    assert_int_equal(rig.work.edit_count, 20);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(rig.work.edits[i].row, i);
    rig_end(&rig);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_selected_is_sealed_where_it_stands),
        cmocka_unit_test(what_was_sealed_inside_is_found_again),
        cmocka_unit_test(what_cannot_be_looked_into_is_told),
        cmocka_unit_test(escapes_and_digits_come_back_as_they_were),
        cmocka_unit_test(a_whole_that_does_not_fit_is_left),
        cmocka_unit_test(kinds_and_encodings_fit_the_place),
        cmocka_unit_test(many_rows_grow_the_work),
    };

    return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
