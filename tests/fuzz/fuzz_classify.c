/*
 * Any bytes: begins, inspect, recode and the object scanner agree with each
 * other, and recoding twice changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include <envelope.h>

#include "envelope/beginning.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The scanner sees the same however the text is cut. */
static void
check_pieces(struct envl_bytes in)
{
    struct object_scan whole, pieces;
    size_t cut = in.len > 0 ? in.ptr[in.len / 2] % in.len : 0;

    memset(&whole, 0, sizeof(whole));
    memset(&pieces, 0, sizeof(pieces));
    (void)object_scan_update(&whole, in);
    if (object_scan_update(&pieces, (struct envl_bytes){ in.ptr, cut }))
        (void)object_scan_update(&pieces, (struct envl_bytes){
            in.ptr + cut, in.len - cut });
    if (object_scan_begins(&whole) != object_scan_begins(&pieces) ||
        whole.closed != pieces.closed || whole.end != pieces.end ||
        whole.count != pieces.count ||
        memcmp(whole.members, pieces.members, sizeof(whole.members)) != 0)
        abort();
}

static void
check_recode(struct envl_bytes in, enum envl_encoding own)
{
    struct envl_buf first = ENVL_BUF_INIT;

    if (envl_recode(in, own, &first, NULL) != ENVL_OK)
        abort();
    /* Text and binary have one valid form only.  spec: ENV-7.4 */
    if (own != ENVL_ENCODING_OBJECT &&
        (first.len != in.len || memcmp(first.ptr, in.ptr, in.len) != 0))
        abort();
    for (int e = 0; e < 3; e++) {
        struct envl_buf other = ENVL_BUF_INIT, back = ENVL_BUF_INIT;

        if (envl_recode(in, (enum envl_encoding)e, &other, NULL) != ENVL_OK ||
            envl_recode(envl_buf_view(&other), own, &back, NULL) != ENVL_OK ||
            back.len != first.len ||
            memcmp(back.ptr, first.ptr, back.len) != 0)
            abort();
        envl_buf_free(&other);
        envl_buf_free(&back);
    }
    envl_buf_free(&first);
}

/* As a BSON document: what is one is written back to the same envelope. */
static void
check_bson(struct envl_bytes in)
{
    struct envl_buf first = ENVL_BUF_INIT, second = ENVL_BUF_INIT;
    struct envl_buf document = ENVL_BUF_INIT;
    enum envl_status status;

    status = envl_bson_decode(in, ENVL_ENCODING_BINARY, &first, NULL);
    if ((envl_bson_begins(in) == ENVL_OK) != (status != ENVL_E_NOTENV))
        abort();
    if (status == ENVL_OK &&
        (envl_bson_encode(envl_buf_view(&first), &document, NULL) !=
             ENVL_OK ||
         document.len != in.len ||
         envl_bson_decode(envl_buf_view(&document), ENVL_ENCODING_BINARY,
                          &second, NULL) != ENVL_OK ||
         first.len != second.len ||
         memcmp(first.ptr, second.ptr, first.len) != 0))
        abort();
    envl_buf_free(&first);
    envl_buf_free(&second);
    envl_buf_free(&document);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envl_bytes in = { data, size };
    struct beginning found;
    enum envl_status status, begin = beginning_find(in, &found);
    struct envl_info info;

    check_pieces(in);
    check_bson(in);
    if ((envl_begins(in) == ENVL_OK) != (begin != ENVL_E_NOTENV))
        abort();
    status = envl_inspect(in, &info, NULL);
    if (begin != ENVL_OK ? status != begin
                         : status != ENVL_OK && status != ENVL_E_FORMAT)
        abort();
    if (status == ENVL_OK) {
        if (info.encoding != found.encoding || strlen(info.kid) == 0)
            abort();
        check_recode(in, info.encoding);
    } else {
        struct envl_buf none = ENVL_BUF_INIT;

        if (envl_recode(in, ENVL_ENCODING_TEXT, &none, NULL) != status ||
            none.len != 0)
            abort();
        envl_buf_free(&none);
    }
    return 0;
}
