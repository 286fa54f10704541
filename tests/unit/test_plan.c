/* Plan and status: what is to come, and what was. */
#include <sys/stat.h>

#include "sweep_fixture.h"

static enum envl_status
plan(struct scene *scene, bool ddl)
{
    json_decref(scene->report);
    scene->report = NULL;
    scene->status = engine_plan(scene->job, &scene->options, ddl,
                                &scene->report, &scene->err);
    return scene->status;
}

static enum envl_status
status_of(struct scene *scene)
{
    json_decref(scene->report);
    scene->report = NULL;
    scene->status = engine_status(scene->job, &scene->options,
                                  &scene->report, &scene->err);
    return scene->status;
}

static const char *
text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

static void
plan_writes_nothing_and_counts_a_sample(void **state)
{
    json_t *target, *first;
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    scene_fill(100);

    assert_int_equal(plan(&scene, false), ENVL_OK);

    target = json_array_get(json_object_get(scene.report, "targets"), 0);
    assert_string_equal(text_at(target, "target"), "t");
    assert_int_equal(
        json_integer_value(json_object_get(target, "rows")), 100);
    assert_true(json_is_false(json_object_get(target, "sampled")));
    first = json_array_get(json_object_get(target, "states"), 0);
    assert_string_equal(text_at(first, "state"), "plaintext");
    assert_int_equal(
        json_integer_value(json_object_get(first, "count")), 100);
    assert_false(fake_db->tables);
    assert_int_equal(fake_db->writes + fake_db->commits, 0);
    assert_null(json_object_get(scene.report, "ddl"));
    scene_free(&scene);
}

static void
plan_looks_at_few_rows_of_many(void **state)
{
    json_t *target;
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    scene_fill(20000);

    assert_int_equal(plan(&scene, false), ENVL_OK);

    target = json_array_get(json_object_get(scene.report, "targets"), 0);
    assert_true(json_is_true(json_object_get(target, "sampled")));
    assert_in_range(
        json_integer_value(json_object_get(target, "sampled_rows")), 1000,
        2500);
    assert_true(fake_db->rows_read < 3000);
    scene_free(&scene);
}

static void
plan_prints_the_context_as_applications_need_it(void **state)
{
    json_t *field, *context;
    struct scene scene;

    (void)state;
    scene_new(&scene, "{\"column\":\"a\",\"into\":\"a_enc\"}", NO_PACE);
    scene_fill(3);

    assert_int_equal(plan(&scene, true), ENVL_OK);

    field = json_array_get(
        json_object_get(json_array_get(json_object_get(scene.report,
                                                       "targets"), 0),
                        "fields"), 0);
    assert_string_equal(text_at(field, "field"), "a");
    assert_string_equal(text_at(field, "into"), "a_enc");
    assert_string_equal(text_at(field, "takes"), "text");
    context = json_object_get(json_object_get(field, "example"), "context");
    assert_string_equal(text_at(context, "field"), "t.a_enc");
    assert_string_equal(text_at(context, "id"), "1");
    assert_non_null(strstr(text_at(scene.report, "ddl"), "grant"));
    scene_free(&scene);
}

static void
plan_finds_a_key_that_does_not_seal(void **state)
{
    struct envl_key_spec k2 = { .kid = "k2", .activate = true };
    json_t *note;
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    scene_fill(3);
    assert_int_equal(envl_keyring_add(scene.ring, &k2, NULL), ENVL_OK);
    scene.options.kid = "k1";

    assert_int_equal(plan(&scene, false), ENVL_E_FINDINGS);

    assert_int_equal(scene_count(&scene, "decisions"), 1);
    note = json_array_get(json_object_get(scene.report, "notes"), 0);
    assert_string_equal(text_at(note, "level"), "decide");
    assert_non_null(strstr(text_at(note, "text"), "decrypt-only"));
    scene_free(&scene);
}

static void
status_knows_no_job_that_was_never_run(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);

    assert_int_equal(status_of(&scene), ENVL_E_NOTFOUND);

    assert_int_equal(envl_status_exit_code(scene.status), 10);
    scene_free(&scene);
}

