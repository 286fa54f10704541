/*
 * What a page costs beside the library's own batch calls on the same values,
 * in the same run: microseconds a value of the thread's CPU time, median of
 * interleaved slices.  "over" is what judging, contexts, edits and the proof
 * add.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/transform.h"
#include "keyring/key.h"

#define ROWS   2000u
#define ROUNDS 31u

struct bench {
    struct envl_keyring *ring, *past;
    struct job *job;
    struct envl_field_info field;
    struct envl_target_info info;
    struct envl_page page;
    struct envl_row rows[ROWS];
    struct envl_leaf leaves[ROWS];
    struct envl_pair ids[ROWS], pairs[ROWS][2];
    struct envl_item items[ROWS];
    char names[ROWS][24], values[ROWS][256];
    struct envl_buf sealed, arena, opened;
    size_t value_len;
};

static const char *const place[] = { "public", "accounts" };

static void
must(enum envl_status status, const char *what)
{
    if (status == ENVL_OK || status == ENVL_E_PARTIAL)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, envl_status_name(status));
    exit(1);
}

static struct envl_keyring *
ring_of(const char *active)
{
    struct keyring_given keys[2];
    struct envl_keyring *ring = NULL;

    memset(keys, 0, sizeof(keys));
    for (unsigned i = 0; i < 2; i++) {
        struct envl_key_info *info = &keys[i].info;

        snprintf(info->kid, sizeof(info->kid), "k2026-1%u", i);
        snprintf(info->scope, sizeof(info->scope), "default");
        snprintf(info->created, sizeof(info->created), "2026-01-01T00:00:00Z");
        snprintf(info->activated, sizeof(info->activated), "%s",
                 info->created);
        info->state = strcmp(info->kid, active) == 0 ? ENVL_KEY_ACTIVE
                                                     : ENVL_KEY_DECRYPT_ONLY;
        memset(keys[i].bytes, (int)(i + 1), sizeof(keys[i].bytes));
    }
    must(keyring_from_keys(keys, 2, &ring, NULL), "ring");
    return ring;
}

static void
fill(struct bench *b, size_t len)
{
    b->value_len = len;
    b->page = (struct envl_page){ b->rows, ROWS, false };
    for (uint32_t i = 0; i < ROWS; i++) {
        snprintf(b->names[i], sizeof(b->names[i]), "%u", 1000000 + i);
        memset(b->values[i], (int)('a' + i % 26), len);
        b->ids[i].name = envl_bytes_of("id");
        b->ids[i].value = envl_bytes_of(b->names[i]);
        b->leaves[i] = (struct envl_leaf){
            .value = { ENVL_KIND_TEXT,
                       { (const uint8_t *)b->values[i], len } } };
        b->rows[i] = (struct envl_row){ .key = b->ids[i].value,
                                        .name = b->ids[i].value,
                                        .ids = &b->ids[i], .id_count = 1,
                                        .leaves = &b->leaves[i],
                                        .leaf_count = 1 };
        b->pairs[i][0].name = envl_bytes_of("field");
        b->pairs[i][0].value = envl_bytes_of("public.accounts.api_key");
        b->pairs[i][1] = b->ids[i];
        b->items[i] = (struct envl_item){
            .input = b->leaves[i].value.bytes,
            .context = { b->pairs[i], 2 }, .type = ENVL_TYPE_TEXT };
    }
}

/* The page as it is once ${kid} has sealed it. */
static void
seal_page(struct bench *b, struct envl_keyring *ring, const char *kid)
{
    struct envl_seal_options options = { .size = sizeof(options), .kid = kid };

    fill(b, b->value_len);
    envl_buf_clear(&b->sealed);
    must(envl_seal_batch(ring, &options, b->items, ROWS, &b->sealed, NULL),
         "seal");
    for (uint32_t i = 0; i < ROWS; i++) {
        b->leaves[i].value.bytes = b->items[i].output;
        b->items[i].input = b->items[i].output;
    }
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

typedef void work_fn(struct bench *b, struct transform *t);

static void
seal_floor(struct bench *b, struct transform *t)
{
    struct envl_seal_options options = { .size = sizeof(options),
                                         .kid = "k2026-11" };

    (void)t;
    envl_buf_clear(&b->arena);
    must(envl_seal_batch(b->ring, &options, b->items, ROWS, &b->arena, NULL),
         "seal");
}

static void
open_floor(struct bench *b, struct transform *t)
{
    (void)t;
    envl_buf_clear(&b->opened);
    must(envl_open_batch(b->ring, NULL, b->items, ROWS, &b->opened, NULL),
         "open");
}

/* To open the old and seal the new, as a rotation must. */
static void
rotate_floor(struct bench *b, struct transform *t)
{
    static struct envl_item plain[ROWS];
    struct envl_seal_options options = { .size = sizeof(options),
                                         .kid = "k2026-11" };

    open_floor(b, t);
    for (uint32_t i = 0; i < ROWS; i++) {
        plain[i] = b->items[i];
        plain[i].input = b->items[i].output;
    }
    envl_buf_clear(&b->arena);
    must(envl_seal_batch(b->ring, &options, plain, ROWS, &b->arena, NULL),
         "seal");
}

static void
classify_floor(struct bench *b, struct transform *t)
{
    struct envl_verdict verdict;

    (void)t;
    for (uint32_t i = 0; i < ROWS; i++)
        must(envl_classify(b->ring, NULL, &b->items[i].context,
                           b->items[i].input, &verdict, NULL), "classify");
}

static void
page_work(struct bench *b, struct transform *t)
{
    struct page_work work = { 0 };

    must(transform_page(t, &b->page, &work, NULL), "page");
    page_work_free(&work);
}

static void
compare(struct bench *b, const char *name, work_fn *floor,
        enum transform_goal goal)
{
    struct transform_options options = { b->ring, b->job, 0, &b->info, goal,
                                         "k2026-11" };
    double times[2][ROUNDS];
    struct transform *t = NULL;

    must(transform_new(&options, &t, NULL), "transform");
    page_work(b, t); /* the first page is proven in full */
    for (unsigned r = 0; r < ROUNDS; r++) {
        for (unsigned which = 0; which < 2; which++) {
            double begin = now();

            (which == 0 ? floor : page_work)(b, t);
            times[which][r] = (now() - begin) / ROWS;
        }
    }
    qsort(times[0], ROUNDS, sizeof(double), by_size);
    qsort(times[1], ROUNDS, sizeof(double), by_size);
    printf("%-34s %4zu B  library %6.3f  page %6.3f  over %6.3f us\n", name,
           b->value_len, times[0][ROUNDS / 2], times[1][ROUNDS / 2],
           times[1][ROUNDS / 2] - times[0][ROUNDS / 2]);
    transform_free(t);
}

/* Nothing to do: what a second pass or a census over null rows costs. */
static void
nothing_floor(struct bench *b, struct transform *t)
{
    (void)b;
    (void)t;
}

int
main(void)
{
    static const char text[] =
        "{\"envelope_job\":1,\"name\":\"b\",\"source\":{\"driver\":"
        "\"postgres\",\"service\":\"s\"},\"targets\":[{\"table\":"
        "\"public.accounts\",\"key\":[\"id\"],\"fields\":[{\"column\":"
        "\"api_key\"}]}]}";
    static struct bench b;
    static const size_t lens[] = { 51, 200 };

    b.ring = ring_of("k2026-11");
    b.past = ring_of("k2026-10");
    must(job_parse(envl_bytes_of(text), &b.job, NULL), "job");
    b.field.takes = ENVL_KIND_TEXT;
    b.info = (struct envl_target_info){ .label = "public.accounts",
                                        .place = place, .place_count = 2,
                                        .has_ids = true, .fields = &b.field };
    for (size_t i = 0; i < 2; i++) {
        b.value_len = lens[i];
        fill(&b, lens[i]);
        compare(&b, "seal: envl_seal_batch", seal_floor, TRANSFORM_SEAL);
        compare(&b, "census of plaintext", nothing_floor, TRANSFORM_CENSUS);
        seal_page(&b, b.ring, "k2026-11");
        compare(&b, "skip: envl_classify", classify_floor, TRANSFORM_SEAL);
        compare(&b, "verify: envl_open_batch", open_floor, TRANSFORM_VERIFY);
        seal_page(&b, b.past, "k2026-10");
        compare(&b, "rotate: open and seal batch", rotate_floor,
                TRANSFORM_ROTATE);
    }
    envl_buf_free(&b.sealed);
    envl_buf_free(&b.arena);
    envl_buf_free(&b.opened);
    envl_keyring_free(b.ring);
    envl_keyring_free(b.past);
    job_free(b.job);
    return 0;
}
