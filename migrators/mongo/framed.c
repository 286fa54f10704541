#include <errno.h>
#include <string.h>

#include "mongo/framed.h"

#define HEADER    16u
#define HEAD      25u /* header, flags, kind and the document's length */
#define OP_MSG    2013u
#define CHECKSUM  1u
#define TYPE_OURS 0x4650 /* no type of libmongoc's */

struct framed {
    mongoc_stream_t stream; /* first: libmongoc knows nothing else */
    mongoc_stream_t *base;
    uint8_t head[HEAD]; /* of the message that is being read   */
    uint32_t have;      /* bytes of it                         */
    uint32_t left;      /* of the message, once its length is known */
};

static uint32_t
le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* One document, and it ends where the message does. */
static bool
head_is_good(const struct framed *framed)
{
    const uint8_t *head = framed->head;
    uint64_t tail = (le32(head + HEADER) & CHECKSUM) != 0 ? 4 : 0;

    return le32(head + 12) != OP_MSG ||
           (head[20] == 0 &&
            le32(head) == (uint64_t)HEAD - 4 + le32(head + 21) + tail);
}

/* Read along; false: what comes is no message. */
static bool
follow(struct framed *framed, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t take = 1;

        if (framed->have < 4) {
            framed->head[framed->have++] = *bytes;
            if (framed->have == 4) {
                if (le32(framed->head) < HEADER + 1)
                    return false;
                framed->left = le32(framed->head) - 4;
            }
        } else if (framed->have < HEAD && framed->left > 0) {
            framed->head[framed->have++] = *bytes;
            framed->left--;
            if (framed->have == HEAD && !head_is_good(framed))
                return false;
        } else {
            take = len < framed->left ? len : framed->left;
            framed->left -= (uint32_t)take;
        }
        if (framed->have >= 4 && framed->left == 0) {
            /* A message that is shorter than any reply. */
            if (framed->have < HEAD &&
                (framed->have < HEADER || le32(framed->head + 12) == OP_MSG))
                return false;
            framed->have = 0;
        }
        bytes += take;
        len -= take;
    }
    return true;
}

static ssize_t
framed_readv(mongoc_stream_t *stream, mongoc_iovec_t *iov, size_t count,
             size_t least, int32_t timeout_ms)
{
    struct framed *framed = (struct framed *)stream;
    ssize_t got = mongoc_stream_readv(framed->base, iov, count, least,
                                      timeout_ms);
    size_t left = got > 0 ? (size_t)got : 0;

    for (size_t i = 0; i < count && left > 0; i++) {
        size_t here = left < iov[i].iov_len ? left : iov[i].iov_len;

        if (!follow(framed, (const uint8_t *)iov[i].iov_base, here)) {
            errno = EPROTO;
            return -1;
        }
        left -= here;
    }
    return got;
}

/* ---- everything else is the base's -------------------------------------- */

static mongoc_stream_t *
base_of(mongoc_stream_t *stream)
{
    return ((struct framed *)stream)->base;
}

static void
framed_destroy(mongoc_stream_t *stream)
{
    mongoc_stream_destroy(base_of(stream));
    bson_free(stream);
}

static void
framed_failed(mongoc_stream_t *stream)
{
    mongoc_stream_failed(base_of(stream));
    bson_free(stream);
}

static int
framed_close(mongoc_stream_t *stream)
{
    return mongoc_stream_close(base_of(stream));
}

static int
framed_flush(mongoc_stream_t *stream)
{
    return mongoc_stream_flush(base_of(stream));
}

static ssize_t
framed_writev(mongoc_stream_t *stream, mongoc_iovec_t *iov, size_t count,
              int32_t timeout_ms)
{
    return mongoc_stream_writev(base_of(stream), iov, count, timeout_ms);
}

static int
framed_setsockopt(mongoc_stream_t *stream, int level, int name, void *value,
                  mongoc_socklen_t len)
{
    return mongoc_stream_setsockopt(base_of(stream), level, name, value, len);
}

static bool
framed_check_closed(mongoc_stream_t *stream)
{
    return mongoc_stream_check_closed(base_of(stream));
}

static bool
framed_timed_out(mongoc_stream_t *stream)
{
    return mongoc_stream_timed_out(base_of(stream));
}

static bool
framed_should_retry(mongoc_stream_t *stream)
{
    return mongoc_stream_should_retry(base_of(stream));
}

mongoc_stream_t *
framed_new(mongoc_stream_t *base)
{
    struct framed *framed = bson_malloc0(sizeof(*framed));

    framed->base = base;
    framed->stream = (mongoc_stream_t){
        .type = TYPE_OURS,
        .destroy = framed_destroy,
        .close = framed_close,
        .flush = framed_flush,
        .writev = framed_writev,
        .readv = framed_readv,
        .setsockopt = framed_setsockopt,
        .get_base_stream = base_of,
        .check_closed = framed_check_closed,
        .failed = framed_failed,
        .timed_out = framed_timed_out,
        .should_retry = framed_should_retry,
    };
    return &framed->stream;
}
