/*
 * What sealing and opening cost beside the sum of their own primitives,
 * measured in the same run: HKDF-Expand-SHA512 with the key's pads prepared,
 * AES-256-GCM with a new key, 24 bytes from getrandom, base64.
 */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <sodium.h>

#include <envelope.h>

#include "floor.h"
#include "keyring/key.h"
#include "slices.h"

#define BATCH  256

static void
must(enum envl_status status)
{
    if (status != ENVL_OK) {
        fprintf(stderr, "bench: %s\n", envl_status_name(status));
        exit(1);
    }
}

/* ---- ours --------------------------------------------------------------- */

static struct envl_keyring *ring;

static const struct envl_pair pairs[2] = {
    { { (const uint8_t *)"field", 5 },
      { (const uint8_t *)"model_configs.api_key", 21 } },
    { { (const uint8_t *)"id", 2 }, { (const uint8_t *)"42", 2 } },
};
static const struct envl_context context = { pairs, 2 };

struct ours {
    struct envl_seal_options options;
    struct envl_bytes value;
    struct envl_buf sealed, arena;
    uint8_t *room;
    size_t room_len;
    struct envl_item items[BATCH];
};

static void
ours_seal(void *arg)
{
    struct ours *o = arg;

    for (int i = 0; i < REPEAT; i++) {
        struct envl_span out = { o->room, o->room_len };

        must(envl_seal_into(ring, &o->options, &context, o->value, &out,
                            NULL));
    }
}

static void
ours_open(void *arg)
{
    struct ours *o = arg;

    for (int i = 0; i < REPEAT; i++) {
        struct envl_opened out = { { o->room, o->room_len },
                                   ENVL_TYPE_BYTES };

        must(envl_open_into(ring, NULL, &context, envl_buf_view(&o->sealed),
                            &out, NULL));
    }
}

static void
ours_classify(void *arg)
{
    struct ours *o = arg;
    struct envl_verdict verdict;

    for (int i = 0; i < REPEAT; i++)
        must(envl_classify(ring, NULL, &context, envl_buf_view(&o->sealed),
                           &verdict, NULL));
}

static void
ours_seal_batch(void *arg)
{
    struct ours *o = arg;

    envl_buf_clear(&o->arena);
    for (size_t i = 0; i < BATCH; i++)
        o->items[i] = (struct envl_item){ .input = o->value,
                                          .context = context,
                                          .type = ENVL_TYPE_TEXT };
    must(envl_seal_batch(ring, &o->options, o->items, BATCH, &o->arena,
                         NULL));
}

static void
ours_open_batch(void *arg)
{
    struct ours *o = arg;

    envl_buf_clear(&o->arena);
    for (size_t i = 0; i < BATCH; i++)
        o->items[i] = (struct envl_item){ .input = envl_buf_view(&o->sealed),
                                          .context = context };
    must(envl_open_batch(ring, NULL, o->items, BATCH, &o->arena, NULL));
}

static void
ours_new(struct ours *o, size_t len, enum envl_mode mode,
         enum envl_encoding encoding)
{
    uint8_t *value = malloc(len + 1);

    memset(o, 0, sizeof(*o));
    o->options.size = sizeof(o->options);
    o->options.mode = mode;
    o->options.encoding = encoding;
    o->options.type = ENVL_TYPE_TEXT;
    if (value == NULL)
        abort();
    memset(value, 'k', len);
    o->value = (struct envl_bytes){ value, len };
    must(envl_seal(ring, &o->options, &context, o->value, &o->sealed, NULL));
    o->room_len = o->sealed.len + 16;
    o->room = malloc(o->room_len);
    if (o->room == NULL)
        abort();
}

static void
ours_free(struct ours *o)
{
    free((void *)(uintptr_t)o->value.ptr);
    free(o->room);
    envl_buf_free(&o->sealed);
    envl_buf_free(&o->arena);
}

/* ---- tables ------------------------------------------------------------- */

