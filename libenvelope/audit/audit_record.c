#include "audit/audit_record.h"

#include <pwd.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/json_scan.h"
#include "core/utf8.h"

#define VERB_LIMIT   128u
#define OBJECT_LIMIT 4096u
#define COUNT_LIMIT  64u

_Static_assert(AUDIT_HASH_LEN == crypto_hash_sha256_BYTES, "SHA-256");

/* ---- writing ------------------------------------------------------------ */

static enum envl_status
put(struct envl_buf *out, struct envl_error *err, const char *format, ...)
    ENVL_PRINTF(3, 4);

static enum envl_status
put(struct envl_buf *out, struct envl_error *err, const char *format, ...)
{
    char text[256];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(text))
        return envl_fail(err, ENVL_E_INTERNAL, "an audit member is too long");
    return envl_buf_append(
        out, (struct envl_bytes){ (const uint8_t *)text, (size_t)len }, err);
}

/* A JSON string, or null.  spec: AUD-16 */
static enum envl_status
put_text(struct envl_buf *out, const char *text, size_t limit,
         struct envl_error *err)
{
    struct envl_bytes bytes = envl_bytes_of(text);
    struct envl_buf plain = ENVL_BUF_INIT;
    enum envl_status status;

    if (text == NULL)
        return put(out, err, "null");
    if (bytes.len > limit)
        return envl_fail(err, ENVL_E_LIMIT,
                         "a name of %zu bytes is too long for the audit log",
                         bytes.len);
    if (utf8_valid(bytes))
        return json_scan_escape(bytes, out, err);
    if ((status = envl_buf_append(&plain, bytes, err)) == ENVL_OK) {
        for (size_t i = 0; i < plain.len; i++)
            if (plain.ptr[i] > 0x7f)
                plain.ptr[i] = '?';
        status = json_scan_escape(envl_buf_view(&plain), out, err);
    }
    envl_buf_free(&plain);
    return status;
}

static enum envl_status
put_actor(struct envl_buf *out, struct envl_error *err)
{
    char host[256] = "", room[4096];
    struct passwd entry, *found = NULL;
    uid_t uid = getuid();
    enum envl_status status;

    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    if (getpwuid_r(uid, &entry, room, sizeof(room), &found) != 0)
        found = NULL;
    if ((status = put(out, err, ",\"actor\":{\"uid\":%lu,\"user\":",
                      (unsigned long)uid)) != ENVL_OK ||
        (status = put_text(out, found == NULL ? NULL : entry.pw_name, 256,
                           err)) != ENVL_OK ||
        (status = put(out, err, ",\"host\":")) != ENVL_OK ||
        (status = put_text(out, host, sizeof(host), err)) != ENVL_OK)
        return status;
    return put(out, err, "}");
}

/* Names, words and numbers: a value has no place here.  spec: AUD-5 */
static enum envl_status
put_event(struct envl_buf *out, const struct envl_audit_event *event,
          struct envl_error *err)
{
    enum envl_status status;

    if (event->verb == NULL || event->outcome == NULL ||
        event->count_len > COUNT_LIMIT)
        return envl_fail(err, ENVL_E_USAGE, "an audit event is incomplete");
    if ((status = put(out, err, ",\"verb\":")) != ENVL_OK ||
        (status = put_text(out, event->verb, VERB_LIMIT, err)) != ENVL_OK ||
        (status = put(out, err, ",\"object\":")) != ENVL_OK ||
        (status = put_text(out, event->object, OBJECT_LIMIT, err)) !=
            ENVL_OK ||
        (status = put(out, err, ",\"outcome\":")) != ENVL_OK ||
        (status = put_text(out, event->outcome, VERB_LIMIT, err)) !=
            ENVL_OK ||
        (status = put(out, err, ",\"counts\":{")) != ENVL_OK)
        return status;
    for (uint32_t i = 0; i < event->count_len; i++) {
        if ((i > 0 && (status = put(out, err, ",")) != ENVL_OK) ||
            (status = put_text(out, event->count_names[i], VERB_LIMIT,
                               err)) != ENVL_OK ||
            (status = put(out, err, ":%llu",
                          (unsigned long long)event->counts[i])) != ENVL_OK)
            return status;
    }
    return put(out, err, "}");
}

/* Everything that is covered by hash and MAC.  spec: AUD-10, AUD-11 */
static enum envl_status
put_covered(struct envl_buf *out, const struct envl_audit_event *event,
            const struct audit_key *key, const struct audit_place *after,
            struct envl_error *err)
{
    char date[CLOCK_DATE_SIZE], hash[AUDIT_HASH_LEN * 2 + 1], pin[33];
    enum envl_status status;

