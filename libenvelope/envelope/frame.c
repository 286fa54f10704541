#include "envelope/frame.h"

#define PADDED      0x80u
#define RESERVED    0x70u
#define TYPE        0x0fu
#define DEFAULT_PAD 32u
#define DEFAULT_PAD_UP_TO 4096u

size_t
frame_block(int pad, size_t value_len)
{
    if (pad == ENVL_PAD_NONE)
        return 0;
    if (pad == ENVL_PAD_DEFAULT) /* spec: ENV-6.9 */
        return value_len <= DEFAULT_PAD_UP_TO ? DEFAULT_PAD : 0;
    return (size_t)pad;
}

size_t
frame_len(size_t value_len, size_t block)
{
    size_t len;

    if (value_len > SIZE_MAX - 2 - FRAME_PAD_MAX)
        return SIZE_MAX;
    if (block == 0)
        return value_len + 1;
    len = value_len + 2; /* the type byte and the 80 */
    return (len + block - 1) / block * block;
}

uint8_t
frame_first(enum envl_type type, size_t block)
{
    return (uint8_t)((unsigned)type | (block == 0 ? 0 : PADDED));
}

enum envl_status
frame_read_first(uint8_t first, struct frame_head *out,
                 struct envl_error *err)
{
    if ((first & RESERVED) != 0 || (first & TYPE) > ENVL_TYPE_BSON)
        return envl_fail(err, ENVL_E_FORMAT,
                         "the value is of a type that version 1 does not have");
    out->type = (enum envl_type)(first & TYPE);
    out->padded = (first & PADDED) != 0;
    return ENVL_OK;
}

enum envl_status
frame_unpad(struct envl_bytes padded, size_t *len, struct envl_error *err)
{
    size_t end = padded.len, zeros = 0;

    while (end > 0 && zeros < FRAME_ZEROS_MAX && padded.ptr[end - 1] == 0) {
        end--;
        zeros++;
    }
    if (end == 0 || padded.ptr[end - 1] != 0x80)
        return envl_fail(err, ENVL_E_FORMAT, "the value's padding is broken");
    *len = end - 1;
    return ENVL_OK;
}
