/* Values of documents: what the engine makes of BSON, and puts back. */
#include <envelope/bson.h>

#include "engine/bson_cell.h"
#include "page_fixture.h"

/* {"v": 42} as int32, {"v": true}, {"v": {"a": 1.5}}. */
#define INT_42  "0c0000001076002a00000000"
#define IS_TRUE "090000000876000100"
#define A_DOC   "1800000003760010000000016100000000000000f83f0000"

static void
documents(struct rig *rig, const char *fields)
{
    rig_begin(rig, "", fields);
    for (size_t i = 0; i < 4; i++)
        rig->fields[i].takes = ENVL_KIND_BSON;
    rig_goal(rig, TRANSFORM_SEAL, "k2");
}

/* {"v": ...} with the object form of an envelope. */
static struct envl_bytes
stored(struct rig *rig, struct envl_bytes envelope)
{
    struct envl_buf *out = &rig->made[rig->made_count++];

    assert_int_equal(bson_cell_make(envelope, out, NULL), ENVL_OK);
    return envl_buf_view(out);
}

static struct envl_bytes
stored_under(struct rig *rig, const char *kid)
{
    return stored(rig, rig_sealed(rig, kid, "int:1"));
}

/* Open what was put, in whatever form. */
static void
open_put(struct rig *rig, const struct envl_edit *edit,
         struct envl_plain *out)
{
    struct envl_buf text = ENVL_BUF_INIT;
    struct envl_bytes document;
    struct envl_edit as_text = *edit;

    if (edit->put.kind == ENVL_KIND_BSON) {
        assert_true(bson_cell_document(edit->put.bytes, &document));
        assert_int_equal(envl_bson_decode(document, ENVL_ENCODING_TEXT, &text,
                                          NULL), ENVL_OK);
        as_text.put.bytes = envl_buf_view(&text);
    }
    rig_open(rig, &as_text, "t.c", out);
    envl_buf_free(&text);
}

/* spec: ENV-6.11, JOB-22 */
static void
each_type_is_sealed_as_what_it_is(void **state)
{
    static const struct {
        enum envl_kind kind;
        const char *hex;
        enum envl_type type;
        enum envl_kind put; /* without `encoding` */
    } cases[] = {
        { ENVL_KIND_BSON, INT_42, ENVL_TYPE_BSON, ENVL_KIND_TEXT },
        { ENVL_KIND_BSON, IS_TRUE, ENVL_TYPE_BSON, ENVL_KIND_TEXT },
        { ENVL_KIND_BSON, A_DOC, ENVL_TYPE_BSON, ENVL_KIND_TEXT },
        { ENVL_KIND_TEXT, "736563726574", ENVL_TYPE_TEXT, ENVL_KIND_TEXT },
        { ENVL_KIND_BYTES, "ff00ff", ENVL_TYPE_BYTES, ENVL_KIND_BYTES },
        /* BinData 0 that happens to be text is bytes when it comes back. */
        { ENVL_KIND_BYTES, "736563726574", ENVL_TYPE_BYTES,
          ENVL_KIND_BYTES },
    };
    static const struct {
        const char *fields;
        enum envl_kind put;
    } encodings[] = {
        { "\"fields\":[{\"column\":\"c\"}]", ENVL_KIND_ABSENT },
        { "\"fields\":[{\"column\":\"c\",\"encoding\":\"text\"}]",
          ENVL_KIND_TEXT },
        { "\"fields\":[{\"column\":\"c\",\"encoding\":\"object\"}]",
          ENVL_KIND_BSON },
        { "\"fields\":[{\"column\":\"c\",\"encoding\":\"binary\"}]",
          ENVL_KIND_BYTES },
    };

    (void)state;
    for (size_t e = 0; e < 4; e++) {
        struct rig rig;

        documents(&rig, encodings[e].fields);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
            rig_value(&rig, cases[i].kind, from_hex(cases[i].hex));
        rig_run(&rig);
        assert_int_equal(rig.work.edit_count, rig.leaf_count);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            const struct envl_edit *edit = &rig.work.edits[i];
            struct envl_bytes want = from_hex(cases[i].hex);
            struct envl_plain plain;

            assert_int_equal(edit->put.kind,
                             e == 0 ? cases[i].put : encodings[e].put);
            open_put(&rig, edit, &plain);
            assert_int_equal(plain.type, cases[i].type);
            assert_int_equal(plain.value.len, want.len);
            assert_memory_equal(plain.value.ptr, want.ptr, want.len);
            envl_plain_free(&plain);
        }
        rig_end(&rig);
    }
}

