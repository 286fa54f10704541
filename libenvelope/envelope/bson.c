#include <string.h>

#include <envelope/bson.h>

#include "core/bson_check.h"
#include "envelope/beginning.h"
#include "envelope/payload.h"
#include "envelope/recode.h"
#include "keyring/key.h"

/* What the members of a document are, as far as it could be read. */
struct members {
    struct bson_element env;
    unsigned envs, numbers, payloads;
    struct envl_bytes kid, mode, payload, wrapped; /* ptr NULL: not there */
    bool others; /* unknown, twice, or of another type */
    bool whole;  /* read up to the terminator          */
};

static bool
is(struct envl_bytes name, const char *word)
{
    size_t len = strlen(word);

    return name.len == len && memcmp(name.ptr, word, len) == 0;
}

static bool
is_number(uint8_t type)
{
    return type == BSON_DOUBLE || type == BSON_INT32 || type == BSON_INT64 ||
           type == BSON_DECIMAL128;
}

static void
take(struct members *m, const struct bson_element *e)
{
    bool binary = e->type == BSON_BINARY && e->value.ptr[4] == 0;
    struct {
        const char *name;
        struct envl_bytes *value;
        bool fits;
    } known[] = {
        { "kid", &m->kid, e->type == BSON_STRING },
        { "mode", &m->mode, e->type == BSON_STRING },
        { "payload", &m->payload, binary },
        { "wrapped", &m->wrapped, binary },
    };

    m->payloads += is(e->name, "payload");
    if (is(e->name, "env")) {
        m->envs++;
        m->numbers += is_number(e->type);
        m->env = *e;
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        if (!is(e->name, known[i].name))
            continue;
        if (known[i].fits && known[i].value->ptr == NULL)
            *known[i].value = e->bytes;
        else
            m->others = true;
        return;
    }
    m->others = true;
}

static void
read_members(struct envl_bytes document, struct members *out)
{
    struct bson_element element;
    size_t at = 4;

    memset(out, 0, sizeof(*out));
    if (document.len < 5)
        return;
    while ((at = bson_check_next_shape(document, at, &element)) != 0 &&
           at != SIZE_MAX)
        take(out, &element);
    out->whole = at == 0;
}

/* spec: ENV-8.20 */
enum envl_status
envl_bson_begins(struct envl_bytes document)
{
    struct members members;

    read_members(document, &members);
    return members.numbers > 0 && members.payloads > 0 ? ENVL_OK
                                                       : ENVL_E_NOTENV;
}

/* ---- which numbers are 1 ------------------------------------------------- */

