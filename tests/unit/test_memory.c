/*
 * Every allocation of sealing, opening, batches and streams fails once: the
 * answer is nomem, nothing is leaked, and nothing is given out.  What is said
 * to need no allocation has none.  (WRAP: malloc, calloc, aligned_alloc,
 * sodium_malloc.)
 */
#include "envelope_fixture.h"

static struct envl_keyring *ring;
static struct fake_provider fake;
static int fail_at = -1;   /* the allocation that fails, -1: none */
static unsigned allocated; /* since it was last set to 0          */

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_aligned_alloc(size_t unit, size_t len);
void *__real_sodium_malloc(size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_aligned_alloc(size_t unit, size_t len);
void *__wrap_sodium_malloc(size_t len);

static bool
fails(void)
{
    allocated++;
    return fail_at >= 0 && fail_at-- == 0;
}

void *
__wrap_malloc(size_t len)
{
    return fails() ? NULL : __real_malloc(len);
}

void *
__wrap_calloc(size_t count, size_t len)
{
    return fails() ? NULL : __real_calloc(count, len);
}

void *
__wrap_aligned_alloc(size_t unit, size_t len)
{
    return fails() ? NULL : __real_aligned_alloc(unit, len);
}

void *
__wrap_sodium_malloc(size_t len)
{
    return fails() ? NULL : __real_sodium_malloc(len);
}

static uint8_t value[40000];
static struct envl_buf text, object, wrapped, remote;

/* ---- what is tried ------------------------------------------------------- */

static enum envl_status
try_seal(void)
{
    struct envl_buf out = ENVL_BUF_INIT;
    enum envl_status status = envl_seal(ring, NULL, &here,
        (struct envl_bytes){ value, sizeof(value) }, &out, NULL);

    if (status != ENVL_OK)
        assert_int_equal(out.len, 0);
    envl_buf_free(&out);
    return status;
}

static enum envl_status
try_seal_wrapped(void)
{
    struct envl_seal_options options = { .size = sizeof(options),
                                         .mode = ENVL_MODE_WRAPPED };
    struct envl_buf out = ENVL_BUF_INIT;
    enum envl_status status = envl_seal(ring, &options, &here, LITERAL("x"),
                                        &out, NULL);

    envl_buf_free(&out);
    return status;
}

/* Escapes in an object make the payload be copied. */
static enum envl_status
try_open_object(void)
{
    struct envl_plain plain = ENVL_PLAIN_INIT;
    enum envl_status status = envl_open(ring, NULL, &here,
                                        envl_buf_view(&object), &plain, NULL);

    envl_plain_free(&plain);
    return status;
}

static enum envl_status
try_open(void)
{
    struct envl_plain plain = ENVL_PLAIN_INIT;
    enum envl_status status = envl_open(ring, NULL, &here,
                                        envl_buf_view(&text), &plain, NULL);

    if (status != ENVL_OK)
        assert_int_equal(plain.value.len, 0);
    envl_plain_free(&plain);
    return status;
}

static enum envl_status
try_rewrap(void)
{
    struct envl_buf out = ENVL_BUF_INIT;
    enum envl_status status = envl_rewrap(ring, NULL, &here,
                                          envl_buf_view(&wrapped), &out, NULL);

    envl_buf_free(&out);
    return status;
}

static enum envl_status
try_recode(void)
{
    struct envl_buf out = ENVL_BUF_INIT;
    enum envl_status status = envl_recode(envl_buf_view(&text),
                                          ENVL_ENCODING_OBJECT, &out, NULL);

    envl_buf_free(&out);
    return status;
}

static enum envl_status
try_seal_batch(void)
{
    struct envl_seal_options options = { .size = sizeof(options),
                                         .mode = ENVL_MODE_WRAPPED };
    struct envl_item items[3] = {
        { .input = LITERAL("a"), .context = here },
        { .input = LITERAL("b"), .context = here },
        { .input = LITERAL("c"), .context = here },
    };
    struct envl_buf arena = ENVL_BUF_INIT;
    enum envl_status status = envl_seal_batch(ring, &options, items, 3,
                                              &arena, NULL);

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(items[i].output.len > 0, status == ENVL_OK);
    envl_buf_free(&arena);
    return status;
}

static enum envl_status
try_open_batch(void)
{
    struct envl_open_options any = { .size = sizeof(any), .scope = "*" };
    struct envl_item items[3] = {
        { .input = envl_buf_view(&remote), .context = here },
        { .input = envl_buf_view(&text), .context = here },
        { .input = envl_buf_view(&remote), .context = here },
    };
    struct envl_buf arena = ENVL_BUF_INIT;
    enum envl_status status = envl_open_batch(ring, &any, items, 3, &arena,
                                              NULL);

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(items[i].output.len > 0,
                         items[i].status == ENVL_OK);
    envl_buf_free(&arena);
    return status;
}

static enum envl_status
try_streams(void)
{
    struct envl_buf sealed = ENVL_BUF_INIT, opened = ENVL_BUF_INIT;
    struct envl_sealer *sealer = NULL;
    struct envl_opener *opener = NULL;
    enum envl_status status;

    status = envl_sealer_new(ring, NULL, &here, &sealer, NULL);
    if (status == ENVL_OK)
        status = envl_sealer_update(sealer, (struct envl_bytes){
            value, sizeof(value) }, &sealed, NULL);
    if (status == ENVL_OK)
        status = envl_sealer_finish(sealer, &sealed, NULL);
    if (status == ENVL_OK)
        status = envl_opener_new(ring, NULL, &here, &opener, NULL);
    if (status == ENVL_OK)
        status = envl_opener_update(opener, envl_buf_view(&sealed), &opened,
                                    NULL);
    if (status == ENVL_OK)
        status = envl_opener_finish(opener, &opened, NULL, NULL);
    if (status == ENVL_OK)
        assert_int_equal(opened.len, sizeof(value));
    envl_sealer_free(sealer);
    envl_opener_free(opener);
    envl_buf_free(&sealed);
    envl_buf_free(&opened);
    return status;
}

static const struct memory_case {
    const char *name;
    enum envl_status (*run)(void);
    int allocations; /* each of which fails once */
} memory_cases[] = {
    { "seal", try_seal, 1 },
    { "seal_wrapped", try_seal_wrapped, 2 },
    { "open", try_open, 1 },
    { "open_object_with_escapes", try_open_object, 2 },
    { "rewrap", try_rewrap, 3 },
    { "recode", try_recode, 2 },
    { "seal_batch", try_seal_batch, 5 },
    { "open_batch", try_open_batch, 10 },
    { "streams", try_streams, 11 },
};

static void
run_memory_case(void **state)
{
    const struct memory_case *c = *state;
    enum envl_status status;
    int n = 0;

    assert_int_equal(c->run(), ENVL_OK); /* OpenSSL's own are made once */
    do {
        fail_at = n++;
        status = c->run();
        fail_at = -1;
        if (status != ENVL_OK && status != ENVL_E_PARTIAL)
            assert_int_equal(status, ENVL_E_NOMEM);
        assert_true(n < 100);
    } while (status != ENVL_OK);
    /* One more or less is news: was an allocation left unchecked? */
    assert_int_equal(n - 1, c->allocations);
}

static void
sealing_and_opening_into_memory_allocates_nothing(void **state)
{
    static uint8_t room[60000], back[60000];
    static const size_t lens[] = { 0, 64, 1000, 1024, 5000, 40000 };

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        for (int e = 0; e < 3; e++) {
            struct envl_seal_options options = {
                .size = sizeof(options), .encoding = (enum envl_encoding)e,
            };
            struct envl_span out = { room, sizeof(room) };
            struct envl_opened opened = { { back, sizeof(back) },
                                          ENVL_TYPE_BYTES };
            struct envl_verdict verdict;

            allocated = 0;
            assert_int_equal(envl_seal_into(ring, &options, &here,
                (struct envl_bytes){ value, lens[i] }, &out, NULL), ENVL_OK);
            assert_int_equal(envl_open_into(ring, NULL, &here,
                (struct envl_bytes){ room, out.len }, &opened, NULL), ENVL_OK);
            assert_int_equal(envl_classify(ring, NULL, &here,
                (struct envl_bytes){ room, out.len }, &verdict, NULL),
                ENVL_OK);
            assert_int_equal(allocated, 0);
            assert_int_equal(opened.value.len, lens[i]);
        }
    }
}

