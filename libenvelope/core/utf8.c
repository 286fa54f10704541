#include <string.h>

#include "core/utf8.h"

/* Unicode table 3-7: what the bytes after a first byte may be. */
static bool
begin(struct utf8_check *check, uint8_t c)
{
    check->lo = 0x80;
    check->hi = 0xbf;
    if (c >= 0xc2 && c <= 0xdf) {
        check->need = 1;
    } else if (c >= 0xe0 && c <= 0xef) {
        check->need = 2;
        if (c == 0xe0)
            check->lo = 0xa0; /* nothing overlong */
        if (c == 0xed)
            check->hi = 0x9f; /* no surrogates */
    } else if (c >= 0xf0 && c <= 0xf4) {
        check->need = 3;
        if (c == 0xf0)
            check->lo = 0x90;
        if (c == 0xf4)
            check->hi = 0x8f; /* nothing above U+10FFFF */
    } else {
        return false;
    }
    return true;
}

bool
utf8_update(struct utf8_check *check, struct envl_bytes piece)
{
    size_t i = 0;

    while (i < piece.len) {
        uint8_t c = piece.ptr[i];

        if (check->need > 0) {
            if (c < check->lo || c > check->hi)
                return false;
            check->lo = 0x80;
            check->hi = 0xbf;
            check->need--;
            i++;
            continue;
        }
        if (c >= 0x80) {
            if (!begin(check, c))
                return false;
            i++;
            continue;
        }
        /* Nearly everything is ASCII: 32 bytes at a time. */
        while (piece.len - i >= 32) {
            uint64_t words[4];

            memcpy(words, piece.ptr + i, 32);
            if (((words[0] | words[1] | words[2] | words[3]) &
                 UINT64_C(0x8080808080808080)) != 0)
                break;
            i += 32;
        }
        while (piece.len - i >= 8) {
            uint64_t word;

            memcpy(&word, piece.ptr + i, 8);
            if ((word & UINT64_C(0x8080808080808080)) != 0)
                break;
            i += 8;
        }
        while (i < piece.len && piece.ptr[i] < 0x80)
            i++;
    }
    return true;
}

bool
utf8_finish(const struct utf8_check *check)
{
    return check->need == 0;
}

bool
utf8_valid(struct envl_bytes bytes)
{
    struct utf8_check check = { 0, 0, 0 };

    return utf8_update(&check, bytes) && utf8_finish(&check);
}
