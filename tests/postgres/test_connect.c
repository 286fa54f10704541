/*
 * Ways to the server: which are refused, and what is said when one breaks.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"

static const struct rig_target plain = {
    .table = "t", .fields = { { .column = "s" } }
};

#define ROWS "CREATE TABLE t (id int PRIMARY KEY, s text);" \
             "INSERT INTO t SELECT i, 'PLAIN-' || i FROM " \
             "generate_series(1, 5) i"

static const struct way {
    const char *dsn;
    enum envl_status status;
    const char *message;
} ways[] = {
    { "host=db.example.org user=x password=hunter2", ENVL_E_POLICY,
      "unprotected" },
    { "host=db.example.org sslmode=require password=hunter2", ENVL_E_POLICY,
      "unprotected" },
    { "host=localhost,db.example.org", ENVL_E_POLICY, "unprotected" },
    { "hostaddr=192.0.2.1 host=localhost", ENVL_E_POLICY, "unprotected" },
    { "postgresql://u:hunter2@192.0.2.1:5433/db?sslmode=verify-ca",
      ENVL_E_POLICY, "unprotected" },
    { "host=127.0.0.1 port=1 dbname=x password=hunter2", ENVL_E_DATABASE,
      "cannot connect" },
    { "host=/nonexistent-folder", ENVL_E_DATABASE, "cannot connect" },
    { "hunter2", ENVL_E_USAGE, "cannot be parsed" },
    { "host=x hunter2", ENVL_E_USAGE, "cannot be parsed" },
    { "postgresql://u@h/db?hunter2=1", ENVL_E_USAGE, "cannot be parsed" },
    { "", ENVL_E_NOTFOUND, "DATABASE_URL is not set" },
};

static void
only_protected_ways_are_gone(void **state)
{
    struct rig rig;

    (void)state;
    memset(&rig, 0, sizeof(rig));
    rig_host(&rig);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (rig_try_open(&rig, ways[i].dsn) != ways[i].status ||
            strstr(rig.err.message, ways[i].message) == NULL)
            fail_msg("%s: %s", ways[i].dsn, rig.err.message);
        assert_null(strstr(rig.err.message, "hunter2"));
        assert_null(strstr(rig.err.hint, "hunter2"));
    }
}

static enum envl_status
open_source(struct rig *rig, const char *member, const char *argument)
{
    struct envl_store *store = NULL;
    enum envl_status status;
    char source[256];

    snprintf(source, sizeof(source), "{\"driver\":\"postgres\",\"%s\":\"%s\"}",
             member, argument);
    status = OPS->open(source, &rig->host, &store, &rig->err);
    OPS->close(store);
    return status;
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fprintf(file, "%s\n", text);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void
a_file_or_a_service_names_the_connection(void **state)
{
    char dir[64], path[80], text[256];
    const char *tmp = getenv("TMPDIR");
    struct rig rig;

    (void)state;
    rig_open(&rig, "SELECT 1");
    snprintf(dir, sizeof(dir), "%s/envl-test-XXXXXX",
             tmp == NULL || strlen(tmp) > 40 ? "/tmp" : tmp);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/dsn", dir);
    write_file(path, rig.dsn, 0600);
    assert_int_equal(open_source(&rig, "dsn_file", path), ENVL_OK);
    write_file(path, rig.dsn, 0644);
    assert_int_equal(open_source(&rig, "dsn_file", path), ENVL_E_POLICY);
    write_file(path, "", 0600);
    assert_int_equal(open_source(&rig, "dsn_file", path), ENVL_E_USAGE);
    unlink(path);
    assert_int_equal(open_source(&rig, "dsn_file", path), ENVL_E_NOTFOUND);

    snprintf(text, sizeof(text), "[here]\nhost=%s/s\nuser=postgres\n"
             "dbname=postgres", cluster_dir());
    write_file(path, text, 0600);
    setenv("PGSERVICEFILE", path, 1);
    assert_int_equal(open_source(&rig, "service", "here"), ENVL_OK);
    assert_int_equal(open_source(&rig, "service", "there"),
                     ENVL_E_DATABASE);
    assert_int_equal(open_source(&rig, "path", "x"), ENVL_E_USAGE);
    unsetenv("PGSERVICEFILE");
    unlink(path);
    rmdir(dir);
    rig_close(&rig);
}

static void
the_session_is_ours_and_the_store_is_told_apart(void **state)
{
    const struct envl_store_info *info, *other_info;
    struct envl_store *other;
    struct rig rig;

    (void)state;
    rig_open(&rig, "SELECT 1");
    other = rig_store(&rig);
    info = OPS->info(rig.store);
    other_info = OPS->info(other);
    assert_string_equal(info->driver, "postgres");
    assert_non_null(strstr(info->server, "PostgreSQL "));
    assert_string_equal(info->identity, other_info->identity);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM pg_stat_activity "
                                "WHERE application_name = 'envelope'"), 2);
    OPS->close(other);
    rig_close(&rig);
    rig_open_with(&rig, "", "SELECT 1");
    other = rig_store(&rig);
    rig_close(&rig);
    rig_open(&rig, "SELECT 1");
    assert_string_not_equal(OPS->info(rig.store)->identity,
                            OPS->info(other)->identity);
    OPS->close(other);
    rig_close(&rig);
}

/* ---- what breaks in the middle ------------------------------------------ */

