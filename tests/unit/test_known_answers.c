/*
 * The known answers of the format, which an implementation in another
 * language has computed: those of spec/vectors, and those of the file that
 * ENVELOPE_KNOWN_ANSWERS names, if it does.
 */
#include <openssl/sha.h>

#include "vector_fixture.h"

static unsigned sealed, opened, refused, streamed;

static struct envl_bytes
plaintext_of(json_t *item)
{
    json_t *plain = json_object_get(item, "plaintext");
    struct envl_bytes one, all;
    uint8_t *bytes;

    if (json_is_string(plain))
        return bytes_of_hex(json_string_value(plain));
    one = bytes_of_hex(text_in(plain, "repeat"));
    all.len = (size_t)json_integer_value(json_object_get(plain, "count"));
    all.ptr = bytes = malloc(all.len);
    assert_non_null(bytes);
    memset(bytes, one.ptr[0], all.len);
    free_bytes(one);
    return all;
}

/* A ring with just the key of one case. */
static struct envl_keyring *
case_ring(json_t *item)
{
    bool wrapped = mode_of(text_in(item, "mode")) == ENVL_MODE_WRAPPED;
    json_t *list = json_pack("[{s:s, s:s, s:s, s:s}]", "kid",
                             text_in(item, "kid"), "use",
                             wrapped ? "wrap" : "seal", "state", "active",
                             "key", text_in(item, "key"));
    struct envl_keyring *ring = ring_of(list);

    json_decref(list);
    return ring;
}

static void
check_binary(json_t *item, struct envl_bytes binary)
{
    uint8_t digest[32];
    char hex[65];

    if (text_in(item, "binary") != NULL) {
        struct envl_bytes want = bytes_of_hex(text_in(item, "binary"));

        assert_int_equal(binary.len, want.len);
        assert_memory_equal(binary.ptr, want.ptr, want.len);
        free_bytes(want);
        return;
    }
    assert_int_equal(binary.len, json_integer_value(
                                     json_object_get(item, "binary_length")));
    SHA256(binary.ptr, binary.len, digest);
    sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
    assert_string_equal(hex, text_in(item, "binary_sha256"));
}

static void
check_object(json_t *item, struct envl_bytes object)
{
    json_t *want = json_object_get(item, "object");
    json_t *got = json_loadb((const char *)object.ptr, object.len, 0, NULL);

    assert_non_null(got);
    if (want != NULL)
        assert_true(json_equal(got, want));
    json_decref(got);
}

/* One envelope in each encoding: sealed so, recoded to it, opened. */
static void
check_encodings(struct envl_keyring *ring, json_t *item,
                struct envl_seal_options *options,
                const struct envl_context *context, struct envl_bytes value)
{
    struct envl_plain plain = { .value = ENVL_BUF_INIT };
    struct envl_buf first = ENVL_BUF_INIT;

    for (int e = 2; e >= 0; e--) {
        struct envl_buf made = ENVL_BUF_INIT, recoded = ENVL_BUF_INIT;

        options->encoding = (enum envl_encoding)e;
        assert_int_equal(envl_seal(ring, options, context, value, &made,
                                   NULL), ENVL_OK);
        sealed++;
        if (e == ENVL_ENCODING_BINARY) {
            check_binary(item, envl_buf_view(&made));
            assert_int_equal(envl_buf_append(&first, envl_buf_view(&made),
                                             NULL), ENVL_OK);
        } else if (e == ENVL_ENCODING_OBJECT) {
            check_object(item, envl_buf_view(&made));
        } else if (text_in(item, "text") != NULL) {
            assert_int_equal(made.len, strlen(text_in(item, "text")));
            assert_memory_equal(made.ptr, text_in(item, "text"), made.len);
        }
        assert_int_equal(envl_recode(envl_buf_view(&first), options->encoding,
                                     &recoded, NULL), ENVL_OK);
        assert_int_equal(recoded.len, made.len);
        assert_memory_equal(recoded.ptr, made.ptr, made.len);

        assert_int_equal(envl_open(ring, NULL, context, envl_buf_view(&made),
                                   &plain, NULL), ENVL_OK);
        assert_int_equal(plain.type, type_of(text_in(item, "type")));
        assert_int_equal(plain.value.len, value.len);
        assert_memory_equal(plain.value.ptr, value.ptr, value.len);
        assert_string_equal(plain.kid, text_in(item, "kid"));
        opened++;
        envl_buf_free(&made);
        envl_buf_free(&recoded);
    }
    envl_buf_free(&first);
    envl_plain_free(&plain);
}

