/*
 * ring.h - struct envl_keyring, for the files of this folder.
 *
 * Everything that a reader sees hangs on one pointer, the view, so that
 * publishing is one store and a child of fork finds a whole ring.  The mutex
 * serialises those who replace the view: reloads and changes.
 */
#ifndef KEYRING_RING_H
#define KEYRING_RING_H

#include <pthread.h>
#include <stdatomic.h>

#include "keyring/epoch.h"
#include "keyring/view.h"

/* The thread that looks at the file, and what stands in for it. */
struct ring_watch {
    pthread_t thread;
    pthread_mutex_t lock; /* of stop and wake                             */
    pthread_cond_t wake;
    bool stop;
    bool running;            /* the thread is there, in this process      */
    atomic_bool by_readers;  /* no thread: keyring_enter looks            */
    _Atomic int64_t next_check_ms; /* when a reader looks next            */
    _Atomic int64_t next_look_ms;  /* when an unknown kid may look next   */
    atomic_bool looking;
    struct file_id refused;  /* a file that did not load (ring->lock)     */
    bool has_refused;
    int64_t retry_ms;        /* when it is tried again though unchanged   */
    int64_t backoff_ms;
};

struct envl_keyring {
    struct epoch epoch;
    _Atomic(struct ring_view *) view;
    pthread_mutex_t lock;     /* of replacing the view          */
    struct ring_view *old;    /* views that may still be read   */

    /* Set before the ring is shared, not changed afterwards. */
    char *path;               /* NULL: keyring_from_keys        */
    struct envl_provider **providers;
    size_t provider_count;
    size_t openers;           /* 0, or only the first so many open it */
    char *entry;              /* NULL, or only this unlock entry */
    bool has_seen, has_pin, fixed;
    envl_ring_next_fn *next_fn; /* NULL, or told of a new ring key */
    void *next_cookie;
    struct envl_ring_mark seen;
    uint8_t pin[RING_PIN_LEN];

    struct ring_watch watch;
    struct envl_keyring *next, **prev; /* all rings, for fork   */
};

/**
 * ring_current(ring):
 * The view, for those who hold ${ring}->lock.
 */
struct ring_view *ring_current(struct envl_keyring *ring);

/**
 * ring_publish(ring, view):
 * Replace the view by ${view}, which ${ring} owns from now on, and free the
 * former one as soon as nobody reads it.  Call with ${ring}->lock held.
 */
void ring_publish(struct envl_keyring *ring, struct ring_view *view);

/**
 * ring_new(out, err):
 * An empty ring, with its locks made; ring_drop undoes it.
 */
enum envl_status ring_new(struct envl_keyring **out, struct envl_error *err);

/**
 * ring_drop(ring):
 * Release a ring whose watcher was never started or has ended.
 */
void ring_drop(struct envl_keyring *ring);

#endif /* KEYRING_RING_H */
