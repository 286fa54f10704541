#include "core/proquint.h"

#include <stdbool.h>
#include <string.h>

static const char consonants[] = "bdfghjklmnprstvz";
static const char vowels[] = "aiou";

#define WORD_LEN 5u

void
proquint_encode(struct envl_bytes bytes, size_t each_line, char *out)
{
    const size_t count = bytes.len / 2;

    for (size_t i = 0; i < count; i++) {
        const unsigned bits = (unsigned)bytes.ptr[2 * i] << 8 |
                              bytes.ptr[2 * i + 1];

        *out++ = consonants[bits >> 12];
        *out++ = vowels[bits >> 10 & 3];
        *out++ = consonants[bits >> 6 & 15];
        *out++ = vowels[bits >> 4 & 3];
        *out++ = consonants[bits & 15];
        *out++ = i + 1 == count || (i + 1) % each_line == 0 ? '\n' : ' ';
    }
}

static bool
is_between(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '-' ||
           c == ',';
}

/* The place of ${c} in ${letters}, or false. */
static bool
place_of(const char *letters, uint8_t c, unsigned *place)
{
    const int lower = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
    const char *found = lower == 0 ? NULL : strchr(letters, lower);

    if (found == NULL)
        return false;
    *place = (unsigned)(found - letters);
    return true;
}

static bool
read_word(const uint8_t *word, size_t len, uint8_t out[2])
{
    unsigned part[WORD_LEN], bits;

    if (len != WORD_LEN)
        return false;
    for (size_t i = 0; i < WORD_LEN; i++)
        if (!place_of(i % 2 == 0 ? consonants : vowels, word[i], &part[i]))
            return false;
    bits = part[0] << 12 | part[1] << 10 | part[2] << 6 | part[3] << 4 |
           part[4];
    out[0] = (uint8_t)(bits >> 8);
    out[1] = (uint8_t)bits;
    return true;
}

/* Where the next word begins, remarks passed over; text.len at the end. */
static size_t
skip(struct envl_bytes text, size_t at)
{
    while (at < text.len) {
        const bool first = at == 0 || text.ptr[at - 1] == '\n';

        if (first && text.ptr[at] == '#')
            while (at < text.len && text.ptr[at] != '\n')
                at++;
        else if (is_between(text.ptr[at]))
            at++;
        else
            break;
    }
    return at;
}

enum envl_status
proquint_decode(struct envl_bytes text, struct envl_span out, size_t *bad)
{
    size_t count = 0, at;

    *bad = 0;
    for (at = skip(text, 0); at < text.len; at = skip(text, at)) {
        const size_t begin = at;

        while (at < text.len && !is_between(text.ptr[at]))
            at++;
        if (2 * count + 2 > out.len)
            return ENVL_E_FORMAT;
        count++;
        if (!read_word(text.ptr + begin, at - begin,
                       out.ptr + 2 * (count - 1))) {
            *bad = count;
            return ENVL_E_FORMAT;
        }
    }
    return 2 * count == out.len ? ENVL_OK : ENVL_E_FORMAT;
}
