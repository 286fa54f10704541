/* Straight calls into libcrypto and libsodium, as little as can be. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdlib.h>
#include <sys/random.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sodium.h>

#include "bench.h"

#define SALT_LEN   24u
#define INFO_LEN   140u /* label, salt, and a context of two pairs */
#define HEAD_LEN   57u  /* mode, salt, commitment                  */
#define TAG_LEN    16u
#define SODIUM_MAX 1024u /* libsodium is faster up to here          */

struct bench_floor {
    SHA512_CTX inner, outer; /* after the key's pads */
    uint8_t info[INFO_LEN], keys[2 * 64];
    EVP_CIPHER_CTX *seal, *open;
    uint8_t *frame, *body, *text;
    size_t frame_len, body_len;
    int as_text;
};

static void
hmac(const struct bench_floor *f, const uint8_t *before, size_t before_len,
     uint8_t number, uint8_t out[64])
{
    SHA512_CTX ctx = f->inner;
    uint8_t inner[64];

    SHA512_Update(&ctx, before, before_len);
    SHA512_Update(&ctx, f->info, INFO_LEN);
    SHA512_Update(&ctx, &number, 1);
    SHA512_Final(inner, &ctx);
    ctx = f->outer;
    SHA512_Update(&ctx, inner, sizeof(inner));
    SHA512_Final(out, &ctx);
}

static void
derive(struct bench_floor *f)
{
    hmac(f, f->keys, 0, 1, f->keys);
    hmac(f, f->keys, 64, 2, f->keys + 64);
}

static void
gcm_seal(struct bench_floor *f, const uint8_t *key)
{
    uint8_t *out = f->body + HEAD_LEN;
    int len;

    if (f->frame_len <= SODIUM_MAX) {
        crypto_aead_aes256gcm_encrypt(out, NULL, f->frame, f->frame_len,
                                      NULL, 0, NULL, f->keys + 32, key);
        return;
    }
    EVP_EncryptInit_ex(f->seal, NULL, NULL, key, f->keys + 32);
    EVP_EncryptUpdate(f->seal, out, &len, f->frame, (int)f->frame_len);
    EVP_EncryptFinal_ex(f->seal, out + len, &len);
    EVP_CIPHER_CTX_ctrl(f->seal, EVP_CTRL_AEAD_GET_TAG, TAG_LEN,
                        out + f->frame_len);
}

static void
gcm_open(struct bench_floor *f)
{
    uint8_t *in = f->body + HEAD_LEN;
    int len;

    if (f->frame_len <= SODIUM_MAX) {
        if (crypto_aead_aes256gcm_decrypt(f->frame, NULL, NULL, in,
                                          f->frame_len + TAG_LEN, NULL, 0,
                                          f->keys + 32, f->keys) != 0)
            abort();
        return;
    }
    EVP_DecryptInit_ex(f->open, NULL, NULL, f->keys, f->keys + 32);
    EVP_DecryptUpdate(f->open, f->frame, &len, in, (int)f->frame_len);
    EVP_CIPHER_CTX_ctrl(f->open, EVP_CTRL_AEAD_SET_TAG, TAG_LEN,
                        in + f->frame_len);
    if (EVP_DecryptFinal_ex(f->open, f->frame + len, &len) != 1)
        abort();
}

void
bench_floor_seal_drawn(void *floor)
{
    struct bench_floor *f = floor;

    derive(f);
    gcm_seal(f, f->keys);
    if (f->as_text)
        EVP_EncodeBlock(f->text, f->body, (int)f->body_len);
}

void
bench_floor_seal(void *floor)
{
    struct bench_floor *f = floor;

    /* Beside the info, so that what is opened stays what was sealed. */
    if (getrandom(f->body + 1, SALT_LEN, 0) != SALT_LEN)
        abort();
    bench_floor_seal_drawn(floor);
}

void
bench_floor_open(void *floor)
{
    struct bench_floor *f = floor;

    if (f->as_text)
        EVP_DecodeBlock(f->body, f->text,
                        (int)((f->body_len + 2) / 3 * 4));
    derive(f);
    gcm_open(f);
}

void
bench_floor_bulk(void *floor)
{
    struct bench_floor *f = floor;

    gcm_seal(f, f->keys);
}

struct bench_floor *
bench_floor_new(size_t frame_len, int text)
{
    struct bench_floor *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return NULL;
    f->frame_len = frame_len;
    f->body_len = HEAD_LEN + frame_len + TAG_LEN;
    f->as_text = text;
    f->frame = calloc(1, frame_len + 64);
    f->body = calloc(1, f->body_len + 64);
    f->text = calloc(1, (f->body_len + 2) / 3 * 4 + 64);
    f->seal = EVP_CIPHER_CTX_new();
    f->open = EVP_CIPHER_CTX_new();
    if (f->frame == NULL || f->body == NULL || f->text == NULL ||
        EVP_EncryptInit_ex(f->seal, EVP_aes_256_gcm(), NULL, NULL, NULL) !=
            1 ||
        EVP_DecryptInit_ex(f->open, EVP_aes_256_gcm(), NULL, NULL, NULL) !=
            1) {
        bench_floor_free(f);
        return NULL;
    }
    SHA512_Init(&f->inner);
    SHA512_Init(&f->outer);
    SHA512_Update(&f->inner, f->frame, 0);
    bench_floor_seal(f);
    return f;
}

void
bench_floor_free(struct bench_floor *floor)
{
    if (floor == NULL)
        return;
    EVP_CIPHER_CTX_free(floor->seal);
    EVP_CIPHER_CTX_free(floor->open);
    free(floor->frame);
    free(floor->body);
    free(floor->text);
    free(floor);
}
