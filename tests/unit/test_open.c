#include "envelope_fixture.h"
#include "keyring_fixture.h"

static struct envl_keyring *ring;
static struct fake_provider fake;

/* ---- round trips --------------------------------------------------------- */

static void
what_was_sealed_opens_in_every_encoding_and_size(void **state)
{
    static const char *const kids[] = { "k-now", "kek-now", "hsm" };
    static uint8_t value[40000], room[80000];
    unsigned opened = 0;

    (void)state;
    memset(value, 'v', sizeof(value));
    for (size_t n = 0; n < 9; n++) {
        for (size_t len = 0; len < sizeof(value); len = len * 7 / 5 + 1) {
            struct envl_seal_options options = {
                .type = (enum envl_type)(n % 2),
                .encoding = (enum envl_encoding)(n / 3),
            };
            struct envl_buf sealed = seal_under(
                kids[n % 3], options, (struct envl_bytes){ value, len });
            struct envl_open_options any = { .size = sizeof(any),
                                             .scope = "*" };
            struct envl_opened into = { { room, sealed.len },
                                        ENVL_TYPE_BSON };
            struct envl_plain plain = ENVL_PLAIN_INIT;

            assert_int_equal(envl_open(ring, &any, &here,
                envl_buf_view(&sealed), &plain, NULL), ENVL_OK);
            assert_int_equal(plain.type, options.type);
            assert_string_equal(plain.kid, kids[n % 3]);
            assert_int_equal(plain.value.len, len);
            if (len > 0)
                assert_memory_equal(plain.value.ptr, value, len);

            room[sealed.len] = 0xee;
            assert_int_equal(envl_open_into(ring, &any, &here,
                envl_buf_view(&sealed), &into, NULL), ENVL_OK);
            assert_int_equal(into.value.len, len);
            assert_memory_equal(room, value, len);
            assert_int_equal(room[sealed.len], 0xee);
            opened++;
            envl_buf_free(&sealed);
            envl_plain_free(&plain);
        }
    }
    print_message("%u envelopes\n", opened);
}

static void
an_opened_value_is_used_again(void **state)
{
    struct envl_seal_options options = { .encoding = ENVL_ENCODING_BINARY };
    struct envl_buf a = seal_under("k-now", options, LITERAL("first secret"));
    struct envl_buf b = seal_under("k-old", options, LITERAL("2nd"));
    struct envl_plain plain = ENVL_PLAIN_INIT;
    uint8_t *memory;

    (void)state;
    assert_int_equal(envl_open(ring, NULL, &here, envl_buf_view(&a), &plain,
                               NULL), ENVL_OK);
    memory = plain.value.ptr;
    assert_int_equal(envl_open(ring, NULL, &here, envl_buf_view(&b), &plain,
                               NULL), ENVL_OK);
    assert_ptr_equal(plain.value.ptr, memory);
    assert_int_equal(plain.value.len, 3);
    assert_memory_equal(memory, "2nd\0\0\0\0\0\0\0\0\0", 12);
    assert_int_equal(envl_open(ring, NULL, &there, envl_buf_view(&b), &plain,
                               NULL), ENVL_E_AUTH);
    assert_int_equal(plain.value.len, 0);
    assert_memory_equal(memory, "\0\0\0", 3);
    envl_buf_free(&a);
    envl_buf_free(&b);
    envl_plain_free(&plain);
}

/* ---- the order of checks ------------------------------------------------- */

static const struct envl_pair twice[] = { PAIR("a", "1"), PAIR("a", "1") };
static const struct envl_context bad_context = { twice, 2 };

/* spec: ENV-8.1.  Each envelope has many faults; the first one is named. */
struct faults {
    const char *name;
    bool bad_context, other_context, bad_options, refuse_mode;
    const char *kid, *scope;
    int version;     /* 0: no beginning at all           */
    bool cut;        /* a payload of an impossible length */
    bool wrapped_41; /* a local wrapped key of 41 bytes   */
    bool bad_wrap, bad_tag;
    enum envl_status want;
};