    clock_print(clock_now(), date);
    sodium_bin2hex(hash, sizeof(hash), after->hash, sizeof(after->hash));
    if ((status = put(out, err,
                      "{\"audit\":1,\"number\":%llu,\"time\":\"%s\"",
                      (unsigned long long)after->number + 1, date)) !=
            ENVL_OK ||
        (status = put_actor(out, err)) != ENVL_OK ||
        (status = put_event(out, event, err)) != ENVL_OK)
        return status;
    if (key == NULL) {
        status = put(out, err, ",\"ring\":null,\"pin\":null");
    } else {
        sodium_bin2hex(pin, sizeof(pin), key->pin, sizeof(key->pin));
        status = put(out, err, ",\"ring\":\"%s\",\"pin\":\"%s\"", key->ring,
                     pin);
    }
    if (status != ENVL_OK)
        return status;
    return put(out, err, ",\"previous_hash\":\"%s\"", hash);
}

static void
make_mac(const struct audit_key *key, struct envl_bytes covered,
         uint8_t out[32])
{
    uint8_t mac[HMAC512_LEN];

    /* spec: AUD-14 */
    hmac512(&key->mac, &covered, 1, mac);
    memcpy(out, mac, 32);
}

enum envl_status
audit_record_append(const struct envl_audit_event *event,
                    const struct audit_key *key, struct audit_place *place,
                    struct envl_buf *out, struct envl_error *err)
{
    size_t begin = out->len;
    char hex[AUDIT_HASH_LEN * 2 + 1], text[48] = "";
    uint8_t hash[AUDIT_HASH_LEN], mac[32];
    struct envl_bytes covered;
    enum envl_status status;

