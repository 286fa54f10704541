#include "cmocka_all.h"

#include <dirent.h>

#include <jansson.h>

#include "engine/job.h"

#define HEAD "\"envelope_job\":1,\"name\":\"j\","
#define LITE "\"source\":{\"driver\":\"sqlite\",\"path\":\"d.db\"},"
#define MONGO "\"source\":{\"driver\":\"mongo\",\"database\":\"d\"," \
              "\"dsn_env\":\"M\"},"
#define TARGETS(t) "\"targets\":[" t "]"
#define FIELDS(f) "{\"table\":\"t\",\"key\":[\"id\"],\"fields\":[" f "]}"
#define WITH(more) "{" HEAD LITE more TARGETS(FIELDS("{\"column\":\"c\"}")) "}"
#define FIELD(f) "{" HEAD LITE TARGETS(FIELDS(f)) "}"
#define TARGET(t) "{" HEAD LITE TARGETS(t) "}"
#define SOURCE(s) "{" HEAD "\"source\":" s "," \
                  TARGETS(FIELDS("{\"column\":\"c\"}")) "}"

/* A job that must be refused, and words that the refusal must hold. */
static const struct bad_case {
    const char *text;
    const char *words;
} bad[] = {
    /* spec: JOB-1: unknown, missing, repeated, of the wrong type, by place */
    { "", "line" },
    { "[]", "an object is expected" },
    { "{\"envelope_job\":1,", "not JSON" },
    { "{}", "no job file" },
    { "{\"envelope_job\":2}", "envelope_job: only version 1" },
    { "{\"envelope_job\":\"1\"}", "envelope_job: only version 1" },
    { "{" HEAD LITE "\"target\":[]}", "target: unknown member" },
    { "{" HEAD LITE "\"kid\":\"k\"}", "\"targets\" is missing" },
    { "{" HEAD TARGETS(FIELDS("{\"column\":\"c\"}")) "}",
      "\"source\" is missing" },
    { WITH("\"name\":\"k\","), "name: the member stands twice" },
    { FIELD("{\"column\":\"c\",\"column\":\"d\"}"),
      "targets[0].fields[0].column: the member stands twice" },
    { FIELD("{\"column\":\"c\",\"context\":{\"a\":\"1\",\"b\":\"2\","
            "\"a\":\"3\"}}"),
      "targets[0].fields[0].context.a: the member stands twice" },
    { FIELD("{\"column\":\"c\"},{\"colum\":\"d\"}"),
      "targets[0].fields[1].colum: unknown member" },
    { FIELD("{\"column\":7}"), "targets[0].fields[0].column: a string" },
    { FIELD("{\"column\":\"\"}"), "column: must not be empty" },
    { FIELD("{\"column\":\"a\\u0000b\"}"), "column: must not hold U+0000" },
    { FIELD("\"c\""), "targets[0].fields[0]: an object" },
    { TARGET("{\"table\":\"t\",\"key\":[\"id\"],\"fields\":[]}"),
      "fields: 1 to" },
    { "{" HEAD LITE TARGETS("") "}", "targets: 1 to" },
    { WITH("\"name\\n\":1,"), "name?: unknown member" },
    /* spec: JOB-4 */
    { WITH("\"kid\":\"K1\","), "kid: a name" },
    { WITH("\"kid\":\".a\","), "kid: a name" },
    { WITH("\"scope\":\"a_b\","), "scope: a name" },
    { WITH("\"scope\":{\"from\":\"tenant\"},"),
      "scope.from: is not supported" },
    { WITH("\"scope\":{},"), "scope: a name" },
    /* spec: JOB-2, JOB-3 */
    { SOURCE("{}"), "source: member \"driver\"" },
    { SOURCE("{\"driver\":\"../x\",\"path\":\"d\"}"), "source.driver" },
    { SOURCE("{\"driver\":\"sqlite\"}"), "source: member \"path\"" },
    { SOURCE("{\"driver\":\"sqlite\",\"path\":\"d\",\"dsn_env\":\"A\"}"),
      "source.dsn_env: unknown" },
    { SOURCE("{\"driver\":\"postgres\"}"), "source: how to connect" },
    { SOURCE("{\"driver\":\"postgres\",\"dsn_env\":\"A\","
             "\"service\":\"s\"}"), "source: how to connect" },
    { SOURCE("{\"driver\":\"postgres\",\"dsn\":\"postgres://u:p@h/d\"}"),
      "source.dsn: unknown" },
    { SOURCE("{\"driver\":\"postgres\",\"dsn_env\":\"postgres://u:p@h/d\"}"),
      "source.dsn_env: the name of an environment variable" },
    { SOURCE("{\"driver\":\"postgres\",\"password\":\"hunter2\","
             "\"service\":\"s\"}"), "source.password: unknown" },
    { SOURCE("{\"driver\":\"mongo\",\"dsn_env\":\"A\"}"), "\"database\"" },
    { SOURCE("{\"driver\":\"mongo\",\"dsn_env\":\"A\",\"database\":\"d\"}"),
      "targets[0]: driver \"mongo\" has no tables" },
    /* spec: JOB-10, JOB-11, JOB-12, JOB-13 */
    { TARGET("{\"key\":[\"id\"],\"fields\":[{\"column\":\"c\"}]}"),
      "targets[0]: exactly one of" },
    { TARGET("{\"table\":\"t\",\"collection\":\"c\",\"key\":[\"id\"],"
             "\"fields\":[{\"column\":\"c\"}]}"), "exactly one of" },
    { TARGET("{\"collection\":\"c\",\"fields\":[{\"path\":\"c\"}]}"),
      "has no collections" },
    { TARGET("{\"table\":\"t\",\"fields\":[{\"column\":\"c\"}]}"),
      "\"key\" is missing" },
    { TARGET("{\"table\":\"t\",\"key\":[],\"fields\":[{\"column\":\"c\"}]}"),
      "key: 1 to" },
    { TARGET("{\"table\":\"t\",\"key\":[\"a\",\"a\"],\"fields\":"
             "[{\"column\":\"c\"}]}"), "key[1]: is named twice" },
    { TARGET("{\"table\":\"t\",\"key\":[\"a\"],\"where\":{},\"fields\":"
             "[{\"column\":\"c\"}]}"), "where: a string" },
    { TARGET("{\"table\":\"t\",\"key\":[\"a\"],\"mode\":\"copy\",\"fields\":"
             "[{\"column\":\"c\"}]}"), "mode: one of" },
    { TARGET("{\"table\":\"t\",\"key\":[\"a\"],\"mode\":\"sibling\","
             "\"fields\":[{\"column\":\"c\",\"into\":\"d\"},"
             "{\"column\":\"e\"}]}"), "fields[1]: mode \"sibling\" needs" },
    { "{" HEAD MONGO TARGETS("{\"collection\":\"c\",\"key\":[\"a\"],"
      "\"fields\":[{\"path\":\"a\"}]}") "}", "key: the key of a collection" },
    { "{" HEAD MONGO TARGETS("{\"collection\":\"c\",\"fields\":"
      "[{\"column\":\"a\",\"path\":\"a\"}]}") "}", "has no columns" },
    { "{" HEAD MONGO TARGETS("{\"collection\":\"c\",\"fields\":"
      "[{\"into\":\"a\"}]}") "}", "\"path\" is missing" },
    { "{" HEAD MONGO TARGETS("{\"collection\":\"c\",\"where\":\"x\","
      "\"fields\":[{\"path\":\"a\"}]}") "}", "where: a filter document" },
    /* spec: JOB-20 */
    { FIELD("{\"path\":\"a\"}"), "\"column\" is missing" },
    { FIELD("{\"column\":\"c\",\"path\":\"\"}"), "path: must not be empty" },
    { FIELD("{\"column\":\"c\",\"path\":\"a..b\"}"), "a segment is empty" },
    { FIELD("{\"column\":\"c\",\"path\":\".a\"}"), "a segment is empty" },
    { FIELD("{\"column\":\"c\",\"path\":\"a.\"}"), "a segment is empty" },
    { FIELD("{\"column\":\"c\",\"path\":\"a.[*]\"}"), "a segment is empty" },
    { FIELD("{\"column\":\"c\",\"path\":\"a[0]\"}"), "only \"[*]\"" },
    { FIELD("{\"column\":\"c\",\"path\":\"a[*\"}"), "only \"[*]\"" },
    { FIELD("{\"column\":\"c\",\"path\":\"a[*]b\"}"), "whole segment" },
    { FIELD("{\"column\":\"c\",\"path\":\"a*\"}"), "whole segment" },
    { FIELD("{\"column\":\"c\",\"path\":\"*a\"}"), "whole segment" },
    { FIELD("{\"column\":\"c\",\"path\":[]}"), "path: 1 to 64" },
    { FIELD("{\"column\":\"c\",\"path\":[\"a\",0]}"),
      "path[1]: an element has no number" },
    { FIELD("{\"column\":\"c\",\"path\":[{\"any\":\"row\"}]}"),
      "path[0].any: one of" },
    { FIELD("{\"column\":\"c\",\"path\":[{\"all\":\"member\"}]}"),
      "path[0].all: unknown" },
    { FIELD("{\"column\":\"c\",\"path\":[\"a\\u0000\"]}"), "U+0000" },
    { FIELD("{\"column\":\"c\",\"path\":{}}"), "path: an array" },
    /* spec: JOB-21 */
    { FIELD("{\"column\":\"c\",\"into\":\"c\"}"), "the value's own place" },
    { FIELD("{\"column\":\"c\",\"path\":\"a.b\",\"into\":\"b\"}"),
      "the value's own place" },
    { FIELD("{\"column\":\"c\",\"path\":\"a.*\",\"into\":\"b\"}"),
      "into: the path ends in a wildcard" },
    { FIELD("{\"column\":\"c\",\"path\":\"a[*]\",\"into\":\"b\"}"),
      "into: the path ends in a wildcard" },
    /* spec: JOB-22, JOB-23 */
    { FIELD("{\"column\":\"c\",\"encoding\":\"hex\"}"), "encoding: one of" },
    { FIELD("{\"column\":\"c\",\"path\":\"a\",\"encoding\":\"binary\"}"),
      "encoding: JSON holds no binary" },
    { FIELD("{\"column\":\"c\",\"codec\":\"base64\"}"), "codec: an array" },
    { FIELD("{\"column\":\"c\",\"codec\":[]}"), "codec: 1 to 8" },
    { FIELD("{\"column\":\"c\",\"codec\":[\"hex\",\"gzip\"]}"),
      "codec[1]: one of" },
    { FIELD("{\"column\":\"c\",\"type\":\"bson\"}"), "type: one of" },
    { FIELD("{\"column\":\"c\",\"pad\":1}"), "pad: must be 2 to 4096" },
    { FIELD("{\"column\":\"c\",\"pad\":2.5}"), "pad: a whole number" },
    { FIELD("{\"column\":\"c\",\"pad\":\"no\"}"), "pad: one of \"none\"" },
    { FIELD("{\"column\":\"c\",\"empty\":\"drop\"}"), "empty: one of" },
    /* spec: JOB-36 */
    { FIELD("{\"column\":\"c\",\"context\":[]}"), "context: an object" },
    { FIELD("{\"column\":\"c\",\"context\":{\"\":\"x\"}}"), "not empty" },
    { FIELD("{\"column\":\"c\",\"context\":{\"a=b\":\"x\"}}"), "not empty" },
    { FIELD("{\"column\":\"c\",\"context\":{\"a\":1}}"), "context.a: a string" },
    { FIELD("{\"column\":\"c\",\"context\":{\"a\":{}}}"), "exactly one of" },
    { FIELD("{\"column\":\"c\",\"context\":{\"a\":{\"row\":\"x\"}}}"),
      "context.a.row: unknown" },
    { FIELD("{\"column\":\"c\",\"context\":{\"a\":{\"column\":\"x\","
            "\"element\":\"y\"}}}"), "exactly one of" },
    { FIELD("{\"column\":\"c\",\"context\":{\"a\":{\"path\":\"x\"}}}"),
      "context.a.path: is not supported" },
    { FIELD("{\"column\":\"c\",\"context\":{\"a\":{\"element\":\"id\"}}}"),
      "no wildcard" },
    { FIELD("{\"column\":\"c\",\"path\":\"a[*]\",\"context\":"
            "{\"a\":{\"element\":\"id\"}}}"), "no wildcard" },
    { FIELD("{\"column\":\"c\",\"path\":\"a[*].b\",\"context\":"
            "{\"a\":{\"element\":\"x.id\"}}}"), "is not supported" },
    { FIELD("{\"column\":\"c\",\"path\":\"a[*].b\",\"context\":"
            "{\"a\":{\"element\":\"id\"},\"b\":{\"element\":\"no\"}}}"),
      "is not supported" },
    /* spec: JOB-25 */
    { FIELD("{\"column\":\"c\"},{\"column\":\"c\"}"),
      "targets[0].fields[0] and targets[0].fields[1] meet" },
    { FIELD("{\"column\":\"c\"},{\"column\":\"C\"}"), "meet" },
    { FIELD("{\"column\":\"c\"},{\"column\":\"c\",\"path\":\"a\"}"), "meet" },
    { FIELD("{\"column\":\"c\",\"path\":\"a\"},"
            "{\"column\":\"c\",\"path\":\"a.b\"}"), "meet" },
    { FIELD("{\"column\":\"c\",\"path\":\"*\"},"
            "{\"column\":\"c\",\"path\":\"a.b\"}"), "meet" },
    { FIELD("{\"column\":\"c\",\"path\":\"x[*].*\"},"
            "{\"column\":\"c\",\"path\":\"*[*].b\"}"), "meet" },
    { FIELD("{\"column\":\"c\",\"into\":\"d\"},{\"column\":\"d\"}"), "meet" },
    { FIELD("{\"column\":\"c\",\"into\":\"e\"},"
            "{\"column\":\"d\",\"into\":\"e\"}"), "meet" },
    { FIELD("{\"column\":\"c\",\"path\":\"a.b\",\"into\":\"z\"},"
            "{\"column\":\"c\",\"path\":\"a.z.y\"}"), "meet" },
    { TARGET(FIELDS("{\"column\":\"c\"}") ","
             FIELDS("{\"column\":\"d\"},{\"column\":\"c\"}")),
      "targets[0].fields[0] and targets[1].fields[1] meet" },
    /* spec: JOB-42 */
    { WITH("\"on\":{\"plaintext\":\"skip\"},"), "on.plaintext: one of" },
    { WITH("\"on\":{\"bad_codec\":\"seal\"},"), "on.bad_codec: one of" },
    { WITH("\"on\":{\"sealed\":\"skip\"},"), "on.sealed: unknown" },
    /* spec: JOB, section 7 */
    { WITH("\"pace\":{\"rows\":[5]},"), "pace.rows: [least, most]" },
    { WITH("\"pace\":{\"rows\":[5,4]},"), "pace.rows: the least" },
    { WITH("\"pace\":{\"rows\":[0,4]},"), "pace.rows[0]: must be 1" },
    { WITH("\"pace\":{\"bytes\":1},"), "pace.bytes: must be 4096" },
    { WITH("\"pace\":{\"workers\":257},"), "pace.workers" },
    { WITH("\"pace\":{\"target_ms\":0},"), "pace.target_ms" },
    { WITH("\"pace\":{\"max_rows_per_s\":-1},"), "pace.max_rows_per_s" },
    { WITH("\"limits\":{\"lock_ms\":0},"), "limits.lock_ms" },
    { WITH("\"limits\":{\"statement_ms\":99},"), "limits.statement_ms" },
    { WITH("\"audit\":{},"), "audit: member \"file\"" },
    { WITH("\"tls\":\"none\","), "tls: one of" },
    { WITH("\"allow_log_exposure\":1,"), "true or false" },
    /* spec: JOB-5: in the specification, and refused by name */
    { FIELD("{\"column\":\"c\",\"from\":{\"cipher\":\"fernet\","
            "\"key_file\":\"k\"}}"), "from: is not supported" },
    { FIELD("{\"column\":\"c\",\"blind_index\":{\"column\":\"i\","
            "\"bits\":32}}"), "blind_index: is not supported" },
    { WITH("\"pace\":{\"window\":\"22:00-06:00 UTC\"},"),
      "pace.window: is not supported" },
    { WITH("\"yield_to\":{\"replica_lag_s\":1},"), "is not supported" },
    { WITH("\"yield_to\":{\"vacuum_on_table\":true},"), "is not supported" },
    { WITH("\"yield_to\":{\"query\":\"x\"},"), "is not supported" },
    { WITH("\"limits\":{\"max_blocked_rows\":1},"), "is not supported" },
    { WITH("\"limits\":{\"max_error_rate\":0.5},"), "is not supported" },
};

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

