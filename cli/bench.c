#include <stdlib.h>
#include <time.h>

#include "bench.h"

static double
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
slice(const struct bench_subject *subject, double ns)
{
    double begin = cpu_ns(), now;
    unsigned runs = 0;

    do {
        subject->run(subject->arg);
        runs++;
        now = cpu_ns();
    } while (now - begin < ns);
    return (now - begin) / runs / subject->items;
}

void
bench_measure(struct bench_subject *subjects, size_t count, double seconds)
{
    const double ns = seconds * 1e9 / BENCH_ROUNDS;

    for (size_t i = 0; i < count; i++)
        subjects[i].run(subjects[i].arg); /* warm up */
    for (size_t round = 0; round < BENCH_ROUNDS; round++)
        for (size_t i = 0; i < count; i++)
            subjects[i].ns[round] = slice(&subjects[i], ns);
    for (size_t i = 0; i < count; i++)
        qsort(subjects[i].ns, BENCH_ROUNDS, sizeof(double), compare);
}

double
bench_median(const struct bench_subject *subject)
{
    return subject->ns[BENCH_ROUNDS / 2];
}
