/*
 * Guards for writers that have no right but on the table, beside other
 * writers, and in the server's log.  spec: MIG-61, MIG-64, MIG-65, MIG-66
 */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "guard_rig.h"

#define CANARY "plain-canary-5e1f"

static const struct rig_target plain = { .table = "t",
                                         .fields = { { .column = "s" } } };

static const char make_roles[] =
    "DROP ROLE IF EXISTS app; DROP ROLE IF EXISTS keeper;"
    "CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN;"
    "CREATE TABLE t (id int PRIMARY KEY, s text, d jsonb);"
    "ALTER TABLE t OWNER TO keeper; GRANT ALL ON DATABASE postgres TO keeper;"
    "GRANT INSERT, UPDATE, SELECT ON t TO app";

static PGconn *
connect_as(const char *role)
{
    char dsn[160];
    PGconn *conn;

    snprintf(dsn, sizeof(dsn), "host=%s/s user=%s dbname=postgres",
             cluster_dir(), role);
    conn = PQconnectdb(dsn);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

static void
run(PGconn *conn, const char *sql, bool works)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if ((status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) != works)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
}

static void
drop_roles(struct rig *rig)
{
    rig_sql(rig, "DROP SCHEMA IF EXISTS envelope CASCADE; DROP TABLE t; "
            "DROP OWNED BY app, keeper; DROP ROLE app; DROP ROLE keeper");
}

static void
writers_need_no_right_but_on_the_table(void **state)
{
    static const struct rig_target spec = {
        .table = "t", .where = "id > 0",
        .fields = { { .column = "s" },
                    { .column = "d", .path = { "l", "[*]" } } },
    };
    struct rig rig;
    PGconn *app;

    (void)state;
    rig_open(&rig, make_roles);
    rig_sql(&rig, "ALTER DEFAULT PRIVILEGES FOR ROLE keeper REVOKE EXECUTE "
            "ON FUNCTIONS FROM PUBLIC");
    rig_reopen(&rig, "keeper");
    rig_bind(&rig, &spec);
    guard_assert_set(&rig, ENVL_GUARD_OBSERVE);
    app = connect_as("app");
    /* A name that would be found first, were it looked for at a write. */
    run(app, "CREATE TEMP SEQUENCE hidden; CREATE FUNCTION "
        "pg_temp.starts_with(text, text) RETURNS bool LANGUAGE sql AS "
        "'SELECT true'; SET search_path = pg_temp, public", true);
    run(app, "INSERT INTO t VALUES (1,'plain',NULL),"
        "(2,NULL,'{\"l\":[\"plain\"]}'),(3,'env1:k:A','{}')", true);
    guard_assert_stage(&rig, ENVL_GUARD_OBSERVE, 2);
    run(app, "UPDATE t SET s = 'env1:k:A', d = NULL", true);
    guard_assert_set(&rig, ENVL_GUARD_STRICT);
    run(app, "INSERT INTO t VALUES (4,'plain',NULL)", false);
    run(app, "INSERT INTO t VALUES (4,NULL,'{\"l\":[\"plain\"]}')", false);
    run(app, "INSERT INTO t VALUES (4,NULL,'{\"l\":[\"env1:k:A\"]}')", true);
    /* And gets none: neither the counter nor the function is its to use. */
    run(app, "DO 'BEGIN PERFORM nextval(c.oid::regclass) FROM pg_class c "
        "WHERE c.relname LIKE ''guard_%'' AND c.relkind = ''S''; END'", false);
    run(app, "CREATE TEMP TABLE mine (s text); DO 'BEGIN EXECUTE (SELECT "
        "format(''CREATE TRIGGER x BEFORE INSERT ON mine FOR EACH ROW "
        "EXECUTE FUNCTION envelope.%I()'', proname) FROM pg_proc WHERE "
        "proname LIKE ''guard_%'' AND pronargs = 0); END'", false);
    PQfinish(app);
    drop_roles(&rig);
    rig_close(&rig);
}

static void
who_is_not_the_owner_is_told_who_is(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, make_roles);
    rig_sql(&rig, "GRANT SELECT (ctid, xmin) ON t TO app");
    rig_reopen(&rig, "app");
    rig_bind(&rig, &plain);
    assert_int_equal(guard_set_to(&rig, ENVL_GUARD_OBSERVE), ENVL_E_POLICY);
    assert_non_null(strstr(rig.err.message, "keeper"));
    guard_assert_stage(&rig, ENVL_GUARD_OFF, 0);
    rig_reopen(&rig, "keeper");
    rig_bind(&rig, &plain);
    guard_assert_set(&rig, ENVL_GUARD_OBSERVE);
    /* Whoever sweeps can look. */
    rig_reopen(&rig, "app");
    rig_bind(&rig, &plain);
    rig_sql(&rig, "INSERT INTO t VALUES (1,'plain')");
    guard_assert_stage(&rig, ENVL_GUARD_OBSERVE, 1);
    drop_roles(&rig);
    rig_close(&rig);
}

