#include <sodium.h>

#include "core/utf8.h"
#include "detect/decode.h"

static bool
readable(struct envl_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.ptr[i];

        if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
            return false;
    }
    return utf8_valid(bytes);
}

bool
decode_base64(struct envl_bytes text, struct envl_buf *out)
{
    int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    size_t len = 0;

    while (text.len > 0 && text.ptr[text.len - 1] == '=')
        text.len--;
    /* A part of a longer text: whole groups of four only. */
    if (text.len % 4 == 1)
        text.len--;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '-' || text.ptr[i] == '_')
            variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    if (text.len < 8 ||
        envl_buf_reserve(out, text.len / 4 * 3 + 3, NULL) != ENVL_OK)
        return false;
    if (sodium_base642bin(out->ptr + out->len, out->cap - out->len,
                          (const char *)text.ptr, text.len, NULL, &len, NULL,
                          variant) != 0)
        return false;
    out->len += len;
    return readable(envl_buf_view(out));
}
