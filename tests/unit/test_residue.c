/*
 * What is left in the process's memory after sealing and opening: no key of a
 * value, and no value that was wiped.  The whole writable memory is searched,
 * stacks and OpenSSL's and libsodium's own included.
 */
#include <fcntl.h>
#include <unistd.h>

#include "vector_fixture.h"

#include "envelope/payload.h"

#define LEN 32u

/* What is searched for is kept turned round, so as not to be found itself. */
struct needle {
    uint8_t turned[LEN];
};

static struct needle
needle_of(const uint8_t *bytes)
{
    struct needle needle;

    for (size_t i = 0; i < LEN; i++)
        needle.turned[i] = (uint8_t)~bytes[i];
    return needle;
}

static unsigned
count_in(const uint8_t *block, size_t len, const struct needle *needle)
{
    int first = needle->turned[0] ^ 0xff;
    const uint8_t *p = block, *end = block + len;
    unsigned count = 0;

    while ((size_t)(end - p) >= LEN &&
           (p = memchr(p, first, (size_t)(end - p) - LEN + 1)) != NULL) {
        size_t i = 0;

        while (i < LEN && (p[i] ^ needle->turned[i]) == 0xff)
            i++;
        count += i == LEN;
        p++;
    }
    return count;
}

/* How often the needle lies in memory that this process can write to. */
static unsigned
count_in_memory(const struct needle *needle)
{
    static uint8_t block[1 << 20];
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    unsigned count = 0;
    char line[512];

    assert_non_null(maps);
    assert_true(memory >= 0);
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long begin, end;
        char mode[8];

        if (sscanf(line, "%lx-%lx %7s", &begin, &end, mode) != 3 ||
            mode[0] != 'r' || mode[1] != 'w' || end - begin > 1ul << 30)
            continue; /* so large is only a sanitizer's shadow */
        while (begin < end) {
            size_t len = end - begin < sizeof(block) ? end - begin
                                                     : sizeof(block);
            ssize_t got = pread(memory, block, len, (off_t)begin);

            /* The block itself is in such memory: not twice. */
            if (got > 0 && !(begin <= (uintptr_t)block &&
                             (uintptr_t)block < begin + len))
                count += count_in(block, (size_t)got, needle);
            sodium_memzero(block, sizeof(block));
            if (got < (ssize_t)LEN || len <= LEN)
                break;
            begin += (size_t)got == len && begin + len < end
                         ? (size_t)got - LEN : (size_t)got;
        }
    }
    fclose(maps);
    close(memory);
    return count;
}

/* 1 under valgrind and sanitizers: every second size is enough. */
static size_t
quick(void)
{
    return getenv("ENVL_TEST_QUICK") != NULL;
}

static const char secret_key_hex[] =
    "9b1d5c7e3f20486aa1c3e5f70819b2d4f6283a4c5e60718293a4b5c6d7e8f901";
static const uint8_t salt[24] = "salt of a residue test!";

static struct envl_keyring *ring;

/* The AES key that a value gets under this salt, as a needle. */
static struct needle
value_key_needle(void)
{
    struct envl_bytes key = bytes_of_hex(secret_key_hex);
    struct hmac512_key prepared;
    struct context_code code;
    struct payload_keys keys;
    struct needle needle;

    assert_int_equal(context_code_make(NULL, &code, NULL), ENVL_OK);
    hmac512_prepare(&prepared, key);
    payload_derive(&prepared, salt, &code, &keys);
    needle = needle_of(keys.key);
    sodium_memzero(&keys, sizeof(keys));
    sodium_memzero(&prepared, sizeof(prepared));
    sodium_memzero((void *)(uintptr_t)key.ptr, key.len);
    free_bytes(key);
    return needle;
}

static void
the_search_finds_what_is_there(void **state)
{
    struct envl_bytes key = bytes_of_hex(secret_key_hex);
    struct needle needle = needle_of(key.ptr);

    (void)state;
    /* Here, and in the ring; the twin of the tests below. */
    assert_true(count_in_memory(&needle) >= 1);
    sodium_memzero((void *)(uintptr_t)key.ptr, key.len);
    free_bytes(key);
}

