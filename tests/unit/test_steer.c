/* What makes a sweep wait, and what operators say (JOB-70 to JOB-78). */
#include <time.h>
#include <unistd.h>

#include "engine/control.h"
#include "engine/steer.h"
#include "sweep_fixture.h"

/* ---- one run in the background of the test's own calls ------------------- */

struct told {
    unsigned waits;
    char reason[24], text[400];
    unsigned notes;
    char note[300];
    bool over;
};

static void
hear(void *cookie, const struct engine_event *event)
{
    struct told *told = cookie;

    if (event->kind == ENGINE_NOTE) {
        told->notes++;
        snprintf(told->note, sizeof(told->note), "%s", event->text);
    }
    if (event->kind != ENGINE_WAITING)
        return;
    told->waits++;
    told->over = event->text[0] == '\0';
    if (!told->over) {
        snprintf(told->reason, sizeof(told->reason), "%s", event->reason);
        snprintf(told->text, sizeof(told->text), "%s", event->text);
    }
}

static void
nap(unsigned ms)
{
    struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };

    nanosleep(&time, NULL);
}

struct background {
    struct scene *scene;
    struct told told;
    pthread_t thread;
    volatile sig_atomic_t stop;
    enum envl_status status;
    struct envl_error err;
    json_t *report;
};

static void *
sweep(void *cookie)
{
    struct background *background = cookie;
    struct engine_options options = background->scene->options;

    options.event = hear;
    options.cookie = &background->told;
    options.stop = &background->stop;
    background->status = engine_run(background->scene->job, ENGINE_SEAL,
                                    &options, &background->report,
                                    &background->err);
    return NULL;
}

static void
start(struct background *background, struct scene *scene)
{
    *background = (struct background){ .scene = scene };
    assert_int_equal(pthread_create(&background->thread, NULL, sweep,
                                    background), 0);
}

static enum envl_status
join(struct background *background)
{
    pthread_join(background->thread, NULL);
    json_decref(background->report);
    return background->status;
}

static enum envl_status
order(struct scene *scene, enum engine_verb verb, const char *setting)
{
    const char *const settings[] = { setting, NULL };
    struct engine_order order = { verb, settings };

    json_decref(scene->report);
    scene->report = NULL;
    scene->err = (struct envl_error){ 0 };
    scene->status = engine_order(scene->job, &scene->options, &order,
                                 &scene->report, &scene->err);
    return scene->status;
}

static unsigned
sealed_rows(unsigned rows)
{
    unsigned count = 0;

    pthread_mutex_lock(&fake_lock);
    for (unsigned id = 1; id <= rows; id++) {
        const char *text = fake_get(id, COLUMN_A);

        count += text != NULL && strncmp(text, "env1:", 5) == 0;
    }
    pthread_mutex_unlock(&fake_lock);
    return count;
}

static int
connections(void)
{
    int count;

    pthread_mutex_lock(&fake_lock);
    count = fake_db->live_stores;
    pthread_mutex_unlock(&fake_lock);
    return count;
}

static void
press(const char *member)
{
    pthread_mutex_lock(&fake_lock);
    fake_db->pressed = member;
    pthread_mutex_unlock(&fake_lock);
}

/* Wait until nothing is written any more; how much there is then. */
static unsigned
settled(unsigned rows)
{
    unsigned before, now = sealed_rows(rows);

    do {
        before = now;
        nap(400);
        now = sealed_rows(rows);
    } while (now != before);
    return now;
}

static const char *
text_in(const json_t *object, const char *a, const char *b)
{
    const char *text = json_string_value(
        json_object_get(json_object_get(object, a), b));

    return text == NULL ? "" : text;
}

#define TRICKLE ",\"pace\":{\"rows\":[10,10],\"max_rows_per_s\":200}"

/* A job that has been run once, and has much left to do. */
static void
scene_begun(struct scene *scene, const char *more, unsigned rows)
{
    volatile sig_atomic_t stop = 1;

    scene_new(scene, FIELD_A, more);
    scene_fill(rows);
    scene->options.stop = &stop;
    scene_must(scene, ENVL_E_INTERRUPTED);
    scene->options.stop = NULL;
}

