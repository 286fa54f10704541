/*
 * Whole batches against a model: random edits of a page, after an application
 * has changed, deleted and inserted rows; whatever form the plugin writes in,
 * a row is written if and only if it is as it was read.
 */
#include "rig.h"

#define ROWS 120

static uint64_t seed = 88172645463325252u;

static unsigned
chance(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

/* A row as the application sees it: quote(s), quote(n), quote(x). */
struct model {
    bool there;
    char s[48], n[48], x[48];
};

static void
look(struct rig *rig, struct model *rows)
{
    sqlite3_stmt *all;

    memset(rows, 0, ROWS * sizeof(*rows));
    assert_int_equal(sqlite3_prepare_v2(rig->other, "SELECT CAST(substr(id, "
                     "2) AS INTEGER), quote(s), quote(n), quote(x) FROM v",
                     -1, &all, NULL), SQLITE_OK);
    while (sqlite3_step(all) == SQLITE_ROW) {
        int id = sqlite3_column_int(all, 0);

        if (id < 0 || id >= ROWS)
            continue;
        rows[id].there = true;
        snprintf(rows[id].s, 48, "%s", sqlite3_column_text(all, 1));
        snprintf(rows[id].n, 48, "%s", sqlite3_column_text(all, 2));
        snprintf(rows[id].x, 48, "%s", sqlite3_column_text(all, 3));
    }
    sqlite3_finalize(all);
}

/* A key as SQL spells it. */
enum style { NUMBER, SORTED, UNSORTED };

static void
spell(char out[32], enum style style, unsigned number)
{
    if (style == NUMBER)
        snprintf(out, 32, "%u", number);
    else if (style == SORTED)
        snprintf(out, 32, "'k%05u'", number);
    else
        snprintf(out, 32, "'k%u'", number);
}

/* What an application may do to a row. */
static void
disturb(struct rig *rig, enum style style)
{
    static const char *const acts[] = {
        "UPDATE t SET s = 'app'",
        "UPDATE t SET n = 'app'",
        "UPDATE t SET x = 'app'",
        "UPDATE t SET s = upper(s)",
        "UPDATE t SET s = CAST(s AS BLOB)",
        "UPDATE t SET n = NULL",
        "DELETE FROM t",
        "UPDATE t SET s = s || ''",
    };
    unsigned count = chance(12);

    for (unsigned i = 0; i < count; i++) {
        char id[32], sql[160];

        spell(id, style, chance(ROWS));
        snprintf(sql, sizeof(sql), "%s WHERE id = %s", acts[chance(8)], id);
        rig_sql(rig, sql);
    }
    for (unsigned i = 0; i < chance(4); i++) {
        char id[32], sql[160];

        spell(id, style, ROWS + chance(ROWS));
        snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO t VALUES "
                 "(%s, 'late', 'late', 'late')", id);
        rig_sql(rig, sql);
    }
}

static void
fill(struct rig *rig, enum style style)
{
    rig_sql(rig, "DELETE FROM t; BEGIN");
    for (unsigned i = 0; i < ROWS; i++) {
        char id[32], sql[160];

        if (chance(10) == 0)
            continue;
        spell(id, style, i);
        snprintf(sql, sizeof(sql), "INSERT INTO t VALUES (%s, %s, %s, 'x')",
                 id, chance(9) == 0 ? "NULL" : "'plain'",
                 chance(3) == 0 ? "NULL" : "x'0102'");
        rig_sql(rig, sql);
    }
    rig_sql(rig, "COMMIT");
}

/* The number in "id=k00042", "id=42". */
static int
id_of(struct envl_bytes name)
{
    char text[64];

    snprintf(text, sizeof(text), "%.*s", (int)name.len,
             (const char *)name.ptr);
    return (int)strtol(text + strcspn(text, "0123456789"), NULL, 10);
}

struct plan {
    struct envl_edit edits[2 * ROWS];
    bool s[ROWS], n[ROWS]; /* by row of the page */
    uint32_t count;
};

