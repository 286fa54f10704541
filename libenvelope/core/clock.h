/*
 * clock.h - the only source of time.
 *
 * Dates are RFC 3339 in UTC with whole seconds and Z, years 0001 to 9999
 * (2026-11-22T20:43:46Z).  Waiting and rate limits use the monotonic clock,
 * so that a clock that is set does not disturb them.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <envelope/bytes.h>

#define CLOCK_DATE_SIZE 21 /* with its NUL */

/**
 * clock_now():
 * Seconds since 1970-01-01T00:00:00Z.  Tests replace it at link time.
 */
int64_t clock_now(void);

/**
 * clock_now_ms():
 * The same in milliseconds.
 */
int64_t clock_now_ms(void);

/**
 * clock_print(seconds, out):
 * Write the date of ${seconds}, held to the years 0001 to 9999.
 */
void clock_print(int64_t seconds, char out[CLOCK_DATE_SIZE]);

/**
 * clock_parse(text, seconds):
 * Read a date; ${seconds} may be NULL.  False unless it has exactly that form
 * and names a day and a time that exist (no leap second).
 */
bool clock_parse(struct envl_bytes text, int64_t *seconds);

/**
 * clock_monotonic_ms():
 * Milliseconds of the monotonic clock.
 */
int64_t clock_monotonic_ms(void);

/**
 * clock_coarse_ms():
 * The same, exact to a few milliseconds and without a system call.
 */
int64_t clock_coarse_ms(void);

/**
 * clock_monotonic_after(milliseconds, out):
 * The monotonic time in ${milliseconds}, for a timed wait.
 */
void clock_monotonic_after(int64_t milliseconds, struct timespec *out);

/**
 * clock_sleep_us(microseconds):
 * Sleep, or less if a signal arrives.
 */
void clock_sleep_us(long microseconds);

#endif /* CORE_CLOCK_H */
