/* A ring that changes on disk while many threads use it. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "keyring/ring.h"
#include "keyring_fixture.h"

/* Four looks a second; a slow build is only asked to see it at all. */
#define LIMIT_MS  (SLOW ? 20000 : 1000)

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
pause_ms(long ms)
{
    struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&wait, NULL);
}

static struct envl_keyring *
open_watched(const struct fixture *f)
{
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = f->ring, .providers = &f->provider,
        .provider_count = 1,
    };
    struct envl_keyring *ring = NULL;

    assert_int_equal(envl_keyring_open(&options, &ring, NULL), ENVL_OK);
    return ring;
}

static void
add(struct envl_keyring *ring, const char *kid)
{
    struct envl_key_spec spec = { .kid = kid };
    struct envl_error err;

    if (envl_keyring_add(ring, &spec, &err) != ENVL_OK)
        fail_msg("%s", err.message);
}

static bool
has(struct envl_keyring *ring, const char *kid)
{
    struct keyring_hold hold = keyring_enter(ring);
    bool found = keyring_key(hold.view, envl_bytes_of(kid)) != NULL;

    keyring_leave(ring, hold);
    return found;
}

/* Milliseconds until ${ring} has ${kid}, or three times the limit. */
static int64_t
wait_for(struct envl_keyring *ring, const char *kid)
{
    int64_t begin = now_ms();

    while (!has(ring, kid) && now_ms() - begin < 3 * LIMIT_MS)
        pause_ms(5);
    return now_ms() - begin;
}

static void
a_change_is_seen_within_a_second(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *reader = open_watched(&f), *writer = must_open(&f);
    int64_t worst = 0;

    (void)state;
    for (int i = 0; i < 5; i++) {
        char kid[16];
        int64_t took;

        snprintf(kid, sizeof(kid), "new-%d", i);
        add(writer, kid);
        took = wait_for(reader, kid);
        worst = took > worst ? took : worst;
    }
    print_message("seen after %lld ms at most\n", (long long)worst);
    assert_true(worst < LIMIT_MS);
    envl_keyring_free(writer);
    envl_keyring_free(reader);
    fixture_free(&f);
}

/* ---- readers while it changes ------------------------------------------- */

struct readers {
    struct envl_keyring *ring;
    atomic_bool stop;
    atomic_long looked;
    atomic_bool wrong;
};

/* k1 is there always, and its material never changes. */
static void *
look_up(void *cookie)
{
    struct readers *r = cookie;
    uint8_t first[32];
    bool has_first = false;
    uint64_t last = 0;

    while (!atomic_load(&r->stop)) {
        struct keyring_hold hold = keyring_enter(r->ring);
        const struct key *key = keyring_key(hold.view, envl_bytes_of("k1"));

        if (key == NULL || key->secret == NULL) {
            atomic_store(&r->wrong, true);
        } else if (!has_first) {
            memcpy(first, key->secret->bytes, 32);
            has_first = true;
        } else if (memcmp(first, key->secret->bytes, 32) != 0) {
            atomic_store(&r->wrong, true); /* test data */
        }
        if (hold.view->doc.generation < last)
            atomic_store(&r->wrong, true);
        last = hold.view->doc.generation;
        keyring_leave(r->ring, hold);
        if (atomic_fetch_add_explicit(&r->looked, 1, memory_order_relaxed) %
                1024 == 0)
            sched_yield(); /* valgrind runs one thread at a time */
    }
    return NULL;
}

static void
four_threads_look_up_while_the_ring_changes(void **state)
{
    struct fixture f = fixture_with_ring();
    static struct readers readers; /* threads may outlive a failed test */
    struct envl_keyring *writer = must_open(&f);
    pthread_t threads[4];

    (void)state;
    readers = (struct readers){ .ring = open_watched(&f) };
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_up,
                                        &readers), 0);
    for (int i = 0; i < 6; i++) {
        char kid[16];

        snprintf(kid, sizeof(kid), "new-%d", i);
        add(writer, kid);
        assert_true(wait_for(readers.ring, kid) < LIMIT_MS);
    }
    /* Also by the reading process itself, and under a new ring key. */
    assert_int_equal(envl_keyring_reload(readers.ring, NULL), ENVL_OK);
    add(readers.ring, "own");
    destroy_key(readers.ring, "own");
    atomic_store(&readers.stop, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    print_message("%ld look-ups\n", atomic_load(&readers.looked));
    assert_false(atomic_load(&readers.wrong));
    envl_keyring_free(writer);
    envl_keyring_free(readers.ring);
    fixture_free(&f);
}

static void
a_file_that_does_not_load_changes_nothing(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *reader = open_watched(&f), *writer = must_open(&f);
    char good[16384];

    (void)state;
    add(writer, "k2");
    read_whole(f.ring, good, sizeof(good));
    assert_true(wait_for(reader, "k2") < LIMIT_MS);
    write_file(f.ring, envl_bytes_of("{}\n"), 0600);
    pause_ms(600);
    assert_true(has(reader, "k2"));
    assert_int_equal(envl_keyring_reload(reader, NULL), ENVL_E_INTEGRITY);
    assert_true(has(reader, "k1"));
    assert_int_equal(unlink(f.ring), 0);
    pause_ms(400);
    assert_true(has(reader, "k2"));

    /* Mended, and changed once more: it is followed again. */
    write_file(f.ring, envl_bytes_of(good), 0600);
    add(writer, "k3");
    assert_true(wait_for(reader, "k3") < LIMIT_MS);
    envl_keyring_free(writer);
    envl_keyring_free(reader);
    fixture_free(&f);
}

