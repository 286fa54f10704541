/*
 * bench.h - measure several things beside each other, on a machine that
 * others use, too: each runs in short slices of CPU time, in turn, and its
 * median counts.
 */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include <stddef.h>

#define BENCH_ROUNDS 31

struct bench_subject {
    const char *name;
    void (*run)(void *arg);
    void *arg;
    double items;            /* of one run: operations, or bytes */
    double ns[BENCH_ROUNDS]; /* of one item                      */
};

/**
 * bench_measure(subjects, count, seconds):
 * Fill the times of ${count} subjects, about ${seconds} for each, sorted.
 */
void bench_measure(struct bench_subject *subjects, size_t count,
                   double seconds);

/**
 * bench_median(subject):
 * Nanoseconds of one item.
 */
double bench_median(const struct bench_subject *subject);

/* ---- the floor: what the primitives alone cost -------------------------- */

struct bench_floor;

/**
 * bench_floor_new(frame_len, text):
 * The parts of an envelope around a frame of ${frame_len} bytes; ${text}: in
 * base64, too.  NULL without memory.
 */
struct bench_floor *bench_floor_new(size_t frame_len, int text);

/**
 * bench_floor_seal(floor), bench_floor_seal_drawn(floor),
 * bench_floor_open(floor):
 * Once the primitives of a seal (two HMACs of HKDF-Expand-SHA512 with the
 * pads prepared, AES-256-GCM with a new key, 24 bytes of getrandom, base64);
 * the same without getrandom, whose cost a batch shares; those of an open.
 */
void bench_floor_seal(void *floor);
void bench_floor_seal_drawn(void *floor);
void bench_floor_open(void *floor);

/**
 * bench_floor_bulk(floor):
 * AES-256-GCM of the frame alone, under one key.
 */
void bench_floor_bulk(void *floor);

/**
 * bench_floor_free(floor):
 * Release.
 */
void bench_floor_free(struct bench_floor *floor);

#endif /* CLI_BENCH_H */
