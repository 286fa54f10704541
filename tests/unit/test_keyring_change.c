/* Changes of a ring: what each does to the file, and what is refused. */
#include "keyring/ring.h"
#include "keyring_fixture.h"

static void
must(enum envl_status status, const struct envl_error *err)
{
    if (status != ENVL_OK)
        fail_msg("%s: %s", envl_status_name(status), err->message);
}

static void
add(struct envl_keyring *ring, const char *kid, const char *scope,
    bool activate)
{
    struct envl_key_spec spec = { .kid = kid, .scope = scope,
                                  .activate = activate };
    struct envl_error err;

    must(envl_keyring_add(ring, &spec, &err), &err);
}

static enum envl_key_state
state_of(struct envl_keyring *ring, const char *kid)
{
    struct envl_key_info info;

    assert_int_equal(envl_keyring_find(ring, kid, &info, NULL), ENVL_OK);
    return info.state;
}

static uint64_t
generation(struct envl_keyring *ring)
{
    struct envl_ring_mark mark;

    envl_keyring_mark(ring, &mark);
    return mark.generation;
}

static void
create_makes_a_ring_with_one_active_key(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_key_info *list;
    struct envl_unlock_info *unlocks;
    size_t count;
    struct stat st;

    (void)state;
    assert_int_equal(generation(ring), 1);
    assert_int_equal(envl_keyring_list(ring, &list, &count, NULL), ENVL_OK);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].kid, "k1");
    assert_string_equal(list[0].scope, "default");
    assert_int_equal(list[0].use, ENVL_USE_SEAL);
    assert_int_equal(list[0].state, ENVL_KEY_ACTIVE);
    assert_string_equal(list[0].created, list[0].activated);
    assert_string_equal(list[0].expires, "");
    free(list);
    assert_int_equal(envl_keyring_unlocks(ring, &unlocks, &count, NULL),
                     ENVL_OK);
    assert_int_equal(count, 1);
    assert_string_equal(unlocks[0].name, "main");
    assert_string_equal(unlocks[0].type, "keyfile");
    free(unlocks);
    assert_int_equal(stat(f.ring, &st), 0); /* spec: KEY-9 */
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(count_files(f.dir), 2); /* nothing is left beside it */
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
create_overwrites_nothing(void **state)
{
    struct fixture f = fixture_with_ring();
    char before[8192], after[8192];

    (void)state;
    read_whole(f.ring, before, sizeof(before));
    assert_int_equal(envl_keyring_create(f.ring, f.provider, "main", NULL,
                                         NULL), ENVL_E_POLICY);
    read_whole(f.ring, after, sizeof(after));
    assert_string_equal(before, after);
    assert_int_equal(envl_keyfile_create(f.key, NULL), ENVL_E_POLICY);
    fixture_free(&f);
}

static void
every_change_raises_the_generation_by_one(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f), *again;

    (void)state;
    add(ring, "k2", NULL, false);
    assert_int_equal(generation(ring), 2);
    assert_int_equal(envl_keyring_set_state(ring, "k2", ENVL_KEY_ACTIVE,
                                            NULL), ENVL_OK);
    assert_int_equal(generation(ring), 3);
    again = must_open(&f);
    assert_int_equal(generation(again), 3);
    assert_int_equal(count_files(f.dir), 2);
    envl_keyring_free(again);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
activating_retires_the_former_key_of_its_use_and_scope(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_key_info info;

    (void)state;
    add(ring, "t1", "tenant-a", true);
    assert_int_equal(state_of(ring, "k1"), ENVL_KEY_ACTIVE);
    add(ring, "k2", NULL, false);
    assert_int_equal(state_of(ring, "k2"), ENVL_KEY_PRE_ACTIVE);

    /* spec: KEY-36 */
    assert_int_equal(envl_keyring_set_state(ring, "k2", ENVL_KEY_ACTIVE,
                                            NULL), ENVL_OK);
    assert_int_equal(state_of(ring, "k1"), ENVL_KEY_DECRYPT_ONLY);
    assert_int_equal(state_of(ring, "t1"), ENVL_KEY_ACTIVE);
    assert_int_equal(envl_keyring_active(ring, ENVL_USE_SEAL, NULL, &info,
                                         NULL), ENVL_OK);
    assert_string_equal(info.kid, "k2");
    assert_string_not_equal(info.activated, "");
    add(ring, "k3", NULL, true);
    assert_int_equal(state_of(ring, "k2"), ENVL_KEY_DECRYPT_ONLY);
    envl_keyring_free(ring);
    fixture_free(&f);
}