static void
no_log_line_shows_what_was_refused(void **state)
{
    static const char *const value[] = { "1", CANARY "-bound" };
    struct rig rig;
    PGresult *result;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text, d jsonb)");
    rig_bind(&rig, &plain);
    guard_assert_set(&rig, ENVL_GUARD_STRICT);
    assert_false(guard_gap(&rig, "log shows the text"));
    rig_sql(&rig, "RESET log_min_duration_statement");
    rig_sql(&rig, "SET log_min_error_statement = debug5");
    assert_false(guard_says(&rig, "INSERT INTO t VALUES (1,'" CANARY "')",
                            CANARY));
    /* Bound ones a server that is told to log durations logs by itself. */
    rig_sql(&rig, "SET log_min_duration_statement = -1");
    result = PQexecParams(rig.other, "INSERT INTO t VALUES ($1, $2)", 2,
                          NULL, value, NULL, NULL, 0);
    assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
    assert_null(strstr(PQresultErrorMessage(result), CANARY));
    PQclear(result);
    result = PQexec(rig.other, "COPY t (id, s) FROM STDIN");
    PQclear(result);
    PQputCopyData(rig.other, "1\t" CANARY "-copied\n", 0);
    PQputCopyEnd(rig.other, NULL);
    while ((result = PQgetResult(rig.other)) != NULL)
        PQclear(result);
    assert_true(cluster_log_holds("plaintext is refused in public.t"));
    assert_false(cluster_log_holds(CANARY));
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t"), 0);

    /* The twin: refused by something else, the same log shows it. */
    rig_sql(&rig, "SET session_replication_role = replica");
    assert_true(guard_says(&rig, "INSERT INTO t VALUES (1,'" CANARY "')",
                           CANARY));
    assert_true(cluster_log_holds(CANARY));
    rig_close(&rig);
}

/* Without the right to hush, that is named, and bound values stay out. */
static void
a_log_that_cannot_be_hushed_is_a_gap(void **state)
{
    static const char *const value[] = { "1", CANARY "-keeper" };
    struct rig rig;
    PGresult *result;

    (void)state;
    rig_open(&rig, make_roles);
    rig_reopen(&rig, "keeper");
    rig_bind(&rig, &plain);
    guard_assert_set(&rig, ENVL_GUARD_MODERATE);
    assert_true(guard_gap(&rig, "log shows the text"));
    result = PQexecParams(rig.other, "INSERT INTO t VALUES ($1, $2)", 2,
                          NULL, value, NULL, NULL, 0);
    assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
    PQclear(result);
    assert_false(cluster_log_holds(CANARY "-keeper"));
    if (PQserverVersion(rig.other) >= 150000) {
        rig_sql(&rig, "GRANT SET ON PARAMETER log_min_error_statement, "
                "log_error_verbosity TO keeper");
        guard_assert_set(&rig, ENVL_GUARD_OFF);
        guard_assert_set(&rig, ENVL_GUARD_MODERATE);
        assert_false(guard_gap(&rig, "log shows the text"));
        rig_sql(&rig, "RESET log_min_duration_statement");
        assert_false(guard_says(&rig, "INSERT INTO t VALUES (1,'" CANARY
                                "-quiet')", CANARY));
        assert_false(cluster_log_holds(CANARY "-quiet"));
    }
    drop_roles(&rig);
    rig_close(&rig);
}

/* ---- locks -------------------------------------------------------------- */

static void *
let_go(void *cookie)
{
    struct timespec time = { 1, 200000000 };

    nanosleep(&time, NULL);
    run(cookie, "COMMIT", true);
    return NULL;
}

static void
a_table_in_use_is_asked_for_again(void **state)
{
    struct rig rig;
    pthread_t thread;
    PGconn *app;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text)");
    rig_bind(&rig, &plain);
    app = connect_as("postgres");
    run(app, "BEGIN; INSERT INTO t VALUES (1,'plain')", true);
    assert_int_equal(pthread_create(&thread, NULL, let_go, app), 0);
    guard_assert_set(&rig, ENVL_GUARD_MODERATE);
    pthread_join(thread, NULL);
    guard_refuses(&rig, "INSERT INTO t VALUES (2,'plain')");
    /* A writer from before MODERATE cannot slip past STRICT. */
    guard_assert_set(&rig, ENVL_GUARD_OBSERVE);
    rig_sql(&rig, "DELETE FROM t");
    run(app, "BEGIN; INSERT INTO t VALUES (3,'plain')", true);
    assert_int_equal(pthread_create(&thread, NULL, let_go, app), 0);
    assert_int_equal(guard_set_to(&rig, ENVL_GUARD_STRICT), ENVL_E_FINDINGS);
    pthread_join(thread, NULL);
    guard_assert_stage(&rig, ENVL_GUARD_MODERATE, 2);
    PQfinish(app);
    rig_close(&rig);
}

static void
counting_writers_do_not_wait_for_each_other(void **state)
{
    struct rig rig;
    PGconn *first, *second;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id int PRIMARY KEY, s text)");
    rig_bind(&rig, &plain);
    guard_assert_set(&rig, ENVL_GUARD_OBSERVE);
    first = connect_as("postgres");
    second = connect_as("postgres");
    run(second, "SET lock_timeout = '100ms'", true);
    run(first, "BEGIN; INSERT INTO t VALUES (1,'plain')", true);
    run(second, "INSERT INTO t VALUES (2,'plain')", true);
    run(first, "ROLLBACK", true);
    guard_assert_stage(&rig, ENVL_GUARD_OBSERVE, 2);
    PQfinish(first);
    PQfinish(second);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writers_need_no_right_but_on_the_table),
        cmocka_unit_test(who_is_not_the_owner_is_told_who_is),
        cmocka_unit_test(a_log_that_cannot_be_hushed_is_a_gap),
        cmocka_unit_test(no_log_line_shows_what_was_refused),
        cmocka_unit_test(a_table_in_use_is_asked_for_again),
        cmocka_unit_test(counting_writers_do_not_wait_for_each_other),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
