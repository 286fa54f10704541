/*
 * The low-level digest is deprecated in OpenSSL 3, and is what lets the state
 * after the key's pads be kept: through EVP one derivation costs three times
 * as much, and the whole of OpenSSL would be set up for it.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <string.h>

#include <sodium.h>

#include "crypto/hmac512.h"

#define BLOCK_LEN 128u

void
hmac512_prepare(struct hmac512_key *key, struct envl_bytes bytes)
{
    uint8_t pad[BLOCK_LEN] = { 0 };

    if (bytes.len > BLOCK_LEN)
        SHA512(bytes.ptr, bytes.len, pad);
    else if (bytes.len > 0)
        memcpy(pad, bytes.ptr, bytes.len);

    for (size_t i = 0; i < BLOCK_LEN; i++)
        pad[i] ^= 0x36;
    SHA512_Init(&key->inner);
    SHA512_Update(&key->inner, pad, BLOCK_LEN);
    for (size_t i = 0; i < BLOCK_LEN; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    SHA512_Init(&key->outer);
    SHA512_Update(&key->outer, pad, BLOCK_LEN);
    sodium_memzero(pad, sizeof(pad));
}

/* The outer hash over the inner one, which ${ctx} has taken in. */
static void
finish(const struct hmac512_key *key, SHA512_CTX *ctx,
       uint8_t out[HMAC512_LEN])
{
    uint8_t inner[HMAC512_LEN];

    SHA512_Final(inner, ctx);
    *ctx = key->outer;
    SHA512_Update(ctx, inner, sizeof(inner));
    SHA512_Final(out, ctx);
    sodium_memzero(inner, sizeof(inner));
}

void
hmac512(const struct hmac512_key *key, const struct envl_bytes *parts,
        size_t count, uint8_t out[HMAC512_LEN])
{
    SHA512_CTX ctx = key->inner;

    for (size_t i = 0; i < count; i++)
        SHA512_Update(&ctx, parts[i].ptr, parts[i].len);
    finish(key, &ctx, out);
    sodium_memzero(&ctx, sizeof(ctx));
}

void
hkdf512_expand(const struct hmac512_key *key, const struct envl_bytes *info,
               size_t count, struct envl_span out)
{
    uint8_t block[HMAC512_LEN];
    uint8_t number = 1;
    SHA512_CTX ctx;

    /* T(n) = HMAC(key, T(n - 1) || info || n), T(0) being empty. */
    for (size_t done = 0; done < out.len; number++) {
        size_t left = out.len - done;
        size_t len = left < sizeof(block) ? left : sizeof(block);

        ctx = key->inner;
        if (done > 0)
            SHA512_Update(&ctx, block, sizeof(block));
        for (size_t i = 0; i < count; i++)
            SHA512_Update(&ctx, info[i].ptr, info[i].len);
        SHA512_Update(&ctx, &number, 1);
        finish(key, &ctx, block);
        memcpy(out.ptr + done, block, len);
        done += len;
    }
    sodium_memzero(block, sizeof(block));
    sodium_memzero(&ctx, sizeof(ctx));
}
