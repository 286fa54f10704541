#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json_path.h"

#define MEMBER(text) { ENVL_SEGMENT_MEMBER, \
                       { (const uint8_t *)(text), sizeof(text) - 1 }, 0 }
#define ANY          { ENVL_SEGMENT_ANY_MEMBER, { NULL, 0 }, 0 }
#define EACH         { ENVL_SEGMENT_ANY_ELEMENT, { NULL, 0 }, 0 }
#define PATH(...) ((struct envl_path){ \
    (const struct envl_segment[]){ __VA_ARGS__ }, \
    sizeof((const struct envl_segment[]){ __VA_ARGS__ }) / \
        sizeof(struct envl_segment) })

/* One search and what it needs alive. */
struct search {
    struct json_path *path;
    struct arena arena;
    struct envl_bytes document;
    const struct json_leaf *leaves;
    uint32_t count;
};

static enum envl_status
search(struct search *search, struct json_path_spec spec,
       const char *document)
{
    struct envl_error err;
    enum envl_status status;

    memset(search, 0, sizeof(*search));
    search->document = envl_bytes_of(document);
    assert_int_equal(json_path_new(&spec, &search->path, &err), ENVL_OK);
    status = json_path_find(search->path, search->document, &search->arena,
                            &err);
    search->leaves = json_path_leaves(search->path, &search->count);
    return status;
}

static void
search_free(struct search *search)
{
    json_path_free(search->path);
    arena_free(&search->arena);
}

static void
assert_cell(struct envl_cell cell, enum envl_kind kind, const char *text)
{
    assert_int_equal(cell.kind, kind);
    assert_int_equal(cell.bytes.len, strlen(text));
    if (cell.bytes.len > 0)
        assert_memory_equal(cell.bytes.ptr, text, cell.bytes.len);
}

static void
assert_span(const struct search *search, struct json_span span,
            const char *text)
{
    assert_int_equal(span.len, strlen(text));
    assert_true(span.at + span.len <= search->document.len);
    if (span.len > 0)
        assert_memory_equal(search->document.ptr + span.at, text, span.len);
}

/* "servers[1].headers.X" */
static void
assert_path(struct envl_path path, const char *expected)
{
    char text[256] = "", piece[128];

    for (uint32_t i = 0; i < path.count; i++) {
        const struct envl_segment *segment = &path.segments[i];

        if (segment->kind == ENVL_SEGMENT_ELEMENT)
            snprintf(piece, sizeof(piece), "[%d]", (int)segment->index);
        else
            snprintf(piece, sizeof(piece), "%s%.*s", i > 0 ? "." : "",
                     (int)segment->name.len, (const char *)segment->name.ptr);
        assert_true(strlen(text) + strlen(piece) < sizeof(text));
        strncat(text, piece, sizeof(text) - strlen(text) - 1);
    }
    assert_string_equal(text, expected);
}

static void
a_member_is_found_with_its_bytes(void **state)
{
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(MEMBER("a"), MEMBER("b")) },
        " {\"x\":{\"b\":1}, \"a\" : {\"c\":[1], \"b\" : \"v\"}} "), ENVL_OK);
    assert_int_equal(found.count, 1);
    assert_cell(found.leaves[0].value, ENVL_KIND_TEXT, "v");
    assert_cell(found.leaves[0].sibling, ENVL_KIND_ABSENT, "");
    assert_path(found.leaves[0].path, "a.b");
    assert_span(&found, found.leaves[0].site.value, "\"v\"");
    assert_span(&found, found.leaves[0].site.name, "\"b\"");
    assert_false(found.leaves[0].site.ambiguous);
    search_free(&found);
}

static void
wildcards_find_members_and_elements(void **state)
{
    static const char document[] =
        "{\"servers\":[{\"headers\":{\"A\":\"1\",\"B\":null}},7,"
        "{\"headers\":{}},{\"headers\":{\"C\":[1, 2]}}]}";
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(MEMBER("servers"), EACH, MEMBER("headers"), ANY) },
        document), ENVL_OK);
    assert_int_equal(found.count, 3);
    assert_path(found.leaves[0].path, "servers[0].headers.A");
    assert_cell(found.leaves[0].value, ENVL_KIND_TEXT, "1");
    assert_path(found.leaves[1].path, "servers[0].headers.B");
    assert_cell(found.leaves[1].value, ENVL_KIND_NULL, "");
    assert_path(found.leaves[2].path, "servers[3].headers.C");
    assert_cell(found.leaves[2].value, ENVL_KIND_JSON, "[1, 2]");
    search_free(&found);
}

