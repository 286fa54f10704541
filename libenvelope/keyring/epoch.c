#include "keyring/epoch.h"

#include "core/clock.h"

/* Threads are dealt to the slots in turn; 0 is "not dealt yet". */
static atomic_uint dealt;
static _Thread_local unsigned my_slot;

void
epoch_init(struct epoch *epoch)
{
    atomic_store(&epoch->parity, 0);
    for (unsigned i = 0; i < EPOCH_SLOTS; i++) {
        atomic_store(&epoch->slots[i].readers[0], 0);
        atomic_store(&epoch->slots[i].readers[1], 0);
    }
}

unsigned
epoch_enter(struct epoch *epoch)
{
    unsigned slot, parity;

    if (my_slot == 0)
        my_slot = 1 + atomic_fetch_add_explicit(&dealt, 1,
                                                memory_order_relaxed) %
                          EPOCH_SLOTS;
    slot = my_slot - 1;

    /*
     * A reader that is held up here counts itself under a parity that has
     * been turned meanwhile.  It then loads the newest pointer, and the next
     * writer waits for both parities: nothing is freed under it.
     */
    parity = atomic_load_explicit(&epoch->parity, memory_order_relaxed) & 1;
    atomic_fetch_add(&epoch->slots[slot].readers[parity], 1);
    return slot * 2 + parity;
}

void
epoch_leave(struct epoch *epoch, unsigned ticket)
{
    atomic_fetch_sub_explicit(&epoch->slots[ticket / 2].readers[ticket & 1],
                              1, memory_order_release);
}

/* Wait until nobody is counted under ${parity}. */
static bool
drain(struct epoch *epoch, unsigned parity, int64_t deadline_ms)
{
    for (unsigned i = 0; i < EPOCH_SLOTS; i++) {
        for (unsigned n = 0;
             atomic_load(&epoch->slots[i].readers[parity]) != 0; n++) {
            if (clock_monotonic_ms() >= deadline_ms)
                return false;
            /* A seal takes microseconds: look soon, then less often. */
            clock_sleep_us(n < 20 ? 20 : 1000);
        }
    }
    return true;
}

bool
epoch_wait(struct epoch *epoch, unsigned limit_ms)
{
    int64_t deadline = clock_monotonic_ms() + (int64_t)limit_ms;
    unsigned old = atomic_load(&epoch->parity) & 1;

    if (!drain(epoch, old ^ 1, deadline))
        return false;
    atomic_store(&epoch->parity, old ^ 1);
    return drain(epoch, old, deadline);
}
