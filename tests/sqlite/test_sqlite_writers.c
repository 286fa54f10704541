/*
 * Other processes write, and the sweeping process is killed, all the time: no
 * write of an application is lost, and nothing is sealed twice (I1, I2, I7).
 *
 * An application writes a row and, in the same transaction, what it wrote into
 * a second table.  A row is then what its application wrote last, or that
 * sealed, which here is "E:" and the value.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

#define ROWS 60

static const struct rig_target target = { .table = "t",
                                          .fields = { { .column = "s" } } };

static uint64_t seed;

static unsigned
chance(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

static void
nap(unsigned us)
{
    const struct timespec time = { 0, (long)us * 1000 };

    nanosleep(&time, NULL);
}

/* ---- the application ---------------------------------------------------- */

/* Write for ever, until killed; exits with 1 on what should not happen. */
static void
write_for_ever(const char *path, unsigned number)
{
    unsigned count = 0;
    sqlite3 *db;

    seed = 88172645463325252u + number;
    if (sqlite3_open(path, &db) != SQLITE_OK)
        _exit(1);
    sqlite3_busy_timeout(db, 20000);
    for (;;) {
        unsigned id = chance(ROWS) + 1, act = chance(10);
        char sql[512];

        count++;
        if (act == 0)
            snprintf(sql, sizeof(sql), "BEGIN IMMEDIATE; DELETE FROM t WHERE "
                     "id = %u; DELETE FROM truth WHERE id = %u; COMMIT", id,
                     id);
        else
            snprintf(sql, sizeof(sql), "BEGIN IMMEDIATE; "
                     "INSERT INTO t VALUES (%u, 'w%u-%u') ON CONFLICT DO "
                     "UPDATE SET s = excluded.s; "
                     "INSERT OR REPLACE INTO truth VALUES (%u, 'w%u-%u'); "
                     "COMMIT", id, number, count, id, number, count);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
            _exit(1);
        nap(chance(3000));
    }
}

static pid_t
begin(void (*work)(const char *path, unsigned number), const char *path,
      unsigned number)
{
    pid_t child;

    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        work(path, number);
        _exit(0);
    }
    return child;
}

/* ---- the sweep ---------------------------------------------------------- */

/* A writer that commits, or a journal that is rolled back, locks readers. */
static struct envl_page *
read_page(struct rig *rig, struct envl_bytes after, uint32_t rows)
{
    struct envl_read read = { .after = after, .rows = rows,
                              .bytes = 1u << 20 };
    struct envl_page *page = NULL;
    enum envl_status status;

    do {
        status = OPS->read_begin(rig->target, &read, &rig->err);
        if (status == ENVL_OK)
            status = OPS->read_end(rig->target, &page, &rig->err);
    } while (status == ENVL_E_LOCKED);
    if (status != ENVL_OK)
        fail_msg("%s", rig->err.message);
    return page;
}

static void
open_and_bind(struct rig *rig, const char *path)
{
    enum envl_status status;
    char source[160];

    snprintf(source, sizeof(source), "{\"path\":\"%s\"}", path);
    do {
        status = rig_try_open(rig, source);
    } while (status == ENVL_E_LOCKED);
    while (status == ENVL_OK &&
           (status = rig_try_bind(rig, &target)) == ENVL_E_LOCKED)
        status = ENVL_OK;
    if (status != ENVL_OK)
        fail_msg("%s", rig->err.message);
}

/* One pass; what is locked is tried again.  Returns the rows written. */
static uint32_t
pass(struct rig *rig, uint32_t rows)
{
    struct envl_edit *edits = calloc(rows, sizeof(*edits));
    enum envl_outcome *outcomes = calloc(rows, sizeof(*outcomes));
    char (*sealed)[64] = calloc(rows, sizeof(*sealed));
    struct envl_bytes after = { NULL, 0 };
    struct envl_page *page = NULL, *last = NULL;
    uint32_t written = 0;
    bool end = false;

    while (!end) {
        enum envl_status status;
        uint32_t count = 0;

        page = read_page(rig, after, rows);
        OPS->page_free(last);
        last = page;
        end = page->end;
        for (uint32_t i = 0; i < page->count; i++) {
            struct envl_bytes value = page->rows[i].leaves[0].value.bytes;

            if (value.len > 1 && memcmp(value.ptr, "E:", 2) == 0)
                continue;
            snprintf(sealed[i], 64, "E:%.*s", (int)value.len,
                     (const char *)value.ptr);
            edits[count++] = rig_edit(i, 0, 0, sealed[i]);
        }
        nap(3000); /* as sealing may take */
        do {
            status = rig_write(rig, page, edits, count, outcomes);
            if (status == ENVL_OK)
                status = rig_commit(rig);
        } while (status == ENVL_E_LOCKED);
        if (status != ENVL_OK)
            fail_msg("%s", rig->err.message);
        for (uint32_t i = 0; i < count; i++)
            written += outcomes[edits[i].row] == ENVL_WRITTEN ? 1 : 0;
        if (page->count > 0)
            after = page->rows[page->count - 1].key;
    }
    OPS->page_free(last);
    free(edits);
    free(outcomes);
    free(sealed);
    return written;
}

static void
sweep_for_ever(const char *path, unsigned number)
{
    struct rig rig;

    (void)number;
    memset(&rig, 0, sizeof(rig));
    open_and_bind(&rig, path);
    for (;;)
        pass(&rig, 50);
}

static void
end_child(pid_t child)
{
    int status;

    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status))
        fail_msg("a child ended by itself with %d", WEXITSTATUS(status));
}

static void
nothing_is_lost_between_writers_and_a_sweep_that_is_killed(void **state)
{
    static const char *const modes[] = { "WAL", "DELETE" };
    unsigned kills = getenv("ENVL_TEST_QUICK") != NULL ? 3 : 15;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        int64_t sealed = 0;
        pid_t writers[2];
        char sql[512];
        struct rig rig;

        snprintf(sql, sizeof(sql), "PRAGMA journal_mode = %s; "
                 "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT);"
                 "CREATE TABLE truth (id INTEGER PRIMARY KEY, s TEXT);"
                 "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                 "FROM c WHERE i < %d) INSERT INTO t SELECT i, 'p' || i "
                 "FROM c; INSERT INTO truth SELECT * FROM t", modes[i],
                 ROWS);
        rig_open(&rig, sql);
        OPS->close(rig.store);
        rig.store = NULL;
        writers[0] = begin(write_for_ever, rig.path, 1);
        writers[1] = begin(write_for_ever, rig.path, 2);
        seed = 1234567 + i;
        for (unsigned k = 0; k < kills || (sealed == 0 && k < 300); k++) {
            pid_t sweeper = begin(sweep_for_ever, rig.path, 0);

            nap(20000 + chance(100000));
            end_child(sweeper);
            sealed += rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                 "s LIKE 'E:%'");
        }
        end_child(writers[0]);
        end_child(writers[1]);
        rig_assert_text(&rig, "PRAGMA integrity_check", "ok");
        assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t FULL JOIN "
            "truth USING (id) WHERE t.s IS NOT truth.s AND "
            "t.s IS NOT 'E:' || truth.s"), 0);
        assert_true(sealed > 0);
        open_and_bind(&rig, rig.path);
        pass(&rig, 100);
        assert_int_equal(pass(&rig, 100), 0);
        assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t FULL JOIN "
            "truth USING (id) WHERE t.s IS NOT 'E:' || truth.s"), 0);
        rig_close(&rig);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            nothing_is_lost_between_writers_and_a_sweep_that_is_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