static void
a_root_array_has_elements(void **state)
{
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(EACH) }, "[\"a\",[1],-0.0,true]"), ENVL_OK);
    assert_int_equal(found.count, 4);
    assert_cell(found.leaves[0].value, ENVL_KIND_TEXT, "a");
    assert_cell(found.leaves[1].value, ENVL_KIND_JSON, "[1]");
    assert_cell(found.leaves[2].value, ENVL_KIND_JSON, "-0.0");
    assert_cell(found.leaves[3].value, ENVL_KIND_JSON, "true");
    assert_path(found.leaves[2].path, "[2]");
    assert_int_equal(found.leaves[2].site.name.len, 0);
    search_free(&found);
}

static void
strings_are_unescaped_and_names_compared_unescaped(void **state)
{
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(MEMBER("key")) },
        "{\"k\\u0065y\":\"a\\n\\u00e9\\ud83d\\ude00\"}"), ENVL_OK);
    assert_int_equal(found.count, 1);
    assert_cell(found.leaves[0].value, ENVL_KIND_TEXT,
                "a\n\xc3\xa9\xf0\x9f\x98\x80");
    search_free(&found);
}

static void
text_that_is_no_utf8_string_is_other(void **state)
{
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(EACH) },
        "[\"\\ud800\",\"a\\u0000b\",\"fine\"]"), ENVL_OK);
    assert_int_equal(found.count, 3);
    assert_cell(found.leaves[0].value, ENVL_KIND_OTHER, "");
    assert_cell(found.leaves[1].value, ENVL_KIND_OTHER, "");
    assert_cell(found.leaves[2].value, ENVL_KIND_TEXT, "fine");
    search_free(&found);
}

static void
a_name_that_stands_twice_makes_its_leaves_other(void **state)
{
    static const struct {
        const char *name, *document;
        uint32_t count;
    } cases[] = {
        { "last", "{\"a\":{\"b\":\"1\",\"b\":\"2\"}}", 2 },
        { "on the way", "{\"a\":{\"b\":\"1\"},\"a\":{\"b\":\"2\"}}", 2 },
        { "on the way, no object", "{\"a\":{\"b\":\"1\"},\"a\":5}", 1 },
        { "escaped", "{\"a\":{\"b\":\"1\",\"\\u0062\":\"2\"}}", 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct search found;

        assert_int_equal(search(&found, (struct json_path_spec){
            .pattern = PATH(MEMBER("a"), MEMBER("b")) },
            cases[i].document), ENVL_OK);
        assert_int_equal(found.count, cases[i].count);
        for (uint32_t k = 0; k < found.count; k++) {
            assert_cell(found.leaves[k].value, ENVL_KIND_OTHER, "");
            assert_true(found.leaves[k].site.ambiguous);
        }
        search_free(&found);
    }
}

static void
a_wildcard_spoils_only_the_twins(void **state)
{
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(ANY, MEMBER("s")) },
        "{\"a\":{\"s\":\"1\"},\"b\":{\"s\":\"2\"},\"a\":{\"s\":\"3\"},"
        "\"\\udc00\":{\"s\":\"4\"},\"c\":{\"s\":\"5\"}}"), ENVL_OK);
    assert_int_equal(found.count, 5);
    assert_true(found.leaves[0].site.ambiguous);
    assert_cell(found.leaves[1].value, ENVL_KIND_TEXT, "2");
    assert_true(found.leaves[2].site.ambiguous);
    assert_cell(found.leaves[3].value, ENVL_KIND_OTHER, "");
    assert_cell(found.leaves[4].value, ENVL_KIND_TEXT, "5");
    search_free(&found);
}

static void
twins_elsewhere_do_not_matter(void **state)
{
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(MEMBER("a")) },
        "{\"x\":1,\"x\":2,\"a\":\"v\",\"y\":{\"a\":1,\"a\":2}}"), ENVL_OK);
    assert_int_equal(found.count, 1);
    assert_cell(found.leaves[0].value, ENVL_KIND_TEXT, "v");
    search_free(&found);
}

