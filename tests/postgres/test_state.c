/*
 * Records, leases, fences, quarantine: two processes and one job.
 */
#include <unistd.h>

#include "rig.h"

#define TTL 60000u

static struct envl_record
record_of(uint32_t number, uint64_t epoch, const char *owner, const char *body)
{
    struct envl_record record = {
        .job = "j", .number = number, .epoch = epoch, .owner = owner,
        .body = envl_bytes_of(body),
    };

    memset(record.mac, (int)(epoch + number), sizeof(record.mac));
    return record;
}

struct seen {
    struct envl_record records[8];
    char owners[8][64], bodies[8][64];
    uint32_t count;
};

static enum envl_status
keep(void *cookie, const struct envl_record *record, struct envl_error *err)
{
    struct seen *seen = cookie;

    (void)err;
    snprintf(seen->owners[seen->count], 64, "%s", record->owner);
    snprintf(seen->bodies[seen->count], 64, "%.*s", (int)record->body.len,
             (const char *)record->body.ptr);
    seen->records[seen->count++] = *record;
    return ENVL_OK;
}

static struct seen
read_all(struct rig *rig)
{
    struct seen seen = { .count = 0 };

    if (OPS->state_read(rig->store, "j", keep, &seen, &rig->err) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    return seen;
}

static enum envl_status
take(struct rig *rig, struct envl_store *store, const char *owner,
     uint64_t epoch)
{
    struct envl_record record = record_of(0, epoch, owner, "{}");

    return OPS->state_take(store, &record, TTL, &rig->err);
}

static void
without_tables_there_is_no_state(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "SELECT 1");
    assert_int_equal(read_all(&rig).count, 0);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(read_all(&rig).count, 0);
    rig_close(&rig);
}

static void
records_come_back_to_the_byte(void **state)
{
    struct rig rig;
    struct envl_record job, range;
    struct seen seen;
    uint8_t body[] = { '{', 0xff, 0x00, '\'', '}' };

    (void)state;
    rig_open(&rig, "SELECT 1");
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    job = record_of(0, 1, "me", "job");
    assert_int_equal(OPS->state_take(rig.store, &job, TTL, &rig.err), ENVL_OK);
    range = record_of(3, 1, "me", "");
    range.body = (struct envl_bytes){ body, sizeof(body) };
    assert_int_equal(OPS->state_take(rig.store, &range, TTL, &rig.err),
                     ENVL_OK);
    seen = read_all(&rig);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.bodies[0], "job");
    assert_string_equal(seen.owners[0], "me");
    assert_int_equal(seen.records[1].number, 3);
    assert_int_equal(seen.records[1].body.len, 5);
    assert_memory_equal(seen.bodies[1], body, 2);
    assert_memory_equal(seen.records[0].mac, job.mac, 32);
    assert_true(seen.records[0].lease_ms > TTL / 2);
    assert_true(seen.records[0].lease_ms <= TTL);
    assert_false(seen.records[0].owner_gone);
    rig_close(&rig);
}

static void
a_lease_is_taken_by_one_and_replaced_when_its_owner_is_gone(void **state)
{
    struct rig rig;
    struct envl_store *other;
    struct envl_record record;

    (void)state;
    rig_open(&rig, "SELECT 1");
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    other = rig_store(&rig);
    assert_int_equal(take(&rig, rig.store, "me", 2), ENVL_E_CONFLICT);
    assert_int_equal(take(&rig, rig.store, "me", 1), ENVL_OK);
    assert_int_equal(take(&rig, other, "you", 1), ENVL_E_CONFLICT);
    assert_int_equal(take(&rig, other, "you", 2), ENVL_E_LOCKED);
    assert_non_null(strstr(rig.err.message, "held by me"));
    assert_int_equal(take(&rig, rig.store, "me", 2), ENVL_OK);
    OPS->close(rig.store); /* its backend is gone, its lease is not over */
    rig.store = other;
    for (int i = 0; i < 100 && !read_all(&rig).records[0].owner_gone; i++)
        usleep(20000);
    assert_true(read_all(&rig).records[0].owner_gone);
    assert_int_equal(take(&rig, rig.store, "you", 3), ENVL_OK);
    record = record_of(0, 3, "you", "{}");
    assert_int_equal(OPS->state_release(rig.store, &record, &rig.err),
                     ENVL_OK);
    assert_true(read_all(&rig).records[0].lease_ms <= 0);
    assert_string_equal(read_all(&rig).owners[0], "");
    rig_close(&rig);
}

