#include <string.h>

#include "core/base64url.h"
#include "rewrap_head.h"

/* Salt, commitment and the shortest chunk (spec: ENV-4.7). */
#define PAYLOAD_MIN 73u

static size_t
wrapped_len(const uint8_t *bytes)
{
    return ((size_t)bytes[0] << 8) + bytes[1];
}

/* 9E 45 56 01, mode, n, kid, w, wrapped key, payload (spec: ENV-3.1) */
static size_t
binary_len(struct envl_bytes head)
{
    size_t at;

    if (head.len < 6 || head.len < 8 + (size_t)head.ptr[5])
        return 0;
    at = 6 + (size_t)head.ptr[5];
    return at + 2 + wrapped_len(head.ptr + at) + PAYLOAD_MIN;
}

/*
 * "env1:" kid ":" base64url of mode, w, wrapped key, payload (spec: ENV-7.1).
 * The cut falls between two groups of base64, so that the rest can be
 * appended as it is if the new wrapped key is as long as the old one.
 */
static size_t
text_len(struct envl_bytes head)
{
    const uint8_t *colon = head.len > 5
                               ? memchr(head.ptr + 5, ':', head.len - 5)
                               : NULL;
    uint8_t first[5];
    size_t at, body;

    if (colon == NULL)
        return 0;
    at = (size_t)(colon - head.ptr) + 1;
    if (head.len < at + 4 ||
        base64url_decode((struct envl_bytes){ head.ptr + at, 4 }, first) != 3)
        return 0;
    body = 3 + wrapped_len(first + 1) + PAYLOAD_MIN;
    return at + (body + 2) / 3 * 4;
}

size_t
rewrap_head_len(struct envl_bytes head, enum envl_encoding encoding)
{
    size_t len = encoding == ENVL_ENCODING_BINARY ? binary_len(head)
                                                  : text_len(head);

    return len <= head.len ? len : 0;
}
