#include <pthread.h>
#include <stdlib.h>

#include "engine/hand.h"

enum turn {
    TURN_IDLE,
    TURN_HAND,   /* there is a page to be decided about */
    TURN_WORKER, /* it is done                          */
    TURN_OVER    /* the thread is to end                */
};

struct hand {
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    enum turn turn;
    const struct session *session;
    uint32_t target;
    struct batch *batch;
    enum envl_status status;
    struct envl_error error;
};

static void
pass(struct hand *hand, enum turn turn)
{
    hand->turn = turn;
    pthread_cond_broadcast(&hand->changed);
}

static void *
work(void *argument)
{
    struct hand *hand = argument;

    pthread_mutex_lock(&hand->lock);
    while (hand->turn != TURN_OVER) {
        if (hand->turn != TURN_HAND) {
            pthread_cond_wait(&hand->changed, &hand->lock);
            continue;
        }
        pthread_mutex_unlock(&hand->lock);
        hand->error = (struct envl_error){ 0 };
        hand->status = batch_decide(hand->session, hand->target, hand->batch,
                                    &hand->error);
        pthread_mutex_lock(&hand->lock);
        pass(hand, TURN_WORKER);
    }
    pthread_mutex_unlock(&hand->lock);
    return NULL;
}

enum envl_status
hand_new(struct hand **out, struct envl_error *err)
{
    struct hand *hand = calloc(1, sizeof(*hand));

    if (hand == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a thread");
    pthread_mutex_init(&hand->lock, NULL);
    pthread_cond_init(&hand->changed, NULL);
    if (pthread_create(&hand->thread, NULL, work, hand) != 0) {
        pthread_cond_destroy(&hand->changed);
        pthread_mutex_destroy(&hand->lock);
        free(hand);
        return envl_fail(err, ENVL_E_NOMEM, "no thread can be started");
    }
    *out = hand;
    return ENVL_OK;
}

void
hand_begin(struct hand *hand, const struct session *session, uint32_t target,
           struct batch *batch)
{
    pthread_mutex_lock(&hand->lock);
    hand->session = session;
    hand->target = target;
    hand->batch = batch;
    pass(hand, TURN_HAND);
    pthread_mutex_unlock(&hand->lock);
}

enum envl_status
hand_end(struct hand *hand, struct envl_error *err)
{
    enum envl_status status;

    pthread_mutex_lock(&hand->lock);
    while (hand->turn != TURN_WORKER)
        pthread_cond_wait(&hand->changed, &hand->lock);
    hand->turn = TURN_IDLE;
    status = hand->status;
    if (status != ENVL_OK && err != NULL)
        *err = hand->error;
    pthread_mutex_unlock(&hand->lock);
    return status;
}

void
hand_free(struct hand *hand)
{
    if (hand == NULL)
        return;
    pthread_mutex_lock(&hand->lock);
    pass(hand, TURN_OVER);
    pthread_mutex_unlock(&hand->lock);
    pthread_join(hand->thread, NULL);
    pthread_cond_destroy(&hand->changed);
    pthread_mutex_destroy(&hand->lock);
    free(hand);
}
