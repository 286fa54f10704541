/* Providers of the configuration: made late, from safe places alone. */
#include <libgen.h>
#include <pthread.h>

#include <envelope/provider_module.h>

#include "keyring_fixture.h"
#include "provider/provider.h"

static const char ring_id[] = "5e57da7a-0000-4000-8000-000000000001";

/* Where the modules are that were built for this. */
static void
built_module(const char *name, char out[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    assert_true(len > 0);
    self[len] = '\0';
    snprintf(out, PATH_MAX, "%.3000s/../modules/%s.so", dirname(self), name);
}

/* Put a copy of it where envl-provider-vault.so would be. */
static void
install_module(const struct fixture *f, const char *name, mode_t mode)
{
    static char room[8 << 20];
    char from[PATH_MAX], to[256];
    struct envl_bytes bytes = { (const uint8_t *)room, 0 };

    built_module(name, from);
    bytes.len = read_whole(from, room, sizeof(room));
    snprintf(to, sizeof(to), "%s/envl-provider-vault.so", f->dir);
    write_file(to, bytes, mode);
}

static struct envl_provider_request
request_of(const struct fixture *f)
{
    return (struct envl_provider_request){
        .size = sizeof(struct envl_provider_request), .name = "transit",
        .type = "vault-transit", .settings = "{\"x\":7}", .folder = f->dir,
    };
}

static struct envl_provider *
provider_of(const struct envl_provider_request *request)
{
    struct envl_provider *provider = NULL;

    assert_int_equal(envl_provider_new(request, &provider, NULL), ENVL_OK);
    return provider;
}

/* What using a provider of ${module} answers. */
static enum envl_status
use(const struct fixture *f, const char *module, struct envl_error *err)
{
    struct envl_provider_request request = request_of(f);
    struct envl_provider *provider = provider_of(&request);
    struct envl_secret *key = secret_of("ring key: test data, 32 bytes ..");
    struct envl_unlock_entry entry = { .name = "transit",
                                       .type = "vault-transit" };
    enum envl_status status;

    if (module != NULL)
        install_module(f, module, 0755);
    status = provider->ops->enroll(provider, ring_id, key, &entry, err);
    assert_int_equal(envl_provider_check(provider, err), status);
    envl_buf_free(&entry.wrapped);
    envl_secret_free(key);
    envl_provider_free(provider);
    return status;
}

static void
a_ring_opens_by_a_module(void **state)
{
    struct fixture f = fixture_new();
    struct envl_provider_request request = request_of(&f);
    struct envl_provider *provider = provider_of(&request);
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = f.ring, .providers = &provider,
        .provider_count = 1, .fixed = true,
    };
    struct envl_keyring *ring = NULL;
    struct envl_ring_mark mark;
    struct envl_error err;

    (void)state;
    install_module(&f, "good", 0755);
    assert_int_equal(envl_keyring_create(f.ring, provider, "transit", NULL,
                                         &err), ENVL_OK);
    /* spec: KEY-26 */
    assert_int_equal(envl_keyring_open(&options, &ring, &err),
                     ENVL_E_POLICY);
    options.pin = (const uint8_t[16]){ 0 };
    assert_int_equal(envl_keyring_open(&options, &ring, &err),
                     ENVL_E_INTEGRITY);
    assert_int_equal(envl_keyring_peek(f.ring, &mark, &err), ENVL_OK);
    envl_provider_free(provider);
    fixture_free(&f);
}

static void
nothing_is_loaded_before_it_is_used(void **state)
{
    struct fixture f = fixture_new();
    struct envl_provider_request request = request_of(&f);
    struct envl_provider *provider = provider_of(&request);
    struct envl_error err;

    (void)state;
    assert_string_equal(provider->ops->type, "vault-transit");
    assert_string_equal(provider->name, "transit");
    assert_non_null(provider->ops->wrap);
    assert_int_equal(envl_provider_check(provider, &err), ENVL_E_PROVIDER);
    assert_non_null(strstr(err.hint, "envl-provider-vault.so"));
    /* What failed once is tried again: it may be installed by now. */
    install_module(&f, "good", 0755);
    assert_int_equal(envl_provider_check(provider, &err), ENVL_OK);
    envl_provider_free(provider);
    fixture_free(&f);
}

static void
a_type_that_yields_bytes_does_not_wrap(void **state)
{
    struct fixture f = fixture_new();
    struct envl_provider_request request = request_of(&f);
    struct envl_provider *provider;

    (void)state;
    request.type = "vault-kv";
    provider = provider_of(&request);
    assert_null(provider->ops->wrap);
    assert_null(provider->ops->unwrap);
    envl_provider_free(provider);
    fixture_free(&f);
}

/* What is loaded once is found again by its path: each has its own folder. */
static void
modules_that_are_none_are_refused(void **state)
{
    static const struct {
        const char *module, *says;
    } rows[] = {
        { NULL, "there is no provider module" },
        { "old_release", "another release" },
        { "other_name", "does not make what its name says" },
        { "no_symbol", "is not a provider module" },
    };
    struct fixture f;
    struct envl_error err;
    char path[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        f = fixture_new();
        assert_int_equal(use(&f, rows[i].module, &err), ENVL_E_PROVIDER);
        assert_non_null(strstr(err.message, rows[i].says));
        fixture_free(&f);
    }
    f = fixture_new();
    snprintf(path, sizeof(path), "%s/envl-provider-vault.so", f.dir);
    write_file(path, LITERAL("no shared object"), 0755);
    assert_int_equal(use(&f, NULL, &err), ENVL_E_PROVIDER);
    fixture_free(&f);
}

