#include <string.h>

#include "core/base64url.h"
#include "envelope/layout.h"

/* spec: ENV-7.8 */
static const char object_begin[] = "{\"env\":1,\"kid\":\"";
static const char object_mode[] = "\",\"mode\":\"";
static const char object_payload[] = "\",\"payload\":\"";
static const char object_wrapped[] = "\",\"wrapped\":\"";
static const char object_end[] = "\"}";

#define LEN(literal) (sizeof(literal) - 1)
#define MODE_WORD_LEN 7u /* "derived", "wrapped" */

static size_t
object_head_len(const struct layout *layout)
{
    return LEN(object_begin) + layout->kid.len + LEN(object_mode) +
           MODE_WORD_LEN + LEN(object_payload);
}

static size_t
body_head_len(const struct layout *layout)
{
    return layout->mode == ENVL_MODE_WRAPPED ? 3 + layout->wrapped.len : 1;
}

/* What follows the payload in an object. */
static size_t
object_tail_len(const struct layout *layout)
{
    if (layout->mode == ENVL_MODE_DERIVED)
        return LEN(object_end);
    return LEN(object_wrapped) + base64url_encoded_len(layout->wrapped.len) +
           LEN(object_end);
}

size_t
layout_len(const struct layout *layout)
{
    size_t len = layout->payload_len;

    /* Half of it is more than base64url and all headers add. */
    if (len > SIZE_MAX / 2)
        return SIZE_MAX;
    switch (layout->encoding) {
    case ENVL_ENCODING_TEXT:
        return 6 + layout->kid.len +
               base64url_encoded_len(body_head_len(layout) + len);
    case ENVL_ENCODING_OBJECT:
        return object_head_len(layout) + base64url_encoded_len(len) +
               object_tail_len(layout);
    default:
        return 5 + layout->kid.len + body_head_len(layout) + len;
    }
}

size_t
layout_payload_at(const struct layout *layout)
{
    size_t len = layout_len(layout);

    if (layout->encoding == ENVL_ENCODING_OBJECT)
        len -= object_tail_len(layout);
    return len - layout->payload_len;
}

static uint8_t *
put(uint8_t *p, const void *bytes, size_t len)
{
    memcpy(p, bytes, len);
    return p + len;
}

static uint8_t *
put_base64url(uint8_t *p, struct envl_bytes bytes)
{
    base64url_encode(bytes, (char *)p);
    return p + base64url_encoded_len(bytes.len);
}

static uint8_t *
put_wrapped(uint8_t *p, struct envl_bytes wrapped)
{
    *p++ = (uint8_t)(wrapped.len >> 8);
    *p++ = (uint8_t)wrapped.len;
    return put(p, wrapped.ptr, wrapped.len);
}

size_t
layout_body_head(const struct layout *layout, uint8_t *out)
{
    uint8_t *p = out;

    *p++ = (uint8_t)layout->mode;
    if (layout->mode == ENVL_MODE_WRAPPED)
        p = put_wrapped(p, layout->wrapped);
    return (size_t)(p - out);
}

size_t
layout_header(const struct layout *layout, uint8_t *out)
{
    uint8_t *p = out;

    if (layout->encoding == ENVL_ENCODING_TEXT) {
        p = put(p, "env1:", 5);
        p = put(p, layout->kid.ptr, layout->kid.len);
        *p++ = ':';
        return (size_t)(p - out);
    }
    p = put(p, "\x9e\x45\x56\x01", 4);
    *p++ = (uint8_t)layout->mode;
    *p++ = (uint8_t)layout->kid.len;
    p = put(p, layout->kid.ptr, layout->kid.len);
    if (layout->mode == ENVL_MODE_WRAPPED)
        p = put_wrapped(p, layout->wrapped);
    return (size_t)(p - out);
}

static void
write_object(const struct layout *layout, uint8_t *out)
{
    struct envl_bytes payload = { out + layout_payload_at(layout),
                                  layout->payload_len };
    bool wrapped = layout->mode == ENVL_MODE_WRAPPED;
    uint8_t *p = out;

    p = put(p, object_begin, LEN(object_begin));
    p = put(p, layout->kid.ptr, layout->kid.len);
    p = put(p, object_mode, LEN(object_mode));
    p = put(p, wrapped ? "wrapped" : "derived", MODE_WORD_LEN);
    p = put(p, object_payload, LEN(object_payload));
    p = put_base64url(p, payload);
    if (wrapped) {
        p = put(p, object_wrapped, LEN(object_wrapped));
        p = put_base64url(p, layout->wrapped);
    }
    put(p, object_end, LEN(object_end));
}

void
layout_write(const struct layout *layout, uint8_t *out)
{
    size_t payload_at, head;

    if (layout->encoding == ENVL_ENCODING_OBJECT) {
        write_object(layout, out);
        return;
    }
    payload_at = layout_payload_at(layout);
    head = layout_header(layout, out);
    if (layout->encoding == ENVL_ENCODING_TEXT) {
        size_t body_at = payload_at - body_head_len(layout);

        layout_body_head(layout, out + body_at);
        base64url_encode((struct envl_bytes){
            out + body_at, payload_at + layout->payload_len - body_at },
            (char *)out + head);
    }
}
