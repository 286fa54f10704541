#include <string.h>

#include <sodium.h>

#include <envelope/envelope.h>

#include "core/random.h"
#include "crypto/gcm.h"
#include "crypto/hmac512.h"
#include "crypto/keywrap.h"
#include "keyring/key.h"
#include "selftest.h"

/* True if ${got} is what ${hex} says; all of these are public. */
static bool
is_hex(const uint8_t *got, size_t len, const char *hex)
{
    uint8_t want[128];
    size_t want_len = 0;

    return sodium_hex2bin(want, sizeof(want), hex, strlen(hex), NULL,
                          &want_len, NULL) == 0 &&
           want_len == len && sodium_memcmp(want, got, len) == 0;
}

/* 00 01 02 ... */
static void
count_up(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)i;
}

/* ---- AES-256-GCM -------------------------------------------------------- */

#define LONG_LEN 2048u /* beyond what libsodium is used for */

static const uint8_t zeros[LONG_LEN];

/* McGrew and Viega, test case 14, and the same key over 2048 zeros. */
static bool
gcm_seals(size_t len, const char *tag)
{
    uint8_t out[LONG_LEN + GCM_TAG_LEN];

    return gcm_seal(zeros, zeros, (struct envl_bytes){ zeros, len }, out,
                    NULL) == ENVL_OK &&
           is_hex(out, 16, "cea7403d4d606b6e074ec5d3baf39d18") &&
           is_hex(out + len, GCM_TAG_LEN, tag);
}

static bool
gcm_short_known(void)
{
    return gcm_seals(16, "d0d1c8a799996bf0265b98b5d48ab919");
}

static bool
gcm_long_known(void)
{
    return gcm_seals(LONG_LEN, "597d1b21f12d5cf83402408e33df2121");
}

static bool
gcm_refuses_forgery(size_t len)
{
    uint8_t sealed[LONG_LEN + GCM_TAG_LEN], out[LONG_LEN];
    struct envl_bytes input = { sealed, len + GCM_TAG_LEN };

    if (gcm_seal(zeros, zeros, (struct envl_bytes){ zeros, len }, sealed,
                 NULL) != ENVL_OK ||
        gcm_open(zeros, zeros, input, out, NULL) != ENVL_OK)
        return false;
    sealed[len + GCM_TAG_LEN - 1] ^= 1;
    return gcm_open(zeros, zeros, input, out, NULL) == ENVL_E_AUTH;
}

static bool
gcm_short_negative(void)
{
    return gcm_refuses_forgery(16) && gcm_refuses_forgery(0);
}

static bool
gcm_long_negative(void)
{
    return gcm_refuses_forgery(LONG_LEN);
}

/* ---- HMAC, HKDF, key wrap ----------------------------------------------- */

/* RFC 4231, test case 2. */
static bool
hmac_known(void)
{
    const struct envl_bytes text =
        envl_bytes_of("what do ya want for nothing?");
    struct hmac512_key key;
    uint8_t out[HMAC512_LEN];

    hmac512_prepare(&key, envl_bytes_of("Jefe"));
    hmac512(&key, &text, 1, out);
    return is_hex(out, sizeof(out),
                  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea"
                  "2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e"
                  "070a38bce737");
}

/* Computed by an independent implementation; two rounds, 76 bytes. */
static bool
hkdf_known(void)
{
    const struct envl_bytes info = envl_bytes_of("libenvelope selftest");
    struct hmac512_key key;
    uint8_t prk[32], out[76];

    count_up(prk, sizeof(prk));
    hmac512_prepare(&key, (struct envl_bytes){ prk, sizeof(prk) });
    hkdf512_expand(&key, &info, 1, (struct envl_span){ out, sizeof(out) });
    return is_hex(out, sizeof(out),
                  "204144b68a20407946fd2e4fbf7dee12449242aa0249635a128ec177e6"
                  "a82a91fc5819708c797a82eea01519aa7c644fb7a3ef2c60b65508c1e0"
                  "5e1c6cf5ec9145a43a8606c2b456604a2f83");
}