static void
each_bad_job_is_refused_by_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct job *job = NULL;
        struct envl_error err = { ENVL_OK, "", "" };
        enum envl_status status = parse(bad[i].text, &job, &err);

        if (status != ENVL_E_USAGE || job != NULL)
            fail_msg("case %zu was taken: %s", i, bad[i].text);
        if (strstr(err.message, bad[i].words) == NULL)
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err.message,
                     bad[i].words);
        if (strpbrk(err.message, "\n\r\t") != NULL ||
            strstr(err.message, "hunter2") != NULL ||
            strstr(err.message, "u:p") != NULL)
            fail_msg("case %zu: the message says too much", i);
    }
}

/* The rig's twin: what the bad ones are cut from is accepted. */
static void
what_the_bad_jobs_are_cut_from_is_good(void **state)
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
              "{\"hook\":{\"element\":\"id\"},\"h2\":{\"element\":[\"id\"]}}}"));

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

typedef void vector_fn(const char *name, const json_t *vector);

static unsigned
each_vector(const char *folder, vector_fn *run)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    unsigned count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char path[512];
        json_t *vector;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        vector = json_load_file(path, JSON_ALLOW_NUL, NULL);
        assert_non_null(vector);
        run(entry->d_name, vector);
        json_decref(vector);
        count++;
    }
    closedir(dir);
    return count;
}

