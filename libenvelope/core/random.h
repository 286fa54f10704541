/*
 * random.h - the only source of random bytes.
 */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <envelope/bytes.h>

/**
 * random_fill(out, err):
 * Fill ${out} from getrandom(2) at this call, never from a pool in user space
 * (a restored VM snapshot would repeat it).  Fails with ENVL_E_INTERNAL, the
 * memory wiped.  Tests replace it at link time (--wrap=random_fill).
 */
enum envl_status random_fill(struct envl_span out, struct envl_error *err);

#endif /* CORE_RANDOM_H */
