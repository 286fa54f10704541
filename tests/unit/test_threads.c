/*
 * Many threads with one ring: what each seals each other opens.  Also built
 * under the thread sanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "envelope_fixture.h"

#define THREADS 4
#define ROUNDS  2000

static struct envl_keyring *ring;
static atomic_uint opened;

/* Threads do not call cmocka: they count, and the test asserts. */
struct worker {
    pthread_t thread;
    unsigned number, failed;
    struct envl_buf last; /* for another thread to open */
};

static struct worker workers[THREADS];

/* One value of a size that goes by libsodium, or by OpenSSL, or in chunks. */
static size_t
size_of(unsigned round)
{
    static const size_t sizes[] = { 0, 40, 900, 1100, 5000, 20000 };

    return round % 40 == 0 ? sizes[5] : sizes[round % 5];
}

static void
round_trip(struct worker *w, unsigned round, struct envl_plain *plain)
{
    static uint8_t value[20000];
    struct envl_seal_options options = {
        .size = sizeof(options), .kid = round % 3 == 0 ? "kek-now" : "k-now",
        .encoding = (enum envl_encoding)(round % 3),
    };
    size_t len = size_of(round + w->number);
    struct envl_verdict verdict;

    envl_buf_clear(&w->last);
    if (envl_seal(ring, &options, &here, (struct envl_bytes){ value, len },
                  &w->last, NULL) != ENVL_OK ||
        envl_classify(ring, NULL, &here, envl_buf_view(&w->last), &verdict,
                      NULL) != ENVL_OK || verdict.status != ENVL_OK ||
        envl_open(ring, NULL, &here, envl_buf_view(&w->last), plain, NULL) !=
            ENVL_OK || plain->value.len != len ||
        envl_open(ring, NULL, &there, envl_buf_view(&w->last), plain, NULL) !=
            ENVL_E_AUTH)
        w->failed++;
    atomic_fetch_add(&opened, 1);
}

static void *
work(void *arg)
{
    unsigned rounds = getenv("ENVL_TEST_QUICK") != NULL ? ROUNDS / 10 : ROUNDS;
    struct envl_plain plain = ENVL_PLAIN_INIT;
    struct worker *w = arg;

    for (unsigned round = 0; round < rounds; round++)
        round_trip(w, round, &plain);
    envl_plain_free(&plain);
    return NULL;
}

static void
threads_share_one_ring(void **state)
{
    struct envl_plain plain = ENVL_PLAIN_INIT;

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].number = i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
                                        &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(workers[i].failed, 0);
        assert_int_equal(envl_open(ring, NULL, &here, envl_buf_view(
            &workers[i].last), &plain, NULL), ENVL_OK);
        envl_buf_free(&workers[i].last);
    }
    print_message("%u round trips in %u threads\n", atomic_load(&opened),
                  THREADS);
    envl_plain_free(&plain);
}

/* A sealer may go from one thread to another between two calls. */
static struct envl_sealer *sealer;
static struct envl_buf stream;

static void *
go_on(void *arg)
{
    static uint8_t piece[30000];

    return envl_sealer_update(sealer, (struct envl_bytes){ piece, 30000 },
                              &stream, NULL) == ENVL_OK ? NULL : arg;
}

static void
a_stream_may_change_threads(void **state)
{
    struct envl_plain plain = ENVL_PLAIN_INIT;

    (void)state;
    assert_int_equal(envl_sealer_new(ring, NULL, &here, &sealer, NULL),
                     ENVL_OK);
    for (int i = 0; i < 5; i++) {
        pthread_t thread;
        void *failed;

        assert_int_equal(pthread_create(&thread, NULL, go_on, &stream), 0);
        assert_int_equal(pthread_join(thread, &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(envl_sealer_finish(sealer, &stream, NULL), ENVL_OK);
    envl_sealer_free(sealer);
    assert_int_equal(envl_open(ring, NULL, &here, envl_buf_view(&stream),
                               &plain, NULL), ENVL_OK);
    assert_int_equal(plain.value.len, 150000);
    envl_plain_free(&plain);
    envl_buf_free(&stream);
}

static int
set_up(void **state)
{
    (void)state;
    ring = make_ring(false);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    envl_keyring_free(ring);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_one_ring),
        cmocka_unit_test(a_stream_may_change_threads),
    };

    return cmocka_run_group_tests_name("threads", tests, set_up, tear_down);
}
