/*
 * Every call of the plugin fails once, in every way: the sweep deals with it,
 * or says what is wrong and a rerun finishes; and whatever happened, nothing
 * is lost, sealed twice or counted wrongly (I1, I2, I6, I7, I8, I11).
 */
#include "sweep_fixture.h"

#define ROWS 60u

/* Column b is written by an application now and then; a is what is sealed. */
struct application {
    unsigned seed, left;
    unsigned versions[ROWS + 1];
};

static unsigned
dice(struct application *app)
{
    app->seed = app->seed * 1103515245u + 12345u;
    return app->seed >> 8;
}

static void
write_something(struct fake_db *db, enum fake_call call)
{
    struct application *app = db->cookie;
    unsigned id = 1 + dice(app) % ROWS;
    struct fake_row *row = fake_row(id);
    char text[64];

    (void)call;
    if (app->left == 0 || db->dead || dice(app) % 4 != 0 || row == NULL ||
        row->holder != 0)
        return;
    app->left--;
    snprintf(text, sizeof(text), "secret %u v%u", id, ++app->versions[id]);
    fake_put(id, COLUMN_A, text);
}

/* What kind of store: one that works ahead, one like SQLite, or one without
   transactions, where what was written stands before its checkpoint. */
static bool like_sqlite, like_mongo;

static void
refill(void)
{
    fake_db_free();
    fake_db_new();
    scene_fill(ROWS);
    fake_db->no_transactions = like_mongo;
    if (like_sqlite) {
        fake_db->immediate = fake_db->finds_unsealed = true;
        fake_db->max_workers = 1;
    }
}

static void
check_rows(const struct scene *scene, const struct application *app)
{
    char got[128], want[64];

    for (unsigned id = 1; id <= ROWS; id++) {
        snprintf(want, sizeof(want),
                 app->versions[id] == 0 ? "secret %u" : "secret %u v%u", id,
                 app->versions[id]);
        if (!scene_opens(scene, id, COLUMN_A, "t.a", "k1", got, sizeof(got)))
            fail_msg("row %u does not open", id);
        assert_string_equal(got, want);
    }
    assert_int_equal(fake_db->double_seals, 0);
}

static void
check_ledger(const struct scene *scene)
{
    bool first = scene_count(scene, "pass") == 1;

    scene_adds_up(scene);
    assert_int_equal(scene_count(scene, "values"), ROWS);
    /* Without transactions a batch can be written and its count lost: the
       rerun finds it sealed, and skips it. */
    if (like_mongo)
        assert_in_range(scene_count(scene, "sealed"), 0, first ? ROWS : 0);
    else
        assert_int_equal(scene_count(scene, "sealed"), first ? ROWS : 0);
    assert_int_equal(scene_count(scene, "sealed") +
                     scene_count(scene, "skipped"), ROWS);
    assert_int_equal(scene_count(scene, "conflicts"), 0);
}

/* What a process that was killed, or gave up, leaves to the next one. */
static void
rerun(struct scene *scene)
{
    fake_new_process();
    /* Its second closing pass may have found something before it died. */
    if (scene_run(scene) == ENVL_E_FINDINGS)
        scene_run(scene);
    if (scene->status != ENVL_OK)
        fail_msg("a rerun: %s", scene->err.message);
}

/* Run with ${fault} at call 1, 2, 3, ... until it is met no more. */
static void
every_call(enum fake_fault fault, bool writers, uint32_t patience_ms)
{
    struct application app = { 0 };
    struct scene scene;
    unsigned step = getenv("ENVL_TEST_QUICK") != NULL ? 7 : writers ? 3 : 1;
    unsigned at = 0, gave_up = 0, calls;

    scene_new(&scene, FIELD_A, TENS);
    scene.options.patience_ms = patience_ms;
    do {
        at += step;
        refill();
        app = (struct application){ .seed = at, .left = writers ? 20 : 0 };
        fake_db->cookie = &app;
        fake_db->on_call = write_something;
        fake_db->fault = fault;
        fake_db->fault_at = at;
        scene_run(&scene);
        calls = fake_db->calls;
        fake_db->on_call = NULL;

        if (scene.status != ENVL_OK) {
            if (scene.status != ENVL_E_DATABASE &&
                scene.status != ENVL_E_LOCKED &&
                !(writers && scene.status == ENVL_E_FINDINGS))
                fail_msg("call %u: %s: %s", at,
                         envl_status_name(scene.status), scene.err.message);
            gave_up++;
            rerun(&scene);
        }
        check_rows(&scene, &app);
        if (!writers) {
            check_ledger(&scene);
            /* The sweep and a closing pass, what was read ahead, and one
               batch that is read again (I11). */
            if (scene_count(&scene, "pass") == 1)
                assert_in_range(fake_db->rows_read, 0, 2 * ROWS + 3 * 10);
        }
    } while (calls >= at);
    print_message("           %u calls, %u runs ended early\n", at, gave_up);
    assert_true(at > 40);
    scene_free(&scene);
}

static int
as_one_that_works_ahead(void **state)
{
    (void)state;
    like_sqlite = like_mongo = false;
    return 0;
}

static int
as_one_like_sqlite(void **state)
{
    (void)state;
    like_sqlite = true;
    like_mongo = false;
    return 0;
}

static int
as_one_without_transactions(void **state)
{
    (void)state;
    like_sqlite = false;
    like_mongo = true;
    return 0;
}

