#include <stdint.h>
#include <string.h>

#include "suggest.h"

#define WORD_MAX 40u

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: edits and swaps of neighbours. */
static size_t
distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3];
        size_t *before = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = a[i - 1] != b[j - 1];

            now[j] = least(least(last[j] + 1, now[j - 1] + 1),
                           last[j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *
suggest_nearest(const char *word, const char *const *words, size_t count)
{
    size_t len = strlen(word);
    size_t best = len < 4 ? 2 : 3; /* what is nearer than this will do */
    const char *found = NULL, *begun = NULL;
    size_t begins = 0;

    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, words[i]);

        if (d < best) {
            best = d;
            found = words[i];
        }
        if (len >= 2 && strncmp(word, words[i], len) == 0) {
            begun = words[i];
            begins++;
        }
    }
    return begins == 1 ? begun : found;
}
