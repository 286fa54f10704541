/*
 * Wycheproof's cases (C2SP/wycheproof, testvectors_v1) for the primitives of
 * the format: every case that our interfaces can express is run, the others
 * are counted by the reason why not.  The files are looked for in the folder
 * that ENVELOPE_WYCHEPROOF names, else in ../shared/vectors/wycheproof.
 */
#include <jansson.h>
#include <sodium.h>

#include "cmocka_all.h"
#include "crypto/gcm.h"
#include "crypto/hmac512.h"
#include "crypto/keywrap.h"

static unsigned passed, refused, other;

/* The file, or NULL after having said why the test is skipped. */
static json_t *
load(const char *name)
{
    const char *named = getenv("ENVELOPE_WYCHEPROOF");
    const char *const folders[] = {
        named == NULL ? "" : named, "../shared/vectors/wycheproof",
        "../../shared/vectors/wycheproof",
    };

    passed = refused = other = 0;
    for (size_t i = named == NULL; i < 3; i++) {
        char path[600];
        json_t *doc;

        snprintf(path, sizeof(path), "%s/%s", folders[i], name);
        doc = json_load_file(path, 0, NULL);
        if (doc != NULL)
            return doc;
    }
    print_message("no %s: name its folder in ENVELOPE_WYCHEPROOF\n", name);
    return NULL;
}

static struct envl_bytes
hex_in(json_t *test, const char *name)
{
    const char *hex = json_string_value(json_object_get(test, name));
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = malloc(len + 1);

    assert_non_null(bytes);
    assert_int_equal(sodium_hex2bin(bytes, len, hex, 2 * len, NULL, NULL,
                                    NULL), 0);
    return (struct envl_bytes){ bytes, len };
}

static void
drop(struct envl_bytes bytes)
{
    free((void *)(uintptr_t)bytes.ptr);
}

static int
number_in(json_t *from, const char *name)
{
    return (int)json_integer_value(json_object_get(from, name));
}

static bool
is_valid(json_t *test)
{
    return strcmp(json_string_value(json_object_get(test, "result")),
                  "invalid") != 0;
}

/* Count a case, or stop with its number. */
static void
judge(json_t *test, bool good)
{
    if (good != is_valid(test))
        fail_msg("case %d", number_in(test, "tcId"));
    if (good)
        passed++;
    else
        refused++;
}

typedef void each_fn(json_t *group, json_t *test);

static void
run(const char *name, each_fn *each, const char *why_not)
{
    json_t *doc = load(name), *group, *test;
    size_t g, t;

    if (doc == NULL)
        skip();
    json_array_foreach(json_object_get(doc, "testGroups"), g, group) {
        json_array_foreach(json_object_get(group, "tests"), t, test)
            each(group, test);
    }
    print_message("%s: %u valid and %u invalid as they should be, %u not "
                  "applicable (%s)\n", name, passed, refused, other, why_not);
    assert_int_equal(passed + refused + other,
                     number_in(doc, "numberOfTests"));
    json_decref(doc);
}

/* ---- AES-256-GCM --------------------------------------------------------- */

/* By whichever implementation is chosen, and by OpenSSL in any case. */
static bool
gcm_good(struct envl_bytes key, struct envl_bytes nonce,
         struct envl_bytes text, struct envl_bytes sealed)
{
    uint8_t a[600], b[600], c[600], d[600];
    bool good, same;
    struct gcm_run r;

    assert_true(sealed.len <= sizeof(a));
    good = gcm_open(key.ptr, nonce.ptr, sealed, a, NULL) == ENVL_OK;
    assert_int_equal(gcm_begin(&r, key.ptr, NULL), ENVL_OK);
    assert_int_equal(gcm_run_open(&r, nonce.ptr, sealed, b, NULL) == ENVL_OK,
                     good);
    assert_int_equal(gcm_seal(key.ptr, nonce.ptr, text, c, NULL), ENVL_OK);
    assert_int_equal(gcm_run_seal(&r, nonce.ptr, text, d, NULL), ENVL_OK);
    gcm_end(&r);
    assert_memory_equal(c, d, text.len + GCM_TAG_LEN);
    same = memcmp(c, sealed.ptr, sealed.len) == 0;
    assert_int_equal(same, good);
    if (good) {
        assert_memory_equal(a, text.ptr, text.len);
        assert_memory_equal(b, text.ptr, text.len);
    }
    return good;
}