/* What one sweep wrote, the next finds, verify opens, rotate seals again. */
static void
an_object_form_is_found_again(void **state)
{
    struct envl_plain plain;
    struct rig rig;

    (void)state;
    documents(&rig, COLUMN_C);
    rig_value(&rig, ENVL_KIND_BSON, stored_under(&rig, "k2"));
    rig_run(&rig);
    expect_state(&rig, 0, ROW_SEALED_CURRENT);
    assert_int_equal(rig.work.edit_count, 0);
    rig_goal(&rig, TRANSFORM_VERIFY, "k2");
    rig_run(&rig);
    expect_state(&rig, 0, ROW_SEALED_CURRENT);

    rig_clear(&rig);
    rig_value(&rig, ENVL_KIND_BSON, stored_under(&rig, "k1"));
    rig_run(&rig);
    expect_state(&rig, 0, ROW_SEALED_OLD_KID);
    rig_goal(&rig, TRANSFORM_ROTATE, "k2");
    rig_run(&rig);
    assert_int_equal(rig.work.edit_count, 1);
    open_put(&rig, &rig.work.edits[0], &plain);
    assert_string_equal(plain.kid, "k2");
    assert_int_equal(plain.type, ENVL_TYPE_TEXT);
    envl_plain_free(&plain);
    rig_end(&rig);
}

static void
a_rewrapped_object_stays_one(void **state)
{
    struct envl_plain plain;
    struct rig rig;

    (void)state;
    documents(&rig, COLUMN_C); /* would write text */
    rig_goal(&rig, TRANSFORM_ROTATE, "w2");
    rig_value(&rig, ENVL_KIND_BSON, stored_under(&rig, "w1"));
    rig_run(&rig);
    assert_int_equal(rig.work.edit_count, 1);
    assert_int_equal(rig.work.edits[0].put.kind, ENVL_KIND_BSON);
    open_put(&rig, &rig.work.edits[0], &plain);
    assert_string_equal(plain.kid, "w2");
    envl_plain_free(&plain);
    rig_end(&rig);
}

/* A changed byte of {"v": {"env": 1, ...}}: env lies at 16, the kid at 29,
   the mode at 42. */
static struct envl_bytes
changed(struct rig *rig, size_t at, uint8_t to)
{
    struct envl_bytes bytes = stored_under(rig, "k2");

    ((uint8_t *)(uintptr_t)bytes.ptr)[at] = to;
    return bytes;
}

static void
broken_ones_are_never_plaintext(void **state)
{
    struct rig rig;

    (void)state;
    documents(&rig, COLUMN_C);
    rig_value(&rig, ENVL_KIND_BSON, changed(&rig, 16, 2));
    rig_value(&rig, ENVL_KIND_BSON, changed(&rig, 42, 'D'));
    rig_value(&rig, ENVL_KIND_BSON, changed(&rig, 29, 'K'));
    rig_value(&rig, ENVL_KIND_BSON, stored_under(&rig, "kx"));
    rig_value(&rig, ENVL_KIND_BSON, stored_under(&rig, "k2"));
    rig_run(&rig);
    expect_state(&rig, 0, ROW_SEALED_NEWER);
    expect_state(&rig, 1, ROW_PREFIX_COLLISION);
    expect_state(&rig, 2, ROW_PREFIX_COLLISION);
    expect_state(&rig, 3, ROW_SEALED_UNKNOWN_KID);
    expect_state(&rig, 4, ROW_SEALED_WRONG_CONTEXT); /* of row 1 */
    assert_int_equal(rig.work.edit_count, 0);
    rig_end(&rig);
}

