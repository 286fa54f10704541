#include "keyring/watch.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "keyring/load.h"
#include "keyring/reload.h"

#define CHECK_MS       250
#define LOOK_MS        1000
#define WATCHER_STACK  (1u << 20)

/*
 * All rings that have a file, so that a child of fork, where the other threads
 * are gone, can be told.  The mutex is held across fork itself.
 */
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct envl_keyring *all;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void
before_fork(void)
{
    pthread_mutex_lock(&all_lock);
}

static void
after_fork_parent(void)
{
    pthread_mutex_unlock(&all_lock);
}

/*
 * Other threads may have held a ring's mutex, or counted themselves as
 * readers, at the moment of the fork: they do not exist here, so both start
 * afresh.  What they were about to publish is lost, and read again.
 */
static void
after_fork_child(void)
{
    for (struct envl_keyring *ring = all; ring != NULL; ring = ring->next) {
        pthread_mutex_init(&ring->lock, NULL);
        pthread_mutex_init(&ring->watch.lock, NULL);
        pthread_cond_init(&ring->watch.wake, NULL); /* nobody waits here */
        epoch_init(&ring->epoch);
        ring->old = NULL; /* perhaps being freed: left to the parent */
        ring->watch.has_refused = false;
        ring->watch.running = false;
        atomic_store(&ring->watch.looking, false);
        atomic_store(&ring->watch.by_readers, !ring->fixed);
    }
    pthread_mutex_unlock(&all_lock);
}

static void
register_fork(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

static void
enlist(struct envl_keyring *ring)
{
    pthread_once(&fork_once, register_fork);
    pthread_mutex_lock(&all_lock);
    ring->next = all;
    ring->prev = &all;
    if (all != NULL)
        all->prev = &ring->next;
    all = ring;
    pthread_mutex_unlock(&all_lock);
}

static void
delist(struct envl_keyring *ring)
{
    pthread_mutex_lock(&all_lock);
    *ring->prev = ring->next;
    if (ring->next != NULL)
        ring->next->prev = ring->prev;
    ring->prev = NULL;
    pthread_mutex_unlock(&all_lock);
}

static void *
run(void *cookie)
{
    struct envl_keyring *ring = cookie;
    struct ring_watch *watch = &ring->watch;

    pthread_mutex_lock(&watch->lock);
    while (!watch->stop) {
        struct timespec until;

        clock_monotonic_after(CHECK_MS, &until);
        pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
        if (watch->stop)
            break;
        pthread_mutex_unlock(&watch->lock);
        reload_if_changed(ring);
        pthread_mutex_lock(&watch->lock);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

/* The program's signals are not this thread's business. */
static bool
start_thread(struct envl_keyring *ring)
{
    pthread_attr_t attr;
    sigset_t every, before;
    int failed;

    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setstacksize(&attr, WATCHER_STACK);
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    failed = pthread_create(&ring->watch.thread, &attr, run, ring);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return failed == 0;
}

void
watch_start(struct envl_keyring *ring)
{
    enlist(ring);
    if (ring->fixed)
        return;
    ring->watch.running = true;
    if (!start_thread(ring)) {
        ring->watch.running = false;
        atomic_store(&ring->watch.by_readers, true);
    }
}

void
watch_stop(struct envl_keyring *ring)
{
    struct ring_watch *watch = &ring->watch;

    if (ring->prev == NULL)
        return;
    delist(ring);
    if (!watch->running)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stop = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    watch->running = false;
}

void
watch_by_reader(struct envl_keyring *ring)
{
    int64_t now = clock_coarse_ms();
    int64_t next = atomic_load(&ring->watch.next_check_ms);

    /* Whoever moves the mark looks; the others go on with what there is. */
    if (now < next || !atomic_compare_exchange_strong(
                          &ring->watch.next_check_ms, &next, now + CHECK_MS))
        return;
    reload_if_changed(ring);
}

bool
keyring_look_again(struct envl_keyring *ring)
{
    struct ring_watch *watch = &ring->watch;
    int64_t now = clock_coarse_ms();
    int64_t next = atomic_load(&watch->next_look_ms);
    struct keyring_hold hold;
    int64_t published;

    if (ring->path == NULL || ring->fixed)
        return false; /* nothing will have changed */
    if (now >= next && atomic_compare_exchange_strong(&watch->next_look_ms,
                                                      &next, now + LOOK_MS)) {
        atomic_store(&watch->looking, true);
        if (!reload_if_changed(ring))
            reload_wait(ring);
        atomic_store(&watch->looking, false);
    } else if (atomic_load(&watch->looking)) {
        /* Another thread looks just now: wait for what it finds. */
        reload_wait(ring);
    }

    /* A view so young may be news to the caller: let it look once more. */
    hold = keyring_enter(ring);
    published = hold.view->published_ms;
    keyring_leave(ring, hold);
    return published + LOOK_MS >= now;
}
