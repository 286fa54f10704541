/*
 * The plugin's loop, as the engine drives it, beside a bare UPDATE.
 *
 *     bench_postgres [rows [rounds [page [work_ns [by_value]]]]]
 *
 * Each round runs the bare UPDATE (batches of 5,000 by key, a transaction
 * each) and the loop (read, write, fenced record, the next page read ahead;
 * ${work_ns} of work for each row in place of sealing) in turn, on fresh
 * copies of one database, and prints rows a second and the server's CPU time
 * a row; then the ratios' medians.  ${by_value}: 1 compares values by digest,
 * not row versions.  Columns: text of 51 characters to
 * 200, and one member of a jsonb document of 1 KB.
 */
#include <time.h>

#include "../postgres/rig.h"

struct score {
    double rate, cpu;
};

static struct rig rig;
static uint32_t rows = 200000, rounds = 5, page_rows = 5000, work_ns = 3000;
static bool by_value;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of processor time of one process so far. */
static double
cpu_of(long pid)
{
    unsigned long long ns = 0;
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%ld/schedstat", pid);
    file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%llu", &ns) != 1)
            ns = 0;
        fclose(file);
    }
    return (double)ns / 1e9;
}

/* ---- databases ---------------------------------------------------------- */

static PGconn *
connect_to(const char *database)
{
    char dsn[160];
    PGconn *conn;

    snprintf(dsn, sizeof(dsn), "host=%s/s user=postgres dbname=%s",
             cluster_dir(), database);
    conn = PQconnectdb(dsn);
    if (PQstatus(conn) != CONNECTION_OK) {
        fprintf(stderr, "%s", PQerrorMessage(conn));
        exit(1);
    }
    return conn;
}

static void
run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s: %s", sql, PQresultErrorMessage(result));
        exit(1);
    }
    PQclear(result);
}

static void
make_base(const char *columns, const char *select)
{
    PGconn *conn = connect_to("postgres");
    char sql[1024];

    run(conn, "DROP DATABASE IF EXISTS base");
    run(conn, "CREATE DATABASE base");
    PQfinish(conn);
    conn = connect_to("base");
    snprintf(sql, sizeof(sql), "CREATE TABLE t (id bigint PRIMARY KEY, %s, "
             "name text, updated_at timestamptz)", columns);
    run(conn, sql);
    snprintf(sql, sizeof(sql), "INSERT INTO t SELECT i, %s, 'name ' || i, "
             "now() FROM generate_series(1, %u) i", select, rows);
    run(conn, sql);
    run(conn, "VACUUM (FREEZE, ANALYZE) t");
    PQfinish(conn);
}

static void
make_copy(void)
{
    PGconn *conn = connect_to("postgres");

    run(conn, "DROP DATABASE IF EXISTS copy");
    run(conn, "CREATE DATABASE copy TEMPLATE base STRATEGY FILE_COPY");
    run(conn, "CHECKPOINT");
    PQfinish(conn);
    conn = connect_to("copy");
    run(conn, "SELECT sum(length(t::text)) FROM t");
    PQfinish(conn);
}

/* ---- the two runs ------------------------------------------------------- */

static struct score
run_bare(const char *set)
{
    PGconn *conn = connect_to("copy");
    long pid = PQbackendPID(conn);
    double began = now(), cpu = cpu_of(pid);
    struct score score;
    char sql[512];

    for (uint32_t low = 0; low < rows; low += 5000) {
        snprintf(sql, sizeof(sql), "UPDATE t SET %s WHERE id > %u AND "
                 "id <= %u", set, low, low + 5000);
        run(conn, sql);
    }
    score.rate = rows / (now() - began);
    score.cpu = (cpu_of(pid) - cpu) / rows * 1e6;
    PQfinish(conn);
    return score;
}

static void
need(enum envl_status status)
{
    if (status != ENVL_OK) {
        fprintf(stderr, "%s\n", rig.err.message);
        exit(1);
    }
}

static void
spin(uint32_t count)
{
    double until = now() + count * (work_ns / 1e9);

    while (now() < until)
        ;
}

static void
ask_page(struct envl_bytes after)
{
    struct envl_read read = { .after = after, .rows = page_rows,
                              .bytes = 1u << 24, .by_value = by_value };

    need(OPS->read_begin(rig.target, &read, &rig.err));
}

struct lane {
    struct envl_page *cur, *next;
    struct envl_edit *edits;
    enum envl_outcome *outcomes;
    struct envl_record record;
    uint64_t written;
    bool committing;
};

static void
commit_last(struct lane *lane)
{
    if (lane->committing)
        need(OPS->commit_end(rig.store, &rig.err));
    lane->committing = false;
}

