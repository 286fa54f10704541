#include <string.h>

#include <sodium.h>

#include "core/json_scan.h"
#include "core/utf8.h"
#include "json_line.h"

/* What a line is parsed into; seen has one bit a member. */
struct parser {
    struct json_scan scan;
    struct envl_buf *scratch;
    struct json_line *out;
    unsigned seen;
    bool typed;
};

enum member {
    MEMBER_VALUE = 1,
    MEMBER_VALUE_B64 = 2,
    MEMBER_CONTEXT = 4,
    MEMBER_TYPE = 8,
    MEMBER_ENVELOPE = 16,
    MEMBER_UNKNOWN = 0
};

static struct envl_bytes
token_bytes(const struct json_scan *scan)
{
    return (struct envl_bytes){ scan->text.ptr + scan->start, scan->len };
}

/* The content of the string token that was just read. */
static enum envl_status
take_string(struct parser *parser, struct envl_bytes *out)
{
    struct envl_bytes token = token_bytes(&parser->scan);
    size_t before = parser->scratch->len;
    enum envl_status status;

    if (memchr(token.ptr, '\\', token.len) == NULL) {
        *out = (struct envl_bytes){ token.ptr + 1, token.len - 2 };
        return ENVL_OK;
    }
    status = json_scan_unescape(token, parser->scratch, NULL);
    if (status != ENVL_OK)
        return status == ENVL_E_NOMEM ? status : ENVL_E_USAGE;
    *out = (struct envl_bytes){ parser->scratch->ptr + before,
                                parser->scratch->len - before };
    return ENVL_OK;
}

static bool
is(struct envl_bytes text, const char *word)
{
    size_t len = strlen(word);

    return text.len == len && memcmp(text.ptr, word, len) == 0;
}

static enum envl_status
next_string(struct parser *parser, struct envl_bytes *out)
{
    if (json_scan_next(&parser->scan) != JSON_SCAN_STRING)
        return ENVL_E_USAGE;
    return take_string(parser, out);
}

