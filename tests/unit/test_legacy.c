#include "cmocka_all.h"

#include "engine/legacy.h"

/*
 * TEST DATA: made with public keys and passphrases by the schemes' own tools
 * (cryptography's Fernet, pgcrypto, gpg), and RFC 7516 appendix A.1.
 */
#define FERNET \
    "gAAAAABrA2KDjgYTCEJyCqnCzEb1yQ7yccbktfW_TLhYMtR4ddJz-MXB6AxEeAZX" \
    "dghY83GYvwAJ6I_exx2Glt1NcreqIF3keA=="
#define PGCRYPTO \
    "c30d0407030282e096d0604eaa9574d23701c955edf14e225a95c9f8369a63f5" \
    "1a4674c2e0d0406aa2bfc9b299d71564b50e9f136020fe907cf5f5e81fee466f" \
    "6241a3c7d83ebfd5"
#define GPG \
    "8c0d04090302fa2df71025043f17ffd23c01a4a9bb64a8073199b3c2255549d2" \
    "b710032ed00e83e5d8a689b4a66055afdd9019e65da32120886fc6b723f1c9fc" \
    "02596739cbf9f9b6e890a60b3a"
#define JWE \
    "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaH" \
    "V7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT03JGe.48V1_ALb6US04U3b" \
    ".5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6j" \
    "iSdiwkIr3ajwQzaBtQD_A.XFBoMYUZodetZdvTiFvSkQ"
#define SOPS \
    "ENC[AES256_GCM,data:p673w==,iv:YY==,tag:Xg==,type:str]"
#define VAULT \
    "vault:v12:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

#define RAILS \
    "{\"p\":\"n7J0/ol+a7DRMeaE\",\"h\":{\"iv\":\"DXZMDWUKfp3bg/Yu\"," \
    "\"at\":\"X1/YjMHbHD4talgF9dt61A==\"}}"
#define CIPHERSWEET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJyg="

static const struct legacy_case {
    const char *value;
    const char *want; /* NULL: a plaintext for all we know */
} texts[] = {
    { FERNET, "fernet" },
    { VAULT, "vault transit" },
    { SOPS, "sops" },
    { JWE, "jwe" },
    { "v1.aesgcm256.5a25deb2.xyz=", "cloak" },
    { RAILS, "rails" },
    { "brng:" CIPHERSWEET, "ciphersweet" },
    { "nacl:" CIPHERSWEET, "ciphersweet" },
    { "fips:" CIPHERSWEET, "ciphersweet" },
    { "EJ[1:abc]", "ejson" },
    { "age-encryption.org/v1\n-> X25519", "age" },
    { "-----BEGIN AGE ENCRYPTED FILE-----\n", "age" },
    { "-----BEGIN PGP MESSAGE-----\n\nww0E", "openpgp" },
    { "$ANSIBLE_VAULT;1.1;AES256\n", "ansible vault" },
    /* What only resembles them. */
    { "", NULL },
    { "gAAAAA", NULL },
    { "gAAAAABrA2KDjgYTCEJyCqnCzEb1yQ7yccbk", NULL },
    { "gAAAAABrA2KDjgYTCEJyCqnCzEb1yQ7yccbktfW_TLhYMtR4ddJz-MXB6AxEeAZXdghY8"
      "3GYvwAJ6I_exx2Glt1NcreqIF3ke!==", NULL },
    { "gAAAAABrA2KDjgYTCEJyCqnCzEb1yQ7yccbktfW_TLhYMtR4ddJz-MXB6AxEeAZXdghY8"
      "3GYvwAJ6I_exx2Glt1NcreqIF3keAAA", NULL },
    { "vault:v1:short", NULL },
    { "vault:v:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", NULL },
    { "vault:secret/data/app", NULL },
    { "vault:v1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", NULL },
    { "ENC[AES256_GCM,data:p673w==,type:str]", NULL },
    { "x" SOPS, NULL },
    { "{\"p\":\"a\",\"h\":{\"iv\":\"b\"}}", NULL },
    { "{\"p\":\"a\",\"x\":{\"iv\":\"b\",\"at\":\"c\"},\"h\":{}}",
      NULL },
    { "{\"p\":\"a\",\"h\":{\"iv\":\"b\",\"at\":1}}", NULL },
    { "{\"p\":\"a\",\"h\":{\"iv\":\"b\",\"at\":\"c\"}", NULL },
    { "brng:short", NULL },
    { "fips:140-2 and 140-3, as the auditor wrote it down in his letter",
      NULL },
    /* A signed token (JWS) is a secret like any other. */
    { "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r",
      NULL },
    { "eyJhbGciOiJIUzI1NiJ9.a.b.c.d", NULL },
    { "eyJhIjp7ImFsZyI6IngiLCJlbmMiOiJ5In19.a.b.c.d", NULL },
    { "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0.a..c.d", NULL },
    { "v1.aesgcm256.5a25deb2", NULL },
    { "v1.aesgcm256.5A25DEB2.x", NULL },
    { "-----BEGIN OPENSSH PRIVATE KEY-----\n", NULL },
    { "-----BEGIN PGP PRIVATE KEY BLOCK-----\n", NULL },
    { "sk-live-4eC39HqLyjWDarjtT1zdp7dc", NULL },
    { "gr\xc3\xbc\xc3\x9f gott", NULL },
    { "\xc3\xa9t\xc3\xa9 comme hiver, un mot de passe", NULL },
};

