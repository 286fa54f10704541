/*
 * Which files are obeyed: owner, mode, folder, links.  Owners other than the
 * caller are made as root only; without it those rows say that they skipped.
 */
#include <errno.h>
#include <sys/wait.h>

#include "core/file.h"
#include "keyring_fixture.h"

static const char thirty_two[] = "0123456789abcdef0123456789abcdef";

/* A folder with a private file "file" in it. */
struct place {
    char dir[128];
    char file[160];
};

static struct place
place_new(void)
{
    const char *tmp = getenv("TMPDIR");
    struct place p;

    snprintf(p.dir, sizeof(p.dir), "%s/envl-unit-XXXXXX",
             tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(p.dir));
    snprintf(p.file, sizeof(p.file), "%s/file", p.dir);
    write_file(p.file, envl_bytes_of(thirty_two), 0600);
    return p;
}

static void
place_free(struct place *p)
{
    remove_folder(p->dir);
}

static enum envl_status
try_read(const char *path, enum file_kind kind)
{
    struct file_rules rules = { kind, "test file", NULL, 0 };
    struct envl_buf text = ENVL_BUF_INIT;
    struct envl_error err;
    enum envl_status status = file_read(path, &rules, 1000, &text, NULL,
                                        &err);

    if (status == ENVL_OK)
        assert_int_equal(text.len, 32);
    if (status == ENVL_E_POLICY && strstr(err.message, path) == NULL &&
        strlen(path) < 100)
        fail_msg("'%s' does not name the file", err.message);
    envl_buf_free(&text);
    return status;
}

/* spec: KEY-8: a row each for the modes of the file and of its folder */
static void
modes_decide_as_the_spec_says(void **state)
{
    static const struct {
        mode_t file, folder;
        enum envl_status trusted, private;
    } rows[] = {
        { 0600, 0700, ENVL_OK, ENVL_OK },
        { 0400, 0500, ENVL_OK, ENVL_OK },
        { 0640, 0755, ENVL_OK, ENVL_E_POLICY },
        { 0604, 0755, ENVL_OK, ENVL_E_POLICY },
        { 0644, 0755, ENVL_OK, ENVL_E_POLICY },
        { 0620, 0700, ENVL_E_POLICY, ENVL_E_POLICY },
        { 0602, 0700, ENVL_E_POLICY, ENVL_E_POLICY },
        { 0666, 0700, ENVL_E_POLICY, ENVL_E_POLICY },
        { 0600, 0770, ENVL_E_POLICY, ENVL_E_POLICY },
        { 0600, 0702, ENVL_E_POLICY, ENVL_E_POLICY },
        { 0600, 0777, ENVL_E_POLICY, ENVL_E_POLICY },
        { 0600, 01777, ENVL_E_POLICY, ENVL_E_POLICY }, /* sticky: no */
        { 0600, 0755, ENVL_OK, ENVL_OK },
    };
    struct place p = place_new();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(chmod(p.file, rows[i].file), 0);
        assert_int_equal(chmod(p.dir, rows[i].folder), 0);
        if (try_read(p.file, FILE_TRUSTED) != rows[i].trusted ||
            try_read(p.file, FILE_PRIVATE) != rows[i].private)
            fail_msg("file %04o in folder %04o", rows[i].file,
                     rows[i].folder);
        assert_int_equal(try_read(p.file, FILE_ANY), ENVL_OK);
    }
    chmod(p.dir, 0700);
    place_free(&p);
}

static void
a_folder_above_may_be_sticky_but_not_open(void **state)
{
    struct place p = place_new();
    char sub[200], file[300];

    (void)state;
    snprintf(sub, sizeof(sub), "%s/sub", p.dir);
    snprintf(file, sizeof(file), "%s/file", sub);
    assert_int_equal(mkdir(sub, 0700), 0);
    write_file(file, envl_bytes_of(thirty_two), 0600);

    assert_int_equal(chmod(p.dir, 01777), 0);
    assert_int_equal(try_read(file, FILE_PRIVATE), ENVL_OK);
    assert_int_equal(chmod(p.dir, 0777), 0);
    assert_int_equal(try_read(file, FILE_PRIVATE), ENVL_E_POLICY);
    assert_int_equal(chmod(p.dir, 0770), 0);
    assert_int_equal(try_read(file, FILE_TRUSTED), ENVL_E_POLICY);
    assert_int_equal(chmod(p.dir, 0700), 0);
    place_free(&p);
}

