#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json_splice.h"

#define MEMBER(text) { ENVL_SEGMENT_MEMBER, \
                       { (const uint8_t *)(text), sizeof(text) - 1 }, 0 }

/* ---- tables: {"a": ...} and what becomes of it -------------------------- */

struct place_case {
    const char *name, *document;
    uint32_t flags;
    const char *expected;
};

static enum envl_status
splice_one(const char *document, uint32_t flags, struct envl_cell put,
           struct envl_buf *out)
{
    static const struct envl_segment segments[] = { MEMBER("a") };
    struct json_path_spec spec = { .pattern = { segments, 1 }, .into = "e" };
    struct arena arena = ARENA_INIT;
    struct json_path *path;
    struct json_edit edit = { .flags = flags, .into = "e", .put = put };
    const struct json_leaf *leaves;
    enum envl_status status;
    struct envl_error err;
    uint32_t count;

    assert_int_equal(json_path_new(&spec, &path, &err), ENVL_OK);
    assert_int_equal(json_path_find(path, envl_bytes_of(document), &arena,
                                    &err), ENVL_OK);
    leaves = json_path_leaves(path, &count);
    assert_true(count > 0);
    edit.site = &leaves[0].site;
    status = json_splice(envl_bytes_of(document), &edit, 1, out, &err);
    json_path_free(path);
    arena_free(&arena);
    return status;
}

static struct envl_cell
text_cell(const char *text)
{
    return (struct envl_cell){ ENVL_KIND_TEXT, envl_bytes_of(text) };
}

