/* A run and what surrounds it: keys, leases, records, audit, stops. */
#include <signal.h>

#include "sweep_fixture.h"

static volatile sig_atomic_t stop;

static void
stop_at_third_commit(struct fake_db *db, enum fake_call call)
{
    if (call == FAKE_COMMIT_BEGIN && db->commits == 2)
        stop = 1;
}

static void
die_at_third_commit(struct fake_db *db, enum fake_call call)
{
    if (call == FAKE_COMMIT_BEGIN && db->commits == 2)
        db->dead = true;
}

/* A sweep of 100 rows in tens that was cut short after some of them. */
static void
cut_short(struct scene *scene)
{
    scene_new(scene, FIELD_A, TENS);
    scene->options.patience_ms = 1;
    scene_fill(100);
    fake_db->on_call = die_at_third_commit;
    scene_must(scene, ENVL_E_DATABASE);
    fake_db->on_call = NULL;
    fake_new_process();
}

static void
stops_after_the_batch_and_goes_on_where_it_was(void **state)
{
    struct scene scene;
    json_int_t sealed;

    (void)state;
    stop = 0;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(100);
    scene.options.stop = &stop;
    fake_db->on_call = stop_at_third_commit;

    scene_must(&scene, ENVL_E_INTERRUPTED);

    sealed = scene_count(&scene, "sealed");
    assert_in_range(sealed, 20, 40);
    assert_string_equal(fake_record(0)->owner, ""); /* given back */
    assert_string_equal(fake_record(1)->owner, "");
    fake_db->on_call = NULL;
    fake_db->rows_read = 0;
    stop = 0;
    scene_must(&scene, ENVL_OK);
    assert_int_equal(scene_count(&scene, "pass"), 1);
    assert_int_equal(scene_count(&scene, "sealed"), 100);
    /* The rest, a closing pass, and nothing twice. */
    assert_int_equal(fake_db->rows_read, 100 - sealed + 100);
    scene_all_sealed(&scene, 100, "k1");
    scene_free(&scene);
}

static void
counts_exactly_across_a_death(void **state)
{
    struct scene scene;

    (void)state;
    cut_short(&scene);

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "pass"), 1);
    assert_int_equal(scene_count(&scene, "sealed"), 100);
    scene_adds_up(&scene);
    scene_free(&scene);
}

static void
names_the_living_owner_of_the_job(void **state)
{
    struct scene scene;

    (void)state;
    cut_short(&scene);
    for (uint32_t i = 0; i < 2; i++) { /* it lives after all */
        fake_record(i)->process = fake_db->process;
        snprintf(fake_record(i)->owner, 200, "abc otherhost 4711");
    }

    scene_must(&scene, ENVL_E_LOCKED);

    assert_non_null(strstr(scene.err.message, "otherhost"));
    assert_int_equal(envl_status_exit_code(scene.status), 11);
    fake_db->clock_ms += 20000; /* its lease runs out */
    scene_must(&scene, ENVL_OK);
    scene_free(&scene);
}

static void
silence_the_leader(void *cookie, const struct engine_event *event)
{
    (void)cookie;
    if (event->kind == ENGINE_WAITING &&
        strstr(event->text, "leads the job") != NULL)
        fake_db->clock_ms += 20000; /* the leader is not heard of any more */
}

static void
takes_part_in_a_job_that_another_process_leads(void **state)
{
    struct scene scene;

    (void)state;
    cut_short(&scene);
    fake_record(0)->process = fake_db->process;
    snprintf(fake_record(0)->owner, 200, "abc otherhost 4711");
    scene.options.event = silence_the_leader;

    scene_must(&scene, ENVL_OK); /* its range first, then the lead */

    assert_int_equal(scene_count(&scene, "pass"), 1);
    assert_int_equal(scene_count(&scene, "sealed"), 100);
    scene_all_sealed(&scene, 100, "k1");
    scene_free(&scene);
}

static void
takes_no_part_where_there_is_one_writer(void **state)
{
    struct scene scene;

    (void)state;
    cut_short(&scene);
    fake_db->max_workers = 1;
    fake_record(0)->process = fake_db->process;
    snprintf(fake_record(0)->owner, 200, "abc otherhost 4711");

    scene_must(&scene, ENVL_E_LOCKED);
    scene_free(&scene);
}