static void
a_lease_that_is_over_is_free(void **state)
{
    struct rig rig;
    struct envl_store *other;
    struct envl_record record = record_of(0, 1, "me", "{}");

    (void)state;
    rig_open(&rig, "SELECT 1");
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(OPS->state_take(rig.store, &record, 50, &rig.err),
                     ENVL_OK);
    other = rig_store(&rig);
    usleep(120000);
    assert_int_equal(take(&rig, other, "you", 2), ENVL_OK);
    OPS->close(other);
    rig_close(&rig);
}

#define ROWS "CREATE TABLE t (id int PRIMARY KEY, s text);" \
             "INSERT INTO t SELECT i, 'PLAIN-' || i FROM " \
             "generate_series(1, 3) i"

static const struct rig_target plain = {
    .table = "t", .fields = { { .column = "s" } }
};

/* The batch and its record are committed together or not at all. */
static void
a_batch_behind_a_lost_fence_is_undone(void **state)
{
    struct envl_record mine = record_of(0, 1, "me", "{\"at\":1}");
    struct envl_record theirs = record_of(0, 2, "you", "{}");
    struct envl_commit commit = { .record = &mine, .ttl_ms = TTL };
    enum envl_outcome outcomes[3];
    struct envl_edit edit = rig_edit(0, 0, 0, "sealed");
    struct envl_store *other;
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, rig.store, "me", 1), ENVL_OK);
    page = rig_read(&rig);
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes), ENVL_OK);
    assert_int_equal(OPS->commit_begin(rig.store, &commit, &rig.err), ENVL_OK);
    assert_int_equal(OPS->commit_end(rig.store, &rig.err), ENVL_OK);
    assert_string_equal(read_all(&rig).bodies[0], "{\"at\":1}");
    OPS->page_free(page);

    rig_sql(&rig, "UPDATE envelope.job SET lease_until = now()");
    other = rig_store(&rig);
    assert_int_equal(OPS->state_take(other, &theirs, TTL, &rig.err), ENVL_OK);
    page = rig_read(&rig);
    edit.row = 1;
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes), ENVL_OK);
    mine = record_of(0, 1, "me", "{\"at\":2}");
    assert_int_equal(OPS->commit_begin(rig.store, &commit, &rig.err), ENVL_OK);
    assert_int_equal(OPS->commit_end(rig.store, &rig.err), ENVL_E_CONFLICT);
    OPS->rollback(rig.store);
    rig_assert_text(&rig, "SELECT s FROM t WHERE id = 2", "PLAIN-2");
    rig_assert_text(&rig, "SELECT owner FROM envelope.job", "you");

    /* and the store goes on */
    assert_int_equal(rig_write_one(&rig, page, edit), ENVL_WRITTEN);
    OPS->page_free(page);
    OPS->close(other);
    rig_close(&rig);
}

/* A write that was sent behind a commit that fails is not there either. */
static void
what_was_sent_ahead_of_a_failed_commit_is_undone(void **state)
{
    struct envl_record mine = record_of(0, 9, "me", "{}");
    struct envl_commit commit = { .record = &mine, .ttl_ms = TTL };
    enum envl_outcome outcomes[3];
    struct envl_edit edit = rig_edit(0, 0, 0, "sealed");
    struct envl_page *page, *ahead = NULL;
    struct envl_read read = { .rows = 3 };
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS);
    rig_bind(&rig, &plain);
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, rig.store, "me", 1), ENVL_OK);
    page = rig_read(&rig);
    for (int ends = 0; ends < 2; ends++) {
        edit.row = 0;
        assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes), ENVL_OK);
        assert_int_equal(OPS->commit_begin(rig.store, &commit, &rig.err),
                         ENVL_OK);
        assert_int_equal(OPS->read_begin(rig.target, &read, &rig.err),
                         ENVL_OK);
        edit.row = 1;
        assert_int_equal(OPS->write_begin(rig.target, page, &edit, 1,
                                          &rig.err), ENVL_OK);
        assert_int_equal(OPS->commit_end(rig.store, &rig.err),
                         ENVL_E_CONFLICT);
        if (ends == 1) { /* either each begin gets its end, or not */
            assert_int_not_equal(OPS->read_end(rig.target, &ahead, &rig.err),
                                 ENVL_OK);
            assert_int_not_equal(OPS->write_end(rig.target, outcomes,
                                                &rig.err), ENVL_OK);
        }
        OPS->rollback(rig.store);
        assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                    "s = 'sealed'"), 0);
    }
    assert_int_equal(rig_write_one(&rig, page, edit), ENVL_WRITTEN);
    OPS->page_free(page);
    rig_close(&rig);
}

/* A commit that fails by itself (a deferred constraint) takes along what
   was written behind it. */
