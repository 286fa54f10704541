/* A provider that asks a command for the 32 secret bytes. */
#include <envelope/provider_module.h>

#include "keyring_fixture.h"

/* TEST DATA: the secret as a command may write it. */
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define URL "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

struct rig {
    struct fixture files;
    char command[192];
    struct envl_provider *provider;
    struct envl_error err;
};

static int
set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    rig->files = fixture_new();
    snprintf(rig->command, sizeof(rig->command), "%s/command",
             rig->files.dir);
    *state = rig;
    return 0;
}

static int
tear_down(void **state)
{
    struct rig *rig = *state;

    envl_provider_free(rig->provider);
    fixture_free(&rig->files);
    free(rig);
    return 0;
}

static enum envl_status
make(struct rig *rig, const char *settings)
{
    const struct envl_provider_request request = {
        .size = sizeof(request), .name = "fetch", .type = "exec",
        .settings = settings
    };

    envl_provider_free(rig->provider);
    rig->provider = NULL;
    assert_int_equal(envl_provider_new(&request, &rig->provider, NULL),
                     ENVL_OK);
    return envl_provider_check(rig->provider, &rig->err);
}

static void
make_script(struct rig *rig, const char *body, const char *more)
{
    char text[640];

    snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
    write_file(rig->command, envl_bytes_of(text), 0700);
    snprintf(text, sizeof(text), "{\"command\": [\"%s\", \"an arg\"]%s}",
             rig->command, more);
    if (make(rig, text) != ENVL_OK)
        fail_msg("%s", rig->err.message);
}

/* Make a ring with it, or say why not. */
static enum envl_status
create(struct rig *rig)
{
    struct envl_key_spec spec = { .kid = "k1" };

    (void)unlink(rig->files.ring);
    return envl_keyring_create(rig->files.ring, rig->provider, "fetch",
                               &spec, &rig->err);
}

static enum envl_status
open_ring(struct rig *rig)
{
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = rig->files.ring,
        .providers = &rig->provider, .provider_count = 1, .fixed = true
    };
    struct envl_keyring *ring = NULL;
    enum envl_status status = envl_keyring_open(&options, &ring, &rig->err);

    envl_keyring_free(ring);
    return status;
}

/* spec: KEY-108 */
static void
each_way_to_write_the_secret_is_the_same_secret(void **state)
{
    static const char *const ways[] = {
        "echo " HEX, "printf %s " HEX, "echo " URL, "echo " URL "=",
        "printf '\\000\\001\\002\\003\\004\\005\\006\\007\\010\\011\\012"
        "\\013\\014\\015\\016\\017\\020\\021\\022\\023\\024\\025\\026\\027"
        "\\030\\031\\032\\033\\034\\035\\036\\037'"
    };
    struct rig *rig = *state;

    make_script(rig, ways[0], "");
    assert_int_equal(create(rig), ENVL_OK);
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        make_script(rig, ways[i], "");
        if (open_ring(rig) != ENVL_OK)
            fail_msg("way %zu: %s", i, rig->err.message);
    }
    make_script(rig, "echo 1" HEX, "");
    assert_int_equal(open_ring(rig), ENVL_E_PROVIDER);
    make_script(rig, "echo " HEX " | tr 0 1", "");
    assert_int_equal(open_ring(rig), ENVL_E_AUTH);
    assert_non_null(strstr(rig->err.message, "fetch"));
}

static void
what_is_no_key_is_refused_and_not_shown(void **state)
{
    static const char *const answers[] = {
        ":", "echo canary", "echo " HEX "; echo", "echo ' " HEX "'",
        "printf '%63s' x", "echo " HEX HEX, "printf '%33s' canary",
        "echo " URL "==", "echo " URL "A"
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        make_script(rig, answers[i], "");
        assert_int_equal(create(rig), ENVL_E_PROVIDER);
        assert_null(strstr(rig->err.message, "canary"));
        assert_int_not_equal(access(rig->files.ring, F_OK), 0);
    }
}

/* spec: KEY-100: the entry's name is the provider's, and no other */
static void
it_serves_its_own_entry_alone(void **state)
{
    struct rig *rig = *state;
    const struct envl_provider_request other = {
        .size = sizeof(other), .name = "other", .type = "exec",
        .settings = "{\"command\": [\"/bin/false\"]}"
    };

    make_script(rig, "echo " HEX, "");
    assert_int_equal(create(rig), ENVL_OK);
    envl_provider_free(rig->provider);
    assert_int_equal(envl_provider_new(&other, &rig->provider, NULL),
                     ENVL_OK);
    assert_int_equal(open_ring(rig), ENVL_E_AUTH);
    assert_non_null(strstr(rig->err.message, "nothing that was given"));
}