/* Another process takes the range over, without asking. */
static void
steal_range(struct fake_db *db, enum fake_call call)
{
    struct fake_record *range = fake_record(1);

    if (call == FAKE_COMMIT_BEGIN && db->commits == 3 && range != NULL) {
        range->epoch++;
        snprintf(range->owner, sizeof(range->owner), "thief");
        range->expires = 0; /* and is gone again */
        db->on_call = NULL;
    }
}

static void
fences_a_worker_whose_range_was_taken_over(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(100);
    fake_db->on_call = steal_range;

    scene_must(&scene, ENVL_E_INTEGRITY);

    /* The thief's epoch does not fit the record's MAC: it was no process of
       ours, and nothing is taken from it. */
    assert_non_null(strstr(scene.err.message, "record 1"));
    scene_free(&scene);
}

static void
steal_job(struct fake_db *db, enum fake_call call)
{
    if (call == FAKE_COMMIT_BEGIN && db->commits == 3) {
        fake_record(0)->epoch++;
        snprintf(fake_record(0)->owner, 200, "thief");
        db->on_call = NULL;
    }
}

static void
stops_when_the_job_was_taken_over(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(100);
    fake_db->on_call = steal_job;

    scene_must(&scene, ENVL_E_LOCKED);

    assert_non_null(strstr(scene.err.message, "taken the job over"));
    scene_free(&scene);
}

static void
obeys_no_record_that_was_changed(void **state)
{
    static const struct {
        uint32_t record;
        size_t byte;
    } changes[] = { { 0, 20 }, { 1, 20 }, { 1, 120 } };
    struct scene scene;
    struct envl_ring_mark mark;

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        cut_short(&scene);
        fake_record(changes[i].record)->body[changes[i].byte] ^= 1;

        scene_must(&scene, ENVL_E_INTEGRITY);

        assert_int_equal(envl_status_exit_code(scene.status), 18);
        assert_non_null(strstr(scene.err.hint, "--accept-ring="));
        envl_keyring_mark(scene.ring, &mark);
        scene.options.accept_ring = mark.id;
        scene_must(&scene, ENVL_OK);
        scene_all_sealed(&scene, 100, "k1");
        scene_free(&scene);
    }
}

static void
obeys_no_record_of_another_range(void **state)
{
    struct fake_record *a, *b, swap;
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, ",\"pace\":{\"rows\":[10,10],\"workers\":2}");
    scene.options.patience_ms = 1;
    scene_fill(8000);
    fake_db->on_call = die_at_third_commit;
    scene_must(&scene, ENVL_E_DATABASE);
    fake_db->on_call = NULL;
    fake_new_process();
    a = fake_record(1);
    b = fake_record(2);
    swap = *a;
    a->body = b->body;
    a->body_len = b->body_len;
    memcpy(a->mac, b->mac, sizeof(a->mac));
    b->body = swap.body;
    b->body_len = swap.body_len;
    memcpy(b->mac, swap.mac, sizeof(b->mac));

    scene_must(&scene, ENVL_E_INTEGRITY);
    scene_free(&scene);
}

static void
misses_a_record_that_was_deleted(void **state)
{
    struct scene scene;

    (void)state;
    cut_short(&scene);
    free(fake_db->records[fake_db->record_count - 1].body);
    fake_db->record_count--;

    scene_must(&scene, ENVL_E_INTEGRITY);
    scene_free(&scene);
}

static void
add_key(struct scene *scene, const char *kid, bool activate)
{
    struct envl_key_spec spec = { .kid = kid, .activate = activate };

    assert_int_equal(envl_keyring_add(scene->ring, &spec, NULL), ENVL_OK);
}

static void
refuses_an_older_ring_than_the_job_has_seen(void **state)
{
    struct scene scene;
    struct envl_ring_mark mark;
    char old[8192], path[200];
    size_t len;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(20);
    len = read_whole(scene.f.ring, old, sizeof(old));
    add_key(&scene, "spare", false);
    scene_must(&scene, ENVL_OK);
    snprintf(path, sizeof(path), "%s", scene.f.ring);
    write_file(path, (struct envl_bytes){ (uint8_t *)old, len }, 0600);
    scene_open_ring(&scene);

    scene_must(&scene, ENVL_E_INTEGRITY);

    assert_non_null(strstr(scene.err.message, "generation"));
    envl_keyring_mark(scene.ring, &mark);
    scene.options.accept_ring = "another-id";
    scene_must(&scene, ENVL_E_INTEGRITY);
    scene.options.accept_ring = mark.id;
    scene_must(&scene, ENVL_OK);
    scene_free(&scene);
}

