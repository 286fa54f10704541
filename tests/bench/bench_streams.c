/*
 * A stream in bounded memory beside OpenSSL in memory: AES-256-GCM under one
 * key, and AES-256-CTR, which authenticates nothing.
 */
#include <string.h>
#include <sys/resource.h>

#include <openssl/evp.h>

#include <envelope.h>

#include "keyring/key.h"
#include "slices.h"

#define PIECE 65536u
#define TOTAL (PIECE * 256u) /* of one run: 16 MiB */

static struct envl_keyring *ring;
static uint8_t piece[PIECE], spare[PIECE + 64];

static void
must(enum envl_status status)
{
    if (status != ENVL_OK) {
        fprintf(stderr, "bench: %s\n", envl_status_name(status));
        exit(1);
    }
}

static void
openssl_run(void *arg)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = arg;
    static const uint8_t key[32], iv[16];
    int len;

    EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv);
    for (size_t done = 0; done < TOTAL; done += PIECE)
        EVP_EncryptUpdate(ctx, spare, &len, piece, PIECE);
    EVP_EncryptFinal_ex(ctx, spare, &len);
    EVP_CIPHER_CTX_free(ctx);
}

/* An envelope of TOTAL bytes in pieces, kept if ${keep}, else thrown away. */
static void
seal(enum envl_encoding encoding, struct envl_buf *keep)
{
    struct envl_seal_options options = { .size = sizeof(options),
                                         .encoding = encoding };
    struct envl_buf out = ENVL_BUF_INIT;
    struct envl_sealer *sealer;

    must(envl_sealer_new(ring, &options, NULL, &sealer, NULL));
    for (size_t done = 0; done < TOTAL; done += PIECE) {
        must(envl_sealer_update(sealer, (struct envl_bytes){ piece, PIECE },
                                &out, NULL));
        if (keep != NULL)
            must(envl_buf_append(keep, envl_buf_view(&out), NULL));
        envl_buf_clear(&out);
    }
    must(envl_sealer_finish(sealer, &out, NULL));
    if (keep != NULL)
        must(envl_buf_append(keep, envl_buf_view(&out), NULL));
    envl_sealer_free(sealer);
    envl_buf_free(&out);
}

static void
seal_binary(void *arg)
{
    (void)arg;
    seal(ENVL_ENCODING_BINARY, NULL);
}

static void
seal_text(void *arg)
{
    (void)arg;
    seal(ENVL_ENCODING_TEXT, NULL);
}

static void
open_run(void *arg)
{
    struct envl_bytes left = envl_buf_view(arg);
    struct envl_buf out = ENVL_BUF_INIT;
    struct envl_opener *opener;

    must(envl_opener_new(ring, NULL, NULL, &opener, NULL));
    while (left.len > 0) {
        struct envl_bytes part = { left.ptr, left.len < PIECE ? left.len
                                                              : PIECE };

        must(envl_opener_update(opener, part, &out, NULL));
        envl_buf_clear(&out);
        left.ptr += part.len;
        left.len -= part.len;
    }
    must(envl_opener_finish(opener, &out, NULL, NULL));
    envl_opener_free(opener);
    envl_buf_free(&out);
}

static long
peak_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

int
main(void)
{
    struct keyring_given key = {
        .info = { .kid = "k2026-11", .scope = "default",
                  .use = ENVL_USE_SEAL, .state = ENVL_KEY_ACTIVE },
    };
    struct envl_buf binary = ENVL_BUF_INIT, text = ENVL_BUF_INIT;
    struct subject s[] = {
        { "AES-256-GCM in memory", openssl_run, NULL, TOTAL, { 0 } },
        { "AES-256-CTR in memory", openssl_run, NULL, TOTAL, { 0 } },
        { "seal, binary", seal_binary, NULL, TOTAL, { 0 } },
        { "open, binary", open_run, &binary, TOTAL, { 0 } },
        { "seal, text", seal_text, NULL, TOTAL, { 0 } },
        { "open, text", open_run, &text, TOTAL, { 0 } },
    };
    EVP_CIPHER *gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    EVP_CIPHER *ctr = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
    long before;

    must(keyring_from_keys(&key, 1, &ring, NULL));
    s[0].arg = gcm;
    s[1].arg = ctr;
    seal(ENVL_ENCODING_BINARY, NULL);
    before = peak_kib();
    for (int i = 0; i < 16; i++)
        seal(ENVL_ENCODING_BINARY, NULL);
    printf("a stream of 16 MiB, 16 times: %ld KiB more at the peak\n",
           peak_kib() - before);

    seal(ENVL_ENCODING_BINARY, &binary);
    seal(ENVL_ENCODING_TEXT, &text);
    measure(s, 6);
    for (size_t i = 0; i < 6; i++) {
        double mid = median(&s[i]);

        printf("%-24s %7.0f MB/s   %5.2f x GCM  %5.2f x CTR\n", s[i].name,
               1e3 / mid, mid / s[0].ns[SLICES_ROUNDS / 2],
               i < 1 ? 0 : mid / s[1].ns[SLICES_ROUNDS / 2]);
    }
    envl_buf_free(&binary);
    envl_buf_free(&text);
    EVP_CIPHER_free(gcm);
    EVP_CIPHER_free(ctr);
    envl_keyring_free(ring);
    return 0;
}
