#include "cmocka_all.h"

#include "engine/job.h"
#include "job_text.h"

static enum envl_status
parse(const char *text, struct job **out, struct envl_error *err)
{
    return job_parse(envl_bytes_of(text), out, err);
}

static struct job *
good(const char *text)
{
    struct job *job = NULL;
    struct envl_error err;

    if (parse(text, &job, &err) != ENVL_OK)
        fail_msg("%s: %s", err.message, text);
    return job;
}

/* The twin of test_job_refused.c: what its jobs are cut from is good. */
static void
what_refused_jobs_are_cut_from_is_good(void **state)
{
    (void)state;
    job_free(good(WITH("")));
    job_free(good(FIELD("{\"column\":\"c\"}")));
    job_free(good(SOURCE("{\"driver\":\"sqlite\",\"path\":\"d\"}")));
    job_free(good("{" HEAD MONGO TARGETS("{\"collection\":\"c\","
                  "\"where\":{\"a\":1},\"fields\":[{\"path\":\"a\"}]}") "}"));
}

static void
defaults_are_those_of_the_specification(void **state)
{
    struct job *job = good(WITH(""));

    (void)state;
    assert_string_equal(job->name, "j");
    assert_string_equal(job->driver, "sqlite");
    assert_string_equal(job->source_json,
                        "{\"driver\":\"sqlite\",\"path\":\"d.db\"}");
    assert_null(job->kid);
    assert_null(job->scope);
    assert_null(job->audit_file);
    assert_false(job->tls_any);
    assert_false(job->allow_log_exposure);
    assert_int_equal(job->pace.target_ms, 200);
    assert_int_equal(job->pace.rows_min, 50);
    assert_int_equal(job->pace.rows_max, 5000);
    assert_int_equal(job->pace.bytes, 4194304);
    assert_int_equal(job->pace.workers, 1);
    assert_int_equal(job->pace.max_rows_per_s, 0);
    assert_null(job->pace.flag_file);
    assert_null(job->pace.window.text);
    assert_int_equal(job->yield_count, 1);
    assert_string_equal(job->yields[0].name, "vacuum_on_table");
    assert_true(job->yields[0].by_default);
    assert_true(job->max_blocked == UINT64_MAX && job->max_error_rate > 1);
    assert_int_equal(job->lock_ms, 250);
    assert_int_equal(job->statement_ms, 15000);
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++) {
        enum job_action want =
            i == ROW_PLAINTEXT ? JOB_SEAL
            : i <= ROW_EMPTY || i == ROW_SEALED_CURRENT ||
                      i == ROW_SEALED_OLD_KID
                ? JOB_SKIP
                : JOB_QUARANTINE;

        assert_int_equal(job->on[i], want);
    }
    assert_int_equal(job->target_count, 1);
    assert_int_equal(job->targets[0].spec.field_count, 1);
    assert_ptr_equal(job->targets[0].fields[0].spec,
                     &job->targets[0].spec.fields[0]);
    assert_int_equal(job->targets[0].fields[0].type, -1);
    assert_int_equal(job->targets[0].fields[0].pad, ENVL_PAD_DEFAULT);
    assert_false(job->targets[0].fields[0].has_encoding);
    assert_false(job->targets[0].spec.fields[0].keep_source);
    job_free(job);
}