/* Every goal says the same of a value that holds an envelope's bytes. */
static void
an_envelope_in_another_binary_is_told(void **state)
{
    static const enum transform_goal goals[] = { TRANSFORM_SEAL,
                                                 TRANSFORM_CENSUS,
                                                 TRANSFORM_VERIFY };
    static const char binary[] = "12000000057600" "05000000" "06" "9e45560100"
                                 "00";
    static const char broken[] = "0c000000107600" "2a0000";

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct rig rig;

        documents(&rig, COLUMN_C);
        rig_goal(&rig, goals[i], "k2");
        rig_value(&rig, ENVL_KIND_BSON, from_hex(binary));
        rig_value(&rig, ENVL_KIND_BSON, from_hex(broken));
        rig_run(&rig);
        expect_state(&rig, 0, ROW_PREFIX_COLLISION);
        expect_state(&rig, 1, ROW_WRONG_TYPE);
        assert_int_equal(rig.work.edit_count, 0);
        rig_end(&rig);
    }
}

/* A document that only resembles one is plaintext, and sealed whole. */
static void
a_document_with_a_text_env_is_plaintext(void **state)
{
    /* {"v": {"env": "prod", "payload": "x"}} */
    static const char hex[] =
        "2a00000003760022000000"
        "02656e76000500000070726f6400"
        "027061796c6f616400020000007800" "0000";
    struct envl_bytes value = from_hex(hex);
    struct envl_plain plain;
    struct rig rig;

    (void)state;
    assert_int_equal(value.ptr[0] | value.ptr[1] << 8, value.len);
    documents(&rig, COLUMN_C);
    rig_value(&rig, ENVL_KIND_BSON, value);
    rig_run(&rig);
    expect_state(&rig, 0, ROW_PLAINTEXT);
    open_put(&rig, &rig.work.edits[0], &plain);
    assert_int_equal(plain.value.len, value.len);
    assert_memory_equal(plain.value.ptr, value.ptr, value.len);
    envl_plain_free(&plain);
    rig_end(&rig);
}

static void
siblings_are_compared_exactly(void **state)
{
    static const char into[] = "\"mode\":\"sibling\",\"fields\":[{\"column\":"
                               "\"c\",\"into\":\"d\"}]";
    static const char other_int[] = "0c000000107600" "2b00000000";
    struct sealed_spec spec = { .kid = "k2", .field = "t.d", .id = "int:1",
                                .type = ENVL_TYPE_BSON };
    struct envl_leaf *leaf;
    struct rig rig;

    (void)state;
    spec.value = from_hex(INT_42);
    documents(&rig, into);
    leaf = rig_value(&rig, ENVL_KIND_BSON, from_hex(INT_42));
    leaf->sibling = (struct envl_cell){
        ENVL_KIND_BSON, stored(&rig, rig_seal(&rig, &spec)) };
    leaf = rig_value(&rig, ENVL_KIND_BSON, from_hex(other_int));
    spec.id = "int:2";
    leaf->sibling = (struct envl_cell){
        ENVL_KIND_BSON, stored(&rig, rig_seal(&rig, &spec)) };
    rig_run(&rig);
    expect_state(&rig, 0, ROW_SEALED_CURRENT);
    expect_state(&rig, 1, ROW_BOTH_PRESENT);
    rig_end(&rig);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_is_sealed_as_what_it_is),
        cmocka_unit_test(an_object_form_is_found_again),
        cmocka_unit_test(a_rewrapped_object_stays_one),
        cmocka_unit_test(broken_ones_are_never_plaintext),
        cmocka_unit_test(an_envelope_in_another_binary_is_told),
        cmocka_unit_test(a_document_with_a_text_env_is_plaintext),
        cmocka_unit_test(siblings_are_compared_exactly),
    };

    return cmocka_run_group_tests_name("transform_bson", tests, NULL, NULL);
}