static void
cut(struct rig *rig)
{
    rig_sql(rig, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'envelope'");
}

static void
a_lost_connection_is_said_and_never_an_end(void **state)
{
    struct envl_read read = { .rows = 2 };
    struct envl_commit commit = { .record = NULL };
    enum envl_outcome outcomes[5];
    struct envl_edit edit = rig_edit(0, 0, 0, "sealed");
    struct envl_page *page = NULL, *none = NULL;
    struct rig rig;

    (void)state;
    for (int when = 0; when < 4; when++) {
        rig_open(&rig, ROWS);
        rig_bind(&rig, &plain);
        page = rig_read(&rig);
        if (when == 0)
            cut(&rig);
        if (OPS->read_begin(rig.target, &read, &rig.err) == ENVL_OK) {
            enum envl_status status;

            if (when == 1) /* the answer may have been on its way already */
                cut(&rig);
            status = OPS->read_end(rig.target, &none, &rig.err);
            assert_true(status == ENVL_OK || (status == ENVL_E_DATABASE &&
                                              when < 2));
            assert_true(status != ENVL_OK || (none->count == 2 && !none->end));
        }
        OPS->page_free(none);
        if (when >= 2) {
            assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes),
                             ENVL_OK);
            cut(&rig);
            if (OPS->commit_begin(rig.store, &commit, &rig.err) == ENVL_OK)
                assert_int_equal(OPS->commit_end(rig.store, &rig.err),
                                 ENVL_E_DATABASE);
        }
        none = NULL;
        OPS->rollback(rig.store);
        assert_int_not_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
        assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                    "s LIKE 'PLAIN%'"), 5);
        OPS->page_free(page);
        rig_close(&rig);
    }
}

static void
a_server_that_crashes_keeps_what_was_committed(void **state)
{
    struct envl_edit edit = rig_edit(0, 0, 0, "sealed");
    enum envl_outcome outcomes[5];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    assert_int_equal(rig_write_one(&rig, page, edit), ENVL_WRITTEN);
    edit.row = 1;
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes), ENVL_OK);
    assert_true(cluster_again("immediate"));
    assert_int_equal(rig_commit(&rig), ENVL_E_DATABASE);
    PQreset(rig.other);
    rig_sql(&rig, "SET log_min_duration_statement = -1");
    rig_assert_text(&rig, "SELECT s FROM t WHERE id = 1", "sealed");
    rig_assert_text(&rig, "SELECT s FROM t WHERE id = 2", "PLAIN-2");
    OPS->page_free(page);
    rig_reopen(&rig, "postgres");
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    assert_int_equal(page->count, 5);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_table_that_is_altered_meanwhile_stops_the_sweep(void **state)
{
    static const char *const changes[] = {
        "ALTER TABLE t DROP COLUMN s", "ALTER TABLE t RENAME s TO r",
        "DROP TABLE t", "ALTER TABLE t RENAME TO u",
        "ALTER TABLE t ALTER s TYPE bytea USING s::bytea",
    };
    struct envl_edit edit = rig_edit(0, 0, 0, "sealed");
    struct envl_read read = { .rows = 2 };
    struct envl_page *page, *none = NULL;
    enum envl_outcome outcomes[5];
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        rig_open(&rig, ROWS);
        rig_bind(&rig, &plain);
        page = rig_read(&rig);
        assert_int_equal(rig_write_one(&rig, page, rig_edit(4, 0, 0, "x")),
                         ENVL_WRITTEN);
        rig_sql(&rig, changes[i]);
        assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes),
                         ENVL_E_DATABASE);
        assert_non_null(strstr(rig.err.message, "public.t"));
        assert_int_equal(OPS->read_begin(rig.target, &read, &rig.err),
                         ENVL_OK);
        assert_int_equal(OPS->read_end(rig.target, &none, &rig.err),
                         ENVL_E_DATABASE);
        assert_non_null(strstr(rig.err.hint, "envelope plan"));
        OPS->page_free(page);
        rig_close(&rig);
    }
}

static void
an_error_never_repeats_a_value(void **state)
{
    static const struct rig_target target = {
        .table = "t", .where = "s::int > 0", .fields = { { .column = "s" } }
    };
    struct envl_read read = { .rows = 2 };
    struct envl_page *none = NULL;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &target);
    assert_int_equal(OPS->read_begin(rig.target, &read, &rig.err), ENVL_OK);
    assert_int_equal(OPS->read_end(rig.target, &none, &rig.err),
                     ENVL_E_DATABASE);
    assert_null(strstr(rig.err.message, "PLAIN"));
    assert_non_null(strstr(rig.err.message, "22P02"));
    rig_close(&rig);
}

static void
a_serializable_default_changes_nothing(void **state)
{
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_sql(&rig, "ALTER ROLE postgres SET default_transaction_isolation = "
            "'serializable'; ALTER ROLE postgres SET "
            "default_transaction_read_only = on");
    rig_reopen(&rig, "postgres");
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    assert_int_equal(rig_write_one(&rig, page, rig_edit(0, 0, 0, "x")),
                     ENVL_WRITTEN);
    OPS->page_free(page);
    rig_sql(&rig, "ALTER ROLE postgres RESET ALL");
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_protected_ways_are_gone),
        cmocka_unit_test(a_file_or_a_service_names_the_connection),
        cmocka_unit_test(the_session_is_ours_and_the_store_is_told_apart),
        cmocka_unit_test(a_lost_connection_is_said_and_never_an_end),
        cmocka_unit_test(a_server_that_crashes_keeps_what_was_committed),
        cmocka_unit_test(a_table_that_is_altered_meanwhile_stops_the_sweep),
        cmocka_unit_test(an_error_never_repeats_a_value),
        cmocka_unit_test(a_serializable_default_changes_nothing),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