static void
status_tells_what_was_done_without_taking_part(void **state)
{
    unsigned takes;
    json_t *item;
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(30);
    fake_put(4, COLUMN_A, "env1:k1:!");
    scene_must(&scene, ENVL_E_PARTIAL);
    takes = fake_db->by_call[FAKE_STATE_TAKE];

    assert_int_equal(status_of(&scene), ENVL_OK);

    assert_string_equal(text_at(scene.report, "phase"), "done");
    assert_string_equal(text_at(scene.report, "outcome"), "partial");
    assert_int_equal(scene_count(&scene, "sealed"), 29);
    assert_int_equal(scene_count(&scene, "quarantined"), 1);
    assert_true(json_is_false(json_object_get(scene.report, "running")));
    assert_true(json_is_true(json_object_get(scene.report, "authentic")));
    item = json_array_get(json_object_get(scene.report, "quarantine"), 0);
    assert_string_equal(text_at(item, "row"), "id=4");
    assert_string_equal(text_at(item, "state"), "prefix_collision");
    assert_int_equal(fake_db->by_call[FAKE_STATE_TAKE], takes);
    scene_free(&scene);
}

static void
status_needs_no_ring(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, TENS);
    scene_fill(30);
    scene_must(&scene, ENVL_OK);
    scene.options.ring = NULL;

    assert_int_equal(status_of(&scene), ENVL_OK);

    assert_int_equal(scene_count(&scene, "sealed"), 30);
    assert_null(json_object_get(scene.report, "authentic"));
    scene_free(&scene);
}

static bool
has_note(const struct scene *scene, const char *level, const char *words)
{
    json_t *notes = json_object_get(scene->report, "notes"), *note;
    size_t i;

    json_array_foreach(notes, i, note)
        if (strcmp(text_at(note, "level"), level) == 0 &&
            strstr(text_at(note, "text"), words) != NULL)
            return true;
    return false;
}

/* Who has which generation: from reports that readers leave in a folder. */
static void
plan_says_which_readers_cannot_have_the_key(void **state)
{
    struct envl_key_spec k2 = { .kid = "k2", .activate = true };
    char folder[160];
    json_t *readers;
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    scene_fill(3);
    snprintf(folder, sizeof(folder), "%s/readers", scene.f.dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(envl_keyring_report(scene.ring, folder, "web-1", NULL),
                     ENVL_OK);
    scene.options.readers = folder;
    scene.options.backup_generation = 1;
    scene.options.backup_date = "2026-11-22T00:00:00Z";

    assert_int_equal(plan(&scene, false), ENVL_OK);
    readers = json_object_get(json_object_get(scene.report, "key"),
                              "readers");
    assert_int_equal(json_array_size(readers), 1);
    assert_true(json_is_true(json_object_get(json_array_get(readers, 0),
                                             "current")));
    assert_true(json_is_true(json_object_get(
        json_object_get(scene.report, "key"), "durable")));
    assert_false(has_note(&scene, "warn", "backup"));

    assert_int_equal(envl_keyring_add(scene.ring, &k2, NULL), ENVL_OK);
    assert_int_equal(plan(&scene, false), ENVL_E_FINDINGS);
    assert_true(has_note(&scene, "decide", "reader web-1"));
    assert_true(has_note(&scene, "warn", "changed since its backup"));

    assert_int_equal(envl_keyring_report(scene.ring, folder, "web-1", NULL),
                     ENVL_OK);
    assert_int_equal(plan(&scene, false), ENVL_OK);
    scene_free(&scene);
}

static json_int_t
number_at(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void
plan_tells_how_large_it_gets_and_how_long_it_takes(void **state)
{
    json_t *target, *field;
    struct scene scene;
    json_int_t longest;

    (void)state;
    scene_new(&scene, FIELD_A, ",\"pace\":{\"max_rows_per_s\":10}");
    scene_fill(9); /* all of one length */
    assert_int_equal(plan(&scene, false), ENVL_OK);
    target = json_array_get(json_object_get(scene.report, "targets"), 0);
    field = json_array_get(json_object_get(target, "fields"), 0);
    assert_int_equal(number_at(target, "rows_to_write"), 9);
    assert_int_equal(number_at(field, "values"), 9);
    assert_int_equal(number_at(field, "mean_before"), strlen("secret 4"));
    assert_string_equal(text_at(json_object_get(scene.report, "time"),
                                "basis"), "limit");
    longest = number_at(field, "longest");
    scene_must(&scene, ENVL_OK);
    assert_int_equal(strlen(fake_get(4, COLUMN_A)), longest);
    scene_free(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_says_which_readers_cannot_have_the_key),
        cmocka_unit_test(plan_tells_how_large_it_gets_and_how_long_it_takes),
        cmocka_unit_test(plan_writes_nothing_and_counts_a_sample),
        cmocka_unit_test(plan_looks_at_few_rows_of_many),
        cmocka_unit_test(plan_prints_the_context_as_applications_need_it),
        cmocka_unit_test(plan_finds_a_key_that_does_not_seal),
        cmocka_unit_test(status_knows_no_job_that_was_never_run),
        cmocka_unit_test(status_tells_what_was_done_without_taking_part),
        cmocka_unit_test(status_needs_no_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