static void
links_are_followed_only_through_safe_folders(void **state)
{
    struct place p = place_new();
    char sub[200], link[300], chain[300], target[300], up[300];

    (void)state;
    snprintf(sub, sizeof(sub), "%s/sub", p.dir);
    snprintf(link, sizeof(link), "%s/link", sub);
    snprintf(chain, sizeof(chain), "%s/chain", p.dir);
    snprintf(up, sizeof(up), "%s/../file", sub);
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(symlink(p.file, link), 0);
    assert_int_equal(symlink("sub/link", chain), 0);
    assert_int_equal(try_read(link, FILE_PRIVATE), ENVL_OK);
    assert_int_equal(try_read(chain, FILE_PRIVATE), ENVL_OK);
    assert_int_equal(try_read(up, FILE_PRIVATE), ENVL_OK);

    /* A sticky folder is no folder for links. */
    assert_int_equal(chmod(sub, 01777), 0);
    assert_int_equal(try_read(link, FILE_PRIVATE), ENVL_E_POLICY);
    assert_int_equal(try_read(chain, FILE_PRIVATE), ENVL_E_POLICY);
    assert_int_equal(try_read(link, FILE_ANY), ENVL_OK);
    assert_int_equal(chmod(sub, 0700), 0);

    /* A linked folder is checked where it lies. */
    snprintf(target, sizeof(target), "%s/sub2", p.dir);
    assert_int_equal(mkdir(target, 0777), 0);
    chmod(target, 0777);
    snprintf(target, sizeof(target), "%s/sub2/file", p.dir);
    write_file(target, envl_bytes_of(thirty_two), 0600);
    unlink(chain);
    assert_int_equal(symlink("sub2", chain), 0);
    snprintf(target, sizeof(target), "%s/chain/file", p.dir);
    assert_int_equal(try_read(target, FILE_PRIVATE), ENVL_E_POLICY);
    place_free(&p);
}

static void
links_in_a_ring_end(void **state)
{
    struct place p = place_new();
    char a[200], b[200];

    (void)state;
    snprintf(a, sizeof(a), "%s/a", p.dir);
    snprintf(b, sizeof(b), "%s/b", p.dir);
    assert_int_equal(symlink("b", a), 0);
    assert_int_equal(symlink("a", b), 0);
    assert_int_equal(try_read(a, FILE_PRIVATE), ENVL_E_POLICY);
    place_free(&p);
}

