/*
 * The file itself: what is refused, what fails clearly and loses nothing, what
 * is left on disk, and other processes that write at the same time.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

#define TABLE "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT);" \
              "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 " \
              "FROM c WHERE i < 2000) INSERT INTO t " \
              "SELECT i, 'PLAINTEXT-' || i FROM c;"

static const struct rig_target target = { .table = "t",
                                          .fields = { { .column = "s" } } };

static void
what_cannot_be_opened_is_refused_by_name(void **state)
{
    static const struct {
        const char *source; /* %s: the folder */
        const char *tail;
        enum envl_status status;
        const char *says;
    } cases[] = {
        { "", "/none.db\"}", ENVL_E_NOTFOUND, "no SQLite file" },
        { "", "/\"}", ENVL_E_NOTFOUND, "no SQLite file" },
        { "", "/text.db\"}", ENVL_E_DATABASE, "not a SQLite database" },
        { "file:", "/t.db?mode=ro\"}", ENVL_E_NOTFOUND, "for writing" },
        { "file:", "/t.db?immutable=1\"}", ENVL_E_USAGE, "immutable" },
        { "file:", "/t.db?nolock=1\"}", ENVL_E_USAGE, "nolock" },
        { "file:", "/t.db?vfs=unix-none\"}", ENVL_E_USAGE, "vfs" },
        { "file:", "/t.db?cache=shared\"}", ENVL_E_USAGE, "cache" },
        { "file:", "/none.db?mode=rwc\"}", ENVL_E_NOTFOUND,
          "no SQLite file" },
        { "file:", "/t.db?mode=memory\"}", ENVL_E_USAGE, "in memory" },
        { "", "/t.db\",\"dsn_env\":\"X\"}", ENVL_E_USAGE, "dsn_env" },
    };
    struct rig rig;
    FILE *text;
    char path[160];

    (void)state;
    rig_open(&rig, TABLE);
    snprintf(path, sizeof(path), "%s/text.db", rig.dir);
    text = fopen(path, "w");
    assert_non_null(text);
    for (int i = 0; i < 200; i++)
        fputs("this is no database, though it is long enough\n", text);
    fclose(text);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig other = rig;
        enum envl_status status;
        char source[256];

        other.store = NULL;
        snprintf(source, sizeof(source), "{\"driver\":\"sqlite\",\"path\":"
                 "\"%s%s%s", cases[i].source, rig.dir, cases[i].tail);
        status = rig_try_open(&other, source);
        if (status != cases[i].status ||
            strstr(other.err.message, cases[i].says) == NULL)
            fail_msg("%s: status %d, %s", source, (int)status,
                     other.err.message);
        assert_null(other.store);
    }
    snprintf(path, sizeof(path), "%s/none.db", rig.dir);
    assert_int_equal(access(path, F_OK), -1);
    rig_close(&rig);
}

static void
memory_and_nothing_are_no_files(void **state)
{
    static const char *const sources[] = {
        "{\"path\":\":memory:\"}", "{\"path\":\"\"}", "{}",
        "{\"path\":5}", "[]", "nonsense",
    };
    struct rig rig;

    (void)state;
    memset(&rig, 0, sizeof(rig));
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        assert_int_equal(rig_try_open(&rig, sources[i]), ENVL_E_USAGE);
        assert_null(rig.store);
    }
}

/* ---- sweeping ----------------------------------------------------------- */

/* Seal all with "ENVELOPE-..."; the first status that is not ok. */
static enum envl_status
sweep(struct rig *rig, uint32_t rows)
{
    struct envl_edit *edits = calloc(rows, sizeof(*edits));
    enum envl_outcome *outcomes = calloc(rows, sizeof(*outcomes));
    struct envl_read read = { .rows = rows, .bytes = 1u << 20 };
    struct envl_page *page = NULL, *last = NULL;
    enum envl_status status;
    bool end = false;

    assert_non_null(edits);
    assert_non_null(outcomes);
    do {
        status = OPS->read_begin(rig->target, &read, &rig->err);
        if (status == ENVL_OK)
            status = OPS->read_end(rig->target, &page, &rig->err);
        if (status != ENVL_OK)
            break;
        OPS->page_free(last);
        last = page;
        end = page->end;
        for (uint32_t i = 0; i < page->count; i++)
            edits[i] = rig_edit(i, 0, 0, "ENVELOPE-0123456789012345678901234"
                                "567890123456789012345678901234567890");
        status = rig_write(rig, page, edits, page->count, outcomes);
        if (status == ENVL_OK)
            status = rig_commit(rig);
        if (page->count > 0)
            read.after = page->rows[page->count - 1].key;
    } while (status == ENVL_OK && !end);
    OPS->page_free(last);
    free(edits);
    free(outcomes);
    return status;
}