static void
refuses_another_direction_while_one_is_unfinished(void **state)
{
    struct scene scene;

    (void)state;
    cut_short(&scene);
    assert_int_equal(scene_goal(&scene, ENGINE_ROTATE), ENVL_E_POLICY);
    assert_non_null(strstr(scene.err.message, "unfinished migration"));
    assert_non_null(strstr(scene.err.hint, "--kid k1"));

    scene_must(&scene, ENVL_OK);

    scene_free(&scene);
}

static void
begins_anew_when_the_unfinished_key_no_longer_seals(void **state)
{
    struct scene scene;

    (void)state;
    cut_short(&scene);
    add_key(&scene, "k2", true);

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "pass"), 2);
    assert_in_range(scene_count(&scene, "sealed"), 60, 90);
    scene_adds_up(&scene);
    scene_free(&scene);
}

static void
begins_anew_when_the_job_file_was_changed(void **state)
{
    struct scene scene;

    (void)state;
    cut_short(&scene);
    scene_job(&scene, FIELD_A "," FIELD_B, TENS);

    scene_must(&scene, ENVL_OK);

    assert_int_equal(scene_count(&scene, "pass"), 2);
    scene_all_sealed(&scene, 100, "k1");
    scene_free(&scene);
}

static void
writes_nothing_under_a_key_that_is_not_on_disk(void **state)
{
    struct scene scene, other;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(20);
    other = (struct scene){ .f = fixture_with_ring() };
    scene_open_ring(&other);
    scene.options.proof = other.ring; /* k1, of other material */

    scene_must(&scene, ENVL_E_AUTH);

    assert_false(fake_db->tables);
    assert_int_equal(fake_db->writes, 0);
    envl_audit_free(other.audit);
    envl_keyring_free(other.ring);
    fixture_free(&other.f);
    scene_free(&scene);
}

static void
seals_only_under_an_active_key(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(20);
    add_key(&scene, "k2", true);
    scene.options.kid = "k1";

    scene_must(&scene, ENVL_E_POLICY);

    assert_int_equal(fake_db->writes, 0);
    scene.options.kid = "nobody";
    scene_must(&scene, ENVL_E_NOKEY);
    scene_free(&scene);
}

static void
does_nothing_that_it_cannot_record(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(20);
    scene.options.audit = NULL;

    scene_must(&scene, ENVL_E_AUDIT);

    assert_false(fake_db->tables);
    assert_int_equal(fake_db->writes, 0);
    scene_free(&scene);
}

static void
records_its_begin_and_its_end(void **state)
{
    char log[16384], path[192];
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(20);

    scene_must(&scene, ENVL_OK);

    snprintf(path, sizeof(path), "%s/audit.log", scene.f.dir);
    read_whole(path, log, sizeof(log));
    assert_non_null(strstr(log, "\"migrate\""));
    assert_non_null(strstr(log, "\"begin\""));
    assert_non_null(strstr(strstr(log, "\"begin\"") + 1, "\"ok\""));
    assert_non_null(strstr(log, "\"sealed\":20"));
    assert_null(strstr(log, "secret"));
    scene_free(&scene);
}

static void
puts_no_value_into_its_records(void **state)
{
    struct scene scene;

    (void)state;
    cut_short(&scene);
    fake_put(55, COLUMN_A, "env1:k1:!secret");

    scene_must(&scene, ENVL_E_PARTIAL);

    for (size_t i = 0; i < fake_db->record_count; i++)
        assert_null(memmem(fake_db->records[i].body,
                           fake_db->records[i].body_len, "secret", 6));
    assert_int_equal(fake_db->quarantine_count, 1);
    scene_free(&scene);
}

/* ---- pace, events -------------------------------------------------------- */

static unsigned waits, ends_of_waits, progress;
static char phases[256];

