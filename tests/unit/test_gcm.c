#include "cmocka_all.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>

#include "crypto/gcm.h"

static uint8_t key[GCM_KEY_LEN], nonce[GCM_NONCE_LEN];

/* ---- OpenSSL's calls, each of which can be made to fail (WRAP) ----------- */

static int fail_at = -1; /* the call that fails, -1: none */
static bool no_aes;      /* libsodium has no AES here     */

static bool
fails(void)
{
    return fail_at >= 0 && fail_at-- == 0;
}

EVP_CIPHER_CTX *__real_EVP_CIPHER_CTX_new(void);
EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void);
int __real_EVP_CipherInit_ex2(EVP_CIPHER_CTX *, const EVP_CIPHER *,
                              const unsigned char *, const unsigned char *,
                              int, const OSSL_PARAM *);
int __wrap_EVP_CipherInit_ex2(EVP_CIPHER_CTX *, const EVP_CIPHER *,
                              const unsigned char *, const unsigned char *,
                              int, const OSSL_PARAM *);
int __real_EVP_CipherUpdate(EVP_CIPHER_CTX *, unsigned char *, int *,
                            const unsigned char *, int);
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *, unsigned char *, int *,
                            const unsigned char *, int);
int __real_EVP_CipherFinal_ex(EVP_CIPHER_CTX *, unsigned char *, int *);
int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX *, unsigned char *, int *);
int __real_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *, int, int, void *);
int __wrap_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *, int, int, void *);
bool __real_sodium_once_aes(void);
bool __wrap_sodium_once_aes(void);

EVP_CIPHER_CTX *
__wrap_EVP_CIPHER_CTX_new(void)
{
    return fails() ? NULL : __real_EVP_CIPHER_CTX_new();
}

int
__wrap_EVP_CipherInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
                          const unsigned char *k, const unsigned char *iv,
                          int encrypt, const OSSL_PARAM *params)
{
    return fails() ? 0 : __real_EVP_CipherInit_ex2(ctx, cipher, k, iv,
                                                   encrypt, params);
}

int
__wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len,
                        const unsigned char *in, int in_len)
{
    return fails() ? 0 : __real_EVP_CipherUpdate(ctx, out, len, in, in_len);
}

int
__wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len)
{
    return fails() ? 0 : __real_EVP_CipherFinal_ex(ctx, out, len);
}

int
__wrap_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int what, int size, void *p)
{
    return fails() ? 0 : __real_EVP_CIPHER_CTX_ctrl(ctx, what, size, p);
}

bool
__wrap_sodium_once_aes(void)
{
    return !no_aes && __real_sodium_once_aes();
}

/* A second opinion: the textbook calls, a new context each time. */
static void
seal_by_the_book(struct envl_bytes text, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0, rest = 0;

    assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key,
                                        nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, out, &len, text.ptr,
                                       (int)text.len), 1);
    assert_int_equal(EVP_EncryptFinal_ex(ctx, out + len, &rest), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16,
                                         out + text.len), 1);
    EVP_CIPHER_CTX_free(ctx);
}

/* Lengths on both sides of where the implementation changes. */
static const size_t lens[] = { 0, 1, 15, 16, 17, 64, 1023, 1024, 1025, 4096,
                               16383, 16384 };
#define LENS (sizeof(lens) / sizeof(lens[0]))

static void
both_implementations_agree_with_the_book(void **state)
{
    static uint8_t text[16384], ours[16400], theirs[16400], back[16384];

    (void)state;
    randombytes_buf(text, sizeof(text));
    for (size_t i = 0; i < LENS; i++) {
        struct envl_bytes in = { text, lens[i] };
        struct gcm_run run;

        randombytes_buf(key, sizeof(key));
        randombytes_buf(nonce, sizeof(nonce));
        seal_by_the_book(in, theirs);
        assert_int_equal(gcm_seal(key, nonce, in, ours, NULL), ENVL_OK);
        assert_memory_equal(ours, theirs, lens[i] + 16);

        memset(ours, 0, sizeof(ours));
        assert_int_equal(gcm_begin(&run, key, NULL), ENVL_OK);
        assert_int_equal(gcm_run_seal(&run, nonce, in, ours, NULL), ENVL_OK);
        assert_memory_equal(ours, theirs, lens[i] + 16);
        assert_int_equal(gcm_run_open(&run, nonce, (struct envl_bytes){
            ours, lens[i] + 16 }, back, NULL), ENVL_OK);
        gcm_end(&run);
        assert_memory_equal(back, text, lens[i]);

        memset(back, 0, sizeof(back));
        assert_int_equal(gcm_open(key, nonce, (struct envl_bytes){
            ours, lens[i] + 16 }, back, NULL), ENVL_OK);
        assert_memory_equal(back, text, lens[i]);
    }
}

static void
works_in_place(void **state)
{
    static uint8_t text[16400], before[16384];

    (void)state;
    for (size_t i = 0; i < LENS; i++) {
        randombytes_buf(before, lens[i]);
        memcpy(text, before, lens[i]);
        assert_int_equal(gcm_seal(key, nonce, (struct envl_bytes){
            text, lens[i] }, text, NULL), ENVL_OK);
        if (lens[i] > 8)
            assert_memory_not_equal(text, before, lens[i]);
        assert_int_equal(gcm_open(key, nonce, (struct envl_bytes){
            text, lens[i] + 16 }, text, NULL), ENVL_OK);
        assert_memory_equal(text, before, lens[i]);
    }
}

