#include <errno.h>
#include <sys/random.h>

#include <sodium.h>

#include "core/random.h"

/*
 * The system call itself, not libsodium's or OpenSSL's generator: a program
 * can replace libsodium's by one with a pool, and its failure is an abort,
 * where ours must stop one operation.  spec: ENV-4.9
 */
enum envl_status
random_fill(struct envl_span out, struct envl_error *err)
{
    size_t done = 0;

    while (done < out.len) {
        ssize_t got = getrandom(out.ptr + done, out.len - done, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            sodium_memzero(out.ptr, out.len);
            return envl_fail(err, ENVL_E_INTERNAL,
                             "the system gives no random bytes (errno %d)",
                             errno);
        }
        done += (size_t)got;
    }
    return ENVL_OK;
}
