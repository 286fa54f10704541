#include <stdatomic.h>

#include <sodium.h>

#include "core/sodium_once.h"

enum { UNKNOWN, ABSENT, PRESENT };

bool
sodium_once_aes(void)
{
    static atomic_int known = UNKNOWN;
    int answer = atomic_load_explicit(&known, memory_order_acquire);

    if (answer == UNKNOWN) {
        /* Two threads may both come here; sodium_init locks. */
        answer = sodium_init() >= 0 && crypto_aead_aes256gcm_is_available()
                     ? PRESENT : ABSENT;
        atomic_store_explicit(&known, answer, memory_order_release);
    }
    return answer == PRESENT;
}
