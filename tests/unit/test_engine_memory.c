#include "page_fixture.h"

/* Each allocation of ours fails in turn (jansson's are its own). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static long fail_at = -1;

static bool
fails(void)
{
    return fail_at >= 0 && fail_at-- == 0;
}

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

#define FIELDS "\"fields\":[{\"column\":\"c\",\"codec\":[\"json\"]}," \
               "{\"column\":\"d\",\"path\":\"a.*\",\"context\":{\"x\":\"y\"}}]"

static void
a_job_survives_every_failure(void **state)
{
    static const char text[] =
        "{\"envelope_job\":1,\"name\":\"j\",\"source\":{\"driver\":\"sqlite\","
        "\"path\":\"d\"},\"targets\":[{\"table\":\"t\",\"key\":[\"id\"],"
        FIELDS "}]}";
    enum envl_status status;
    long n = 0;

    (void)state;
    do {
        struct envl_error err;
        struct job *job = NULL;

        fail_at = n++;
        status = job_parse(envl_bytes_of(text), &job, &err);
        fail_at = -1;
        if (status != ENVL_OK) {
            assert_int_equal(status, ENVL_E_NOMEM);
            assert_null(job);
        }
        job_free(job);
    } while (status != ENVL_OK);
    assert_true(n >= 3); /* the job, its slab, and none */
}

/* Two pages with all that allocates, from nothing. */
static enum envl_status
work(struct rig *rig, struct census *census)
{
    struct transform_options options = { rig->ring, rig->job, 0, &rig->info,
                                         TRANSFORM_ROTATE, "k2" };
    enum envl_status status;

    status = transform_new(&options, &rig->transform, NULL);
    for (unsigned i = 0; i < 2 && status == ENVL_OK; i++) {
        status = transform_page(rig->transform, &rig->page, &rig->work, NULL);
        if (status == ENVL_OK)
            status = page_work_settle(&rig->work, &rig->page, NULL, census,
                                      NULL);
        page_work_free(&rig->work);
    }
    return status;
}

static void
add_rows(struct rig *rig)
{
    static const struct envl_segment path[] = {
        { ENVL_SEGMENT_MEMBER, LITERAL_INIT("a"), 0 },
        { ENVL_SEGMENT_MEMBER, LITERAL_INIT("b"), 0 },
    };

    for (unsigned i = 0; i < 3; i++) {
        struct envl_leaf *leaf = rig_value(rig, ENVL_KIND_TEXT,
                                           LITERAL("\"hunter2\""));

        leaf->value.bytes = i == 1 ? rig_sealed(rig, "k1", "int:2")
                            : i == 2 ? rig_sealed(rig, "w1", "int:3")
                                     : leaf->value.bytes;
        leaf = rig_leaf(rig, 1, ENVL_KIND_JSON, LITERAL("\"env1:\""));
        leaf->path = (struct envl_path){ path, 2 };
    }
}

static void
a_page_survives_every_failure(void **state)
{
    enum envl_status status = ENVL_E_NOMEM;
    struct census census = { 0 };
    struct rig rig;
    long n = 0;

    (void)state;
    rig_begin(&rig, "", FIELDS);
    rig.fields[1].takes = ENVL_KIND_JSON;
    add_rows(&rig);
    while (status != ENVL_OK) {
        census_free(&census);
        fail_at = n++;
        status = work(&rig, &census);
        fail_at = -1;
        if (status != ENVL_OK) {
            assert_int_equal(status, ENVL_E_NOMEM);
            assert_null(rig.work.impl);
        }
        transform_free(rig.transform);
        rig.transform = NULL;
    }
    print_message("a page failed in %ld places\n", n - 1);
    assert_true(n > 15); /* as many as there are kinds of memory to grow */
    assert_int_equal(census_total(&census, ROW_SEALED_CURRENT), 6);
    census_free(&census);
    rig_end(&rig);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_survives_every_failure),
        cmocka_unit_test(a_page_survives_every_failure),
    };

    return cmocka_run_group_tests_name("engine_memory", tests, NULL, NULL);
}
