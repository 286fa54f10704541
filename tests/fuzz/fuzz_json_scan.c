/*
 * Any bytes as JSON: the scanner, the check that takes pieces, and jansson
 * agree; tokens lie inside the text and in order; strings come back from
 * their escapes.  And as BSON: reading stays inside.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/bson_check.h"
#include "core/json_check.h"
#include "core/json_scan.h"
#include "envelope/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
valid_in_pieces(struct envl_bytes in)
{
    size_t step = in.len > 0 ? 1 + in.ptr[in.len - 1] % 7 : 1;
    struct json_check check;
    enum envl_status status = ENVL_OK;

    memset(&check, 0, sizeof(check));
    while (status == ENVL_OK && in.len > 0) {
        struct envl_bytes piece = { in.ptr, in.len < step ? in.len : step };

        status = json_check_update(&check, piece, NULL);
        in.ptr += piece.len;
        in.len -= piece.len;
    }
    if (status == ENVL_OK)
        status = json_check_finish(&check, NULL);
    json_check_free(&check);
    return status == ENVL_OK;
}

/* A string's content, escaped again, has the same content. */
static void
check_string(struct envl_bytes token)
{
    struct envl_buf content = ENVL_BUF_INIT, again = ENVL_BUF_INIT,
                    twice = ENVL_BUF_INIT;

    if (json_scan_unescape(token, &content, NULL) == ENVL_OK) {
        if (json_scan_escape(envl_buf_view(&content), &again, NULL) !=
                ENVL_OK ||
            !json_scan_valid(envl_buf_view(&again)) ||
            json_scan_unescape(envl_buf_view(&again), &twice, NULL) !=
                ENVL_OK ||
            twice.len != content.len ||
            (content.len > 0 && memcmp(twice.ptr, content.ptr,
                                       content.len) != 0))
            abort();
    }
    envl_buf_free(&content);
    envl_buf_free(&again);
    envl_buf_free(&twice);
}

static bool
walk(struct envl_bytes in)
{
    struct json_scan scan;
    enum json_token token;
    size_t last = 0;

    json_scan_init(&scan, in);
    do {
        token = json_scan_next(&scan);
        if (token == JSON_SCAN_ERROR)
            break;
        if (scan.start < last || scan.len > in.len - scan.start)
            abort();
        last = scan.start + scan.len;
        if (token == JSON_SCAN_STRING || token == JSON_SCAN_NAME)
            check_string((struct envl_bytes){ in.ptr + scan.start,
                                              scan.len });
    } while (token != JSON_SCAN_END);
    json_scan_free(&scan);
    return token == JSON_SCAN_END;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envl_bytes in = { data, size };
    bool valid = walk(in);
    json_t *doc;

    if (valid != json_scan_valid(in) || valid != valid_in_pieces(in))
        abort();
    /*
     * jansson has limits: it may refuse what we accept, never the reverse;
     * only that it takes a NUL behind the text for its end.
     */
    if (size == 0 || memchr(data, 0, size) != NULL)
        doc = NULL;
    else
        doc = json_loadb((const char *)data, size,
                         JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (doc != NULL && !valid)
        abort();
    json_decref(doc);
    if ((value_check(in, ENVL_TYPE_JSON, NULL) == ENVL_OK) != valid)
        abort();
    (void)value_check_nesting(in, ENVL_TYPE_JSON, NULL);
    if (value_check(in, ENVL_TYPE_BSON, NULL) == ENVL_OK)
        (void)value_check_nesting(in, ENVL_TYPE_BSON, NULL);
    return 0;
}
