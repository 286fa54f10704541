#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/workers.h"

#define FIRST_MS 20u  /* before a second try to connect */
#define LAST_MS  500u /* before the last one            */
#define RATE_LEAST 100u /* values that make a rate of errors worth a look */

void
workers_init(struct workers *workers, struct env *env,
             enum session_depth depth)
{
    pthread_condattr_t clock;

    *workers = (struct workers){
        .env = env,
        .depth = depth,
        .pace = env->job->pace,
        .limit = { .rows_per_s = env->job->pace.max_rows_per_s },
    };
    pthread_mutex_init(&workers->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&workers->changed, &clock);
    pthread_condattr_destroy(&clock);
}

static void
drop_slots(struct workers *workers)
{
    for (uint32_t i = 0; i < workers->slot_count; i++)
        record_body_free_range(&workers->slots[i].range);
    free(workers->slots);
    workers->slots = NULL;
    workers->slot_count = 0;
}

enum envl_status
workers_slots(struct workers *workers, uint32_t count, struct envl_error *err)
{
    struct slot *slots = calloc((size_t)count + 1, sizeof(*slots));

    if (slots == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for %u ranges",
                         count);
    drop_slots(workers);
    workers->slots = slots;
    workers->slot_count = count;
    workers->live = (struct ledger){ 0 };
    return ENVL_OK;
}

void
workers_free(struct workers *workers)
{
    drop_slots(workers);
    pthread_cond_destroy(&workers->changed);
    pthread_mutex_destroy(&workers->lock);
}

static struct timespec
deadline(uint32_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

int
workers_stop(const struct workers *workers)
{
    const volatile sig_atomic_t *stop = workers->env->options->stop;

    return stop == NULL ? 0 : (int)*stop;
}

static struct slot *
take(struct workers *workers)
{
    struct slot *slot = NULL;

    pthread_mutex_lock(&workers->lock);
    for (uint32_t i = 0; !workers->halt && i < workers->slot_count; i++) {
        if (workers->slots[i].state == SLOT_FREE) {
            slot = &workers->slots[i];
            slot->state = SLOT_MINE;
            break;
        }
    }
    pthread_mutex_unlock(&workers->lock);
    return slot;
}

/* The first failure stands; everybody else finishes the batch and goes. */
static void
failed(struct workers *workers, enum envl_status status,
       const struct envl_error *error)
{
    pthread_mutex_lock(&workers->lock);
    if (workers->status == ENVL_OK) {
        workers->status = status;
        workers->error = *error;
    }
    workers->halt = true;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->lock);
}

/* What a thread is started with, and what is known of its end. */
struct start {
    struct worker worker;
    workers_range_fn *range;
    bool used;
    bool ended; /* guarded by the lock */
};

/* A worker's own connection; one that breaks at once is made again. */
static enum envl_status
connect(struct worker *worker, struct envl_error *err)
{
    struct workers *all = worker->all;
    enum envl_status status;

    for (uint32_t pause = FIRST_MS;; pause *= 2) {
        status = session_open(all->env, all->depth, &worker->session, err);
        if (status != ENVL_E_DATABASE || pause > LAST_MS ||
            !workers_sleep(all, pace_jitter(pause), NULL))
            return status;
    }
}