/* spec: KEY-41, the whole table: rows from, columns to */
static void
moves_between_states_are_those_of_the_spec(void **state)
{
    static const char moves[5][6] = {
        /*            pre act dec dis (destroyed: tested below) */
        /* pre-active   */ "-y-y-",
        /* active       */ "--y--",
        /* decrypt-only */ "-y-y-",
        /* disabled     */ "--y--",
        /* destroyed    */ "-----",
    };
    static const char destroy[] = "---y-";

    (void)state;
    for (int from = 0; from < 5; from++) {
        for (int to = 0; to < 5; to++) {
            struct fixture f = fixture_with_ring();
            struct envl_keyring *ring = must_open(&f);
            uint64_t before;
            enum envl_status status;
            bool allowed;

            add(ring, "k", NULL, from == ENVL_KEY_ACTIVE);
            if (from == ENVL_KEY_DISABLED || from == ENVL_KEY_DECRYPT_ONLY ||
                from == ENVL_KEY_DESTROYED)
                (void)!envl_keyring_set_state(ring, "k", ENVL_KEY_DISABLED,
                                              NULL);
            if (from == ENVL_KEY_DECRYPT_ONLY)
                (void)!envl_keyring_set_state(ring, "k",
                                              ENVL_KEY_DECRYPT_ONLY, NULL);
            if (from == ENVL_KEY_DESTROYED)
                assert_int_equal(envl_keyring_destroy(ring, "k", false,
                                                      NULL), ENVL_OK);
            assert_int_equal(state_of(ring, "k"), from);
            before = generation(ring);

            if (to == ENVL_KEY_DESTROYED) {
                allowed = destroy[from] == 'y';
                status = envl_keyring_destroy(ring, "k", false, NULL);
            } else {
                allowed = moves[from][to] == 'y';
                status = envl_keyring_set_state(ring, "k",
                                                (enum envl_key_state)to,
                                                NULL);
            }
            if (status != (allowed ? ENVL_OK : ENVL_E_POLICY))
                fail_msg("%s to %s: %s",
                         envl_key_state_name((enum envl_key_state)from),
                         envl_key_state_name((enum envl_key_state)to),
                         envl_status_name(status));
            assert_int_equal(state_of(ring, "k"), allowed ? to : from);
            assert_int_equal(generation(ring), before + allowed);
            envl_keyring_free(ring);
            fixture_free(&f);
        }
    }
}

static void
a_kid_is_never_used_again(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_key_spec spec = { .kid = "k2", .use = ENVL_USE_WRAP };

    (void)state;
    add(ring, "k2", NULL, false);
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_E_POLICY);
    destroy_key(ring, "k2");
    /* spec: KEY-38 */
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_E_POLICY);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
material_is_imported_once(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_secret *material =
        secret_of("0123456789abcdef0123456789abcdef");
    struct envl_key_spec spec = { .kid = "imported", .material = material };
    struct envl_key_spec other = { .kid = "other", .scope = "tenant-a",
                                   .use = ENVL_USE_WRAP,
                                   .material = material };
    struct keyring_hold hold;

    (void)state;
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_OK);
    hold = keyring_enter(ring);
    assert_memory_equal(keyring_key(hold.view, envl_bytes_of("imported"))
                            ->secret->bytes,
                        envl_secret_bytes(material).ptr, 32);
    keyring_leave(ring, hold);

    /* spec: KEY-39, also where the view holds no material any more */
    assert_int_equal(envl_keyring_add(ring, &other, NULL), ENVL_E_POLICY);
    assert_int_equal(envl_keyring_set_state(ring, "imported",
                                            ENVL_KEY_DISABLED, NULL),
                     ENVL_OK);
    assert_int_equal(envl_keyring_add(ring, &other, NULL), ENVL_E_POLICY);
    envl_secret_free(material);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
