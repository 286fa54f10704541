#include <string.h>

#include "core/base64url.h"

/*
 * Encoding goes by 12 bits: a table of all pairs of characters is twice as
 * fast as one of characters, and 8 KiB are still small beside the L1 cache.
 */
#define COLUMNS_16(r, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) \
    { r, a }, { r, b }, { r, c }, { r, d }, { r, e }, { r, f }, { r, g }, \
    { r, h }, { r, i }, { r, j }, { r, k }, { r, l }, { r, m }, { r, n }, \
    { r, o }, { r, p }
#define ROW(r) \
    COLUMNS_16(r, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', \
               'L', 'M', 'N', 'O', 'P'), \
    COLUMNS_16(r, 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', \
               'b', 'c', 'd', 'e', 'f'), \
    COLUMNS_16(r, 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', \
               'r', 's', 't', 'u', 'v'), \
    COLUMNS_16(r, 'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', \
               '7', '8', '9', '-', '_')
#define ROWS_8(a, b, c, d, e, f, g, h) \
    ROW(a), ROW(b), ROW(c), ROW(d), ROW(e), ROW(f), ROW(g), ROW(h)

static const char pairs[4096][2] = {
    ROWS_8('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'),
    ROWS_8('I', 'J', 'K', 'L', 'M', 'N', 'O', 'P'),
    ROWS_8('Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X'),
    ROWS_8('Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f'),
    ROWS_8('g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'),
    ROWS_8('o', 'p', 'q', 'r', 's', 't', 'u', 'v'),
    ROWS_8('w', 'x', 'y', 'z', '0', '1', '2', '3'),
    ROWS_8('4', '5', '6', '7', '8', '9', '-', '_'),
};

/* The six bits of a character plus one; 0 for what is no character. */
#define UP(c) [c] = (c) - 'A' + 1
#define LOW(c) [c] = (c) - 'a' + 27
#define DIGIT(c) [c] = (c) - '0' + 53

static const uint8_t bits_plus_one[256] = {
    UP('A'), UP('B'), UP('C'), UP('D'), UP('E'), UP('F'), UP('G'), UP('H'),
    UP('I'), UP('J'), UP('K'), UP('L'), UP('M'), UP('N'), UP('O'), UP('P'),
    UP('Q'), UP('R'), UP('S'), UP('T'), UP('U'), UP('V'), UP('W'), UP('X'),
    UP('Y'), UP('Z'), LOW('a'), LOW('b'), LOW('c'), LOW('d'), LOW('e'),
    LOW('f'), LOW('g'), LOW('h'), LOW('i'), LOW('j'), LOW('k'), LOW('l'),
    LOW('m'), LOW('n'), LOW('o'), LOW('p'), LOW('q'), LOW('r'), LOW('s'),
    LOW('t'), LOW('u'), LOW('v'), LOW('w'), LOW('x'), LOW('y'), LOW('z'),
    DIGIT('0'), DIGIT('1'), DIGIT('2'), DIGIT('3'), DIGIT('4'), DIGIT('5'),
    DIGIT('6'), DIGIT('7'), DIGIT('8'), DIGIT('9'), ['-'] = 63, ['_'] = 64,
};

#define BAD 0x80000000u

/* Six bits; all ones, BAD among them, for what is no character. */
static uint32_t
six_bits(uint8_t c)
{
    return (uint32_t)bits_plus_one[c] - 1u;
}

size_t
base64url_encoded_len(size_t len)
{
    return len / 3 * 4 + (len % 3 == 0 ? 0 : len % 3 + 1);
}

void
base64url_encode(struct envl_bytes in, char *out)
{
    const uint8_t *p = in.ptr;
    size_t left = in.len;

    /* Each step loads before it stores: see the overlap in the header. */
    for (; left >= 3; left -= 3, p += 3, out += 4) {
        uint32_t w = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

        memcpy(out, pairs[w >> 12], 2);
        memcpy(out + 2, pairs[w & 0xfff], 2);
    }
    if (left == 2) {
        uint32_t w = (uint32_t)p[0] << 10 | (uint32_t)p[1] << 2;

        memcpy(out, pairs[w >> 6], 2);
        out[2] = pairs[w & 0x3f][1];
    } else if (left == 1) {
        memcpy(out, pairs[(uint32_t)p[0] << 4], 2);
    }
}

/* The last two or three characters; SIZE_MAX if bits are left over. */
static size_t
decode_tail(const uint8_t *p, size_t left, uint8_t *out)
{
    uint32_t a = six_bits(p[0]), b = six_bits(p[1]);
    uint32_t c = left == 3 ? six_bits(p[2]) : 0;
    uint32_t w = a << 12 | b << 6 | c;

    if (((a | b | c) & BAD) != 0)
        return SIZE_MAX;
    if ((left == 3 ? w & 0x3u : w & 0x3ffu) != 0)
        return SIZE_MAX;
    out[0] = (uint8_t)(w >> 10);
    if (left == 3)
        out[1] = (uint8_t)(w >> 2);
    return left - 1;
}

size_t
base64url_decode(struct envl_bytes in, uint8_t *out)
{
    const uint8_t *p = in.ptr;
    size_t left = in.len, written = 0;
    uint32_t seen = 0;

    if (left % 4 == 1)
        return SIZE_MAX;
    for (; left >= 4; left -= 4, p += 4, written += 3) {
        uint32_t a = six_bits(p[0]), b = six_bits(p[1]);
        uint32_t c = six_bits(p[2]), d = six_bits(p[3]);
        uint32_t w = a << 18 | b << 12 | c << 6 | d;

        seen |= a | b | c | d;
        out[written] = (uint8_t)(w >> 16);
        out[written + 1] = (uint8_t)(w >> 8);
        out[written + 2] = (uint8_t)w;
    }
    if ((seen & BAD) != 0)
        return SIZE_MAX;
    if (left > 0) {
        size_t more = decode_tail(p, left, out + written);

        if (more == SIZE_MAX)
            return SIZE_MAX;
        written += more;
    }
    return written;
}
