/*
 * What the SQLite plugin costs: its table of functions sweeps a table (read,
 * compare-and-swap of a 200-character value, checkpoint, commit), beside a
 * bare UPDATE to the same length in one transaction.  Interleaved, each run on
 * a fresh copy of the same file.
 *   bench_sqlite [ROWS [ROUNDS [PAGE [SCHEMA [JOURNAL]]]]]
 * SCHEMA: rowid, text, without.  The last line is the ratio of the medians.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include <envelope/migrator.h>

#define ENVELOPE_LEN 200

extern const struct envl_migrator envl_migrator_v1;

struct bench {
    char base[128], copy[128]; /* files */
    const char *schema, *journal;
    uint32_t rows, page;
    struct envl_host host;
};

static void
die(const char *what)
{
    fprintf(stderr, "bench_sqlite: %s\n", what);
    exit(1);
}

static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
}

static enum envl_status
host_fail(struct envl_error *err, enum envl_status status, const char *message)
{
    return envl_fail(err, status, "%s", message);
}

static void
host_hint(struct envl_error *err, const char *message)
{
    envl_hint(err, "%s", message);
}

/* ---- the table ---------------------------------------------------------- */

static void
make_base(const struct bench *bench)
{
    const char *table = "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, "
                        "name TEXT, at INTEGER)";
    const char *key = "i";
    char sql[512];
    sqlite3 *db;

    if (strcmp(bench->schema, "text") == 0)
        table = "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, s TEXT, "
                "name TEXT, at INTEGER)";
    if (strcmp(bench->schema, "without") == 0)
        table = "CREATE TABLE t (id TEXT PRIMARY KEY, s TEXT, name TEXT, "
                "at INTEGER) WITHOUT ROWID";
    if (strcmp(bench->schema, "rowid") != 0)
        key = "printf('key-%012d', i)";
    if (sqlite3_open(bench->base, &db) != SQLITE_OK)
        die("cannot make a database");
    snprintf(sql, sizeof(sql), "PRAGMA journal_mode = %s", bench->journal);
    run(db, sql);
    run(db, "BEGIN");
    run(db, table);
    snprintf(sql, sizeof(sql), "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL "
             "SELECT i + 1 FROM c WHERE i < %u) INSERT INTO t SELECT %s, "
             "substr(printf('sk-%%d-%%050d', i, i), 1, 51), "
             "'name ' || i, i FROM c", bench->rows, key);
    run(db, sql);
    run(db, "COMMIT");
    sqlite3_close(db);
}

static void
copy_base(const struct bench *bench)
{
    static char bytes[1 << 20];
    FILE *in = fopen(bench->base, "rb"), *out = fopen(bench->copy, "wb");
    size_t len;

    if (in == NULL || out == NULL)
        die("cannot copy the database");
    while ((len = fread(bytes, 1, sizeof(bytes), in)) > 0) {
        if (fwrite(bytes, 1, len, out) != len)
            die("cannot copy the database");
    }
    if (fflush(out) != 0 || fsync(fileno(out)) != 0)
        die("cannot copy the database");
    fclose(in);
    fclose(out);
}

/* ---- the two ------------------------------------------------------------ */

static double
bare(const struct bench *bench)
{
    char sql[512];
    double start;
    sqlite3 *db;

    copy_base(bench);
    if (sqlite3_open(bench->copy, &db) != SQLITE_OK)
        die("cannot open the copy");
    run(db, "PRAGMA synchronous = FULL");
    snprintf(sql, sizeof(sql), "UPDATE t SET s = "
             "substr('x' || s || hex(zeroblob(100)), 1, %d)", ENVELOPE_LEN);
    start = now();
    run(db, "BEGIN");
    run(db, sql);
    run(db, "COMMIT");
    start = now() - start;
    sqlite3_close(db);
    return start;
}

static void
check(enum envl_status status, const struct envl_error *err)
{
    if (status != ENVL_OK)
        die(err->message);
}