static void
an_unknown_kid_looks_at_most_once_a_second(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *reader = open_watched(&f), *writer = must_open(&f);

    (void)state;
    pause_ms(1100); /* past the youth of the first view */
    assert_false(keyring_look_again(reader));
    add(writer, "k2");
    /* The look of this second is spent: only the watcher can have seen it. */
    assert_int_equal(keyring_look_again(reader), has(reader, "k2"));
    pause_ms(1100);
    add(writer, "k3");
    assert_true(keyring_look_again(reader));
    assert_true(has(reader, "k3"));
    envl_keyring_free(writer);
    envl_keyring_free(reader);
    fixture_free(&f);
}

static void
a_fixed_ring_stays_as_it_was(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *fixed = must_open(&f), *writer = must_open(&f);

    (void)state;
    add(writer, "k2");
    pause_ms(600);
    assert_false(keyring_look_again(fixed));
    assert_false(has(fixed, "k2"));
    envl_keyring_free(writer);
    envl_keyring_free(fixed);
    fixture_free(&f);
}

/* ---- fork --------------------------------------------------------------- */

static void
a_child_of_fork_sees_changes_too(void **state)
{
    struct fixture f = fixture_with_ring();
    static struct readers readers; /* threads may outlive a failed test */
    struct envl_keyring *writer = must_open(&f);
    pthread_t threads[4];
    pid_t child[8];

    (void)state;
    readers = (struct readers){ .ring = open_watched(&f) };
    /* Other threads are reading at the moment of each fork. */
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_up,
                                        &readers), 0);
    for (int i = 0; i < 8; i++) {
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i] == 0) {
            int64_t took = wait_for(readers.ring, "k2");

            envl_keyring_free(readers.ring);
            _exit(took < 1500 || SLOW ? 0 : 1);
        }
    }
    pause_ms(100);
    add(writer, "k2");
    for (int i = 0; i < 8; i++) {
        int status = -1;

        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
    }
    assert_true(wait_for(readers.ring, "k2") < LIMIT_MS);
    atomic_store(&readers.stop, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_false(atomic_load(&readers.wrong));
    envl_keyring_free(writer);
    envl_keyring_free(readers.ring);
    fixture_free(&f);
}

/* A thread that reads at the moment of a fork: in the child it never leaves. */
static void *
hold_on(void *cookie)
{
    struct readers *r = cookie;
    struct keyring_hold hold = keyring_enter(r->ring);

    atomic_store(&r->looked, 1);
    while (!atomic_load(&r->stop))
        pause_ms(5);
    keyring_leave(r->ring, hold);
    return NULL;
}

static void
a_child_does_not_wait_for_readers_it_has_not(void **state)
{
    struct fixture f = fixture_with_ring();
    static struct readers readers;
    struct envl_keyring *writer = must_open(&f);
    pthread_t thread;
    int status = -1;
    pid_t child;

    (void)state;
    readers = (struct readers){ .ring = open_watched(&f) };
    assert_int_equal(pthread_create(&thread, NULL, hold_on, &readers), 0);
    while (atomic_load(&readers.looked) == 0)
        pause_ms(1);
    add(writer, "k2");
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int64_t took = wait_for(readers.ring, "k2");

        _exit(took < LIMIT_MS ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    atomic_store(&readers.stop, true);
    pthread_join(thread, NULL);
    envl_keyring_free(writer);
    envl_keyring_free(readers.ring);
    fixture_free(&f);
}

/* ---- the thread --------------------------------------------------------- */

static unsigned
count_threads(bool *all_blocked)
{
    DIR *list = opendir("/proc/self/task");
    struct dirent *entry;
    unsigned count = 0;

    assert_non_null(list);
    *all_blocked = true;
    while ((entry = readdir(list)) != NULL) {
        char path[300], line[256];
        FILE *status;

        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (atol(entry->d_name) == (long)getpid())
            continue;
        snprintf(path, sizeof(path), "/proc/self/task/%s/status",
                 entry->d_name);
        status = fopen(path, "r");
        while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
            unsigned long long blocked;

            /* SIGINT, SIGTERM, SIGCHLD and SIGUSR1 among them */
            if (sscanf(line, "SigBlk: %llx", &blocked) == 1 &&
                (blocked & 0x14202) != 0x14202)
                *all_blocked = false;
        }
        if (status != NULL)
            fclose(status);
    }
    closedir(list);
    return count;
}

static void
the_watcher_takes_no_signals_and_ends_with_its_ring(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring;
    bool blocked;
    unsigned before = count_threads(&blocked);

    (void)state;
    ring = open_watched(&f);
    assert_int_equal(count_threads(&blocked), before + 1);
    assert_true(blocked);
    envl_keyring_free(ring);
    pause_ms(20);
    assert_int_equal(count_threads(&blocked), before);
    fixture_free(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_seen_within_a_second),
        cmocka_unit_test(four_threads_look_up_while_the_ring_changes),
        cmocka_unit_test(a_file_that_does_not_load_changes_nothing),
        cmocka_unit_test(an_unknown_kid_looks_at_most_once_a_second),
        cmocka_unit_test(a_fixed_ring_stays_as_it_was),
        cmocka_unit_test(a_child_of_fork_sees_changes_too),
        cmocka_unit_test(a_child_does_not_wait_for_readers_it_has_not),
        cmocka_unit_test(the_watcher_takes_no_signals_and_ends_with_its_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
