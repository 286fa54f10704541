#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "human.h"

const char *
human_count(uint64_t n, char out[HUMAN_SIZE])
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, n), to = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[to++] = ',';
        out[to++] = digits[i];
    }
    out[to] = '\0';
    return out;
}

static const char *
scaled(double n, const char *const *units, const char *space,
       char out[HUMAN_SIZE])
{
    size_t at = 0;

    while (n >= 999.5 && units[at + 1] != NULL) {
        n /= 1000;
        at++;
    }
    snprintf(out, HUMAN_SIZE, "%.*f%s%s", at == 0 || n >= 99.95 ? 0 : 1, n,
             space, units[at]);
    return out;
}

const char *
human_short(double n, char out[HUMAN_SIZE])
{
    static const char *const units[] = { "", "k", "M", "G", NULL };

    return scaled(n, units, "", out);
}

const char *
human_bytes(double n, char out[HUMAN_SIZE])
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB",
                                         NULL };

    return scaled(n, units, " ", out);
}

const char *
human_time(double seconds, char out[HUMAN_SIZE])
{
    uint64_t s = seconds < 0 ? 0 : seconds > 1e12 ? UINT64_C(1000000000000)
                                                  : (uint64_t)(seconds + 0.5);

    if (s < 100)
        snprintf(out, HUMAN_SIZE, "%" PRIu64 " s", s);
    else if (s < 3600)
        snprintf(out, HUMAN_SIZE, "%" PRIu64 " min %02" PRIu64 " s", s / 60,
                 s % 60);
    else if (s < 86400)
        snprintf(out, HUMAN_SIZE, "%" PRIu64 " h %02" PRIu64 " min", s / 3600,
                 s / 60 % 60);
    else
        snprintf(out, HUMAN_SIZE, "%" PRIu64 " d %" PRIu64 " h", s / 86400,
                 s / 3600 % 24);
    return out;
}
