/*
 * selftest.h - known answers of the primitives, at run time.
 *
 * Each is computed by the code that seals and opens; a wrong answer means a
 * broken library or CPU.  Among them are negatives: what must be refused.
 */
#ifndef CLI_SELFTEST_H
#define CLI_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>

struct selftest {
    const char *name;
    bool (*passes)(void);
};

/**
 * selftest_at(i):
 * The i-th test, or NULL past the last.
 */
const struct selftest *selftest_at(size_t i);

#endif /* CLI_SELFTEST_H */