/* RFC 3394, section 4.6. */
static bool
keywrap_known(void)
{
    uint8_t kek[KEYWRAP_KEY_LEN], key[KEYWRAP_KEY_LEN], out[KEYWRAP_LEN];
    uint8_t again[KEYWRAP_KEY_LEN];

    count_up(kek, sizeof(kek));
    for (size_t i = 0; i < 16; i++)
        key[i] = (uint8_t)(0x11 * i);
    count_up(key + 16, 16);
    return keywrap_wrap(kek, key, out, NULL) == ENVL_OK &&
           is_hex(out, sizeof(out),
                  "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a"
                  "99f43bfb988b9b7a02dd21") &&
           keywrap_unwrap(kek, out, again, NULL) == ENVL_OK &&
           sodium_memcmp(key, again, sizeof(key)) == 0;
}

static bool
keywrap_negative(void)
{
    uint8_t kek[KEYWRAP_KEY_LEN], out[KEYWRAP_LEN], key[KEYWRAP_KEY_LEN];

    count_up(kek, sizeof(kek));
    if (keywrap_wrap(kek, zeros, out, NULL) != ENVL_OK)
        return false;
    out[0] ^= 1;
    return keywrap_unwrap(kek, out, key, NULL) == ENVL_E_AUTH;
}

static bool
random_differs(void)
{
    uint8_t a[32], b[32];

    return random_fill((struct envl_span){ a, sizeof(a) }, NULL) == ENVL_OK &&
           random_fill((struct envl_span){ b, sizeof(b) }, NULL) == ENVL_OK &&
           sodium_memcmp(a, b, sizeof(a)) != 0 &&
           !sodium_is_zero(a, sizeof(a));
}

/* ---- an envelope -------------------------------------------------------- */

/* The first known answer of spec/vectors, under its published test key. */
static const char known_envelope[] =
    "env1:k2026-11:ANu0sCrE4QAHVdOZMgh5r67Ch1BsP1V2kb5xJxhzZrS9VKyxb4Ei7dpyR"
    "QmgwivMGmu-wyHteNB4p7cvHcXcx9UheqeV1NQaSe-gmS1JwG98BzPIj9H_k2WYq-m14vx8"
    "SEixGYJAPI33JQd8kzHyk2O1FUT6wZg7ryeKsadGQIbGXf21H6OynmE";

static enum envl_status
open_known(const char *row, struct envl_plain *plain)
{
    struct keyring_given given = {
        .info = { .kid = "k2026-11", .scope = "default",
                  .use = ENVL_USE_SEAL, .state = ENVL_KEY_ACTIVE }
    };
    const struct envl_pair pairs[] = {
        { envl_bytes_of("field"), envl_bytes_of("model_configs.api_key") },
        { envl_bytes_of("id"), envl_bytes_of(row) }
    };
    const struct envl_context context = { pairs, 2 };
    struct envl_keyring *ring = NULL;
    enum envl_status status;

    count_up(given.bytes, sizeof(given.bytes));
    if ((status = keyring_from_keys(&given, 1, &ring, NULL)) == ENVL_OK)
        status = envl_open(ring, NULL, &context,
                           envl_bytes_of(known_envelope), plain, NULL);
    envl_keyring_free(ring);
    return status;
}

static bool
envelope_known(void)
{
    struct envl_plain plain = { .value = ENVL_BUF_INIT };
    bool ok;

    ok = open_known("42", &plain) == ENVL_OK &&
         plain.type == ENVL_TYPE_TEXT && plain.value.len == 40 &&
         is_hex(plain.value.ptr, 13, "736b2d6c6976652d3031323334");
    envl_plain_free(&plain);
    return ok;
}

static bool
envelope_negative(void)
{
    struct envl_plain plain = { .value = ENVL_BUF_INIT };
    bool ok = open_known("43", &plain) == ENVL_E_AUTH;

    envl_plain_free(&plain);
    return ok;
}

static const struct selftest tests[] = {
    { "aes-256-gcm, short: known answer", gcm_short_known },
    { "aes-256-gcm, short: a forged tag is refused", gcm_short_negative },
    { "aes-256-gcm, long: known answer", gcm_long_known },
    { "aes-256-gcm, long: a forged tag is refused", gcm_long_negative },
    { "hmac-sha-512: known answer", hmac_known },
    { "hkdf-expand-sha512: known answer", hkdf_known },
    { "aes-256-kw: known answer", keywrap_known },
    { "aes-256-kw: a changed key is refused", keywrap_negative },
    { "getrandom: two draws differ", random_differs },
    { "envelope v1: known answer", envelope_known },
    { "envelope v1: another place is refused", envelope_negative },
};

const struct selftest *
selftest_at(size_t i)
{
    return i < sizeof(tests) / sizeof(*tests) ? &tests[i] : NULL;
}