static void
arguments_and_listed_variables_reach_it(void **state)
{
    struct rig *rig = *state;
    const char *body = "[ \"$1\" = 'an arg' ] && [ \"$A_LISTED\" = yes ] && "
                       "[ -z \"$A_CANARY\" ] && echo " HEX;

    assert_int_equal(setenv("A_LISTED", "yes", 1), 0);
    assert_int_equal(setenv("A_CANARY", "yes", 1), 0);
    make_script(rig, body, ", \"environment\": [\"A_LISTED\", \"A_NONE\"]");
    assert_int_equal(create(rig), ENVL_OK);
    make_script(rig, body, ""); /* not listed: not there */
    assert_int_equal(open_ring(rig), ENVL_E_PROVIDER);
    make_script(rig, body, ", \"environment\": [\"A_LISTED\", "
                           "\"A_CANARY\"]");
    assert_int_equal(open_ring(rig), ENVL_E_PROVIDER);
}

static void
a_command_that_is_not_safe_opens_nothing(void **state)
{
    struct rig *rig = *state;

    make_script(rig, "echo " HEX, "");
    assert_int_equal(create(rig), ENVL_OK);
    assert_int_equal(chmod(rig->command, 0722), 0);
    assert_int_equal(open_ring(rig), ENVL_E_POLICY);
    assert_int_equal(chmod(rig->command, 0700), 0);
    assert_int_equal(open_ring(rig), ENVL_OK);
    assert_int_equal(unlink(rig->command), 0);
    assert_int_equal(open_ring(rig), ENVL_E_PROVIDER);
    assert_non_null(strstr(rig->err.message, "fetch"));
}

static void
a_pin_is_compared(void **state)
{
    struct rig *rig = *state;

    make_script(rig, "echo " HEX, ", \"sha256\": \"" HEX "\"");
    assert_int_equal(create(rig), ENVL_E_POLICY);
    assert_non_null(strstr(rig->err.message, "pinned"));
}

static void
it_has_so_much_time(void **state)
{
    struct rig *rig = *state;

    make_script(rig, "exec sleep 600", ", \"timeout_ms\": 200");
    assert_int_equal(create(rig), ENVL_E_PROVIDER);
    assert_non_null(strstr(rig->err.message, "200 ms"));
}

/* spec: KEY-100, KEY-103 */
static void
settings_are_read_strictly(void **state)
{
    static const char *const wrong[] = {
        "", "[]", "{}", "{\"command\": \"/bin/true\"}", "{\"command\": []}",
        "{\"command\": [1]}", "{\"command\": [\"true\"]}",
        "{\"command\": [\"bin/true\"]}",
        "{\"command\": [\"/bin/true\"], \"shell\": true}",
        "{\"command\": [\"/bin/true\"], \"command\": [\"/bin/true\"]}",
        "{\"command\": [\"/bin/true\"], \"environment\": \"HOME\"}",
        "{\"command\": [\"/bin/true\"], \"environment\": [\"A=1\"]}",
        "{\"command\": [\"/bin/true\"], \"environment\": [\"\"]}",
        "{\"command\": [\"/bin/true\"], \"environment\": [\"LD_PRELOAD\"]}",
        "{\"command\": [\"/bin/true\"], \"environment\": [\"BASH_ENV\"]}",
        "{\"command\": [\"/bin/true\"], \"sha256\": \"00\"}",
        "{\"command\": [\"/bin/true\"], \"sha256\": \"" HEX "00\"}",
        "{\"command\": [\"/bin/true\"], \"timeout_ms\": 99}",
        "{\"command\": [\"/bin/true\"], \"timeout_ms\": \"100\"}",
        "{\"command\": [\"/bin/true\"], \"timeout_ms\": 300001}",
        "{\"command\": [\"/bin/tr\\u0000ue\"]}",
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (make(rig, wrong[i]) != ENVL_E_USAGE)
            fail_msg("taken: %s", wrong[i]);
    assert_int_equal(make(rig, "{\"command\": [\"/bin/true\"], "
                               "\"timeout_ms\": 100, \"environment\": "
                               "[\"HOME\"], \"sha256\": \"" HEX "\"}"),
                     ENVL_OK);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(each_way_to_write_the_secret_is_the_same_secret),
        T(what_is_no_key_is_refused_and_not_shown),
        T(it_serves_its_own_entry_alone),
        T(arguments_and_listed_variables_reach_it),
        T(a_command_that_is_not_safe_opens_nothing),
        T(a_pin_is_compared),
        T(it_has_so_much_time),
        T(settings_are_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