static void
listen_to(void *cookie, const struct engine_event *event)
{
    const char *flag = cookie;

    switch (event->kind) {
    case ENGINE_WAITING:
        if (event->text[0] == '\0') {
            ends_of_waits++;
        } else {
            assert_non_null(strstr(event->text, flag));
            waits++;
            unlink(flag);
        }
        break;
    case ENGINE_PHASE:
        strncat(phases, event->text, sizeof(phases) - strlen(phases) - 1);
        strncat(phases, ";", sizeof(phases) - strlen(phases) - 1);
        break;
    case ENGINE_PROGRESS:
        progress++;
        break;
    case ENGINE_NOTE:
        break;
    }
}

static void
yields_to_a_flag_file_and_says_so(void **state)
{
    char flag[160], more[400];
    struct scene scene;

    (void)state;
    waits = ends_of_waits = 0;
    phases[0] = '\0';
    scene_new(&scene, FIELD_A, TENS);
    snprintf(flag, sizeof(flag), "%s/pause", scene.f.dir);
    snprintf(more, sizeof(more), ",\"pace\":{\"rows\":[10,10]},"
             "\"yield_to\":{\"flag_file\":\"%s\"}", flag);
    scene_job(&scene, FIELD_A, more);
    write_file(flag, LITERAL(""), 0600);
    scene.options.event = listen_to;
    scene.options.cookie = flag;
    scene_fill(100);

    scene_must(&scene, ENVL_OK);

    assert_int_equal(waits, 1);
    assert_int_equal(ends_of_waits, 1);
    assert_string_equal(phases, "sweep;closing pass 1;");
    scene_free(&scene);
}

static void
keeps_to_the_row_limit(void **state)
{
    struct scene scene;

    (void)state;
    progress = 0;
    scene_new(&scene, FIELD_A,
              ",\"pace\":{\"rows\":[10,10],\"max_rows_per_s\":100}");
    scene_fill(60);
    scene.options.event = listen_to;

    scene_must(&scene, ENVL_OK);

    assert_true(json_real_value(json_object_get(scene.report, "seconds")) >=
                0.5);
    assert_true(progress >= 3);
    scene_free(&scene);
}

static void
refuses_two_fields_at_one_place(void **state)
{
    struct job *job;
    struct scene scene;
    const char *text =
        "{\"envelope_job\":1,\"name\":\"j\",\"source\":{\"driver\":\"fake\"},"
        "\"targets\":["
        "{\"table\":\"t\",\"key\":[\"id\"],\"fields\":[{\"column\":\"a\"}]},"
        "{\"table\":\"T\",\"key\":[\"id\"],\"fields\":[{\"column\":\"b\","
        "\"into\":\"a\"}]}]}";

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    if (job_parse(envl_bytes_of(text), &job, &scene.err) != ENVL_OK)
        fail_msg("%s", scene.err.message);
    job_free(scene.job);
    scene.job = job;

    scene_must(&scene, ENVL_E_USAGE);

    assert_non_null(strstr(scene.err.message, "same place"));
    assert_false(fake_db->tables);
    scene_free(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_after_the_batch_and_goes_on_where_it_was),
        cmocka_unit_test(counts_exactly_across_a_death),
        cmocka_unit_test(names_the_living_owner_of_the_job),
        cmocka_unit_test(takes_part_in_a_job_that_another_process_leads),
        cmocka_unit_test(takes_no_part_where_there_is_one_writer),
        cmocka_unit_test(fences_a_worker_whose_range_was_taken_over),
        cmocka_unit_test(stops_when_the_job_was_taken_over),
        cmocka_unit_test(obeys_no_record_that_was_changed),
        cmocka_unit_test(obeys_no_record_of_another_range),
        cmocka_unit_test(misses_a_record_that_was_deleted),
        cmocka_unit_test(refuses_an_older_ring_than_the_job_has_seen),
        cmocka_unit_test(refuses_another_direction_while_one_is_unfinished),
        cmocka_unit_test(begins_anew_when_the_unfinished_key_no_longer_seals),
        cmocka_unit_test(begins_anew_when_the_job_file_was_changed),
        cmocka_unit_test(writes_nothing_under_a_key_that_is_not_on_disk),
        cmocka_unit_test(seals_only_under_an_active_key),
        cmocka_unit_test(does_nothing_that_it_cannot_record),
        cmocka_unit_test(records_its_begin_and_its_end),
        cmocka_unit_test(puts_no_value_into_its_records),
        cmocka_unit_test(yields_to_a_flag_file_and_says_so),
        cmocka_unit_test(keeps_to_the_row_limit),
        cmocka_unit_test(refuses_two_fields_at_one_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
