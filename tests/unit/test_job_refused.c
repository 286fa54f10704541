#include "cmocka_all.h"

#include "engine/job.h"
#include "job_text.h"

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
    { FIELD("{\"column\":\"c\",\"context\":{\"a\":1}}"),
      "context.a: a string" },
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
    /* What a context is made of must not change. */
    { FIELD("{\"column\":\"c\"},{\"column\":\"id\"}"),
      "targets[0].key[0] is changed by targets[0].fields[1]" },
    { FIELD("{\"column\":\"c\",\"into\":\"ID\"}"), "key[0] is changed" },
    { FIELD("{\"column\":\"c\"},{\"column\":\"d\",\"context\":"
            "{\"x\":{\"column\":\"c\"}}}"),
      "targets[0].fields[1].context takes a column that targets[0].fields[0]"
      " changes" },
    { FIELD("{\"column\":\"d\",\"context\":{\"x\":{\"column\":\"d\"}}}"),
      "takes a column" },
    { FIELD("{\"column\":\"d\",\"context\":{\"x\":{\"column\":\"e\"}}},"
            "{\"column\":\"c\",\"into\":\"e\"}"), "takes a column" },
    { FIELD("{\"column\":\"c\",\"path\":\"a[*].b\",\"context\":"
            "{\"x\":{\"element\":\"b\"}}}"), "takes an element" },
    { FIELD("{\"column\":\"c\",\"path\":\"a[*].b\",\"context\":"
            "{\"x\":{\"element\":\"i\"}}},{\"column\":\"c\",\"path\":"
            "\"a[*].i\"}"), "takes an element" },
    { "{" HEAD MONGO TARGETS("{\"collection\":\"c\",\"fields\":"
      "[{\"path\":\"_id\"}]}") "}", "would change _id" },
    { "{" HEAD MONGO TARGETS("{\"collection\":\"c\",\"fields\":"
      "[{\"path\":\"a\",\"context\":{\"t\":{\"column\":\"o.*\"}}}]}") "}",
      "it has no wildcard" },
    { "{" HEAD MONGO TARGETS("{\"collection\":\"c\",\"fields\":"
      "[{\"path\":\"a\",\"context\":{\"t\":{\"column\":\"o.i\"}}},"
      "{\"path\":\"o\"}]}") "}", "takes a column" },
    { "{" HEAD MONGO TARGETS("{\"collection\":\"c\",\"fields\":"
      "[{\"path\":\"a\",\"context\":{\"t\":{\"column\":\"o.b\"}}},"
      "{\"path\":\"o.a\",\"into\":\"b\"}]}") "}", "takes a column" },
    { "{" HEAD MONGO TARGETS("{\"collection\":\"c\",\"fields\":"
      "[{\"path\":\"*\"}]}") "}", "would change _id" },
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
    /* spec: JOB-73 */
    { WITH("\"pace\":{\"window\":\"22:00-06:00\"},"), "pace.window: HH:MM" },
    { WITH("\"pace\":{\"window\":\"22:00-06:00 \"},"), "pace.window: HH:MM" },
    { WITH("\"pace\":{\"window\":\"24:00-06:00 UTC\"},"), "HH:MM" },
    { WITH("\"pace\":{\"window\":\"2:00-06:00 UTC\"},"), "HH:MM" },
    { WITH("\"pace\":{\"window\":\"22:00-06:60 UTC\"},"), "HH:MM" },
    { WITH("\"pace\":{\"window\":\"22:00-06:00 ../etc\"},"), "HH:MM" },
    { WITH("\"pace\":{\"window\":\"22:00-22:00 UTC\"},"),
      "pace.window: a window that ends when it begins" },
    { WITH("\"pace\":{\"window\":22},"), "pace.window: a string" },
    /* spec: JOB-71 */
    { WITH("\"yield_to\":{\"replica_lag_s\":-1},"),
      "yield_to.replica_lag_s: must be 0" },
    { WITH("\"yield_to\":{\"vacuum_on_table\":1},"),
      "yield_to.vacuum_on_table: true or false" },
    { WITH("\"yield_to\":{\"active_sessions\":0},"),
      "yield_to.active_sessions: must be 1" },
    { WITH("\"yield_to\":{\"query\":\"\"},"),
      "yield_to.query: must not be empty" },
    { WITH("\"yield_to\":{\"xmin_age\":1},"), "yield_to.xmin_age: unknown" },
    { WITH("\"limits\":{\"max_blocked_rows\":-1},"),
      "limits.max_blocked_rows" },
    { WITH("\"limits\":{\"max_error_rate\":1.5},"),
      "limits.max_error_rate: must be 0 to 1" },
};

static void
each_bad_job_is_refused_by_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct job *job = NULL;
        struct envl_error err = { ENVL_OK, "", "" };
        enum envl_status status = 
            job_parse(envl_bytes_of(bad[i].text), &job, &err);

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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_job_is_refused_by_its_place),
    };

    return cmocka_run_group_tests_name("job_refused", tests, NULL, NULL);
}
