#include "cmocka_all.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>

#include "crypto/gcm.h"

static uint8_t key[GCM_KEY_LEN], nonce[GCM_NONCE_LEN];

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
        cmocka_unit_test(threads_come_and_go),
    };

    return cmocka_run_group_tests_name("gcm", tests, NULL, NULL);
}
