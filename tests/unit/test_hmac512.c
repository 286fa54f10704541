#include "cmocka_all.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include "crypto/hmac512.h"

/* RFC 4231, test case 2. */
static void
gives_the_rfc_4231_answer(void **state)
{
    struct envl_bytes part = LITERAL("what do ya want for nothing?");
    struct hmac512_key key;
    uint8_t out[HMAC512_LEN];

    (void)state;
    hmac512_prepare(&key, LITERAL("Jefe"));
    hmac512(&key, &part, 1, out);
    assert_memory_equal(out, from_hex(
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
        "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737")
        .ptr, 64);
}

/* RFC 4231, test case 6: a key longer than a block. */
static void
hashes_a_long_key_first(void **state)
{
    struct envl_bytes part =
        LITERAL("Test Using Larger Than Block-Size Key - Hash Key First");
    struct hmac512_key key;
    uint8_t bytes[131], out[HMAC512_LEN];

    (void)state;
    memset(bytes, 0xaa, sizeof(bytes));
    hmac512_prepare(&key, (struct envl_bytes){ bytes, sizeof(bytes) });
    hmac512(&key, &part, 1, out);
    assert_memory_equal(out, from_hex(
        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
        "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598")
        .ptr, 64);
}

static void
parts_are_the_same_as_the_whole(void **state)
{
    uint8_t bytes[400], a[HMAC512_LEN], b[HMAC512_LEN];
    struct hmac512_key key;

    (void)state;
    randombytes_buf(bytes, sizeof(bytes));
    hmac512_prepare(&key, (struct envl_bytes){ bytes, 32 });
    for (size_t cut = 0; cut <= sizeof(bytes); cut += 7) {
        struct envl_bytes whole = { bytes, sizeof(bytes) };
        struct envl_bytes parts[2] = {
            { bytes, cut }, { bytes + cut, sizeof(bytes) - cut },
        };

        hmac512(&key, &whole, 1, a);
        hmac512(&key, parts, 2, b);
        assert_memory_equal(a, b, sizeof(a));
    }
}

/* HKDF-Expand by its definition, from OpenSSL's HMAC. */
static void
expand_by_the_book(const uint8_t *prk, struct envl_bytes info, uint8_t *out,
                   size_t len)
{
    uint8_t block[64 + 512 + 1], t[64];
    unsigned t_len = 0;

    for (uint8_t n = 1; len > 0; n++) {
        size_t take = len < 64 ? len : 64;

        memcpy(block, t, t_len);
        memcpy(block + t_len, info.ptr, info.len);
        block[t_len + info.len] = n;
        assert_non_null(HMAC(EVP_sha512(), prk, 32, block,
                             t_len + info.len + 1, t, &t_len));
        memcpy(out, t, take);
        out += take;
        len -= take;
    }
}

static void
expand_agrees_with_its_definition(void **state)
{
    static const size_t lens[] = { 1, 32, 63, 64, 65, 76, 128, 129, 1000,
                                   255 * 64 };
    static uint8_t ours[255 * 64], theirs[255 * 64];
    uint8_t prk[32], info[512];
    struct hmac512_key key;

    (void)state;
    randombytes_buf(prk, sizeof(prk));
    randombytes_buf(info, sizeof(info));
    hmac512_prepare(&key, (struct envl_bytes){ prk, 32 });
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct envl_bytes parts[2] = { { info, 100 }, { info + 100, 50 } };

        hkdf512_expand(&key, parts, 2, (struct envl_span){ ours, lens[i] });
        expand_by_the_book(prk, (struct envl_bytes){ info, 150 }, theirs,
                           lens[i]);
        assert_memory_equal(ours, theirs, lens[i]);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_rfc_4231_answer),
        cmocka_unit_test(hashes_a_long_key_first),
        cmocka_unit_test(parts_are_the_same_as_the_whole),
        cmocka_unit_test(expand_agrees_with_its_definition),
    };

    return cmocka_run_group_tests_name("hmac512", tests, NULL, NULL);
}
