/*
 * page_fixture.h - pages of rows as a plugin gives them, a ring and a job for
 * tests of the transform.  Keys here are TEST DATA.
 */
#ifndef UNIT_PAGE_FIXTURE_H
#define UNIT_PAGE_FIXTURE_H

#include "cmocka_all.h"

#include "engine/transform.h"
#include "keyring/key.h"

#define MAX_ROWS   64u
#define MAX_LEAVES 256u

struct rig {
    struct envl_keyring *ring; /* k1 is old, k2 seals; w1, w2 the same   */
    struct envl_keyring *past; /* all of them active, and kx beside them */
    struct job *job;
    struct envl_target_info info;
    struct envl_field_info fields[4];
    struct transform *transform;
    struct page_work work;
    /* The page. */
    struct envl_page page;
    struct envl_row rows[MAX_ROWS];
    struct envl_leaf leaves[MAX_LEAVES];
    struct envl_pair ids[MAX_ROWS];
    char names[MAX_ROWS][24];
    struct envl_cell extras[MAX_ROWS][2];
    uint32_t leaf_count;
    struct envl_buf made[MAX_LEAVES]; /* envelopes that tests made */
    uint32_t made_count;
};

static inline struct keyring_given
given(const char *kid, enum envl_key_use use, enum envl_key_state state,
      const char *scope)
{
    struct keyring_given key = { .info = { .use = use, .state = state } };

    snprintf(key.info.kid, sizeof(key.info.kid), "%s", kid);
    snprintf(key.info.scope, sizeof(key.info.scope), "%s", scope);
    snprintf(key.info.created, sizeof(key.info.created),
             "2026-01-01T00:00:00Z");
    snprintf(key.info.activated, sizeof(key.info.activated),
             "2026-01-01T00:00:00Z");
    for (size_t i = 0; i < sizeof(key.bytes); i++)
        key.bytes[i] = (uint8_t)(kid[0] * 7 + kid[1] * 31 + (int)i);
    return key;
}

static inline struct envl_keyring *
ring_now(void)
{
    struct keyring_given keys[] = {
        given("k1", ENVL_USE_SEAL, ENVL_KEY_DECRYPT_ONLY, "default"),
        given("k2", ENVL_USE_SEAL, ENVL_KEY_ACTIVE, "default"),
        given("k3", ENVL_USE_SEAL, ENVL_KEY_DISABLED, "default"),
        given("k4", ENVL_USE_SEAL, ENVL_KEY_ACTIVE, "other"),
        given("w1", ENVL_USE_WRAP, ENVL_KEY_DECRYPT_ONLY, "default"),
        given("w2", ENVL_USE_WRAP, ENVL_KEY_ACTIVE, "default"),
    };
    struct envl_keyring *ring = NULL;

    assert_int_equal(keyring_from_keys(keys, 6, &ring, NULL), ENVL_OK);
    return ring;
}

/* The same keys in scopes of their own, so that each can be active. */
static inline struct envl_keyring *
ring_past(void)
{
    static const char *const kids[] = { "k1", "k2", "k3", "k4", "kx", "w1",
                                        "w2" };
    struct keyring_given keys[7];
    struct envl_keyring *ring = NULL;

    for (size_t i = 0; i < 7; i++)
        keys[i] = given(kids[i],
                        kids[i][0] == 'k' ? ENVL_USE_SEAL : ENVL_USE_WRAP,
                        ENVL_KEY_ACTIVE, kids[i]);
    assert_int_equal(keyring_from_keys(keys, 7, &ring, NULL), ENVL_OK);
    return ring;
}

