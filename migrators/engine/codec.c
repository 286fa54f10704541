#include <string.h>

#include <sodium.h>

#include "core/json_scan.h"
#include "engine/codec.h"

static bool
holds(struct envl_bytes value, int byte)
{
    return value.len > 0 && memchr(value.ptr, byte, value.len) != NULL;
}

/*
 * RFC 4648 section 4 or 5, with or without padding; libsodium refuses other
 * characters, a mixture of the two alphabets, a wrong length, wrong padding
 * and trailing bits that are not zero.
 */
static enum envl_status
decode_base64(struct envl_bytes value, uint8_t *out, size_t *len)
{
    bool url = holds(value, '-') || holds(value, '_');
    bool padded = value.len > 0 && value.ptr[value.len - 1] == '=';
    int variant = url ? padded ? sodium_base64_VARIANT_URLSAFE
                               : sodium_base64_VARIANT_URLSAFE_NO_PADDING
                  : padded ? sodium_base64_VARIANT_ORIGINAL
                           : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;

    return sodium_base642bin(out, *len, (const char *)value.ptr, value.len,
                             NULL, len, NULL, variant) == 0 ? ENVL_OK
                                                            : ENVL_E_FORMAT;
}

static enum envl_status
decode_hex(struct envl_bytes value, uint8_t *out, size_t *len)
{
    return sodium_hex2bin(out, *len, (const char *)value.ptr, value.len, NULL,
                          len, NULL) == 0 ? ENVL_OK : ENVL_E_FORMAT;
}

/* One JSON string and nothing around it, so that it can be written again. */
static enum envl_status
decode_json(struct envl_bytes value, struct envl_buf *out,
            struct envl_error *err)
{
    struct json_scan scan;
    enum envl_status status = ENVL_E_FORMAT;

    json_scan_init(&scan, value);
    if (json_scan_next(&scan) == JSON_SCAN_STRING && scan.start == 0 &&
        scan.len == value.len && json_scan_next(&scan) == JSON_SCAN_END)
        status = json_scan_unescape(value, out, err);
    json_scan_free(&scan);
    return status;
}

enum envl_status
codec_decode(enum job_codec codec, struct envl_bytes value,
             const struct codec_room *room, struct envl_bytes *out,
             struct envl_error *err)
{
    enum envl_status status;
    size_t len = codec == JOB_CODEC_HEX ? value.len / 2
                                        : value.len / 4 * 3 + 2;
    uint8_t *bytes;

    if (codec == JOB_CODEC_JSON) {
        status = decode_json(value, room->spare, err);
        if (status == ENVL_OK) {
            bytes = (uint8_t *)slab_copy(room->slab,
                                         envl_buf_view(room->spare), err);
            if (bytes == NULL)
                status = ENVL_E_NOMEM;
            else
                *out = (struct envl_bytes){ bytes, room->spare->len };
        }
        envl_buf_clear(room->spare);
        return status;
    }
    if ((bytes = slab_take(room->slab, len + 1, err)) == NULL)
        return ENVL_E_NOMEM;
    status = codec == JOB_CODEC_HEX ? decode_hex(value, bytes, &len)
                                    : decode_base64(value, bytes, &len);
    if (status == ENVL_OK)
        *out = (struct envl_bytes){ bytes, len };
    return status;
}