static void
nothing_that_was_sealed_is_left_on_disk(void **state)
{
    static const char *const modes[] = { "WAL", "DELETE", "PERSIST",
                                         "TRUNCATE" };
    static const char *const tables[] = {
        TABLE,
        "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, s TEXT);"
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
        "WHERE i < 2000) INSERT INTO t SELECT (i * 7919) % 10007, "
        "'PLAINTEXT-' || i || substr(hex(zeroblob(3000)), 1, i * 3) FROM c;",
        "CREATE TABLE t (id TEXT PRIMARY KEY, s TEXT) WITHOUT ROWID;"
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
        "WHERE i < 2000) INSERT INTO t SELECT (i * 7919) % 10007, "
        "'PLAINTEXT-' || i FROM c;",
    };

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        char sql[1024];
        struct rig rig;

        snprintf(sql, sizeof(sql), "PRAGMA secure_delete = OFF; "
                 "PRAGMA journal_mode = %s; %s", modes[i % 4], tables[i / 4]);
        rig_open(&rig, sql);
        rig_bind(&rig, &target);
        assert_true(rig_on_disk(&rig, "PLAINTEXT-"));
        assert_int_equal(sweep(&rig, 300), ENVL_OK);
        assert_int_equal(OPS->finish(rig.store, &rig.err), ENVL_OK);
        if (strstr(rig.notes, "VACUUM") != NULL)
            fail_msg("%d: %s", (int)i, rig.notes);
        assert_false(rig_on_disk(&rig, "PLAINTEXT-"));
        assert_true(rig_on_disk(&rig, "ENVELOPE-"));
        OPS->unbind(rig.target);
        OPS->close(rig.store);
        rig.store = NULL;
        rig.target = NULL;
        rig_assert_text(&rig, "PRAGMA integrity_check", "ok");
        assert_false(rig_on_disk(&rig, "PLAINTEXT-"));
        rig_close(&rig);
    }
}

/*
 * The negative twin: what an application left without secure_delete is found,
 * is out of a sweep's reach, and is gone after the VACUUM that finish names.
 */
static void
remnants_from_before_the_sweep_need_the_vacuum_that_is_noted(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "PRAGMA secure_delete = OFF; " TABLE
             "CREATE TABLE old AS SELECT 'PLAINTEXT-' || hex(zeroblob(400)) "
             "FROM t; DROP TABLE old;");
    rig_bind(&rig, &target);
    assert_non_null(strstr(rig.notes, "free pages, which may hold"));
    assert_int_equal(sweep(&rig, 300), ENVL_OK);
    assert_int_equal(OPS->finish(rig.store, &rig.err), ENVL_OK);
    assert_true(rig_on_disk(&rig, "PLAINTEXT-"));
    assert_non_null(strstr(rig.notes, "hold text of rows"));
    rig_sql(&rig, "VACUUM");
    assert_false(rig_on_disk(&rig, "PLAINTEXT-"));
    rig_close(&rig);
}

static void
a_reader_that_keeps_the_log_is_said_and_not_hidden(void **state)
{
    sqlite3_stmt *reader;
    struct rig rig;

    (void)state;
    rig_open(&rig, "PRAGMA journal_mode = WAL; " TABLE);
    rig_bind(&rig, &target);
    assert_int_equal(sqlite3_prepare_v2(rig.other, "SELECT s FROM t", -1,
                                        &reader, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(reader), SQLITE_ROW);
    assert_int_equal(sweep(&rig, 500), ENVL_OK);
    assert_int_equal(OPS->finish(rig.store, &rig.err), ENVL_E_LOCKED);
    assert_non_null(strstr(rig.err.message, "still holds plaintext"));
    sqlite3_finalize(reader);
    assert_int_equal(OPS->finish(rig.store, &rig.err), ENVL_OK);
    assert_false(rig_on_disk(&rig, "PLAINTEXT-"));
    rig_close(&rig);
}

static void
the_journal_mode_is_left_as_it_was(void **state)
{
    static const char *const modes[] = { "wal", "delete" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char sql[512], path[160];
        struct stat found;
        struct rig rig;

        snprintf(sql, sizeof(sql), "PRAGMA journal_mode = %s; " TABLE,
                 modes[i]);
        rig_open(&rig, sql);
        rig_bind(&rig, &target);
        assert_non_null(strstr(OPS->info(rig.store)->server, modes[i]));
        assert_int_equal(sweep(&rig, 500), ENVL_OK);
        OPS->unbind(rig.target);
        OPS->close(rig.store);
        rig.target = NULL;
        rig.store = NULL;
        rig_assert_text(&rig, "PRAGMA journal_mode", modes[i]);
        snprintf(path, sizeof(path), "%s-journal", rig.path);
        assert_int_equal(stat(path, &found), -1);
        rig_close(&rig);
    }
}

/* ---- what goes wrong on the way ----------------------------------------- */

static void
a_changed_schema_stops_with_a_clear_error(void **state)
{
    static const struct {
        const char *sql;
        bool stops;
    } cases[] = {
        { "ALTER TABLE t DROP COLUMN n", true },
        { "ALTER TABLE t RENAME TO u", true },
        { "ALTER TABLE t RENAME COLUMN s TO z", true },
        { "DROP TABLE t", true },
        { "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, s, x)",
          true },
        { "CREATE UNIQUE INDEX i ON t (s)", true },
        { "CREATE TRIGGER r AFTER UPDATE ON t BEGIN SELECT 1; END", true },
        { "CREATE TABLE other (x)", false },
        { "CREATE VIEW w AS SELECT 1", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct envl_read read = { .rows = 10, .bytes = 1000 };
        struct envl_edit edit = rig_edit(0, 0, 0, "E");
        enum envl_outcome outcomes[10];
        enum envl_status expected = cases[i].stops ? ENVL_E_DATABASE
                                                   : ENVL_OK;
        struct envl_page *page;
        struct rig rig;

        rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, s, n);"
                 "INSERT INTO t VALUES (1, 'plain', 2)");
        rig_bind(&rig, &target);
        page = rig_read(&rig);
        rig_sql(&rig, cases[i].sql);
        if (rig_write(&rig, page, &edit, 1, outcomes) != expected)
            fail_msg("%s: %s", cases[i].sql, rig.err.message);
        if (cases[i].stops)
            assert_non_null(strstr(rig.err.message, "the definition of t"));
        else
            assert_int_equal(rig_commit(&rig), ENVL_OK);
        assert_int_equal(OPS->read_begin(rig.target, &read, &rig.err),
                         expected);
        OPS->page_free(page);
        rig_close(&rig);
    }
}

