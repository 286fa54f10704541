/* Key file and passphrase: what they take, and what they refuse to run. */
#include <time.h>

#include <sodium.h>

#include "keyring_fixture.h"
#include "provider/types.h"
#include "provider/unlock_key.h"

static const char ring_id[] = "5e57da7a-0000-4000-8000-000000000001";

static struct envl_secret *
ring_key(void)
{
    return secret_of("ring key: test data, 32 bytes ..");
}

static void
entry_free(struct envl_unlock_entry *entry)
{
    envl_buf_free(&entry->wrapped);
}

/* ---- passphrase --------------------------------------------------------- */

static double
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* spec: KEY-22: refused before it runs, so also at once */
static void
argon2_outside_its_bounds_does_not_run(void **state)
{
    static const struct {
        uint64_t opslimit, memlimit;
    } rows[] = {
        { 1, 67108864 },   { 0, 67108864 },        { 11, 67108864 },
        { 2, 67108863 },   { 2, 2147483649 },      { 2, 0 },
        { 2, 1 },          { 9007199254740991, 67108864 },
        { 2, 9007199254740991 },
    };
    struct envl_provider *provider = cheap_passphrase("correct horse");
    struct envl_secret *secret = secret_of("correct horse");

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct envl_unlock_entry entry = {
            .name = "people", .type = "passphrase",
            .opslimit = rows[i].opslimit, .memlimit = rows[i].memlimit,
        };
        struct envl_passphrase_cost cost = { rows[i].opslimit,
                                             rows[i].memlimit };
        struct envl_provider *other = NULL;
        struct envl_secret *key = NULL;
        struct envl_error err;
        double begin = now_ms();

        assert_int_equal(provider->ops->unlock(provider, &entry, ring_id,
                                               &key, &err), ENVL_E_POLICY);
        assert_true(now_ms() - begin < 50 || SLOW);
        assert_null(key);
        assert_non_null(strstr(err.hint, "64 MiB"));
        if (cost.opslimit != 0 && cost.memlimit != 0)
            assert_int_equal(envl_passphrase_provider_new(secret, &cost,
                                                          &other, NULL),
                             ENVL_E_POLICY);
    }
    envl_secret_free(secret);
    envl_provider_free(provider);
}

static void
argon2_is_that_of_the_rfc(void **state)
{
    struct envl_provider *provider = cheap_passphrase("correct horse");
    struct envl_unlock_entry entry = { .name = "p", .type = "passphrase" };
    struct envl_secret *key = ring_key(), *back = NULL;
    uint8_t stretched[32];

    (void)state;
    assert_int_equal(provider->ops->enroll(provider, ring_id, key, &entry,
                                           NULL), ENVL_OK);
    assert_int_equal(entry.opslimit, 2);
    assert_int_equal(entry.memlimit, 67108864);
    assert_int_equal(entry.wrapped.len, 40);
    assert_int_equal(provider->ops->unlock(provider, &entry, ring_id, &back,
                                           NULL), ENVL_OK);
    assert_true(envl_secret_equal(key, back));
    /* p = 1, version 1.3, m in KiB: what libsodium calls ARGON2ID13 */
    assert_int_equal(crypto_pwhash(stretched, 32, "correct horse", 13,
                                   entry.salt, 2, 67108864,
                                   crypto_pwhash_ALG_ARGON2ID13), 0);
    envl_secret_free(back);
    assert_int_equal(unlock_key_open(stretched, &entry, ring_id, &back,
                                     NULL), ENVL_OK);
    assert_true(envl_secret_equal(key, back));
    envl_secret_free(key);
    envl_secret_free(back);
    entry_free(&entry);
    envl_provider_free(provider);
}

static void
two_entries_of_one_passphrase_differ(void **state)
{
    struct envl_provider *provider = cheap_passphrase("correct horse");
    struct envl_unlock_entry a = { .name = "a", .type = "passphrase" };
    struct envl_unlock_entry b = { .name = "b", .type = "passphrase" };
    struct envl_secret *key = ring_key();

    (void)state;
    assert_int_equal(provider->ops->enroll(provider, ring_id, key, &a, NULL),
                     ENVL_OK);
    assert_int_equal(provider->ops->enroll(provider, ring_id, key, &b, NULL),
                     ENVL_OK);
    assert_memory_not_equal(a.salt, b.salt, 16);
    assert_memory_not_equal(a.wrapped.ptr, b.wrapped.ptr, 40);
    envl_secret_free(key);
    entry_free(&a);
    entry_free(&b);
    envl_provider_free(provider);
}

static void
an_empty_passphrase_is_a_usage_error(void **state)
{
    struct envl_secret *lf = secret_of("\n");
    struct envl_provider *provider = NULL;

    (void)state;
    assert_int_equal(envl_passphrase_provider_new(lf, NULL, &provider, NULL),
                     ENVL_E_USAGE);
    assert_null(provider);
    envl_secret_free(lf);
}

