/*
 * slices.h - measuring on a machine that others use: every subject runs in
 * short slices of the thread's CPU time, in turn, and its median counts.
 */
#ifndef BENCH_SLICES_H
#define BENCH_SLICES_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLICES_ROUNDS 61
#define SLICE_NS 1000000.0

struct subject {
    const char *name;
    void (*run)(void *);
    void *arg;
    double items;    /* operations, or bytes, of one run */
    double ns[SLICES_ROUNDS]; /* of one item               */
};

static double
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts, too: the least comes first. */
static double
median(struct subject *s)
{
    qsort(s->ns, SLICES_ROUNDS, sizeof(s->ns[0]), compare_doubles);
    return s->ns[SLICES_ROUNDS / 2];
}

static void
measure(struct subject *subjects, size_t count)
{
    for (size_t i = 0; i < count; i++) /* warm up */
        subjects[i].run(subjects[i].arg);
    for (size_t round = 0; round < SLICES_ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            struct subject *s = &subjects[i];
            double begin = cpu_ns(), now;
            unsigned runs = 0;

            do {
                s->run(s->arg);
                runs++;
                now = cpu_ns();
            } while (now - begin < SLICE_NS);
            s->ns[round] = (now - begin) / runs / s->items;
        }
    }
}

#endif /* BENCH_SLICES_H */