static void *
work(void *argument)
{
    struct start *start = argument;
    struct worker *worker = &start->worker;
    struct workers *all = worker->all;
    struct envl_error err = { 0 };
    struct slot *slot;
    enum envl_status status;

    status = connect(worker, &err);
    if (status == ENVL_OK &&
        all->env->ops->info(worker->session->store)->immediate)
        status = hand_new(&worker->hand, &err);
    workers_limits(worker);
    pace_init(&worker->pace, &worker->limits);
    while (status == ENVL_OK && !workers_surplus(worker) &&
           (slot = take(all)) != NULL) {
        status = start->range(worker, slot, &err);
        if (status != ENVL_OK)
            workers_put(all, slot, SLOT_FREE);
    }
    if (status != ENVL_OK)
        failed(all, status, &err);
    hand_free(worker->hand);
    session_close(worker->session);

    pthread_mutex_lock(&all->lock);
    all->running--;
    all->leaving -= worker->leaving;
    start->ended = true;
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

/* Wait for a change or a tick; true while threads run. */
static bool
wait_tick(struct workers *workers)
{
    struct timespec until = deadline(WORKERS_TICK_MS);
    bool running;

    pthread_mutex_lock(&workers->lock);
    if (workers_stop(workers) > 0 && !workers->halt) {
        workers->halt = true;
        pthread_cond_broadcast(&workers->changed);
    }
    if (workers->running > 0)
        pthread_cond_timedwait(&workers->changed, &workers->lock, &until);
    running = workers->running > 0;
    pthread_mutex_unlock(&workers->lock);
    return running;
}

/* How many more threads there is work for. */
static uint32_t
lacking(struct workers *workers)
{
    uint32_t lack = 0, spare = 0;

    pthread_mutex_lock(&workers->lock);
    for (uint32_t i = 0; i < workers->slot_count; i++)
        spare += workers->slots[i].state == SLOT_FREE;
    if (workers->status == ENVL_OK && !workers->halt &&
        workers->want > workers->running - workers->leaving)
        lack = workers->want - (workers->running - workers->leaving);
    pthread_mutex_unlock(&workers->lock);
    return lack < spare ? lack : spare;
}

/* Wait for the threads that have ended: all that were started, or some. */
static void
gather(struct workers *workers, struct start *starts)
{
    for (uint32_t i = 0; i < WORKERS_MOST; i++) {
        bool ended;

        pthread_mutex_lock(&workers->lock);
        ended = starts[i].used && starts[i].ended;
        pthread_mutex_unlock(&workers->lock);
        if (!ended)
            continue;
        pthread_join(starts[i].worker.thread, NULL);
        starts[i] = (struct start){ .used = false };
    }
}

static bool
start_one(struct workers *workers, struct start *start,
          workers_range_fn *range)
{
    *start = (struct start){ .range = range, .used = true };
    start->worker.all = workers;
    pthread_mutex_lock(&workers->lock);
    workers->running++;
    pthread_mutex_unlock(&workers->lock);
    if (pthread_create(&start->worker.thread, NULL, work, start) == 0)
        return true;
    start->used = false;
    pthread_mutex_lock(&workers->lock);
    workers->running--;
    pthread_mutex_unlock(&workers->lock);
    return false;
}

/* As many threads as there is work for; true if any could be started. */
static bool
start_all(struct workers *workers, struct start *starts,
          workers_range_fn *range)
{
    uint32_t lack = lacking(workers);
    bool any = false;

    for (uint32_t i = 0; i < WORKERS_MOST && lack > 0; i++) {
        if (starts[i].used)
            continue;
        if (!start_one(workers, &starts[i], range))
            break;
        any = true;
        lack--;
    }
    return any;
}

enum envl_status
workers_run(struct workers *workers, uint32_t threads,
            const struct workers_call *call, struct envl_error *err)
{
    struct start *starts = calloc(WORKERS_MOST, sizeof(*starts));
    struct envl_error local = { 0 };
    enum envl_status status;
    bool halt = workers_stop(workers) > 0, started;

    if (starts == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for workers");
    workers->halt = halt;
    workers->status = ENVL_OK;
    workers->want = threads < WORKERS_MOST ? threads : WORKERS_MOST;
    started = start_all(workers, starts, call->range) || halt;
    while (wait_tick(workers)) {
        status = call->tick(call->cookie, &local);
        if (status != ENVL_OK)
            failed(workers, status, &local);
        gather(workers, starts);
        (void)start_all(workers, starts, call->range);
    }
    gather(workers, starts);
    free(starts);

    if (!started)
        return envl_fail(err, ENVL_E_IO, "cannot start a thread");
    if (workers->status != ENVL_OK) {
        if (err != NULL)
            *err = workers->error;
        return workers->status;
    }
    if (workers_stop(workers) > 0)
        return envl_fail(err, ENVL_E_INTERRUPTED, "stopped on request");
    return ENVL_OK;
}

void
workers_steer(struct workers *workers, const struct job_pace *pace,
              bool paused)
{
    pthread_mutex_lock(&workers->lock);
    workers->pace = *pace;
    workers->limit.rows_per_s = pace->max_rows_per_s;
    workers->want = pace->workers < WORKERS_MOST ? pace->workers
                                                 : WORKERS_MOST;
    workers->paused = paused;
    pthread_mutex_unlock(&workers->lock);
}

uint32_t
workers_count(struct workers *workers, enum slot_state state)
{
    uint32_t count = 0;

    pthread_mutex_lock(&workers->lock);
    for (uint32_t i = 0; i < workers->slot_count; i++)
        count += workers->slots[i].state == state;
    pthread_mutex_unlock(&workers->lock);
    return count;
}

void
workers_put(struct workers *workers, struct slot *slot, enum slot_state state)
{
    pthread_mutex_lock(&workers->lock);
    slot->state = state;
    pthread_mutex_unlock(&workers->lock);
}

bool
workers_halting(struct workers *workers)
{
    bool halt;

    pthread_mutex_lock(&workers->lock);
    halt = workers->halt || workers_stop(workers) > 0;
    pthread_mutex_unlock(&workers->lock);
    return halt;
}

bool
workers_paused(struct workers *workers)
{
    bool paused;

    pthread_mutex_lock(&workers->lock);
    paused = workers->paused;
    pthread_mutex_unlock(&workers->lock);
    return paused;
}

bool
workers_surplus(struct worker *worker)
{
    struct workers *all = worker->all;

    pthread_mutex_lock(&all->lock);
    if (!worker->leaving && all->running - all->leaving > all->want) {
        worker->leaving = true;
        all->leaving++;
    }
    pthread_mutex_unlock(&all->lock);
    return worker->leaving;
}

void
workers_limits(struct worker *worker)
{
    pthread_mutex_lock(&worker->all->lock);
    worker->limits = worker->all->pace;
    pthread_mutex_unlock(&worker->all->lock);
    if (worker->hand != NULL) /* an immediate store */
        pace_widen(&worker->limits);
}

void
workers_batch(struct workers *workers, uint32_t rows, uint64_t ms)
{
    if (rows == 0)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->batch_rows = rows;
    workers->batch_ms = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
    pthread_mutex_unlock(&workers->lock);
}

/* spec: JOB-74 */
enum envl_status
workers_blocked(struct workers *workers, struct envl_error *err)
{
    const struct job *job = workers->env->job;
    struct ledger live;
    uint64_t values;

    pthread_mutex_lock(&workers->lock);
    live = workers->live;
    pthread_mutex_unlock(&workers->lock);
    values = ledger_values(&live);
    if (live.quarantined > job->max_blocked) {
        envl_fail(err, ENVL_E_PARTIAL, "%llu values are quarantined, more "
                  "than limits.max_blocked_rows allows",
                  (unsigned long long)live.quarantined);
    } else if (values >= RATE_LEAST && (double)live.quarantined >
               job->max_error_rate * (double)values) {
        envl_fail(err, ENVL_E_PARTIAL, "%llu of %llu values are quarantined, "
                  "more than limits.max_error_rate allows",
                  (unsigned long long)live.quarantined,
                  (unsigned long long)values);
    } else {
        return ENVL_OK;
    }
    envl_hint(err, "envelope status lists them with their reasons; put them "
              "right, or raise the limit in the job file");
    return ENVL_E_PARTIAL;
}

bool
workers_sleep(void *cookie, uint32_t ms, const char *why)
{
    struct workers *workers = cookie;
    struct timespec until = deadline(ms);
    bool on;
    int rc = 0;

    pthread_mutex_lock(&workers->lock);
    if (why != NULL)
        snprintf(workers->waiting, sizeof(workers->waiting), "%s", why);
    while (rc == 0 && !workers->halt && workers_stop(workers) == 0)
        rc = pthread_cond_timedwait(&workers->changed, &workers->lock,
                                    &until);
    if (why != NULL)
        workers->waiting[0] = '\0';
    on = !workers->halt && workers_stop(workers) == 0;
    pthread_mutex_unlock(&workers->lock);
    return on;
}

void
workers_count_in(struct workers *workers, const struct ledger *before,
                 const struct ledger *now)
{
    pthread_mutex_lock(&workers->lock);
    ledger_add(&workers->live, now);
    ledger_subtract(&workers->live, before);
    pthread_mutex_unlock(&workers->lock);
}

uint32_t
workers_book(struct workers *workers, uint32_t rows)
{
    uint32_t wait;

    pthread_mutex_lock(&workers->lock);
    wait = pace_wait(&workers->limit, rows, pace_now());
    pthread_mutex_unlock(&workers->lock);
    return wait;
}