/* ---- tests --------------------------------------------------------------- */

static void
a_window_is_open_from_its_begin_to_before_its_end(void **state)
{
    struct job_window night = { .from = 22 * 60, .to = 6 * 60 };
    struct job_window day = { .from = 9 * 60, .to = 17 * 60 };
    uint32_t left;

    (void)state;
    assert_true(steer_window(&night, 22 * 60, &left));
    assert_true(steer_window(&night, 0, &left));
    assert_true(steer_window(&night, 6 * 60 - 1, &left));
    assert_false(steer_window(&night, 6 * 60, &left));
    assert_int_equal(left, 16 * 60);
    assert_false(steer_window(&night, 22 * 60 - 1, &left));
    assert_int_equal(left, 1);
    assert_true(steer_window(&day, 9 * 60, &left));
    assert_true(steer_window(&day, 16 * 60 + 59, &left));
    assert_false(steer_window(&day, 17 * 60, &left));
    assert_false(steer_window(&day, 8 * 60 + 59, &left));
    assert_int_equal(left, 1);
}

static void
a_pause_stops_a_running_sweep_and_resume_lets_it_go_on(void **state)
{
    struct background background;
    struct scene scene;
    unsigned done;

    (void)state;
    scene_begun(&scene, TRICKLE, 600);
    start(&background, &scene);
    while (sealed_rows(600) < 20)
        nap(10);

    assert_int_equal(order(&scene, ENGINE_PAUSE, NULL), ENVL_OK);
    assert_true(json_is_true(json_object_get(scene.report, "running")));
    nap(1500);
    done = settled(600);
    assert_true(done < 600);

    assert_int_equal(order(&scene, ENGINE_RESUME, NULL), ENVL_OK);
    assert_int_equal(order(&scene, ENGINE_SET, "max_rows_per_s=0"), ENVL_OK);
    assert_int_equal(join(&background), ENVL_OK);
    assert_string_equal(background.told.reason, "paused");
    assert_non_null(strstr(background.told.text, "envelope resume"));
    scene_all_sealed(&scene, 600, "k1");
    scene_free(&scene);
}

static void
a_pause_outlives_the_process_and_a_new_pass(void **state)
{
    struct background background;
    struct scene scene;

    (void)state;
    scene_begun(&scene, NO_PACE, 100);
    assert_int_equal(order(&scene, ENGINE_PAUSE, NULL), ENVL_OK);
    fake_new_process();
    scene_job(&scene, FIELD_A, ",\"pace\":{\"target_ms\":90}"); /* new pass */
    start(&background, &scene);
    nap(1500);
    assert_int_equal(sealed_rows(100), 0);
    assert_int_equal(order(&scene, ENGINE_RESUME, NULL), ENVL_OK);
    assert_int_equal(join(&background), ENVL_OK);
    scene_all_sealed(&scene, 100, "k1");
    scene_free(&scene);
}

static void
who_does_not_want_to_wait_ends(void **state)
{
    struct scene scene;

    (void)state;
    scene_begun(&scene, NO_PACE, 100);
    assert_int_equal(order(&scene, ENGINE_PAUSE, NULL), ENVL_OK);
    scene.options.no_wait = true;
    scene_must(&scene, ENVL_E_POLICY);
    assert_non_null(strstr(scene.err.message, "paused by"));
    assert_int_equal(sealed_rows(100), 0);
    scene_free(&scene);
}

/* spec: JOB-77 */
static void
without_a_keyring_one_can_pause_and_nothing_else(void **state)
{
    struct background background;
    struct envl_keyring *ring;
    struct scene scene;

    (void)state;
    scene_begun(&scene, NO_PACE, 100);
    ring = scene.options.ring;
    scene.options.ring = NULL;
    assert_int_equal(order(&scene, ENGINE_RESUME, NULL), ENVL_E_USAGE);
    assert_int_equal(order(&scene, ENGINE_SET, "workers=2"), ENVL_E_USAGE);
    assert_int_equal(order(&scene, ENGINE_PAUSE, NULL), ENVL_OK);
    scene.options.ring = ring;
    start(&background, &scene);
    nap(1200);
    assert_int_equal(sealed_rows(100), 0);
    assert_int_equal(order(&scene, ENGINE_RESUME, NULL), ENVL_OK);
    assert_int_equal(join(&background), ENVL_OK);
    scene_free(&scene);
}

