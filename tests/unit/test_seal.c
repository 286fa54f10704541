#include "envelope_fixture.h"

static struct envl_keyring *ring;
static struct fake_provider fake;

static struct envl_seal_options
options_of(enum envl_type type)
{
    return (struct envl_seal_options){
        .size = sizeof(struct envl_seal_options), .type = type,
    };
}

static enum envl_status
try_seal(const struct envl_seal_options *options, struct envl_bytes value)
{
    struct envl_buf out = ENVL_BUF_INIT;
    struct envl_error err = { ENVL_OK, "", "" };
    enum envl_status status;

    status = envl_seal(ring, options, &here, value, &out, &err);
    if (status == ENVL_OK) {
        assert_true(out.len > 0);
    } else {
        assert_int_equal(out.len, 0);
        assert_int_equal(err.status, status);
        assert_true(err.message[0] != '\0');
    }
    envl_buf_free(&out);
    return status;
}

/* ---- options ------------------------------------------------------------ */

static void
options_out_of_range_are_usage(void **state)
{
    static const struct envl_seal_options bad[] = {
        { .size = 0 },
        { .size = 7 },
        { .size = 100000 },
        { .size = sizeof(bad[0]), .mode = (enum envl_mode)2 },
        { .size = sizeof(bad[0]), .type = (enum envl_type)4 },
        { .size = sizeof(bad[0]), .type = (enum envl_type)-1 },
        { .size = sizeof(bad[0]), .encoding = (enum envl_encoding)3 },
        { .size = sizeof(bad[0]), .pad = 1 },
        { .size = sizeof(bad[0]), .pad = 4097 },
        { .size = sizeof(bad[0]), .pad = -2 },
        { .size = sizeof(bad[0]), .scope = "" },
        { .size = sizeof(bad[0]), .scope = "*" },
        { .size = sizeof(bad[0]), .scope = "Tenant" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(try_seal(&bad[i], LITERAL("x")), ENVL_E_USAGE);
}

/* A program built with older or newer headers. */
static void
options_of_another_size_are_taken_if_they_can_be(void **state)
{
    struct {
        struct envl_seal_options known;
        long more;
    } newer = { options_of(ENVL_TYPE_TEXT), 0 };
    struct envl_seal_options older = { .size = sizeof(size_t) };

    (void)state;
    newer.known.size = sizeof(newer);
    assert_int_equal(try_seal(&newer.known, LITERAL("x")), ENVL_OK);
    newer.more = 1;
    assert_int_equal(try_seal(&newer.known, LITERAL("x")), ENVL_E_USAGE);
    older.type = ENVL_TYPE_JSON; /* beyond the size: not looked at */
    assert_int_equal(try_seal(&older, LITERAL("no json")), ENVL_OK);
}

/* ---- keys ---------------------------------------------------------------- */

/* spec: ENV-9.1 */
static const struct key_case {
    const char *name, *kid, *scope;
    enum envl_mode mode;
    enum envl_status want;
} key_cases[] = {
    { "the_active_key_seals", NULL, NULL, ENVL_MODE_DERIVED, ENVL_OK },
    { "the_active_wrapping_key_seals", NULL, NULL, ENVL_MODE_WRAPPED,
      ENVL_OK },
    { "a_named_active_key_seals", "k-now", NULL, ENVL_MODE_DERIVED, ENVL_OK },
    { "the_kid_decides_the_mode", "kek-now", NULL, ENVL_MODE_DERIVED,
      ENVL_OK },
    { "a_key_of_its_scope_seals", "t-now", "tenant", ENVL_MODE_DERIVED,
      ENVL_OK },
    { "a_providers_key_seals", "hsm", "far", ENVL_MODE_WRAPPED, ENVL_OK },
    { "decrypt_only_is_policy", "k-old", NULL, ENVL_MODE_DERIVED,
      ENVL_E_POLICY },
    { "pre_active_is_policy", "k-pre", NULL, ENVL_MODE_DERIVED,
      ENVL_E_POLICY },
    { "disabled_is_policy", "k-off", NULL, ENVL_MODE_DERIVED, ENVL_E_POLICY },
    { "destroyed_is_policy", "k-gone", NULL, ENVL_MODE_DERIVED,
      ENVL_E_POLICY },
    { "unknown_is_nokey", "k-new", NULL, ENVL_MODE_DERIVED, ENVL_E_NOKEY },
    { "no_name_is_nokey", "K-now", NULL, ENVL_MODE_DERIVED, ENVL_E_NOKEY },
    { "an_empty_name_is_nokey", "", NULL, ENVL_MODE_DERIVED, ENVL_E_NOKEY },
    { "another_scope_is_nokey", "t-now", NULL, ENVL_MODE_DERIVED,
      ENVL_E_NOKEY },
    { "an_index_key_is_nokey", "idx", NULL, ENVL_MODE_DERIVED, ENVL_E_NOKEY },
    { "a_mac_key_is_nokey", "mac", NULL, ENVL_MODE_DERIVED, ENVL_E_NOKEY },
    { "no_active_key_is_nokey", NULL, "empty", ENVL_MODE_DERIVED,
      ENVL_E_NOKEY },
    { "no_active_wrapping_key_is_nokey", NULL, "tenant", ENVL_MODE_WRAPPED,
      ENVL_E_NOKEY },
    { "a_provider_not_set_up_is_provider", "lost", "lost", ENVL_MODE_WRAPPED,
      ENVL_E_PROVIDER },
};

static void
run_key_case(void **state)
{
    const struct key_case *c = *state;
    struct envl_seal_options options = options_of(ENVL_TYPE_BYTES);

    options.kid = c->kid;
    options.scope = c->scope;
    options.mode = c->mode;
    assert_int_equal(try_seal(&options, LITERAL("x")), c->want);
}

/* ---- values -------------------------------------------------------------- */

#define DOC(s) LITERAL_INIT(s)

/* spec: ENV-9.2 to ENV-9.4, ENV-9.6 */
static const struct value_case {
    const char *name;
    enum envl_type type;
    struct envl_bytes value;
    enum envl_status want;
} value_cases[] = {
    { "text_may_hold_u_0000", ENVL_TYPE_TEXT, DOC("a\0b"), ENVL_OK },
    { "text_is_utf_8", ENVL_TYPE_TEXT, DOC("a\xff"), ENVL_E_USAGE },
    { "bytes_are_anything", ENVL_TYPE_BYTES, DOC("a\xff"), ENVL_OK },
    { "json_is_json", ENVL_TYPE_JSON, DOC("{\"a\":1,\"a\":[2]}"), ENVL_OK },
    { "json_is_nothing_else", ENVL_TYPE_JSON, DOC("{a:1}"), ENVL_E_USAGE },
    { "json_keeps_escaped_surrogates", ENVL_TYPE_JSON, DOC("\"\\ud800\""),
      ENVL_OK },
    { "json_has_no_bom", ENVL_TYPE_JSON, DOC("\xef\xbb\xbf" "1"),
      ENVL_E_USAGE },
    { "empty_is_no_json", ENVL_TYPE_JSON, DOC(""), ENVL_E_USAGE },
    { "bson_with_v", ENVL_TYPE_BSON,
      DOC("\x0c\0\0\0\x10v\0\x07\0\0\0\0"), ENVL_OK },
    { "bson_with_another_name", ENVL_TYPE_BSON,
      DOC("\x0c\0\0\0\x10w\0\x07\0\0\0\0"), ENVL_E_USAGE },
    { "bson_with_two_members", ENVL_TYPE_BSON,
      DOC("\x0f\0\0\0\x10v\0\x07\0\0\0\x0aw\0\0"), ENVL_E_USAGE },
    { "empty_bson_document", ENVL_TYPE_BSON, DOC("\x05\0\0\0\0"),
      ENVL_E_USAGE },
    { "nesting_text", ENVL_TYPE_TEXT, DOC("env1:k:AAAA"), ENVL_E_POLICY },
    { "nesting_bytes", ENVL_TYPE_BYTES, DOC("env7:"), ENVL_E_POLICY },
    { "nesting_binary", ENVL_TYPE_BYTES, DOC("\x9e\x45\x56zz"),
      ENVL_E_POLICY },
    { "nesting_object_as_text", ENVL_TYPE_TEXT,
      DOC(" {\"payload\":0,\"env\":3"), ENVL_E_POLICY },
    { "nesting_object_as_json", ENVL_TYPE_JSON,
      DOC("{\"env\":1,\"payload\":0}"), ENVL_E_POLICY },
    { "nesting_in_a_json_string", ENVL_TYPE_JSON, DOC("\"env1:k:AA\""),
      ENVL_E_POLICY },
    { "nesting_in_an_escaped_json_string", ENVL_TYPE_JSON,
      DOC(" \"\\u0065nv\\u0031:k:\""), ENVL_E_POLICY },
    { "nesting_before_a_lone_surrogate", ENVL_TYPE_JSON,
      DOC("\"env1:\\ud800\""), ENVL_E_POLICY },
    { "nesting_object_in_a_json_string", ENVL_TYPE_JSON,
      DOC("\"{\\\"env\\\":1,\\\"payload\\\":0}\""), ENVL_E_POLICY },
    { "no_nesting_in_a_member", ENVL_TYPE_JSON,
      DOC("{\"a\":\"env1:k:AA\"}"), ENVL_OK },
    { "nesting_in_a_bson_string", ENVL_TYPE_BSON,
      DOC("\x12\0\0\0\x02v\0\x06\0\0\0env1:\0\0"), ENVL_E_POLICY },
    { "nesting_in_bson_binary", ENVL_TYPE_BSON,
      DOC("\x10\0\0\0\x05v\0\x03\0\0\0\0\x9e\x45\x56\0"), ENVL_E_POLICY },
    { "nesting_in_old_bson_binary", ENVL_TYPE_BSON,
      DOC("\x14\0\0\0\x05v\0\x07\0\0\0\x02\x03\0\0\0\x9e\x45\x56\0"),
      ENVL_E_POLICY },
    { "nesting_in_a_bson_document", ENVL_TYPE_BSON,
      DOC("\x24\0\0\0\x03v\0\x1c\0\0\0\x10" "env\0\x01\0\0\0\x0apayload\0"
          "\0\0\0\0"), ENVL_E_USAGE /* a length is wrong: see below */ },
    { "nesting_in_a_bson_document_of_env_and_payload", ENVL_TYPE_BSON,
      DOC("\x1f\0\0\0\x03v\0\x17\0\0\0\x10" "env\0\x01\0\0\0\x0apayload\0"
          "\0\0"), ENVL_E_POLICY },
    { "no_nesting_in_a_bson_document_without_payload", ENVL_TYPE_BSON,
      DOC("\x16\0\0\0\x03v\0\x0e\0\0\0\x10" "env\0\x01\0\0\0\0\0"), ENVL_OK },
};

static void
run_value_case(void **state)
{
    const struct value_case *c = *state;
    struct envl_seal_options options = options_of(c->type);

    assert_int_equal(try_seal(&options, c->value), c->want);
    if (c->want != ENVL_E_POLICY)
        return;
    options.allow_nested = true;
    assert_int_equal(try_seal(&options, c->value), ENVL_OK);
}

/* ---- memory -------------------------------------------------------------- */

static void
the_length_is_known_beforehand(void **state)
{
    static const int pads[] = { ENVL_PAD_DEFAULT, ENVL_PAD_NONE, 2, 7, 4096 };
    static const char *const kids[] = { "k-now", "kek-now" };
    static uint8_t value[17000], room[40000];

    (void)state;
    for (size_t n = 0; n < 5 * 2 * 3; n++) {
        struct envl_seal_options options = options_of(ENVL_TYPE_BYTES);

        options.pad = pads[n % 5];
        options.kid = kids[n / 5 % 2];
        options.encoding = (enum envl_encoding)(n / 10);
        for (size_t len = 0; len < sizeof(value); len += len < 99 ? 1 : 407) {
            struct envl_span out = { room, 0 };
            size_t want;

            assert_int_equal(envl_sealed_len(ring, &options, len, &want,
                                             NULL), ENVL_OK);
            out.len = want - 1;
            room[want] = 0xee;
            assert_int_equal(envl_seal_into(ring, &options, &here,
                (struct envl_bytes){ value, len }, &out, NULL), ENVL_E_LIMIT);
            out.len = want;
            assert_int_equal(envl_seal_into(ring, &options, &here,
                (struct envl_bytes){ value, len }, &out, NULL), ENVL_OK);
            assert_int_equal(out.len, want);
            assert_int_equal(room[want], 0xee);
        }
    }
}

static void
impossible_lengths_are_limit(void **state)
{
    static const size_t lens[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2,
                                   SIZE_MAX / 2 - 5000, (size_t)1 << 60 };
    size_t want;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(envl_sealed_len(ring, NULL, lens[i], &want, NULL),
                         ENVL_E_LIMIT);
}

static void
a_providers_envelope_is_at_most_as_long_as_was_said(void **state)
{
    struct envl_seal_options options = options_of(ENVL_TYPE_BYTES);
    struct envl_buf out = ENVL_BUF_INIT;
    size_t most;

    (void)state;
    options.kid = "hsm";
    options.scope = "far";
    assert_int_equal(envl_sealed_len(ring, &options, 10, &most, NULL),
                     ENVL_OK);
    assert_int_equal(envl_seal(ring, &options, &here, LITERAL("1234567890"),
                               &out, NULL), ENVL_OK);
    assert_true(out.len <= most);
    envl_buf_free(&out);
}

static void
it_appends_and_leaves_what_was_there(void **state)
{
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(envl_buf_append(&out, LITERAL("before"), NULL), ENVL_OK);
    assert_int_equal(envl_seal(ring, NULL, NULL, LITERAL("x"), &out, NULL),
                     ENVL_OK);
    assert_memory_equal(out.ptr, "beforeenv1:k-now:A", 18);
    envl_buf_free(&out);
}

/* spec: ENV-9.7 */
static void
the_same_value_twice_gives_two_envelopes(void **state)
{
    struct envl_buf a = ENVL_BUF_INIT, b = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(envl_seal(ring, NULL, NULL, LITERAL("x"), &a, NULL),
                     ENVL_OK);
    assert_int_equal(envl_seal(ring, NULL, NULL, LITERAL("x"), &b, NULL),
                     ENVL_OK);
    assert_int_equal(a.len, b.len);
    assert_memory_not_equal(a.ptr, b.ptr, a.len);
    envl_buf_free(&a);
    envl_buf_free(&b);
}

/* spec: CTX-13 */
static void
a_bad_context_is_usage_before_anything_else(void **state)
{
    static const struct envl_pair twice[] = { PAIR("a", "1"), PAIR("a", "1") };
    const struct envl_context bad = { twice, 2 };
    struct envl_seal_options options = { .size = 0, .kid = "none" };
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(envl_seal(ring, &options, &bad, LITERAL("env1:"), &out,
                               NULL), ENVL_E_USAGE);
    assert_null(out.ptr);
}

static void
a_provider_that_fails_or_lies_is_provider(void **state)
{
    struct envl_seal_options options = options_of(ENVL_TYPE_BYTES);

    (void)state;
    options.kid = "hsm";
    options.scope = "far";
    fake.answer = ENVL_E_PROVIDER;
    assert_int_equal(try_seal(&options, LITERAL("x")), ENVL_E_PROVIDER);
    fake.answer = ENVL_OK;
    fake.claim = 4097;
    assert_int_equal(try_seal(&options, LITERAL("x")), ENVL_E_PROVIDER);
    fake.claim = 0;
    assert_int_equal(try_seal(&options, LITERAL("x")), ENVL_OK);
}

static int
set_up(void **state)
{
    (void)state;
    ring = make_ring(false);
    set_provider(ring, "hsm", &fake);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    envl_keyring_free(ring);
    return 0;
}

#define KEY_CASES (sizeof(key_cases) / sizeof(key_cases[0]))
#define VALUE_CASES (sizeof(value_cases) / sizeof(value_cases[0]))
#define OTHERS 9

int
main(void)
{
    struct CMUnitTest tests[OTHERS + KEY_CASES + VALUE_CASES] = {
        cmocka_unit_test(options_out_of_range_are_usage),
        cmocka_unit_test(options_of_another_size_are_taken_if_they_can_be),
        cmocka_unit_test(the_length_is_known_beforehand),
        cmocka_unit_test(impossible_lengths_are_limit),
        cmocka_unit_test(a_providers_envelope_is_at_most_as_long_as_was_said),
        cmocka_unit_test(it_appends_and_leaves_what_was_there),
        cmocka_unit_test(the_same_value_twice_gives_two_envelopes),
        cmocka_unit_test(a_bad_context_is_usage_before_anything_else),
        cmocka_unit_test(a_provider_that_fails_or_lies_is_provider),
    };

    for (size_t i = 0; i < KEY_CASES; i++)
        tests[OTHERS + i] = (struct CMUnitTest){
            .name = key_cases[i].name, .test_func = run_key_case,
            .initial_state = (void *)(uintptr_t)&key_cases[i],
        };
    for (size_t i = 0; i < VALUE_CASES; i++)
        tests[OTHERS + KEY_CASES + i] = (struct CMUnitTest){
            .name = value_cases[i].name, .test_func = run_value_case,
            .initial_state = (void *)(uintptr_t)&value_cases[i],
        };
    return cmocka_run_group_tests_name("seal", tests, set_up, tear_down);
}