static void
survives_a_connection_lost_before_any_call(void **state)
{
    (void)state;
    every_call(FAKE_LOST_BEFORE, false, 2000);
}

static void
survives_a_connection_lost_after_any_call(void **state)
{
    (void)state;
    every_call(FAKE_LOST_AFTER, false, 2000);
}

static void
survives_a_lock_at_any_call(void **state)
{
    (void)state;
    every_call(FAKE_LOCK, false, 2000);
}

static void
resumes_after_a_death_before_any_call(void **state)
{
    (void)state;
    every_call(FAKE_DIE_BEFORE, false, 1);
}

static void
resumes_after_a_death_after_any_call(void **state)
{
    (void)state;
    every_call(FAKE_DIE_AFTER, false, 1);
}

static void
loses_nothing_to_a_lost_connection_while_rows_are_written(void **state)
{
    (void)state;
    every_call(FAKE_LOST_BEFORE, true, 2000);
    every_call(FAKE_LOST_AFTER, true, 2000);
}

static void
loses_nothing_to_a_death_while_rows_are_written(void **state)
{
    (void)state;
    every_call(FAKE_DIE_BEFORE, true, 1);
    every_call(FAKE_DIE_AFTER, true, 1);
}

/* Faults everywhere, also while dealing with faults, and three workers. */
static void
weathers_a_storm(void **state)
{
    unsigned seeds = getenv("ENVL_TEST_QUICK") == NULL ? 12 : 4;
    struct application app;
    struct scene scene;
    unsigned tries, faults = 0;

    (void)state;
    scene_new(&scene, FIELD_A, ",\"pace\":{\"rows\":[2,4]}");
    scene.options.patience_ms = 300;
    scene.options.workers = like_sqlite ? 1 : 3;
    for (unsigned seed = 1; seed <= seeds; seed++) {
        refill();
        app = (struct application){ .seed = seed, .left = 40 };
        fake_db->cookie = &app;
        fake_db->on_call = write_something;
        fake_db->storm = 60;
        fake_db->storm_seed = seed;
        fake_db->storm_left = 40;
        for (tries = 0; scene_run(&scene) != ENVL_OK && tries < 50; tries++) {
            /* There is nobody else, however often taking the lease failed. */
            assert_null(strstr(scene.err.message, "taken the job over"));
            fake_db->process++;
        }
        if (scene.status != ENVL_OK)
            fail_msg("seed %u: %s: %s", seed,
                     envl_status_name(scene.status), scene.err.message);
        check_rows(&scene, &app);
        faults += fake_db->hits;
    }
    print_message("           %u faults\n", faults);
    scene_free(&scene);
}

/* Killed when a batch stands and its checkpoint does not: nothing of it is
   sealed again, and the counts are those of what is there. */
static void
a_death_between_write_and_checkpoint_costs_nothing(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene.options.patience_ms = 1;
    for (unsigned at = 1; at <= ROWS / 10; at++) {
        unsigned sealed = 0;

        refill();
        fake_db->fault = FAKE_DIE_BEFORE;
        fake_db->fault_only = true;
        fake_db->fault_call = FAKE_COMMIT_BEGIN;
        fake_db->fault_at = at;
        scene_run(&scene);
        assert_int_equal(scene.status, ENVL_E_DATABASE);
        for (unsigned id = 1; id <= ROWS; id++)
            sealed += fake_row(id)->sealed_by_us[COLUMN_A];
        assert_int_equal(sealed, 10 * at); /* it stands */
        rerun(&scene);
        assert_int_equal(fake_db->double_seals, 0);
        assert_int_equal(scene_count(&scene, "skipped"), 10);
        check_rows(&scene, &(struct application){ .seed = 0 });
        check_ledger(&scene);
    }
    scene_free(&scene);
}

/* The same where transactions are: what was not committed is not there. */
static void
a_death_before_the_commit_undoes_the_batch(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene.options.patience_ms = 1;
    refill();
    fake_db->fault = FAKE_DIE_BEFORE;
    fake_db->fault_only = true;
    fake_db->fault_call = FAKE_COMMIT_BEGIN;
    fake_db->fault_at = 1;
    scene_run(&scene);
    for (unsigned id = 1; id <= ROWS; id++)
        assert_false(fake_row(id)->sealed_by_us[COLUMN_A]);
    rerun(&scene);
    assert_int_equal(scene_count(&scene, "skipped"), 0);
    check_ledger(&scene);
    scene_free(&scene);
}

#define ALL(test) \
    { #test, test, as_one_that_works_ahead, NULL, NULL }, \
    { #test "_without_transactions", test, as_one_without_transactions, \
      NULL, NULL }, \
    { #test "_like_sqlite", test, as_one_like_sqlite, NULL, NULL }

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ALL(survives_a_connection_lost_before_any_call),
        ALL(survives_a_connection_lost_after_any_call),
        ALL(survives_a_lock_at_any_call),
        ALL(resumes_after_a_death_before_any_call),
        ALL(resumes_after_a_death_after_any_call),
        ALL(loses_nothing_to_a_lost_connection_while_rows_are_written),
        ALL(weathers_a_storm),
        ALL(loses_nothing_to_a_death_while_rows_are_written),
        { "a_death_between_write_and_checkpoint_costs_nothing",
          a_death_between_write_and_checkpoint_costs_nothing,
          as_one_without_transactions, NULL, NULL },
        { "a_death_before_the_commit_undoes_the_batch",
          a_death_before_the_commit_undoes_the_batch,
          as_one_that_works_ahead, NULL, NULL },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
