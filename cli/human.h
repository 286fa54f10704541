/*
 * human.h - numbers as people read them.
 */
#ifndef CLI_HUMAN_H
#define CLI_HUMAN_H

#include <stdint.h>

#define HUMAN_SIZE 32

/**
 * human_count(n, out), human_short(n, out), human_bytes(n, out):
 * "5,838,211"; "11.8k"; "1.4 GB" (powers of 1000).  Each returns ${out}.
 */
const char *human_count(uint64_t n, char out[HUMAN_SIZE]);
const char *human_short(double n, char out[HUMAN_SIZE]);
const char *human_bytes(double n, char out[HUMAN_SIZE]);

/**
 * human_time(seconds, out):
 * "12 s", "6 min 10 s", "2 h 05 min", "3 d 4 h".  Returns ${out}.
 */
const char *human_time(double seconds, char out[HUMAN_SIZE]);

#endif /* CLI_HUMAN_H */