static void
an_edit_changes_its_place_and_nothing_else(void **state)
{
    static const struct place_case cases[] = {
        { "replace", "{\"x\":1e3, \"a\" : \"v\" ,\"x\":1.0}", 0,
          "{\"x\":1e3, \"a\" : \"N\" ,\"x\":1.0}" },
        { "replace a container", "{\"a\":[1,{}]}", 0, "{\"a\":\"N\"}" },
        { "rename", "{ \"a\" :\t\"v\", \"b\":1}",
          ENVL_EDIT_INTO | ENVL_EDIT_CLEAR, "{ \"e\" :\t\"N\", \"b\":1}" },
        { "add", "{ \"a\": \"v\" }", ENVL_EDIT_INTO,
          "{ \"a\": \"v\", \"e\": \"N\" }" },
        { "add in lines", "{\n  \"b\": 1,\n  \"a\": \"v\"\n}", ENVL_EDIT_INTO,
          "{\n  \"b\": 1,\n  \"a\": \"v\",\n  \"e\": \"N\"\n}" },
        { "add before others", "{\"a\":\"v\" ,\"b\":1}", ENVL_EDIT_INTO,
          "{\"a\":\"v\",\"e\":\"N\" ,\"b\":1}" },
        { "sibling stays put", "{\"e\":null,\"b\":1,\"a\":\"v\"}",
          ENVL_EDIT_INTO, "{\"e\":\"N\",\"b\":1,\"a\":\"v\"}" },
        { "sibling kept, last source gone",
          "{\"e\":null,\"b\":1 , \"a\":\"v\" }",
          ENVL_EDIT_INTO | ENVL_EDIT_CLEAR, "{\"e\":\"N\",\"b\":1  }" },
        { "sibling kept, first source gone", "{ \"a\":\"v\" , \"e\":{}}",
          ENVL_EDIT_INTO | ENVL_EDIT_CLEAR, "{ \"e\":\"N\"}" },
        { "sibling alone", "{\"e\":\"old\"}",
          ENVL_EDIT_INTO | ENVL_EDIT_CLEAR, "{\"e\":\"N\"}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct envl_buf out = ENVL_BUF_INIT;

        assert_int_equal(splice_one(cases[i].document, cases[i].flags,
                                    text_cell("N"), &out), ENVL_OK);
        if (out.len != strlen(cases[i].expected) ||
            memcmp(out.ptr, cases[i].expected, out.len) != 0)
            fail_msg("%s: %.*s", cases[i].name, (int)out.len,
                     (const char *)out.ptr);
        envl_buf_free(&out);
    }
}

static void
a_member_is_removed_with_one_comma(void **state)
{
    static const struct place_case cases[] = {
        { "only", "{ \"a\":\"v\" }", 0, "{}" },
        { "first", "{ \"a\":\"v\" , \"b\":1 }", 0, "{ \"b\":1 }" },
        { "middle", "{\"b\":1, \"a\":\"v\", \"c\":2}", 0,
          "{\"b\":1, \"c\":2}" },
        { "last", "{\n \"b\":1,\n \"a\":\"v\"\n}", 0, "{\n \"b\":1\n}" },
    };
    struct envl_cell none = { ENVL_KIND_ABSENT, { NULL, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct envl_buf out = ENVL_BUF_INIT;

        assert_int_equal(splice_one(cases[i].document, ENVL_EDIT_CLEAR, none,
                                    &out), ENVL_OK);
        assert_int_equal(out.len, strlen(cases[i].expected));
        assert_memory_equal(out.ptr, cases[i].expected, out.len);
        envl_buf_free(&out);
    }
}

static void
what_cannot_be_edited_is_refused_and_nothing_written(void **state)
{
    static const struct {
        const char *document;
        uint32_t flags;
        enum envl_kind kind;
        const char *put;
    } cases[] = {
        { "{\"a\":\"1\",\"a\":\"2\"}", 0, ENVL_KIND_TEXT, "N" },
        { "{\"e\":\"1\"}", 0, ENVL_KIND_TEXT, "N" },
        { "{\"e\":\"1\"}", ENVL_EDIT_CLEAR, ENVL_KIND_ABSENT, "" },
        { "{\"a\":\"1\"}", ENVL_EDIT_CLEAR, ENVL_KIND_TEXT, "N" },
        { "{\"a\":\"1\"}", 0, ENVL_KIND_TEXT, "\xff" },
        { "{\"a\":\"1\"}", 0, ENVL_KIND_JSON, "{\"x\":}" },
        { "{\"a\":\"1\"}", 0, ENVL_KIND_JSON, "1,\"b\":2" },
        { "{\"a\":\"1\"}", 0, ENVL_KIND_BYTES, "N" },
        { "{\"a\":\"1\"}", ENVL_EDIT_INTO, ENVL_KIND_ABSENT, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct envl_buf out = ENVL_BUF_INIT;
        struct envl_cell put = { cases[i].kind, envl_bytes_of(cases[i].put) };

        assert_int_equal(splice_one(cases[i].document, cases[i].flags, put,
                                    &out), ENVL_E_USAGE);
        assert_int_equal(out.len, 0);
        envl_buf_free(&out);
    }
}

static void
two_edits_of_one_place_are_refused(void **state)
{
    static const char document[] = "{\"a\":{\"b\":\"v\"}}";
    const struct json_site outer = { .name = { 1, 3 }, .value = { 5, 9 } };
    const struct json_site inner = { .name = { 6, 3 }, .value = { 10, 3 } };
    const struct { struct json_edit edits[2]; } cases[] = {
        { { { &inner, 0, NULL, text_cell("1") },
            { &inner, 0, NULL, text_cell("2") } } },
        { { { &outer, 0, NULL, text_cell("1") },
            { &inner, 0, NULL, text_cell("2") } } },
        { { { &inner, ENVL_EDIT_INTO, "e", text_cell("1") },
            { &inner, ENVL_EDIT_INTO, "e", text_cell("2") } } },
        { { { &inner, ENVL_EDIT_CLEAR, NULL, { 0 } },
            { &inner, 0, NULL, text_cell("2") } } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct envl_buf out = ENVL_BUF_INIT;
        struct envl_error err;

        assert_int_equal(json_splice(envl_bytes_of(document), cases[i].edits,
                                     2, &out, &err), ENVL_E_USAGE);
        assert_int_equal(out.len, 0);
        envl_buf_free(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_changes_its_place_and_nothing_else),
        cmocka_unit_test(a_member_is_removed_with_one_comma),
        cmocka_unit_test(what_cannot_be_edited_is_refused_and_nothing_written),
        cmocka_unit_test(two_edits_of_one_place_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
