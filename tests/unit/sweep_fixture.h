/*
 * sweep_fixture.h - a ring, an audit log, a job and the fake store, for tests
 * of the engine.
 */
#ifndef UNIT_SWEEP_FIXTURE_H
#define UNIT_SWEEP_FIXTURE_H

#include <envelope/audit.h>
#include <envelope/envelope.h>

#include "engine/engine.h"
#include "keyring_fixture.h"

#include "../support/fake_store.h"

#define COLUMN_A     0u
#define COLUMN_B     1u
#define COLUMN_A_ENC 2u

#define FIELD_A "{\"column\":\"a\"}"
#define FIELD_B "{\"column\":\"b\"}"
#define NO_PACE ""
/* Batches of ten rows, so that small tables have many. */
#define TENS ",\"pace\":{\"rows\":[10,10]}"

struct scene {
    struct fixture f;
    struct envl_keyring *ring;
    struct envl_audit *audit;
    struct job *job;
    struct engine_options options;
    struct envl_error err;
    json_t *report;
    enum envl_status status; /* of the last run */
};

static inline struct job *
job_of(const char *fields, const char *more)
{
    char text[2048];
    struct envl_error err = { 0 };
    struct job *job = NULL;

    snprintf(text, sizeof(text),
             "{\"envelope_job\":1,\"name\":\"j\","
             "\"source\":{\"driver\":\"fake\"},"
             "\"targets\":[{\"table\":\"t\",\"key\":[\"id\"],"
             "\"fields\":[%s]}]%s}", fields, more);
    if (job_parse(envl_bytes_of(text), &job, &err) != ENVL_OK)
        fail_msg("%s (%s)", err.message, err.hint);
    return job;
}

static inline void
scene_job(struct scene *scene, const char *fields, const char *more)
{
    job_free(scene->job);
    scene->job = job_of(fields, more);
}

static inline void
scene_open_ring(struct scene *scene)
{
    struct envl_keyring_options options = {
        .size = sizeof(options),
        .path = scene->f.ring,
        .providers = &scene->f.provider,
        .provider_count = 1,
    };
    char path[192];

    envl_audit_free(scene->audit);
    envl_keyring_free(scene->ring);
    if (envl_keyring_open(&options, &scene->ring, &scene->err) != ENVL_OK)
        fail_msg("%s", scene->err.message);
    snprintf(path, sizeof(path), "%s/audit.log", scene->f.dir);
    if (envl_audit_open(path, scene->ring, &scene->audit, &scene->err) !=
        ENVL_OK)
        fail_msg("%s", scene->err.message);
    scene->options.ring = scene->ring;
    scene->options.audit = scene->audit;
}

static inline void
scene_new(struct scene *scene, const char *fields, const char *more)
{
    *scene = (struct scene){ .f = fixture_with_ring() };
    scene_open_ring(scene);
    scene->options.plugin = &fake_store;
    scene->options.patience_ms = 2000;
    scene_job(scene, fields, more);
    fake_db_new();
}

static inline void
scene_free(struct scene *scene)
{
    json_decref(scene->report);
    job_free(scene->job);
    envl_audit_free(scene->audit);
    envl_keyring_free(scene->ring);
    fixture_free(&scene->f);
    fake_db_free();
}

static inline enum envl_status
scene_goal(struct scene *scene, enum engine_goal goal)
{
    json_decref(scene->report);
    scene->report = NULL;
    scene->err = (struct envl_error){ 0 };
    scene->status = engine_run(scene->job, goal, &scene->options,
                               &scene->report, &scene->err);
    return scene->status;
}

static inline enum envl_status
scene_run(struct scene *scene)
{
    return scene_goal(scene, ENGINE_SEAL);
}

static inline void
scene_must(struct scene *scene, enum envl_status want)
{
    if (scene_run(scene) != want)
        fail_msg("%s, not %s: %s (%s)", envl_status_name(scene->status),
                 envl_status_name(want), scene->err.message,
                 scene->err.hint);
}

static inline json_int_t
scene_count(const struct scene *scene, const char *name)
{
    return json_integer_value(json_object_get(scene->report, name));
}

/* A table of ${rows} plaintext rows in column a, ids 1, 2, ... */
static inline void
scene_fill(unsigned rows)
{
    char text[64];

    for (unsigned id = 1; id <= rows; id++) {
        snprintf(text, sizeof(text), "secret %u", id);
        fake_put(id, COLUMN_A, text);
    }
}

/* Open what stands at a place; true and the value if it opens under ${kid}
   (NULL: any). */
static inline bool
scene_opens(const struct scene *scene, uint64_t id, unsigned column,
            const char *field, const char *kid, char *out, size_t size)
{
    const char *text = fake_get(id, column);
    struct envl_open_options options = { .size = sizeof(options) };
    struct envl_plain plain = { 0 };
    char number[32];
    struct envl_pair pairs[2] = {
        { envl_bytes_of("field"), envl_bytes_of(field) },
        { envl_bytes_of("id"), { NULL, 0 } },
    };
    struct envl_context context = { pairs, 2 };
    bool good;

    snprintf(number, sizeof(number), "%llu", (unsigned long long)id);
    pairs[1].value = envl_bytes_of(number);
    if (text == NULL)
        return false;
    good = envl_open(scene->ring, &options, &context, envl_bytes_of(text),
                     &plain, NULL) == ENVL_OK &&
           plain.value.len < size &&
           (kid == NULL || strcmp(plain.kid, kid) == 0);
    if (good) {
        memcpy(out, plain.value.ptr, plain.value.len);
        out[plain.value.len] = '\0';
    }
    envl_plain_free(&plain);
    return good;
}

/* Every row 1..${rows} of scene_fill is sealed in its place, once. */
static inline void
scene_all_sealed(const struct scene *scene, unsigned rows, const char *kid)
{
    char got[128], want[64];

    for (unsigned id = 1; id <= rows; id++) {
        snprintf(want, sizeof(want), "secret %u", id);
        if (!scene_opens(scene, id, COLUMN_A, "t.a", kid, got, sizeof(got)))
            fail_msg("row %u does not open", id);
        assert_string_equal(got, want);
    }
    assert_int_equal(fake_db->double_seals, 0);
}

/* The ledger adds up to the census (I6). */
static inline void
scene_adds_up(const struct scene *scene)
{
    json_int_t sum = scene_count(scene, "sealed") +
                     scene_count(scene, "rotated") +
                     scene_count(scene, "skipped") +
                     scene_count(scene, "quarantined") +
                     scene_count(scene, "conflicts");

    assert_int_equal(sum, scene_count(scene, "values"));
}

#endif /* UNIT_SWEEP_FIXTURE_H */