names_and_dates_no_ring_can_hold_are_usage_errors(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);
    struct envl_secret *small = secret_of("too short");
    const struct envl_key_spec rows[] = {
        { .kid = NULL },
        { .kid = "" },
        { .kid = "K2" },
        { .kid = "k_2" },
        { .kid = "k2", .scope = "Tenant" },
        { .kid = "k2", .scope = "" },
        { .kid = "k2", .expires = "2027-02-29T00:00:00Z" },
        { .kid = "k2", .expires = "2027-01-01" },
        { .kid = "k2", .material = small },
        { .kid = "k2", .use = (enum envl_key_use)9 },
        { .kid = "k2", .provider = "hsm" }, /* KEY-32: use seal */
        { .kid = "k2", .use = ENVL_USE_WRAP, .provider = "H" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(envl_keyring_add(ring, &rows[i], NULL),
                         ENVL_E_USAGE);
    assert_int_equal(generation(ring), 1);
    envl_secret_free(small);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
a_providers_key_is_kept_without_material(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f), *again;
    struct envl_key_spec spec = { .kid = "hsm-1", .use = ENVL_USE_WRAP,
                                  .provider = "hsm", .activate = true,
                                  .expires = "2030-01-01T00:00:00Z" };
    struct envl_key_info info;
    struct keyring_hold hold;

    (void)state;
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_OK);
    again = must_open(&f);
    assert_int_equal(envl_keyring_find(again, "hsm-1", &info, NULL),
                     ENVL_OK);
    assert_string_equal(info.provider, "hsm");
    assert_string_equal(info.expires, "2030-01-01T00:00:00Z");
    hold = keyring_enter(again);
    assert_null(keyring_key(hold.view, envl_bytes_of("hsm-1"))->secret);
    assert_null(keyring_key(hold.view, envl_bytes_of("hsm-1"))->provider);
    keyring_leave(again, hold);
    envl_keyring_free(again);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
a_ring_changed_meanwhile_is_a_conflict(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *one = must_open(&f), *two = must_open(&f);
    struct envl_key_spec spec = { .kid = "k3" };
    struct envl_error err;
    char before[16384], after[16384];

    (void)state;
    add(one, "k2", NULL, false);
    read_whole(f.ring, before, sizeof(before));

    /* spec: KEY-9 */
    assert_int_equal(envl_keyring_add(two, &spec, &err), ENVL_E_CONFLICT);
    assert_non_null(strstr(err.message, "changed by another process"));
    read_whole(f.ring, after, sizeof(after));
    assert_string_equal(before, after);
    assert_int_equal(envl_keyring_reload(two, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_add(two, &spec, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_add(one, &spec, &err), ENVL_E_CONFLICT);
    envl_keyring_free(one);
    envl_keyring_free(two);
    fixture_free(&f);
}

static void
a_ring_in_memory_cannot_be_changed(void **state)
{
    struct envl_keyring *ring = NULL;
    struct envl_key_spec spec = { .kid = "k" };

    (void)state;
    assert_int_equal(keyring_from_keys(NULL, 0, &ring, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_add(ring, &spec, NULL), ENVL_E_USAGE);
    envl_keyring_free(ring);
}

static void
an_unknown_kid_cannot_be_moved(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring *ring = must_open(&f);

    (void)state;
    assert_int_equal(envl_keyring_set_state(ring, "none", ENVL_KEY_ACTIVE,
                                            NULL), ENVL_E_NOKEY);
    assert_int_equal(envl_keyring_destroy(ring, "none", false, NULL),
                     ENVL_E_NOKEY);
    assert_int_equal(generation(ring), 1);
    envl_keyring_free(ring);
    fixture_free(&f);
}

static void
a_ring_is_written_in_one_way(void **state)
{
    struct fixture f = fixture_with_ring();
    char text[16384];
    const char *at;

    (void)state;
    read_whole(f.ring, text, sizeof(text));
    assert_memory_equal(text, "{\"keyring\":1,\"id\":\"", 19);
    assert_non_null(at = strstr(text, "\",\"generation\":1,\"unlock\":[{"
                                      "\"name\":\"main\",\"type\":"
                                      "\"keyfile\",\"wrapped\":\""));
    assert_non_null(at = strstr(at, "\"}],\"keys\":[{\"kid\":\"k1\","
                                    "\"use\":\"seal\",\"scope\":\"default\","
                                    "\"state\":\"active\",\"created\":\""));
    assert_non_null(at = strstr(at, "\",\"expires\":null,\"check\":\""));
    assert_non_null(at = strstr(at, "\"}]}\n{\"mac\":\""));
    assert_int_equal(strlen(at), 5 + 8 + 43 + 3);
    fixture_free(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_makes_a_ring_with_one_active_key),
        cmocka_unit_test(create_overwrites_nothing),
        cmocka_unit_test(every_change_raises_the_generation_by_one),
        cmocka_unit_test(
            activating_retires_the_former_key_of_its_use_and_scope),
        cmocka_unit_test(moves_between_states_are_those_of_the_spec),
        cmocka_unit_test(a_kid_is_never_used_again),
        cmocka_unit_test(material_is_imported_once),
        cmocka_unit_test(names_and_dates_no_ring_can_hold_are_usage_errors),
        cmocka_unit_test(a_providers_key_is_kept_without_material),
        cmocka_unit_test(a_ring_changed_meanwhile_is_a_conflict),
        cmocka_unit_test(a_ring_in_memory_cannot_be_changed),
        cmocka_unit_test(an_unknown_kid_cannot_be_moved),
        cmocka_unit_test(a_ring_is_written_in_one_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
