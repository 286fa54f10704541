/* Paths that touch the same place, and what places are called. */
#include "cmocka_all.h"
#include "engine/names.h"
#include "engine/overlap.h"

#define SEGMENTS 8u

/* "a.b", "*", "[*]", "[3]" into segments. */
static struct envl_path
path_of(const char *text, struct envl_segment out[SEGMENTS])
{
    struct envl_path path = { out, 0 };

    while (*text != '\0') {
        size_t len = strcspn(text, ".[");
        struct envl_segment *s = &out[path.count];

        *s = (struct envl_segment){ .kind = ENVL_SEGMENT_MEMBER };
        if (text[0] == '[') {
            len = strcspn(text, "]") + 1;
            s->kind = text[1] == '*' ? ENVL_SEGMENT_ANY_ELEMENT
                                     : ENVL_SEGMENT_ELEMENT;
            s->index = strtoul(text + 1, NULL, 10);
            path.count++;
        } else if (len > 0) {
            s->name = (struct envl_bytes){ (const uint8_t *)text, len };
            if (len == 1 && text[0] == '*')
                s->kind = ENVL_SEGMENT_ANY_MEMBER;
            path.count++;
        }
        text += len;
        text += *text == '.';
    }
    return path;
}

/* spec: JOB-25 */
static void
paths_overlap_where_one_can_lie_in_the_other(void **state)
{
    static const struct {
        const char *a, *b;
        bool overlap;
    } cases[] = {
        { "a", "a", true },          { "a", "b", false },
        { "a.b", "a", true },        { "a.b", "a.c", false },
        { "a.*", "a.b", true },      { "*.x", "a.y", false },
        { "*.x", "a.x.z", true },    { "a[*].k", "a[*].k", true },
        { "a[*].k", "a[*].l", false }, { "a[*]", "a.b", false },
        { "[*]", "a", false },       { "", "a", true },
        { "a[*]", "a[3]", true },    { "ab", "a", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct envl_segment segments[2][SEGMENTS];
        struct envl_path a = path_of(cases[i].a, segments[0]);
        struct envl_path b = path_of(cases[i].b, segments[1]);

        if (overlap_paths(&a, &b) != cases[i].overlap ||
            overlap_paths(&b, &a) != cases[i].overlap)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

static void
places_are_called_as_the_job_writes_them(void **state)
{
    static const struct {
        const char *column, *path, *name;
    } cases[] = {
        { "api_key", "", "api_key" },
        { "doc", "servers[*].headers.*", "doc.servers[*].headers.*" },
        { "doc", "servers[12].token", "doc.servers[12].token" },
        { NULL, "a.b", "a.b" },
        { "list", "[*]", "list[*]" },
        { "co\nl", "", "co?l" }, /* nothing that moves a cursor */
        { "doc", "caf\xe9", "doc.caf?" }, /* a store takes UTF-8 only */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct envl_segment segments[SEGMENTS];
        struct envl_field_spec spec = {
            .column = cases[i].column,
            .path = path_of(cases[i].path, segments),
        };
        struct job_field field = { .spec = &spec };
        char *name = names_field(&field);

        assert_string_equal(name, cases[i].name);
        free(name);
    }
}

static void
long_places_are_cut(void **state)
{
    char column[5000];
    struct envl_field_spec spec = { .column = column };
    struct job_field field = { .spec = &spec };
    char *name;

    (void)state;
    memset(column, 'x', sizeof(column) - 1);
    column[sizeof(column) - 1] = '\0';
    name = names_field(&field);
    assert_int_equal(strlen(name), 1000);
    free(name);
    for (size_t i = 1; i + 2 < sizeof(column); i += 2)
        memcpy(column + i, "\xc3\xbc", 2); /* x, then u umlaut for ever */
    column[sizeof(column) - 2] = '\0';
    name = names_field(&field);
    assert_int_equal(strlen(name), 999); /* not half of one */
    free(name);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_overlap_where_one_can_lie_in_the_other),
        cmocka_unit_test(places_are_called_as_the_job_writes_them),
        cmocka_unit_test(long_places_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
