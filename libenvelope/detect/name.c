#include <stdbool.h>
#include <string.h>

#include "detect/charset.h"
#include "detect/name.h"

#define WORDS    12u /* the last so many words of a name count */
#define WORD_MAX 24u

struct words {
    char word[WORDS][WORD_MAX + 1];
    unsigned count;
};

static void
push(struct words *words, const uint8_t *from, size_t len)
{
    char *to;

    if (words->count == WORDS) {
        memmove(words->word[0], words->word[1],
                sizeof(words->word[0]) * (WORDS - 1));
        words->count--;
    }
    to = words->word[words->count++];
    if (len > WORD_MAX)
        len = WORD_MAX;
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] + 32
                                                       : from[i]);
    to[len] = '\0';
}

static bool
upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

/* Whether a word of ${name} ends before ${i}: aB, ABc, a1 stays one. */
static bool
breaks(struct envl_bytes name, size_t i)
{
    uint8_t before = name.ptr[i - 1], c = name.ptr[i];

    if (upper(c) && !upper(before))
        return true;
    return upper(before) && upper(c) && i + 1 < name.len &&
           name.ptr[i + 1] >= 'a' && name.ptr[i + 1] <= 'z';
}

static void
split(struct envl_bytes name, struct words *words)
{
    size_t start = 0;

    words->count = 0;
    for (size_t i = 0; i <= name.len; i++) {
        bool letter = i < name.len &&
                      charset_has(CHARSET_ALNUM, name.ptr[i]);

        if (letter && i > start && breaks(name, i)) {
            push(words, name.ptr + start, i - start);
            start = i;
        }
        if (!letter) {
            if (i > start)
                push(words, name.ptr + start, i - start);
            start = i + 1;
        }
    }
}

static bool
in(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

/* Words that are secrets by themselves. */
static const char *const secrets[] = {
    "password", "passwords", "passwd", "passwort", "pwd", "passphrase",
    "passcode", "secret", "secrets", "token", "tokens", "apikey", "apikeys",
    "apisecret", "apitoken", "authkey", "authtoken", "accesskey",
    "accesstoken", "refreshtoken", "secretkey", "privatekey", "privkey",
    "clientsecret", "sharedsecret", "credential", "credentials", "creds",
    "cred", "authorization", "bearer", "totp", "mfasecret", "webhooksecret",
    "signingkey", "encryptionkey", "masterkey", "sshkey", "jwt", "keytab",
    "pgpassword", "userpassword", "dbpassword", "rootpassword", NULL,
};

/* Words before "key" that make it one. */
static const char *const keys[] = {
    "api", "access", "private", "secret", "signing", "encryption", "auth",
    "master", "ssh", "client", "service", "account", "shared", "storage",
    "deploy", "license", "licence", "webhook", "hmac", "aes", "jwt", "crypt",
    "crypto", "root", "admin", "app", "consumer", "subscription", "write",
    "ingest", "session", "rsa", "tls", "ssl", "host", "wrapping", "data",
    "host", "openai", "anthropic", "stripe", "aws", "priv", NULL,
};

/* Words that may hold a secret. */
static const char *const maybes[] = {
    "key", "auth", "cookie", "cookies", "session", "sessionid", "dsn",
    "salt", "seed", "mnemonic", "otp", "pin", "nonce", "signature", "sig",
    "connection", "conn", "pem", "cert", "pfx", "p12", "keystore", "webhook",
    "hook", "header", "headers", "env", "login", "url", "uri", "payload",
    "config", "settings", "request", "metadata", NULL,
};

/* Last words that say something about a secret and are none. */
static const char *const about[] = {
    "count", "counts", "length", "len", "size", "limit", "limits", "max",
    "min", "type", "types", "kind", "name", "names", "endpoint",
    "path", "file", "filename", "dir", "directory", "expiry", "expires",
    "expiration", "expired", "ttl", "lifetime", "age", "at", "on", "date",
    "time", "timeout", "hint", "policy", "label", "title", "description",
    "regex", "pattern", "field", "fields", "column", "header", "prefix",
    "suffix", "algorithm", "alg", "version", "enabled", "disabled",
    "required", "optional", "usage", "used", "status", "state", "alias",
    "format", "encoding", "provider", "manager", "store", "ref", "reference",
    "rotation", "index", "idx", "validator", "validation", "strength",
    "budget", "cost", "price", "per", "total", "rate", "source", "scope",
    "scopes", "audience", "issuer", "fingerprint", "checksum", "digest",
    "hash", "hashed", "arn", "plugin", "class", "method", "function",
    "handler", "callback", "generator", "parser", "service", "placeholder",
    "input", "visible", "visibility", "changed", "created", "updated", "env",
    "kid", "uid", "uuid", "guid", "owner", "user", "username", "mode",
    "strategy", "window", "bytes", "chars", "words", "rules", "rule", "reset",
    NULL,
};

/* A URL can hold a password; which one it is, its shape says. */
static const char *const places[] = { "url", "uri", NULL };

/* Words of what looks drawn by chance and may be seen by anybody. */
static const char *const publics[] = {
    "public", "pubkey", "checksum", "fingerprint", "digest", "etag", "sha",
    "sha1", "sha256", "sha512", "md5", "integrity", "uuid", "guid", "commit",
    "revision", "trace", "span", "alphabet", "class", "identifier", NULL,
};

/* First words of a question or an act. */
static const char *const asks[] = {
    "is", "has", "have", "show", "hide", "require", "requires", "enable",
    "disable", "allow", "use", "uses", "can", "should", "needs", "forgot",
    "num", "max", "min", "total", "count", "n", "prompt", "completion",
    "cached", "reasoning", "page", "pagination", "continuation", "cursor",
    "sort", "partition", "primary", "foreign", "public", "pub", "csrf",
    "xsrf", "next", "prev", "idempotency", "dedupe", "cache", "sync",
    "cancellation", "cancel", "input", "output", "tokenizer", "stop", "pad",
    "eos", "bos", "unk", "sep", "mask", "special", "design", "validate",
    "verify", "check", "generate", "get", "fetch", "create", "delete",
    "revoke", NULL,
};

/* AppRole's secret_id and a key id beside its secret are no mere names. */
static bool
ends_as_id(const struct words *words)
{
    return words->count >= 2 &&
           strcmp(words->word[words->count - 1], "id") == 0;
}

static enum name_says
judge(const struct words *words)
{
    unsigned last = words->count - 1;
    enum name_says says = NAME_NOTHING;

    if (in(words->word[0], publics) || in(words->word[last], publics))
        return NAME_PUBLIC;
    if (last > 0 && in(words->word[last], places))
        return NAME_MAYBE;
    if (last > 0 && in(words->word[last], about))
        return NAME_NOTHING;
    if (ends_as_id(words))
        return strcmp(words->word[last - 1], "secret") == 0 ? NAME_SECRET
                                                            : NAME_NOTHING;
    if (last > 0 && in(words->word[0], asks))
        return NAME_NOTHING;
    for (unsigned i = 0; i < words->count; i++) {
        const char *word = words->word[i];

        if (in(word, secrets))
            return NAME_SECRET;
        if ((strcmp(word, "key") == 0 || strcmp(word, "keys") == 0) && i > 0 &&
            in(words->word[i - 1], keys))
            return NAME_SECRET;
        if (strcmp(word, "pass") == 0)
            return NAME_SECRET;
        if (in(word, maybes))
            says = NAME_MAYBE;
    }
    return says;
}

enum name_says
name_judge(struct envl_bytes name)
{
    struct words words;

    split(name, &words);
    return words.count == 0 ? NAME_NOTHING : judge(&words);
}
