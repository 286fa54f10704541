#include <stdbool.h>
#include <string.h>

#include "core/base64url.h"
#include "core/json_scan.h"
#include "engine/legacy.h"

static bool
begins(struct envl_bytes value, const char *with)
{
    size_t len = strlen(with);

    return value.len >= len && memcmp(value.ptr, with, len) == 0;
}

static struct envl_bytes
after(struct envl_bytes value, size_t len)
{
    return (struct envl_bytes){ value.ptr + len, value.len - len };
}

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool
is_base64(uint8_t c, bool url)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (url ? c == '-' || c == '_' : c == '+' || c == '/');
}

/* Bytes that padded base64 stands for, or 0 if it is none. */
static size_t
base64_len(struct envl_bytes text, bool url)
{
    size_t pads = 0;

    if (text.len == 0 || text.len % 4 != 0)
        return 0;
    while (pads < 2 && text.ptr[text.len - 1 - pads] == '=')
        pads++;
    for (size_t i = 0; i < text.len - pads; i++) {
        if (!is_base64(text.ptr[i], url))
            return 0;
    }
    return text.len / 4 * 3 - pads;
}

/* 80, a time of which the upper 3 bytes are 0 until 2^40 s, an IV of 16,
   whole blocks, a MAC of 32. */
static bool
is_fernet(struct envl_bytes value)
{
    size_t len;

    if (!begins(value, "gAAAA"))
        return false;
    len = base64_len(value, true);
    return len >= 73 && (len - 57) % 16 == 0;
}

/* vault:vN: and the base64 of nonce, ciphertext and tag. */
static bool
is_vault(struct envl_bytes value)
{
    size_t at = 7;

    if (!begins(value, "vault:v"))
        return false;
    while (at < value.len && is_digit(value.ptr[at]))
        at++;
    return at > 7 && at < value.len && value.ptr[at] == ':' &&
           base64_len(after(value, at + 1), false) >= 28;
}

/* The members of ENC[...] in the order in which SOPS writes them. */
static bool
is_sops(struct envl_bytes value)
{
    static const char *const parts[] = { "ENC[AES256_GCM,data:", ",iv:",
                                         ",tag:", ",type:" };

    if (value.len == 0 || value.ptr[value.len - 1] != ']')
        return false;
    for (size_t i = 0; i < 4; i++) {
        const uint8_t *found = value.len < strlen(parts[i])
                                   ? NULL
                                   : memmem(value.ptr, value.len, parts[i],
                                            strlen(parts[i]));

        if (found == NULL || (i == 0 && found != value.ptr))
            return false;
        value = after(value, (size_t)(found - value.ptr) + strlen(parts[i]));
    }
    return true;
}

/* v1.aesgcm256.XXXXXXXX. */
static bool
is_cloak(struct envl_bytes value)
{
    if (!begins(value, "v1.aesgcm256.") || value.len < 22 ||
        value.ptr[21] != '.')
        return false;
    for (size_t i = 13; i < 21; i++) {
        uint8_t c = value.ptr[i];

        if (!is_digit(c) && !(c >= 'a' && c <= 'f'))
            return false;
    }
    return true;
}

/* CipherSweet's backends: a name of five bytes, then nonce, text and tag. */
static bool
is_ciphersweet(struct envl_bytes value)
{
    return (begins(value, "brng:") || begins(value, "nacl:") ||
            begins(value, "fips:")) &&
           base64_len(after(value, 5), true) >= 40;
}

static bool
is_name(struct envl_bytes text, const struct json_scan *scan, const char *name)
{
    struct envl_bytes token = { text.ptr + scan->start, scan->len };

    return token.len == strlen(name) && begins(token, name);
}

/* {"p":"...","h":{"iv":"...","at":"..."}}, as Rails writes it. */
static bool
is_rails(struct envl_bytes value)
{
    enum json_token token, before = JSON_SCAN_ERROR;
    unsigned found = 0, member = 0;
    struct json_scan scan;
    bool headers = false;

    if (!begins(value, "{\"p\":\""))
        return false;
    json_scan_init(&scan, value);
    while ((token = json_scan_next(&scan)) != JSON_SCAN_ERROR &&
           token != JSON_SCAN_END) {
        if (token == JSON_SCAN_NAME && scan.depth == 1) {
            headers = is_name(value, &scan, "\"h\"");
            member = is_name(value, &scan, "\"p\"") ? 1 : 0;
        } else if (token == JSON_SCAN_NAME) {
            member = !headers || scan.depth != 2         ? 0
                     : is_name(value, &scan, "\"iv\"") ? 2
                     : is_name(value, &scan, "\"at\"") ? 4
                                                       : 0;
        } else if (token == JSON_SCAN_STRING && before == JSON_SCAN_NAME) {
            found |= member;
        }
        before = token;
    }
    json_scan_free(&scan);
    return token == JSON_SCAN_END && found == 7;
}