static void
only_regular_files_are_read(void **state)
{
    struct place p = place_new();
    char path[256];

    (void)state;
    snprintf(path, sizeof(path), "%s/fifo", p.dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(try_read(path, FILE_PRIVATE), ENVL_E_POLICY);
    assert_int_equal(try_read(p.dir, FILE_PRIVATE), ENVL_E_POLICY);
    snprintf(path, sizeof(path), "%s/.", p.dir);
    assert_int_equal(try_read(path, FILE_PRIVATE), ENVL_E_POLICY);
    snprintf(path, sizeof(path), "%s/", p.file);
    assert_int_not_equal(try_read(path, FILE_PRIVATE), ENVL_OK);
    assert_int_equal(try_read("/dev/zero", FILE_TRUSTED), ENVL_E_POLICY);
    place_free(&p);
}

static void
what_is_not_there_is_notfound(void **state)
{
    struct place p = place_new();
    char path[256];

    (void)state;
    snprintf(path, sizeof(path), "%s/none", p.dir);
    assert_int_equal(try_read(path, FILE_PRIVATE), ENVL_E_NOTFOUND);
    snprintf(path, sizeof(path), "%s/none/file", p.dir);
    assert_int_equal(try_read(path, FILE_PRIVATE), ENVL_E_NOTFOUND);
    snprintf(path, sizeof(path), "%s/file/file", p.dir);
    assert_int_equal(try_read(path, FILE_PRIVATE), ENVL_E_NOTFOUND);
    assert_int_equal(try_read("", FILE_PRIVATE), ENVL_E_USAGE);
    place_free(&p);
}

static void
a_file_over_the_limit_is_refused(void **state)
{
    struct place p = place_new();
    struct file_rules rules = { FILE_PRIVATE, "test file", NULL, 0 };
    struct envl_buf text = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(file_read(p.file, &rules, 32, &text, NULL, NULL),
                     ENVL_OK);
    envl_buf_clear(&text);
    assert_int_equal(file_read(p.file, &rules, 31, &text, NULL, NULL),
                     ENVL_E_LIMIT);
    envl_buf_free(&text);
    place_free(&p);
}

static void
a_relative_path_is_walked_from_the_root(void **state)
{
    struct place p = place_new();
    char cwd[1024];

    (void)state;
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    assert_int_equal(chdir(p.dir), 0);
    assert_int_equal(try_read("file", FILE_PRIVATE), ENVL_OK);
    assert_int_equal(try_read("./file", FILE_PRIVATE), ENVL_OK);
    assert_int_equal(chmod(p.dir, 0777), 0);
    assert_int_equal(try_read("file", FILE_PRIVATE), ENVL_E_POLICY);
    assert_int_equal(try_read("file", FILE_ANY), ENVL_OK);
    assert_int_equal(chdir(cwd), 0);
    place_free(&p);
}

/* ---- owners: as root ---------------------------------------------------- */

#define NOBODY 65534

static void
need_root(void)
{
    if (geteuid() != 0) {
        print_message("SKIPPED: owners cannot be changed without root\n");
        skip();
    }
}

static void
what_belongs_to_another_user_is_refused(void **state)
{
    struct place p;

    (void)state;
    need_root();
    p = place_new();
    assert_int_equal(chown(p.file, NOBODY, NOBODY), 0);
    assert_int_equal(try_read(p.file, FILE_PRIVATE), ENVL_E_POLICY);
    assert_int_equal(try_read(p.file, FILE_TRUSTED), ENVL_E_POLICY);
    assert_int_equal(chown(p.file, 0, 0), 0);
    assert_int_equal(chown(p.dir, NOBODY, NOBODY), 0);
    assert_int_equal(try_read(p.file, FILE_PRIVATE), ENVL_E_POLICY);
    place_free(&p);
}

/* As somebody without rights, and nothing else to lose: in a child. */
static void
as_nobody(void (*check)(const struct place *), const struct place *p)
{
    pid_t child = fork();
    int status = -1;

    assert_true(child >= 0);
    if (child == 0) {
        if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
            _exit(2);
        check(p);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void
exit_unless(bool holds)
{
    if (!holds)
        _exit(1);
}

static void
reads_roots_file(const struct place *p)
{
    exit_unless(try_read(p->file, FILE_TRUSTED) == ENVL_OK);
    exit_unless(try_read(p->file, FILE_PRIVATE) == ENVL_E_POLICY);
}

static void
root_is_trusted_by_everybody(void **state)
{
    struct place p;

    (void)state;
    need_root();
    p = place_new();
    assert_int_equal(chmod(p.file, 0644), 0);
    assert_int_equal(chmod(p.dir, 0755), 0);
    as_nobody(reads_roots_file, &p);
    place_free(&p);
}

static void
reads_as_a_secret_mount(const struct place *p)
{
    const char *mounts[] = { p->dir };
    struct file_rules rules = { FILE_PRIVATE, "key file", mounts, 1 };
    struct envl_buf text = ENVL_BUF_INIT;
    char link[256];

    exit_unless(file_read(p->file, &rules, 100, &text, NULL, NULL) ==
                ENVL_OK);
    snprintf(link, sizeof(link), "%s/of-root", p->dir);
    exit_unless(file_read(link, &rules, 100, &text, NULL, NULL) == ENVL_OK);
    snprintf(link, sizeof(link), "%s/of-nobody", p->dir);
    exit_unless(file_read(link, &rules, 100, &text, NULL, NULL) ==
                ENVL_E_POLICY);
    snprintf(link, sizeof(link), "%s/writable", p->dir);
    exit_unless(file_read(link, &rules, 100, &text, NULL, NULL) ==
                ENVL_E_POLICY);
    rules.mount_count = 0;
    exit_unless(file_read(p->file, &rules, 100, &text, NULL, NULL) ==
                ENVL_E_POLICY);
    envl_buf_free(&text);
}

/* As Kubernetes mounts a secret: sticky, of root, the file behind a link. */
static void
a_secret_mount_may_be_readable_by_all(void **state)
{
    struct place p;
    char path[256];

    (void)state;
    need_root();
    p = place_new();
    assert_int_equal(chmod(p.file, 0444), 0);
    snprintf(path, sizeof(path), "%s/of-root", p.dir);
    assert_int_equal(symlink("file", path), 0);
    snprintf(path, sizeof(path), "%s/of-nobody", p.dir);
    assert_int_equal(symlink("file", path), 0);
    assert_int_equal(lchown(path, NOBODY, NOBODY), 0);
    snprintf(path, sizeof(path), "%s/writable", p.dir);
    write_file(path, envl_bytes_of(thirty_two), 0666);
    assert_int_equal(chmod(p.dir, 01777), 0);
    as_nobody(reads_as_a_secret_mount, &p);
    place_free(&p);
}

static void
reads_by_credentials_directory(const struct place *p)
{
    setenv("CREDENTIALS_DIRECTORY", p->dir, 1);
    exit_unless(try_read(p->file, FILE_PRIVATE) == ENVL_OK);
    setenv("CREDENTIALS_DIRECTORY", "/usr", 1);
    exit_unless(try_read(p->file, FILE_PRIVATE) == ENVL_E_POLICY);
}

static void
credentials_directory_is_a_secret_mount(void **state)
{
    struct place p;

    (void)state;
    need_root();
    p = place_new();
    assert_int_equal(chmod(p.file, 0444), 0);
    assert_int_equal(chmod(p.dir, 0755), 0);
    as_nobody(reads_by_credentials_directory, &p);
    place_free(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_decide_as_the_spec_says),
        cmocka_unit_test(a_folder_above_may_be_sticky_but_not_open),
        cmocka_unit_test(links_are_followed_only_through_safe_folders),
        cmocka_unit_test(links_in_a_ring_end),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(what_is_not_there_is_notfound),
        cmocka_unit_test(a_file_over_the_limit_is_refused),
        cmocka_unit_test(a_relative_path_is_walked_from_the_root),
        cmocka_unit_test(what_belongs_to_another_user_is_refused),
        cmocka_unit_test(root_is_trusted_by_everybody),
        cmocka_unit_test(a_secret_mount_may_be_readable_by_all),
        cmocka_unit_test(credentials_directory_is_a_secret_mount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
