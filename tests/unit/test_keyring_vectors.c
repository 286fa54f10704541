/* Every file of spec/vectors/keyring, and ring.json, against the library. */
#include <jansson.h>
#include <sodium.h>

#include "keyring/ring.h"
#include "keyring_fixture.h"

#define FOLDER "spec/vectors/keyring"

static const char *
text_of(json_t *vector, const char *member)
{
    return json_string_value(json_object_get(vector, member));
}

static struct envl_provider *
provider_of(const struct fixture *f, json_t *vector)
{
    const char *passphrase = text_of(vector, "passphrase");
    struct envl_provider *provider = NULL;
    struct envl_secret *secret;

    if (passphrase == NULL) {
        write_file(f->key, from_hex(text_of(vector, "key_file")), 0600);
        assert_int_equal(envl_keyfile_provider_new(f->key, &provider, NULL),
                         ENVL_OK);
        return provider;
    }
    secret = secret_of(passphrase);
    assert_int_equal(envl_passphrase_provider_new(secret, NULL, &provider,
                                                  NULL), ENVL_OK);
    envl_secret_free(secret);
    return provider;
}

static void
check_keys(struct envl_keyring *ring, json_t *keys)
{
    struct keyring_hold hold = keyring_enter(ring);
    size_t i;
    json_t *want;

    assert_int_equal(hold.view->doc.key_count, json_array_size(keys));
    json_array_foreach(keys, i, want) {
        const struct key *key =
            keyring_key(hold.view, envl_bytes_of(text_of(want, "kid")));
        const char *hex = text_of(want, "key");

        assert_non_null(key);
        assert_string_equal(envl_key_use_name(key->info.use),
                            text_of(want, "use"));
        assert_string_equal(key->info.scope, text_of(want, "scope"));
        assert_string_equal(envl_key_state_name(key->info.state),
                            text_of(want, "state"));
        /* Of a disabled key the view holds nothing. */
        if (hex == NULL || key->info.state == ENVL_KEY_DISABLED) {
            assert_null(key->secret);
        } else {
            assert_non_null(key->secret);
            assert_memory_equal(key->secret->bytes, from_hex(hex).ptr, 32);
        }
    }
    keyring_leave(ring, hold);
}

static void
check_ring(struct envl_keyring *ring, json_t *vector)
{
    struct envl_ring_mark mark;
    char pin[33];

    envl_keyring_mark(ring, &mark);
    sodium_bin2hex(pin, sizeof(pin), mark.pin, sizeof(mark.pin));
    assert_string_equal(pin, text_of(vector, "pin"));
    if (json_object_get(vector, "generation") != NULL)
        assert_int_equal(mark.generation,
                         json_integer_value(json_object_get(vector,
                                                            "generation")));
    check_keys(ring, json_object_get(vector, "keys"));
}

static struct envl_bytes
file_of(json_t *vector)
{
    json_t *text = json_object_get(vector, "file");

    if (text == NULL)
        return from_hex(text_of(vector, "file_hex"));
    return (struct envl_bytes){ (const uint8_t *)json_string_value(text),
                                json_string_length(text) };
}

static void
run_vector(void **state)
{
    json_t *vector = json_load_file(*state, JSON_REJECT_DUPLICATES |
                                    JSON_ALLOW_NUL, NULL);
    struct fixture f = fixture_new();
    struct envl_keyring *ring = NULL;
    struct envl_error err = { .message = "" };
    enum envl_status status;
    const char *want;

    assert_non_null(vector);
    want = text_of(vector, "status");
    if (want == NULL)
        want = "ok";
    write_file(f.ring, file_of(vector), 0600);
    envl_provider_free(f.provider);
    f.provider = provider_of(&f, vector);

    status = try_open(&f, &ring, &err);
    if (strcmp(envl_status_name(status), want) != 0)
        fail_msg("%s: %s", envl_status_name(status), err.message);
    if (status == ENVL_OK)
        check_ring(ring, vector);
    envl_keyring_free(ring);
    fixture_free(&f);
    json_decref(vector);
}

static int
is_vector(const struct dirent *entry)
{
    return strstr(entry->d_name, ".json") != NULL;
}

int
main(void)
{
    struct dirent **files;
    int count = scandir(FOLDER, &files, is_vector, alphasort), failed;
    struct CMUnitTest *tests;

    if (count < 100) {
        fprintf(stderr, "%s: not there, or too few\n", FOLDER);
        return 1;
    }
    tests = calloc((size_t)count + 1, sizeof(*tests));
    for (int i = 0; i < count; i++) {
        char path[512];

        snprintf(path, sizeof(path), FOLDER "/%s", files[i]->d_name);
        tests[i].name = strdup(files[i]->d_name);
        tests[i].test_func = run_vector;
        tests[i].initial_state = strdup(path);
    }
    tests[count] = (struct CMUnitTest){
        .name = strdup("ring.json"), .test_func = run_vector,
        .initial_state = strdup("spec/vectors/ring.json"),
    };
    failed = _cmocka_run_group_tests("keyring vectors", tests,
                                     (size_t)count + 1, NULL, NULL);
    for (int i = 0; i <= count; i++) {
        free((void *)(uintptr_t)tests[i].name);
        free(tests[i].initial_state);
    }
    for (int i = 0; i < count; i++)
        free(files[i]);
    free(files);
    free(tests);
    return failed;
}
