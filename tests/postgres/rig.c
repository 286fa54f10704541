#include <unistd.h>

#include "rig.h"

/* The spec of the last bind: one at a time is enough here. */
static struct {
    struct rig_target kept;
    struct envl_target_spec spec;
    struct envl_field_spec fields[4];
    struct envl_segment segments[4][6];
} bound;

/* ---- the host ----------------------------------------------------------- */

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

static void
host_note(void *cookie, enum envl_note level, const char *target,
          const char *text)
{
    static const char *const levels[] = { "INFO", "WARN", "DECIDE", "GRANT" };
    struct rig *rig = cookie;
    size_t len = strlen(rig->notes);

    (void)target;
    snprintf(rig->notes + len, sizeof(rig->notes) - len, "%s %s\n",
             levels[level], text);
}

void
rig_host(struct rig *rig)
{
    rig->host = (struct envl_host){
        .size = sizeof(rig->host), .fail = host_fail, .hint = host_hint,
        .note = host_note, .cookie = rig, .lock_ms = 150,
        .statement_ms = 15000,
    };
}

/* ---- opening ------------------------------------------------------------ */

#define SOURCE "{\"driver\":\"postgres\",\"dsn_env\":\"DATABASE_URL\"}"

enum envl_status
rig_try_open(struct rig *rig, const char *dsn)
{
    struct envl_store *store = NULL;
    enum envl_status status;

    setenv("DATABASE_URL", dsn, 1);
    status = OPS->open(SOURCE, &rig->host, &store, &rig->err);
    if (status == ENVL_OK)
        rig->store = store;
    else
        assert_null(store);
    return status;
}