/* A JSON object with strings "alg" and "enc" at its top. */
static bool
is_jose_header(struct envl_bytes text)
{
    struct json_scan scan;
    enum json_token token;
    unsigned found = 0;
    unsigned member = 0;

    json_scan_init(&scan, text);
    token = json_scan_next(&scan);
    while (token == JSON_SCAN_OBJECT_BEGIN) {
        token = json_scan_next(&scan);
        while (token == JSON_SCAN_NAME) {
            struct envl_bytes name = { text.ptr + scan.start, scan.len };

            member = name.len == 5 && begins(name, "\"alg\"")   ? 1
                     : name.len == 5 && begins(name, "\"enc\"") ? 2
                                                                : 0;
            token = json_scan_next(&scan);
            if (token == JSON_SCAN_STRING)
                found |= member;
            if (!json_scan_skip(&scan))
                break;
            token = json_scan_next(&scan);
        }
        break;
    }
    json_scan_free(&scan);
    return token == JSON_SCAN_OBJECT_END && found == 3;
}

/* RFC 7516 section 7.1: header.key.iv.ciphertext.tag, the key may be empty. */
static bool
is_jwe(struct envl_bytes value)
{
    uint8_t header[1024 / 4 * 3 + 2];
    size_t part = 0, begin = 0, first = 0, len;

    if (!begins(value, "eyJ"))
        return false;
    for (size_t i = 0; i <= value.len; i++) {
        if (i < value.len && value.ptr[i] != '.') {
            if (!is_base64(value.ptr[i], true))
                return false;
            continue;
        }
        if (i == begin && part != 1)
            return false;
        if (part == 0)
            first = i;
        part++;
        begin = i + 1;
    }
    if (part != 5 || first > 1024)
        return false;
    len = base64url_decode((struct envl_bytes){ value.ptr, first }, header);
    return len != SIZE_MAX &&
           is_jose_header((struct envl_bytes){ header, len });
}

struct packet {
    unsigned tag;
    size_t head, len;
};

/* RFC 9580 section 4.2; partial and indeterminate lengths are not for the
   packets asked about. */
static bool
read_packet(struct envl_bytes value, struct packet *out)
{
    const uint8_t *p = value.ptr;
    size_t size = 0;

    if (value.len < 2 || (p[0] & 0x80) == 0)
        return false;
    if ((p[0] & 0x40) != 0) {
        out->tag = p[0] & 0x3f;
        out->head = p[1] < 192 ? 2 : p[1] < 224 ? 3 : p[1] == 255 ? 6 : 0;
        if (out->head == 0 || value.len < out->head)
            return false;
        size = out->head == 2   ? p[1]
               : out->head == 3 ? ((size_t)(p[1] - 192) << 8) + p[2] + 192
                                : (size_t)p[2] << 24 | (size_t)p[3] << 16 |
                                      (size_t)p[4] << 8 | p[5];
    } else {
        unsigned bytes = 1u << (p[0] & 3);

        out->tag = (p[0] >> 2) & 0xf;
        out->head = 1 + bytes;
        if (bytes == 8 || value.len < out->head)
            return false;
        for (unsigned i = 1; i <= bytes; i++)
            size = size << 8 | p[i];
    }
    out->len = size;
    return true;
}

/*
 * A session key packet (3: by passphrase, version 4, an S2K of type 0, 1 or
 * 3; 1: by public key, version 3), and behind it another, or the encrypted
 * data: what pgp_sym_encrypt, pgp_pub_encrypt and gpg write.
 */
static bool
is_pgp(struct envl_bytes value)
{
    struct packet packet, next;
    const uint8_t *body;

    if (!read_packet(value, &packet) || packet.len < 4 ||
        packet.len > value.len - packet.head)
        return false;
    body = value.ptr + packet.head;
    if (packet.tag == 3) {
        if (body[0] != 4 || body[1] < 1 || body[1] > 13 || body[2] > 3 ||
            body[2] == 2)
            return false;
    } else if (packet.tag != 1 || body[0] != 3 || packet.len < 10) {
        return false;
    }
    value = after(value, packet.head + packet.len);
    /* Encrypted data may come in pieces: only its tag is looked at. */
    if (value.len >= 2 && (value.ptr[0] == 0xd2 || value.ptr[0] == 0xc9))
        return true;
    return read_packet(value, &next) &&
           (next.tag == 1 || next.tag == 3 || next.tag == 9 ||
            next.tag == 18 || next.tag == 20);
}

const char *
legacy_scheme(struct envl_bytes value)
{
    if (value.len < 8)
        return NULL;
    switch (value.ptr[0]) {
    case 'g':
        return is_fernet(value) ? "fernet" : NULL;
    case '{':
        return is_rails(value) ? "rails" : NULL;
    case 'b':
    case 'n':
    case 'f':
        return is_ciphersweet(value) ? "ciphersweet" : NULL;
    case 'v':
        return is_vault(value) ? "vault transit"
               : is_cloak(value) ? "cloak" : NULL;
    case 'e':
        return is_jwe(value) ? "jwe" : NULL;
    case 'E':
        return is_sops(value) ? "sops" : begins(value, "EJ[1:") ? "ejson"
                                                                : NULL;
    case 'a':
        return begins(value, "age-encryption.org/v1\n") ? "age" : NULL;
    case '$':
        return begins(value, "$ANSIBLE_VAULT;1.") ? "ansible vault" : NULL;
    case '-':
        return begins(value, "-----BEGIN PGP MESSAGE-----") ? "openpgp"
               : begins(value, "-----BEGIN AGE ENCRYPTED FILE-----") ? "age"
                                                                    : NULL;
    default:
        return value.ptr[0] >= 0x80 && is_pgp(value) ? "openpgp" : NULL;
    }
}