static void
what_a_job_says_is_what_it_holds(void **state)
{
    struct job *job = good(
        "{" HEAD "\"kid\":\"k2026-11\",\"scope\":\"tenant.a\","
        "\"source\":{\"driver\":\"postgres\",\"dsn_env\":\"DATABASE_URL\"},"
        "\"on\":{\"plaintext\":\"stop\",\"sealed_old_kid\":\"quarantine\","
        "\"legacy_cipher\":\"skip\"},"
        "\"pace\":{\"target_ms\":80,\"rows\":[10,20],\"bytes\":8192,"
        "\"workers\":3,\"max_rows_per_s\":500},"
        "\"yield_to\":{\"flag_file\":\"/run/pause\"},"
        "\"limits\":{\"lock_ms\":100,\"statement_ms\":2000},"
        "\"audit\":{\"file\":\"a.jsonl\"},\"tls\":\"any\","
        "\"allow_log_exposure\":true,"
        "\"targets\":[{\"table\":\"Public.\\\"T\\\"\",\"key\":[\"a\",\"b\"],"
        "\"where\":\"deleted is null\",\"mode\":\"sibling\",\"fields\":[{"
        "\"column\":\"meta\",\"path\":\"a.b\",\"into\":\"c\","
        "\"encoding\":\"object\",\"codec\":[\"json\",\"base64\",\"hex\"],"
        "\"type\":\"bytes\",\"pad\":\"none\",\"empty\":\"seal\",\"context\":{"
        "\"field\":\"logical.name\",\"z\":\"a\\u0000b\",\"tenant\":"
        "{\"column\":\"org\"},\"t2\":{\"column\":\"org\"},"
        "\"u\":{\"column\":\"unit\"}}}]}]}");
    const struct job_target *target = &job->targets[0];
    const struct job_field *field = &target->fields[0];

    (void)state;
    assert_string_equal(job->kid, "k2026-11");
    assert_string_equal(job->scope, "tenant.a");
    assert_int_equal(job->on[ROW_PLAINTEXT], JOB_STOP);
    assert_int_equal(job->on[ROW_SEALED_OLD_KID], JOB_QUARANTINE);
    assert_int_equal(job->on[ROW_LEGACY_CIPHER], JOB_SKIP);
    assert_int_equal(job->pace.target_ms, 80);
    assert_int_equal(job->pace.rows_min, 10);
    assert_int_equal(job->pace.rows_max, 20);
    assert_int_equal(job->pace.bytes, 8192);
    assert_int_equal(job->pace.workers, 3);
    assert_int_equal(job->pace.max_rows_per_s, 500);
    assert_string_equal(job->pace.flag_file, "/run/pause");
    assert_int_equal(job->lock_ms, 100);
    assert_int_equal(job->statement_ms, 2000);
    assert_string_equal(job->audit_file, "a.jsonl");
    assert_true(job->tls_any && job->allow_log_exposure);
    assert_string_equal(target->spec.table, "Public.\"T\"");
    assert_int_equal(target->spec.key_count, 2);
    assert_string_equal(target->spec.keys[1], "b");
    assert_string_equal(target->spec.where, "deleted is null");
    assert_true(field->spec->keep_source);
    assert_string_equal(field->spec->column, "meta");
    assert_string_equal(field->spec->into, "c");
    assert_int_equal(field->spec->path.count, 2);
    assert_true(field->has_encoding);
    assert_int_equal(field->encoding, ENVL_ENCODING_OBJECT);
    assert_int_equal(field->codec_count, 3);
    assert_int_equal(field->codecs[0], JOB_CODEC_JSON);
    assert_int_equal(field->codecs[2], JOB_CODEC_HEX);
    assert_int_equal(field->type, ENVL_TYPE_BYTES);
    assert_int_equal(field->pad, ENVL_PAD_NONE);
    assert_true(field->seal_empty);
    assert_int_equal(field->context_count, 5);
    assert_int_equal(field->context[1].value.len, 3);
    assert_int_equal(field->context[2].source, JOB_COLUMN);
    assert_int_equal(field->context[3].extra, field->context[2].extra);
    assert_int_equal(target->spec.extra_count, 2);
    assert_string_equal(target->spec.extras[field->context[4].extra], "unit");
    job_free(job);
}

/* spec: JOB-20; written as m:name, * and [] joined by blanks. */
static const struct path_case {
    const char *path;
    const char *want;
} paths[] = {
    { "\"a\"", "m:a" },
    { "\"a.b\"", "m:a m:b" },
    { "\"servers[*].headers.*\"", "m:servers [] m:headers *" },
    { "\"[*]\"", "[]" },
    { "\"[*].a\"", "[] m:a" },
    { "\"*\"", "*" },
    { "\"*[*][*]\"", "* [] []" },
    { "\"a b]\"", "m:a b]" },
    { "[\"a.b\",\"\",\"*\",\"c[*]\"]", "m:a.b m: m:* m:c[*]" },
    { "[{\"any\":\"element\"},{\"any\":\"member\"}]", "[] *" },
};

static void
paths_are_read_in_both_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char text[512], got[128] = "";
        const struct envl_path *path;
        struct job *job;

        snprintf(text, sizeof(text),
                 FIELD("{\"column\":\"c\",\"path\":%s}"), paths[i].path);
        job = good(text);
        path = &job->targets[0].spec.fields[0].path;
        for (uint32_t s = 0; s < path->count; s++) {
            const struct envl_segment *seg = &path->segments[s];
            size_t used = strlen(got);

            snprintf(got + used, sizeof(got) - used, "%s%s%.*s",
                     s > 0 ? " " : "",
                     seg->kind == ENVL_SEGMENT_MEMBER       ? "m:"
                     : seg->kind == ENVL_SEGMENT_ANY_MEMBER ? "*"
                                                            : "[]",
                     (int)seg->name.len, (const char *)seg->name.ptr);
        }
        assert_string_equal(got, paths[i].want);
        job_free(job);
    }
}

