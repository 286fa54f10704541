/* A file is replaced whole, or not at all, and keeps who it belongs to. */
#include "core/atomic_file.h"
#include "keyring_fixture.h"

static const struct file_rules rules = { FILE_ANY, "test file", NULL, 0 };

struct rig {
    char dir[128];
    char path[192];
    struct file_place place;
    struct atomic_file file;
};

static struct rig
rig_new(void)
{
    const char *tmp = getenv("TMPDIR");
    struct rig rig;

    snprintf(rig.dir, sizeof(rig.dir), "%s/envl-unit-XXXXXX",
             tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(rig.dir));
    snprintf(rig.path, sizeof(rig.path), "%s/file", rig.dir);
    write_file(rig.path, envl_bytes_of("old"), 0640);
    assert_int_equal(file_find(rig.path, &rules, &rig.place, NULL), ENVL_OK);
    return rig;
}

static void
rig_free(struct rig *rig)
{
    file_place_close(&rig->place);
    remove_folder(rig->dir);
}

static void
expect_content(const struct rig *rig, const char *want)
{
    char text[64];

    read_whole(rig->path, text, sizeof(text));
    assert_string_equal(text, want);
    assert_int_equal(count_files(rig->dir), 1);
}

static void
begin(struct rig *rig)
{
    assert_int_equal(atomic_file_begin(&rig->file, &rig->place, rig->path,
                                       NULL), ENVL_OK);
    assert_int_equal(atomic_file_write(&rig->file, envl_bytes_of("new"),
                                       NULL), ENVL_OK);
}

static void
commit_replaces_the_file(void **state)
{
    struct rig rig = rig_new();
    struct stat st;

    (void)state;
    begin(&rig);
    assert_int_equal(atomic_file_commit(&rig.file, ATOMIC_FILE_REPLACE,
                                        NULL), ENVL_OK);
    assert_true(rig.file.renamed);
    expect_content(&rig, "new");
    assert_int_equal(stat(rig.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    atomic_file_abort(&rig.file); /* harmless */
    expect_content(&rig, "new");
    rig_free(&rig);
}

static void
abort_leaves_the_old_file_alone(void **state)
{
    struct rig rig = rig_new();

    (void)state;
    begin(&rig);
    assert_int_equal(count_files(rig.dir), 2);
    atomic_file_abort(&rig.file);
    assert_false(rig.file.renamed);
    expect_content(&rig, "old");
    rig_free(&rig);
}

static void
create_overwrites_nothing(void **state)
{
    struct rig rig = rig_new();

    (void)state;
    begin(&rig);
    assert_int_equal(atomic_file_commit(&rig.file, ATOMIC_FILE_CREATE, NULL),
                     ENVL_E_POLICY);
    assert_false(rig.file.renamed);
    expect_content(&rig, "old");
    unlink(rig.path);
    begin(&rig);
    assert_int_equal(atomic_file_commit(&rig.file, ATOMIC_FILE_CREATE, NULL),
                     ENVL_OK);
    expect_content(&rig, "new");
    rig_free(&rig);
}

static void
mode_and_owner_are_kept_when_asked_for(void **state)
{
    struct rig rig = rig_new();
    struct stat before, after;

    (void)state;
    if (geteuid() == 0)
        assert_int_equal(chown(rig.path, 65534, 65534), 0);
    assert_int_equal(stat(rig.path, &before), 0);
    begin(&rig);
    assert_int_equal(atomic_file_keep(&rig.file, &before, NULL), ENVL_OK);
    assert_int_equal(atomic_file_commit(&rig.file, ATOMIC_FILE_REPLACE,
                                        NULL), ENVL_OK);
    assert_int_equal(stat(rig.path, &after), 0);
    assert_int_equal(after.st_mode & 07777, 0640);
    assert_int_equal(after.st_uid, before.st_uid);
    assert_int_equal(after.st_gid, before.st_gid);
    assert_int_not_equal(after.st_ino, before.st_ino);
    rig_free(&rig);
}

static void
the_umask_neither_widens_nor_narrows(void **state)
{
    struct rig rig = rig_new();
    mode_t before = umask(0777);
    struct stat st;

    (void)state;
    begin(&rig);
    umask(before);
    assert_int_equal(fstat(rig.file.fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    atomic_file_abort(&rig.file);
    rig_free(&rig);
}

static void
what_a_dead_writer_left_is_cleared_by_the_next(void **state)
{
    struct rig rig = rig_new();
    struct atomic_file dead;

    (void)state;
    assert_int_equal(atomic_file_begin_locked(&dead, &rig.place, rig.path,
                                              NULL), ENVL_OK);
    close(dead.fd);
    close(dead.dir);
    assert_int_equal(count_files(rig.dir), 2);
    assert_int_equal(atomic_file_begin_locked(&rig.file, &rig.place,
                                              rig.path, NULL), ENVL_OK);
    atomic_file_abort(&rig.file);
    expect_content(&rig, "old");
    rig_free(&rig);
}

static void
a_link_is_replaced_where_it_points(void **state)
{
    struct rig rig = rig_new();
    char link[256];
    struct stat st;

    (void)state;
    snprintf(link, sizeof(link), "%s/link", rig.dir);
    assert_int_equal(symlink("file", link), 0);
    file_place_close(&rig.place);
    assert_int_equal(file_find(link, &rules, &rig.place, NULL), ENVL_OK);
    begin(&rig);
    assert_int_equal(atomic_file_commit(&rig.file, ATOMIC_FILE_REPLACE,
                                        NULL), ENVL_OK);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    unlink(link);
    expect_content(&rig, "new");
    rig_free(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commit_replaces_the_file),
        cmocka_unit_test(abort_leaves_the_old_file_alone),
        cmocka_unit_test(create_overwrites_nothing),
        cmocka_unit_test(mode_and_owner_are_kept_when_asked_for),
        cmocka_unit_test(the_umask_neither_widens_nor_narrows),
        cmocka_unit_test(what_a_dead_writer_left_is_cleared_by_the_next),
        cmocka_unit_test(a_link_is_replaced_where_it_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