/* spec: JOB-77: an unsigned record holds up, and changes nothing else. */
static void
a_record_that_somebody_changed_pauses_and_sets_nothing(void **state)
{
    struct background background;
    struct fake_record *record;
    struct scene scene;

    (void)state;
    scene_begun(&scene, NO_PACE, 100);
    assert_int_equal(order(&scene, ENGINE_SET, "workers=2"), ENVL_OK);
    record = fake_record_of("j:control", 0);
    assert_non_null(record);
    *(char *)memchr(record->body, '2', record->body_len) = '9';
    start(&background, &scene);
    nap(1200);
    assert_int_equal(sealed_rows(100), 0);
    assert_int_equal(order(&scene, ENGINE_SHOW, NULL), ENVL_OK);
    assert_true(json_is_false(json_object_get(
        json_object_get(scene.report, "control"), "authentic")));
    assert_int_equal(order(&scene, ENGINE_RESUME, NULL), ENVL_OK);
    assert_int_equal(json_object_size(json_object_get(json_object_get(
                         scene.report, "control"), "set")), 0);
    assert_int_equal(join(&background), ENVL_OK);
    assert_non_null(strstr(background.told.text, "not written under"));
    scene_free(&scene);
}

static void
workers_come_and_go_while_it_runs(void **state)
{
    struct background background;
    struct scene scene;

    (void)state;
    scene_begun(&scene, ",\"pace\":{\"rows\":[10,10],\"max_rows_per_s\":4000}",
                20000);
    start(&background, &scene);
    while (sealed_rows(20000) < 20)
        nap(10);
    assert_int_equal(order(&scene, ENGINE_SET, "workers=4"), ENVL_OK);
    for (unsigned i = 0; i < 500 && connections() < 5; i++)
        nap(20);
    assert_int_equal(connections(), 5); /* and one that leads */
    assert_int_equal(order(&scene, ENGINE_SET, "workers=1"), ENVL_OK);
    for (unsigned i = 0; i < 500 && connections() > 2; i++)
        nap(20);
    assert_int_equal(connections(), 2);
    assert_int_equal(order(&scene, ENGINE_SET, "max_rows_per_s=0"), ENVL_OK);
    assert_int_equal(order(&scene, ENGINE_SET, "rows=50,5000"), ENVL_OK);
    assert_int_equal(join(&background), ENVL_OK);
    assert_true(background.told.notes >= 2);
    scene_all_sealed(&scene, 20000, "k1");
    scene_free(&scene);
}

static void
settings_are_checked_and_taken_back(void **state)
{
    static const char *const bad[] = {
        "target_ms", "target_ms=0", "target_ms=60001", "target_ms=8x", "=1",
        "rows=5", "rows=5,4", "rows=0,4", "rows=,", "workers=65",
        "max_rows_per_s=-1", "bytes=5000", "workers=99999999999999999999",
    };
    struct scene scene;

    (void)state;
    scene_begun(&scene, NO_PACE, 10);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (order(&scene, ENGINE_SET, bad[i]) != ENVL_E_USAGE)
            fail_msg("taken: %s", bad[i]);
    assert_null(fake_record_of("j:control", 0));
    assert_int_equal(order(&scene, ENGINE_SET, "rows=5,50"), ENVL_OK);
    assert_int_equal(order(&scene, ENGINE_SET, "target_ms=80"), ENVL_OK);
    assert_int_equal(order(&scene, ENGINE_SET, "rows="), ENVL_OK);
    assert_int_equal(order(&scene, ENGINE_SHOW, NULL), ENVL_OK);
    assert_string_equal(text_in(scene.report, "control", "by")[0] == '\0'
                            ? "" : "somebody", "somebody");
    assert_int_equal(json_object_size(json_object_get(json_object_get(
                         scene.report, "control"), "set")), 1);
    scene_free(&scene);
}