static void
fields_beside_each_other_do_not_meet(void **state)
{
    static const char *const apart[] = {
        FIELD("{\"column\":\"c\"},{\"column\":\"d\"}"),
        FIELD("{\"column\":\"c\",\"path\":\"a\"},"
              "{\"column\":\"c\",\"path\":\"b\"}"),
        FIELD("{\"column\":\"c\",\"path\":\"a[*]\"},"
              "{\"column\":\"c\",\"path\":\"a.b\"}"),
        FIELD("{\"column\":\"c\",\"path\":\"a.b\",\"into\":\"x\"},"
              "{\"column\":\"c\",\"path\":\"a.c\",\"into\":\"y\"}"),
        FIELD("{\"column\":\"c\",\"path\":\"a\"},"
              "{\"column\":\"d\",\"path\":\"a\"}"),
        TARGET(FIELDS("{\"column\":\"c\"}") ",{\"table\":\"u\","
               "\"key\":[\"id\"],\"fields\":[{\"column\":\"c\"}]}"),
        /* Only SQLite takes c and C for one column. */
        "{" HEAD "\"source\":{\"driver\":\"postgres\",\"service\":\"s\"},"
        TARGETS(FIELDS("{\"column\":\"c\"},{\"column\":\"C\"}")) "}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
        job_free(good(apart[i]));
}

static void
an_element_is_named_for_the_plugin(void **state)
{
    struct job *job = good(
        FIELD("{\"column\":\"c\",\"path\":\"hooks[*].secret\",\"context\":"
              "{\"hook\":{\"element\":\"id\"},"
              "\"h2\":{\"element\":[\"id\"]}}}"));

    (void)state;
    assert_string_equal(job->targets[0].spec.fields[0].element_id, "id");
    assert_int_equal(job->targets[0].fields[0].context[0].source,
                     JOB_ELEMENT);
    job_free(job);
}

static void
a_slip_of_the_finger_gets_a_hint(void **state)
{
    struct envl_error err;
    struct job *job = NULL;

    (void)state;
    assert_int_equal(parse(FIELD("{\"colum\":\"c\"}"), &job, &err),
                     ENVL_E_USAGE);
    assert_string_equal(err.hint, "did you mean \"column\"?");
    assert_int_equal(parse(FIELD("{\"clomun\":\"c\"}"), &job, &err),
                     ENVL_E_USAGE);
    assert_non_null(strstr(err.hint, "what may stand here: column, path"));
}

static void
the_examples_of_the_specification_load(void **state)
{
    static const char *const files[] = { "spec/examples/sqlite.json",
                                         "spec/examples/postgres.json",
                                         "spec/examples/mongo.json" };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct envl_error err;
        struct job *job = NULL;

        if (job_load(files[i], &job, &err) != ENVL_OK)
            fail_msg("%s: %s", files[i], err.message);
        assert_int_equal(strlen(job->digest), 64);
        job_free(job);
    }
}

static void
a_context_takes_a_place_of_the_document(void **state)
{
    struct job *job = good(
        "{" HEAD MONGO TARGETS("{\"collection\":\"c\",\"fields\":[{\"path\":"
        "\"o.a\",\"context\":{\"t\":{\"column\":\"o.i\"},\"u\":{\"column\":"
        "\"_id\"}}}]}") "}");
    const struct job_target *target = &job->targets[0];

    (void)state;
    assert_int_equal(target->spec.extra_count, 2);
    assert_string_equal(target->spec.extras[0], "o.i");
    assert_string_equal(target->spec.extras[1], "_id");
    assert_int_equal(target->fields[0].context[1].extra, 1);
    job_free(job);
}

static void
a_filter_document_goes_to_the_plugin_as_text(void **state)
{
    struct job *job = good(
        "{" HEAD MONGO TARGETS("{\"collection\":\"a.b\",\"where\":{\"x\": "
        "{\"$gt\": 1}},\"fields\":[{\"path\":\"a\"}]}") "}");

    (void)state;
    assert_string_equal(job->targets[0].spec.where, "{\"x\":{\"$gt\":1}}");
    assert_string_equal(job->targets[0].spec.table, "a.b");
    assert_null(job->targets[0].spec.keys);
    assert_null(job->targets[0].spec.fields[0].column);
    job_free(job);
}