/* spec: KEY-60 */
static void
places_that_others_can_write_are_refused(void **state)
{
    struct fixture f = fixture_new();
    struct envl_error err;

    (void)state;
    install_module(&f, "good", 0757);
    assert_int_equal(use(&f, NULL, &err), ENVL_E_POLICY);
    assert_int_equal(chmod(f.dir, 0757), 0);
    assert_int_equal(use(&f, "good", &err), ENVL_E_POLICY);
    assert_int_equal(chmod(f.dir, 01777), 0);
    assert_int_equal(use(&f, NULL, &err), ENVL_E_POLICY);
    assert_int_equal(chmod(f.dir, 0700), 0);
    assert_int_equal(use(&f, NULL, &err), ENVL_OK);
    fixture_free(&f);
}

static void
settings_that_are_wrong_are_told(void **state)
{
    struct fixture f = fixture_new();
    struct envl_provider_request request = request_of(&f);
    struct envl_provider *provider;
    struct envl_error err;

    (void)state;
    install_module(&f, "good", 0755);
    request.settings = "{}";
    provider = provider_of(&request);
    assert_int_equal(envl_provider_check(provider, &err), ENVL_E_USAGE);
    assert_non_null(strstr(err.message, "transit"));
    envl_provider_free(provider);
    fixture_free(&f);
}

static void
requests_that_are_wrong_are_refused_at_once(void **state)
{
    static const char *const names[] = {
        "", ".x", "-x", "X", "a_b", "a b", "a\n", "a/b", "a'b", "\xc3\xa4",
    };
    struct fixture f = fixture_new();
    struct envl_provider_request request = request_of(&f);
    struct envl_provider *provider = NULL;
    struct envl_error err;
    char name[65];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        request.name = names[i];
        assert_int_equal(envl_provider_new(&request, &provider, &err),
                         ENVL_E_USAGE);
    }
    memset(name, 'a', 64);
    name[64] = '\0';
    request.name = name;
    assert_int_equal(envl_provider_new(&request, &provider, &err),
                     ENVL_E_USAGE);
    request = request_of(&f);
    request.type = "vault";
    assert_int_equal(envl_provider_new(&request, &provider, &err),
                     ENVL_E_USAGE);
    request = request_of(&f);
    request.size--;
    assert_int_equal(envl_provider_new(&request, &provider, &err),
                     ENVL_E_USAGE);
    /* A type that is set up otherwise. */
    request = request_of(&f);
    request.type = "passphrase";
    provider = provider_of(&request);
    assert_int_equal(envl_provider_check(provider, &err), ENVL_E_USAGE);
    envl_provider_free(provider);
    fixture_free(&f);
}

/* spec: KEY-7 */
static void
a_provider_serves_the_entry_of_its_name_alone(void **state)
{
    struct fixture f = fixture_new();
    struct envl_provider_request request = request_of(&f);
    struct envl_provider *provider = provider_of(&request);
    struct envl_unlock_entry entry = { .name = "transit",
                                       .type = "vault-transit" };

    (void)state;
    assert_true(provider_fits(provider, &entry));
    memcpy(entry.name, "others", sizeof("others"));
    assert_false(provider_fits(provider, &entry));
    memcpy(entry.name, "transit", sizeof("transit"));
    memcpy(entry.type, "vault-kv", sizeof("vault-kv"));
    assert_false(provider_fits(provider, &entry));
    envl_provider_free(provider);
    fixture_free(&f);
}

static void *
check(void *provider)
{
    return envl_provider_check(provider, NULL) == ENVL_OK ? provider : NULL;
}

static void
threads_make_it_once(void **state)
{
    struct fixture f = fixture_new();
    struct envl_provider_request request = request_of(&f);
    struct envl_provider *provider = provider_of(&request);
    pthread_t threads[8];

    (void)state;
    install_module(&f, "good", 0755);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, check, provider),
                         0);
    for (size_t i = 0; i < 8; i++) {
        void *answer = NULL;

        assert_int_equal(pthread_join(threads[i], &answer), 0);
        assert_ptr_equal(answer, provider);
    }
    envl_provider_free(provider); /* ASan: made twice would leak */
    fixture_free(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_opens_by_a_module),
        cmocka_unit_test(nothing_is_loaded_before_it_is_used),
        cmocka_unit_test(a_type_that_yields_bytes_does_not_wrap),
        cmocka_unit_test(modules_that_are_none_are_refused),
        cmocka_unit_test(places_that_others_can_write_are_refused),
        cmocka_unit_test(settings_that_are_wrong_are_told),
        cmocka_unit_test(requests_that_are_wrong_are_refused_at_once),
        cmocka_unit_test(a_provider_serves_the_entry_of_its_name_alone),
        cmocka_unit_test(threads_make_it_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
