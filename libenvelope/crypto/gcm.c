#include <limits.h>
#include <pthread.h>

#include <openssl/evp.h>
#include <sodium.h>

#include "core/auth.h"
#include "core/sodium_once.h"
#include "crypto/gcm.h"

/* Where OpenSSL becomes the faster of the two (tests/bench/bench_values). */
#define SODIUM_MAX 1024u

/* ---- OpenSSL: one library context, one cipher context a thread ---------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *library;
static EVP_CIPHER *cipher;
static pthread_key_t thread_end;
static int have_thread_end;
static _Thread_local EVP_CIPHER_CTX *mine;

static void
free_ctx(void *ctx)
{
    EVP_CIPHER_CTX_free(ctx);
    mine = NULL; /* another destructor of this thread may seal yet */
}

static void
set_up(void)
{
    have_thread_end = pthread_key_create(&thread_end, free_ctx) == 0;
    library = OSSL_LIB_CTX_new();
    if (library != NULL)
        cipher = EVP_CIPHER_fetch(library, "AES-256-GCM", NULL);
}

/* A plugin that is unloaded must not be called back when a thread ends. */
__attribute__((destructor)) static void
forget(void)
{
    if (have_thread_end)
        (void)pthread_key_delete(thread_end);
}

static enum envl_status
openssl_failed(struct envl_error *err)
{
    return envl_fail(err, ENVL_E_INTERNAL, "OpenSSL's AES-256-GCM failed");
}

/* The thread's context, made at its first use. */
static EVP_CIPHER_CTX *
thread_ctx(void)
{
    EVP_CIPHER_CTX *ctx = mine;

    if (ctx != NULL)
        return ctx;
    (void)pthread_once(&once, set_up);
    if (cipher == NULL || !have_thread_end)
        return NULL;
    ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL)
        return NULL;
    if (EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, 1, NULL) != 1 ||
        pthread_setspecific(thread_end, ctx) != 0) {
        EVP_CIPHER_CTX_free(ctx);
        return NULL;
    }
    mine = ctx;
    return ctx;
}

/* Throw the thread's context away: it may still hold a key. */
static void
drop_ctx(void)
{
    EVP_CIPHER_CTX_free(mine);
    mine = NULL;
    (void)pthread_setspecific(thread_end, NULL);
}

enum envl_status
gcm_begin(struct gcm_run *run, const uint8_t key[GCM_KEY_LEN],
          struct envl_error *err)
{
    EVP_CIPHER_CTX *ctx = thread_ctx();

    if (ctx == NULL)
        return openssl_failed(err);
    if (EVP_CipherInit_ex2(ctx, NULL, key, NULL, -1, NULL) != 1) {
        drop_ctx();
        return openssl_failed(err);
    }
    run->ctx = ctx;
    return ENVL_OK;
}

void
gcm_end(struct gcm_run *run)
{
    static const uint8_t zeros[GCM_KEY_LEN];

    if (EVP_CipherInit_ex2(run->ctx, NULL, zeros, NULL, -1, NULL) != 1)
        drop_ctx();
    run->ctx = NULL;
}

enum envl_status
gcm_run_seal(struct gcm_run *run, const uint8_t nonce[GCM_NONCE_LEN],
             struct envl_bytes text, uint8_t *out, struct envl_error *err)
{
    EVP_CIPHER_CTX *ctx = run->ctx;
    int len = 0, rest = 0;

    if (text.len <= INT_MAX - GCM_TAG_LEN &&
        EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, 1, NULL) == 1 &&
        (text.len == 0 ||
         EVP_CipherUpdate(ctx, out, &len, text.ptr, (int)text.len) == 1) &&
        EVP_CipherFinal_ex(ctx, out + len, &rest) == 1 &&
        (size_t)len + (size_t)rest == text.len &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)GCM_TAG_LEN,
                            out + text.len) == 1)
        return ENVL_OK;
    sodium_memzero(out, text.len + GCM_TAG_LEN);
    return openssl_failed(err);
}

enum envl_status
gcm_run_open(struct gcm_run *run, const uint8_t nonce[GCM_NONCE_LEN],
             struct envl_bytes sealed, uint8_t *out, struct envl_error *err)
{
    EVP_CIPHER_CTX *ctx = run->ctx;
    uint8_t tag[GCM_TAG_LEN];
    int len = 0, rest = 0;
    size_t text_len;

    if (sealed.len < GCM_TAG_LEN)
        return auth_fail(err);
    text_len = sealed.len - GCM_TAG_LEN;
    for (size_t i = 0; i < GCM_TAG_LEN; i++)
        tag[i] = sealed.ptr[text_len + i];

    /* The tag's length is this constant, whatever came in. spec: ENV-4.6 */
    if (text_len > INT_MAX ||
        EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, 0, NULL) != 1 ||
        (text_len > 0 &&
         EVP_CipherUpdate(ctx, out, &len, sealed.ptr, (int)text_len) != 1) ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)GCM_TAG_LEN,
                            tag) != 1) {
        sodium_memzero(out, text_len);
        return openssl_failed(err);
    }
    /* OpenSSL has written plaintext before it has checked the tag. */
    if (EVP_CipherFinal_ex(ctx, out + len, &rest) != 1 ||
        (size_t)len + (size_t)rest != text_len) {
        sodium_memzero(out, text_len);
        return auth_fail(err);
    }
    return ENVL_OK;
}

/* ---- whichever is faster ------------------------------------------------ */

enum envl_status
gcm_seal(const uint8_t key[GCM_KEY_LEN], const uint8_t nonce[GCM_NONCE_LEN],
         struct envl_bytes text, uint8_t *out, struct envl_error *err)
{
    struct gcm_run run;
    enum envl_status status;

    if (text.len <= SODIUM_MAX && sodium_once_aes()) {
        if (crypto_aead_aes256gcm_encrypt(out, NULL, text.ptr, text.len, NULL,
                                          0, NULL, nonce, key) == 0)
            return ENVL_OK;
        sodium_memzero(out, text.len + GCM_TAG_LEN);
        return envl_fail(err, ENVL_E_INTERNAL, "AES-256-GCM failed");
    }
    status = gcm_begin(&run, key, err);
    if (status != ENVL_OK)
        return status;
    status = gcm_run_seal(&run, nonce, text, out, err);
    gcm_end(&run);
    return status;
}

enum envl_status
gcm_open(const uint8_t key[GCM_KEY_LEN], const uint8_t nonce[GCM_NONCE_LEN],
         struct envl_bytes sealed, uint8_t *out, struct envl_error *err)
{
    struct gcm_run run;
    enum envl_status status;

    if (sealed.len < GCM_TAG_LEN)
        return auth_fail(err);
    if (sealed.len - GCM_TAG_LEN <= SODIUM_MAX && sodium_once_aes()) {
        if (crypto_aead_aes256gcm_decrypt(out, NULL, NULL, sealed.ptr,
                                          sealed.len, NULL, 0, nonce,
                                          key) == 0)
            return ENVL_OK;
        sodium_memzero(out, sealed.len - GCM_TAG_LEN);
        return auth_fail(err);
    }
    status = gcm_begin(&run, key, err);
    if (status != ENVL_OK)
        return status;
    status = gcm_run_open(&run, nonce, sealed, out, err);
    gcm_end(&run);
    return status;
}
