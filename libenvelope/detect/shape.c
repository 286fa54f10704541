#include <string.h>

#include "core/sodium_once.h"
#include "detect/charset.h"
#include "detect/decode.h"
#include "detect/shape.h"
#include "detect/token.h"
#include "detect/value.h"

#define KEY_LABEL 64u  /* longest "XYZ PRIVATE KEY" of a BEGIN line        */
#define USERINFO  512u /* longest userinfo of a URL                        */
#define NEST      65536u /* base64 is looked into as far as so many bytes  */

static bool
begins(struct envl_bytes text, size_t at, const char *with)
{
    size_t len = strlen(with);

    return at <= text.len && text.len - at >= len &&
           memcmp(text.ptr + at, with, len) == 0;
}

static size_t
find(struct envl_bytes text, size_t from, const char *what)
{
    const uint8_t *at;

    if (from >= text.len)
        return SIZE_MAX;
    at = memmem(text.ptr + from, text.len - from, what, strlen(what));
    return at == NULL ? SIZE_MAX : (size_t)(at - text.ptr);
}

/* -----BEGIN ... PRIVATE KEY... -----END ...-----; RFC 7468, RFC 9580 */
size_t
shape_private_key_end(struct envl_bytes text)
{
    size_t end = find(text, 0, "-----END "), line;

    if (end == SIZE_MAX)
        return SIZE_MAX;
    line = find(text, end + 9, "-----");
    return line == SIZE_MAX ? text.len : line + 5;
}

/* RFC 7468 section 3, as all known labels are written. */
static bool
is_label(struct envl_bytes label)
{
    for (size_t i = 0; i < label.len; i++)
        if (label.ptr[i] != ' ' && !charset_has(CHARSET_UPPER, label.ptr[i]))
            return false;
    return true;
}

static bool
private_key(struct envl_bytes text, size_t at, struct hit *hit)
{
    struct envl_bytes label, rest;
    size_t close, end;

    if (!begins(text, at, "-----BEGIN "))
        return false;
    label = (struct envl_bytes){ text.ptr + at + 11, text.len - at - 11 };
    if (label.len > KEY_LABEL)
        label.len = KEY_LABEL;
    close = find(label, 0, "-----");
    if (close == SIZE_MAX)
        return false;
    label.len = close;
    if (find(label, 0, "PRIVATE KEY") == SIZE_MAX || !is_label(label))
        return false;
    rest = (struct envl_bytes){ text.ptr + at + 11 + close,
                                text.len - at - 11 - close };
    end = shape_private_key_end(rest);
    *hit = (struct hit){ at, end == SIZE_MAX ? text.len - at
                                             : 11 + close + end,
                         end == SIZE_MAX ? "private-key-part" : "private-key",
                         "a private key in PEM form", HIT_HIGH };
    return true;
}

static bool
putty_key(struct envl_bytes text, size_t at, struct hit *hit)
{
    if (!begins(text, at, "PuTTY-User-Key-File-2: ") &&
        !begins(text, at, "PuTTY-User-Key-File-3: "))
        return false;
    *hit = (struct hit){ at, text.len - at, "private-key",
                         "a private key in PuTTY's form", HIT_HIGH };
    return true;
}

/* RFC 7519: two parts that begin like a JSON object, and a signature. */
static bool
web_token(struct envl_bytes text, size_t at, struct hit *hit)
{
    size_t header, payload, signature;

    if (!begins(text, at, "eyJ") || charset_glued(text, at) ||
        (at > 0 && memchr("-.", text.ptr[at - 1], 2) != NULL))
        return false; /* so no word is looked at twice */
    header = charset_run(CHARSET_WORD, text, at);
    if (header < 12 || !begins(text, at + header, ".eyJ"))
        return false;
    payload = charset_run(CHARSET_WORD, text, at + header + 1);
    if (payload < 6 || !begins(text, at + header + 1 + payload, "."))
        return false;
    signature = charset_run(CHARSET_WORD, text, at + header + payload + 2);
    *hit = (struct hit){ at, header + payload + signature + 2,
                         "json-web-token", "a JSON Web Token", HIT_HIGH };
    return true;
}

/* ${at} is the colon of "://"; the password of user:password@host */
static bool
url_password(struct envl_bytes text, size_t at, struct hit *hit)
{
    size_t colon = 0, i = at + 3, end = text.len;
    struct envl_bytes password;

    if (!begins(text, at, "://") || at == 0 ||
        !charset_has(CHARSET_ALNUM, text.ptr[at - 1]))
        return false;
    if (end - i > USERINFO)
        end = i + USERINFO;
    for (; i < end && text.ptr[i] != '@'; i++) {
        if (memchr("/?#\"'`<> \t\r\n\\", text.ptr[i], 13) != NULL)
            return false;
        if (text.ptr[i] == ':' && colon == 0)
            colon = i + 1;
    }
    if (i >= end || colon == 0 || colon == i)
        return false;
    password = (struct envl_bytes){ text.ptr + colon, i - colon };
    if (value_is_placeholder(password))
        return false;
    *hit = (struct hit){ colon, password.len, "url-password",
                         "a password in a URL",
                         value_is_default(password) ? HIT_MEDIUM : HIT_HIGH };
    return true;
}

