/* A recovery key: two halves, and a ring that it opens. */
#include <sodium.h>

#include "keyring_fixture.h"

/* The private half 00 01 ... 1f: TEST DATA. */
static const char known_words[] =
    "babad bamag bibaj bimal boban bomar\n"
    "bubat bumaz dabid damig dibij dimil\n"
    "dobin domir dubit dumiz rimak nikat\n";
static const char known_public[] =
    "erp1j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF_6fiuj";

static struct envl_secret *
known_key(void)
{
    struct envl_secret *key = NULL;

    assert_int_equal(envl_secret_new(32, &key, NULL), ENVL_OK);
    for (uint8_t i = 0; i < 32; i++)
        envl_secret_span(key).ptr[i] = i;
    return key;
}

/* spec: KEY-110, KEY-111 */
static void
both_halves_are_spelled_as_specified(void **state)
{
    struct envl_secret *key = known_key(), *words = NULL, *back = NULL;
    char public_text[ENVL_RECOVERY_PUBLIC_SIZE];

    (void)state;
    assert_int_equal(envl_recovery_key_public(key, public_text, NULL),
                     ENVL_OK);
    assert_string_equal(public_text, known_public);
    assert_int_equal(envl_recovery_key_words(key, &words, NULL), ENVL_OK);
    assert_int_equal(envl_secret_bytes(words).len, strlen(known_words));
    assert_memory_equal(envl_secret_bytes(words).ptr, known_words,
                        strlen(known_words));
    assert_int_equal(envl_recovery_key_read(envl_secret_bytes(words), &back,
                                            NULL), ENVL_OK);
    assert_true(envl_secret_equal(back, key));
    envl_secret_free(back);
    envl_secret_free(words);
    envl_secret_free(key);
}

static void
a_new_key_is_another_each_time(void **state)
{
    char first_text[ENVL_RECOVERY_PUBLIC_SIZE];
    char second_text[ENVL_RECOVERY_PUBLIC_SIZE];
    struct envl_secret *first = NULL, *second = NULL;

    (void)state;
    assert_int_equal(envl_recovery_key_new(&first, first_text, NULL),
                     ENVL_OK);
    assert_int_equal(envl_recovery_key_new(&second, second_text, NULL),
                     ENVL_OK);
    assert_false(envl_secret_equal(first, second));
    assert_string_not_equal(first_text, second_text);
    envl_secret_free(first);
    envl_secret_free(second);
}

/* Every slip of one letter, and two words exchanged. */
static void
slips_are_noticed(void **state)
{
    char text[sizeof(known_words)];
    struct envl_secret *key = NULL;
    unsigned seen = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(known_words) - 1; i++)
        for (char c = 'a'; c <= 'z'; c++) {
            memcpy(text, known_words, sizeof(text));
            if (text[i] == c || text[i] == ' ' || text[i] == '\n')
                continue;
            text[i] = c;
            assert_int_equal(envl_recovery_key_read(envl_bytes_of(text),
                                                    &key, NULL),
                             ENVL_E_FORMAT);
            seen++;
        }
    assert_true(seen > 2000);
    for (size_t i = 0; i + 12 < sizeof(known_words); i += 6) {
        memcpy(text, known_words, sizeof(text));
        memcpy(text + i, known_words + i + 6, 5);
        memcpy(text + i + 6, known_words + i, 5);
        assert_int_equal(envl_recovery_key_read(envl_bytes_of(text), &key,
                                                NULL), ENVL_E_FORMAT);
    }
    assert_null(key);
}

static void
only_a_public_half_makes_entries(void **state)
{
    static const char *const others[] = {
        "", "erp1", "erp2j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF_6fiuj",
        "erp1j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF_6fiuk",
        "erp1j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF_6fiu",
        "erp1j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF_6fiuj ",
        "babad bamag bibaj bimal boban bomar bubat bumaz dabid damig"
    };
    struct envl_provider *provider = NULL;
    struct envl_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        assert_int_equal(envl_recovery_public_provider_new(others[i],
                                                           &provider, &err),
                         ENVL_E_USAGE);
        if (others[i][0] != '\0') /* it may be the private half */
            assert_null(strstr(err.message, others[i]));
    }
    assert_int_equal(envl_recovery_public_provider_new(known_public,
                                                       &provider, &err),
                     ENVL_OK);
    envl_provider_free(provider);
}