static void
an_order_needs_a_job_that_was_run(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    assert_int_equal(order(&scene, ENGINE_PAUSE, NULL), ENVL_E_NOTFOUND);
    assert_null(fake_record_of("j:control", 0));
    scene_free(&scene);
}

static void
pressure_makes_it_wait_and_names_itself(void **state)
{
    struct background background;
    struct scene scene;

    (void)state;
    scene_begun(&scene, ",\"yield_to\":{\"query\":\"q\",\"xmin_age_s\":5}",
                100);
    press("xmin_age_s");
    start(&background, &scene);
    nap(1200);
    assert_int_equal(sealed_rows(100), 0);
    press(NULL);
    assert_int_equal(join(&background), ENVL_OK);
    assert_string_equal(background.told.reason, "xmin_age_s");
    assert_string_equal(background.told.text, "yielding: somebody is at work");
    /* About once a second. */
    assert_in_range(fake_db->pressures, 2, 8);
    scene_free(&scene);
}

/* spec: JOB-72 */
static void
what_the_store_has_no_notion_of_is_refused_by_name(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, ",\"yield_to\":{\"replica_lag_s\":2}");
    scene_fill(10);
    scene_must(&scene, ENVL_E_USAGE);
    assert_non_null(strstr(scene.err.message, "replica_lag_s"));
    assert_int_equal(fake_db->commits, 0);
    scene_free(&scene);
}

/* spec: JOB-73 */
static void
an_unknown_zone_is_refused_before_anything_is_written(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A,
              ",\"pace\":{\"window\":\"22:00-06:00 Europe/Nowhere\"}");
    scene_fill(10);
    scene_must(&scene, ENVL_E_USAGE);
    assert_non_null(strstr(scene.err.message, "Europe/Nowhere"));
    assert_int_equal(fake_db->commits, 0);
    scene_free(&scene);
}

/* spec: JOB-74 */
static void
too_much_quarantine_stops_the_sweep(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, ",\"pace\":{\"rows\":[10,10]},"
              "\"limits\":{\"max_blocked_rows\":5}");
    scene_fill(300);
    for (unsigned id = 101; id <= 300; id++)
        fake_put(id, COLUMN_A, "env1:broken");
    scene_must(&scene, ENVL_E_PARTIAL);
    assert_non_null(strstr(scene.err.message, "max_blocked_rows"));
    assert_int_equal(sealed_rows(300), 200 + 100); /* broken ones look so */
    assert_in_range(fake_db->quarantine_count, 6, 30);
    scene_job(&scene, FIELD_A, ",\"pace\":{\"rows\":[10,10]},"
              "\"limits\":{\"max_error_rate\":0.5}");
    scene_must(&scene, ENVL_E_PARTIAL);
    assert_non_null(strstr(scene.err.message, "max_error_rate"));
    scene_free(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_is_open_from_its_begin_to_before_its_end),
        cmocka_unit_test(
            a_pause_stops_a_running_sweep_and_resume_lets_it_go_on),
        cmocka_unit_test(a_pause_outlives_the_process_and_a_new_pass),
        cmocka_unit_test(who_does_not_want_to_wait_ends),
        cmocka_unit_test(without_a_keyring_one_can_pause_and_nothing_else),
        cmocka_unit_test(
            a_record_that_somebody_changed_pauses_and_sets_nothing),
        cmocka_unit_test(workers_come_and_go_while_it_runs),
        cmocka_unit_test(settings_are_checked_and_taken_back),
        cmocka_unit_test(an_order_needs_a_job_that_was_run),
        cmocka_unit_test(pressure_makes_it_wait_and_names_itself),
        cmocka_unit_test(what_the_store_has_no_notion_of_is_refused_by_name),
        cmocka_unit_test(
            an_unknown_zone_is_refused_before_anything_is_written),
        cmocka_unit_test(too_much_quarantine_stops_the_sweep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
