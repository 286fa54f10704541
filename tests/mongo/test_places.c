/*
 * What of a compare-and-swap needs no server: the order of keys, the bounds of
 * a page, the forms of a filter, a member put together anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mongo/bounds.h"
#include "mongo/change.h"
#include "mongo/filter.h"
#include "mongo/hash.h"
#include "mongo/key.h"

static bson_t *
from_json(const char *json)
{
    bson_error_t error;
    bson_t *document = bson_new_from_json((const uint8_t *)json, -1, &error);

    if (document == NULL)
        fail_msg("%s: %s", json, error.message);
    return document;
}

static void
strip_spaces(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++) {
        if (*text != ' ')
            *to++ = *text;
    }
    *to = '\0';
}

/* By their text: libbson's parser takes {"$type": 2} for an old binary. */
static void
assert_json(const bson_t *document, const char *expected)
{
    char *json = bson_as_relaxed_extended_json(document, NULL);
    char *wanted = strdup(expected);

    assert_non_null(json);
    assert_non_null(wanted);
    strip_spaces(json);
    strip_spaces(wanted);
    assert_string_equal(json, wanted);
    free(wanted);
    bson_free(json);
}

/* ---- keys ---------------------------------------------------------------- */

/* In the order of the index, one of each pair of neighbours below the next. */
static const char *const ordered[] = {
    "{\"_id\": {\"$minKey\": 1}}",
    "{\"_id\": null}",
    "{\"_id\": {\"$numberDouble\": \"NaN\"}}",
    "{\"_id\": {\"$numberDouble\": \"-Infinity\"}}",
    "{\"_id\": -1}",
    "{\"_id\": {\"$numberDouble\": \"2.5\"}}",
    "{\"_id\": {\"$numberLong\": \"9007199254740993\"}}",
    "{\"_id\": \"\"}",
    "{\"_id\": \"a\"}",
    "{\"_id\": \"aa\"}",
    "{\"_id\": {\"a\": 1}}",
    "{\"_id\": {\"$binary\": {\"base64\": \"/w==\", \"subType\": \"00\"}}}",
    "{\"_id\": {\"$binary\": {\"base64\": \"AAA=\", \"subType\": \"00\"}}}",
    "{\"_id\": {\"$oid\": \"65f0c0ffee65f0c0ffee0001\"}}",
    "{\"_id\": {\"$oid\": \"65f0c0ffee65f0c0ffee0002\"}}",
    "{\"_id\": false}",
    "{\"_id\": true}",
    "{\"_id\": {\"$date\": \"2026-01-01T00:00:00Z\"}}",
    "{\"_id\": {\"$maxKey\": 1}}",
};

#define ORDERED (sizeof(ordered) / sizeof(ordered[0]))

static void
keys_of_all_types_have_one_order(void **state)
{
    (void)state;
    for (size_t a = 0; a < ORDERED; a++) {
        for (size_t b = 0; b < ORDERED; b++) {
            bson_t *left = from_json(ordered[a]), *right =
                from_json(ordered[b]);
            bson_iter_t x, y;
            enum key_order order;

            assert_true(bson_iter_init_find(&x, left, "_id"));
            assert_true(bson_iter_init_find(&y, right, "_id"));
            order = key_compare(&x, &y, false);
            if (a == b)
                assert_true(order == KEY_EQUAL || order == KEY_UNKNOWN);
            else
                assert_int_equal(order, a < b ? KEY_LESS : KEY_GREATER);
            bson_destroy(left);
            bson_destroy(right);
        }
    }
}