/* Plaintext costs no memory, whatever its size. */
static void
what_is_no_envelope_allocates_nothing(void **state)
{
    struct envl_plain plain = ENVL_PLAIN_INIT;
    struct envl_buf out = ENVL_BUF_INIT;

    (void)state;
    memset(value, '{', sizeof(value));
    allocated = 0;
    assert_int_equal(envl_open(ring, NULL, &here, (struct envl_bytes){
        value, sizeof(value) }, &plain, NULL), ENVL_E_NOTENV);
    assert_int_equal(envl_recode((struct envl_bytes){ value, sizeof(value) },
                                 ENVL_ENCODING_TEXT, &out, NULL),
                     ENVL_E_NOTENV);
    assert_int_equal(allocated, 0);
    memset(value, 'v', sizeof(value));
}

static int
set_up(void **state)
{
    struct envl_seal_options options = { .encoding = ENVL_ENCODING_TEXT };
    char *payload;
    struct envl_buf plain_object;

    (void)state;
    memset(value, 'v', sizeof(value));
    ring = make_ring(false);
    set_provider(ring, "hsm", &fake);
    text = seal_under("k-now", options, (struct envl_bytes){ value, 3000 });
    wrapped = seal_under("kek-old", options, LITERAL("secret"));
    remote = seal_under("hsm", options, LITERAL("secret"));

    /* The first character of the payload as an escape. */
    options.encoding = ENVL_ENCODING_OBJECT;
    plain_object = seal_under("k-now", options, LITERAL("secret"));
    if (envl_buf_append(&plain_object, LITERAL("\0"), NULL) != ENVL_OK ||
        envl_buf_reserve(&object, plain_object.len + 16, NULL) != ENVL_OK)
        return -1;
    payload = strstr((char *)plain_object.ptr, "payload\":\"") + 10;
    object.len = (size_t)snprintf((char *)object.ptr, object.cap,
        "%.*s\\u%04x%s", (int)(payload - (char *)plain_object.ptr),
        (char *)plain_object.ptr, (unsigned)payload[0], payload + 1);
    envl_buf_free(&plain_object);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    envl_buf_free(&text);
    envl_buf_free(&object);
    envl_buf_free(&wrapped);
    envl_buf_free(&remote);
    envl_keyring_free(ring);
    return 0;
}

#define CASES (sizeof(memory_cases) / sizeof(memory_cases[0]))

int
main(void)
{
    struct CMUnitTest tests[2 + CASES] = {
        cmocka_unit_test(sealing_and_opening_into_memory_allocates_nothing),
        cmocka_unit_test(what_is_no_envelope_allocates_nothing),
    };

    for (size_t i = 0; i < CASES; i++)
        tests[2 + i] = (struct CMUnitTest){
            .name = memory_cases[i].name, .test_func = run_memory_case,
            .initial_state = (void *)(uintptr_t)&memory_cases[i],
        };
    return cmocka_run_group_tests_name("memory", tests, set_up, tear_down);
}