static uint64_t
le64(const uint8_t *p)
{
    uint64_t value = 0;

    for (unsigned i = 8; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

/*
 * IEEE 754-2008 decimal128, binary integer significand: a sign, 14 bits of
 * exponent (biased by 6176) and 113 of the significand, which is 1 followed by
 * as many zeros as the exponent takes away.  Where the exponent begins 11 the
 * number is infinite, none, or has a significand too large to count.
 */
static bool
decimal_is_one(const uint8_t *p)
{
    uint64_t low = le64(p), high = le64(p + 8);
    uint64_t exponent = high >> 49 & 0x3fff;
    uint64_t want_low = 1, want_high = 0;

    if (high >> 63 != 0 || (high >> 61 & 3) == 3 || exponent > 6176 ||
        exponent < 6176 - 33)
        return false;
    for (uint64_t i = exponent; i < 6176; i++) {
        uint64_t carry = (want_low >> 32) * 10 +
                         ((want_low & UINT32_MAX) * 10 >> 32);

        want_high = want_high * 10 + (carry >> 32);
        want_low *= 10;
    }
    return low == want_low && (high & UINT64_C(0x1ffffffffffff)) == want_high;
}

/* spec: ENV-7.9, ENV-8.3 */
static enum envl_status
version_of(const struct bson_element *env)
{
    const uint8_t *p = env->value.ptr;
    static const uint8_t one[] = { 1, 0, 0, 0, 0, 0, 0, 0 };
    static const uint8_t double_one[] = { 0, 0, 0, 0, 0, 0, 0xf0, 0x3f };
    bool equal;

    switch (env->type) {
    case BSON_INT32:
        return memcmp(p, one, 4) == 0 ? ENVL_OK : ENVL_E_VERSION;
    case BSON_INT64:
        equal = memcmp(p, one, 8) == 0;
        break;
    case BSON_DOUBLE:
        equal = memcmp(p, double_one, 8) == 0;
        break;
    default:
        equal = decimal_is_one(p);
        break;
    }
    return equal ? ENVL_E_FORMAT : ENVL_E_VERSION;
}

/* ---- from a document ----------------------------------------------------- */

/* spec: ENV-8.3, ENV-8.4, ENV-8.20 */
static enum envl_status
parse(struct envl_bytes document, struct members *m, enum envl_mode *mode)
{
    enum envl_status status;
    bool wrapped;

    read_members(document, m);
    if (m->numbers == 0 || m->payloads == 0)
        return ENVL_E_NOTENV;
    status = m->whole ? bson_check_document(document, NULL) : ENVL_E_USAGE;
    if (status == ENVL_E_NOMEM)
        return status;
    if (status != ENVL_OK || m->envs != 1)
        return ENVL_E_FORMAT;
    if ((status = version_of(&m->env)) != ENVL_OK)
        return status;
    wrapped = m->mode.ptr != NULL && is(m->mode, "wrapped");
    if (m->others || m->kid.ptr == NULL || m->mode.ptr == NULL ||
        m->payload.ptr == NULL || (!wrapped && !is(m->mode, "derived")) ||
        wrapped != (m->wrapped.ptr != NULL) || !key_name_valid(m->kid) ||
        (wrapped && (m->wrapped.len < 1 ||
                     m->wrapped.len > LAYOUT_WRAPPED_MAX)) ||
        !payload_len_valid(m->payload.len))
        return ENVL_E_FORMAT;
    *mode = wrapped ? ENVL_MODE_WRAPPED : ENVL_MODE_DERIVED;
    return ENVL_OK;
}

enum envl_status
envl_bson_decode(struct envl_bytes document, enum envl_encoding encoding,
                 struct envl_buf *out, struct envl_error *err)
{
    enum envl_mode mode = ENVL_MODE_DERIVED;
    struct layout layout;
    struct members members;
    enum envl_status status;

    if ((int)encoding < 0 || encoding > ENVL_ENCODING_BINARY)
        return envl_fail(err, ENVL_E_USAGE, "an encoding that there is not");
    status = parse(document, &members, &mode);
    if (status == ENVL_E_NOMEM)
        return envl_fail(err, status, "out of memory for an envelope");
    if (status != ENVL_OK)
        return beginning_fail(status, err);
    layout = (struct layout){ encoding, mode, members.kid, members.wrapped,
                              members.payload.len };
    return recode_write(&layout, members.payload, out, err);
}

/* ---- to a document ------------------------------------------------------- */

static uint8_t *
put(uint8_t *p, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(p, bytes, len);
    return p + len;
}

static uint8_t *
put_le32(uint8_t *p, size_t value)
{
    for (unsigned i = 0; i < 4; i++)
        *p++ = (uint8_t)(value >> 8 * i);
    return p;
}

/* A type byte and a name with its NUL. */
static uint8_t *
put_head(uint8_t *p, uint8_t type, const char *name)
{
    *p++ = type;
    return put(p, name, strlen(name) + 1);
}

static uint8_t *
put_string(uint8_t *p, const char *name, struct envl_bytes text)
{
    p = put_head(p, BSON_STRING, name);
    p = put_le32(p, text.len + 1);
    p = put(p, text.ptr, text.len);
    *p++ = 0;
    return p;
}

static uint8_t *
put_binary(uint8_t *p, const char *name, struct envl_bytes bytes)
{
    p = put_head(p, BSON_BINARY, name);
    p = put_le32(p, bytes.len);
    *p++ = 0;
    return put(p, bytes.ptr, bytes.len);
}

/* 4 and 1 around the members; of each a type, a name, a NUL and a value. */
static size_t
document_len(const struct parsed *parsed, const char *mode)
{
    size_t len = 5 + (1 + 4 + 4) + (1 + 4 + 4 + parsed->kid.len + 1) +
                 (1 + 5 + 4 + strlen(mode) + 1) +
                 (1 + 8 + 5 + parsed->payload_len);

    if (parsed->mode == ENVL_MODE_WRAPPED)
        len += 1 + 8 + 5 + parsed->wrapped.len;
    return len;
}

enum envl_status
envl_bson_encode(struct envl_bytes envelope, struct envl_buf *out,
                 struct envl_error *err)
{
    struct recode_source source;
    const struct parsed *parsed = &source.parsed;
    enum envl_status status = recode_parse(envelope, &source, err);
    const char *mode;
    uint8_t *p;
    size_t len;

    if (status != ENVL_OK)
        return status;
    mode = parsed->mode == ENVL_MODE_WRAPPED ? "wrapped" : "derived";
    len = document_len(parsed, mode);
    if (parsed->payload_len > INT32_MAX || len > INT32_MAX)
        status = envl_fail(err, ENVL_E_LIMIT, "an envelope larger than a BSON "
                           "document can be");
    else
        status = envl_buf_reserve(out, len, err);
    if (status == ENVL_OK) { /* spec: ENV-7.9, ENV-7.8 */
        p = put_le32(out->ptr + out->len, len);
        p = put_le32(put_head(p, BSON_INT32, "env"), 1);
        p = put_string(p, "kid", parsed->kid);
        p = put_string(p, "mode", envl_bytes_of(mode));
        p = put_binary(p, "payload", parsed->payload);
        if (parsed->mode == ENVL_MODE_WRAPPED)
            p = put_binary(p, "wrapped", parsed->wrapped);
        *p = 0;
        out->len += len;
    }
    recode_free(&source);
    return status;
}