static void
a_disk_that_takes_no_more_loses_nothing(void **state)
{
    struct rlimit before, small;
    enum envl_status status;
    struct stat found;
    struct rig rig;

    (void)state;
    rig_open(&rig, TABLE);
    rig_bind(&rig, &target);
    assert_int_equal(stat(rig.path, &found), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t)found.st_size + 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status = sweep(&rig, 2000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, ENVL_E_DATABASE);
    assert_non_null(strstr(rig.err.message, "input or output failed"));
    rig_assert_text(&rig, "PRAGMA integrity_check", "ok");
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE s LIKE "
                                "'PLAINTEXT-%'"), 2000);
    assert_int_equal(sweep(&rig, 2000), ENVL_OK);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE s LIKE "
                                "'ENVELOPE-%'"), 2000);
    rig_close(&rig);
}

static void
a_damaged_file_is_said_to_be_damaged(void **state)
{
    char junk[4096];
    struct rig rig;
    int file;

    (void)state;
    rig_open(&rig, TABLE);
    rig_bind(&rig, &target);
    memset(junk, 0x5a, sizeof(junk));
    file = open(rig.path, O_WRONLY);
    for (int i = 2; i < 8; i++)
        assert_int_equal(pwrite(file, junk, sizeof(junk), i * 4096), 4096);
    close(file);
    rig_sql(&rig, "PRAGMA user_version = 7"); /* drop cached pages */
    assert_int_equal(sweep(&rig, 2000), ENVL_E_DATABASE);
    assert_non_null(strstr(rig.err.message, "damaged"));
    rig_close(&rig);
}

static void
a_file_that_was_replaced_is_not_written(void **state)
{
    char moved[128];
    struct rig rig;

    (void)state;
    rig_open(&rig, TABLE);
    rig_bind(&rig, &target);
    snprintf(moved, sizeof(moved), "%s/moved.db", rig.dir);
    assert_int_equal(rename(rig.path, moved), 0);
    assert_int_equal(sweep(&rig, 100), ENVL_E_DATABASE);
    assert_non_null(strstr(rig.err.message, "moved or replaced"));
    assert_int_equal(rename(moved, rig.path), 0);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_opened_is_refused_by_name),
        cmocka_unit_test(memory_and_nothing_are_no_files),
        cmocka_unit_test(nothing_that_was_sealed_is_left_on_disk),
        cmocka_unit_test(
            remnants_from_before_the_sweep_need_the_vacuum_that_is_noted),
        cmocka_unit_test(a_reader_that_keeps_the_log_is_said_and_not_hidden),
        cmocka_unit_test(the_journal_mode_is_left_as_it_was),
        cmocka_unit_test(a_changed_schema_stops_with_a_clear_error),
        cmocka_unit_test(a_disk_that_takes_no_more_loses_nothing),
        cmocka_unit_test(a_damaged_file_is_said_to_be_damaged),
        cmocka_unit_test(a_file_that_was_replaced_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