static struct envl_provider *
known_provider(void)
{
    struct envl_secret *key = known_key();
    struct envl_provider *provider = NULL;

    assert_int_equal(envl_recovery_provider_new(key, &provider, NULL),
                     ENVL_OK);
    envl_secret_free(key);
    return provider;
}

/* A ring with an entry "safe", made from the public half. */
static struct fixture
ring_with_safe(uint8_t pin[16])
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_provider *safe = NULL;
    struct envl_ring_mark mark;
    struct envl_error err;

    assert_int_equal(envl_recovery_public_provider_new(known_public, &safe,
                                                       NULL), ENVL_OK);
    if (envl_keyring_unlock_add(ring, "safe", safe, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    envl_keyring_mark(ring, &mark);
    memcpy(pin, mark.pin, sizeof(mark.pin));
    envl_provider_free(safe);
    envl_keyring_free(ring);
    return f;
}

/* spec: KEY-112, KEY-26 */
static void
it_opens_the_ring_with_the_pin_alone(void **state)
{
    struct envl_provider *safe = known_provider();
    uint8_t pin[16];
    struct fixture f = ring_with_safe(pin);
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = f.ring, .providers = &safe,
        .provider_count = 1, .fixed = true
    };
    struct envl_keyring *ring = NULL;
    struct envl_error err;

    (void)state;
    assert_int_equal(unlink(f.key), 0); /* everything else is gone */
    assert_int_equal(envl_keyring_open(&options, &ring, &err), ENVL_E_POLICY);
    assert_non_null(strstr(err.message, "pin"));
    options.pin = pin;
    if (envl_keyring_open(&options, &ring, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    /* And lets a new key file in. */
    assert_int_equal(envl_keyfile_create(f.key, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_unlock_change(ring, "main", f.provider,
                                                &err), ENVL_OK);
    envl_keyring_free(ring);
    ring = must_open(&f);
    envl_keyring_free(ring);
    envl_provider_free(safe);
    fixture_free(&f);
}

static void
another_recovery_key_does_not_open(void **state)
{
    uint8_t pin[16];
    struct fixture f = ring_with_safe(pin);
    char public_text[ENVL_RECOVERY_PUBLIC_SIZE];
    struct envl_secret *key = NULL;
    struct envl_provider *other = NULL;
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = f.ring, .providers = &other,
        .provider_count = 1, .pin = pin, .fixed = true
    };
    struct envl_keyring *ring = NULL;

    (void)state;
    assert_int_equal(envl_recovery_key_new(&key, public_text, NULL), ENVL_OK);
    assert_int_equal(envl_recovery_provider_new(key, &other, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_open(&options, &ring, NULL), ENVL_E_AUTH);
    envl_provider_free(other);
    assert_int_equal(envl_recovery_public_provider_new(known_public, &other,
                                                       NULL), ENVL_OK);
    assert_int_equal(envl_keyring_open(&options, &ring, NULL), ENVL_E_AUTH);
    envl_provider_free(other);
    envl_secret_free(key);
    fixture_free(&f);
}

/* A new ring key is sealed to the public half again. */
static void
it_opens_after_a_new_ring_key(void **state)
{
    struct envl_provider *safe = known_provider();
    uint8_t pin[16];
    struct fixture f = ring_with_safe(pin);
    struct envl_keyring *ring = must_open(&f);
    struct envl_key_spec spec = { .kid = "k0" };
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = f.ring, .providers = &safe,
        .provider_count = 1, .fixed = true
    };
    struct envl_ring_mark mark;

    (void)state;
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_OK);
    destroy_key(ring, "k0");
    envl_keyring_mark(ring, &mark);
    assert_memory_not_equal(mark.pin, pin, sizeof(pin));
    envl_keyring_free(ring);
    options.pin = mark.pin;
    assert_int_equal(envl_keyring_open(&options, &ring, NULL), ENVL_OK);
    envl_keyring_free(ring);
    envl_provider_free(safe);
    fixture_free(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_halves_are_spelled_as_specified),
        cmocka_unit_test(a_new_key_is_another_each_time),
        cmocka_unit_test(slips_are_noticed),
        cmocka_unit_test(only_a_public_half_makes_entries),
        cmocka_unit_test(it_opens_the_ring_with_the_pin_alone),
        cmocka_unit_test(another_recovery_key_does_not_open),
        cmocka_unit_test(it_opens_after_a_new_ring_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
