/*
 * plan_size.h - how large the values of a target are, how large they will be,
 * and what that costs; from a sample, scaled to the whole.
 */
#ifndef ENGINE_PLAN_SIZE_H
#define ENGINE_PLAN_SIZE_H

#include "engine/batch.h"

/* Of one field: its values that would be sealed. */
struct plan_field {
    uint64_t values;
    uint64_t before, after; /* bytes, of all of them     */
    uint64_t longest;       /* envelope, in bytes        */
};

/* Zero-initialise; plan_size_begin, plan_size_free. */
struct plan_size {
    struct session *session;
    uint32_t target;
    struct plan_field *fields;
    uint64_t rows;    /* looked at                       */
    uint64_t written; /* of them with a value to be sealed */
};

/**
 * plan_size_begin(size, session, target, err):
 * Nothing is counted yet.
 */
enum envl_status plan_size_begin(struct plan_size *size,
                                 struct session *session, uint32_t target,
                                 struct envl_error *err);

/**
 * plan_size_add(size, batch):
 * Count a page that was decided about.
 */
void plan_size_add(struct plan_size *size, const struct batch *batch);

/**
 * plan_size_scale(size, count):
 * What ${count} in the sample means for the whole table.
 */
uint64_t plan_size_scale(const struct plan_size *size, uint64_t count);

/**
 * plan_size_field(size, field, out):
 * Add "values", "mean_before", "mean_after", "longest" to a field's report.
 */
void plan_size_field(const struct plan_size *size, uint32_t field,
                     json_t *out);

/**
 * plan_size_cost(size, out, err):
 * Add "rows_to_write", "bytes_before", "bytes_after", and where the store can
 * tell "cost": {"table_now","table_growth","index_growth","log","log_bytes"}.
 */
enum envl_status plan_size_cost(const struct plan_size *size, json_t *out,
                                struct envl_error *err);

/**
 * plan_size_time(job, rows, last_rate, out):
 * Add "time": {"rows","rows_per_s","basis","seconds"[,"window_h","days"]} for
 * ${rows} at the pace of ${job}; basis "limit" (max_rows_per_s), "last run"
 * (${last_rate} rows a second, 0: there was none) or "guess".
 */
void plan_size_time(const struct job *job, uint64_t rows, double last_rate,
                    json_t *out);

void plan_size_free(struct plan_size *size);

#endif /* ENGINE_PLAN_SIZE_H */
