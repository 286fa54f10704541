/*
 * Zeroing what a page does not use must change nothing that SQLite sees: every
 * page of many random databases is scrubbed behind its back and read again.
 */
#include "rig.h"
#include "sqlite/scrub.h"

static uint64_t seed = 88172645463325252u;

static unsigned
chance(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

/* Inserts, growth, shrinking and deletes in three kinds of b-trees. */
static void
churn(struct rig *rig, unsigned acts)
{
    rig_sql(rig, "BEGIN");
    for (unsigned i = 0; i < acts; i++) {
        unsigned id = chance(400), len = chance(8) == 0 ? chance(9000)
                                                        : chance(200);
        char sql[512];

        switch (chance(4)) {
        case 0:
            snprintf(sql, sizeof(sql), "DELETE FROM t WHERE id = %u; "
                     "DELETE FROM w WHERE id = 'k%u'", id, id);
            break;
        case 1:
            snprintf(sql, sizeof(sql), "UPDATE t SET s = substr(s, 1, %u) "
                     "WHERE id > %u AND id < %u", len / 3, id, id + 9);
            break;
        default:
            snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO t VALUES (%u, "
                     "'PLAIN' || hex(randomblob(%u))); INSERT OR REPLACE "
                     "INTO w VALUES ('k%u', 'PLAIN' || %u)", id, len / 2 + 1,
                     id, len);
            break;
        }
        rig_sql(rig, sql);
    }
    rig_sql(rig, "COMMIT");
}

/* The bytes of the closed file. */
static uint8_t *
load(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *len = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(*len);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *len, file), *len);
    fclose(file);
    return bytes;
}

static unsigned
scrub_all(const char *path, size_t size, enum scrub_mode mode)
{
    size_t len;
    uint8_t *bytes = load(path, &len);
    unsigned scrubbed = 0;
    FILE *file;

    for (size_t at = 0; at + size <= len; at += size)
        scrubbed += scrub_page(bytes + at, size, at == 0, mode);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
    free(bytes);
    return scrubbed;
}

static void
fingerprint(struct rig *rig, char out[128])
{
    sqlite3_stmt *all;
    uint64_t sum = 1469598103934665603u;

    assert_int_equal(sqlite3_prepare_v2(rig->other, "SELECT id || s FROM t "
                     "UNION ALL SELECT id || s FROM w UNION ALL "
                     "SELECT sql FROM sqlite_schema", -1, &all, NULL),
                     SQLITE_OK);
    while (sqlite3_step(all) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(all, 0);

        for (; text != NULL && *text != '\0'; text++)
            sum = (sum ^ *text) * 1099511628211u;
    }
    sqlite3_finalize(all);
    snprintf(out, 128, "%016llx", (unsigned long long)sum);
}

static void
a_scrubbed_database_is_the_same_database(void **state)
{
    static const unsigned sizes[] = { 512, 1024, 4096, 65536 };
    static const char *const vacuums[] = { "NONE", "FULL", "INCREMENTAL" };
    unsigned rounds = getenv("ENVL_TEST_QUICK") != NULL ? 12 : 60;
    unsigned scrubbed = 0;

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        char sql[512], before[128], after[128];
        struct rig rig;

        snprintf(sql, sizeof(sql), "PRAGMA page_size = %u; "
                 "PRAGMA auto_vacuum = %s; PRAGMA secure_delete = OFF; "
                 "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT);"
                 "CREATE INDEX i ON t (s);"
                 "CREATE TABLE w (id TEXT PRIMARY KEY, s TEXT) WITHOUT ROWID",
                 sizes[i % 4], vacuums[i / 4 % 3]);
        rig_open(&rig, sql);
        churn(&rig, 100 + chance(600));
        fingerprint(&rig, before);
        OPS->close(rig.store);
        rig.store = NULL;
        sqlite3_close(rig.other);
        scrubbed += scrub_all(rig.path, sizes[i % 4], i / 4 % 3 == 0
                              ? SCRUB_SURE : SCRUB_CAREFUL);
        assert_int_equal(sqlite3_open(rig.path, &rig.other), SQLITE_OK);
        rig_assert_text(&rig, "PRAGMA integrity_check", "ok");
        fingerprint(&rig, after);
        assert_string_equal(after, before);
        churn(&rig, 200);
        rig_assert_text(&rig, "PRAGMA integrity_check", "ok");
        rig_close(&rig);
    }
    assert_true(scrubbed > rounds * 5);
}

static void
what_is_no_sound_page_is_left_alone(void **state)
{
    uint8_t page[512], copy[512];

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        static const uint8_t types[] = { 2, 5, 10, 13 };

        for (size_t k = 0; k < sizeof(page); k++)
            page[k] = (uint8_t)chance(256);
        page[0] = types[chance(4)];
        page[3] = (uint8_t)chance(2); /* few cells, or it is refused early */
        memcpy(copy, page, sizeof(page));
        /* Whatever is accepted: no cell pointer and no header changes. */
        if (scrub_page(page, sizeof(page), false, SCRUB_SURE)) {
            size_t head = page[0] < 10 ? 12 : 8;
            size_t end = head + 2 * ((size_t)page[3] << 8 | page[4]);

            assert_memory_equal(page, copy, end);
        } else {
            assert_memory_equal(page, copy, sizeof(page));
        }
    }
}

static void
pages_are_written_without_what_they_do_not_use(void **state)
{
    const struct rig_target target = { .table = "t",
                                       .fields = { { .column = "s" } } };
    struct envl_edit edits[400];
    enum envl_outcome outcomes[400];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, "PRAGMA secure_delete = OFF; CREATE TABLE t (id INTEGER "
             "PRIMARY KEY, s TEXT); CREATE TABLE w (id TEXT PRIMARY KEY, s)");
    churn(&rig, 1500);
    rig_sql(&rig, "DROP TABLE w; VACUUM; UPDATE t SET s = 'PLAIN' || "
            "substr(s, 6, 40); DELETE FROM t WHERE id % 3 = 0");
    assert_true(rig_on_disk(&rig, "PLAIN"));
    rig_bind(&rig, &target);
    page = rig_read(&rig);
    assert_true(page->count <= 400);
    for (uint32_t i = 0; i < page->count; i++)
        edits[i] = rig_edit(i, 0, 0, "sealed-sealed-sealed");
    assert_int_equal(rig_write(&rig, page, edits, page->count, outcomes),
                     ENVL_OK);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    OPS->page_free(page);
    rig_assert_text(&rig, "PRAGMA integrity_check", "ok");
    rig_sql(&rig, "VACUUM");
    assert_false(rig_on_disk(&rig, "PLAIN"));
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scrubbed_database_is_the_same_database),
        cmocka_unit_test(what_is_no_sound_page_is_left_alone),
        cmocka_unit_test(pages_are_written_without_what_they_do_not_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
