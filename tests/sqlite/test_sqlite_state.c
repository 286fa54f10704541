/*
 * Records, leases, the fence, and the quarantine.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

#define TABLE "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT);" \
              "INSERT INTO t VALUES (1, 'plain');"

static struct envl_record
record(uint32_t number, uint64_t epoch, const char *owner)
{
    struct envl_record out = { .job = "job", .number = number,
                               .epoch = epoch, .owner = owner,
                               .body = envl_bytes_of("{\"a\":1}") };

    memset(out.mac, (int)(epoch + number), sizeof(out.mac));
    return out;
}

struct seen {
    uint32_t count;
    uint32_t number[8];
    uint64_t epoch[8];
    char owner[8][64];
    int64_t lease_ms[8];
    bool gone[8];
};

static enum envl_status
take_record(void *cookie, const struct envl_record *item,
            struct envl_error *err)
{
    struct seen *seen = cookie;
    uint32_t i = seen->count++;

    (void)err;
    assert_string_equal(item->job, "job");
    rig_assert_bytes(item->body, "{\"a\":1}");
    assert_int_equal(item->mac[31], (uint8_t)(item->epoch + item->number));
    seen->number[i] = item->number;
    seen->epoch[i] = item->epoch;
    snprintf(seen->owner[i], 64, "%s", item->owner);
    seen->lease_ms[i] = item->lease_ms;
    seen->gone[i] = item->owner_gone;
    return ENVL_OK;
}

static void
read_state(struct rig *rig, struct seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    assert_int_equal(OPS->state_read(rig->store, "job", take_record, seen,
                                     &rig->err), ENVL_OK);
}

static enum envl_status
take(struct rig *rig, uint32_t number, uint64_t epoch, const char *owner)
{
    struct envl_record next = record(number, epoch, owner);

    return OPS->state_take(rig->store, &next, 15000, &rig->err);
}

static enum envl_status
commit(struct rig *rig, uint32_t number, uint64_t epoch, const char *owner)
{
    struct envl_record put = record(number, epoch, owner);
    struct envl_commit with = { .record = &put, .ttl_ms = 15000 };
    enum envl_status status;

    status = OPS->commit_begin(rig->store, &with, &rig->err);
    return status == ENVL_OK ? OPS->commit_end(rig->store, &rig->err)
                             : status;
}

static void
without_tables_there_is_nothing(void **state)
{
    struct seen seen;
    struct rig rig;

    (void)state;
    rig_open(&rig, TABLE);
    read_state(&rig, &seen);
    assert_int_equal(seen.count, 0);
    assert_int_equal(OPS->quarantine_read(rig.store, "job", 10, NULL, NULL,
                                          &rig.err), ENVL_OK);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    read_state(&rig, &seen);
    assert_int_equal(seen.count, 0);
    rig_close(&rig);
}

static void
a_lease_is_taken_by_one_and_in_order(void **state)
{
    struct seen seen;
    struct rig rig;

    (void)state;
    rig_open(&rig, TABLE);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, 0, 2, "a"), ENVL_E_CONFLICT);
    assert_int_equal(take(&rig, 0, 1, "a"), ENVL_OK);
    assert_int_equal(take(&rig, 0, 1, "b"), ENVL_E_CONFLICT);
    assert_int_equal(take(&rig, 0, 2, "b"), ENVL_E_LOCKED);
    assert_non_null(strstr(rig.err.message, "held by a"));
    assert_int_equal(take(&rig, 0, 2, "a"), ENVL_OK);
    assert_int_equal(take(&rig, 1, 1, "b"), ENVL_OK);
    read_state(&rig, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.epoch[0], 2);
    assert_string_equal(seen.owner[0], "a");
    assert_in_range(seen.lease_ms[0], 10000, 15000);
    assert_false(seen.gone[0]);
    assert_int_equal(seen.number[1], 1);
    rig_close(&rig);
}

static void
a_lease_ends_by_release_or_by_time(void **state)
{
    struct envl_record held = record(0, 1, "a"), other = record(0, 1, "b");
    struct seen seen;
    struct rig rig;

    (void)state;
    rig_open(&rig, TABLE);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, 0, 1, "a"), ENVL_OK);
    assert_int_equal(OPS->state_release(rig.store, &other, &rig.err),
                     ENVL_OK);
    assert_int_equal(take(&rig, 0, 2, "b"), ENVL_E_LOCKED);
    assert_int_equal(OPS->state_release(rig.store, &held, &rig.err), ENVL_OK);
    read_state(&rig, &seen);
    assert_true(seen.lease_ms[0] <= 0);
    assert_string_equal(seen.owner[0], "");
    assert_int_equal(take(&rig, 0, 2, "b"), ENVL_OK);
    rig_sql(&rig, "UPDATE envelope_job SET lease_until = lease_until - "
            "15001");
    assert_int_equal(take(&rig, 0, 3, "c"), ENVL_OK);
    rig_close(&rig);
}

static void
an_owner_that_died_is_replaced_at_once(void **state)
{
    struct seen seen;
    struct rig rig;
    int status;
    pid_t child;

    (void)state;
    rig_open(&rig, TABLE);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        /* A connection does not survive a fork: the child opens its own. */
        char source[160];
        struct rig own = rig;

        snprintf(source, sizeof(source), "{\"path\":\"%s\"}", rig.path);
        own.store = NULL;
        _exit(rig_try_open(&own, source) == ENVL_OK &&
              take(&own, 0, 1, "child") == ENVL_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    read_state(&rig, &seen);
    assert_true(seen.gone[0]);
    assert_true(seen.lease_ms[0] > 0);
    assert_int_equal(take(&rig, 0, 2, "next"), ENVL_OK);
    read_state(&rig, &seen);
    assert_false(seen.gone[0]);
    rig_close(&rig);
}