    if ((status = put_covered(out, event, key, place, err)) != ENVL_OK)
        return status;
    covered = (struct envl_bytes){ out->ptr + begin, out->len - begin };
    crypto_hash_sha256(hash, covered.ptr, covered.len);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    if (key != NULL) {
        make_mac(key, covered, mac);
        sodium_bin2base64(text, sizeof(text), mac, sizeof(mac),
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    }
    status = put(out, err, ",\"record_hash\":\"%s\",\"mac\":%s%s%s}\n", hex,
                 key == NULL ? "null" : "\"", text, key == NULL ? "" : "\"");
    if (status != ENVL_OK)
        return status;
    if (out->len - begin > AUDIT_LINE_LIMIT)
        return envl_fail(err, ENVL_E_LIMIT,
                         "a record of %zu bytes is too long",
                         out->len - begin);
    memcpy(place->hash, hash, sizeof(hash));
    place->number++;
    return ENVL_OK;
}

/* ---- reading ------------------------------------------------------------ */

/* A walk through a line, token by token; the first fault stands. */
struct walk {
    struct json_scan scan;
    size_t end;      /* of the token before */
    const char *why;
};

static enum json_token
next(struct walk *walk)
{
    enum json_token token;

    if (walk->why != NULL)
        return JSON_SCAN_ERROR;
    token = json_scan_next(&walk->scan);
    if (token == JSON_SCAN_ERROR || token == JSON_SCAN_END) {
        walk->why = "is not a record";
        return JSON_SCAN_ERROR;
    }
    for (size_t i = walk->end; i < walk->scan.start; i++)
        if (walk->scan.text.ptr[i] <= ' ')
            walk->why = "has white space between its tokens";
    walk->end = walk->scan.start + walk->scan.len;
    return token;
}

/* The content of a string token.  Escapes are left: none is looked for. */
static struct envl_bytes
content(const struct walk *walk)
{
    return (struct envl_bytes){ walk->scan.text.ptr + walk->scan.start + 1,
                                walk->scan.len - 2 };
}

static bool
name(struct walk *walk, const char *want)
{
    struct envl_bytes text;

    if (next(walk) != JSON_SCAN_NAME) {
        walk->why = "is not a record";
        return false;
    }
    text = content(walk);
    if (text.len != strlen(want) ||
        strncmp((const char *)text.ptr, want, text.len) != 0)
        walk->why = "has other members than a record";
    return walk->why == NULL;
}

static void
text_or_null(struct walk *walk, const char *want, bool or_null)
{
    enum json_token token;

    if (!name(walk, want))
        return;
    token = next(walk);
    if (token != JSON_SCAN_STRING && !(or_null && token == JSON_SCAN_NULL))
        walk->why = "has a member of another type";
}

static uint64_t
number(struct walk *walk)
{
    uint64_t value = 0;

    if (next(walk) != JSON_SCAN_NUMBER || walk->scan.len > 20) {
        walk->why = "has a member of another type";
        return 0;
    }
    for (size_t i = 0; i < walk->scan.len; i++) {
        uint8_t c = walk->scan.text.ptr[walk->scan.start + i];

        if (c < '0' || c > '9')
            walk->why = "has a member of another type";
        value = value * 10 + (uint64_t)(c - '0');
    }
    return value;
}

/* Lower-case hex of exactly ${len} bytes; false for null where allowed. */
static bool
hex(struct walk *walk, const char *want, bool or_null, struct envl_span out)
{
    enum json_token token;
    struct envl_bytes text;
    size_t len;

    if (!name(walk, want))
        return false;
    token = next(walk);
    if (or_null && token == JSON_SCAN_NULL)
        return false;
    text = content(walk);
    for (size_t i = 0; token == JSON_SCAN_STRING && i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'F')
            token = JSON_SCAN_ERROR;
    if (token != JSON_SCAN_STRING || text.len != out.len * 2 ||
        sodium_hex2bin(out.ptr, out.len, (const char *)text.ptr, text.len,
                       NULL, &len, NULL) != 0 || len != out.len) {
        walk->why = "has a member that is not hexadecimal";
        return false;
    }
    return true;
}

static void
actor(struct walk *walk)
{
    if (name(walk, "actor") && next(walk) != JSON_SCAN_OBJECT_BEGIN)
        walk->why = "has a member of another type";
    if (name(walk, "uid"))
        number(walk);
    text_or_null(walk, "user", true);
    text_or_null(walk, "host", false);
    if (next(walk) != JSON_SCAN_OBJECT_END)
        walk->why = "has other members than a record";
}

static void
counts(struct walk *walk)
{
    enum json_token token;

    if (!name(walk, "counts"))
        return;
    if (next(walk) != JSON_SCAN_OBJECT_BEGIN)
        walk->why = "has a member of another type";
    while ((token = next(walk)) == JSON_SCAN_NAME)
        number(walk);
    if (token != JSON_SCAN_OBJECT_END)
        walk->why = "has a member of another type";
}

static void
ring(struct walk *walk, struct audit_read *out)
{
    struct envl_bytes text;
    enum json_token token;

    if (!name(walk, "ring"))
        return;
    token = next(walk);
    out->has_ring = token == JSON_SCAN_STRING;
    text = content(walk);
    if (out->has_ring && text.len == ENVL_UUID_SIZE - 1)
        memcpy(out->ring, text.ptr, text.len);
    else if (token != JSON_SCAN_NULL)
        walk->why = "names no ring";
    if (hex(walk, "pin", true,
            (struct envl_span){ out->pin, sizeof(out->pin) }) !=
            out->has_ring && walk->why == NULL)
        walk->why = "has a pin without a ring, or a ring without its pin";
}

static void
mac(struct walk *walk, struct audit_read *out)
{
    struct envl_bytes text;
    enum json_token token;
    size_t len;

    if (!name(walk, "mac"))
        return;
    token = next(walk);
    if (token == JSON_SCAN_NULL && !out->has_ring)
        return;
    text = content(walk);
    if (token != JSON_SCAN_STRING || !out->has_ring ||
        sodium_base642bin(out->mac, sizeof(out->mac), (const char *)text.ptr,
                          text.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        len != sizeof(out->mac))
        walk->why = "has a mac that is none";
}

/* All members in their order; ${covered} is found on the way. */
static void
members(struct walk *walk, struct audit_read *out)
{
    if (next(walk) != JSON_SCAN_OBJECT_BEGIN)
        walk->why = "is not a record";
    if (name(walk, "audit") && number(walk) != 1)
        walk->why = "is of a version unknown here";
    if (name(walk, "number"))
        out->number = number(walk);
    if (name(walk, "time") && (next(walk) != JSON_SCAN_STRING ||
                               !clock_parse(content(walk), NULL)))
        walk->why = "has a time that is none";
    actor(walk);
    text_or_null(walk, "verb", false);
    text_or_null(walk, "object", true);
    text_or_null(walk, "outcome", false);
    counts(walk);
    ring(walk, out);
    hex(walk, "previous_hash", false,
        (struct envl_span){ out->previous, sizeof(out->previous) });
    out->covered = (struct envl_bytes){ walk->scan.text.ptr, walk->end };
    hex(walk, "record_hash", false,
        (struct envl_span){ out->hash, sizeof(out->hash) });
    mac(walk, out);
    if (next(walk) != JSON_SCAN_OBJECT_END)
        walk->why = "has other members than a record";
    if (walk->why == NULL && walk->end != walk->scan.text.len)
        walk->why = "has something after the record";
}

const char *
audit_record_read(struct envl_bytes line, struct audit_read *out)
{
    struct walk walk = { .end = 0 };
    uint8_t hash[AUDIT_HASH_LEN];

    *out = (struct audit_read){ .number = 0 };
    if (!utf8_valid(line))
        return "is not UTF-8";
    json_scan_init(&walk.scan, line);
    members(&walk, out);
    json_scan_free(&walk.scan);
    if (walk.why != NULL)
        return walk.why;
    /* spec: AUD-12 */
    crypto_hash_sha256(hash, out->covered.ptr, out->covered.len);
    if (sodium_memcmp(hash, out->hash, sizeof(hash)) != 0)
        return "was changed: its hash is wrong";
    return NULL;
}

bool
audit_record_is_under(const struct audit_read *read,
                      const struct audit_key *key)
{
    return read->has_ring && strcmp(read->ring, key->ring) == 0 &&
           sodium_memcmp(read->pin, key->pin, sizeof(key->pin)) == 0;
}

bool
audit_record_mac_holds(const struct audit_read *read,
                       const struct audit_key *key)
{
    uint8_t expected[32];

    make_mac(key, read->covered, expected);
    return sodium_memcmp(expected, read->mac, sizeof(expected)) == 0;
}