static void
check(struct envl_bytes value, const char *want)
{
    const char *got = legacy_scheme(value);

    if ((got == NULL) != (want == NULL) ||
        (got != NULL && strcmp(got, want) != 0))
        fail_msg("%.40s: %s", (const char *)value.ptr,
                 got == NULL ? "none" : got);
}

static void
each_shape_is_known_and_what_resembles_it_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check(envl_bytes_of(texts[i].value), texts[i].want);
}

static void
jwe_without_an_encrypted_key_is_one(void **state)
{
    (void)state;
    check(LITERAL("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..b.c.d"), "jwe");
}

static void
openpgp_packets_are_followed(void **state)
{
    struct envl_bytes message = from_hex(PGCRYPTO);

    (void)state;
    check(message, "openpgp");
    check(from_hex(GPG), "openpgp");
    /* Of a cut message only the two headers are needed. */
    message.len = 17;
    check(message, "openpgp");
    message.len = 16;
    check(message, NULL);
    /* A packet that lies about its length, a version or S2K there is not. */
    check(from_hex("c3ff0407030282e096d0604eaa9574d237"), NULL);
    check(from_hex("c30d0307030282e096d0604eaa9574d237"), NULL);
    check(from_hex("c30d0407020282e096d0604eaa9574d237"), NULL);
    check(from_hex("c30d0407030282e096d0604eaa957400aa"), NULL);
}

/* No two bytes at the front of random-looking keys make them ciphertext. */
static void
few_random_keys_are_taken_for_ciphertext(void **state)
{
    uint8_t key[32];
    uint32_t seed = 1;
    unsigned taken = 0;

    (void)state;
    for (unsigned n = 0; n < 200000; n++) {
        for (size_t i = 0; i < sizeof(key); i++) {
            seed = seed * 1664525u + 1013904223u;
            key[i] = (uint8_t)(seed >> 24);
        }
        taken += legacy_scheme((struct envl_bytes){ key, sizeof(key) }) !=
                 NULL;
    }
    assert_int_equal(taken, 0);
}

static void
no_prefix_reads_too_far(void **state)
{
    static const char *const whole[] = { FERNET, VAULT, SOPS, JWE };

    (void)state;
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        for (size_t len = 0; len <= strlen(whole[i]); len++) {
            uint8_t *copy = malloc(len + 1);

            assert_non_null(copy);
            memcpy(copy, whole[i], len);
            (void)legacy_scheme((struct envl_bytes){ copy, len });
            free(copy);
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shape_is_known_and_what_resembles_it_is_not),
        cmocka_unit_test(jwe_without_an_encrypted_key_is_one),
        cmocka_unit_test(openpgp_packets_are_followed),
        cmocka_unit_test(few_random_keys_are_taken_for_ciphertext),
        cmocka_unit_test(no_prefix_reads_too_far),
    };

    return cmocka_run_group_tests_name("legacy", tests, NULL, NULL);
}