static void
a_key_comes_back_as_it_was(void **state)
{
    struct arena arena = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < ORDERED; i++) {
        bson_t *document = from_json(ordered[i]);
        struct envl_bytes key;
        bson_iter_t id, back;

        assert_true(bson_iter_init_find(&id, document, "_id"));
        assert_int_equal(key_encode(&id, &arena, &key), ENVL_OK);
        assert_int_equal(key.len, document->len);
        assert_memory_equal(key.ptr, bson_get_data(document), key.len);
        assert_true(key_decode(key, &back));
        assert_int_equal(bson_iter_type(&back), bson_iter_type(&id));
        assert_false(key_decode((struct envl_bytes){ key.ptr, key.len - 1 },
                                &back));
        bson_destroy(document);
    }
    arena_free(&arena);
}

/* ---- bounds -------------------------------------------------------------- */

static void
assert_bounds(bool by_index, const char *after, const char *until,
              const char *expected)
{
    struct envl_store store = { .server = { .bounds = by_index } };
    struct envl_target target = { .store = &store };
    bson_t *low = from_json(after), *high = from_json(until);
    struct bounds bounds = { { bson_get_data(low), low->len },
                             { bson_get_data(high), high->len } };
    bson_t find = BSON_INITIALIZER;

    bson_init(&target.where);
    assert_int_equal(bounds_append(&target, &bounds, &find, NULL), ENVL_OK);
    assert_json(&find, expected);
    bson_destroy(&find);
    bson_destroy(low);
    bson_destroy(high);
}

static void
a_page_crosses_the_types_between_its_bounds(void **state)
{
    (void)state;
    assert_bounds(true, "{\"_id\": 5}", "{\"_id\": \"x\"}",
                  "{\"filter\": {\"_id\": {\"$ne\": 5}}, \"sort\": "
                  "{\"_id\": 1}, \"hint\": {\"_id\": 1}, \"min\": "
                  "{\"_id\": 5}, \"max\": {\"_id\": \"x\"}}");
    assert_bounds(false, "{\"_id\": 5}", "{\"_id\": {\"a\": 1}}",
                  "{\"filter\": {\"$or\": [{\"_id\": {\"$gt\": 5}}, {\"_id\": "
                  "{\"$type\": [2, 14]}}, {\"_id\": {\"$lt\": {\"a\": 1}}}]}, "
                  "\"sort\": {\"_id\": 1}}");
    assert_bounds(false, "{\"_id\": \"a\"}", "{\"_id\": \"c\"}",
                  "{\"filter\": {\"$or\": [{\"_id\": {\"$gt\": \"a\", "
                  "\"$lt\": \"c\"}}]}, \"sort\": {\"_id\": 1}}");
    assert_bounds(false, "{\"_id\": null}", "{\"_id\": 7}",
                  "{\"filter\": {\"$or\": [{\"_id\": {\"$lt\": 7}}, {\"_id\": "
                  "{\"$numberDouble\": \"NaN\"}}]}, \"sort\": {\"_id\": 1}}");
}

/* ---- filters ------------------------------------------------------------- */

static const struct envl_segment headers[] = {
    { ENVL_SEGMENT_MEMBER, { (const uint8_t *)"s", 1 }, 0 },
    { ENVL_SEGMENT_ELEMENT, { NULL, 0 }, 2 },
    { ENVL_SEGMENT_MEMBER, { (const uint8_t *)"h", 1 }, 0 },
};

static const struct envl_cell secret = {
    ENVL_KIND_TEXT, { (const uint8_t *)"abc", 3 }
};

static void
a_place_outside_arrays_is_compared_with_value_and_type(void **state)
{
    const struct server plain = { .expressions = false };
    const struct envl_path path = { headers, 1 };
    struct arena arena = ARENA_INIT;
    bson_t q = BSON_INITIALIZER;

    (void)state;
    assert_int_equal(filter_form(&plain, &path, &secret), FILTER_PLAIN);
    assert_true(filter_plain(&path, &secret, &arena, &q));
    assert_json(&q, "{\"s\": {\"$eq\": \"abc\", \"$type\": 2, \"$not\": "
                "{\"$type\": 4}}}");
    bson_destroy(&q);
    arena_free(&arena);
}