static void
expect_status(const char *name, const json_t *vector, struct envl_bytes text,
              struct job **job)
{
    const char *want = json_string_value(json_object_get(vector, "status"));
    struct envl_error err = { ENVL_OK, "", "" };
    enum envl_status status = job_parse(text, job, &err);

    if (strcmp(envl_status_name(status), want) != 0)
        fail_msg("%s: %s %s", name, envl_status_name(status), err.message);
}

static void
run_job_vector(const char *name, const json_t *vector)
{
    const json_t *text = json_object_get(vector, "job");
    struct job *job = NULL;

    expect_status(name, vector, (struct envl_bytes){
                      (const uint8_t *)json_string_value(text),
                      json_string_length(text) }, &job);
    job_free(job);
}

/* A path alone, in a job around it; read back in the array form. */
static void
run_path_vector(const char *name, const json_t *vector)
{
    const json_t *want = json_object_get(vector, "segments");
    json_t *whole = json_loads(FIELD("{\"column\":\"c\"}"), 0, NULL);
    json_t *field = json_array_get(json_object_get(json_array_get(
        json_object_get(whole, "targets"), 0), "fields"), 0);
    struct job *job = NULL;
    char *text;

    json_object_set(field, "path", json_object_get(vector, "path"));
    text = json_dumps(whole, JSON_COMPACT);
    expect_status(name, vector, envl_bytes_of(text), &job);
    if (job != NULL) {
        const struct envl_path *path = &job->targets[0].spec.fields[0].path;

        assert_int_equal(path->count, json_array_size(want));
        for (uint32_t i = 0; i < path->count; i++) {
            const struct envl_segment *segment = &path->segments[i];
            const json_t *item = json_array_get(want, i);
            const char *any =
                json_string_value(json_object_get(item, "any"));

            assert_int_equal(segment->kind,
                             any == NULL ? ENVL_SEGMENT_MEMBER
                             : any[0] == 'm' ? ENVL_SEGMENT_ANY_MEMBER
                                             : ENVL_SEGMENT_ANY_ELEMENT);
            if (any != NULL)
                continue;
            assert_int_equal(segment->name.len, json_string_length(item));
            assert_memory_equal(segment->name.ptr, json_string_value(item),
                                segment->name.len);
        }
    }
    job_free(job);
    free(text);
    json_decref(whole);
}

