/* What the engine puts, as members of a document. */
#include "leaf_fixture.h"

#include "mongo/object.h"

static struct envl_bytes
bytes_of(const bson_t *bson)
{
    return (struct envl_bytes){ bson_get_data(bson), bson->len };
}

static void
each_kind_becomes_its_type(void **state)
{
    static const uint8_t raw[] = { 0xff, 0x00 };
    struct envl_cell put = { ENVL_KIND_TEXT, LITERAL_INIT("env1:k:\0x") };
    bson_iter_t at;
    const uint8_t *data;
    uint32_t len;
    bson_t out;

    (void)state;
    bson_init(&out);
    assert_true(object_append(&out, LITERAL("t"), &put));
    put = (struct envl_cell){ ENVL_KIND_BYTES, { raw, 2 } };
    assert_true(object_append(&out, LITERAL("b"), &put));
    put = (struct envl_cell){ ENVL_KIND_NULL, { NULL, 0 } };
    assert_true(object_append(&out, LITERAL(""), &put));
    put = (struct envl_cell){ ENVL_KIND_TEXT, { NULL, 0 } };
    assert_true(object_append(&out, LITERAL("e"), &put));

    assert_true(bson_iter_init_find(&at, &out, "t"));
    assert_string_equal(bson_iter_utf8(&at, &len), "env1:k:");
    assert_int_equal(len, 9);
    assert_true(bson_iter_init_find(&at, &out, "b"));
    bson_iter_binary(&at, &(bson_subtype_t){ BSON_SUBTYPE_MD5 }, &len, &data);
    assert_int_equal(len, 2);
    assert_memory_equal(data, raw, 2);
    assert_true(bson_iter_init_find(&at, &out, ""));
    assert_int_equal(bson_iter_type(&at), BSON_TYPE_NULL);
    assert_true(bson_iter_init_find(&at, &out, "e"));
    assert_int_equal(bson_iter_type(&at), BSON_TYPE_UTF8);
    bson_destroy(&out);
}

/* All types there are, through "v" and back: the same bytes. */
static void
a_value_of_any_type_is_copied_as_it_lies_there(void **state)
{
    static const char *const values[] = {
        "0162000102030405060708", /* a double                            */
        "026200020000007800",     /* a string                            */
        "0362000c0000001061000100000000", /* a document                  */
        "0562000200000004ff00",   /* BinData 4                           */
        "056200060000000202000000ff00", /* the old BinData 2             */
        "066200",                 /* undefined                           */
        "0762000102030405060708090a0b0c", /* an ObjectId                 */
        "08620001",               /* true                                */
        "0962000102030405060708", /* a date                              */
        "0b62007861007861697300", /* options that are not in order       */
        "0d6200020000007800",     /* code                                */
        "10620001020304",         /* int32                               */
        "1162000102030405060708", /* a timestamp                         */
        "1262000102030405060708", /* int64                               */
        "13620001020304050607080910111213141516", /* a decimal           */
        "ff6200", "7f6200",       /* MinKey, MaxKey                      */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        uint8_t element[64] = { 0 }, holder[80] = { 0 };
        struct envl_bytes raw = from_hex(values[i]);
        size_t len = raw.len;
        struct envl_cell put;
        bson_t out;

        memcpy(element, raw.ptr, len);
        holder[0] = (uint8_t)(4 + len + 1);
        memcpy(holder + 4, element, len);
        holder[5] = 'v';
        put = (struct envl_cell){ ENVL_KIND_BSON, { holder, len + 5 } };
        bson_init(&out);
        if (!object_append(&out, LITERAL("b"), &put))
            fail_msg("value %zu", i);
        assert_int_equal(out.len, len + 5);
        assert_memory_equal(bson_get_data(&out) + 4, element, len);
        bson_destroy(&out);
    }
}

static void
what_is_no_such_document_is_refused(void **state)
{
    bson_t *two = document("{\"v\":1,\"w\":2}"), *none = document("{}");
    bson_t *other = document("{\"w\":2}"), out;
    const struct envl_cell cells[] = {
        { ENVL_KIND_BSON, bytes_of(two) }, { ENVL_KIND_BSON, bytes_of(none) },
        { ENVL_KIND_BSON, bytes_of(other) },
        { ENVL_KIND_BSON, LITERAL_INIT("x") },
        { ENVL_KIND_BSON, { NULL, 0 } },
        { ENVL_KIND_JSON, LITERAL_INIT("{}") },
        { ENVL_KIND_OTHER, { NULL, 0 } }, { ENVL_KIND_ABSENT, { NULL, 0 } },
    };

    (void)state;
    bson_init(&out);
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        assert_false(object_append(&out, LITERAL("a"), &cells[i]));
    assert_false(object_append(&out, LITERAL("a\0b"),
                               &(struct envl_cell){ ENVL_KIND_NULL,
                                                    { NULL, 0 } }));
    assert_int_equal(out.len, 5);
    bson_destroy(&out);
    bson_destroy(two);
    bson_destroy(none);
    bson_destroy(other);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_becomes_its_type),
        cmocka_unit_test(a_value_of_any_type_is_copied_as_it_lies_there),
        cmocka_unit_test(what_is_no_such_document_is_refused),
    };

    return cmocka_run_group_tests_name("mongo object", tests, NULL, NULL);
}
