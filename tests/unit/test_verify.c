/* Verify: every envelope opened in its place, and what is amiss. */
#include "sweep_fixture.h"

static enum envl_status
verify(struct scene *scene)
{
    json_decref(scene->report);
    scene->report = NULL;
    scene->err = (struct envl_error){ 0 };
    scene->status = engine_verify(scene->job, &scene->options,
                                  &scene->report, &scene->err);
    return scene->status;
}

/* 50 sealed rows; verify says so. */
static void
sealed(struct scene *scene)
{
    scene_new(scene, FIELD_A, TENS);
    scene_fill(50);
    scene_must(scene, ENVL_OK);
}

static bool
is_ok(const struct scene *scene)
{
    return json_is_true(json_object_get(scene->report, "ok"));
}

static json_int_t
in_state(const struct scene *scene, const char *state)
{
    json_int_t count = 0;
    json_t *entry;
    size_t i;

    json_array_foreach(json_object_get(scene->report, "census"), i, entry) {
        if (strcmp(json_string_value(json_object_get(entry, "state")),
                   state) == 0)
            count += json_integer_value(json_object_get(entry, "count"));
    }
    return count;
}

static void
opens_everything(void **state)
{
    struct scene scene;

    (void)state;
    sealed(&scene);
    fake_put(51, COLUMN_A, NULL);
    fake_put(52, COLUMN_A, "");

    assert_int_equal(verify(&scene), ENVL_OK);

    assert_true(is_ok(&scene));
    assert_int_equal(scene_count(&scene, "opened"), 50);
    assert_int_equal(scene_count(&scene, "failed"), 0);
    assert_int_equal(in_state(&scene, "sealed_current"), 50);
    assert_int_equal(in_state(&scene, "null"), 1);
    assert_int_equal(in_state(&scene, "empty"), 1);
    scene_free(&scene);
}

static void
writes_nothing(void **state)
{
    unsigned commits, takes;
    struct scene scene;

    (void)state;
    sealed(&scene);
    fake_put(3, COLUMN_A, "secret 3");
    commits = fake_db->commits;
    takes = fake_db->by_call[FAKE_STATE_TAKE];

    assert_int_equal(verify(&scene), ENVL_E_FINDINGS);

    assert_int_equal(fake_db->commits, commits);
    assert_int_equal(fake_db->by_call[FAKE_STATE_TAKE], takes);
    assert_string_equal(fake_get(3, COLUMN_A), "secret 3");
    scene_free(&scene);
}

