#include <string.h>

#include "envelope/beginning.h"
#include "envelope/opener_head.h"
#include "keyring/key.h"

static enum envl_status
broken(struct envl_error *err, const char *what)
{
    return envl_fail(err, ENVL_E_FORMAT, "a damaged envelope: %s", what);
}

static enum envl_status
no_envelope(struct envl_error *err)
{
    return beginning_fail(ENVL_E_NOTENV, err);
}

/* An object that was scanned to its end, or far enough. */
static enum envl_status
judge_object(const struct opener_head *head, struct envl_error *err)
{
    if (!object_scan_begins(&head->scan))
        return no_envelope(err);
    (void)envl_fail(err, ENVL_E_USAGE,
                    "an envelope in object encoding is not a stream");
    envl_hint(err, "open it in one piece, or recode it to text");
    return ENVL_E_USAGE;
}

/* The whole piece; a plaintext may be of any size, and none of it is kept. */
static enum envl_status
object_piece(struct opener_head *head, struct envl_bytes *piece,
             struct envl_error *err)
{
    bool more = object_scan_update(&head->scan, *piece);

    if (!more || (head->scan.number && head->scan.payload))
        return judge_object(head, err);
    piece->len = 0;
    return ENVL_OK;
}

/* "env", digits, ':', of which only the number of bytes is kept. */
static enum envl_status
text_byte(struct opener_head *head, uint8_t c, struct envl_error *err)
{
    static const char prefix[] = "env";

    if (head->seen.len < 3) {
        if (c != (uint8_t)prefix[head->seen.len])
            return no_envelope(err);
        return envl_buf_append(&head->seen, (struct envl_bytes){ &c, 1 }, err);
    }
    if (c >= '0' && c <= '9') {
        if (head->digits == 0)
            head->version_one = c == '1';
        if (head->digits < 2)
            head->digits++;
        return ENVL_OK;
    }
    if (c != ':' || head->digits == 0)
        return no_envelope(err);
    if (head->digits != 1 || !head->version_one) /* spec: ENV-8.3 */
        return beginning_fail(ENVL_E_VERSION, err);
    head->seen.len = 0;
    head->encoding = ENVL_ENCODING_TEXT;
    head->state = OPENER_HEAD_KID;
    return ENVL_OK;
}

static enum envl_status
binary_byte(struct opener_head *head, uint8_t c, struct envl_error *err)
{
    static const uint8_t magic[] = { 0x9e, 0x45, 0x56 };

    if (head->seen.len < sizeof(magic)) {
        if (c != magic[head->seen.len])
            return no_envelope(err);
        return envl_buf_append(&head->seen, (struct envl_bytes){ &c, 1 }, err);
    }
    if (c != 1) /* spec: ENV-3.2 */
        return beginning_fail(ENVL_E_VERSION, err);
    head->seen.len = 0;
    head->encoding = ENVL_ENCODING_BINARY;
    head->state = OPENER_HEAD_RAW;
    return ENVL_OK;
}

static enum envl_status
beginning_byte(struct opener_head *head, uint8_t c, struct envl_error *err)
{
    uint8_t first = head->seen.len > 0 ? head->seen.ptr[0] : c;

    switch (first) {
    case 'e':
        return text_byte(head, c, err);
    case 0x9e:
        return binary_byte(head, c, err);
    default:
        return no_envelope(err);
    }
}

static enum envl_status
kid_byte(struct opener_head *head, uint8_t c, struct envl_error *err)
{
    if (c != ':') {
        if (head->kid_len == ENVL_KID_MAX)
            return broken(err, "its key id is not one");
        head->kid[head->kid_len++] = c;
        return ENVL_OK;
    }
    if (!key_name_valid((struct envl_bytes){ head->kid, head->kid_len }))
        return broken(err, "its key id is not one");
    head->state = OPENER_HEAD_RAW;
    return ENVL_OK;
}

enum envl_status
opener_head_chars(struct opener_head *head, struct envl_bytes *piece,
                  struct envl_error *err)
{
    if (piece->len > 0 && head->state == OPENER_HEAD_BEGINNING &&
        head->seen.len == 0 && strchr("{ \t\n\r", piece->ptr[0]) != NULL &&
        piece->ptr[0] != 0)
        head->object = true;
    if (head->object && piece->len > 0)
        return object_piece(head, piece, err);
    while (piece->len > 0 && head->state < OPENER_HEAD_RAW) {
        uint8_t c = piece->ptr[0];
        enum envl_status status = head->state == OPENER_HEAD_BEGINNING
                                      ? beginning_byte(head, c, err)
                                      : kid_byte(head, c, err);

        if (status != ENVL_OK)
            return status;
        piece->ptr++;
        piece->len--;
    }
    return ENVL_OK;
}