static void
make_plan(struct plan *plan, const struct envl_page *page)
{
    unsigned some = chance(4), both = chance(3);

    memset(plan, 0, sizeof(*plan));
    for (uint32_t i = 0; i < page->count; i++) {
        if (chance(4) > some)
            continue;
        plan->s[i] = both != 1 || chance(2) == 0;
        plan->n[i] = both == 0 || (both == 1 && !plan->s[i]);
        if (plan->s[i])
            plan->edits[plan->count++] = rig_edit(i, 0, 0, "env1:s");
        if (plan->n[i])
            plan->edits[plan->count++] = rig_edit(i, 1, 0, "env1:n");
    }
}

static void
check_row(const struct model *read, const struct model *before,
          const struct model *after, const struct plan *plan, uint32_t row,
          enum envl_outcome outcome)
{
    bool s = plan->s[row], n = plan->n[row];
    bool as_read = before->there && (!s || strcmp(read->s, before->s) == 0) &&
                   (!n || strcmp(read->n, before->n) == 0);
    bool written = as_read && (s || n);

    assert_int_equal(after->there, before->there);
    assert_string_equal(after->s, written && s ? "'env1:s'" : before->s);
    assert_string_equal(after->n, written && n ? "'env1:n'" : before->n);
    assert_string_equal(after->x, before->x);
    if (!s && !n)
        assert_int_equal(outcome, 99);
    else if (written)
        assert_int_equal(outcome, ENVL_WRITTEN);
    else
        assert_int_equal(outcome, before->there ? ENVL_CHANGED : ENVL_GONE);
}

static void
round_of(struct rig *rig, enum style style)
{
    static struct model read[ROWS], before[ROWS], after[ROWS];
    static struct plan plan;
    enum envl_outcome outcomes[2 * ROWS];
    struct envl_page *page;

    fill(rig, style);
    look(rig, read);
    page = rig_read(rig);
    disturb(rig, style);
    look(rig, before);
    make_plan(&plan, page);
    for (uint32_t i = 0; i < page->count; i++)
        outcomes[i] = (enum envl_outcome)99;
    if (rig_write(rig, page, plan.edits, plan.count, outcomes) != ENVL_OK ||
        rig_commit(rig) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    look(rig, after);
    for (uint32_t i = 0; i < page->count; i++) {
        int id = id_of(page->rows[i].name);

        check_row(&read[id], &before[id], &after[id], &plan, i, outcomes[i]);
    }
    OPS->page_free(page);
}

static void
a_batch_is_written_exactly_where_it_still_fits(void **state)
{
    static const struct {
        const char *name, *schema;
        enum style style;
    } tables[] = {
        { "rowid", "CREATE TABLE t (id INTEGER PRIMARY KEY, s, n, x);"
          "CREATE VIEW v AS SELECT 'k' || id AS id, s, n, x FROM t", NUMBER },
        { "text key", "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, s, n, "
          "x); CREATE VIEW v AS SELECT * FROM t", SORTED },
        { "text key in another order", "CREATE TABLE t (id TEXT COLLATE "
          "NOCASE PRIMARY KEY NOT NULL, s COLLATE NOCASE, n, x);"
          "CREATE VIEW v AS SELECT * FROM t", UNSORTED },
        { "without rowid", "CREATE TABLE t (id TEXT PRIMARY KEY, s, n, x) "
          "WITHOUT ROWID; CREATE VIEW v AS SELECT * FROM t", SORTED },
        { "trigger", "CREATE TABLE t (id INTEGER PRIMARY KEY, s, n, x);"
          "CREATE TABLE log (i); CREATE TRIGGER r AFTER UPDATE ON t BEGIN "
          "INSERT INTO log VALUES (new.id); END;"
          "CREATE VIEW v AS SELECT 'k' || id AS id, s, n, x FROM t", NUMBER },
    };
    static const char *const modes[] = { "WAL", "DELETE" };
    unsigned rounds = getenv("ENVL_TEST_QUICK") != NULL ? 3 : 40;

    (void)state;
    for (size_t i = 0; i < 10; i++) {
        const struct rig_target target = {
            .table = "t", .fields = { { .column = "s" },
                                      { .column = "n" } } };
        char sql[64];
        struct rig rig;

        rig_open(&rig, tables[i / 2].schema);
        snprintf(sql, sizeof(sql), "PRAGMA journal_mode = %s", modes[i % 2]);
        rig_sql(&rig, sql);
        rig_bind(&rig, &target);
        for (unsigned k = 0; k < rounds; k++)
            round_of(&rig, tables[i / 2].style);
        rig_close(&rig);
    }
}

/* ---- constraints -------------------------------------------------------- */

static void
a_refused_row_does_not_take_the_batch_with_it(void **state)
{
    static const char *const schemas[] = {
        "CREATE TABLE t (id INTEGER PRIMARY KEY, s CHECK (s <> 'bad'))",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, s UNIQUE ON CONFLICT "
        "REPLACE)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, s); CREATE TRIGGER r "
        "BEFORE UPDATE ON t WHEN new.s = 'bad' BEGIN "
        "SELECT RAISE(ABORT, 'no'); END",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, s); CREATE TRIGGER r "
        "BEFORE UPDATE ON t WHEN new.s = 'bad' BEGIN "
        "SELECT RAISE(IGNORE); END",
    };
    const struct rig_target target = { .table = "t",
                                       .fields = { { .column = "s" } } };

    (void)state;
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        struct envl_edit edits[50];
        enum envl_outcome outcomes[50];
        char texts[50][16];
        struct envl_page *page;
        struct rig rig;

        rig_open(&rig, schemas[i]);
        rig_sql(&rig, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT "
                "i + 1 FROM c WHERE i < 50) INSERT INTO t SELECT i, i || "
                "'plain' FROM c");
        if (i == 1)
            rig_sql(&rig, "INSERT INTO t VALUES (999, 'bad')");
        rig_bind(&rig, &target);
        page = rig_read(&rig);
        for (uint32_t k = 0; k < 50; k++) {
            snprintf(texts[k], 16, "E%u", k);
            edits[k] = rig_edit(k, 0, 0, k == 20 ? "bad" : texts[k]);
        }
        assert_int_equal(rig_write(&rig, page, edits, 50, outcomes), ENVL_OK);
        assert_int_equal(rig_commit(&rig), ENVL_OK);
        for (uint32_t k = 0; k < 50; k++)
            assert_int_equal(outcomes[k], k == 20 ? ENVL_REFUSED
                                                  : ENVL_WRITTEN);
        assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                    "s LIKE 'E%'"), 49);
        rig_assert_text(&rig, "SELECT s FROM t WHERE id = 21", "21plain");
        if (i == 1)
            assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                        "id = 999"), 1);
        OPS->page_free(page);
        rig_close(&rig);
    }
}