static void
the_sibling_is_read_on_either_side_of_its_source(void **state)
{
    static const char *const documents[] = {
        "[{\"s\":\"v\",\"s_enc\" : {\"env\":1}}]",
        "[{\"s_enc\" : {\"env\":1},\"s\":\"v\"}]",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct search found;

        assert_int_equal(search(&found, (struct json_path_spec){
            .pattern = PATH(EACH, MEMBER("s")), .into = "s_enc" },
            documents[i]), ENVL_OK);
        assert_int_equal(found.count, 1);
        assert_cell(found.leaves[0].value, ENVL_KIND_TEXT, "v");
        assert_cell(found.leaves[0].sibling, ENVL_KIND_JSON, "{\"env\":1}");
        assert_span(&found, found.leaves[0].site.sibling, "{\"env\":1}");
        search_free(&found);
    }
}

static void
a_sibling_alone_is_a_place_too(void **state)
{
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(EACH, MEMBER("s")), .into = "s_enc" },
        "[{\"s_enc\":\"env1:\"},{},{\"s\":\"v\"}]"), ENVL_OK);
    assert_int_equal(found.count, 2);
    assert_cell(found.leaves[0].value, ENVL_KIND_ABSENT, "");
    assert_cell(found.leaves[0].sibling, ENVL_KIND_TEXT, "env1:");
    assert_path(found.leaves[0].path, "[0].s");
    assert_cell(found.leaves[1].value, ENVL_KIND_TEXT, "v");
    assert_cell(found.leaves[1].sibling, ENVL_KIND_ABSENT, "");
    search_free(&found);
}

static void
two_siblings_are_ambiguous(void **state)
{
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(MEMBER("s")), .into = "t" },
        "{\"t\":\"1\",\"s\":\"v\",\"t\":\"2\"}"), ENVL_OK);
    assert_int_equal(found.count, 1);
    assert_cell(found.leaves[0].value, ENVL_KIND_OTHER, "");
    assert_cell(found.leaves[0].sibling, ENVL_KIND_OTHER, "");
    assert_true(found.leaves[0].site.ambiguous);
    search_free(&found);
}

static void
the_innermost_wildcard_object_identifies_its_leaves(void **state)
{
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(MEMBER("w"), EACH, MEMBER("h"), ANY),
        .element_id = "id" },
        "{\"id\":\"no\",\"w\":[{\"h\":{\"x\":\"1\"},\"id\":\"one\"},"
        "{\"id\":2,\"h\":{\"x\":\"2\",\"id\":\"3\"}},{\"h\":{\"x\":\"4\"}},"
        "{\"id\":[],\"h\":{\"x\":\"5\"}}]}"), ENVL_OK);
    assert_int_equal(found.count, 5);
    assert_cell(found.leaves[0].element, ENVL_KIND_TEXT, "one");
    assert_cell(found.leaves[1].element, ENVL_KIND_JSON, "2");
    assert_cell(found.leaves[2].element, ENVL_KIND_JSON, "2");
    assert_cell(found.leaves[3].element, ENVL_KIND_ABSENT, "");
    assert_cell(found.leaves[4].element, ENVL_KIND_OTHER, "");
    search_free(&found);
}

static void
a_prefix_is_already_resolved(void **state)
{
    struct search found;

    (void)state;
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(MEMBER("a"), MEMBER("b"), EACH), .prefix = 2 },
        "[\"v\"]"), ENVL_OK);
    assert_int_equal(found.count, 1);
    assert_path(found.leaves[0].path, "a.b[0]");
    search_free(&found);

    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(MEMBER("a"), MEMBER("b")), .prefix = 2 },
        " \"v\" "), ENVL_OK);
    assert_int_equal(found.count, 1);
    assert_path(found.leaves[0].path, "a.b");
    assert_cell(found.leaves[0].value, ENVL_KIND_TEXT, "v");
    search_free(&found);
}

static void
what_is_not_there_gives_no_leaf(void **state)
{
    static const char *const documents[] = {
        "{}", "[]", "1", "\"a\"", "{\"a\":1}", "{\"a\":[{\"b\":1}]}",
        "{\"b\":{\"a\":1}}", "null",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct search found;

        assert_int_equal(search(&found, (struct json_path_spec){
            .pattern = PATH(MEMBER("a"), MEMBER("b")), .into = "c" },
            documents[i]), ENVL_OK);
        assert_int_equal(found.count, 0);
        search_free(&found);
    }
}

