#include "keyring/watch.h"

/* Rings in memory have no file to watch. */
void
watch_start(struct envl_keyring *ring)
{
    (void)ring;
}

void
watch_stop(struct envl_keyring *ring)
{
    (void)ring;
}

void
watch_by_reader(struct envl_keyring *ring)
{
    (void)ring;
}

bool
keyring_look_again(struct envl_keyring *ring)
{
    (void)ring;
    return false;
}
