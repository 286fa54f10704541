/*
 * Any bytes as an encoded value: what decodes is encoded to something that
 * decodes to the same again, in the same shape.
 * The first byte chooses the codec.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same(struct envl_bytes a, struct envl_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envl_bytes in = { data + 1, size - 1 }, first, second;
    struct slab slab = { NULL, NULL };
    struct envl_buf spare = ENVL_BUF_INIT, out = ENVL_BUF_INIT;
    struct envl_buf again = ENVL_BUF_INIT;
    struct codec_room room = { &slab, &spare };
    struct codec_shape shape;
    enum job_codec codec;

    if (size < 1)
        return 0;
    codec = (enum job_codec)(data[0] % 3);
    if (codec_decode(codec, in, &room, &shape, &first, NULL) == ENVL_OK) {
        if (codec_encode(codec, &shape, first, &out, NULL) != ENVL_OK ||
            codec_decode(codec, envl_buf_view(&out), &room, &shape, &second,
                         NULL) != ENVL_OK ||
            !same(first, second) ||
            codec_encode(codec, &shape, second, &again, NULL) != ENVL_OK ||
            !same(envl_buf_view(&out), envl_buf_view(&again)))
            abort();
    }
    slab_free(&slab);
    envl_buf_free(&spare);
    envl_buf_free(&out);
    envl_buf_free(&again);
    return 0;
}