static void
a_file_that_is_not_there_and_one_too_long_are_told(void **state)
{
    static char big[1048578];
    struct envl_error err;
    struct job *job = NULL;

    (void)state;
    assert_int_equal(job_load("build/no-such-job.json", &job, &err),
                     ENVL_E_NOTFOUND);
    assert_non_null(strstr(err.message, "no-such-job.json"));
    memset(big, ' ', sizeof(big) - 1);
    assert_int_equal(parse(big, &job, &err), ENVL_E_LIMIT);
    assert_int_equal(job_load("spec", &job, &err), ENVL_E_IO);
    job_free(NULL);
}

/* One more blank is another job file. */
static void
the_digest_is_of_the_file_as_it_is(void **state)
{
    struct job *a = good(WITH("")), *b = good(WITH(" "));

    (void)state;
    assert_string_not_equal(a->digest, b->digest);
    job_free(a);
    job_free(b);
}

/* No prefix and no flipped byte of a job does harm. */
static void
cut_and_damaged_jobs_are_survived(void **state)
{
    static const char text[] =
        FIELD("{\"column\":\"c\",\"path\":[\"a\",{\"any\":\"element\"},\"b\"],"
              "\"context\":{\"x\":{\"element\":\"id\"}},\"codec\":[\"hex\"]}");
    char copy[sizeof(text)];

    (void)state;
    for (size_t len = 0; len + 1 < sizeof(text); len++) {
        struct job *job = NULL;

        assert_int_equal(job_parse((struct envl_bytes){
                             (const uint8_t *)text, len }, &job, NULL),
                         ENVL_E_USAGE);
    }
    for (size_t at = 0; at + 1 < sizeof(text); at++) {
        for (unsigned byte = 1; byte < 256; byte += 7) {
            struct job *job = NULL;

            memcpy(copy, text, sizeof(text));
            copy[at] = (char)byte;
            if (parse(copy, &job, NULL) == ENVL_OK)
                job_free(job);
        }
    }
}

static void
when_it_waits_is_kept(void **state)
{
    struct job *job = good(
        "{" HEAD LITE
        "\"pace\":{\"window\":\"22:05-06:00 Europe/Berlin\"},"
        "\"yield_to\":{\"query\":\"q\",\"replica_lag_s\":1.5,"
        "\"vacuum_on_table\":false},"
        "\"limits\":{\"max_blocked_rows\":7,\"max_error_rate\":0.25},"
        TARGETS(FIELDS("{\"column\":\"c\"}")) "}");

    (void)state;
    assert_int_equal(job->pace.window.from, 22 * 60 + 5);
    assert_int_equal(job->pace.window.to, 6 * 60);
    assert_string_equal(job->pace.window.zone, "Europe/Berlin");
    assert_int_equal(job->yield_count, 2);
    assert_string_equal(job->yields[0].name, "replica_lag_s");
    assert_true(job->yields[0].number > 1.4 && job->yields[0].number < 1.6);
    assert_string_equal(job->yields[1].text, "q");
    assert_int_equal(job->max_blocked, 7);
    assert_true(job->max_error_rate < 0.26);
    job_free(job);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_it_waits_is_kept),
        cmocka_unit_test(what_refused_jobs_are_cut_from_is_good),
        cmocka_unit_test(defaults_are_those_of_the_specification),
        cmocka_unit_test(what_a_job_says_is_what_it_holds),
        cmocka_unit_test(paths_are_read_in_both_forms),
        cmocka_unit_test(fields_beside_each_other_do_not_meet),
        cmocka_unit_test(an_element_is_named_for_the_plugin),
        cmocka_unit_test(a_slip_of_the_finger_gets_a_hint),
        cmocka_unit_test(the_examples_of_the_specification_load),
        cmocka_unit_test(a_context_takes_a_place_of_the_document),
        cmocka_unit_test(a_filter_document_goes_to_the_plugin_as_text),
        cmocka_unit_test(a_file_that_is_not_there_and_one_too_long_are_told),
        cmocka_unit_test(the_digest_is_of_the_file_as_it_is),
        cmocka_unit_test(cut_and_damaged_jobs_are_survived),
    };

    return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