static void
a_trigger_that_rewrites_the_envelope_stops_the_batch(void **state)
{
    const struct rig_target target = { .table = "t",
                                       .fields = { { .column = "s" } } };
    struct envl_edit edit = rig_edit(0, 0, 0, "env1:E");
    enum envl_outcome outcomes[1];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, s);"
             "CREATE TRIGGER r AFTER UPDATE OF s ON t BEGIN "
             "UPDATE t SET s = lower(new.s) WHERE id = new.id; END;"
             "INSERT INTO t VALUES (1, 'plain')");
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes),
                     ENVL_E_DATABASE);
    assert_non_null(strstr(rig.err.message, "a trigger of t changes"));
    rig_assert_text(&rig, "SELECT s FROM t", "plain");
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_trigger_that_rolls_back_is_an_error_and_loses_nothing(void **state)
{
    const struct rig_target target = { .table = "t",
                                       .fields = { { .column = "s" } } };
    struct envl_edit edit = rig_edit(0, 0, 0, "env1:E");
    enum envl_outcome outcomes[1];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, "CREATE TABLE t (id INTEGER PRIMARY KEY, s);"
             "CREATE TRIGGER r AFTER UPDATE ON t BEGIN "
             "SELECT RAISE(ROLLBACK, 'no'); END;"
             "INSERT INTO t VALUES (1, 'plain')");
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes),
                     ENVL_E_DATABASE);
    OPS->rollback(rig.store);
    rig_assert_text(&rig, "SELECT s FROM t", "plain");
    OPS->page_free(page);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_written_exactly_where_it_still_fits),
        cmocka_unit_test(a_refused_row_does_not_take_the_batch_with_it),
        cmocka_unit_test(a_trigger_that_rewrites_the_envelope_stops_the_batch),
        cmocka_unit_test(
            a_trigger_that_rolls_back_is_an_error_and_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
