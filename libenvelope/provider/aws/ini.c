#include "provider/aws/ini.h"

#include <string.h>

static bool
is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct envl_bytes
trim(struct envl_bytes text)
{
    while (text.len > 0 && is_blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static bool
is(struct envl_bytes text, const char *word)
{
    return text.len == strlen(word) &&
           strncmp((const char *)text.ptr, word, text.len) == 0;
}

static struct envl_bytes
next_line(struct envl_bytes *rest)
{
    const uint8_t *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
    struct envl_bytes line = { rest->ptr, len };
    size_t used = len + (end != NULL);

    rest->ptr += used;
    rest->len -= used;
    return trim(line);
}

bool
ini_find(struct envl_bytes text, const char *section, const char *name,
         struct envl_bytes *out)
{
    bool inside = false;

    while (text.len > 0) {
        struct envl_bytes line = next_line(&text), key = line;
        const uint8_t *equals;

        if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';')
            continue;
        if (line.ptr[0] == '[') {
            struct envl_bytes title = { line.ptr + 1, line.len - 1 };

            if (title.len > 0 && title.ptr[title.len - 1] == ']')
                title.len--;
            inside = is(trim(title), section);
            continue;
        }
        equals = memchr(line.ptr, '=', line.len);
        if (!inside || equals == NULL)
            continue;
        key.len = (size_t)(equals - line.ptr);
        if (!is(trim(key), name))
            continue;
        *out = trim((struct envl_bytes){ equals + 1,
                                         line.len - key.len - 1 });
        return true;
    }
    return false;
}
