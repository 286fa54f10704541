/*
 * Tokens: a real one (SoftHSM), and between it and us a shim that loses
 * sessions, breaks, and counts logins.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>

#include <envelope/provider_module.h>

#include "../modules/p11_shim.h"
#include "keyring_fixture.h"

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

/* TEST DATA */
#define PIN "648219"

static struct {
    struct fixture files;
    char folder[256]; /* of the build: modules lie there */
    char module[320]; /* the shim */
    char pin[192];
    struct p11_shim *shim;
    struct envl_error err;
} rig;

static int
command(const char *const *argv)
{
    pid_t pid = fork();
    int state = -1;

    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);

        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    waitpid(pid, &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

#define COMMAND(...) command((const char *const[]){ __VA_ARGS__, NULL })

static void
make_key(const char *label, const char *type, const char *more)
{
    assert_int_equal(COMMAND("pkcs11-tool", "--module", SOFTHSM,
                             "--token-label", "envl-test", "--login", "--pin",
                             PIN, "--keygen", "--key-type", type, "--label",
                             label, "--usage-wrap", more), 0);
}

/* Where this program was built. */
static void
find_build(void)
{
    ssize_t len = readlink("/proc/self/exe", rig.folder,
                           sizeof(rig.folder) - 1);

    assert_true(len > 0);
    rig.folder[len] = '\0';
    for (int i = 0; i < 3; i++)
        *strrchr(rig.folder, '/') = '\0';
    snprintf(rig.module, sizeof(rig.module), "%s/tests/modules/p11_shim.so",
             rig.folder);
}

static int
start(void **state)
{
    char path[192], text[320];
    void *library;

    (void)state;
    rig.files = fixture_new();
    snprintf(path, sizeof(path), "%s/tokens", rig.files.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(text, sizeof(text), "directories.tokendir = %s\n"
             "objectstore.backend = file\nlog.level = ERROR\n", path);
    snprintf(path, sizeof(path), "%s/softhsm2.conf", rig.files.dir);
    write_file(path, envl_bytes_of(text), 0600);
    assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
    assert_int_equal(setenv("ENVL_TEST_P11", SOFTHSM, 1), 0);
    assert_int_equal(COMMAND("softhsm2-util", "--init-token", "--free",
                             "--label", "envl-test", "--so-pin", "12345678",
                             "--pin", PIN), 0);
    make_key("kek", "AES:32", "--sensitive");
    make_key("other", "AES:32", "--sensitive");
    make_key("twin", "AES:32", "--sensitive");
    make_key("twin", "AES:32", "--sensitive");
    make_key("short", "AES:16", "--sensitive");
    make_key("loose", "AES:32", "--extractable");
    snprintf(rig.pin, sizeof(rig.pin), "%s/pin", rig.files.dir);
    write_file(rig.pin, envl_bytes_of(PIN "\n"), 0600);
    find_build();
    library = dlopen(rig.module, RTLD_NOW);
    assert_non_null(library);
    rig.shim = dlsym(library, "p11_shim");
    assert_non_null(rig.shim);
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    fixture_free(&rig.files);
    return 0;
}

static int
reset(void **state)
{
    (void)state;
    rig.shim->logins = 0;
    rig.shim->lose = 0;
    rig.shim->flags = 0;
    rig.shim->broken = CKR_OK;
    rig.shim->no_objects = 0;
    write_file(rig.pin, envl_bytes_of(PIN "\n"), 0600);
    return 0;
}

static struct envl_provider *
make(const char *settings, envl_ask_fn *ask, enum envl_status *checked)
{
    const struct envl_provider_request request = {
        .size = sizeof(request), .name = "hsm", .type = "pkcs11",
        .settings = settings, .folder = rig.folder, .ask = ask
    };
    struct envl_provider *provider = NULL;
    enum envl_status status;

    assert_int_equal(envl_provider_new(&request, &provider, NULL), ENVL_OK);
    status = envl_provider_check(provider, &rig.err);
    if (checked != NULL)
        *checked = status;
    else if (status != ENVL_OK)
        fail_msg("%s", rig.err.message);
    return provider;
}

/* The key called ${label}, with the PIN of the file. */
static struct envl_provider *
key(const char *label)
{
    char text[768];

    snprintf(text, sizeof(text), "{\"uri\": \"pkcs11:token=envl-test;"
             "object=%s\", \"module\": \"%s\", \"pin_file\": \"%s\"}", label,
             rig.module, rig.pin);
    return make(text, NULL, NULL);
}

/* A value key of one repeated byte. */
static void
fill(uint8_t out[32], uint8_t with)
{
    memset(out, with, 32);
}

static enum envl_status
wrap_one(struct envl_provider *provider, uint8_t with, struct envl_buf *blob)
{
    uint8_t bytes[32];
    size_t len = 0;
    enum envl_status status;

    fill(bytes, with);
    envl_buf_clear(blob);
    status = provider->ops->wrap(provider, (struct envl_bytes){ bytes, 32 },
                                 1, blob, &len, &rig.err);
    if (status == ENVL_OK) {
        assert_int_equal(len, 40);
        assert_int_equal(blob->len, 40);
    }
    return status;
}

/* The call's status, or that of the one blob. */
static enum envl_status
unwrap_one(struct envl_provider *provider, struct envl_bytes blob,
           uint8_t out[32])
{
    enum envl_status found = ENVL_E_INTERNAL;
    enum envl_status status = provider->ops->unwrap(
        provider, &blob, 1, (struct envl_span){ out, 32 }, &found, &rig.err);

    return status != ENVL_OK ? status : found;
}

static void
assert_works(struct envl_provider *provider)
{
    struct envl_buf blob = ENVL_BUF_INIT;
    uint8_t back[32], bytes[32];

    if (wrap_one(provider, 7, &blob) != ENVL_OK ||
        unwrap_one(provider, envl_buf_view(&blob), back) != ENVL_OK)
        fail_msg("%s", rig.err.message);
    fill(bytes, 7);
    assert_memory_equal(back, bytes, 32);
    envl_buf_free(&blob);
}

static void
assert_refused(struct envl_provider *provider, enum envl_status status,
               const char *part)
{
    struct envl_buf blob = ENVL_BUF_INIT;

    assert_int_equal(wrap_one(provider, 7, &blob), status);
    if (strstr(rig.err.message, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, rig.err.message);
    assert_null(strstr(rig.err.message, PIN));
    assert_null(strstr(rig.err.hint, PIN));
    envl_buf_free(&blob);
}

/* ---- wrapping: spec KEY-120, KEY-124 ------------------------------------ */

static void
many_keys_are_wrapped_with_one_login(void **state)
{
    struct envl_provider *provider = key("kek");
    struct envl_buf blobs = ENVL_BUF_INIT;
    uint8_t keys[50][32], back[50][32];
    struct envl_bytes each[50];
    enum envl_status statuses[50];
    size_t lens[50];

    (void)state;
    for (uint8_t i = 0; i < 50; i++)
        fill(keys[i], i);
    assert_int_equal(provider->ops->wrap(
                         provider, (struct envl_bytes){ keys[0], 50 * 32 },
                         50, &blobs, lens, &rig.err), ENVL_OK);
    assert_int_equal(blobs.len, 50 * 40);
    for (size_t i = 0; i < 50; i++)
        each[i] = (struct envl_bytes){ blobs.ptr + i * 40, lens[i] };
    each[17].len = 39;                     /* no blob of ours */
    blobs.ptr[23 * 40] ^= 1;               /* nor this, any more */
    assert_int_equal(provider->ops->unwrap(
                         provider, each, 50,
                         (struct envl_span){ back[0], 50 * 32 }, statuses,
                         &rig.err), ENVL_OK);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(statuses[i], i == 17 || i == 23 ? ENVL_E_AUTH
                                                         : ENVL_OK);
        if (statuses[i] == ENVL_OK)
            assert_memory_equal(back[i], keys[i], 32);
    }
    assert_int_equal(rig.shim->logins, 1);
    envl_buf_free(&blobs);
    envl_provider_free(provider);
}

static void
another_key_does_not_unwrap(void **state)
{
    struct envl_provider *kek = key("kek"), *other = key("other");
    struct envl_buf blob = ENVL_BUF_INIT;
    uint8_t back[32];

    (void)state;
    assert_int_equal(wrap_one(kek, 1, &blob), ENVL_OK);
    assert_int_equal(unwrap_one(other, envl_buf_view(&blob), back),
                     ENVL_E_AUTH);
    assert_int_equal(unwrap_one(kek, envl_buf_view(&blob), back), ENVL_OK);
    envl_buf_free(&blob);
    envl_provider_free(kek);
    envl_provider_free(other);
}

static void
a_token_in_trouble_says_nothing_of_a_blob(void **state)
{
    struct envl_provider *provider = key("kek");
    struct envl_buf blob = ENVL_BUF_INIT;
    uint8_t back[32];

    (void)state;
    assert_int_equal(wrap_one(provider, 1, &blob), ENVL_OK);
    rig.shim->broken = CKR_GENERAL_ERROR;
    assert_int_equal(unwrap_one(provider, envl_buf_view(&blob), back),
                     ENVL_E_PROVIDER);
    rig.shim->broken = CKR_FUNCTION_FAILED;
    assert_int_equal(unwrap_one(provider, envl_buf_view(&blob), back),
                     ENVL_E_PROVIDER);
    rig.shim->broken = CKR_OK;
    assert_int_equal(unwrap_one(provider, envl_buf_view(&blob), back),
                     ENVL_OK);
    /* One that takes no keys from outside, and has no other way. */
    rig.shim->no_objects = 1;
    assert_refused(provider, ENVL_E_PROVIDER, "fails");
    envl_buf_free(&blob);
    envl_provider_free(provider);
}

/* ---- sessions: spec KEY-123 --------------------------------------------- */

static void
a_lost_session_is_opened_again_once(void **state)
{
    struct envl_provider *provider = key("kek");
    struct envl_buf blob = ENVL_BUF_INIT;
    uint8_t back[32];

    (void)state;
    assert_int_equal(wrap_one(provider, 1, &blob), ENVL_OK);
    rig.shim->lose = 1;
    assert_int_equal(unwrap_one(provider, envl_buf_view(&blob), back),
                     ENVL_OK);
    assert_int_equal(rig.shim->logins, 2);
    rig.shim->lose = 2;
    assert_int_equal(unwrap_one(provider, envl_buf_view(&blob), back),
                     ENVL_E_PROVIDER);
    assert_int_equal(rig.shim->lose, 0);
    assert_works(provider);
    envl_buf_free(&blob);
    envl_provider_free(provider);
}

static void *
work(void *cookie)
{
    struct envl_provider *provider = cookie;
    struct envl_buf blob = ENVL_BUF_INIT;
    uint8_t bytes[32], back[32];
    struct envl_bytes view;
    enum envl_status found;
    uintptr_t wrong = 0;
    size_t len;

    fill(bytes, 9);
    for (int i = 0; i < 20; i++) {
        envl_buf_clear(&blob);
        if (provider->ops->wrap(provider, (struct envl_bytes){ bytes, 32 }, 1,
                                &blob, &len, NULL) != ENVL_OK)
            wrong++;
        view = envl_buf_view(&blob);
        if (provider->ops->unwrap(provider, &view, 1,
                                  (struct envl_span){ back, 32 }, &found,
                                  NULL) != ENVL_OK || found != ENVL_OK ||
            memcmp(back, bytes, 32) != 0)
            wrong++;
    }
    envl_buf_free(&blob);
    return (void *)wrong;
}

static void
threads_have_sessions_of_their_own(void **state)
{
    struct envl_provider *provider = key("kek");
    pthread_t threads[4];
    void *wrong;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, provider),
                         0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(rig.shim->logins, 1);
    envl_provider_free(provider);
}

/* ---- the PIN: spec KEY-122 ---------------------------------------------- */

static void
a_wrong_pin_is_tried_once(void **state)
{
    struct envl_provider *provider = key("kek");

    (void)state;
    write_file(rig.pin, envl_bytes_of("000000"), 0600);
    assert_refused(provider, ENVL_E_PROVIDER, "refuses the PIN");
    assert_int_equal(rig.shim->logins, 1);
    assert_refused(provider, ENVL_E_PROVIDER, "not tried again");
    write_file(rig.pin, envl_bytes_of(PIN), 0600);
    assert_refused(provider, ENVL_E_PROVIDER, "not tried again");
    assert_int_equal(rig.shim->logins, 1);
    envl_provider_free(provider);
    provider = key("kek"); /* started anew */
    assert_works(provider);
    envl_provider_free(provider);
}

static void
the_last_try_is_left_to_people(void **state)
{
    struct envl_provider *provider = key("kek");

    (void)state;
    rig.shim->flags = CKF_USER_PIN_FINAL_TRY;
    assert_refused(provider, ENVL_E_PROVIDER, "one try left");
    rig.shim->flags = CKF_USER_PIN_LOCKED;
    assert_refused(provider, ENVL_E_PROVIDER, "locked");
    assert_int_equal(rig.shim->logins, 0);
    rig.shim->flags = CKF_USER_PIN_COUNT_LOW;
    assert_works(provider);
    envl_provider_free(provider);
}

static unsigned asked;

static enum envl_status
answer(void *cookie, const char *question, struct envl_secret **out,
       struct envl_error *err)
{
    (void)cookie;
    (void)err;
    assert_non_null(strstr(question, "PIN"));
    asked++;
    *out = secret_of(PIN);
    return ENVL_OK;
}

static void
a_person_is_asked_once(void **state)
{
    char text[768];
    struct envl_provider *provider;

    (void)state;
    snprintf(text, sizeof(text), "{\"uri\": \"pkcs11:token=envl-test;"
             "object=kek\", \"module\": \"%s\"}", rig.module);
    provider = make(text, answer, NULL);
    assert_works(provider);
    rig.shim->lose = 1;
    assert_works(provider);
    assert_int_equal(asked, 1);
    envl_provider_free(provider);
    provider = make(text, NULL, NULL);
    assert_refused(provider, ENVL_E_PROVIDER, "nobody to ask");
    envl_provider_free(provider);
}

static void
a_pin_file_is_private(void **state)
{
    struct envl_provider *provider = key("kek");

    (void)state;
    assert_int_equal(chmod(rig.pin, 0640), 0);
    assert_refused(provider, ENVL_E_POLICY, "PIN file");
    assert_int_equal(unlink(rig.pin), 0);
    assert_refused(provider, ENVL_E_PROVIDER, "no PIN file");
    write_file(rig.pin, envl_bytes_of(""), 0600);
    assert_refused(provider, ENVL_E_PROVIDER, "empty");
    assert_int_equal(rig.shim->logins, 0);
    write_file(rig.pin, envl_bytes_of(PIN), 0600);
    assert_works(provider);
    envl_provider_free(provider);
}

/* ---- which key: spec KEY-121 -------------------------------------------- */

static void
only_a_key_that_stays_on_the_token_will_do(void **state)
{
    static const struct {
        const char *label;
        enum envl_status status;
        const char *part;
    } rows[] = {
        { "none", ENVL_E_PROVIDER, "no key" },
        { "twin", ENVL_E_PROVIDER, "more than one key" },
        { "short", ENVL_E_POLICY, "256 bits" },
        { "loose", ENVL_E_POLICY, "could leave" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct envl_provider *provider = key(rows[i].label);

        assert_refused(provider, rows[i].status, rows[i].part);
        envl_provider_free(provider);
    }
}

static void
tokens_and_modules_that_are_not_there_are_told(void **state)
{
    struct envl_provider *provider;
    char text[768];

    (void)state;
    snprintf(text, sizeof(text), "{\"uri\": \"pkcs11:token=none;object=kek\","
             " \"module\": \"%s\", \"pin_file\": \"%s\"}", rig.module,
             rig.pin);
    provider = make(text, NULL, NULL);
    assert_refused(provider, ENVL_E_PROVIDER, "no token");
    envl_provider_free(provider);
    provider = make("{\"uri\": \"pkcs11:token=a\", \"module\": "
                    "\"/usr/lib/none.so\"}", NULL, NULL);
    assert_refused(provider, ENVL_E_PROVIDER, "no PKCS#11 module");
    envl_provider_free(provider);
    snprintf(text, sizeof(text), "{\"uri\": \"pkcs11:token=a\", \"module\": "
             "\"%s\"}", rig.files.key); /* a file, but no module */
    provider = make(text, NULL, NULL);
    assert_refused(provider, ENVL_E_PROVIDER, "does not start");
    envl_provider_free(provider);
    /* A module is code: it must not be others' to write. */
    assert_int_equal(chmod(rig.files.key, 0620), 0);
    provider = make(text, NULL, NULL);
    assert_refused(provider, ENVL_E_POLICY, "written by others");
    envl_provider_free(provider);
    assert_int_equal(chmod(rig.files.key, 0600), 0);
}

static void
settings_are_read_strictly(void **state)
{
    static const char *const wrong[] = {
        "{}", "[]", "{\"uri\": 1}", "{\"uri\": \"token=a\"}",
        "{\"uri\": \"pkcs11:tokens=a;a\"}", "{\"uri\": \"\"}",
        "{\"uri\": \"pkcs11:token=a?pin-value=1234\"}",
        "{\"uri\": \"pkcs11:token=a\", \"pin\": \"1234\"}",
        "{\"uri\": \"pkcs11:token=a\", \"login\": \"no\"}",
        "{\"uri\": \"pkcs11:token=a\", \"uri\": \"pkcs11:token=b\"}",
    };
    enum envl_status status;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        envl_provider_free(make(wrong[i], NULL, &status));
        if (status != ENVL_E_USAGE)
            fail_msg("taken: %s", wrong[i]);
        assert_null(strstr(rig.err.message, "1234"));
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup(name, reset)
    const struct CMUnitTest tests[] = {
        T(many_keys_are_wrapped_with_one_login),
        T(another_key_does_not_unwrap),
        T(a_token_in_trouble_says_nothing_of_a_blob),
        T(a_lost_session_is_opened_again_once),
        T(threads_have_sessions_of_their_own),
        T(a_wrong_pin_is_tried_once),
        T(the_last_try_is_left_to_people),
        T(a_person_is_asked_once),
        T(a_pin_file_is_private),
        T(only_a_key_that_stays_on_the_token_will_do),
        T(tokens_and_modules_that_are_not_there_are_told),
        T(settings_are_read_strictly),
    };

    if (access(SOFTHSM, R_OK) != 0 ||
        COMMAND("pkcs11-tool", "--help") == 127) {
        puts("skip: tokens: no softhsm2 or no opensc");
        return 0;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