/* spec: ENV-4.6, ENV-8.15 */
static void
a_wrong_tag_leaves_nothing_in_the_output(void **state)
{
    static uint8_t sealed[16400], out[16384];
    struct envl_error err;

    (void)state;
    for (size_t i = 0; i < LENS; i++) {
        size_t len = lens[i] + 16;

        memset(sealed, 's', sizeof(sealed));
        assert_int_equal(gcm_seal(key, nonce, (struct envl_bytes){
            sealed, lens[i] }, sealed, NULL), ENVL_OK);
        for (size_t bit = 0; bit < 8 * len; bit += bit < 128 ? 1 : 1021) {
            sealed[len - 1 - bit / 8] ^= (uint8_t)(1 << bit % 8);
            memset(out, 7, sizeof(out));
            assert_int_equal(gcm_open(key, nonce, (struct envl_bytes){
                sealed, len }, out, &err), ENVL_E_AUTH);
            for (size_t j = 0; j < lens[i]; j++)
                assert_int_equal(out[j], 0);
            sealed[len - 1 - bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t cut = 1; cut <= 16; cut++)
            assert_int_equal(gcm_open(key, nonce, (struct envl_bytes){
                sealed, len - cut }, out, &err), ENVL_E_AUTH);
    }
}

/* Every call fails once: nothing is given out, and the next one works. */
static void
a_failing_openssl_leaves_nothing_and_is_got_over(void **state)
{
    static uint8_t text[2000], sealed[2016], out[2016];
    unsigned internal = 0, auth = 0;

    (void)state;
    memset(text, 's', sizeof(text));
    assert_int_equal(gcm_seal(key, nonce, (struct envl_bytes){
        text, sizeof(text) }, sealed, NULL), ENVL_OK);
    for (int n = 0; n < 12; n++) {
        enum envl_status status;

        memset(out, 7, sizeof(out));
        fail_at = n / 2;
        if (n % 2 == 0)
            status = gcm_seal(key, nonce, (struct envl_bytes){
                text, sizeof(text) }, out, NULL);
        else
            status = gcm_open(key, nonce, (struct envl_bytes){
                sealed, sizeof(sealed) }, out, NULL);
        fail_at = -1;
        internal += status == ENVL_E_INTERNAL;
        auth += status == ENVL_E_AUTH;
        for (size_t i = 0; status != ENVL_OK && i < sizeof(text); i++)
            assert_true(out[i] == 0 || (out[i] == 7 && n < 2));
        assert_int_equal(gcm_open(key, nonce, (struct envl_bytes){
            sealed, sizeof(sealed) }, out, NULL), ENVL_OK);
        assert_memory_equal(out, text, sizeof(text));
    }
    /* Key, nonce, update, final, tag: final says "wrong tag" on opening. */
    assert_int_equal(internal, 9);
    assert_int_equal(auth, 1);
}

/* A thread that gets no context can do without it for short texts only. */
static void *
begin_in_thread(void *arg)
{
    struct gcm_run run;
    int *failed = arg;

    for (int n = 0; n < 2; n++) {
        fail_at = n; /* the new context, then its first use */
        if (gcm_begin(&run, key, NULL) != ENVL_E_INTERNAL)
            ++*failed;
        fail_at = -1;
    }
    if (gcm_begin(&run, key, NULL) != ENVL_OK)
        ++*failed;
    else
        gcm_end(&run);
    return NULL;
}

static void
a_thread_without_a_context_says_so(void **state)
{
    pthread_t thread;
    int failed = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, begin_in_thread, &failed),
                     0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(failed, 0);
}

static void
openssl_serves_all_where_there_is_no_aes(void **state)
{
    (void)state;
    no_aes = true;
    both_implementations_agree_with_the_book(state);
    a_wrong_tag_leaves_nothing_in_the_output(state);
    no_aes = false;
}

static void *
seal_in_thread(void *arg)
{
    static const uint8_t text[2000];
    uint8_t out[2016];

    for (int i = 0; i < 100; i++) {
        if (gcm_seal(key, nonce, (struct envl_bytes){ text, 2000 }, out,
                     NULL) != ENVL_OK)
            return arg;
    }
    return NULL;
}

static void
threads_come_and_go(void **state)
{
    int failure = 0;

    (void)state;
    for (int round = 0; round < 20; round++) {
        pthread_t threads[4];

        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL,
                                            seal_in_thread, &failure), 0);
        for (int i = 0; i < 4; i++) {
            void *failed;

            assert_int_equal(pthread_join(threads[i], &failed), 0);
            assert_null(failed);
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_implementations_agree_with_the_book),
        cmocka_unit_test(works_in_place),
        cmocka_unit_test(a_wrong_tag_leaves_nothing_in_the_output),
        cmocka_unit_test(a_failing_openssl_leaves_nothing_and_is_got_over),
        cmocka_unit_test(a_thread_without_a_context_says_so),
        cmocka_unit_test(openssl_serves_all_where_there_is_no_aes),
        cmocka_unit_test(threads_come_and_go),
    };

    return cmocka_run_group_tests_name("gcm", tests, NULL, NULL);
}