static void
print(struct subject *s, const struct subject *against)
{
    double mid = median(s);

    printf("%-34s %9.0f %9.0f", s->name, s->ns[0], mid);
    if (against != NULL)
        printf("   %5.2f x", mid / against->ns[SLICES_ROUNDS / 2]);
    printf("\n");
}

/* One size and encoding: floor and ours, each way. */
static void
bench_size(size_t len, enum envl_encoding encoding)
{
    size_t frame = len <= 4096 ? (len + 2 + 31) / 32 * 32 : len + 1;
    bool text = encoding == ENVL_ENCODING_TEXT;
    struct floor f;
    struct ours o;
    struct subject s[] = {
        { "  floor of seal", floor_seal, &f, REPEAT, { 0 } },
        { "  seal", ours_seal, &o, REPEAT, { 0 } },
        { "  floor of open", floor_open, &f, REPEAT, { 0 } },
        { "  open", ours_open, &o, REPEAT, { 0 } },
        { "  classify", ours_classify, &o, REPEAT, { 0 } },
    };

    floor_new(&f, frame, text);
    ours_new(&o, len, ENVL_MODE_DERIVED, encoding);
    measure(s, 5);
    printf("%zu bytes, %s\n", len, text ? "text" : "binary");
    print(&s[0], NULL);
    print(&s[1], &s[0]);
    print(&s[2], NULL);
    print(&s[3], &s[2]);
    print(&s[4], NULL);
    floor_free(&f);
    ours_free(&o);
}

/* One primitive, often enough that the clock does not count. */
struct part {
    void (*run)(void *);
    struct floor *floor;
};

static void
run_part(void *arg)
{
    struct part *part = arg;

    for (int i = 0; i < REPEAT; i++)
        part->run(part->floor);
}

static void
bench_parts(void)
{
    struct floor f;
    struct part parts[] = {
        { floor_hkdf, &f }, { floor_random, &f }, { floor_gcm, &f },
        { floor_encode, &f }, { floor_decode, &f },
    };
    struct subject s[] = {
        { "  HKDF-Expand, 76 bytes", run_part, &parts[0], REPEAT, { 0 } },
        { "  getrandom, 24 bytes", run_part, &parts[1], REPEAT, { 0 } },
        { "  AES-256-GCM, 96 bytes", run_part, &parts[2], REPEAT, { 0 } },
        { "  base64 of 169 bytes", run_part, &parts[3], REPEAT, { 0 } },
        { "  and back", run_part, &parts[4], REPEAT, { 0 } },
    };

    floor_new(&f, 96, true);
    measure(s, 5);
    printf("the primitives                           least    median ns\n");
    for (size_t i = 0; i < 5; i++)
        print(&s[i], NULL);
    floor_free(&f);
}

static void
bench_batches(void)
{
    struct floor f;
    struct ours derived, wrapped;
    struct subject s[] = {
        { "  floor of seal, without getrandom", floor_seal, &f, REPEAT,
          { 0 } },
        { "  seal, each of a batch of 256", ours_seal_batch, &derived, BATCH,
          { 0 } },
        { "  floor of open", floor_open, &f, REPEAT, { 0 } },
        { "  open, each of a batch of 256", ours_open_batch, &derived, BATCH,
          { 0 } },
        { "  seal, wrapped by a local key", ours_seal, &wrapped, REPEAT,
          { 0 } },
        { "  open, wrapped by a local key", ours_open, &wrapped, REPEAT,
          { 0 } },
    };

    floor_new(&f, 96, true);
    f.random_len = 0;
    ours_new(&derived, 64, ENVL_MODE_DERIVED, ENVL_ENCODING_TEXT);
    ours_new(&wrapped, 64, ENVL_MODE_WRAPPED, ENVL_ENCODING_TEXT);
    measure(s, 6);
    printf("batches and wrapped mode, 64 bytes, text\n");
    for (size_t i = 0; i < 6; i++)
        print(&s[i], i == 1 ? &s[0] : i == 3 ? &s[2] : NULL);
    floor_free(&f);
    ours_free(&derived);
    ours_free(&wrapped);
}