static const struct faults order_cases[] = {
    { "usage_comes_first", .bad_context = true, .kid = "none",
      .want = ENVL_E_USAGE },
    { "bad_options_are_usage", .bad_options = true, .want = ENVL_E_USAGE },
    { "notenv_before_all_others", .other_context = true, .refuse_mode = true,
      .kid = "none", .cut = true, .want = ENVL_E_NOTENV },
    { "version_before_format", .version = 2, .kid = "none", .cut = true,
      .want = ENVL_E_VERSION },
    { "format_before_nokey", .version = 1, .kid = "none", .cut = true,
      .refuse_mode = true, .want = ENVL_E_FORMAT },
    { "nokey_before_the_wrapped_length", .version = 1, .kid = "none",
      .wrapped_41 = true, .refuse_mode = true, .want = ENVL_E_NOKEY },
    { "disabled_is_nokey", .version = 1, .kid = "k-off", .bad_tag = true,
      .want = ENVL_E_NOKEY },
    { "destroyed_is_nokey", .version = 1, .kid = "k-gone",
      .want = ENVL_E_NOKEY },
    { "another_scope_is_nokey", .version = 1, .kid = "t-now",
      .refuse_mode = true, .want = ENVL_E_NOKEY },
    { "its_scope_opens", .version = 1, .kid = "t-now", .scope = "tenant",
      .want = ENVL_OK },
    { "any_scope_opens", .version = 1, .kid = "t-now", .scope = "*",
      .want = ENVL_OK },
    { "an_index_key_is_nokey", .version = 1, .kid = "idx",
      .want = ENVL_E_NOKEY },
    { "a_wrapping_key_does_not_open_derived", .version = 1, .kid = "kek-old",
      .want = ENVL_E_NOKEY },
    { "the_wrapped_length_before_policy", .version = 1, .kid = "kek-now",
      .wrapped_41 = true, .refuse_mode = true, .want = ENVL_E_FORMAT },
    { "policy_before_auth", .version = 1, .kid = "k-now",
      .other_context = true, .refuse_mode = true, .bad_tag = true,
      .want = ENVL_E_POLICY },
    { "policy_before_the_provider", .version = 1, .kid = "lost",
      .scope = "lost", .refuse_mode = true, .want = ENVL_E_POLICY },
    { "the_provider_before_auth", .version = 1, .kid = "lost",
      .scope = "lost", .other_context = true, .bad_tag = true,
      .want = ENVL_E_PROVIDER },
    { "a_wrapped_key_that_was_changed_is_auth", .version = 1,
      .kid = "kek-now", .bad_wrap = true, .want = ENVL_E_AUTH },
    { "another_context_is_auth", .version = 1, .kid = "k-now",
      .other_context = true, .want = ENVL_E_AUTH },
    { "a_changed_tag_is_auth", .version = 1, .kid = "k-now", .bad_tag = true,
      .want = ENVL_E_AUTH },
    { "active_opens", .version = 1, .kid = "k-now", .want = ENVL_OK },
    { "decrypt_only_opens", .version = 1, .kid = "k-old", .want = ENVL_OK },
    { "pre_active_opens", .version = 1, .kid = "k-pre", .want = ENVL_OK },
};

/* An envelope in mode wrapped, by hand, of a kid that may not wrap. */
static struct envl_buf
faulty(const struct faults *f)
{
    struct envl_seal_options binary = { .encoding = ENVL_ENCODING_BINARY };
    const char *kid = f->kid == NULL ? "k-now" : f->kid;
    bool wrapped = strcmp(kid, "kek-now") == 0 || f->wrapped_41 ||
                   strcmp(kid, "lost") == 0;
    struct envl_buf from = seal_under(wrapped ? "kek-now" : "k-now", binary,
                                      LITERAL("secret"));
    struct envl_buf out = ENVL_BUF_INIT;
    size_t from_kid = wrapped ? 7 : 5, rest = 6 + from_kid;
    uint8_t head[6];

    if (strcmp(kid, "k-old") == 0 || strcmp(kid, "k-pre") == 0 ||
        strcmp(kid, "t-now") == 0) {
        envl_buf_free(&from);
        from = seal_under(kid, binary, LITERAL("secret"));
    }
    memcpy(head, from.ptr, 6);
    head[0] = f->version == 0 ? 'x' : head[0];
    head[3] = (uint8_t)(f->version == 0 ? 1 : f->version);
    head[5] = (uint8_t)strlen(kid);
    assert_int_equal(envl_buf_append(&out, (struct envl_bytes){ head, 6 },
                                     NULL), ENVL_OK);
    assert_int_equal(envl_buf_append(&out, envl_bytes_of(kid), NULL),
                     ENVL_OK);
    if (f->wrapped_41) {
        assert_int_equal(envl_buf_append(&out, LITERAL("\0\x29z"), NULL),
                         ENVL_OK);
        rest += 2;
    }
    assert_int_equal(envl_buf_append(&out, (struct envl_bytes){
        from.ptr + rest, from.len - rest }, NULL), ENVL_OK);
    if (f->cut)
        out.len = 6 + strlen(kid) + 60;
    if (f->bad_wrap)
        out.ptr[6 + strlen(kid) + 10] ^= 1;
    if (f->bad_tag)
        out.ptr[out.len - 1] ^= 1;
    envl_buf_free(&from);
    return out;
}

