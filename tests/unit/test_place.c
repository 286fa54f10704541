#include "cmocka_all.h"

#include <dirent.h>

#include <jansson.h>

#include "engine/place.h"

#define FOLDER "spec/vectors/place"

static struct envl_bytes
bytes_of(const json_t *string)
{
    return (struct envl_bytes){ (const uint8_t *)json_string_value(string),
                                json_string_length(string) };
}

/* The field of a vector's place. */
static void
build(const json_t *vector, struct envl_buf *out)
{
    const json_t *components = json_object_get(vector, "components");
    const json_t *path = json_object_get(vector, "path");
    struct envl_segment segments[16];
    struct envl_path concrete = { segments, (uint32_t)json_array_size(path) };

    for (size_t i = 0; i < json_array_size(components); i++)
        assert_int_equal(
            place_component(out, bytes_of(json_array_get(components, i)),
                            i == 0, NULL),
            ENVL_OK);
    for (uint32_t i = 0; i < concrete.count; i++) {
        const json_t *item = json_array_get(path, i);

        segments[i] = (struct envl_segment){ ENVL_SEGMENT_ELEMENT,
                                             { NULL, 0 }, i };
        if (json_is_string(item)) {
            segments[i].kind = ENVL_SEGMENT_MEMBER;
            segments[i].name = bytes_of(item);
        }
    }
    assert_int_equal(place_path(out, &concrete,
                                json_string_value(
                                    json_object_get(vector, "into")), NULL),
                     ENVL_OK);
}

static void
each_vector_gives_its_field(void **state)
{
    DIR *folder = opendir(FOLDER);
    const struct dirent *entry;
    unsigned count = 0;

    (void)state;
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        struct envl_buf field = ENVL_BUF_INIT;
        char path[512];
        json_t *vector;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), FOLDER "/%s", entry->d_name);
        vector = json_load_file(path, 0, NULL);
        assert_non_null(vector);
        build(vector, &field);
        assert_int_equal(envl_buf_append(&field, (struct envl_bytes){
                             (const uint8_t *)"", 1 }, NULL), ENVL_OK);
        if (strcmp((const char *)field.ptr,
                   json_string_value(json_object_get(vector, "field"))) != 0)
            fail_msg("%s: %s", entry->d_name, (const char *)field.ptr);
        envl_buf_free(&field);
        json_decref(vector);
        count++;
    }
    closedir(folder);
    assert_true(count >= 17);
}

/*
 * spec: JOB-33: no two places share a field.  All places of up to three
 * components over an alphabet of what could be confused.
 */
static void
no_two_places_share_a_field(void **state)
{
    static const char *const names[] = { "", ".", "*", "[", "[*]", "~", "~0",
                                         "a", "a.b", "~1", "]", "\xc3\xa9" };
    enum { NAMES = sizeof(names) / sizeof(names[0]), KINDS = NAMES + 1,
           PLACES = NAMES * (1 + KINDS + KINDS * KINDS) };
    static char fields[PLACES][32];
    unsigned count = 0;

    (void)state;
    for (unsigned n = 0; n < (unsigned)NAMES * (KINDS + 1) * (KINDS + 1);
         n++) {
        unsigned parts[3] = { n % NAMES, n / NAMES % (KINDS + 1),
                              n / NAMES / (KINDS + 1) };
        struct envl_segment segments[2];
        struct envl_path path = { segments, 0 };
        struct envl_buf field = ENVL_BUF_INIT;

        /* KINDS stands for no segment, which only the end can have. */
        if (parts[1] == KINDS && parts[2] != KINDS)
            continue;
        for (unsigned i = 1; i < 3 && parts[i] < KINDS; i++) {
            bool element = parts[i] == NAMES;

            segments[path.count++] = (struct envl_segment){
                element ? ENVL_SEGMENT_ELEMENT : ENVL_SEGMENT_MEMBER,
                element ? envl_bytes_of(NULL) : envl_bytes_of(names[parts[i]]),
                0
            };
        }
        assert_int_equal(place_component(&field,
                                         envl_bytes_of(names[parts[0]]), true,
                                         NULL), ENVL_OK);
        assert_int_equal(place_path(&field, &path, NULL, NULL), ENVL_OK);
        assert_true(field.len < sizeof(fields[0]));
        if (field.len > 0)
            memcpy(fields[count], field.ptr, field.len);
        fields[count++][field.len] = '\0';
        envl_buf_free(&field);
    }
    assert_int_equal(count, PLACES);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(fields[i], fields[j]) == 0)
                fail_msg("places %u and %u are both \"%s\"", i, j, fields[i]);
        }
    }
}

static void
the_column_is_the_one_that_receives_the_envelope(void **state)
{
    struct envl_field_spec plain = { .column = "Api_Key" };
    struct envl_field_spec into = { .column = "api_key", .into = "KEY_ENC" };
    struct envl_segment segment = { ENVL_SEGMENT_MEMBER,
                                    { (const uint8_t *)"a", 1 }, 0 };
    struct envl_field_spec inside = { .column = "doc", .path = { &segment, 1 },
                                      .into = "b" };
    struct envl_field_spec document = { .path = { &segment, 1 } };
    struct envl_field_info info = { .column = "api_key" };

    (void)state;
    assert_string_equal(place_column(&plain, &info), "api_key");
    assert_string_equal(place_column(&into, &info), "KEY_ENC");
    info.column = "key_enc";
    assert_string_equal(place_column(&into, &info), "key_enc");
    info.column = "Doc";
    assert_string_equal(place_column(&inside, &info), "Doc");
    info.column = NULL;
    assert_null(place_column(&document, &info));
}

static void
a_pattern_is_shown_with_its_wildcards(void **state)
{
    struct envl_segment segments[] = {
        { ENVL_SEGMENT_MEMBER, { (const uint8_t *)"a", 1 }, 0 },
        { ENVL_SEGMENT_ANY_ELEMENT, { NULL, 0 }, 0 },
        { ENVL_SEGMENT_ANY_MEMBER, { NULL, 0 }, 0 },
    };
    struct envl_path path = { segments, 3 };
    struct envl_buf field = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(place_component(&field, LITERAL("t"), true, NULL),
                     ENVL_OK);
    assert_int_equal(place_path(&field, &path, NULL, NULL), ENVL_OK);
    assert_int_equal(field.len, 8);
    assert_memory_equal(field.ptr, "t.a[*].*", 8);
    envl_buf_free(&field);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_vector_gives_its_field),
        cmocka_unit_test(no_two_places_share_a_field),
        cmocka_unit_test(the_column_is_the_one_that_receives_the_envelope),
        cmocka_unit_test(a_pattern_is_shown_with_its_wildcards),
    };

    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