static void
sweep(struct envl_store *store, struct envl_target *target, uint32_t rows)
{
    static char envelope[ENVELOPE_LEN];
    struct envl_edit *edits = calloc(rows, sizeof(*edits));
    enum envl_outcome *outcomes = calloc(rows, sizeof(*outcomes));
    struct envl_record record = { .job = "bench", .epoch = 1, .owner = "me",
                                  .body = envl_bytes_of("{}") };
    struct envl_commit commit = { .record = &record, .ttl_ms = 15000 };
    struct envl_read read = { .rows = rows, .bytes = 4u << 20 };
    struct envl_page *page = NULL, *next;
    struct envl_error err;

    memset(envelope, 'E', sizeof(envelope));
    check(envl_migrator_v1.read_begin(target, &read, &err), &err);
    check(envl_migrator_v1.read_end(target, &page, &err), &err);
    while (page->count > 0) {
        for (uint32_t i = 0; i < page->count; i++)
            edits[i] = (struct envl_edit){ i, 0, 0, {
                ENVL_KIND_TEXT, { (uint8_t *)envelope, ENVELOPE_LEN } } };
        read.after = page->rows[page->count - 1].key;
        check(envl_migrator_v1.read_begin(target, &read, &err), &err);
        check(envl_migrator_v1.write_begin(target, page, edits, page->count,
                                           &err), &err);
        check(envl_migrator_v1.read_end(target, &next, &err), &err);
        check(envl_migrator_v1.write_end(target, outcomes, &err), &err);
        for (uint32_t i = 0; i < page->count; i++) {
            if (outcomes[i] != ENVL_WRITTEN)
                die("a row was not written");
        }
        check(envl_migrator_v1.commit_begin(store, &commit, &err), &err);
        check(envl_migrator_v1.commit_end(store, &err), &err);
        envl_migrator_v1.page_free(page);
        page = next;
    }
    envl_migrator_v1.page_free(page);
    free(edits);
    free(outcomes);
}

static double
plugin(const struct bench *bench)
{
    const struct envl_field_spec field = { .column = "s" };
    const struct envl_target_spec spec = { .table = "t", .fields = &field,
                                           .field_count = 1 };
    struct envl_record record = { .job = "bench", .epoch = 1, .owner = "me",
                                  .body = envl_bytes_of("{}") };
    struct envl_store *store = NULL;
    struct envl_target *target = NULL;
    struct envl_error err;
    char source[256];
    double start;

    copy_base(bench);
    snprintf(source, sizeof(source), "{\"path\":\"%s\"}", bench->copy);
    check(envl_migrator_v1.open(source, &bench->host, &store, &err), &err);
    check(envl_migrator_v1.state_setup(store, &err), &err);
    check(envl_migrator_v1.state_take(store, &record, 600000, &err), &err);
    check(envl_migrator_v1.bind(store, &spec, &target, &err), &err);
    start = now();
    sweep(store, target, bench->page);
    start = now() - start;
    envl_migrator_v1.unbind(target);
    envl_migrator_v1.close(store);
    return start;
}

static int
compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

int
main(int argc, char **argv)
{
    struct bench bench = {
        .rows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 200000,
        .page = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 5000,
        .schema = argc > 4 ? argv[4] : "rowid",
        .journal = argc > 5 ? argv[5] : "DELETE",
        .host = { .size = sizeof(bench.host), .fail = host_fail,
                  .hint = host_hint, .lock_ms = 250, .statement_ms = 60000 },
    };
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5;
    const char *tmp = getenv("TMPDIR");
    char dir[96];
    double times[2][32];

    snprintf(dir, sizeof(dir), "%s/envl-bench-XXXXXX",
             tmp == NULL ? "/tmp" : tmp);
    if (rounds == 0 || rounds > 32 || mkdtemp(dir) == NULL)
        die("no folder, or not 1 to 32 rounds");
    snprintf(bench.base, sizeof(bench.base), "%s/base.db", dir);
    snprintf(bench.copy, sizeof(bench.copy), "%s/copy.db", dir);
    make_base(&bench);
    for (unsigned i = 0; i < rounds; i++) {
        times[0][i] = bare(&bench);
        times[1][i] = plugin(&bench);
        printf("bare %.0f rows/s, plugin %.0f rows/s, ratio %.2f\n",
               bench.rows / times[0][i], bench.rows / times[1][i],
               times[0][i] / times[1][i]);
    }
    qsort(times[0], rounds, sizeof(double), compare);
    qsort(times[1], rounds, sizeof(double), compare);
    printf("%s, %s, %u rows, pages of %u: median ratio %.2f (best %.2f)\n",
           bench.schema, bench.journal, bench.rows, bench.page,
           times[0][rounds / 2] / times[1][rounds / 2],
           times[0][0] / times[1][0]);
    unlink(bench.base);
    unlink(bench.copy);
    rmdir(dir);
    return 0;
}