static void
gcm_case(json_t *group, json_t *test)
{
    struct envl_bytes key, nonce, text, cipher, tag;
    uint8_t sealed[600];

    if (number_in(group, "keySize") != 256 ||
        number_in(group, "ivSize") != 96 ||
        number_in(group, "tagSize") != 128 ||
        json_string_length(json_object_get(test, "aad")) != 0) {
        other++;
        return;
    }
    key = hex_in(test, "key");
    nonce = hex_in(test, "iv");
    text = hex_in(test, "msg");
    cipher = hex_in(test, "ct");
    tag = hex_in(test, "tag");
    memcpy(sealed, cipher.ptr, cipher.len);
    memcpy(sealed + cipher.len, tag.ptr, tag.len);
    judge(test, gcm_good(key, nonce, text, (struct envl_bytes){
        sealed, cipher.len + tag.len }));
    drop(key);
    drop(nonce);
    drop(text);
    drop(cipher);
    drop(tag);
}

static void
aes_256_gcm(void **state)
{
    (void)state;
    run("aes_gcm_test.json", gcm_case,
        "keys of 128 or 192 bits, nonces of other than 96, or additional "
        "data: the format has none of them");
}

/* ---- AES-256-KW ---------------------------------------------------------- */

static void
wrap_case(json_t *group, json_t *test)
{
    struct envl_bytes key = hex_in(test, "key"), text = hex_in(test, "msg");
    struct envl_bytes wrapped = hex_in(test, "ct");

    if (number_in(group, "keySize") != 256 || wrapped.len != KEYWRAP_LEN) {
        other++;
    } else {
        uint8_t plain[KEYWRAP_KEY_LEN], again[KEYWRAP_LEN];
        bool good = keywrap_unwrap(key.ptr, wrapped.ptr, plain, NULL) ==
                    ENVL_OK;

        if (good) {
            assert_memory_equal(plain, text.ptr, sizeof(plain));
            assert_int_equal(keywrap_wrap(key.ptr, plain, again, NULL),
                             ENVL_OK);
            assert_memory_equal(again, wrapped.ptr, sizeof(again));
        }
        judge(test, good);
    }
    drop(key);
    drop(text);
    drop(wrapped);
}

static void
aes_256_key_wrap(void **state)
{
    (void)state;
    run("aes_wrap_test.json", wrap_case,
        "keys of 128 or 192 bits, or wrapped keys of other than 40 bytes, "
        "which are refused before unwrapping (ENV-8.11)");
}

/* ---- HKDF and HMAC with SHA-512 ------------------------------------------ */

static void
hkdf_case(json_t *group, json_t *test)
{
    struct envl_bytes ikm = hex_in(test, "ikm"), salt = hex_in(test, "salt");
    struct envl_bytes info = hex_in(test, "info"), okm = hex_in(test, "okm");
    int size = number_in(test, "size");

    (void)group;
    if (size > 255 * (int)HMAC512_LEN) {
        other++;
    } else {
        uint8_t prk[HMAC512_LEN], *out = malloc((size_t)size + 1);
        struct hmac512_key key;

        /* Extract is not part of the format, and is one HMAC. */
        assert_non_null(out);
        hmac512_prepare(&key, salt);
        hmac512(&key, &ikm, 1, prk);
        hmac512_prepare(&key, (struct envl_bytes){ prk, sizeof(prk) });
        hkdf512_expand(&key, &info, 1, (struct envl_span){
            out, (size_t)size });
        judge(test, okm.len == (size_t)size &&
                        memcmp(out, okm.ptr, okm.len) == 0);
        free(out);
    }
    drop(ikm);
    drop(salt);
    drop(info);
    drop(okm);
}

static void
hkdf_sha512(void **state)
{
    (void)state;
    run("hkdf_sha512_test.json", hkdf_case,
        "more than 255 blocks, which no caller asks for");
}

static void
hmac_case(json_t *group, json_t *test)
{
    struct envl_bytes key = hex_in(test, "key"), text = hex_in(test, "msg");
    struct envl_bytes tag = hex_in(test, "tag");
    uint8_t out[HMAC512_LEN];
    struct hmac512_key prepared;

    hmac512_prepare(&prepared, key);
    hmac512(&prepared, &text, 1, out);
    assert_int_equal(tag.len, number_in(group, "tagSize") / 8);
    judge(test, memcmp(out, tag.ptr, tag.len) == 0);
    drop(key);
    drop(text);
    drop(tag);
}

static void
hmac_sha512(void **state)
{
    (void)state;
    run("hmac_sha512_test.json", hmac_case, "");
}

static void
hmac_sha256_has_no_user(void **state)
{
    (void)state;
    print_message("hmac_sha256_test.json: nothing here computes HMAC-SHA-256 "
                  "(the instance is SHA-512)\n");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_256_gcm),
        cmocka_unit_test(aes_256_key_wrap),
        cmocka_unit_test(hkdf_sha512),
        cmocka_unit_test(hmac_sha512),
        cmocka_unit_test(hmac_sha256_has_no_user),
    };

    return cmocka_run_group_tests_name("wycheproof", tests, NULL, NULL);
}
