#include "cmocka_all.h"

#include <dirent.h>

#include <jansson.h>

#include "engine/job.h"
#include "job_text.h"

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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_vector_of_a_job_has_its_status),
        cmocka_unit_test(each_vector_of_a_path_has_its_segments),
    };

    return cmocka_run_group_tests_name("job_vectors", tests, NULL, NULL);
}