static void
no_key_of_a_value_is_left(void **state)
{
    static const size_t lens[] = { 20, 1000, 5000, 40000 };
    struct needle needle = value_key_needle();
    static uint8_t value[40000];

    (void)state;
    for (size_t i = quick(); i < 4; i += 1 + quick()) {
        struct envl_buf sealed = ENVL_BUF_INIT, streamed = ENVL_BUF_INIT;
        struct envl_plain plain = ENVL_PLAIN_INIT;
        struct envl_bytes in = { value, lens[i] };
        struct envl_verdict verdict;

        next_salt = salt;
        assert_int_equal(envl_seal(ring, NULL, NULL, in, &sealed, NULL),
                         ENVL_OK);
        assert_int_equal(count_in_memory(&needle), 0);
        assert_int_equal(envl_open(ring, NULL, NULL, envl_buf_view(&sealed),
                                   &plain, NULL), ENVL_OK);
        assert_int_equal(count_in_memory(&needle), 0);
        assert_int_equal(envl_classify(ring, NULL, NULL,
            envl_buf_view(&sealed), &verdict, NULL), ENVL_OK);
        assert_int_equal(count_in_memory(&needle), 0);
        sealed.ptr[sealed.len - 30] ^= 1;
        assert_int_not_equal(envl_open(ring, NULL, NULL,
            envl_buf_view(&sealed), &plain, NULL), ENVL_OK);
        assert_int_equal(count_in_memory(&needle), 0);
        sealed.ptr[50] ^= 1; /* the commitment: the right keys are derived */
        assert_int_equal(envl_open(ring, NULL, NULL, envl_buf_view(&sealed),
                                   &plain, NULL), ENVL_E_AUTH);
        assert_int_equal(count_in_memory(&needle), 0);
        assert_int_equal(seal_as_stream(ring, NULL, NULL, in, 7000,
                                        &streamed), ENVL_OK);
        assert_int_equal(open_as_stream(ring, NULL, NULL,
            envl_buf_view(&streamed), 7000, &plain), ENVL_OK);
        assert_int_equal(count_in_memory(&needle), 0);
        next_salt = NULL;
        envl_buf_free(&sealed);
        envl_buf_free(&streamed);
        envl_plain_free(&plain);
    }
}

/* A value of 32 letters, twice, so that padding and chunks do not hide it. */
static void
make_value(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)~("QWERTZUIOPASDFGHJKLYXCVBNM987654"[i % 32]);
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)~out[i];
}

static void
no_value_is_left_that_was_freed(void **state)
{
    static const size_t lens[] = { 64, 1000, 5000, 40000 };
    struct needle needle;
    uint8_t *value = malloc(40000);

    (void)state;
    assert_non_null(value);
    make_value(value, 64);
    needle = needle_of(value);
    sodium_memzero(value, 64);
    /* The letters themselves are in read-only memory. */
    for (size_t i = quick(); i < 4; i += 1 + quick()) {
        struct envl_buf sealed = ENVL_BUF_INIT, streamed = ENVL_BUF_INIT;
        struct envl_plain plain = ENVL_PLAIN_INIT;

        make_value(value, lens[i]);
        assert_int_equal(envl_seal(ring, NULL, NULL, (struct envl_bytes){
            value, lens[i] }, &sealed, NULL), ENVL_OK);
        assert_int_equal(seal_as_stream(ring, NULL, NULL, (struct envl_bytes){
            value, lens[i] }, 7000, &streamed), ENVL_OK);
        sodium_memzero(value, lens[i]);
        assert_int_equal(count_in_memory(&needle), 0);

        assert_int_equal(envl_open(ring, NULL, NULL, envl_buf_view(&sealed),
                                   &plain, NULL), ENVL_OK);
        assert_true(count_in_memory(&needle) >= 1);
        envl_plain_free(&plain);
        assert_int_equal(count_in_memory(&needle), 0);
        assert_int_equal(open_as_stream(ring, NULL, NULL,
            envl_buf_view(&streamed), 7000, &plain), ENVL_OK);
        envl_plain_free(&plain);
        assert_int_equal(count_in_memory(&needle), 0);

        /* And on a failure at the very end. */
        sealed.ptr[sealed.len - 5] ^= 1;
        assert_int_not_equal(envl_open(ring, NULL, NULL,
            envl_buf_view(&sealed), &plain, NULL), ENVL_OK);
        assert_int_equal(count_in_memory(&needle), 0);
        envl_plain_free(&plain);
        envl_buf_free(&sealed);
        envl_buf_free(&streamed);
    }
    free(value);
}

static int
set_up(void **state)
{
    json_t *list = json_pack("[{s:s, s:s, s:s, s:s}]", "kid", "k", "use",
                             "seal", "state", "active", "key",
                             secret_key_hex);

    (void)state;
    ring = ring_of(list);
    json_decref(list);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    envl_keyring_free(ring);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_finds_what_is_there),
        cmocka_unit_test(no_key_of_a_value_is_left),
        cmocka_unit_test(no_value_is_left_that_was_freed),
    };

    return cmocka_run_group_tests_name("residue", tests, set_up, tear_down);
}
