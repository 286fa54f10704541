/* The lines that `envelope seal` and `envelope open` answer with. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "core/json_scan.h"
#include "core/utf8.h"
#include "json_line.h"
#include "value_options.h"

static enum envl_status
add(struct envl_buf *out, const char *text, struct envl_error *err)
{
    return envl_buf_append(out, envl_bytes_of(text), err);
}

enum envl_status
json_line_print_sealed(struct envl_bytes envelope, enum envl_encoding encoding,
                       struct envl_buf *out, struct envl_error *err)
{
    const bool quoted = encoding == ENVL_ENCODING_TEXT;
    enum envl_status status;

    if ((status = add(out, quoted ? "{\"envelope\":\"" : "{\"envelope\":",
                      err)) != ENVL_OK ||
        (status = envl_buf_append(out, envelope, err)) != ENVL_OK)
        return status;
    return add(out, quoted ? "\"}\n" : "}\n", err);
}

/* By libsodium: its base64 takes the same time whatever the bytes are. */
static enum envl_status
add_base64(struct envl_bytes value, struct envl_buf *out,
           struct envl_error *err)
{
    size_t room = sodium_base64_ENCODED_LEN(value.len,
                                            sodium_base64_VARIANT_ORIGINAL);
    enum envl_status status = envl_buf_reserve(out, room, err);

    if (status != ENVL_OK)
        return status;
    sodium_bin2base64((char *)out->ptr + out->len, room, value.ptr, value.len,
                      sodium_base64_VARIANT_ORIGINAL);
    out->len += room - 1; /* without its NUL */
    return ENVL_OK;
}

enum envl_status
json_line_print_opened(struct envl_bytes value, enum envl_type type,
                       struct envl_buf *out, struct envl_error *err)
{
    const bool text = (type == ENVL_TYPE_TEXT || type == ENVL_TYPE_JSON) &&
                      utf8_valid(value);
    enum envl_status status;

    if (text) {
        if ((status = add(out, "{\"value\":", err)) != ENVL_OK ||
            (status = json_scan_escape(value, out, err)) != ENVL_OK ||
            (status = add(out, ",\"type\":\"", err)) != ENVL_OK)
            return status;
    } else {
        if ((status = add(out, "{\"value_b64\":\"", err)) != ENVL_OK ||
            (status = add_base64(value, out, err)) != ENVL_OK ||
            (status = add(out, "\",\"type\":\"", err)) != ENVL_OK)
            return status;
    }
    if ((status = add(out, value_options_type_name(type), err)) != ENVL_OK)
        return status;
    return add(out, "\"}\n", err);
}

enum envl_status
json_line_print_error(enum envl_status status, struct envl_buf *out,
                      struct envl_error *err)
{
    char line[80];

    snprintf(line, sizeof(line), "{\"error\":\"%s\",\"code\":%d}\n",
             envl_status_name(status), envl_status_exit_code(status));
    return add(out, line, err);
}
