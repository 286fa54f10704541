/* Retention, and readers that report which generation they have. */
#include "keyring_fixture.h"

#define FAR "2999-01-01T00:00:00Z"

/* ---- retention: spec KEY-44 --------------------------------------------- */

static void
a_retained_key_is_not_destroyed_before_its_date(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_key_spec spec = { .kid = "kept", .retain_until = FAR };
    struct envl_key_spec past = { .kid = "past",
                                  .retain_until = "2001-01-01T00:00:00Z" };
    struct envl_keyring *ring = must_open(&f);
    struct envl_key_info info;
    struct envl_error err;

    (void)state;
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_add(ring, &past, NULL), ENVL_OK);
    envl_keyring_free(ring);
    ring = must_open(&f); /* it is in the file */
    assert_int_equal(envl_keyring_find(ring, "kept", &info, NULL), ENVL_OK);
    assert_string_equal(info.retain_until, FAR);
    assert_int_equal(envl_keyring_set_state(ring, "kept", ENVL_KEY_DISABLED,
                                            NULL), ENVL_OK);
    assert_int_equal(envl_keyring_destroy(ring, "kept", true, &err),
                     ENVL_E_POLICY);
    assert_non_null(strstr(err.message, FAR));
    destroy_key(ring, "past"); /* the rig can destroy */
    /* The date lasts beyond the destruction of others. */
    assert_int_equal(envl_keyring_find(ring, "kept", &info, NULL), ENVL_OK);
    assert_string_equal(info.retain_until, FAR);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