static void
an_element_is_a_step_of_its_own_or_the_whole_is_compared(void **state)
{
    const struct server bare = { .expressions = false };
    const struct server able = { .expressions = true };
    const struct envl_path path = { headers, 3 };
    struct filter_list list = { .count = 0 };
    struct arena arena = ARENA_INIT;

    (void)state;
    bson_init(&list.bson);
    assert_int_equal(filter_form(&bare, &path, &secret), FILTER_NONE);
    assert_int_equal(filter_form(&able, &path, &secret), FILTER_EXPRESSION);
    assert_true(filter_expression(&path, &secret, false, &arena, &list));
#define PLACE "{\"$let\": {\"vars\": {\"s\": {\"$arrayElemAt\": " \
              "[\"$s\", 2]}}, \"in\": \"$$s.h\"}}"
    assert_json(&list.bson, "{\"0\": {\"$eq\": [{\"$type\": " PLACE "}, "
                "\"string\"]}, \"1\": {\"$eq\": [" PLACE ", {\"$literal\": "
                "\"abc\"}]}}");
    bson_destroy(&list.bson);
    arena_free(&arena);
}

/* The numbers are MD5's, computed by another implementation. */
static void
a_hashed_filter_holds_no_value(void **state)
{
    const struct server hashing = { .expressions = true, .hash = true };
    const struct envl_path path = { headers, 1 };
    struct filter_list list = { .count = 0 };
    struct arena arena = ARENA_INIT;

    (void)state;
    bson_init(&list.bson);
    assert_int_equal(filter_form(&hashing, &path, &secret), FILTER_HASHED);
    assert_true(filter_expression(&path, &secret, true, &arena, &list));
    assert_json(&list.bson, "{\"0\": {\"$eq\": [{\"$type\": \"$s\"}, "
                "\"string\"]}, \"1\": {\"$eq\": [{\"$toHashedIndexKey\": "
                "\"$s\"}, 8478485326885698097]}}");
    assert_null(memmem(bson_get_data(&list.bson), list.bson.len, "abc", 3));
    bson_destroy(&list.bson);
    arena_free(&arena);
}

/* ---- a member put together anew ------------------------------------------ */

static void
a_splice_changes_its_place_and_nothing_else(void **state)
{
    static const struct envl_segment segments[] = {
        { ENVL_SEGMENT_MEMBER, { (const uint8_t *)"top", 3 }, 0 },
        { ENVL_SEGMENT_MEMBER, { (const uint8_t *)"a.b", 3 }, 0 },
        { ENVL_SEGMENT_ELEMENT, { NULL, 0 }, 1 },
    };
    const struct change change = { { segments, 3 }, &secret, 0 };
    bson_t *before = from_json("{\"z\": {\"$numberDouble\": \"1.0\"}, \"a.b\": "
                               "[1, \"old\", {\"q\": null}], \"\": 7}");
    struct envl_buf out = ENVL_BUF_INIT;
    bson_t after;

    (void)state;
    assert_true(change_splice((struct envl_bytes){ bson_get_data(before),
                                                   before->len },
                              &change, 1, 1, &out));
    assert_true(bson_init_static(&after, out.ptr, out.len));
    assert_json(&after, "{\"z\": 1.0, \"a.b\": [1, "
                "\"abc\", {\"q\": null}], \"\": 7}");
    envl_buf_free(&out);
    bson_destroy(before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_all_types_have_one_order),
        cmocka_unit_test(a_key_comes_back_as_it_was),
        cmocka_unit_test(a_page_crosses_the_types_between_its_bounds),
        cmocka_unit_test(
            a_place_outside_arrays_is_compared_with_value_and_type),
        cmocka_unit_test(
            an_element_is_a_step_of_its_own_or_the_whole_is_compared),
        cmocka_unit_test(a_hashed_filter_holds_no_value),
        cmocka_unit_test(a_splice_changes_its_place_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