/* RFC 6750, RFC 7617: a scheme's word, one space, credentials. */
static bool
credentials(struct envl_bytes text, size_t at, struct hit *hit)
{
    static const char *const schemes[] = { "Bearer ", "bearer ", "Basic ",
                                           "basic ", "Token token=" };
    struct envl_bytes value;

    if (charset_glued(text, at))
        return false;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        size_t word = strlen(schemes[i]), run;

        if (!begins(text, at, schemes[i]))
            continue;
        while (at + word < text.len && text.ptr[at + word] == ' ')
            word++;
        if (at + word < text.len && text.ptr[at + word] == '"')
            word++;
        run = charset_run(CHARSET_DOTTED, text, at + word);
        while (at + word + run < text.len &&
               memchr("+/=~.", text.ptr[at + word + run], 5) != NULL)
            run += 1 + charset_run(CHARSET_DOTTED, text, at + word + run + 1);
        value = (struct envl_bytes){ text.ptr + at + word, run };
        if (run < 16 || !value_is_random(value))
            return false;
        *hit = (struct hit){ at + word, run, "authorization",
                             "credentials of an Authorization header",
                             HIT_HIGH };
        return true;
    }
    return false;
}

/* Hooks that anybody who knows their URL can call; ${at}: its host. */
static bool
hook(struct envl_bytes text, size_t at, struct hit *hit)
{
    static const char *const hosts[] = { "hooks.slack.com/services/",
                                         "hooks.slack.com/workflows/",
                                         "discord.com/api/webhooks/",
                                         "discordapp.com/api/webhooks/" };

    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        size_t host = strlen(hosts[i]), run;

        if (!begins(text, at, hosts[i]))
            continue;
        run = charset_run(CHARSET_BASE64, text, at + host);
        if (run < 30)
            return false;
        *hit = (struct hit){ at + host, run, "webhook-url",
                             "a hook that whoever has its URL can call",
                             HIT_HIGH };
        return true;
    }
    return false;
}

/* Telegram: the bot's number, a colon, 35 characters that begin with AA. */
static bool
telegram(struct envl_bytes text, size_t at, struct hit *hit)
{
    size_t digits, run;

    if (!charset_has(CHARSET_DIGIT, text.ptr[at]) ||
        (at > 0 && charset_has(CHARSET_DIGIT, text.ptr[at - 1])))
        return false;
    digits = charset_run(CHARSET_DIGIT, text, at);
    if (digits < 8 || digits > 10 || !begins(text, at + digits, ":AA"))
        return false;
    run = charset_run(CHARSET_WORD, text, at + digits + 1);
    if (run != 35)
        return false;
    *hit = (struct hit){ at, digits + 1 + run, "telegram-token",
                         "a Telegram bot's token", HIT_HIGH };
    return true;
}

static bool plain_next(struct envl_bytes text, size_t from, struct hit *hit);

/* A run of base64 that holds one of the other shapes is that secret. */
static bool
encoded(struct envl_bytes text, size_t at, size_t run, struct hit *hit)
{
    struct envl_buf inner = ENVL_BUF_INIT;
    struct envl_bytes part = { text.ptr + at, run < NEST ? run : NEST };
    bool found = decode_base64(part, &inner) &&
                 plain_next(envl_buf_view(&inner), 0, hit);

    envl_buf_free(&inner);
    if (!found)
        return false;
    while (at + run < text.len && text.ptr[at + run] == '=')
        run++;
    hit->at = at;
    hit->len = run;
    hit->why = "base64 of a secret with a known form";
    return true;
}

/* All shapes but those inside base64. */
static bool
plain_at(struct envl_bytes text, size_t at, struct hit *hit)
{
    switch (text.ptr[at]) {
    case '-':
        return private_key(text, at, hit);
    case ':':
        return url_password(text, at, hit);
    case 'e':
        return web_token(text, at, hit);
    case 'P':
        if (putty_key(text, at, hit))
            return true;
        break;
    case 'B': case 'b': case 'T':
        if (credentials(text, at, hit))
            return true;
        break;
    case 'h': case 'd':
        if (hook(text, at, hit))
            return true;
        break;
    default:
        if (charset_has(CHARSET_DIGIT, text.ptr[at]))
            return telegram(text, at, hit);
    }
    return token_at(text, at, hit);
}

static bool
plain_next(struct envl_bytes text, size_t from, struct hit *hit)
{
    for (size_t at = from; at < text.len; at++)
        if (plain_at(text, at, hit))
            return true;
    return false;
}

bool
shape_next(struct envl_bytes text, size_t from, struct hit *hit)
{
    size_t seen = from; /* base64 was looked into as far as here */

    for (size_t at = from; at < text.len; at++) {
        if (plain_at(text, at, hit))
            return true;
        if (at >= seen && charset_has(CHARSET_BASE64, text.ptr[at])) {
            size_t run = charset_run(CHARSET_BASE64, text, at);

            seen = at + run;
            if (run >= 32 && encoded(text, at, run, hit))
                return true;
        }
    }
    return false;
}