static void
run_order_case(void **state)
{
    const struct faults *f = *state;
    struct envl_open_options options = {
        .size = f->bad_options ? 1 : sizeof(options), .scope = f->scope,
    };
    const struct envl_context *context = f->bad_context ? &bad_context
                                       : f->other_context ? &there : &here;
    struct envl_buf envelope = faulty(f);
    struct envl_plain plain = ENVL_PLAIN_INIT;
    struct envl_verdict verdict;
    enum envl_status got;

    if (f->refuse_mode)
        options.accept = envelope.ptr[4] == 0 ? ENVL_ACCEPT_WRAPPED
                                              : ENVL_ACCEPT_DERIVED;
    got = envl_open(ring, &options, context, envl_buf_view(&envelope), &plain,
                    NULL);
    assert_string_equal(envl_status_name(got), envl_status_name(f->want));
    /* Classifying gives the same answer, but for the tag. */
    got = envl_classify(ring, &options, context, envl_buf_view(&envelope),
                        &verdict, NULL);
    if (got == ENVL_OK)
        got = verdict.status;
    assert_string_equal(envl_status_name(got), envl_status_name(
        f->bad_tag && f->want == ENVL_E_AUTH ? ENVL_OK : f->want));
    envl_buf_free(&envelope);
    envl_plain_free(&plain);
}

/* spec: ENV-1.3 */
static void
auth_is_one_text_whatever_its_cause(void **state)
{
    struct envl_seal_options binary = { .encoding = ENVL_ENCODING_BINARY };
    struct envl_open_options any = { .size = sizeof(any), .scope = "*" };
    static const struct {
        const char *kid;
        size_t flip; /* from the end; 0: another context instead */
    } causes[] = {
        { "k-now", 0 }, { "k-now", 1 }, { "k-now", 20 }, { "k-now", 60 },
        { "kek-now", 0 }, { "kek-now", 1 }, { "kek-now", 130 },
        { "hsm", 0 }, { "hsm", 138 },
    };
    struct envl_plain plain = ENVL_PLAIN_INIT;
    struct envl_error first = { ENVL_OK, "", "" }, err;

    (void)state;
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        struct envl_buf e = seal_under(causes[i].kid, binary, LITERAL("xyz"));

        if (causes[i].flip != 0)
            e.ptr[e.len - causes[i].flip] ^= 1;
        assert_int_equal(envl_open(ring, &any,
            causes[i].flip == 0 ? &there : &here, envl_buf_view(&e), &plain,
            &err), ENVL_E_AUTH);
        if (i == 0)
            first = err;
        assert_string_equal(err.message, first.message);
        assert_string_equal(err.hint, first.hint);
        envl_buf_free(&e);
    }
    envl_plain_free(&plain);
}

/* ---- memory -------------------------------------------------------------- */

static void
too_little_room_is_limit_and_wiped(void **state)
{
    struct envl_seal_options text = { .encoding = ENVL_ENCODING_TEXT };
    static uint8_t value[5000], room[9000];

    (void)state;
    for (size_t len = 1; len < sizeof(value); len = len * 4) {
        struct envl_buf e = seal_under("k-now", text, (struct envl_bytes){
            value, len });

        for (size_t less = 0; less <= e.len; less += e.len / 13 + 1) {
            struct envl_opened out = { { room, e.len - less },
                                       ENVL_TYPE_BYTES };
            enum envl_status status;

            memset(room, 0xee, sizeof(room));
            status = envl_open_into(ring, NULL, &here, envl_buf_view(&e),
                                    &out, NULL);
            assert_int_equal(room[e.len - less], 0xee);
            if (status == ENVL_OK)
                continue;
            assert_int_equal(status, ENVL_E_LIMIT);
            assert_true(less > 0);
            assert_int_equal(out.value.len, 0);
            for (size_t i = 0; i < e.len - less; i++)
                assert_int_equal(room[i], 0);
        }
        envl_buf_free(&e);
    }
}

/* spec: ENV-1.4 */
static void
a_failure_wipes_all_of_the_room(void **state)
{
    static const struct envl_bytes inputs[] = {
        LITERAL_INIT("plain"), LITERAL_INIT("env2:x"),
        LITERAL_INIT("env1:k:!"), LITERAL_INIT(""),
    };
    uint8_t room[300];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct envl_opened out = { { room, sizeof(room) }, ENVL_TYPE_BYTES };

        memset(room, 0xee, sizeof(room));
        assert_int_not_equal(envl_open_into(ring, NULL, &here, inputs[i],
                                            &out, NULL), ENVL_OK);
        assert_int_equal(out.value.len, 0);
        for (size_t b = 0; b < sizeof(room); b++)
            assert_int_equal(room[b], 0);
    }
}

