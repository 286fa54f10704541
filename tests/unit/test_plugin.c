/* Which plugins are loaded, and from where. */
#include "engine/plugin.h"
#include "core/safe_path.h"
#include "keyring_fixture.h"

#include "../support/fake_store.h"

static void
names_are_checked(void **state)
{
    static const char *const good[] = { "sqlite", "a", "my-store-2" };
    static const char *const bad[] = {
        "", "../x", "a/b", "A", "a.b", "a b", "-x", "a_b", "a\n",
        "abcdefghijklmnopqrstuvwxyz0123456",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(plugin_name_ok(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct plugin plugin;

        assert_false(plugin_name_ok(bad[i]));
        assert_int_equal(plugin_load(bad[i], "/tmp", &plugin, NULL),
                         ENVL_E_USAGE);
    }
}

/* spec: MIG-2 */
static void
tables_are_checked(void **state)
{
    struct envl_migrator ops = fake_store;
    struct envl_error err;

    (void)state;
    assert_int_equal(plugin_check(&ops, "fake", &err), ENVL_OK);
    assert_int_equal(plugin_check(&ops, "sqlite", &err), ENVL_E_IO);
    ops.finish = NULL; /* may be */
    assert_int_equal(plugin_check(&ops, "fake", &err), ENVL_OK);
    ops.size += 64; /* a later minor */
    assert_int_equal(plugin_check(&ops, "fake", &err), ENVL_OK);
    ops.size = offsetof(struct envl_migrator, guard_set); /* minor 0 */
    assert_int_equal(plugin_check(&ops, "fake", &err), ENVL_OK);
    assert_false(PLUGIN_HAS(&ops, guard_read));
    ops.size--;
    assert_int_equal(plugin_check(&ops, "fake", &err), ENVL_E_IO);
    ops = fake_store;
    ops.name = NULL;
    assert_int_equal(plugin_check(&ops, "fake", &err), ENVL_E_IO);
    ops = fake_store;
    ops.write_end = NULL;
    assert_int_equal(plugin_check(&ops, "fake", &err), ENVL_E_IO);
    assert_non_null(strstr(err.message, "write_end"));
}

static void
says_where_it_looked(void **state)
{
    struct fixture f = fixture_new();
    struct plugin plugin;
    struct envl_error err;

    (void)state;
    assert_int_equal(plugin_load("nosuch", f.dir, &plugin, &err),
                     ENVL_E_NOTFOUND);
    assert_non_null(strstr(err.hint, "envl-migrator-nosuch.so"));
    assert_int_equal(plugin_load("nosuch", NULL, &plugin, &err),
                     ENVL_E_NOTFOUND);
    assert_non_null(strstr(err.hint, PLUGDIR));
    fixture_free(&f);
}

static enum envl_status
load_from(const struct fixture *f, mode_t file, mode_t folder,
          struct envl_error *err)
{
    char path[200];
    struct plugin plugin;
    enum envl_status status;

    snprintf(path, sizeof(path), "%s/envl-migrator-junk.so", f->dir);
    write_file(path, LITERAL("no shared object"), file);
    assert_int_equal(chmod(f->dir, folder), 0);
    status = plugin_load("junk", f->dir, &plugin, err);
    assert_int_equal(chmod(f->dir, 0700), 0);
    return status;
}

/* spec: MIG-4 */
static void
places_that_others_can_write_are_refused(void **state)
{
    struct fixture f = fixture_new();
    struct envl_error err;

    (void)state;
    /* A safe place gets as far as loading; what is there is no plugin. */
    assert_int_equal(load_from(&f, 0644, 0755, &err), ENVL_E_IO);
    assert_int_equal(load_from(&f, 0646, 0755, &err), ENVL_E_POLICY);
    assert_non_null(strstr(err.hint, "chmod"));
    assert_int_equal(load_from(&f, 0644, 0757, &err), ENVL_E_POLICY);
    /* Sticky is no excuse for the folder itself, only above it. */
    assert_int_equal(load_from(&f, 0644, 01777, &err), ENVL_E_POLICY);
    if (geteuid() == 0) {
        assert_int_equal(load_from(&f, 0664, 0755, &err), ENVL_E_POLICY);
        assert_int_equal(load_from(&f, 0644, 0775, &err), ENVL_E_POLICY);
    }
    fixture_free(&f);
}

static void
files_of_another_user_are_refused(void **state)
{
    struct fixture f = fixture_new();
    struct envl_error err;
    char path[200];

    (void)state;
    if (geteuid() != 0) {
        fixture_free(&f);
        skip(); /* only root can give files away */
    }
    snprintf(path, sizeof(path), "%s/file", f.dir);
    write_file(path, LITERAL(""), 0644);
    assert_int_equal(safe_path_check(path, &err), ENVL_OK);
    assert_int_equal(chown(path, 12345, 0), 0);

    assert_int_equal(safe_path_check(path, &err), ENVL_E_POLICY);

    assert_non_null(strstr(err.message, "another user"));
    assert_int_equal(safe_path_check("file", &err), ENVL_E_POLICY);
    fixture_free(&f);
}

/* A link leads to a place that is checked by its own name. */
static void
links_are_resolved_before_they_are_judged(void **state)
{
    struct fixture f = fixture_new(), g = fixture_new();
    struct plugin plugin;
    struct envl_error err;
    char path[200], link[200];

    (void)state;
    snprintf(path, sizeof(path), "%s/real.so", g.dir);
    snprintf(link, sizeof(link), "%s/envl-migrator-junk.so", f.dir);
    write_file(path, LITERAL("no shared object"), 0644);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(plugin_load("junk", f.dir, &plugin, &err), ENVL_E_IO);
    assert_int_equal(chmod(g.dir, 0777), 0);
    assert_int_equal(plugin_load("junk", f.dir, &plugin, &err),
                     ENVL_E_POLICY);
    fixture_free(&f);
    fixture_free(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(tables_are_checked),
        cmocka_unit_test(says_where_it_looked),
        cmocka_unit_test(places_that_others_can_write_are_refused),
        cmocka_unit_test(files_of_another_user_are_refused),
        cmocka_unit_test(links_are_resolved_before_they_are_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