/* One page: the order of calls is the engine's. */
static void
step(struct lane *lane, const char *envelope)
{
    struct envl_commit commit = { .record = &lane->record, .ttl_ms = 15000 };
    bool ahead = !lane->cur->end;

    if (ahead)
        ask_page(lane->cur->rows[lane->cur->count - 1].key);
    for (uint32_t i = 0; i < lane->cur->count; i++)
        lane->edits[i] = rig_edit(i, 0, 0, envelope);
    need(OPS->write_begin(rig.target, lane->cur, lane->edits,
                          lane->cur->count, &rig.err));
    commit_last(lane);
    lane->next = NULL;
    if (ahead) {
        need(OPS->read_end(rig.target, &lane->next, &rig.err));
        spin(lane->next->count);
    }
    need(OPS->write_end(rig.target, lane->outcomes, &rig.err));
    for (uint32_t i = 0; i < lane->cur->count; i++)
        lane->written += lane->outcomes[i] == ENVL_WRITTEN;
    need(OPS->commit_begin(rig.store, &commit, &rig.err));
    lane->committing = true;
    OPS->page_free(lane->cur);
    lane->cur = lane->next;
}

static long
pid_of_plugin(void)
{
    return rig_number(&rig, "SELECT pid FROM pg_stat_activity WHERE "
                      "application_name = 'envelope'");
}

static void
open_plugin(const struct rig_target *target)
{
    char dsn[160];

    snprintf(dsn, sizeof(dsn), "host=%s/s user=postgres dbname=copy",
             cluster_dir());
    rig.other = connect_to("copy");
    need(rig_try_open(&rig, dsn));
    need(OPS->state_setup(rig.store, &rig.err));
    need(rig_try_bind(&rig, target));
}

static struct score
run_plugin(const struct rig_target *target)
{
    struct lane lane = { .record = { .job = "bench", .number = 1, .epoch = 1,
                                     .owner = "me",
                                     .body = envl_bytes_of("{}") } };
    char envelope[201];
    struct score score;
    double began, cpu;
    long pid;

    memset(envelope, 'e', 200);
    envelope[200] = '\0';
    lane.edits = calloc(page_rows, sizeof(*lane.edits));
    lane.outcomes = calloc(page_rows, sizeof(*lane.outcomes));
    open_plugin(target);
    pid = pid_of_plugin();
    need(OPS->state_take(rig.store, &lane.record, 15000, &rig.err));
    began = now();
    cpu = cpu_of(pid);
    ask_page((struct envl_bytes){ NULL, 0 });
    need(OPS->read_end(rig.target, &lane.cur, &rig.err));
    spin(lane.cur->count);
    while (lane.cur != NULL && lane.cur->count > 0)
        step(&lane, envelope);
    OPS->page_free(lane.cur);
    commit_last(&lane);
    score.rate = rows / (now() - began);
    score.cpu = (cpu_of(pid) - cpu) / rows * 1e6;
    if (lane.written != rows)
        printf("only %llu rows written\n", (unsigned long long)lane.written);
    free(lane.edits);
    free(lane.outcomes);
    OPS->unbind(rig.target);
    OPS->close(rig.store);
    PQfinish(rig.other);
    rig.target = NULL;
    return score;
}

/* ---- rounds ------------------------------------------------------------- */

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(double *values)
{
    qsort(values, rounds, sizeof(*values), by_size);
    return values[rounds / 2];
}

static void
compare(const char *name, const char *set, const struct rig_target *target)
{
    double *rates = calloc(rounds, sizeof(*rates));
    double *cpus = calloc(rounds, sizeof(*cpus));

    for (uint32_t i = 0; i < rounds; i++) {
        struct score bare, plugin;

        make_copy();
        bare = run_bare(set);
        make_copy();
        plugin = run_plugin(target);
        rates[i] = plugin.rate / bare.rate;
        cpus[i] = plugin.cpu / bare.cpu;
        printf("  %s: bare %.0f rows/s, %.2f us; plugin %.0f rows/s, %.2f us;"
               " ratio %.2f, server CPU x %.2f\n", name, bare.rate, bare.cpu,
               plugin.rate, plugin.cpu, rates[i], cpus[i]);
        fflush(stdout);
    }
    printf("%s: median ratio %.2f, server CPU x %.2f\n", name, median(rates),
           median(cpus));
    free(rates);
    free(cpus);
}

static uint32_t
number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

int
main(int argc, char **argv)
{
    static const char *const settings[] = {
        "shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=15min",
        "autovacuum=off", "jit=off", NULL
    };
    static const struct rig_target text = {
        .table = "public.t", .fields = { { .column = "s" } }
    };
    static const struct rig_target member = {
        .table = "public.t",
        .fields = { { .column = "s", .path = { "token" } } }
    };

    rows = argc > 1 ? number(argv[1]) : rows;
    rounds = argc > 2 ? number(argv[2]) : rounds;
    page_rows = argc > 3 ? number(argv[3]) : page_rows;
    work_ns = argc > 4 ? number(argv[4]) : work_ns;
    by_value = argc > 5 && number(argv[5]) != 0;
    if (!cluster_available() || !cluster_start(settings))
        return 1;
    rig_host(&rig);
    make_base("s text", "'sk-live-' || lpad(i::text, 43, '0')");
    compare("text", "s = rpad('x' || s, 200, 'y')", &text);
    make_base("s jsonb", "jsonb_build_object('name', 'n' || i, 'pad', "
              "repeat('x', 880), 'limit', 1.50, 'token', 'tok-' || "
              "lpad(i::text, 47, '0'))");
    compare("jsonb", "s = jsonb_set(s, '{token}', to_jsonb(rpad('x' || "
            "(s ->> 'token'), 200, 'y')), false)", &member);
    cluster_stop();
    return 0;
}
