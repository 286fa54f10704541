/* The object form of an envelope as a BSON document. */
#include "vector_fixture.h"

static void
run_vector(const char *path, json_t *vector)
{
    enum envl_status want = status_of(text_in(vector, "status"));
    struct envl_bytes document = bytes_in(vector, "document");
    struct envl_buf out = ENVL_BUF_INIT, back = ENVL_BUF_INIT;
    struct envl_error err;
    enum envl_status got;

    got = envl_bson_decode(document, ENVL_ENCODING_TEXT, &out, &err);
    if (got != want)
        fail_msg("%s: %s", path, envl_status_name(got));
    assert_int_equal(envl_bson_begins(document),
                     want == ENVL_E_NOTENV ? ENVL_E_NOTENV : ENVL_OK);
    if (want != ENVL_OK) {
        assert_int_equal(out.len, 0);
        assert_int_equal(err.status, want);
    } else {
        const char *text = text_in(vector, "envelope");

        assert_int_equal(out.len, strlen(text));
        assert_memory_equal(out.ptr, text, out.len);
        assert_int_equal(envl_bson_encode(envl_buf_view(&out), &back, NULL),
                         ENVL_OK);
        if (json_is_true(json_object_get(vector, "written"))) {
            assert_int_equal(back.len, document.len);
            assert_memory_equal(back.ptr, document.ptr, back.len);
        } else if (back.len == document.len) {
            assert_memory_not_equal(back.ptr, document.ptr, back.len);
        }
    }
    free_bytes(document);
    envl_buf_free(&out);
    envl_buf_free(&back);
}

/* spec: ENV-7.9, ENV-8.20 */
static void
every_vector_gives_its_answer(void **state)
{
    DIR *list = opendir("spec/vectors/bson");
    struct dirent *entry;
    unsigned count = 0;

    (void)state;
    assert_non_null(list);
    while ((entry = readdir(list)) != NULL) {
        char path[512];
        json_t *vector;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "spec/vectors/bson/%s", entry->d_name);
        vector = load_vectors(path);
        run_vector(path, vector);
        json_decref(vector);
        count++;
    }
    closedir(list);
    assert_true(count >= 70);
}

static struct envl_bytes
sample(const char *path, json_t **vector)
{
    *vector = load_vectors(path);
    return bytes_in(*vector, "document");
}

#define WRITTEN "spec/vectors/bson/ok-as-written-w1.json"

static void
every_encoding_is_the_same_envelope(void **state)
{
    struct envl_buf out = ENVL_BUF_INIT, back = ENVL_BUF_INIT;
    json_t *vector;
    struct envl_bytes document = sample(WRITTEN, &vector);

    (void)state;
    for (int e = 0; e < 3; e++) {
        struct envl_info info;

        envl_buf_clear(&out);
        envl_buf_clear(&back);
        assert_int_equal(envl_bson_decode(document, (enum envl_encoding)e,
                                          &out, NULL), ENVL_OK);
        assert_int_equal(envl_inspect(envl_buf_view(&out), &info, NULL),
                         ENVL_OK);
        assert_int_equal(info.encoding, e);
        assert_int_equal(envl_bson_encode(envl_buf_view(&out), &back, NULL),
                         ENVL_OK);
        assert_int_equal(back.len, document.len);
        assert_memory_equal(back.ptr, document.ptr, back.len);
    }
    assert_int_equal(envl_bson_decode(document, (enum envl_encoding)3, &out,
                                      NULL), ENVL_E_USAGE);
    free_bytes(document);
    json_decref(vector);
    envl_buf_free(&out);
    envl_buf_free(&back);
}

static void
what_is_no_envelope_is_not_encoded(void **state)
{
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    assert_int_equal(envl_buf_append(&out, LITERAL("kept"), NULL), ENVL_OK);
    assert_int_equal(envl_bson_encode(LITERAL("secret"), &out, NULL),
                     ENVL_E_NOTENV);
    assert_int_equal(envl_bson_encode(LITERAL("env2:"), &out, NULL),
                     ENVL_E_VERSION);
    assert_int_equal(envl_bson_encode(LITERAL("env1:k1:x"), &out, NULL),
                     ENVL_E_FORMAT);
    assert_int_equal(out.len, 4);
    envl_buf_free(&out);
}

/* However a document is cut or changed, there is an answer, and only a
   whole one opens. */
static void
no_part_of_one_is_one(void **state)
{
    struct envl_buf out = ENVL_BUF_INIT;
    json_t *vector;
    struct envl_bytes document = sample(WRITTEN, &vector);
    uint8_t *copy;

    (void)state;
    for (size_t len = 0; len < document.len; len++) {
        copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, document.ptr, len);
        assert_int_not_equal(envl_bson_decode(
            (struct envl_bytes){ copy, len }, ENVL_ENCODING_TEXT, &out, NULL),
            ENVL_OK);
        free(copy);
    }
    assert_int_equal(out.len, 0);
    free_bytes(document);
    json_decref(vector);
    envl_buf_free(&out);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_gives_its_answer),
        cmocka_unit_test(every_encoding_is_the_same_envelope),
        cmocka_unit_test(what_is_no_envelope_is_not_encoded),
        cmocka_unit_test(no_part_of_one_is_one),
    };

    return cmocka_run_group_tests_name("bson", tests, NULL, NULL);
}
