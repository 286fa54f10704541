#include <time.h>

#include <sodium.h>

#include "engine/pace.h"

#define FIRST  500u /* rows: enough for a commit to be worth it */
#define SMOOTH 0.4
#define WIDE_ROWS  20000u
#define WIDE_BYTES 16777216u
#define GROWTH 1.2

static uint32_t
least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* spec: JOB, section 7 */
void
pace_widen(struct job_pace *limits)
{
    if (!limits->rows_given)
        limits->rows_max = WIDE_ROWS;
    if (!limits->bytes_given)
        limits->bytes = WIDE_BYTES;
}

void
pace_init(struct pace *pace, const struct job_pace *limits)
{
    uint32_t first = FIRST > limits->rows_min ? FIRST : limits->rows_min;

    *pace = (struct pace){ limits, 0, least(first, limits->rows_max), 0 };
}

uint32_t
pace_rows(const struct pace *pace)
{
    uint32_t rows = pace->idle_rows > pace->rows ? pace->idle_rows
                                                 : pace->rows;

    return least(rows, pace->limits->rows_max); /* which may have changed */
}

/* spec: JOB-70 */
void
pace_batch(struct pace *pace, uint32_t written, uint64_t ms)
{
    const struct job_pace *limits = pace->limits;
    double rate, most, want;

    if (written == 0) {
        pace->idle_rows = least(pace_rows(pace) * 2, limits->rows_max);
        return;
    }
    pace->idle_rows = 0;

    rate = (double)written / (double)(ms == 0 ? 1 : ms);
    pace->rate = pace->rate == 0 ? rate
                                 : SMOOTH * rate + (1 - SMOOTH) * pace->rate;
    want = pace->rate * limits->target_ms;
    most = (double)pace->rows * GROWTH;
    if (most < (double)pace->rows + 1)
        most = (double)pace->rows + 1; /* else 1 row would stay 1 row */

    if (want < limits->rows_min)
        want = limits->rows_min; /* but growth to it from trouble is slow */
    if (want > limits->rows_max)
        want = limits->rows_max;
    if (want > most)
        want = most;
    pace->rows = want < 1 ? 1 : (uint32_t)want;
}

void
pace_trouble(struct pace *pace)
{
    pace->idle_rows = 0;
    pace->rate /= 2;
    pace->rows = pace->rows > 1 ? pace->rows / 2 : 1;
}

uint32_t
pace_wait(struct pace_limit *limit, uint32_t rows, uint64_t now)
{
    double wait;

    if (limit->rows_per_s == 0)
        return 0;
    if (limit->free_at < (double)now)
        limit->free_at = (double)now;
    wait = limit->free_at - (double)now;
    limit->free_at += rows * 1000.0 / limit->rows_per_s;
    return (uint32_t)wait;
}

uint64_t
pace_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint32_t
pace_jitter(uint32_t ms)
{
    return ms / 2 + randombytes_uniform(ms / 2 + 1);
}