/* ---- threads ------------------------------------------------------------ */

#define THREAD_RUNS 1500
#define THREAD_ROUNDS 9

/* What a thread does, and the CPU time that one value took it. */
struct job {
    bool floor_only;
    double ns;
};

static void *
work(void *arg)
{
    struct job *job = arg;
    double begin;
    struct floor f;
    struct ours o;

    floor_new(&f, 96, true);
    ours_new(&o, 64, ENVL_MODE_DERIVED, ENVL_ENCODING_TEXT);
    begin = cpu_ns();
    for (int i = 0; i < THREAD_RUNS; i++) {
        if (job->floor_only) {
            floor_seal(&f);
            floor_open(&f);
        } else {
            ours_seal(&o);
            ours_open(&o);
        }
    }
    job->ns = (cpu_ns() - begin) / THREAD_RUNS / REPEAT;
    ours_free(&o);
    floor_free(&f);
    return NULL;
}

static double
wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Values a second of ${count} threads; CPU time of one value in ${cpu}. */
static double
threads(int count, bool floor_only, double *cpu)
{
    struct job jobs[2] = { { floor_only, 0 }, { floor_only, 0 } };
    double begin = wall_ns();
    pthread_t ids[2];

    for (int i = 0; i < count; i++)
        if (pthread_create(&ids[i], NULL, work, &jobs[i]) != 0)
            abort();
    for (int i = 0; i < count; i++)
        pthread_join(ids[i], NULL);
    *cpu = jobs[0].ns;
    return count * (double)THREAD_RUNS * REPEAT / (wall_ns() - begin) * 1e9;
}

static double
middle(double *values)
{
    qsort(values, THREAD_ROUNDS, sizeof(values[0]), compare_doubles);
    return values[THREAD_ROUNDS / 2];
}

/* Beside the floor's own gain: others use the machine, too. */
static void
bench_threads(void)
{
    double rate[2][THREAD_ROUNDS], cpu[2][THREAD_ROUNDS];

    for (int i = 0; i < THREAD_ROUNDS; i++) {
        for (int f = 0; f < 2; f++) {
            double cpu_one, cpu_two, one = threads(1, f == 1, &cpu_one);

            rate[f][i] = threads(2, f == 1, &cpu_two) / one;
            cpu[f][i] = 2 * cpu_one / cpu_two;
        }
    }
    printf("two threads beside one, seal and open of 64 bytes\n");
    for (int f = 0; f < 2; f++) {
        double mid = middle(rate[f]);

        printf("  %-30s %9.2f x median, %.2f x best, %.2f x by CPU time\n",
               f == 1 ? "the floor alone" : "ours", mid,
               rate[f][THREAD_ROUNDS - 1], middle(cpu[f]));
    }
}

static void
make_ring(void)
{
    struct keyring_given keys[2] = {
        { .info = { .kid = "k2026-11", .scope = "default",
                    .use = ENVL_USE_SEAL, .state = ENVL_KEY_ACTIVE } },
        { .info = { .kid = "kek-1", .scope = "default",
                    .use = ENVL_USE_WRAP, .state = ENVL_KEY_ACTIVE } },
    };

    randombytes_buf(keys[0].bytes, 32);
    randombytes_buf(keys[1].bytes, 32);
    must(keyring_from_keys(keys, 2, &ring, NULL));
}

int
main(void)
{
    static const size_t sizes[] = { 16, 64, 1000, 4096, 16000, 262144 };

    make_ring();
    bench_parts();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        bench_size(sizes[i], ENVL_ENCODING_TEXT);
    bench_size(64, ENVL_ENCODING_BINARY);
    bench_size(262144, ENVL_ENCODING_BINARY);
    bench_batches();
    bench_threads();
    envl_keyring_free(ring);
    return 0;
}