static void
finds_each_thing_that_is_amiss(void **state)
{
    static const struct {
        const char *what, *state;
        bool failed;
    } cases[] = {
        { "secret 7", "plaintext", false },
        { "env1:k1:!", "prefix_collision", true },
        { "env2:k1:AAAA", "sealed_newer", true },
        { "moved", "sealed_wrong_context", true },
        { "cut", "sealed_corrupt", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *put = cases[i].what;
        char text[512];
        struct scene scene;
        json_t *first;

        sealed(&scene);
        snprintf(text, sizeof(text), "%s", fake_get(8, COLUMN_A));
        if (strcmp(put, "moved") == 0) {
            put = text;
        } else if (strcmp(put, "cut") == 0) {
            /* The last bits of row 7's own envelope: its tag. */
            snprintf(text, sizeof(text), "%s", fake_get(7, COLUMN_A));
            text[strlen(text) - 9] = text[strlen(text) - 9] == 'A' ? 'B' : 'A';
            put = text;
        }
        fake_put(7, COLUMN_A, put);

        assert_int_equal(verify(&scene), ENVL_E_FINDINGS);

        assert_false(is_ok(&scene));
        assert_int_equal(envl_status_exit_code(scene.status), 4);
        assert_int_equal(scene_count(&scene, "opened"), 49);
        assert_int_equal(scene_count(&scene, "failed"), cases[i].failed);
        first = json_array_get(json_object_get(scene.report, "findings"), 0);
        assert_string_equal(
            json_string_value(json_object_get(first, "row")), "id=7");
        assert_string_equal(
            json_string_value(json_object_get(first, "state")),
            cases[i].state);
        scene_free(&scene);
    }
}

static void
is_not_content_with_a_key_that_is_not_active(void **state)
{
    struct envl_key_spec k2 = { .kid = "k2", .activate = true };
    struct scene scene;

    (void)state;
    sealed(&scene);
    assert_int_equal(envl_keyring_add(scene.ring, &k2, NULL), ENVL_OK);

    assert_int_equal(verify(&scene), ENVL_E_FINDINGS);

    assert_int_equal(scene_count(&scene, "opened"), 50); /* it opens */
    assert_int_equal(scene_count(&scene, "amiss"), 50);
    assert_int_equal(scene_goal(&scene, ENGINE_ROTATE), ENVL_OK);
    assert_int_equal(verify(&scene), ENVL_OK);
    assert_int_equal(in_state(&scene, "sealed_current"), 50);
    scene_free(&scene);
}

static void
wants_empty_values_sealed_where_the_job_says_so(void **state)
{
    struct scene scene;

    (void)state;
    sealed(&scene);
    scene_job(&scene, "{\"column\":\"a\",\"empty\":\"seal\"}", TENS);
    assert_int_equal(verify(&scene), ENVL_OK);
    fake_put(5, COLUMN_A, "");

    assert_int_equal(verify(&scene), ENVL_E_FINDINGS);
    scene_free(&scene);
}

static void
reads_on_after_a_lost_connection(void **state)
{
    struct scene scene;
    unsigned at;

    (void)state;
    sealed(&scene);
    for (at = 1; at < 60; at++) {
        fake_db->calls = 0;
        fake_db->fault = FAKE_LOST_AFTER;
        fake_db->fault_at = at;
        verify(&scene);
        if (scene.status != ENVL_OK) { /* while it was connecting */
            assert_int_equal(scene.status, ENVL_E_DATABASE);
            assert_true(at < 10);
            continue;
        }
        assert_int_equal(scene_count(&scene, "opened"), 50);
        assert_int_equal(scene_count(&scene, "rows"), 50);
    }
    scene_free(&scene);
}

static void
lists_so_many_findings_and_counts_the_rest(void **state)
{
    struct scene scene;

    (void)state;
    scene_new(&scene, FIELD_A, NO_PACE);
    scene_fill(1500);
    scene.options.workers = 3;

    assert_int_equal(verify(&scene), ENVL_E_FINDINGS);

    assert_int_equal(
        json_array_size(json_object_get(scene.report, "findings")), 1000);
    assert_int_equal(scene_count(&scene, "amiss"), 1500);
    scene_free(&scene);
}

/* ---- the second reading ------------------------------------------------- */

/* Once, when so many pages were read: behind the reading. */
static void
meddle(struct fake_db *db, enum fake_call call)
{
    unsigned *at = db->cookie;

    if (call != FAKE_READ_END || *at == 0 || --*at != 0)
        return;
    fake_put(2, COLUMN_A, "written behind the reading");
    fake_put(70, COLUMN_A, "written behind the last key");
    fake_delete(11);
    if (fake_get(12, COLUMN_A) != NULL)
        fake_put(12, COLUMN_A, NULL);
}

static void
sees_what_was_written_behind_the_first_reading(void **state)
{
    unsigned at = 4;
    struct scene scene;

    (void)state;
    sealed(&scene);
    fake_db->cookie = &at;
    fake_db->on_call = meddle;

    assert_int_equal(verify(&scene), ENVL_E_FINDINGS);

    assert_int_equal(at, 0);
    assert_int_equal(in_state(&scene, "plaintext"), 2);
    assert_int_equal(in_state(&scene, "null"), 1);
    assert_int_equal(scene_count(&scene, "opened"), 47);
    assert_int_equal(scene_count(&scene, "rows"), 50);
    assert_int_equal(
        json_array_size(json_object_get(scene.report, "findings")), 2);
    assert_in_range(scene_count(&scene, "moved_rows"), 1, 30);
    fake_db->on_call = NULL;
    scene_free(&scene);
}

/* Sealed by its application meanwhile: no longer amiss, nor listed. */
static void
repair(struct fake_db *db, enum fake_call call)
{
    unsigned *at = db->cookie;

    if (call == FAKE_READ_END && *at > 0 && --*at == 0)
        fake_put(3, COLUMN_A, NULL);
}

static void
forgets_what_was_amiss_and_is_not_any_more(void **state)
{
    unsigned at = 4;
    struct scene scene;

    (void)state;
    sealed(&scene);
    fake_put(3, COLUMN_A, "secret 3");
    fake_db->cookie = &at;
    fake_db->on_call = repair;

    assert_int_equal(verify(&scene), ENVL_OK);

    assert_int_equal(
        json_array_size(json_object_get(scene.report, "findings")), 0);
    assert_int_equal(scene_count(&scene, "opened"), 49);
    fake_db->on_call = NULL;
    scene_free(&scene);
}

static void
opens_nothing_twice_that_did_not_change(void **state)
{
    struct scene scene;

    (void)state;
    sealed(&scene);
    assert_int_equal(verify(&scene), ENVL_OK);
    assert_int_equal(scene_count(&scene, "moved_rows"), 0);
    assert_int_equal(scene_count(&scene, "readings"), 2);
    scene_free(&scene);
}

static void
says_what_is_otherwise_than_after_the_sweep(void **state)
{
    json_t *drift;
    struct scene scene;

    (void)state;
    sealed(&scene);
    assert_int_equal(verify(&scene), ENVL_OK);
    drift = json_object_get(scene.report, "drift");
    assert_true(json_is_array(drift));
    assert_int_equal(json_array_size(drift), 0);

    fake_put(60, COLUMN_A, "new plaintext");
    fake_delete(1);
    assert_int_equal(verify(&scene), ENVL_E_FINDINGS);
    drift = json_object_get(scene.report, "drift");
    assert_int_equal(json_array_size(drift), 2);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(drift, 0), "state")),
                        "plaintext");
    assert_int_equal(json_integer_value(json_object_get(
                         json_array_get(drift, 1), "now")), 49);
    scene_free(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_everything),
        cmocka_unit_test(writes_nothing),
        cmocka_unit_test(finds_each_thing_that_is_amiss),
        cmocka_unit_test(is_not_content_with_a_key_that_is_not_active),
        cmocka_unit_test(wants_empty_values_sealed_where_the_job_says_so),
        cmocka_unit_test(reads_on_after_a_lost_connection),
        cmocka_unit_test(lists_so_many_findings_and_counts_the_rest),
        cmocka_unit_test(sees_what_was_written_behind_the_first_reading),
        cmocka_unit_test(forgets_what_was_amiss_and_is_not_any_more),
        cmocka_unit_test(opens_nothing_twice_that_did_not_change),
        cmocka_unit_test(says_what_is_otherwise_than_after_the_sweep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
