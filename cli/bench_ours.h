/*
 * bench_ours.h - what the library does, in pieces that can be measured.
 */
#ifndef CLI_BENCH_OURS_H
#define CLI_BENCH_OURS_H

#include <envelope/envelope.h>

#define BENCH_OURS_BATCH 256u

struct bench_ours;

/**
 * bench_ours_new(value_len, encoding, err):
 * A value of ${value_len} bytes, sealed under a key of its own in memory.
 * NULL with ${err} filled.
 */
struct bench_ours *bench_ours_new(size_t value_len,
                                  enum envl_encoding encoding,
                                  struct envl_error *err);

/**
 * bench_ours_seal(ours), bench_ours_open(ours), bench_ours_classify(ours):
 * Once.  bench_ours_seal_batch(ours), bench_ours_open_batch(ours):
 * BENCH_OURS_BATCH of them.  bench_ours_seal_stream(ours),
 * bench_ours_open_stream(ours): as a stream, in pieces.
 */
void bench_ours_seal(void *ours);
void bench_ours_open(void *ours);
void bench_ours_classify(void *ours);
void bench_ours_seal_batch(void *ours);
void bench_ours_open_batch(void *ours);
void bench_ours_seal_stream(void *ours);
void bench_ours_open_stream(void *ours);

/**
 * bench_ours_free(ours):
 * Release.
 */
void bench_ours_free(struct bench_ours *ours);

#endif /* CLI_BENCH_OURS_H */
