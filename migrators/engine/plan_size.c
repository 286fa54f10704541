#include <stdlib.h>

#include "engine/plan_size.h"

#define GUESS_RATE 10000.0 /* rows a second and worker: docs/performance.md */

enum envl_status
plan_size_begin(struct plan_size *size, struct session *session,
                uint32_t target, struct envl_error *err)
{
    uint32_t count = session->env->job->targets[target].spec.field_count;

    *size = (struct plan_size){ .session = session, .target = target };
    size->fields = calloc(count + 1, sizeof(*size->fields));
    if (size->fields == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a plan");
    return ENVL_OK;
}

/* The length of the envelope of ${len} bytes; 0: it cannot be known. */
static size_t
sealed_len(const struct plan_size *size, uint32_t field, size_t len)
{
    const struct env *env = size->session->env;
    const struct job_field *job =
        &env->job->targets[size->target].fields[field];
    const struct envl_field_info *info =
        &session_info(size->session, size->target)->fields[field];
    struct envl_seal_options options = {
        .size = sizeof(options), .kid = env->key.kid, .scope = env->job->scope,
        .encoding = job->has_encoding                ? job->encoding
                    : info->takes == ENVL_KIND_BYTES ? ENVL_ENCODING_BINARY
                                                     : ENVL_ENCODING_TEXT,
        .pad = job->pad,
    };
    size_t out = 0;

    if (envl_sealed_len(env->options->ring, &options, len, &out, NULL) !=
        ENVL_OK)
        return 0;
    return out;
}

void
plan_size_add(struct plan_size *size, const struct batch *batch)
{
    uint32_t last = UINT32_MAX;

    size->rows += batch->page->count;
    for (uint32_t i = 0; i < batch->work.leaf_count; i++) {
        const struct leaf_result *result = &batch->work.leaves[i];
        struct plan_field *field = &size->fields[result->field];
        size_t len, after;

        if (result->state != ROW_PLAINTEXT)
            continue;
        len = result->at->value.bytes.len;
        after = sealed_len(size, result->field, len);
        field->values++;
        field->before += len;
        field->after += after;
        if (after > field->longest)
            field->longest = after;
        size->written += result->row != last;
        last = result->row;
    }
}

uint64_t
plan_size_scale(const struct plan_size *size, uint64_t count)
{
    uint64_t rows = session_info(size->session, size->target)->rows;

    if (size->rows == 0 || rows <= size->rows)
        return count;
    return (uint64_t)((double)count * (double)rows / (double)size->rows);
}

void
plan_size_field(const struct plan_size *size, uint32_t field, json_t *out)
{
    const struct plan_field *at = &size->fields[field];

    if (at->values == 0)
        return;
    json_object_set_new(out, "values", json_integer(
        (json_int_t)plan_size_scale(size, at->values)));
    json_object_set_new(out, "mean_before", json_integer(
        (json_int_t)(at->before / at->values)));
    json_object_set_new(out, "mean_after", json_integer(
        (json_int_t)(at->after / at->values)));
    json_object_set_new(out, "longest", json_integer(
        (json_int_t)at->longest));
}

static void
add_cost(const struct envl_cost *cost, json_t *out)
{
    json_object_set_new(out, "cost", json_pack(
        "{s:I, s:I, s:I, s:s, s:I}", "table_now",
        (json_int_t)cost->table_now, "table_growth",
        (json_int_t)cost->table_growth, "index_growth",
        (json_int_t)cost->index_growth, "log",
        cost->log == NULL ? "log" : cost->log, "log_bytes",
        (json_int_t)cost->log_bytes));
}

enum envl_status
plan_size_cost(const struct plan_size *size, json_t *out,
               struct envl_error *err)
{
    const struct env *env = size->session->env;
    uint32_t count = env->job->targets[size->target].spec.field_count;
    uint64_t before = 0, after = 0;
    struct envl_cost cost = { 0 };
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; i < count; i++) {
        before += size->fields[i].before;
        after += size->fields[i].after;
    }
    cost.rows = plan_size_scale(size, size->written);
    cost.bytes_before = plan_size_scale(size, before);
    cost.bytes_after = plan_size_scale(size, after);
    json_object_set_new(out, "rows_to_write",
                        json_integer((json_int_t)cost.rows));
    json_object_set_new(out, "bytes_before",
                        json_integer((json_int_t)cost.bytes_before));
    json_object_set_new(out, "bytes_after",
                        json_integer((json_int_t)cost.bytes_after));
    if (!PLUGIN_HAS(env->ops, cost))
        return ENVL_OK;
    status = env->ops->cost(size->session->targets[size->target], &cost, err);
    if (status == ENVL_OK)
        add_cost(&cost, out);
    return status;
}

void
plan_size_time(const struct job *job, uint64_t rows, double last_rate,
               json_t *out)
{
    const struct job_window *window = &job->pace.window;
    double rate = GUESS_RATE * job->pace.workers, seconds;
    const char *basis = "guess";
    json_t *time;

    if (last_rate > 0) {
        rate = last_rate;
        basis = "last run";
    }
    if (job->pace.max_rows_per_s > 0 &&
        (job->pace.max_rows_per_s < rate || last_rate <= 0)) {
        rate = job->pace.max_rows_per_s;
        basis = "limit";
    }
    seconds = (double)rows / rate;
    time = json_pack("{s:I, s:f, s:s, s:f}", "rows", (json_int_t)rows,
                     "rows_per_s", rate, "basis", basis, "seconds", seconds);
    if (window->text != NULL) {
        uint32_t open = (window->to + 1440 - window->from) % 1440;

        json_object_set_new(time, "window_h", json_real(open / 60.0));
        json_object_set_new(time, "days", json_integer(
            (json_int_t)(seconds / (open * 60.0)) + 1));
    }
    json_object_set_new(out, "time", time);
}

void
plan_size_free(struct plan_size *size)
{
    free(size->fields);
    size->fields = NULL;
}
