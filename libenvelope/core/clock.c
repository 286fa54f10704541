#include "core/clock.h"

#include <stdio.h>

#define FIRST_SECOND (-62135596800LL) /* 0001-01-01T00:00:00Z */
#define LAST_SECOND  253402300799LL   /* 9999-12-31T23:59:59Z */

static int64_t
read_ms(clockid_t id)
{
    struct timespec now;

    /* Neither clock can fail: both ids are known to every Linux kernel. */
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_now_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t
clock_now(void)
{
    return clock_now_ms() / 1000;
}

int64_t
clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t
clock_coarse_ms(void)
{
    return read_ms(CLOCK_MONOTONIC_COARSE);
}

void
clock_monotonic_after(int64_t milliseconds, struct timespec *out)
{
    int64_t when = clock_monotonic_ms() + milliseconds;

    out->tv_sec = (time_t)(when / 1000);
    out->tv_nsec = (long)(when % 1000) * 1000000;
}

void
clock_sleep_us(long microseconds)
{
    struct timespec wait = { microseconds / 1000000,
                             microseconds % 1000000 * 1000 };

    clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
}

void
clock_print(int64_t seconds, char out[CLOCK_DATE_SIZE])
{
    char text[64];
    struct tm tm;
    time_t when;

    if (seconds < FIRST_SECOND)
        seconds = FIRST_SECOND;
    if (seconds > LAST_SECOND)
        seconds = LAST_SECOND;
    when = (time_t)seconds;
    gmtime_r(&when, &tm);
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ",
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
             tm.tm_min, tm.tm_sec);
    snprintf(out, CLOCK_DATE_SIZE, "%.20s", text);
}

/* Two or four digits, or -1. */
static int
digits(const uint8_t *at, int count)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        value = value * 10 + (at[i] - '0');
    }
    return value;
}

static bool
day_exists(int year, int month, int day)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30,
                                31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool
clock_parse(struct envl_bytes text, int64_t *seconds)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    struct tm tm = { 0 };
    int year, month, day, hour, minute, second;

    /* spec: KEY-37 */
    if (text.len != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (form[i] != '0' && text.ptr[i] != (uint8_t)form[i])
            return false;
    year = digits(text.ptr, 4);
    month = digits(text.ptr + 5, 2);
    day = digits(text.ptr + 8, 2);
    hour = digits(text.ptr + 11, 2);
    minute = digits(text.ptr + 14, 2);
    second = digits(text.ptr + 17, 2);
    if (!day_exists(year, month, day) || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;

    if (seconds != NULL) {
        tm.tm_year = year - 1900;
        tm.tm_mon = month - 1;
        tm.tm_mday = day;
        tm.tm_hour = hour;
        tm.tm_min = minute;
        tm.tm_sec = second;
        *seconds = (int64_t)timegm(&tm);
    }
    return true;
}