static void
a_pid_that_is_used_again_is_not_the_owner(void **state)
{
    struct seen seen;
    struct rig rig;

    (void)state;
    rig_open(&rig, TABLE);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, 0, 1, "a"), ENVL_OK);
    /* The same boot, host and pid, started at another time. */
    rig_sql(&rig, "WITH p(w) AS (SELECT process FROM envelope_job) "
            "UPDATE envelope_job SET process = (SELECT replace(w, ' ' || "
            "CAST(substr(w, instr(substr(w, instr(w, ']') + 2), ' ') + "
            "instr(w, ']') + 2) AS INTEGER) || ' ', ' 1 ') FROM p)");
    read_state(&rig, &seen);
    assert_true(seen.gone[0]);
    rig_sql(&rig, "UPDATE envelope_job SET process = "
            "replace(process, ' 1 ', ' 1 elsewhere-')");
    read_state(&rig, &seen);
    assert_false(seen.gone[0]);
    rig_sql(&rig, "UPDATE envelope_job SET process = ''");
    read_state(&rig, &seen);
    assert_false(seen.gone[0]);
    rig_close(&rig);
}

static void
a_batch_behind_a_lost_lease_is_rolled_back(void **state)
{
    const struct rig_target target = { .table = "t",
                                       .fields = { { .column = "s" } } };
    struct envl_edit edit = rig_edit(0, 0, 0, "E");
    enum envl_outcome outcomes[1];
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, TABLE);
    rig_bind(&rig, &target);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, 0, 1, "a"), ENVL_OK);
    page = rig_read(&rig);
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes), ENVL_OK);
    assert_int_equal(commit(&rig, 0, 2, "a"), ENVL_E_CONFLICT);
    rig_assert_text(&rig, "SELECT s FROM t", "plain");
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes), ENVL_OK);
    assert_int_equal(commit(&rig, 0, 1, "b"), ENVL_E_CONFLICT);
    rig_assert_text(&rig, "SELECT s FROM t", "plain");
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes), ENVL_OK);
    assert_int_equal(commit(&rig, 0, 1, "a"), ENVL_OK);
    rig_assert_text(&rig, "SELECT s FROM t", "E");
    assert_int_equal(commit(&rig, 7, 1, "a"), ENVL_E_CONFLICT);
    OPS->page_free(page);
    rig_close(&rig);
}

static void
a_commit_extends_the_lease(void **state)
{
    struct seen seen;
    struct rig rig;

    (void)state;
    rig_open(&rig, TABLE);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, 1, 1, "a"), ENVL_OK);
    rig_sql(&rig, "UPDATE envelope_range SET lease_until = lease_until - "
            "14000, body = 'x'");
    assert_int_equal(commit(&rig, 1, 1, "a"), ENVL_OK);
    read_state(&rig, &seen);
    assert_in_range(seen.lease_ms[0], 10000, 15000);
    rig_close(&rig);
}

static uint32_t quarantined;

