#include <stdlib.h>
#include <string.h>

#include "envelope/parse.h"
#include "envelope/recode.h"

enum envl_status
recode_parse(struct envl_bytes envelope, struct recode_source *out,
             struct envl_error *err)
{
    struct envl_span work = { NULL, 0 };
    enum envl_status status;

    out->memory = NULL;
    /* Binary needs no work memory, and plaintext should not cost any. */
    if (envelope.len > 0 && envelope.ptr[0] != 0x9e &&
        envl_begins(envelope) == ENVL_OK) {
        work.ptr = malloc(envelope.len);
        work.len = envelope.len;
        if (work.ptr == NULL)
            return envl_fail(err, ENVL_E_NOMEM,
                             "out of memory for an envelope");
    }
    status = parse_whole(envelope, work, &out->parsed, err);
    if (status == ENVL_OK)
        out->memory = work.ptr;
    else
        free(work.ptr);
    return status;
}

void
recode_free(struct recode_source *source)
{
    free(source->memory); /* an envelope: nothing secret in it */
    source->memory = NULL;
}

enum envl_status
recode_write(const struct layout *layout, struct envl_bytes payload,
             struct envl_buf *out, struct envl_error *err)
{
    size_t len = layout_len(layout);
    enum envl_status status;
    uint8_t *room;

    if (len == SIZE_MAX)
        return envl_fail(err, ENVL_E_LIMIT, "an envelope larger than memory");
    status = envl_buf_reserve(out, len, err);
    if (status != ENVL_OK)
        return status;
    room = out->ptr + out->len;
    memcpy(room + layout_payload_at(layout), payload.ptr, payload.len);
    layout_write(layout, room);
    out->len += len;
    return ENVL_OK;
}

enum envl_status
envl_recode(struct envl_bytes envelope, enum envl_encoding encoding,
            struct envl_buf *out, struct envl_error *err)
{
    struct recode_source source;
    struct layout layout;
    enum envl_status status;

    if ((int)encoding < 0 || encoding > ENVL_ENCODING_BINARY)
        return envl_fail(err, ENVL_E_USAGE, "an encoding that there is not");
    status = recode_parse(envelope, &source, err);
    if (status != ENVL_OK)
        return status;
    layout = (struct layout){ encoding, source.parsed.mode, source.parsed.kid,
                              source.parsed.wrapped,
                              source.parsed.payload_len };
    status = recode_write(&layout, source.parsed.payload, out, err);
    recode_free(&source);
    return status;
}
