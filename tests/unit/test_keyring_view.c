/* The view: look-ups, guarded material, and readers that are not disturbed. */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sodium.h>

#include "cmocka_all.h"
#include "keyring/ring.h"

static struct keyring_given
given(const char *kid, enum envl_key_use use, const char *scope,
      enum envl_key_state state, uint8_t byte)
{
    struct keyring_given key = { .info = { .use = use, .state = state } };

    snprintf(key.info.kid, sizeof(key.info.kid), "%s", kid);
    snprintf(key.info.scope, sizeof(key.info.scope), "%s", scope);
    memset(key.bytes, byte, sizeof(key.bytes));
    return key;
}

static struct envl_keyring *
ring_of_five(void)
{
    struct keyring_given keys[] = {
        given("k1", ENVL_USE_SEAL, "default", ENVL_KEY_DECRYPT_ONLY, 1),
        given("k2", ENVL_USE_SEAL, "default", ENVL_KEY_ACTIVE, 2),
        given("k3", ENVL_USE_SEAL, "tenant-a", ENVL_KEY_ACTIVE, 3),
        given("w1", ENVL_USE_WRAP, "default", ENVL_KEY_ACTIVE, 4),
        given("off", ENVL_USE_SEAL, "default", ENVL_KEY_DISABLED, 5),
    };
    struct envl_keyring *ring = NULL;

    assert_int_equal(keyring_from_keys(keys, 5, &ring, NULL), ENVL_OK);
    return ring;
}

static void
view_finds_keys_by_kid(void **state)
{
    struct envl_keyring *ring = ring_of_five();
    struct keyring_hold hold = keyring_enter(ring);
    const struct key *key;

    (void)state;
    key = keyring_key(hold.view, envl_bytes_of("k3"));
    assert_non_null(key);
    assert_string_equal(key->info.scope, "tenant-a");
    assert_int_equal(key->secret->bytes[31], 3);
    assert_null(keyring_key(hold.view, envl_bytes_of("k")));
    assert_null(keyring_key(hold.view, envl_bytes_of("k33")));
    assert_null(keyring_key(hold.view, envl_bytes_of("")));
    keyring_leave(ring, hold);
    envl_keyring_free(ring);
}

static void
view_finds_the_active_key_of_use_and_scope(void **state)
{
    struct envl_keyring *ring = ring_of_five();
    struct keyring_hold hold = keyring_enter(ring);

    (void)state;
    assert_string_equal(
        keyring_active_key(hold.view, ENVL_USE_SEAL, NULL)->info.kid, "k2");
    assert_string_equal(
        keyring_active_key(hold.view, ENVL_USE_SEAL, "tenant-a")->info.kid,
        "k3");
    assert_string_equal(
        keyring_active_key(hold.view, ENVL_USE_WRAP, "default")->info.kid,
        "w1");
    assert_null(keyring_active_key(hold.view, ENVL_USE_INDEX, NULL));
    assert_null(keyring_active_key(hold.view, ENVL_USE_WRAP, "tenant-a"));
    keyring_leave(ring, hold);
    envl_keyring_free(ring);
}

static void
view_holds_no_material_of_a_disabled_key(void **state)
{
    struct envl_keyring *ring = ring_of_five();
    struct keyring_hold hold = keyring_enter(ring);
    static const uint8_t five[16] = { 5, 5, 5, 5, 5, 5, 5, 5,
                                      5, 5, 5, 5, 5, 5, 5, 5 };
    const uint8_t *guard = (const uint8_t *)hold.view->guard;
    size_t size = sizeof(struct view_guard) + 5 * sizeof(struct key_secret);

    (void)state;
    /* spec: KEY-35 */
    assert_null(keyring_key(hold.view, envl_bytes_of("off"))->secret);
    for (size_t i = 0; i + sizeof(five) <= size; i++)
        assert_int_not_equal(memcmp(guard + i, five, sizeof(five)), 0);
    keyring_leave(ring, hold);
    envl_keyring_free(ring);
}

static void
key_material_cannot_be_written_to(void **state)
{
    struct envl_keyring *ring = ring_of_five();
    struct keyring_hold hold = keyring_enter(ring);
    const struct key *key = keyring_key(hold.view, envl_bytes_of("k1"));
    int status = -1;
    pid_t child;

    (void)state;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* No core, and no handler of a sanitizer or of cmocka. */
        signal(SIGSEGV, SIG_DFL);
        prctl(PR_SET_DUMPABLE, 0);
        *(volatile uint8_t *)(uintptr_t)key->secret->bytes = 0;
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    keyring_leave(ring, hold);
    envl_keyring_free(ring);
}

static void
keys_with_one_kid_are_refused(void **state)
{
    struct keyring_given keys[] = {
        given("k1", ENVL_USE_SEAL, "default", ENVL_KEY_ACTIVE, 1),
        given("k1", ENVL_USE_WRAP, "default", ENVL_KEY_ACTIVE, 2),
    };
    struct envl_keyring *ring = NULL;

    (void)state;
    assert_int_equal(keyring_from_keys(keys, 2, &ring, NULL),
                     ENVL_E_INTEGRITY);
    assert_null(ring);
}

static void
two_active_keys_of_one_scope_are_refused(void **state)
{
    struct keyring_given keys[] = {
        given("k1", ENVL_USE_SEAL, "default", ENVL_KEY_ACTIVE, 1),
        given("k2", ENVL_USE_SEAL, "default", ENVL_KEY_ACTIVE, 2),
    };
    struct envl_keyring *ring = NULL;

    (void)state;
    assert_int_equal(keyring_from_keys(keys, 2, &ring, NULL),
                     ENVL_E_INTEGRITY);
    assert_null(ring);
}

