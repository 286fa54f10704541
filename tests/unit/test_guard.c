/* The verb guard on any store: set, read back, recorded, told. */
#include "engine/guard.h"
#include "sweep_fixture.h"

/* What the store of these tests was asked for, and answers. */
static struct {
    enum envl_guard_stage stage, asked;
    bool empty_ok[2];
    unsigned sets;
    enum envl_status answer;
} store;

static enum envl_status
set(struct envl_target *target, const struct envl_guard_spec *spec,
    struct envl_error *err)
{
    (void)target;
    assert_string_equal(spec->job, "j");
    store.sets++;
    store.empty_ok[0] = spec->empty_ok[0];
    store.empty_ok[1] = spec->empty_ok[1];
    if (store.answer != ENVL_OK)
        return envl_fail(err, store.answer, "not here");
    store.stage = store.asked = spec->stage;
    return ENVL_OK;
}

static enum envl_status
look(struct envl_target *target, const struct envl_guard_spec *spec,
     struct envl_guard_info *out, struct envl_error *err)
{
    static const char *const gaps[] = { "a way around" };

    (void)target, (void)spec, (void)err;
    *out = (struct envl_guard_info){
        .asked = store.asked, .stage = store.stage,
        .enforced = store.stage >= ENVL_GUARD_MODERATE, .counted = true,
        .writes = 7, .since_ms = 1795392000000, .gaps = gaps, .gap_count = 1,
    };
    return ENVL_OK;
}

static struct envl_migrator ops;

static void
open_scene(struct scene *scene, const char *fields)
{
    scene_new(scene, fields, NO_PACE);
    memset(&store, 0, sizeof(store));
    ops = fake_store;
    ops.guard_set = set;
    ops.guard_read = look;
    scene->options.plugin = &ops;
}

static enum envl_status
guard(struct scene *scene, const char *stage)
{
    json_decref(scene->report);
    scene->report = NULL;
    return engine_guard(scene->job, &scene->options, stage, &scene->report,
                        &scene->err);
}

static const json_t *
first(const struct scene *scene)
{
    return json_array_get(json_object_get(scene->report, "guard"), 0);
}

static uint64_t
records(const struct scene *scene)
{
    struct envl_audit_report report;
    char path[192];

    snprintf(path, sizeof(path), "%s/audit.log", scene->f.dir);
    assert_int_equal(envl_audit_verify(path, scene->ring, &report, NULL),
                     ENVL_OK);
    return report.records;
}

static void
a_stage_is_set_recorded_and_read_back(void **state)
{
    struct scene scene;
    uint64_t before;

    (void)state;
    open_scene(&scene, FIELD_A ",{\"column\":\"b\",\"empty\":\"seal\"}");
    before = records(&scene);
    assert_int_equal(guard(&scene, "moderate"), ENVL_OK);
    assert_int_equal(store.sets, 1);
    assert_true(store.empty_ok[0]);
    assert_false(store.empty_ok[1]);
    assert_int_equal(records(&scene), before + 2);
    assert_string_equal(
        json_string_value(json_object_get(first(&scene), "stage")),
        "moderate");
    assert_true(json_is_true(json_object_get(first(&scene), "enforced")));
    assert_int_equal(guard_writes(json_object_get(scene.report, "guard")), 7);
    assert_string_equal(
        json_string_value(json_object_get(first(&scene), "since")),
        "2026-11-23T00:00:00Z");
    assert_int_equal(
        json_array_size(json_object_get(first(&scene), "gaps")), 1);
    scene_free(&scene);
}

static void
looking_changes_and_records_nothing(void **state)
{
    struct scene scene;
    uint64_t before;

    (void)state;
    open_scene(&scene, FIELD_A);
    before = records(&scene);
    scene.options.audit = NULL;
    assert_int_equal(guard(&scene, NULL), ENVL_OK);
    assert_int_equal(store.sets, 0);
    assert_int_equal(records(&scene), before);
    assert_int_equal(guard(&scene, "moderate"), ENVL_E_AUDIT);
    assert_int_equal(store.sets, 0);
    scene_free(&scene);
}

static void
what_is_not_as_it_was_set_is_a_finding(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, FIELD_A);
    assert_int_equal(guard(&scene, "strict"), ENVL_OK);
    store.stage = ENVL_GUARD_MODERATE;
    assert_int_equal(guard(&scene, NULL), ENVL_E_FINDINGS);
    assert_true(json_is_false(json_object_get(scene.report, "as_set")));
    assert_string_equal(
        json_string_value(json_object_get(first(&scene), "asked")),
        "strict");
    scene_free(&scene);
}

static void
a_refusal_is_passed_on_and_recorded(void **state)
{
    struct scene scene;
    uint64_t before;

    (void)state;
    open_scene(&scene, FIELD_A);
    before = records(&scene);
    store.answer = ENVL_E_FINDINGS;
    assert_int_equal(guard(&scene, "strict"), ENVL_E_FINDINGS);
    assert_string_equal(scene.err.message, "not here");
    assert_non_null(scene.report); /* what is in force all the same */
    store.answer = ENVL_E_POLICY;
    assert_int_equal(guard(&scene, "observe"), ENVL_E_POLICY);
    assert_int_equal(records(&scene), before + 4);
    assert_int_equal(guard(&scene, "stern"), ENVL_E_USAGE);
    scene_free(&scene);
}

/* spec: MIG-2, MIG-68 */
static void
a_store_without_guards_says_so(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, FIELD_A);
    ops.size = offsetof(struct envl_migrator, guard_set);
    assert_int_equal(guard(&scene, "observe"), ENVL_E_POLICY);
    assert_non_null(strstr(scene.err.message, "no guard"));
    ops.size = sizeof(ops);
    ops.guard_read = NULL;
    assert_int_equal(guard(&scene, NULL), ENVL_E_POLICY);
    scene_free(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_is_set_recorded_and_read_back),
        cmocka_unit_test(looking_changes_and_records_nothing),
        cmocka_unit_test(what_is_not_as_it_was_set_is_a_finding),
        cmocka_unit_test(a_refusal_is_passed_on_and_recorded),
        cmocka_unit_test(a_store_without_guards_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
