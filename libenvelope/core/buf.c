#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <envelope/bytes.h>

#define SMALLEST 64u
#define LARGE    4096u
#define LINE     64u /* bytes of a cache line */

struct envl_bytes
envl_bytes_of(const char *string)
{
    struct envl_bytes bytes = { NULL, 0 };

    if (string != NULL) {
        bytes.ptr = (const uint8_t *)string;
        bytes.len = strlen(string);
    }
    return bytes;
}

struct envl_bytes
envl_buf_view(const struct envl_buf *buf)
{
    return (struct envl_bytes){ buf->ptr, buf->len };
}

/*
 * Large blocks begin on a cache line: the kernel copies a file into memory
 * that does not at half the speed.
 */
static uint8_t *
new_block(size_t cap)
{
    if (cap < LARGE)
        return malloc(cap);
    return aligned_alloc(LINE, (cap + LINE - 1) / LINE * LINE);
}

enum envl_status
envl_buf_reserve(struct envl_buf *buf, size_t more, struct envl_error *err)
{
    size_t need, cap;
    uint8_t *block;

    if (more <= buf->cap - buf->len)
        return ENVL_OK;
    if (more > SIZE_MAX / 2 - buf->len)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory: %zu bytes more "
                         "than can be addressed", more);
    need = buf->len + more;
    cap = buf->cap > SMALLEST ? buf->cap : SMALLEST;
    while (cap < need)
        cap = cap > SIZE_MAX / 4 ? need : cap * 2;

    /* Not realloc: it would leave the old contents in freed memory. */
    block = new_block(cap);
    if (block == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for %zu bytes",
                         cap);
    if (buf->len > 0)
        memcpy(block, buf->ptr, buf->len);
    if (buf->ptr != NULL)
        sodium_memzero(buf->ptr, buf->cap);
    free(buf->ptr);
    buf->ptr = block;
    buf->cap = cap;
    return ENVL_OK;
}

enum envl_status
envl_buf_append(struct envl_buf *buf, struct envl_bytes bytes,
                struct envl_error *err)
{
    enum envl_status status;

    if (bytes.len == 0)
        return ENVL_OK;
    status = envl_buf_reserve(buf, bytes.len, err);
    if (status != ENVL_OK)
        return status;
    memcpy(buf->ptr + buf->len, bytes.ptr, bytes.len);
    buf->len += bytes.len;
    return ENVL_OK;
}

void
envl_buf_clear(struct envl_buf *buf)
{
    if (buf->len > 0)
        sodium_memzero(buf->ptr, buf->len);
    buf->len = 0;
}

void
envl_buf_free(struct envl_buf *buf)
{
    if (buf->ptr != NULL)
        sodium_memzero(buf->ptr, buf->cap);
    free(buf->ptr);
    *buf = (struct envl_buf)ENVL_BUF_INIT;
}