/* ---- raw bytes ---------------------------------------------------------- */

/*
 * Offsets in the raw bytes.  Text: mode, [length, wrapped key,] payload;
 * binary: mode, kid length, kid, [length, wrapped key,] payload.
 */
struct offsets {
    size_t kid, wrapped, payload;
};

/*
 * How many raw bytes are needed to know more, judged by those that are there;
 * ${out} is complete once all of them are.
 */
static enum envl_status
measure(const struct opener_head *head, struct offsets *out, size_t *need,
        struct envl_error *err)
{
    struct envl_bytes raw = envl_buf_view(&head->seen);
    size_t at = 1, len;

    *need = at;
    if (raw.len < at)
        return ENVL_OK;
    if (raw.ptr[0] > ENVL_MODE_WRAPPED)
        return broken(err, "its mode is not one of version 1");
    out->kid = 0;
    if (head->encoding == ENVL_ENCODING_BINARY) {
        *need = at + 1;
        if (raw.len < *need)
            return ENVL_OK;
        out->kid = at + 1;
        len = raw.ptr[at];
        *need = at = out->kid + len;
        if (raw.len < at)
            return len >= 1 && len <= ENVL_KID_MAX
                ? ENVL_OK : broken(err, "its key id is not one");
        if (!key_name_valid((struct envl_bytes){ raw.ptr + out->kid, len }))
            return broken(err, "its key id is not one");
    }
    out->wrapped = at;
    if (raw.ptr[0] == ENVL_MODE_WRAPPED) {
        *need = at + 2;
        if (raw.len < *need)
            return ENVL_OK;
        len = (size_t)raw.ptr[at] << 8 | raw.ptr[at + 1];
        if (len < 1 || len > LAYOUT_WRAPPED_MAX)
            return broken(err, "its wrapped key has an impossible length");
        out->wrapped = at + 2;
        at = out->wrapped + len;
    }
    out->payload = at;
    *need = at + PAYLOAD_MIN_LEN;
    return ENVL_OK;
}

enum envl_status
opener_head_raw(struct opener_head *head, struct envl_bytes *piece,
                struct envl_error *err)
{
    struct offsets offsets;
    size_t need;

    for (;;) {
        enum envl_status status = measure(head, &offsets, &need, err);
        struct envl_bytes part = *piece;

        if (status != ENVL_OK)
            return status;
        if (head->seen.len >= need) {
            head->state = OPENER_HEAD_DONE;
            return ENVL_OK;
        }
        if (piece->len == 0)
            return ENVL_OK;
        if (part.len > need - head->seen.len)
            part.len = need - head->seen.len;
        status = envl_buf_append(&head->seen, part, err);
        if (status != ENVL_OK)
            return status;
        piece->ptr += part.len;
        piece->len -= part.len;
    }
}

void
opener_head_parsed(const struct opener_head *head, struct parsed *out)
{
    struct envl_bytes raw = envl_buf_view(&head->seen);
    struct offsets at = { 0, 0, 0 };
    size_t need;

    (void)measure(head, &at, &need, NULL); /* it has succeeded before */
    memset(out, 0, sizeof(*out));
    out->encoding = head->encoding;
    out->mode = (enum envl_mode)raw.ptr[0];
    if (head->encoding == ENVL_ENCODING_TEXT)
        out->kid = (struct envl_bytes){ head->kid, head->kid_len };
    else
        out->kid = (struct envl_bytes){ raw.ptr + at.kid, raw.ptr[1] };
    if (out->mode == ENVL_MODE_WRAPPED)
        out->wrapped = (struct envl_bytes){ raw.ptr + at.wrapped,
                                            at.payload - at.wrapped };
    out->payload = (struct envl_bytes){ raw.ptr + at.payload,
                                        raw.len - at.payload };
    out->payload_len = out->payload.len;
}

enum envl_status
opener_head_finish(struct opener_head *head, struct envl_error *err)
{
    struct envl_bytes seen = envl_buf_view(&head->seen);

    if (head->state != OPENER_HEAD_BEGINNING)
        return broken(err, "it is cut short");
    if (seen.len == 3 && seen.ptr[0] == 0x9e)
        return broken(err, "it is cut short");
    if (head->object)
        return judge_object(head, err);
    return no_envelope(err);
}

void
opener_head_free(struct opener_head *head)
{
    envl_buf_free(&head->seen);
}