/* ---- providers and reloads ----------------------------------------------- */

static void
a_provider_is_asked_and_its_failure_is_not_auth(void **state)
{
    struct envl_seal_options options = { .encoding = ENVL_ENCODING_TEXT };
    struct envl_open_options far = { .size = sizeof(far), .scope = "far" };
    struct envl_buf e = seal_under("hsm", options, LITERAL("xyz"));
    struct envl_plain plain = ENVL_PLAIN_INIT;

    (void)state;
    fake.unwraps = 0;
    fake.answer = ENVL_E_PROVIDER;
    assert_int_equal(envl_open(ring, &far, &here, envl_buf_view(&e), &plain,
                               NULL), ENVL_E_PROVIDER);
    fake.answer = ENVL_OK;
    assert_int_equal(envl_open(ring, &far, &here, envl_buf_view(&e), &plain,
                               NULL), ENVL_OK);
    assert_int_equal(fake.unwraps, 2);
    envl_buf_free(&e);
    envl_plain_free(&plain);
}

static void
a_disabled_key_of_a_provider_is_not_asked_for(void **state)
{
    struct envl_seal_options options = { .encoding = ENVL_ENCODING_TEXT };
    struct envl_open_options far = { .size = sizeof(far), .scope = "far" };
    struct envl_buf e = seal_under("hsm-off", options, LITERAL("xyz"));
    struct envl_plain plain = ENVL_PLAIN_INIT;

    (void)state;
    fake.unwraps = 0;
    assert_int_equal(envl_open(ring, &far, &here, envl_buf_view(&e), &plain,
                               NULL), ENVL_E_NOKEY);
    assert_int_equal(fake.unwraps, 0);
    envl_buf_free(&e);
    envl_plain_free(&plain);
}

/* spec: ENV-8.9 */
static void
an_unknown_kid_makes_the_ring_be_read_again(void **state)
{
    struct fixture f = fixture_with_ring();
    struct envl_keyring_options options = {
        .size = sizeof(options), .path = f.ring, .providers = &f.provider,
        .provider_count = 1,
    };
    struct envl_key_spec spec = { .kid = "k2", .activate = true };
    struct envl_seal_options by_name = { .size = sizeof(by_name),
                                         .kid = "k2" };
    struct envl_keyring *reader = NULL, *writer = must_open(&f);
    struct envl_plain plain = ENVL_PLAIN_INIT;
    struct envl_buf e = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(envl_keyring_open(&options, &reader, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_add(writer, &spec, NULL), ENVL_OK);
    assert_int_equal(envl_seal(writer, NULL, &here, LITERAL("new"), &e, NULL),
                     ENVL_OK);
    assert_int_equal(envl_open(reader, NULL, &here, envl_buf_view(&e), &plain,
                               NULL), ENVL_OK);
    assert_string_equal(plain.kid, "k2");
    envl_buf_clear(&e);
    assert_int_equal(envl_seal(reader, &by_name, &here, LITERAL("x"), &e,
                               NULL), ENVL_OK);
    envl_plain_free(&plain);
    envl_buf_free(&e);
    envl_keyring_free(reader);
    envl_keyring_free(writer);
    fixture_free(&f);
}

static int
set_up(void **state)
{
    (void)state;
    ring = make_ring(false);
    set_provider(ring, "hsm", &fake);
    set_provider(ring, "hsm-off", &fake);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    envl_keyring_free(ring);
    return 0;
}

#define ORDER (sizeof(order_cases) / sizeof(order_cases[0]))
#define OTHERS 8

int
main(void)
{
    struct CMUnitTest tests[OTHERS + ORDER] = {
        cmocka_unit_test(what_was_sealed_opens_in_every_encoding_and_size),
        cmocka_unit_test(an_opened_value_is_used_again),
        cmocka_unit_test(auth_is_one_text_whatever_its_cause),
        cmocka_unit_test(too_little_room_is_limit_and_wiped),
        cmocka_unit_test(a_failure_wipes_all_of_the_room),
        cmocka_unit_test(a_provider_is_asked_and_its_failure_is_not_auth),
        cmocka_unit_test(a_disabled_key_of_a_provider_is_not_asked_for),
        cmocka_unit_test(an_unknown_kid_makes_the_ring_be_read_again),
    };

    for (size_t i = 0; i < ORDER; i++)
        tests[OTHERS + i] = (struct CMUnitTest){
            .name = order_cases[i].name, .test_func = run_order_case,
            .initial_state = (void *)(uintptr_t)&order_cases[i],
        };
    return cmocka_run_group_tests_name("open", tests, set_up, tear_down);
}