static void
a_deferred_refusal_at_commit_undoes_what_follows(void **state)
{
    struct envl_commit commit = { .record = NULL };
    enum envl_outcome outcomes[3];
    struct envl_edit edit = rig_edit(0, 0, 0, "same");
    struct envl_page *page;
    struct rig rig;

    (void)state;
    rig_open(&rig, ROWS "; ALTER TABLE t ADD UNIQUE (s) DEFERRABLE INITIALLY "
             "DEFERRED; INSERT INTO t VALUES (4, 'same')");
    rig_bind(&rig, &plain);
    page = rig_read(&rig);
    assert_int_equal(rig_write(&rig, page, &edit, 1, outcomes), ENVL_OK);
    assert_int_equal(OPS->commit_begin(rig.store, &commit, &rig.err), ENVL_OK);
    edit = rig_edit(1, 0, 0, "sealed");
    assert_int_equal(OPS->write_begin(rig.target, page, &edit, 1, &rig.err),
                     ENVL_OK);
    assert_int_equal(OPS->commit_end(rig.store, &rig.err), ENVL_E_DATABASE);
    assert_int_equal(OPS->write_end(rig.target, outcomes, &rig.err),
                     ENVL_E_DATABASE);
    assert_int_equal(rig_commit(&rig), ENVL_OK);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM t WHERE "
                                "s LIKE 'PLAIN%'"), 3);
    OPS->page_free(page);
    rig_close(&rig);
}

static enum envl_status
count_item(void *cookie, const struct envl_quarantine *item,
           struct envl_error *err)
{
    uint32_t *count = cookie;

    (void)err;
    assert_string_equal(item->target, "public.t");
    assert_string_equal(item->state, "bad_codec");
    rig_assert_bytes(item->key, "=1");
    assert_int_equal(item->digest[0], 7);
    (*count)++;
    return ENVL_OK;
}

static void
a_value_is_quarantined_once_and_a_new_pass_begins_clean(void **state)
{
    struct envl_record job = record_of(0, 1, "me", "{}");
    struct envl_record ranges[2] = { record_of(1, 4, "", "a"),
                                     record_of(2, 4, "", "b") };
    struct envl_quarantine items[2] = {
        { .target = "public.t", .field = "public.t.s",
          .key = { (const uint8_t *)"=1", 2 }, .row = "id=1",
          .state = "bad_codec", .digest = { 7 } },
    };
    struct envl_commit commit = { .record = &job, .ttl_ms = TTL,
                                  .quarantine = items,
                                  .quarantine_count = 2 };
    struct seen seen;
    struct rig rig;
    uint32_t count = 0;

    (void)state;
    items[1] = items[0];
    items[1].field = "public.t.other";
    rig_open(&rig, "SELECT 1");
    assert_int_equal(OPS->state_setup(rig.store, &rig.err), ENVL_OK);
    assert_int_equal(take(&rig, rig.store, "me", 1), ENVL_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(OPS->commit_begin(rig.store, &commit, &rig.err),
                         ENVL_OK);
        assert_int_equal(OPS->commit_end(rig.store, &rig.err), ENVL_OK);
    }
    assert_int_equal(OPS->quarantine_read(rig.store, "j", 9, count_item,
                                          &count, &rig.err), ENVL_OK);
    assert_int_equal(count, 2);
    count = 0;
    assert_int_equal(OPS->quarantine_read(rig.store, "j", 1, count_item,
                                          &count, &rig.err), ENVL_OK);
    assert_int_equal(count, 1);

    assert_int_equal(OPS->state_reset(rig.store, &job, ranges, 2, &rig.err),
                     ENVL_OK);
    seen = read_all(&rig);
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.bodies[2], "b");
    assert_int_equal(seen.records[2].epoch, 4);
    assert_true(seen.records[2].lease_ms <= 0);
    assert_int_equal(rig_number(&rig, "SELECT count(*) FROM "
                                "envelope.quarantine"), 0);
    job = record_of(0, 2, "you", "{}");
    assert_int_equal(OPS->state_reset(rig.store, &job, ranges, 1, &rig.err),
                     ENVL_E_CONFLICT);
    assert_int_equal(read_all(&rig).count, 3);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_tables_there_is_no_state),
        cmocka_unit_test(records_come_back_to_the_byte),
        cmocka_unit_test(
            a_lease_is_taken_by_one_and_replaced_when_its_owner_is_gone),
        cmocka_unit_test(a_lease_that_is_over_is_free),
        cmocka_unit_test(a_batch_behind_a_lost_fence_is_undone),
        cmocka_unit_test(what_was_sent_ahead_of_a_failed_commit_is_undone),
        cmocka_unit_test(a_deferred_refusal_at_commit_undoes_what_follows),
        cmocka_unit_test(
            a_value_is_quarantined_once_and_a_new_pass_begins_clean),
    };

    if (!cluster_available())
        return 0;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
