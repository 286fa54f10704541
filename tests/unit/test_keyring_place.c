/* A ring out of its place: older, swapped, unpinned, unsafe, read-only. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "keyring/ring.h"
#include "keyring_fixture.h"

static enum envl_status
open_seen(const struct fixture *f, const struct envl_ring_mark *seen,
          const uint8_t *pin)
{
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = f->ring, .providers = &f->provider,
        .provider_count = 1, .fixed = true, .seen = seen, .pin = pin,
    };
    struct envl_keyring *ring = NULL;
    enum envl_status status = envl_keyring_open(&options, &ring, NULL);

    envl_keyring_free(ring);
    return status;
}

static void
add(struct envl_keyring *ring, const char *kid)
{
    struct envl_key_spec spec = { .kid = kid };

    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_OK);
}

static void
an_older_ring_is_noticed(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_ring_mark seen, now;
    char old[16384];

    (void)state;
    read_whole(f.ring, old, sizeof(old));
    add(ring, "k2");
    envl_keyring_mark(ring, &seen);
    assert_int_equal(open_seen(&f, &seen, NULL), ENVL_OK);

    /* spec: KEY-51 */
    write_file(f.ring, envl_bytes_of(old), 0600);
    assert_int_equal(open_seen(&f, &seen, NULL), ENVL_E_INTEGRITY);
    assert_int_equal(open_seen(&f, NULL, NULL), ENVL_OK);
    /* A ring that is open does not go back either. */
    assert_int_equal(envl_keyring_reload(ring, NULL), ENVL_E_INTEGRITY);
    envl_keyring_mark(ring, &now);
    assert_int_equal(now.generation, 2);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
another_ring_of_the_same_generation_is_noticed(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *one = must_open(&f), *two;
    struct envl_ring_mark seen;
    char old[16384];

    (void)state;
    read_whole(f.ring, old, sizeof(old));
    add(one, "k2");
    envl_keyring_mark(one, &seen);
    write_file(f.ring, envl_bytes_of(old), 0600);
    two = must_open(&f);
    add(two, "k3");
    assert_int_equal(open_seen(&f, &seen, NULL), ENVL_E_INTEGRITY);
    assert_int_equal(envl_keyring_reload(one, NULL), ENVL_E_INTEGRITY);
    envl_keyring_free(one);
    envl_keyring_free(two);
    fixture_free(&f);
}

static void
a_swapped_ring_is_noticed(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_ring_mark seen;
    struct envl_error err;

    (void)state;
    envl_keyring_mark(ring, &seen);
    assert_int_equal(unlink(f.ring), 0);
    assert_int_equal(envl_keyring_create(f.ring, f.provider, "main", NULL,
                                         NULL), ENVL_OK);
    /* It opens, since its writer had the key file; but it is another. */
    assert_int_equal(open_seen(&f, NULL, NULL), ENVL_OK);
    assert_int_equal(open_seen(&f, &seen, NULL), ENVL_E_INTEGRITY);
    assert_int_equal(open_seen(&f, NULL, seen.pin), ENVL_E_INTEGRITY);
    assert_int_equal(envl_keyring_reload(ring, &err), ENVL_E_INTEGRITY);
    assert_non_null(strstr(err.message, "is another than"));
    assert_non_null(strstr(err.hint, "--accept-ring="));
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
another_pin_needs_consent_where_pins_are_remembered(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f), *reader, *strict = NULL;
    struct envl_ring_mark seen, now;
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = f.ring, .providers = &f.provider,
        .provider_count = 1, .fixed = true,
    };

    (void)state;
    add(ring, "k2");
    assert_int_equal(envl_keyring_set_state(ring, "k2", ENVL_KEY_DISABLED,
                                            NULL), ENVL_OK);
    envl_keyring_mark(ring, &seen);
    reader = must_open(&f);
    options.pin = seen.pin;
    assert_int_equal(envl_keyring_open(&options, &strict, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_destroy(ring, "k2", false, NULL), ENVL_OK);

    assert_int_equal(open_seen(&f, &seen, NULL), ENVL_E_INTEGRITY);
    assert_int_equal(open_seen(&f, NULL, seen.pin), ENVL_E_INTEGRITY);
    assert_int_equal(envl_keyring_reload(strict, NULL), ENVL_E_INTEGRITY);
    envl_keyring_mark(strict, &now);
    assert_int_equal(now.generation, 3);
    /* Who remembers no pin goes on with the higher generation. */
    assert_int_equal(envl_keyring_reload(reader, NULL), ENVL_OK);
    envl_keyring_mark(reader, &now);
    assert_int_equal(now.generation, 4);
    assert_memory_not_equal(now.pin, seen.pin, 16);
    envl_keyring_free(strict);
    envl_keyring_free(reader);
    envl_keyring_free(ring);
    fixture_free(&f);
}

/* A provider of a type whose entries anyone can make. */
static uint8_t made_key[32];

static enum envl_status
transit_unlock(struct envl_provider *self,
               const struct envl_unlock_entry *entry, const char *ring_id,
               struct envl_secret **ring_key, struct envl_error *err)
{
    (void)self;
    (void)entry;
    (void)ring_id;
    assert_int_equal(envl_secret_new(32, ring_key, err), ENVL_OK);
    memcpy(envl_secret_span(*ring_key).ptr, made_key, 32);
    return ENVL_OK;
}