struct envl_store *
rig_store(struct rig *rig)
{
    struct envl_store *mine = rig->store, *other;

    if (rig_try_open(rig, rig->dsn) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    other = rig->store;
    rig->store = mine;
    return other;
}

static PGconn *
connect_to(const char *database)
{
    char dsn[160];
    PGconn *conn;

    snprintf(dsn, sizeof(dsn), "host=%s/s user=postgres dbname=%s",
             cluster_dir(), database);
    conn = PQconnectdb(dsn);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

static void
run_sql(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
}

static void
ignore_notice(void *cookie, const char *message)
{
    (void)cookie;
    (void)message;
}

static void
begin(struct rig *rig, const char *database, const char *sql)
{
    rig->other = connect_to(database);
    PQsetNoticeProcessor(rig->other, ignore_notice, NULL);
    /* What the server logs is to be the plugin's doing only. */
    rig_sql(rig, "SET log_min_duration_statement = -1");
    if (strcmp(database, "postgres") == 0)
        rig_sql(rig, "DROP SCHEMA IF EXISTS public, envelope CASCADE;"
                "CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC");
    rig_sql(rig, sql);
    rig_host(rig);
    snprintf(rig->dsn, sizeof(rig->dsn), "host=%s/s user=postgres dbname=%s",
             cluster_dir(), database);
    if (rig_try_open(rig, rig->dsn) != ENVL_OK)
        fail_msg("%s", rig->err.message);
}

void
rig_open_with(struct rig *rig, const char *options, const char *sql)
{
    PGconn *admin = connect_to("postgres");
    char create[160];

    memset(rig, 0, sizeof(*rig));
    PQsetNoticeProcessor(admin, ignore_notice, NULL);
    run_sql(admin, "DROP DATABASE IF EXISTS rig WITH (FORCE)");
    snprintf(create, sizeof(create), "CREATE DATABASE rig %s", options);
    run_sql(admin, create);
    PQfinish(admin);
    begin(rig, "rig", sql);
}

void
rig_open(struct rig *rig, const char *sql)
{
    memset(rig, 0, sizeof(*rig));
    begin(rig, "postgres", sql);
}

void
rig_reopen(struct rig *rig, const char *role)
{
    char dsn[160];

    OPS->unbind(rig->target);
    OPS->close(rig->store);
    rig->target = NULL;
    rig->store = NULL;
    snprintf(dsn, sizeof(dsn), "host=%s/s user=%s dbname=postgres",
             cluster_dir(), role);
    if (rig_try_open(rig, dsn) != ENVL_OK)
        fail_msg("%s", rig->err.message);
}

void
rig_close(struct rig *rig)
{
    OPS->unbind(rig->target);
    OPS->close(rig->store);
    PQfinish(rig->other);
    memset(rig, 0, sizeof(*rig));
}

/* ---- binding ------------------------------------------------------------ */

static uint32_t
count_texts(const char *const *texts, uint32_t most)
{
    uint32_t count = 0;

    while (count < most && texts[count] != NULL)
        count++;
    return count;
}

static void
fill_field(uint32_t index)
{
    const struct rig_field *field = &bound.kept.fields[index];
    struct envl_field_spec *out = &bound.fields[index];

    out->column = field->column;
    out->into = field->into;
    out->element_id = field->element_id;
    out->keep_source = field->keep_source;
    out->path.segments = bound.segments[index];
    out->path.count = count_texts(field->path, 6);
    for (uint32_t i = 0; i < out->path.count; i++) {
        const char *text = field->path[i];
        enum envl_segment_kind kind =
            strcmp(text, "*") == 0 ? ENVL_SEGMENT_ANY_MEMBER
            : strcmp(text, "[*]") == 0 ? ENVL_SEGMENT_ANY_ELEMENT
                                       : ENVL_SEGMENT_MEMBER;

        bound.segments[index][i] = (struct envl_segment){
            kind, envl_bytes_of(text), 0
        };
    }
}

enum envl_status
rig_try_bind(struct rig *rig, const struct rig_target *target)
{
    struct envl_target_spec *spec = &bound.spec;
    struct rig_target copy = *target;

    OPS->unbind(rig->target);
    rig->target = NULL;
    rig->notes[0] = '\0';
    memset(&bound, 0, sizeof(bound));
    bound.kept = copy;
    spec->table = bound.kept.table;
    spec->key_count = count_texts(bound.kept.keys, 4);
    spec->keys = spec->key_count == 0 ? NULL : bound.kept.keys;
    spec->where = bound.kept.where;
    spec->extras = bound.kept.extras;
    spec->extra_count = count_texts(bound.kept.extras, 4);
    spec->fields = bound.fields;
    while (spec->field_count < 4 &&
           bound.kept.fields[spec->field_count].column != NULL)
        fill_field(spec->field_count++);
    return OPS->bind(rig->store, spec, &rig->target, &rig->err);
}

void
rig_bind(struct rig *rig, const struct rig_target *spec)
{
    if (rig_try_bind(rig, spec) != ENVL_OK)
        fail_msg("%s", rig->err.message);
}

/* ---- the application ---------------------------------------------------- */

void
rig_sql(struct rig *rig, const char *sql)
{
    run_sql(rig->other, sql);
}

long
rig_number(struct rig *rig, const char *sql)
{
    PGresult *result = PQexec(rig->other, sql);
    long number;

    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    number = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return number;
}

void
rig_assert_text(struct rig *rig, const char *sql, const char *expected)
{
    PGresult *result = PQexec(rig->other, sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    if (expected == NULL)
        assert_true(PQgetisnull(result, 0, 0));
    else
        assert_string_equal(PQgetvalue(result, 0, 0), expected);
    PQclear(result);
}

/* ---- reading and writing ------------------------------------------------ */

struct envl_page *
rig_read_as(struct rig *rig, const struct envl_read *read)
{
    struct envl_page *page = NULL;

    if (OPS->read_begin(rig->target, read, &rig->err) != ENVL_OK ||
        OPS->read_end(rig->target, &page, &rig->err) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    return page;
}

struct envl_page *
rig_read(struct rig *rig)
{
    struct envl_read read = { .rows = 1000, .bytes = 1u << 22 };

    return rig_read_as(rig, &read);
}

struct envl_edit
rig_edit(uint32_t row, uint32_t leaf, uint32_t flags, const char *text)
{
    return (struct envl_edit){
        row, leaf, flags,
        { text == NULL ? ENVL_KIND_ABSENT : ENVL_KIND_TEXT,
          envl_bytes_of(text) }
    };
}

enum envl_status
rig_write(struct rig *rig, const struct envl_page *page,
          const struct envl_edit *edits, uint32_t count,
          enum envl_outcome *outcomes)
{
    enum envl_status status;

    status = OPS->write_begin(rig->target, page, edits, count, &rig->err);
    if (status == ENVL_OK)
        status = OPS->write_end(rig->target, outcomes, &rig->err);
    return status;
}

enum envl_status
rig_commit(struct rig *rig)
{
    struct envl_commit commit = { .record = NULL };
    enum envl_status status;

    status = OPS->commit_begin(rig->store, &commit, &rig->err);
    if (status == ENVL_OK)
        status = OPS->commit_end(rig->store, &rig->err);
    return status;
}

enum envl_outcome
rig_write_one(struct rig *rig, const struct envl_page *page,
              struct envl_edit edit)
{
    enum envl_outcome *outcomes = calloc(page->count, sizeof(*outcomes));
    enum envl_outcome outcome;

    assert_non_null(outcomes);
    if (rig_write(rig, page, &edit, 1, outcomes) != ENVL_OK ||
        rig_commit(rig) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    outcome = outcomes[edit.row];
    free(outcomes);
    return outcome;
}

/* ---- assertions --------------------------------------------------------- */

void
rig_assert_bytes(struct envl_bytes bytes, const char *text)
{
    if (bytes.len != strlen(text) ||
        (bytes.len > 0 && memcmp(bytes.ptr, text, bytes.len) != 0))
        fail_msg("\"%.*s\" is not \"%s\"", (int)bytes.len,
                 (const char *)bytes.ptr, text);
}

void
rig_assert_cell(struct envl_cell cell, enum envl_kind kind, const char *text)
{
    assert_int_equal(cell.kind, kind);
    rig_assert_bytes(cell.bytes, text);
}

void
rig_assert_note(const struct rig *rig, const char *text)
{
    if (strstr(rig->notes, text) == NULL)
        fail_msg("no note \"%s\" among:\n%s", text, rig->notes);
}

/* ---- the cluster -------------------------------------------------------- */

int
rig_setup(void **state)
{
    static const char *const settings[] = {
        "log_min_duration_statement=0", "autovacuum=off", NULL
    };

    (void)state;
    return cluster_start(settings) ? 0 : -1;
}

int
rig_teardown(void **state)
{
    (void)state;
    cluster_stop();
    return 0;
}
