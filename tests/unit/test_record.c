/* Records of a job: their bodies, their MACs, and what is decided from them. */
#include "engine/record.h"
#include "engine/resume.h"
#include "keyring_fixture.h"

static struct envl_keyring *
ring_of(const struct fixture *f)
{
    struct envl_keyring_options options = {
        .size = sizeof(options),
        .path = f->ring,
        .providers = (struct envl_provider *const *)&f->provider,
        .provider_count = 1,
    };
    struct envl_keyring *ring = NULL;

    assert_int_equal(envl_keyring_open(&options, &ring, NULL), ENVL_OK);
    return ring;
}

static struct envl_record
record_with(const char *job, uint32_t number, uint64_t epoch,
            const char *body)
{
    return (struct envl_record){ .job = job, .number = number,
                                 .epoch = epoch, .owner = "",
                                 .body = envl_bytes_of(body) };
}

/* spec: JOB-63 */
static void
mac_binds_job_number_epoch_and_body(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = ring_of(&f);
    struct envl_record good = record_with("job", 3, 7, "{}");
    const struct envl_record others[] = {
        record_with("jo", 3, 7, "{}"),   record_with("job2", 3, 7, "{}"),
        record_with("job", 2, 7, "{}"),  record_with("job", 3, 8, "{}"),
        record_with("job", 3, 7, "{ }"), record_with("job", 3, 7, ""),
    };
    struct record_auth *auth = NULL;

    (void)state;
    assert_int_equal(record_auth_new(ring, &auth, NULL), ENVL_OK);
    record_sign(auth, &good);
    assert_int_equal(record_check(auth, &good, NULL), ENVL_OK);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct envl_record other = others[i];

        memcpy(other.mac, good.mac, sizeof(other.mac));
        assert_int_equal(record_check(auth, &other, NULL),
                         ENVL_E_INTEGRITY);
    }
    for (unsigned bit = 0; bit < 256; bit++) {
        good.mac[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(record_check(auth, &good, NULL), ENVL_E_INTEGRITY);
        good.mac[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    record_auth_free(auth);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
another_ring_makes_another_mac(void **state)
{
    struct fixture f = fixture_with_ring(), g = fixture_with_ring();
    struct envl_keyring *rings[2] = { ring_of(&f), ring_of(&g) };
    struct envl_record record = record_with("job", 0, 1, "{}");
    struct record_auth *auth[2] = { NULL, NULL };

    (void)state;
    assert_int_equal(record_auth_new(rings[0], &auth[0], NULL), ENVL_OK);
    assert_int_equal(record_auth_new(rings[1], &auth[1], NULL), ENVL_OK);
    record_sign(auth[0], &record);

    assert_int_equal(record_check(auth[1], &record, NULL), ENVL_E_INTEGRITY);

    record_auth_free(auth[0]);
    record_auth_free(auth[1]);
    envl_keyring_free(rings[0]);
    envl_keyring_free(rings[1]);
    fixture_free(&f);
    fixture_free(&g);
}

static struct record_job
some_job(void)
{
    struct record_job job = {
        .goal = ENGINE_ROTATE, .kid = "k2026-11", .phase = RECORD_CLOSING,
        .closing = 1, .pass = 3, .ranges = 12, .phase_id = "0123abcd",
        .digest = "ff00", .rows = 1000000, .ms = 12345,
        .outcome = ENVL_E_PARTIAL,
        .ring = { .id = "an-id", .generation = 9 },
    };
    struct census_entry entry = { 1, 2, ROW_SEALED_CURRENT, "k1", 77 };

    memset(job.ring.mac, 0xa5, sizeof(job.ring.mac));
    memset(job.ring.pin, 0x5a, sizeof(job.ring.pin));
    job.phases[0] = (struct ledger){ 10, 1, 2, 3, 4, 5, 6 };
    job.phases[1] = (struct ledger){ 11, 7, 0, 0, 1, 2, 9 };
    job.phase_ms[1] = 42;
    assert_int_equal(census_add(&job.census, &entry, NULL), ENVL_OK);
    return job;
}

static void
a_job_comes_back_as_it_was(void **state)
{
    struct record_job job = some_job(), back = { 0 };
    struct envl_buf body = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(record_body_encode_job(&job, &body, NULL), ENVL_OK);
    assert_int_equal(record_body_decode_job(envl_buf_view(&body), &back,
                                            NULL), ENVL_OK);

    assert_int_equal(back.census.count, 1);
    assert_int_equal(back.census.entries[0].count, 77);
    record_body_free_job(&(struct record_job){ .census = back.census });
    back.census = job.census;
    assert_memory_equal(&back.ring, &job.ring, sizeof(job.ring));
    assert_memory_equal(back.phases, job.phases, sizeof(job.phases));
    assert_int_equal(back.phase_ms[1], 42);
    assert_string_equal(back.kid, job.kid);
    assert_int_equal(back.goal, job.goal);
    assert_int_equal(back.phase, job.phase);
    assert_int_equal(back.outcome, job.outcome);
    assert_int_equal(back.rows, job.rows);
    record_body_free_job(&job);
    envl_buf_free(&body);
}

static void
a_range_comes_back_with_keys_of_any_bytes(void **state)
{
    struct record_range range = { .phase_id = "x", .target = 5,
                                  .done = true }, back = { 0 };
    struct envl_buf body = ENVL_BUF_INIT;

    (void)state;
    range.ledger.sealed = UINT32_MAX;
    assert_int_equal(envl_buf_append(&range.cursor, LITERAL("\0\xff'\""),
                                     NULL), ENVL_OK);
    assert_int_equal(record_body_encode_range(&range, &body, NULL), ENVL_OK);
    assert_int_equal(record_body_decode_range(envl_buf_view(&body), &back,
                                              NULL), ENVL_OK);

    assert_int_equal(back.cursor.len, 4);
    assert_memory_equal(back.cursor.ptr, "\0\xff'\"", 4);
    assert_int_equal(back.after.len, 0);
    assert_int_equal(back.target, 5);
    assert_true(back.done);
    assert_int_equal(back.ledger.sealed, UINT32_MAX);
    record_body_free_range(&range);
    record_body_free_range(&back);
    envl_buf_free(&body);
}

/* Each byte of a body in turn is lost: refused, or a body still. */
static void
bodies_that_are_cut_or_bent_are_refused(void **state)
{
    struct record_job job = some_job(), back = { 0 };
    struct envl_buf body = ENVL_BUF_INIT;
    static const char *const bad[] = {
        "", "{}", "[]", "{\"v\":2}", "{\"v\":1}", "null",
        "{\"v\":1,\"goal\":\"seal\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(record_body_decode_job(envl_bytes_of(bad[i]), &back,
                                                NULL), ENVL_E_INTEGRITY);
    assert_int_equal(record_body_encode_job(&job, &body, NULL), ENVL_OK);
    for (size_t len = 0; len < body.len; len++)
        assert_int_equal(
            record_body_decode_job((struct envl_bytes){ body.ptr, len },
                                   &back, NULL), ENVL_E_INTEGRITY);
    record_body_free_job(&job);
    envl_buf_free(&body);
}

static void
totals_take_the_latest_word_on_what_is_left(void **state)
{
    struct record_job job = { .phase = RECORD_SWEEP };
    struct ledger live = { .sealed = 5, .skipped = 1, .conflicts = 2 }, sum;

    (void)state;
    record_body_total(&job, &live, &sum);
    assert_int_equal(sum.sealed, 5);

    job.phases[0] = (struct ledger){ .sealed = 100, .skipped = 10,
                                     .quarantined = 3, .conflicts = 2 };
    job.phase = RECORD_CLOSING;
    job.closing = 1;
    live = (struct ledger){ .sealed = 2, .skipped = 50 };
    record_body_total(&job, &live, &sum);
    assert_int_equal(sum.sealed, 102);
    assert_int_equal(sum.skipped, 10);
    assert_int_equal(sum.conflicts, 2); /* until the reading is over */

    job.phases[1] = (struct ledger){ .sealed = 2, .skipped = 110,
                                     .quarantined = 3 };
    job.phase = RECORD_DONE;
    record_body_total(&job, &live, &sum);
    assert_int_equal(sum.sealed, 102);
    assert_int_equal(sum.quarantined, 3);
    assert_int_equal(sum.conflicts, 0);
    assert_int_equal(ledger_values(&sum), 115);
}

static void
a_ring_is_compared_with_what_the_job_has_seen(void **state)
{
    struct envl_ring_mark seen = { .id = "a", .generation = 5 }, now = seen;

    (void)state;
    assert_int_equal(resume_ring(&seen, &now, NULL), ENVL_OK);
    now.generation = 6;
    now.mac[0] = 1;
    assert_int_equal(resume_ring(&seen, &now, NULL), ENVL_OK);
    now.generation = 5; /* the same generation, another content */
    assert_int_equal(resume_ring(&seen, &now, NULL), ENVL_E_INTEGRITY);
    now = seen;
    now.generation = 4;
    assert_int_equal(resume_ring(&seen, &now, NULL), ENVL_E_INTEGRITY);
    now = seen;
    now.generation = 6;
    now.pin[3] = 1;
    assert_int_equal(resume_ring(&seen, &now, NULL), ENVL_E_INTEGRITY);
    now = seen;
    now.id[0] = 'b';
    assert_int_equal(resume_ring(&seen, &now, NULL), ENVL_E_INTEGRITY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mac_binds_job_number_epoch_and_body),
        cmocka_unit_test(another_ring_makes_another_mac),
        cmocka_unit_test(a_job_comes_back_as_it_was),
        cmocka_unit_test(a_range_comes_back_with_keys_of_any_bytes),
        cmocka_unit_test(bodies_that_are_cut_or_bent_are_refused),
        cmocka_unit_test(totals_take_the_latest_word_on_what_is_left),
        cmocka_unit_test(a_ring_is_compared_with_what_the_job_has_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