static enum envl_status
transit_enroll(struct envl_provider *self, const char *ring_id,
               const struct envl_secret *ring_key,
               struct envl_unlock_entry *entry, struct envl_error *err)
{
    (void)self;
    (void)ring_id;
    memcpy(made_key, envl_secret_bytes(ring_key).ptr, 32);
    return envl_buf_append(&entry->wrapped, envl_bytes_of("vault:v1:x"),
                           err);
}

static void
transit_free(struct envl_provider *self)
{
    (void)self;
}

static void
an_entry_that_anyone_can_make_asks_for_the_pin(void **state)
{
    static const struct envl_provider_ops ops = {
        .abi = ENVL_PROVIDER_ABI, .type = "vault-transit",
        .unlock = transit_unlock, .enroll = transit_enroll,
        .free = transit_free,
    };
    struct envl_provider transit = { .ops = &ops, .name = "transit" };
    struct fixture f = fixture_new(), by_transit = f;
    struct envl_keyring *ring = NULL;
    struct envl_ring_mark mark = { .generation = 0 };
    uint8_t pin[16] = { 0 };

    (void)state;
    assert_int_equal(envl_keyring_create(f.ring, &transit, "transit", NULL,
                                         NULL), ENVL_OK);
    by_transit.provider = &transit;
    /* spec: KEY-26 */
    assert_int_equal(open_seen(&by_transit, NULL, NULL), ENVL_E_POLICY);
    assert_int_equal(open_seen(&by_transit, &mark, NULL), ENVL_E_POLICY);
    assert_int_equal(open_seen(&by_transit, NULL, pin), ENVL_E_INTEGRITY);
    {
        struct ring_keys keys;

        memcpy(keys.ring, made_key, 32);
        view_derive(&keys);
        view_subkey(&keys, "ring-pin", (struct envl_span){ pin, 16 });
    }
    assert_int_equal(open_seen(&by_transit, NULL, pin), ENVL_OK);
    (void)ring;
    fixture_free(&f);
}

static void
an_unsafe_ring_or_folder_is_refused_before_it_is_parsed(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = NULL;

    (void)state;
    write_file(f.ring, envl_bytes_of("no ring at all"), 0600);
    assert_int_equal(try_open(&f, &ring, NULL), ENVL_E_INTEGRITY);
    assert_int_equal(chmod(f.ring, 0660), 0);
    assert_int_equal(try_open(&f, &ring, NULL), ENVL_E_POLICY);
    assert_int_equal(chmod(f.ring, 0600), 0);
    assert_int_equal(chmod(f.dir, 0777), 0);
    assert_int_equal(try_open(&f, &ring, NULL), ENVL_E_POLICY);
    assert_int_equal(envl_keyring_create("/tmp/keyring-in-tmp.json",
                                         f.provider, "main", NULL, NULL),
                     ENVL_E_POLICY);
    assert_int_equal(chmod(f.dir, 0700), 0);
    assert_int_equal(unlink(f.ring), 0);
    assert_int_equal(try_open(&f, &ring, NULL), ENVL_E_NOTFOUND);
    fixture_free(&f);
}

static void
key_files_obey_their_rules(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = NULL;
    struct envl_error err;
    char link[256];

    (void)state;
    assert_int_equal(chmod(f.key, 0640), 0);
    assert_int_equal(try_open(&f, &ring, &err), ENVL_E_POLICY);
    assert_non_null(strstr(err.message, "can be read by others"));
    assert_non_null(strstr(err.hint, "chmod 600"));
    assert_int_equal(chmod(f.key, 0600), 0);
    snprintf(link, sizeof(link), "%s.moved", f.key);
    assert_int_equal(rename(f.key, link), 0);
    assert_int_equal(try_open(&f, &ring, &err), ENVL_E_NOTFOUND);
    assert_int_equal(symlink(link, f.key), 0);
    envl_keyring_free(must_open(&f));
    fixture_free(&f);
}

/* In a mount namespace of its own, where the folder is read-only. */
static int
open_read_only(const struct fixture *f)
{
    struct envl_key_spec spec = { .kid = "k2" };
    struct envl_keyring *ring = NULL;

    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(f->dir, f->dir, "none", MS_BIND, NULL) != 0 ||
        mount("none", f->dir, "none", MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) !=
            0)
        return 77;
    if (try_open(f, &ring, NULL) != ENVL_OK)
        return 1;
    if (envl_keyring_add(ring, &spec, NULL) != ENVL_E_IO)
        return 2;
    envl_keyring_free(ring);
    return 0;
}

static void
a_ring_opens_on_a_read_only_file_system(void **state)
{
    struct fixture f = fixture_with_ring();
    int status = -1;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(open_read_only(&f));
    assert_int_equal(waitpid(child, &status, 0), child);
    fixture_free(&f);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("SKIPPED: no mount namespace to be had\n");
        skip();
    }
    assert_int_equal(status, 0); /* spec: KEY-10 */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_ring_is_noticed),
        cmocka_unit_test(another_ring_of_the_same_generation_is_noticed),
        cmocka_unit_test(a_swapped_ring_is_noticed),
        cmocka_unit_test(another_pin_needs_consent_where_pins_are_remembered),
        cmocka_unit_test(an_entry_that_anyone_can_make_asks_for_the_pin),
        cmocka_unit_test(
            an_unsafe_ring_or_folder_is_refused_before_it_is_parsed),
        cmocka_unit_test(key_files_obey_their_rules),
        cmocka_unit_test(a_ring_opens_on_a_read_only_file_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
