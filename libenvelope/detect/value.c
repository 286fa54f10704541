#include <string.h>
#include <strings.h>

#include "detect/charset.h"
#include "detect/value.h"

static bool
is(struct envl_bytes value, const char *word)
{
    return value.len == strlen(word) &&
           strncasecmp((const char *)value.ptr, word, value.len) == 0;
}

static bool
is_one_of(struct envl_bytes value, const char *const *words)
{
    for (; *words != NULL; words++)
        if (is(value, *words))
            return true;
    return false;
}

static bool
begins(struct envl_bytes value, const char *with)
{
    size_t len = strlen(with);

    return value.len >= len &&
           strncasecmp((const char *)value.ptr, with, len) == 0;
}

static bool
has(struct envl_bytes value, const char *what)
{
    size_t len = strlen(what);

    for (size_t i = 0; i + len <= value.len; i++)
        if (strncasecmp((const char *)value.ptr + i, what, len) == 0)
            return true;
    return false;
}

static size_t
kinds(struct envl_bytes value)
{
    bool seen[256] = { false };
    size_t count = 0;

    for (size_t i = 0; i < value.len; i++) {
        count += !seen[value.ptr[i]];
        seen[value.ptr[i]] = true;
    }
    return count;
}

/* ${X}, $X, $(x), %X%, {{x}}, <x>, [x], #{x}, @X@: somebody fills it in. */
static bool
is_template(struct envl_bytes value)
{
    static const struct { const char *open, *close; } marks[] = {
        { "${", "}" }, { "{{", "}}" }, { "<", ">" }, { "$(", ")" },
        { "%", "%" },  { "#{", "}" },  { "@", "@" }, { "[", "]" },
        { "{", "}" },  { "%(", ")s" }, { "__", "__" },
    };

    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        size_t close = strlen(marks[i].close);

        if (value.len > close && begins(value, marks[i].open) &&
            memcmp(value.ptr + value.len - close, marks[i].close, close) == 0)
            return true;
    }
    return value.len > 1 && value.ptr[0] == '$' &&
           charset_run(CHARSET_WORD, value, 1) == value.len - 1 &&
           !charset_has(CHARSET_DIGIT, value.ptr[1]);
}

bool
value_is_envelope(struct envl_bytes value)
{
    return value.len > 5 && memcmp(value.ptr, "env1:", 5) == 0;
}

bool
value_is_placeholder(struct envl_bytes value)
{
    static const char *const words[] = {
        "null", "none", "nil", "undefined", "true", "false", "yes", "no",
        "on", "off", "string", "str", "text", "optional", "required", "todo",
        "tbd", "unset", "empty", "redacted", "[redacted]", "masked", "hidden",
        "n/a", "na", "disabled", "enabled", "auto", "default", "any", "bytes",
        "int", "object", "boolean", "basic", "bearer", "prompt", "ask", "env",
        NULL,
    };
    static const char *const parts[] = {
        "example", "placeholder", "your-", "your_", "yourkey", "yourtoken",
        "insert-", "insert_", "replace-", "replace_", "replaceme", "dummy",
        "xxxx", "....", "****", "change-me-", "to-be-", "goes-here",
        "goes here", "redacted", "<your", "<insert", "not-a-real", "fake-",
        NULL,
    };

    if (value.len == 0 || is_one_of(value, words) || is_template(value) ||
        kinds(value) <= (value.len >= 8 ? 2u : 1u))
        return true;
    for (size_t i = 0; parts[i] != NULL; i++)
        if (has(value, parts[i]))
            return true;
    return false;
}

bool
value_is_default(struct envl_bytes value)
{
    static const char *const words[] = {
        "admin", "administrator", "root", "toor", "password", "passw0rd",
        "password1", "password123", "p@ssw0rd", "pass", "secret", "secret123",
        "changeme", "change-me", "change_me", "changeit", "letmein", "guest",
        "postgres", "mysql", "mariadb", "mongo", "mongodb", "redis", "oracle",
        "elastic", "kibana", "rabbitmq", "rabbit", "minio", "minioadmin",
        "minio123", "grafana", "prom-operator", "sonar", "tomcat", "jenkins",
        "vagrant", "docker", "test", "test123", "testing", "user", "demo",
        "dev", "development", "supersecret", "super-secret", "topsecret",
        "12345", "123456", "1234567", "12345678", "123456789", "1234567890",
        "qwerty", "welcome", "welcome1", "hunter2", "s3cr3t", "sa", "airflow",
        "superset", "keycloak", "wordpress", "drupal", "django-insecure",
        NULL,
    };

    return is_one_of(value, words) || begins(value, "django-insecure-");
}

double
value_variety(struct envl_bytes value)
{
    size_t counts[256] = { 0 };
    double pairs = 0;

    for (size_t i = 0; i < value.len; i++)
        counts[value.ptr[i]]++;
    for (size_t i = 0; i < 256; i++)
        pairs += (double)counts[i] * (double)counts[i];
    return value.len == 0 ? 0 : (double)value.len * (double)value.len / pairs;
}

/* 8-4-4-4-12 (RFC 9562) */
static bool
is_uuid(struct envl_bytes value)
{
    if (value.len != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? value.ptr[i] != '-'
                 : !charset_has(CHARSET_HEX, value.ptr[i]))
            return false;
    }
    return true;
}