static enum envl_status
take_base64(struct parser *parser)
{
    struct envl_buf *scratch = parser->scratch;
    size_t before = scratch->len, len;
    struct envl_bytes text;
    enum envl_status status = next_string(parser, &text);

    if (status != ENVL_OK)
        return status;
    /*
     * Without its escapes it lies in the scratch already: it is decoded where
     * it lies, since the scratch has no room for it twice, and must not move.
     */
    scratch->len = before;
    if ((status = envl_buf_reserve(scratch, text.len, NULL)) != ENVL_OK)
        return status;
    if (sodium_base642bin(scratch->ptr + before, text.len,
                          (const char *)text.ptr, text.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return ENVL_E_USAGE;
    parser->out->value = (struct envl_bytes){ scratch->ptr + before, len };
    scratch->len = before + len;
    return ENVL_OK;
}

static enum envl_status
take_type(struct parser *parser)
{
    static const char *const names[] = { "bytes", "text", "json", "bson" };
    struct envl_bytes text;
    enum envl_status status = next_string(parser, &text);

    if (status != ENVL_OK)
        return status;
    for (int i = 0; i < 4; i++)
        if (is(text, names[i])) {
            parser->out->type = (enum envl_type)i;
            parser->typed = true;
            return ENVL_OK;
        }
    return ENVL_E_USAGE;
}

static enum envl_status
take_context(struct parser *parser)
{
    struct json_line *out = parser->out;
    enum envl_status status;
    enum json_token token;

    if (json_scan_next(&parser->scan) != JSON_SCAN_OBJECT_BEGIN)
        return ENVL_E_USAGE;
    while ((token = json_scan_next(&parser->scan)) == JSON_SCAN_NAME) {
        struct envl_pair *pair = &out->pairs[out->pair_count];

        if (out->pair_count == ENVL_CONTEXT_MAX_PAIRS)
            return ENVL_E_LIMIT;
        if ((status = take_string(parser, &pair->name)) != ENVL_OK ||
            (status = next_string(parser, &pair->value)) != ENVL_OK)
            return status;
        out->pair_count++;
    }
    return token == JSON_SCAN_OBJECT_END ? ENVL_OK : ENVL_E_USAGE;
}

/* An envelope in text form is a string, one in object form is itself. */
static enum envl_status
take_envelope(struct parser *parser)
{
    size_t start;

    switch (json_scan_next(&parser->scan)) {
    case JSON_SCAN_STRING:
        return take_string(parser, &parser->out->value);
    case JSON_SCAN_OBJECT_BEGIN:
        start = parser->scan.start;
        if (!json_scan_skip(&parser->scan))
            return ENVL_E_USAGE;
        parser->out->value = (struct envl_bytes){
            parser->scan.text.ptr + start, parser->scan.at - start };
        return ENVL_OK;
    default:
        return ENVL_E_USAGE;
    }
}

static enum member
member_of(struct envl_bytes name, bool sealing)
{
    if (is(name, "context"))
        return MEMBER_CONTEXT;
    if (!sealing)
        return is(name, "envelope") ? MEMBER_ENVELOPE : MEMBER_UNKNOWN;
    if (is(name, "value"))
        return MEMBER_VALUE;
    if (is(name, "value_b64"))
        return MEMBER_VALUE_B64;
    return is(name, "type") ? MEMBER_TYPE : MEMBER_UNKNOWN;
}

static enum envl_status
take_member(struct parser *parser, enum member member)
{
    if (member == MEMBER_UNKNOWN || (parser->seen & member) != 0)
        return ENVL_E_USAGE;
    parser->seen |= member;
    switch (member) {
    case MEMBER_VALUE:
        return next_string(parser, &parser->out->value);
    case MEMBER_VALUE_B64:
        return take_base64(parser);
    case MEMBER_CONTEXT:
        return take_context(parser);
    case MEMBER_TYPE:
        return take_type(parser);
    case MEMBER_ENVELOPE:
        return take_envelope(parser);
    case MEMBER_UNKNOWN:
        break;
    }
    return ENVL_E_USAGE;
}

static enum envl_status
parse_object(struct parser *parser, bool sealing)
{
    struct envl_bytes name;
    enum envl_status status;
    enum json_token token;

    if (json_scan_next(&parser->scan) != JSON_SCAN_OBJECT_BEGIN)
        return ENVL_E_USAGE;
    while ((token = json_scan_next(&parser->scan)) == JSON_SCAN_NAME) {
        if ((status = take_string(parser, &name)) != ENVL_OK ||
            (status = take_member(parser, member_of(name, sealing))) !=
                ENVL_OK)
            return status;
    }
    if (token != JSON_SCAN_OBJECT_END ||
        json_scan_next(&parser->scan) != JSON_SCAN_END)
        return ENVL_E_USAGE;
    return ENVL_OK;
}

static enum envl_status
parse(struct envl_bytes line, struct envl_buf *scratch, struct json_line *out,
      bool sealing)
{
    struct parser parser = { .scratch = scratch, .out = out };
    unsigned values;
    enum envl_status status;

    out->pair_count = 0;
    out->value = (struct envl_bytes){ NULL, 0 };
    if (!utf8_valid(line))
        return ENVL_E_USAGE;
    json_scan_init(&parser.scan, line);
    status = parse_object(&parser, sealing);
    json_scan_free(&parser.scan);
    if (status != ENVL_OK)
        return status;
    values = parser.seen &
             (MEMBER_VALUE | MEMBER_VALUE_B64 | MEMBER_ENVELOPE);
    if (values == 0 || (values & (values - 1)) != 0) /* not exactly one */
        return ENVL_E_USAGE;
    if (!parser.typed)
        out->type = values == MEMBER_VALUE ? ENVL_TYPE_TEXT : ENVL_TYPE_BYTES;
    return ENVL_OK;
}

enum envl_status
json_line_parse_seal(struct envl_bytes line, struct envl_buf *scratch,
                     struct json_line *out)
{
    return parse(line, scratch, out, true);
}

enum envl_status
json_line_parse_open(struct envl_bytes line, struct envl_buf *scratch,
                     struct json_line *out)
{
    return parse(line, scratch, out, false);
}