a_date_only_moves_later(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_key_info info;

    (void)state;
    assert_int_equal(envl_keyring_retain(ring, "k1", "2030-01-01T00:00:00Z",
                                         NULL), ENVL_OK);
    assert_int_equal(envl_keyring_retain(ring, "k1", "2029-12-31T23:59:59Z",
                                         NULL), ENVL_E_POLICY);
    assert_int_equal(envl_keyring_retain(ring, "k1", FAR, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_retain(ring, "k1", "2030-13-01T00:00:00Z",
                                         NULL), ENVL_E_USAGE);
    assert_int_equal(envl_keyring_retain(ring, "k1", "", NULL),
                     ENVL_E_USAGE);
    assert_int_equal(envl_keyring_retain(ring, "none", FAR, NULL),
                     ENVL_E_NOKEY);
    assert_int_equal(envl_keyring_find(ring, "k1", &info, NULL), ENVL_OK);
    assert_string_equal(info.retain_until, FAR);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
a_ring_without_retention_is_as_it_was(void **state)
{
    struct fixture f = fixture_with_ring();
    char text[4096];

    (void)state;
    read_whole(f.ring, text, sizeof(text));
    assert_null(strstr(text, "retain"));
    fixture_free(&f);
}

/* ---- reports: spec KEY-55, KEY-56 --------------------------------------- */

struct reports {
    struct fixture f;
    struct envl_keyring *ring;
    char folder[192];
};

static int
set_up(void **state)
{
    struct reports *r = calloc(1, sizeof(*r));

    r->f = fixture_with_ring();
    r->ring = must_open(&r->f);
    snprintf(r->folder, sizeof(r->folder), "%s/reports", r->f.dir);
    assert_int_equal(mkdir(r->folder, 0700), 0);
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    struct reports *r = *state;

    envl_keyring_free(r->ring);
    fixture_free(&r->f);
    free(r);
    return 0;
}

static void
path_of(const struct reports *r, const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", r->folder, name);
}

/* The one report there is. */
static struct envl_reader_report
only_report(struct reports *r)
{
    struct envl_reader_report *list = NULL, first;
    size_t count = 0;

    assert_int_equal(envl_keyring_reports(r->ring, r->folder, &list, &count,
                                          NULL), ENVL_OK);
    assert_int_equal(count, 1);
    first = list[0];
    free(list);
    return first;
}

static void
readers_are_listed_by_name(void **state)
{
    struct reports *r = *state;
    struct envl_key_spec spec = { .kid = "k2" };
    struct envl_reader_report *list = NULL;
    size_t count = 0;

    assert_int_equal(envl_keyring_report(r->ring, r->folder, "web-2", NULL),
                     ENVL_OK);
    assert_int_equal(envl_keyring_add(r->ring, &spec, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_report(r->ring, r->folder, "web-1", NULL),
                     ENVL_OK);
    assert_int_equal(envl_keyring_reports(r->ring, r->folder, &list, &count,
                                          NULL), ENVL_OK);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].reader, "web-1");
    assert_int_equal(list[0].generation, 2);
    assert_string_equal(list[1].reader, "web-2");
    assert_int_equal(list[1].generation, 1);
    assert_int_equal(strlen(list[1].at), 20);
    free(list);
    /* A later report replaces the one before. */
    assert_int_equal(envl_keyring_report(r->ring, r->folder, "web-2", NULL),
                     ENVL_OK);
    assert_int_equal(count_files(r->folder), 2);
}

static void
a_report_that_was_changed_does_not_count(void **state)
{
    struct reports *r = *state;
    char path[256], text[1024];
    size_t len, at;

    assert_int_equal(envl_keyring_report(r->ring, r->folder, "web", NULL),
                     ENVL_OK);
    assert_int_equal(only_report(r).generation, 1);
    path_of(r, "web.json", path);
    len = read_whole(path, text, sizeof(text));
    for (at = 0; at < len; at++) {
        text[at] ^= 1;
        write_file(path, (struct envl_bytes){ (uint8_t *)text, len }, 0644);
        assert_int_equal(only_report(r).generation, 0);
        text[at] ^= 1;
    }
    for (at = 0; at < len; at++) {
        write_file(path, (struct envl_bytes){ (uint8_t *)text, at }, 0644);
        assert_int_equal(only_report(r).generation, 0);
    }
    write_file(path, (struct envl_bytes){ (uint8_t *)text, len }, 0644);
    assert_int_equal(only_report(r).generation, 1);
}

static void
a_report_under_another_name_does_not_count(void **state)
{
    struct reports *r = *state;
    char from[256], to[256];

    assert_int_equal(envl_keyring_report(r->ring, r->folder, "web", NULL),
                     ENVL_OK);
    path_of(r, "web.json", from);
    path_of(r, "api.json", to);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(only_report(r).generation, 0);
    assert_string_equal(only_report(r).reader, "api");
    assert_int_equal(unlink(to), 0);
    assert_int_equal(symlink(r->f.ring, to), 0);
    assert_int_equal(only_report(r).generation, 0);
}

static void
a_report_of_another_ring_does_not_count(void **state)
{
    struct reports *r = *state;
    struct fixture other = fixture_with_ring();
    struct envl_keyring *ring = must_open(&other);

    assert_int_equal(envl_keyring_report(ring, r->folder, "web", NULL),
                     ENVL_OK);
    assert_int_equal(only_report(r).generation, 0);
    envl_keyring_free(ring);
    fixture_free(&other);
}

static void
names_and_folders_are_checked(void **state)
{
    static const char *const names[] = { "", "Web", "../x", "a/b", ".x",
                                         "a b" };
    struct reports *r = *state;
    struct envl_reader_report *list = NULL;
    char path[256];
    size_t count = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_int_equal(envl_keyring_report(r->ring, r->folder, names[i],
                                             NULL), ENVL_E_USAGE);
    path_of(r, "none", path);
    assert_int_equal(envl_keyring_report(r->ring, path, "web", NULL),
                     ENVL_E_NOTFOUND);
    assert_int_equal(envl_keyring_reports(r->ring, path, &list, &count,
                                          NULL), ENVL_E_NOTFOUND);
    /* Files that are called otherwise are nobody's report. */
    path_of(r, "README", path);
    write_file(path, envl_bytes_of("hello"), 0644);
    path_of(r, "Web.json", path);
    write_file(path, envl_bytes_of("hello"), 0644);
    assert_int_equal(envl_keyring_reports(r->ring, r->folder, &list, &count,
                                          NULL), ENVL_OK);
    assert_int_equal(count, 0);
    free(list);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_retained_key_is_not_destroyed_before_its_date),
        cmocka_unit_test(a_date_only_moves_later),
        cmocka_unit_test(a_ring_without_retention_is_as_it_was),
        T(readers_are_listed_by_name),
        T(a_report_that_was_changed_does_not_count),
        T(a_report_under_another_name_does_not_count),
        T(a_report_of_another_ring_does_not_count),
        T(names_and_folders_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