/* Steps of one (abcdef, 12345) are an alphabet, not chance. */
static bool
is_sequence(struct envl_bytes value)
{
    size_t steps = 0;

    for (size_t i = 1; i < value.len; i++)
        steps += value.ptr[i] == value.ptr[i - 1] + 1;
    return steps * 2 > value.len;
}

/*
 * Words run on for letters at a time; a random text changes its class (small,
 * large, digit) about every second character.
 */
static bool
is_mixed(struct envl_bytes value)
{
    size_t changes = 0;
    bool small = false, large = false, digit = false;

    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i], before = i > 0 ? value.ptr[i - 1] : c;

        small |= c >= 'a' && c <= 'z';
        large |= c >= 'A' && c <= 'Z';
        digit |= c >= '0' && c <= '9';
        changes += charset_has(CHARSET_DIGIT, c) !=
                       charset_has(CHARSET_DIGIT, before) ||
                   (charset_has(CHARSET_UPPER, c) !=
                    charset_has(CHARSET_UPPER, before));
    }
    return digit && (small || large) && changes * 5 >= value.len;
}

bool
value_is_random(struct envl_bytes value)
{
    struct envl_bytes body = value;

    while (body.len > 0 && body.ptr[body.len - 1] == '=')
        body.len--;
    if (is_uuid(body) || is_sequence(body))
        return false;
    if (body.len >= 32 && charset_run(CHARSET_HEX, body, 0) == body.len)
        return value_variety(body) >= 7;
    if (body.len < 20)
        return body.len >= 16 && value_variety(body) >= 10 &&
               is_mixed(body) && memchr(body.ptr, ' ', body.len) == NULL &&
               memchr(body.ptr, '/', body.len) == NULL;
    if (charset_run(CHARSET_BASE64, body, 0) != body.len &&
        charset_run(CHARSET_DOTTED, body, 0) != body.len)
        return memchr(body.ptr, ' ', body.len) == NULL && is_mixed(body) &&
               value_variety(body) >= 13;
    return value_variety(body) >= 11.5 && is_mixed(body);
}

bool
value_is_digest(struct envl_bytes value)
{
    static const char *const forms[] = {
        "$2a$", "$2b$", "$2y$", "$argon2", "$scrypt$", "$pbkdf2", "$5$",
        "$6$", "$1$", "$y$", "{SSHA}", "{SHA}", "{bcrypt}", "pbkdf2_sha256$",
        "argon2$", "bcrypt$", "bcrypt_sha256$", "SCRAM-SHA-256$", "sha256:",
        "sha256-", "sha384-", "sha512-", "sha512:", "sha1:", "md5:", NULL,
    };

    for (size_t i = 0; forms[i] != NULL; i++)
        if (begins(value, forms[i]))
            return true;
    return has(value, "@sha256:");
}

static bool
has_extension(struct envl_bytes value)
{
    static const char *const ends[] = {
        ".pem", ".key", ".crt", ".cer", ".json", ".yaml", ".yml", ".txt",
        ".toml", ".ini", ".env", ".conf", ".cfg", ".p12", ".pfx", ".jks",
        ".html", ".js", ".ts", ".py", ".go", ".java", ".md", ".sock", NULL,
    };

    for (size_t i = 0; ends[i] != NULL; i++) {
        size_t len = strlen(ends[i]);

        if (value.len > len &&
            memcmp(value.ptr + value.len - len, ends[i], len) == 0)
            return true;
    }
    return false;
}

/* name.name, name(…), name[…], name::name: code, not a value. */
static bool
is_code(struct envl_bytes value)
{
    size_t i = 0;

    while (i < value.len && (charset_has(CHARSET_ALNUM, value.ptr[i]) ||
                             value.ptr[i] == '_'))
        i++;
    if (i == 0 || i == value.len || charset_has(CHARSET_DIGIT, value.ptr[0]))
        return false;
    if (value.ptr[i] == '(' || value.ptr[i] == '[')
        return true;
    if (value.ptr[i] == '.' || has(value, "::") || has(value, "->"))
        return !value_is_random(value);
    return false;
}

bool
value_is_reference(struct envl_bytes value)
{
    static const char *const begin[] = { "/", "./", "../", "~/", "http://",
        "https://", "file:", "arn:", "vault:", "secret://", "op://", "ref+",
        "env:", "env(", "file(", "ssm:", "gcp:", "azurekeyvault", "kms:",
        "urn:", "process.", "os.", "secrets.", "var.", "data.", "config.",
        "local.", "module.", "self.", "this.", "c:\\", NULL };

    for (size_t i = 0; begin[i] != NULL; i++)
        if (begins(value, begin[i]) &&
            !(value.ptr[0] == '/' && value_is_random(value)))
            return true;
    if (has_extension(value) || is_code(value))
        return true;
    /* An e-mail address, or words with spaces between. */
    return memchr(value.ptr, '@', value.len) != NULL &&
           value.ptr[0] != '@' && has(value, ".") &&
           memchr(value.ptr, ' ', value.len) == NULL &&
           charset_run(CHARSET_DOTTED, value, 0) < value.len &&
           value.ptr[charset_run(CHARSET_DOTTED, value, 0)] == '@';
}