static void
subkeys_differ_by_label(void **state)
{
    struct envl_keyring *ring = ring_of_five();
    struct envl_secret *a, *b, *again;

    (void)state;
    assert_int_equal(keyring_subkey(ring, "audit", &a, NULL), ENVL_OK);
    assert_int_equal(keyring_subkey(ring, "checkpoint", &b, NULL), ENVL_OK);
    assert_int_equal(keyring_subkey(ring, "audit", &again, NULL), ENVL_OK);
    assert_false(envl_secret_equal(a, b));
    assert_true(envl_secret_equal(a, again));
    envl_secret_free(a);
    envl_secret_free(b);
    envl_secret_free(again);
    envl_keyring_free(ring);
}

static void
kids_obey_their_rule(void **state)
{
    static const struct {
        const char *name;
        bool valid;
    } rows[] = {
        { "k", true }, { "k2026-11", true }, { "0.a-b", true },
        { "", false }, { "-k", false }, { ".k", false }, { "K", false },
        { "k_1", false }, { "k%", false }, { "k:", false }, { "k\n", false },
        { "\xc3\xa9", false },
        { "a23456789b123456789c123456789d123456789e123456789f123456789g123",
          true },
        { "a23456789b123456789c123456789d123456789e123456789f123456789g1234",
          false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(key_name_valid(envl_bytes_of(rows[i].name)),
                         rows[i].valid);
}

/* ---- readers against a writer ------------------------------------------- */

struct race {
    struct envl_keyring *ring;
    atomic_bool stop;
    atomic_long seen;
};

/* Every view says how old it is in its key: a freed one would say nonsense. */
static void *
read_on(void *cookie)
{
    struct race *race = cookie;
    uint64_t last = 0;

    while (!atomic_load(&race->stop)) {
        struct keyring_hold hold = keyring_enter(race->ring);
        const struct key *key =
            keyring_key(hold.view, envl_bytes_of("k1"));
        uint64_t number;

        if (key == NULL)
            abort();
        memcpy(&number, key->secret->bytes, sizeof(number));
        if (number < last || number != hold.view->doc.generation)
            abort();
        last = number;
        keyring_leave(race->ring, hold);
        atomic_fetch_add_explicit(&race->seen, 1, memory_order_relaxed);
    }
    return NULL;
}

static struct ring_view *
numbered_view(struct envl_keyring *ring, uint64_t number)
{
    struct ring_view *now = ring_current(ring), *view;
    struct ring_doc doc;

    assert_int_equal(ring_doc_copy(&now->doc, 0, &doc, NULL), ENVL_OK);
    doc.generation = number;
    assert_int_equal(ring_doc_index(&doc, NULL), ENVL_OK);
    assert_int_equal(view_new(&doc, &now->guard->ring, &view, NULL),
                     ENVL_OK);
    memcpy(view_material(view, 0), &number, sizeof(number));
    view_prepare(view, 0);
    assert_int_equal(view_complete(view, NULL), ENVL_OK);
    return view;
}

static void
readers_never_see_a_freed_view(void **state)
{
    struct keyring_given key =
        given("k1", ENVL_USE_SEAL, "default", ENVL_KEY_ACTIVE, 0);
    struct race race = { .ring = NULL };
    pthread_t threads[4];

    (void)state;
    key.bytes[0] = 1;
    assert_int_equal(keyring_from_keys(&key, 1, &race.ring, NULL), ENVL_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &race),
                         0);
    for (uint64_t n = 2; n < 400; n++) {
        pthread_mutex_lock(&race.ring->lock);
        ring_publish(race.ring, numbered_view(race.ring, n));
        pthread_mutex_unlock(&race.ring->lock);
        assert_null(race.ring->old);
    }
    atomic_store(&race.stop, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(atomic_load(&race.seen) > 0);
    envl_keyring_free(race.ring);
}

static void
writer_keeps_a_view_that_is_held(void **state)
{
    struct keyring_given key =
        given("k1", ENVL_USE_SEAL, "default", ENVL_KEY_ACTIVE, 7);
    struct envl_keyring *ring = NULL;
    struct keyring_hold hold;

    (void)state;
    assert_int_equal(keyring_from_keys(&key, 1, &ring, NULL), ENVL_OK);
    hold = keyring_enter(ring);
    ring_publish(ring, numbered_view(ring, 2)); /* waits, and gives up */
    assert_ptr_equal(ring->old, hold.view);
    assert_int_equal(
        keyring_key(hold.view, envl_bytes_of("k1"))->secret->bytes[0], 7);
    keyring_leave(ring, hold);
    ring_publish(ring, numbered_view(ring, 3));
    assert_null(ring->old);
    envl_keyring_free(ring);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view_finds_keys_by_kid),
        cmocka_unit_test(view_finds_the_active_key_of_use_and_scope),
        cmocka_unit_test(view_holds_no_material_of_a_disabled_key),
        cmocka_unit_test(key_material_cannot_be_written_to),
        cmocka_unit_test(keys_with_one_kid_are_refused),
        cmocka_unit_test(two_active_keys_of_one_scope_are_refused),
        cmocka_unit_test(subkeys_differ_by_label),
        cmocka_unit_test(kids_obey_their_rule),
        cmocka_unit_test(readers_never_see_a_freed_view),
        cmocka_unit_test(writer_keeps_a_view_that_is_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