static enum envl_status
take_item(void *cookie, const struct envl_quarantine *item,
          struct envl_error *err)
{
    (void)cookie, (void)err;
    assert_string_equal(item->target, "t");
    assert_string_equal(item->field, "t.s");
    assert_string_equal(item->row, "id=1");
    assert_int_equal(item->digest[31], 9);
    rig_assert_bytes(item->key, "k");
    quarantined++;
    return strcmp(item->state, "bad_codec") == 0 ? ENVL_OK : ENVL_E_INTERNAL;
}

static void
a_value_is_quarantined_once(void **state)
{
    struct envl_quarantine item = { .target = "t", .field = "t.s",
                                    .key = envl_bytes_of("k"),
                                    .row = "id=1", .state = "wrong_type" };
    struct envl_record put = record(0, 1, "a");
    struct envl_commit with = { .record = &put, .ttl_ms = 15000,
                                .quarantine = &item, .quarantine_count = 1 };
    struct rig rig;

    (void)state;
    memset(item.digest, 9, sizeof(item.digest));
    rig_open(&rig, TABLE);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, 0, 1, "a"), ENVL_OK);
    assert_int_equal(OPS->commit_begin(rig.store, &with, &rig.err), ENVL_OK);
    assert_int_equal(OPS->commit_end(rig.store, &rig.err), ENVL_OK);
    item.state = "bad_codec";
    assert_int_equal(OPS->commit_begin(rig.store, &with, &rig.err), ENVL_OK);
    assert_int_equal(OPS->commit_end(rig.store, &rig.err), ENVL_OK);
    quarantined = 0;
    assert_int_equal(OPS->quarantine_read(rig.store, "job", 10, take_item,
                                          NULL, &rig.err), ENVL_OK);
    assert_int_equal(quarantined, 1);
    rig_close(&rig);
}

static void
a_new_pass_replaces_the_ranges_and_clears_the_quarantine(void **state)
{
    struct envl_record ranges[2] = { record(1, 1, ""), record(2, 1, "") };
    struct envl_record stale = record(0, 1, "a"), job = record(0, 2, "a");
    struct seen seen;
    struct rig rig;

    (void)state;
    rig_open(&rig, TABLE);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, 0, 1, "a"), ENVL_OK);
    assert_int_equal(take(&rig, 5, 1, "a"), ENVL_OK);
    assert_int_equal(take(&rig, 0, 2, "a"), ENVL_OK);
    rig_sql(&rig, "INSERT INTO envelope_quarantine VALUES "
            "('job','t','f','k','d','r','s')");
    assert_int_equal(OPS->state_reset(rig.store, &stale, ranges, 2,
                                      &rig.err), ENVL_E_CONFLICT);
    read_state(&rig, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(OPS->state_reset(rig.store, &job, ranges, 2, &rig.err),
                     ENVL_OK);
    read_state(&rig, &seen);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.number[1], 1);
    assert_int_equal(seen.number[2], 2);
    assert_string_equal(seen.owner[2], "");
    assert_string_equal(seen.owner[0], "a");
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM "
                                "envelope_quarantine"), 0);
    rig_close(&rig);
}

static void
append(void *cookie, const char *text)
{
    strncat(cookie, text, 4095 - strlen(cookie));
}

static void
the_ddl_is_what_setup_makes(void **state)
{
    char ddl[4096] = "";
    struct rig rig;

    (void)state;
    rig_open(&rig, TABLE);
    assert_int_equal(OPS->ddl(rig.store, NULL, 0, append, ddl, &rig.err),
                     ENVL_OK);
    rig_sql(&rig, ddl);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, 0, 1, "a"), ENVL_OK);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_tables_there_is_nothing),
        cmocka_unit_test(a_lease_is_taken_by_one_and_in_order),
        cmocka_unit_test(a_lease_ends_by_release_or_by_time),
        cmocka_unit_test(an_owner_that_died_is_replaced_at_once),
        cmocka_unit_test(a_pid_that_is_used_again_is_not_the_owner),
        cmocka_unit_test(a_batch_behind_a_lost_lease_is_rolled_back),
        cmocka_unit_test(a_commit_extends_the_lease),
        cmocka_unit_test(a_value_is_quarantined_once),
        cmocka_unit_test(
            a_new_pass_replaces_the_ranges_and_clears_the_quarantine),
        cmocka_unit_test(the_ddl_is_what_setup_makes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