static void
what_is_no_json_is_a_format_error(void **state)
{
    static const char *const documents[] = {
        "", " ", "{", "{\"a\":\"v\"", "{\"a\":\"v\"}x", "{\"a\":01}",
        "env1:k1:AAAA", "{\"a\":\"\xff\"}", "\xef\xbb\xbf{}", "{\"a\" \"b\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct search found;

        assert_int_equal(search(&found, (struct json_path_spec){
            .pattern = PATH(MEMBER("a")) }, documents[i]), ENVL_E_FORMAT);
        assert_int_equal(found.count, 0);
        search_free(&found);
    }
}

static void
depth_has_no_limit(void **state)
{
    enum { DEPTH = 200000 };
    static const char head[] = "{\"a\":", tail[] = ",\"b\":\"v\"}";
    char *document = malloc(sizeof(head) + 2 * DEPTH + sizeof(tail));
    char *at = document;
    struct search found;

    (void)state;
    assert_non_null(document);
    memcpy(at, head, sizeof(head) - 1);
    at += sizeof(head) - 1;
    memset(at, '[', DEPTH);
    memset(at + DEPTH, ']', DEPTH);
    memcpy(at + 2 * DEPTH, tail, sizeof(tail));
    assert_int_equal(search(&found, (struct json_path_spec){
        .pattern = PATH(MEMBER("b")) }, document), ENVL_OK);
    assert_int_equal(found.count, 1);
    assert_cell(found.leaves[0].value, ENVL_KIND_TEXT, "v");
    search_free(&found);
    free(document);
}

static void
a_path_that_cannot_be_is_refused(void **state)
{
    static const struct envl_segment element[] = {
        { ENVL_SEGMENT_ELEMENT, { NULL, 0 }, 3 }
    };
    const struct json_path_spec specs[] = {
        { .pattern = { NULL, 0 } },
        { .pattern = { element, 1 } },
        { .pattern = PATH(ANY, MEMBER("a")), .prefix = 1 },
        { .pattern = PATH(MEMBER("a")), .prefix = 2 },
        { .pattern = PATH(MEMBER("a"), EACH), .into = "b" },
        { .pattern = PATH(ANY), .into = "b" },
        { .pattern = PATH(MEMBER("a")), .into = "a" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        struct json_path *path = NULL;
        struct envl_error err;

        assert_int_equal(json_path_new(&specs[i], &path, &err),
                         ENVL_E_USAGE);
        assert_null(path);
    }
    json_path_free(NULL);
}

static void
a_path_is_used_again_from_a_clean_slate(void **state)
{
    struct json_path_spec spec = { .pattern = PATH(ANY) };
    struct json_path *path;
    struct arena arena = ARENA_INIT;
    struct envl_error err;
    uint32_t count;

    (void)state;
    assert_int_equal(json_path_new(&spec, &path, &err), ENVL_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(json_path_find(path, envl_bytes_of("{\"a\":{\"b\":"),
                                        &arena, &err), ENVL_E_FORMAT);
        assert_int_equal(json_path_find(path, envl_bytes_of(
            "{\"a\":\"\\u0041\",\"b\":\"2\"}"), &arena, &err), ENVL_OK);
        json_path_leaves(path, &count);
        assert_int_equal(count, 2);
        arena_clear(&arena);
    }
    json_path_free(path);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_found_with_its_bytes),
        cmocka_unit_test(wildcards_find_members_and_elements),
        cmocka_unit_test(a_root_array_has_elements),
        cmocka_unit_test(strings_are_unescaped_and_names_compared_unescaped),
        cmocka_unit_test(text_that_is_no_utf8_string_is_other),
        cmocka_unit_test(a_name_that_stands_twice_makes_its_leaves_other),
        cmocka_unit_test(a_wildcard_spoils_only_the_twins),
        cmocka_unit_test(twins_elsewhere_do_not_matter),
        cmocka_unit_test(the_sibling_is_read_on_either_side_of_its_source),
        cmocka_unit_test(a_sibling_alone_is_a_place_too),
        cmocka_unit_test(two_siblings_are_ambiguous),
        cmocka_unit_test(the_innermost_wildcard_object_identifies_its_leaves),
        cmocka_unit_test(a_prefix_is_already_resolved),
        cmocka_unit_test(what_is_not_there_gives_no_leaf),
        cmocka_unit_test(what_is_no_json_is_a_format_error),
        cmocka_unit_test(depth_has_no_limit),
        cmocka_unit_test(a_path_that_cannot_be_is_refused),
        cmocka_unit_test(a_path_is_used_again_from_a_clean_slate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
