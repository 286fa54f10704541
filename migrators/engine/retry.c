#include <stdlib.h>
#include <string.h>

#include "engine/pace.h"
#include "engine/retry.h"

#define ROWS_MAX 10000u /* more are left to a closing pass */
#define FIRST_MS 20u
#define LATE_MS  500u

static const struct retry_row *
picked(const struct retry *retry, struct envl_bytes key)
{
    for (uint32_t i = 0; i < retry->count; i++) {
        const struct retry_row *row = &retry->rows[i];

        if (row->state == RETRY_PICKED && row->key_len == key.len &&
            memcmp(row->key, key.ptr, key.len) == 0) /* public: a row's id */
            return row;
    }
    return NULL;
}

static bool
room(struct retry *retry)
{
    uint32_t cap = retry->cap == 0 ? 32 : retry->cap * 2;
    struct retry_row *more;

    if (retry->count < retry->cap)
        return true;
    more = realloc(retry->rows, cap * sizeof(*more));
    if (more == NULL)
        return false;
    retry->rows = more;
    retry->cap = cap;
    return true;
}

enum envl_status
retry_lost(struct retry *retry, const struct envl_row *row,
           uint32_t values, struct envl_error *err)
{
    const struct retry_row *before = picked(retry, row->key);
    struct retry_row fresh = {
        .state = RETRY_NEW,
        .key_len = row->key.len,
        .losses = before == NULL ? 1 : before->losses + 1,
        .values = values,
    };

    if (retry->patient && fresh.losses >= RETRY_MOST)
        fresh.losses = RETRY_MOST - 1;
    if (fresh.losses >= RETRY_MOST || retry->count >= ROWS_MAX)
        return ENVL_OK;
    fresh.due = pace_now() + pace_jitter(FIRST_MS << fresh.losses);
    fresh.key = malloc(row->key.len + 1);
    if (fresh.key == NULL || !room(retry)) {
        free(fresh.key);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for lost rows");
    }
    memcpy(fresh.key, row->key.ptr, row->key.len);
    retry->rows[retry->count++] = fresh;
    return ENVL_OK;
}

void
retry_pick(struct retry *retry, uint64_t now, struct retry_round *round)
{
    *round = (struct retry_round){ 0 };
    for (uint32_t i = 0; i < retry->count && round->count < RETRY_BATCH; i++) {
        struct retry_row *row = &retry->rows[i];
        bool by_value = row->losses >= RETRY_BY_VALUE;

        if (row->state != RETRY_STANDS || row->due > now ||
            (round->count > 0 && by_value != round->by_value))
            continue;
        row->state = RETRY_PICKED;
        round->by_value = by_value;
        round->values += row->values;
        round->keys[round->count++] =
            (struct envl_bytes){ row->key, row->key_len };
    }
}

bool
retry_ready(const struct retry *retry, uint64_t now)
{
    uint32_t due = 0;

    for (uint32_t i = 0; i < retry->count; i++) {
        const struct retry_row *row = &retry->rows[i];

        if (row->state != RETRY_STANDS || row->due > now)
            continue;
        if (++due == RETRY_BATCH || row->due + LATE_MS < now)
            return true;
    }
    return false;
}

uint32_t
retry_wait(const struct retry *retry, uint64_t now)
{
    uint64_t first = UINT64_MAX;

    for (uint32_t i = 0; i < retry->count; i++) {
        if (retry->rows[i].state == RETRY_STANDS &&
            retry->rows[i].due < first)
            first = retry->rows[i].due;
    }
    return first == UINT64_MAX || first <= now ? 0 : (uint32_t)(first - now);
}

/* Remove the rows in state ${over}; what is in ${from} becomes STANDS. */
static void
turn(struct retry *retry, enum retry_state over, enum retry_state from)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < retry->count; i++) {
        struct retry_row row = retry->rows[i];

        if (row.state == over) {
            free(row.key);
            continue;
        }
        if (row.state == from)
            row.state = RETRY_STANDS;
        retry->rows[kept++] = row;
    }
    retry->count = kept;
}

void
retry_committed(struct retry *retry)
{
    if (retry->count > 0)
        turn(retry, RETRY_PICKED, RETRY_NEW);
}

void
retry_undone(struct retry *retry)
{
    if (retry->count > 0)
        turn(retry, RETRY_NEW, RETRY_PICKED);
}

void
retry_free(struct retry *retry)
{
    for (uint32_t i = 0; i < retry->count; i++)
        free(retry->rows[i].key);
    free(retry->rows);
    *retry = (struct retry){ 0 };
}