static void
each_vector_of_a_job_has_its_status(void **state)
{
    (void)state;
    assert_true(each_vector("spec/vectors/job", run_job_vector) >= 100);
}

static void
each_vector_of_a_path_has_its_segments(void **state)
{
    (void)state;
    assert_true(each_vector("spec/vectors/path", run_path_vector) >= 25);
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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_job_is_refused_by_its_place),
        cmocka_unit_test(what_the_bad_jobs_are_cut_from_is_good),
        cmocka_unit_test(defaults_are_those_of_the_specification),
        cmocka_unit_test(what_a_job_says_is_what_it_holds),
        cmocka_unit_test(paths_are_read_in_both_forms),
        cmocka_unit_test(fields_beside_each_other_do_not_meet),
        cmocka_unit_test(an_element_is_named_for_the_plugin),
        cmocka_unit_test(a_slip_of_the_finger_gets_a_hint),
        cmocka_unit_test(the_examples_of_the_specification_load),
        cmocka_unit_test(a_filter_document_goes_to_the_plugin_as_text),
        cmocka_unit_test(a_file_that_is_not_there_and_one_too_long_are_told),
        cmocka_unit_test(the_digest_is_of_the_file_as_it_is),
        cmocka_unit_test(each_vector_of_a_job_has_its_status),
        cmocka_unit_test(each_vector_of_a_path_has_its_segments),
        cmocka_unit_test(cut_and_damaged_jobs_are_survived),
    };

    return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