/* ${members}: more members of the job; ${fields}: its fields. */
static inline void
rig_begin(struct rig *rig, const char *members, const char *fields)
{
    static const char *const place[] = { "t" };
    char text[4096];
    struct envl_error err;

    memset(rig, 0, sizeof(*rig));
    snprintf(text, sizeof(text),
             "{\"envelope_job\":1,\"name\":\"j\",\"source\":{\"driver\":"
             "\"sqlite\",\"path\":\"d\"},%s\"targets\":[{\"table\":\"t\","
             "\"key\":[\"id\"],%s}]}", members, fields);
    if (job_parse(envl_bytes_of(text), &rig->job, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    rig->ring = ring_now();
    rig->past = ring_past();
    for (size_t i = 0; i < 4; i++)
        rig->fields[i].takes = ENVL_KIND_TEXT;
    rig->info = (struct envl_target_info){
        .label = "t", .place = place, .place_count = 1, .has_ids = true,
        .fields = rig->fields,
    };
    rig->page.rows = rig->rows;
    rig->page.end = true;
}

static inline enum envl_status
rig_try(struct rig *rig, enum transform_goal goal, const char *kid,
        struct envl_error *err)
{
    struct transform_options options = { rig->ring, rig->job, 0, &rig->info,
                                         goal, kid };

    return transform_new(&options, &rig->transform, err);
}

static inline void
rig_goal(struct rig *rig, enum transform_goal goal, const char *kid)
{
    struct envl_error err = { ENVL_OK, "", "" };

    page_work_free(&rig->work);
    transform_free(rig->transform);
    rig->transform = NULL;
    if (rig_try(rig, goal, kid, &err) != ENVL_OK)
        fail_msg("%s", err.message);
}

static inline void
rig_clear(struct rig *rig)
{
    page_work_free(&rig->work);
    for (uint32_t i = 0; i < rig->made_count; i++)
        envl_buf_free(&rig->made[i]);
    rig->made_count = rig->leaf_count = rig->page.count = 0;
}

static inline void
rig_end(struct rig *rig)
{
    rig_clear(rig);
    transform_free(rig->transform);
    envl_keyring_free(rig->ring);
    envl_keyring_free(rig->past);
    job_free(rig->job);
}

/* A row with the id int:N, N counted from 1. */
static inline struct envl_row *
rig_row(struct rig *rig)
{
    uint32_t n = rig->page.count++;
    struct envl_row *row = &rig->rows[n];

    assert_true(n < MAX_ROWS);
    snprintf(rig->names[n], sizeof(rig->names[n]), "int:%u", n + 1);
    rig->ids[n].name = LITERAL("id");
    rig->ids[n].value = envl_bytes_of(rig->names[n]);
    memset(row, 0, sizeof(*row));
    row->key = row->name = rig->ids[n].value;
    row->ids = &rig->ids[n];
    row->id_count = 1;
    row->extras = rig->extras[n];
    row->leaves = &rig->leaves[rig->leaf_count];
    return row;
}

static inline struct envl_leaf *
rig_leaf(struct rig *rig, uint32_t field, enum envl_kind kind,
         struct envl_bytes bytes)
{
    struct envl_leaf *leaf = &rig->leaves[rig->leaf_count++];

    assert_true(rig->leaf_count <= MAX_LEAVES);
    memset(leaf, 0, sizeof(*leaf));
    leaf->field = field;
    leaf->value = (struct envl_cell){ kind, bytes };
    rig->rows[rig->page.count - 1].leaf_count++;
    return leaf;
}

/* A row of one leaf of field 0. */
static inline struct envl_leaf *
rig_value(struct rig *rig, enum envl_kind kind, struct envl_bytes bytes)
{
    rig_row(rig);
    return rig_leaf(rig, 0, kind, bytes);
}

/* What is sealed for a test, and where. */
struct sealed_spec {
    const char *kid, *field, *id;
    struct envl_bytes value;
    enum envl_type type;
    enum envl_encoding encoding;
    bool nested;
};

static inline struct envl_bytes
rig_seal(struct rig *rig, const struct sealed_spec *spec)
{
    struct envl_pair pairs[] = {
        { LITERAL_INIT("field"), envl_bytes_of(spec->field) },
        { LITERAL_INIT("id"), envl_bytes_of(spec->id) },
    };
    struct envl_context context = { pairs, 2 };
    struct envl_seal_options options = { .size = sizeof(options),
                                         .kid = spec->kid,
                                         .scope = spec->kid,
                                         .type = spec->type,
                                         .encoding = spec->encoding,
                                         .allow_nested = spec->nested };
    struct envl_buf *out = &rig->made[rig->made_count++];

    assert_int_equal(envl_seal(rig->past, &options, &context, spec->value,
                               out, NULL), ENVL_OK);
    return envl_buf_view(out);
}

/* A text sealed under ${kid} for t.c, row ${id}. */
static inline struct envl_bytes
rig_sealed(struct rig *rig, const char *kid, const char *id)
{
    struct sealed_spec spec = { .kid = kid, .field = "t.c", .id = id,
                                .value = LITERAL_INIT("hunter2 hunter2"),
                                .type = ENVL_TYPE_TEXT };

    return rig_seal(rig, &spec);
}

static inline struct envl_bytes
rig_damaged(struct rig *rig, struct envl_bytes envelope)
{
    struct envl_buf *out = &rig->made[rig->made_count++];
    uint8_t *last;

    assert_int_equal(envl_buf_append(out, envelope, NULL), ENVL_OK);
    last = &out->ptr[out->len - 10];
    *last = *last == 'A' ? 'B' : 'A';
    return envl_buf_view(out);
}

static inline enum envl_status
rig_page(struct rig *rig, struct envl_error *err)
{
    page_work_free(&rig->work);
    return transform_page(rig->transform, &rig->page, &rig->work, err);
}

static inline void
rig_run(struct rig *rig)
{
    struct envl_error err = { ENVL_OK, "", "" };

    if (rig_page(rig, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    assert_int_equal(rig->work.leaf_count, rig->leaf_count);
}

/* Open an edit's envelope where it belongs; the caller frees ${out}. */
static inline void
rig_open(struct rig *rig, const struct envl_edit *edit, const char *field,
         struct envl_plain *out)
{
    struct envl_pair pairs[] = {
        { LITERAL_INIT("field"), envl_bytes_of(field) },
        rig->ids[edit->row],
    };
    struct envl_context context = { pairs, 2 };
    struct envl_error err = { ENVL_OK, "", "" };

    memset(out, 0, sizeof(*out));
    if (envl_open(rig->ring, NULL, &context, edit->put.bytes, out, &err) !=
        ENVL_OK)
        fail_msg("edit of row %u: %s", edit->row, err.message);
}

static inline void
expect_state(const struct rig *rig, uint32_t leaf, enum row_state want)
{
    assert_string_equal(row_state_name(rig->work.leaves[leaf].state),
                        row_state_name(want));
}

#define COLUMN_C "\"fields\":[{\"column\":\"c\"}]"

#endif /* UNIT_PAGE_FIXTURE_H */