/* Streams have no padding, so only some cases can be streamed out. */
static void
check_streams(struct envl_keyring *ring, json_t *item,
              struct envl_seal_options *options,
              const struct envl_context *context, struct envl_bytes value)
{
    static const size_t steps[] = { 1, 4099, 16384, 1 << 20 };
    struct envl_plain plain = { .value = ENVL_BUF_INIT };

    options->encoding = ENVL_ENCODING_BINARY;
    for (size_t i = 0; i < 4; i++) {
        struct envl_buf made = ENVL_BUF_INIT;

        if (options->pad == ENVL_PAD_NONE) {
            assert_int_equal(seal_as_stream(ring, options, context, value,
                                            steps[i], &made), ENVL_OK);
            check_binary(item, envl_buf_view(&made));
        } else {
            assert_int_equal(envl_seal(ring, options, context, value, &made,
                                       NULL), ENVL_OK);
        }
        assert_int_equal(open_as_stream(ring, NULL, context,
                                        envl_buf_view(&made), steps[i],
                                        &plain), ENVL_OK);
        assert_int_equal(plain.type, options->type);
        assert_int_equal(plain.value.len, value.len);
        assert_memory_equal(plain.value.ptr, value.ptr, value.len);
        streamed++;
        envl_buf_free(&made);
    }
    envl_plain_free(&plain);
}

static void
run_case(json_t *item)
{
    struct envl_seal_options options = { .size = sizeof(options) };
    int pad = (int)json_integer_value(json_object_get(item, "pad"));
    struct envl_keyring *ring = case_ring(item);
    struct envl_bytes value = plaintext_of(item);
    struct envl_bytes salt = bytes_of_hex(text_in(item, "salt"));
    struct envl_bytes value_key = { NULL, 0 };
    struct owned_context context;

    if (text_in(item, "value_key") != NULL)
        value_key = bytes_of_hex(text_in(item, "value_key"));
    context_in(item, &context);
    next_salt = salt.ptr;
    next_value_key = value_key.ptr;
    options.mode = mode_of(text_in(item, "mode"));
    options.type = type_of(text_in(item, "type"));
    options.pad = pad == 0 ? ENVL_PAD_NONE : pad;
    check_encodings(ring, item, &options, &context.context, value);
    check_streams(ring, item, &options, &context.context, value);
    next_salt = next_value_key = NULL;
    free_context(&context);
    free_bytes(value);
    free_bytes(salt);
    free_bytes(value_key);
    envl_keyring_free(ring);
}

static void
run_check(struct envl_keyring *ring, json_t *item)
{
    bool binary = strcmp(text_in(item, "form"), "binary") == 0;
    struct envl_plain plain = { .value = ENVL_BUF_INIT };
    enum envl_status want = status_of(text_in(item, "status")), got;
    struct envl_bytes envelope;
    struct owned_context context;

    envelope = binary ? bytes_of_hex(text_in(item, "value"))
                      : bytes_of_string(json_object_get(item, "value"));
    context_in(item, &context);
    got = envl_open(ring, NULL, &context.context, envelope, &plain, NULL);
    if (got != want)
        fail_msg("%s: %s, not %s", text_in(item, "name"),
                 envl_status_name(got), envl_status_name(want));
    if (want == ENVL_OK)
        opened++;
    else
        refused++;
    free_context(&context);
    free_bytes(envelope);
    envl_plain_free(&plain);
}

static void
run_index(json_t *item)
{
    json_t *list = json_pack("[{s:s, s:s, s:s, s:s}]", "kid", "i", "use",
                             "index", "state", "active", "key",
                             text_in(item, "key"));
    struct envl_keyring *ring = ring_of(list);
    struct envl_index_input input = {
        .field = envl_bytes_of(text_in(item, "field")),
        .value = bytes_of_hex(text_in(item, "value")),
        .bits = (unsigned)json_integer_value(json_object_get(item, "bits")),
    };
    char hex[ENVL_INDEX_HEX_SIZE];

    assert_int_equal(envl_blind_index(ring, &input, hex, NULL), ENVL_OK);
    assert_string_equal(hex, text_in(item, "hex"));
    free_bytes(input.value);
    envl_keyring_free(ring);
    json_decref(list);
}

static void
run_file(const char *path)
{
    json_t *doc = load_vectors(path), *item;
    struct envl_keyring *ring = ring_of(json_object_get(doc, "ring"));
    size_t i;

    sealed = opened = refused = streamed = 0;
    json_array_foreach(json_object_get(doc, "cases"), i, item)
        run_case(item);
    json_array_foreach(json_object_get(doc, "checks"), i, item)
        run_check(ring, item);
    json_array_foreach(json_object_get(doc, "other"), i, item) {
        if (strncmp(text_in(item, "name"), "blind index", 11) == 0)
            run_index(item);
    }
    print_message("%s: %u sealed, %u opened, %u streamed both ways, %u "
                  "refused\n", path, sealed, opened, streamed, refused);
    assert_true(sealed > 0 && refused > 0);
    envl_keyring_free(ring);
    json_decref(doc);
}

static void
the_specs_own_known_answers_come_out(void **state)
{
    (void)state;
    run_file("spec/vectors/known-answers.json");
}

static void
the_known_answers_given_come_out(void **state)
{
    const char *path = getenv("ENVELOPE_KNOWN_ANSWERS");

    (void)state;
    if (path == NULL || path[0] == '\0') {
        print_message("ENVELOPE_KNOWN_ANSWERS names no file\n");
        skip();
    }
    run_file(path);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_specs_own_known_answers_come_out),
        cmocka_unit_test(the_known_answers_given_come_out),
    };

    return cmocka_run_group_tests_name("known_answers", tests, NULL, NULL);
}