/* ---- key file ----------------------------------------------------------- */

static void
a_key_file_has_exactly_32_bytes(void **state)
{
    static const char bytes[] = "0123456789abcdef0123456789abcdef0";
    struct fixture f = fixture_new();
    struct envl_secret *key = ring_key();

    (void)state;
    for (size_t len = 0; len <= 33; len++) {
        struct envl_unlock_entry entry = { .name = "k", .type = "keyfile" };
        struct envl_error err;
        enum envl_status status;

        write_file(f.key, (struct envl_bytes){ (const uint8_t *)bytes, len },
                   0600);
        status = f.provider->ops->enroll(f.provider, ring_id, key, &entry,
                                         &err);
        /* spec: KEY-20 */
        assert_int_equal(status, len == 32 ? ENVL_OK : ENVL_E_FORMAT);
        if (len != 32)
            assert_null(strstr(err.message, "0123"));
        entry_free(&entry);
    }
    envl_secret_free(key);
    fixture_free(&f);
}

static void
an_entry_opens_for_its_ring_only(void **state)
{
    struct fixture f = fixture_new();
    struct envl_unlock_entry entry = { .name = "k", .type = "keyfile" };
    struct envl_secret *key = ring_key(), *back = NULL;

    (void)state;
    assert_int_equal(f.provider->ops->enroll(f.provider, ring_id, key,
                                             &entry, NULL), ENVL_OK);
    /* spec: KEY-19 */
    assert_int_equal(
        f.provider->ops->unlock(f.provider, &entry,
                                "5e57da7a-0000-4000-8000-000000000002",
                                &back, NULL), ENVL_E_AUTH);
    assert_int_equal(f.provider->ops->unlock(f.provider, &entry, ring_id,
                                             &back, NULL), ENVL_OK);
    assert_true(envl_secret_equal(key, back));
    envl_secret_free(key);
    envl_secret_free(back);
    entry_free(&entry);
    fixture_free(&f);
}

static void
key_folders_are_absolute_and_few(void **state)
{
    struct fixture f = fixture_new();
    struct envl_provider *people = cheap_passphrase("correct horse");

    (void)state;
    assert_int_equal(envl_keyfile_provider_allow(f.provider, "keys", NULL),
                     ENVL_E_USAGE);
    assert_int_equal(envl_keyfile_provider_allow(people, "/keys", NULL),
                     ENVL_E_USAGE);
    for (int i = 0; i < 8; i++)
        assert_int_equal(envl_keyfile_provider_allow(f.provider, "/keys",
                                                     NULL), ENVL_OK);
    assert_int_equal(envl_keyfile_provider_allow(f.provider, "/keys", NULL),
                     ENVL_E_LIMIT);
    envl_provider_free(people);
    fixture_free(&f);
}

static void
created_key_files_differ(void **state)
{
    struct fixture a = fixture_new(), b = fixture_new();
    char one[64], two[64];
    struct stat st;

    (void)state;
    assert_int_equal(read_whole(a.key, one, sizeof(one)), 32);
    assert_int_equal(read_whole(b.key, two, sizeof(two)), 32);
    assert_memory_not_equal(one, two, 32);
    assert_int_equal(stat(a.key, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    fixture_free(&a);
    fixture_free(&b);
}

/* ---- types -------------------------------------------------------------- */

static void
types_are_those_of_the_spec(void **state)
{
    static const char *const known[] = {
        "keyfile", "passphrase", "vault-transit", "vault-kv",
        "pkcs11",  "aws-kms",    "exec",          "recovery",
    };

    (void)state;
    /* spec: KEY-17 */
    for (size_t i = 0; i < 8; i++)
        assert_non_null(types_find(envl_bytes_of(known[i])));
    assert_null(types_find(envl_bytes_of("")));
    assert_null(types_find(envl_bytes_of("Keyfile")));
    assert_null(types_find(envl_bytes_of("keyfile2")));
    assert_null(types_find(LITERAL("keyfile\0")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(argon2_outside_its_bounds_does_not_run),
        cmocka_unit_test(argon2_is_that_of_the_rfc),
        cmocka_unit_test(two_entries_of_one_passphrase_differ),
        cmocka_unit_test(an_empty_passphrase_is_a_usage_error),
        cmocka_unit_test(a_key_file_has_exactly_32_bytes),
        cmocka_unit_test(an_entry_opens_for_its_ring_only),
        cmocka_unit_test(key_folders_are_absolute_and_few),
        cmocka_unit_test(created_key_files_differ),
        cmocka_unit_test(types_are_those_of_the_spec),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
