/*
 * floor.h - the primitives that sealing and opening a value cannot do without,
 * and nothing else: HKDF-Expand-SHA512 with the key's pads prepared,
 * AES-256-GCM with a new key, 24 bytes from getrandom, base64.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sodium.h>

#define REPEAT 32 /* operations between two looks at the clock */

struct floor {
    SHA512_CTX inner, outer;
    uint8_t info[512], salt[24], keys[128];
    size_t info_len, frame_len, body_len;
    size_t random_len; /* drawn by one call for one value, or for many */
    EVP_CIPHER_CTX *ctx;
    uint8_t *frame, *body, *text;
    bool text_form;
};

static void
one_hmac(const struct floor *f, const uint8_t *before, size_t before_len,
         uint8_t number, uint8_t out[64])
{
    SHA512_CTX ctx = f->inner;
    uint8_t inner[64];

    SHA512_Update(&ctx, before, before_len);
    SHA512_Update(&ctx, f->info, f->info_len);
    SHA512_Update(&ctx, &number, 1);
    SHA512_Final(inner, &ctx);
    ctx = f->outer;
    SHA512_Update(&ctx, inner, sizeof(inner));
    SHA512_Final(out, &ctx);
}

static void
floor_hkdf(void *arg)
{
    struct floor *f = arg;

    one_hmac(f, NULL, 0, 1, f->keys);
    one_hmac(f, f->keys, 64, 2, f->keys + 64);
}

static void
floor_random(void *arg)
{
    struct floor *f = arg;

    if (getrandom(f->salt, f->random_len, 0) < 0)
        abort();
}

/* As research/performance.md has it: libsodium's up to 1 KiB. */
static void
floor_gcm(void *arg)
{
    struct floor *f = arg;
    int len;

    if (f->frame_len <= 1024) {
        crypto_aead_aes256gcm_encrypt(f->body + 57, NULL, f->frame,
                                      f->frame_len, NULL, 0, NULL,
                                      f->keys + 32, f->keys);
        return;
    }
    EVP_EncryptInit_ex(f->ctx, NULL, NULL, f->keys, f->keys + 32);
    EVP_EncryptUpdate(f->ctx, f->body + 57, &len, f->frame,
                      (int)f->frame_len);
    EVP_EncryptFinal_ex(f->ctx, f->body, &len);
    EVP_CIPHER_CTX_ctrl(f->ctx, EVP_CTRL_AEAD_GET_TAG, 16,
                        f->body + 57 + f->frame_len);
}

static void
floor_ungcm(void *arg)
{
    struct floor *f = arg;
    int len;

    if (f->frame_len <= 1024) {
        if (crypto_aead_aes256gcm_decrypt(f->frame, NULL, NULL, f->body + 57,
                                          f->frame_len + 16, NULL, 0,
                                          f->keys + 32, f->keys) != 0)
            abort();
        return;
    }
    EVP_DecryptInit_ex(f->ctx, NULL, NULL, f->keys, f->keys + 32);
    EVP_DecryptUpdate(f->ctx, f->frame, &len, f->body + 57,
                      (int)f->frame_len);
    EVP_CIPHER_CTX_ctrl(f->ctx, EVP_CTRL_AEAD_SET_TAG, 16,
                        f->body + 57 + f->frame_len);
    if (EVP_DecryptFinal_ex(f->ctx, f->frame, &len) != 1)
        abort();
}

static void
floor_encode(void *arg)
{
    struct floor *f = arg;

    EVP_EncodeBlock(f->text, f->body, (int)f->body_len);
}

static void
floor_decode(void *arg)
{
    struct floor *f = arg;

    EVP_DecodeBlock(f->body, f->text, (int)(f->body_len + 2) / 3 * 4);
}

static void
floor_seal(void *arg)
{
    struct floor *f = arg;

    for (int i = 0; i < REPEAT; i++) {
        if (f->random_len == 24)
            floor_random(f);
        floor_hkdf(f);
        floor_gcm(f);
        if (f->text_form)
            floor_encode(f);
    }
}

static void
floor_open(void *arg)
{
    struct floor *f = arg;

    for (int i = 0; i < REPEAT; i++) {
        floor_hkdf(f);
        floor_ungcm(f);
        if (f->text_form)
            floor_decode(f);
    }
}

static void
floor_new(struct floor *f, size_t frame_len, bool text_form)
{
    memset(f, 0, sizeof(*f));
    SHA512_Init(&f->inner);
    SHA512_Init(&f->outer);
    SHA512_Update(&f->inner, f->info, 128);
    SHA512_Update(&f->outer, f->info, 128);
    f->info_len = 48 + 24 + 20 + 4 * 4 + 5 + 21 + 2 + 2; /* as below */
    f->random_len = 24;
    f->frame_len = frame_len;
    f->body_len = 57 + frame_len + 16;
    f->text_form = text_form;
    f->frame = calloc(1, frame_len + 64);
    f->body = calloc(1, f->body_len + 64);
    f->text = calloc(1, f->body_len * 4 / 3 + 64);
    f->ctx = EVP_CIPHER_CTX_new();
    if (f->frame == NULL || f->body == NULL || f->text == NULL)
        abort();
    EVP_EncryptInit_ex(f->ctx, EVP_aes_256_gcm(), NULL, f->keys, NULL);
    floor_gcm(f);
    floor_encode(f);
}

static void
floor_free(struct floor *f)
{
    free(f->frame);
    free(f->body);
    free(f->text);
    EVP_CIPHER_CTX_free(f->ctx);
}

#endif /* BENCH_FLOOR_H */
