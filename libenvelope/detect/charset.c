#include "detect/charset.h"

bool
charset_has(enum charset set, uint8_t c)
{
    bool digit = c >= '0' && c <= '9';
    bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';

    switch (set) {
    case CHARSET_DIGIT:
        return digit;
    case CHARSET_HEX:
        return digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    case CHARSET_UPPER:
        return digit || upper;
    case CHARSET_ALNUM:
        return digit || upper || lower;
    case CHARSET_WORD:
        return digit || upper || lower || c == '_' || c == '-';
    case CHARSET_DOTTED:
        return digit || upper || lower || c == '_' || c == '-' || c == '.';
    case CHARSET_BASE64:
        return digit || upper || lower || c == '_' || c == '-' || c == '+' ||
               c == '/';
    }
    return false;
}

size_t
charset_run(enum charset set, struct envl_bytes text, size_t at)
{
    size_t end = at;

    while (end < text.len && charset_has(set, text.ptr[end]))
        end++;
    return end - at;
}

bool
charset_glued(struct envl_bytes text, size_t at)
{
    if (at == 0)
        return false;
    /* \n, \t and \r of an escaped string end a word, not begin one. */
    if (at >= 2 && text.ptr[at - 2] == '\\' &&
        (text.ptr[at - 1] == 'n' || text.ptr[at - 1] == 't' ||
         text.ptr[at - 1] == 'r'))
        return false;
    return charset_has(CHARSET_ALNUM, text.ptr[at - 1]) ||
           text.ptr[at - 1] == '_';
}
