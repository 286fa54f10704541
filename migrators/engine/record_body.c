/*
 * The bodies of records as JSON.  Keys of rows are hexadecimal: they are
 * opaque bytes.  Decoding is strict, although the MAC was checked before it:
 * a body of a later version must be refused, not half understood.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "engine/record_body.h"

static const char *const goals[] = { "seal", "rotate" };

static bool
put(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

static json_t *
hex(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len * 2 + 1);
    json_t *value = NULL;

    if (text != NULL) {
        sodium_bin2hex(text, len * 2 + 1, bytes, len);
        value = json_string(text);
    }
    free(text);
    return value;
}

static json_t *
hex_buf(const struct envl_buf *buf)
{
    return hex(buf->ptr, buf->len);
}

/* Print ${object} into ${out} and release it. */
static enum envl_status
print(json_t *object, bool whole, struct envl_buf *out, struct envl_error *err)
{
    enum envl_status status = ENVL_E_NOMEM;
    char *text = NULL;

    if (whole)
        text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a job record");
    envl_buf_clear(out);
    status = envl_buf_append(out, envl_bytes_of(text), err);
    free(text);
    return status;
}

static json_t *
encode_ring(const struct envl_ring_mark *ring)
{
    return json_pack("{s:s, s:I, s:o, s:o}", "id", ring->id, "generation",
                     (json_int_t)ring->generation, "mac",
                     hex(ring->mac, sizeof(ring->mac)), "pin",
                     hex(ring->pin, sizeof(ring->pin)));
}

static json_t *
encode_phases(const struct record_job *job)
{
    json_t *array = json_array();

    for (size_t i = 0; i < RECORD_PHASES; i++) {
        json_t *phase = ledger_encode(&job->phases[i]);

        if (json_object_set_new(phase, "ms", json_integer((json_int_t)
                                job->phase_ms[i])) != 0 ||
            json_array_append_new(array, phase) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* How it is at the moment. */
static json_t *
encode_now(const struct record_job *job)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "reason",
                     job->wait_reason, "waiting", job->wait_text, "ms",
                     (json_int_t)job->wait_ms, "rate", (json_int_t)job->rate,
                     "threads", (json_int_t)job->threads, "batch_rows",
                     (json_int_t)job->batch_rows, "batch_ms",
                     (json_int_t)job->batch_ms);
}

enum envl_status
record_body_encode_job(const struct record_job *job, struct envl_buf *out,
                       struct envl_error *err)
{
    json_t *object = json_object();
    bool whole;

    whole = put(object, "v", json_integer(1)) &&
            put(object, "goal", json_string(goals[job->goal])) &&
            put(object, "kid", json_string(job->kid)) &&
            put(object, "phase", json_integer(job->phase)) &&
            put(object, "closing", json_integer(job->closing)) &&
            put(object, "pass", json_integer(job->pass)) &&
            put(object, "ranges", json_integer(job->ranges)) &&
            put(object, "phase_id", json_string(job->phase_id)) &&
            put(object, "digest", json_string(job->digest)) &&
            put(object, "ring", encode_ring(&job->ring)) &&
            put(object, "phases", encode_phases(job)) &&
            put(object, "census", census_encode(&job->census)) &&
            put(object, "rows", json_integer((json_int_t)job->rows)) &&
            put(object, "ms", json_integer((json_int_t)job->ms)) &&
            put(object, "now", encode_now(job)) &&
            put(object, "outcome", json_integer(job->outcome));
    return print(object, whole, out, err);
}

enum envl_status
record_body_encode_range(const struct record_range *range, struct envl_buf *out,
                         struct envl_error *err)
{
    json_t *object = json_object();
    bool whole;

    whole = put(object, "v", json_integer(1)) &&
            put(object, "phase_id", json_string(range->phase_id)) &&
            put(object, "target", json_integer(range->target)) &&
            put(object, "after", hex_buf(&range->after)) &&
            put(object, "until", hex_buf(&range->until)) &&
            put(object, "cursor", hex_buf(&range->cursor)) &&
            put(object, "done", json_boolean(range->done)) &&
            put(object, "ledger", ledger_encode(&range->ledger)) &&
            put(object, "census", census_encode(&range->census));
    return print(object, whole, out, err);
}

/* A body on its way in: after the first miss, everything else is a no-op. */
struct reader {
    const json_t *object;
    bool good;
    struct envl_error *err;
};

static const char *
text(struct reader *in, const json_t *object, const char *name)
{
    const char *string = json_string_value(json_object_get(object, name));

    if (string == NULL)
        in->good = false;
    return string == NULL ? "" : string;
}

static void
copy_from(struct reader *in, const json_t *object, const char *name,
          char *out, size_t size)
{
    const char *string = text(in, object, name);
    size_t len = strlen(string);

    if (len >= size)
        in->good = false;
    else
        memcpy(out, string, len + 1);
}

static void
copy(struct reader *in, const char *name, char *out, size_t size)
{
    copy_from(in, in->object, name, out, size);
}

static uint64_t
number(struct reader *in, const json_t *object, const char *name, uint64_t max)
{
    const json_t *value = json_object_get(object, name);
    json_int_t n = json_integer_value(value);

    if (json_is_integer(value) && n >= 0 && (uint64_t)n <= max)
        return (uint64_t)n;
    in->good = false;
    return 0;
}

static void
unhex(struct reader *in, const char *string, uint8_t *out, size_t len)
{
    size_t got;

    if (sodium_hex2bin(out, len, string, strlen(string), NULL, &got, NULL) !=
            0 ||
        got != len || strlen(string) != len * 2)
        in->good = false;
}

static void
unhex_buf(struct reader *in, const char *name, struct envl_buf *out)
{
    const char *string = text(in, in->object, name);
    size_t len = strlen(string) / 2;

    if (len == 0)
        return;
    if (envl_buf_reserve(out, len, in->err) != ENVL_OK) {
        in->good = false;
        return;
    }
    unhex(in, string, out->ptr, len);
    out->len = len;
}

static void
read_ring(struct reader *in, struct envl_ring_mark *out)
{
    const json_t *ring = json_object_get(in->object, "ring");
    const char *id = text(in, ring, "id");

    if (strlen(id) >= sizeof(out->id))
        in->good = false;
    else
        memcpy(out->id, id, strlen(id) + 1);
    out->generation = number(in, ring, "generation", INT64_MAX);
    unhex(in, text(in, ring, "mac"), out->mac, sizeof(out->mac));
    unhex(in, text(in, ring, "pin"), out->pin, sizeof(out->pin));
}

static void
read_counts(struct reader *in, const json_t *counts, struct ledger *out)
{
    if (ledger_decode(counts, out, NULL) != ENVL_OK)
        in->good = false;
}

static void
read_census(struct reader *in, struct census *out)
{
    if (census_decode(json_object_get(in->object, "census"), out, NULL) !=
        ENVL_OK)
        in->good = false;
}

static json_t *
parse(struct envl_bytes body)
{
    json_t *object = json_loadb((const char *)body.ptr, body.len,
                                JSON_REJECT_DUPLICATES, NULL);
    json_t *version = json_object_get(object, "v");

    if (json_is_integer(version) && json_integer_value(version) == 1)
        return object;
    json_decref(object);
    return NULL;
}

static enum envl_status
refuse(struct envl_error *err)
{
    envl_fail(err, ENVL_E_INTEGRITY, "a job record has a form that this "
              "version does not know");
    envl_hint(err, "was the job begun by a newer version? finish it there");
    return ENVL_E_INTEGRITY;
}

static void
read_now(struct reader *in, struct record_job *out)
{
    const json_t *now = json_object_get(in->object, "now");

    if (now == NULL)
        return;
    copy_from(in, now, "reason", out->wait_reason, sizeof(out->wait_reason));
    copy_from(in, now, "waiting", out->wait_text, sizeof(out->wait_text));
    out->wait_ms = number(in, now, "ms", INT64_MAX);
    out->rate = number(in, now, "rate", INT64_MAX);
    out->threads = (uint32_t)number(in, now, "threads", UINT32_MAX);
    out->batch_rows = (uint32_t)number(in, now, "batch_rows", UINT32_MAX);
    out->batch_ms = (uint32_t)number(in, now, "batch_ms", UINT32_MAX);
}

static void
read_job(struct reader *in, struct record_job *out)
{
    const char *goal = text(in, in->object, "goal");

    out->goal = strcmp(goal, goals[ENGINE_ROTATE]) == 0 ? ENGINE_ROTATE
                                                        : ENGINE_SEAL;
    if (strcmp(goal, goals[out->goal]) != 0)
        in->good = false;
    copy(in, "kid", out->kid, sizeof(out->kid));
    copy(in, "phase_id", out->phase_id, sizeof(out->phase_id));
    copy(in, "digest", out->digest, sizeof(out->digest));
    out->phase = (enum record_phase)number(in, in->object, "phase",
                                           RECORD_DONE);
    out->closing = (uint32_t)number(in, in->object, "closing",
                                    RECORD_CLOSINGS);
    out->pass = (uint32_t)number(in, in->object, "pass", UINT32_MAX);
    out->ranges = (uint32_t)number(in, in->object, "ranges", UINT32_MAX);
    out->rows = number(in, in->object, "rows", INT64_MAX);
    out->ms = number(in, in->object, "ms", INT64_MAX);
    out->outcome = (enum envl_status)number(in, in->object, "outcome",
                                            ENVL_E_INTERRUPTED);
    read_ring(in, &out->ring);
    read_now(in, out);
    for (size_t i = 0; i < RECORD_PHASES; i++) {
        const json_t *phase =
            json_array_get(json_object_get(in->object, "phases"), i);

        read_counts(in, phase, &out->phases[i]);
        out->phase_ms[i] = number(in, phase, "ms", INT64_MAX);
    }
    read_census(in, &out->census);
}

enum envl_status
record_body_decode_job(struct envl_bytes body, struct record_job *out,
                       struct envl_error *err)
{
    struct record_job job = { 0 };
    json_t *object = parse(body);
    struct reader in = { object, true, err };

    if (object == NULL)
        return refuse(err);
    read_job(&in, &job);
    json_decref(object);
    if (!in.good) {
        record_body_free_job(&job);
        return refuse(err);
    }
    *out = job;
    return ENVL_OK;
}

enum envl_status
record_body_decode_range(struct envl_bytes body, struct record_range *out,
                         struct envl_error *err)
{
    struct record_range range = { 0 };
    json_t *object = parse(body);
    struct reader in = { object, true, err };

    if (object == NULL)
        return refuse(err);
    copy(&in, "phase_id", range.phase_id, sizeof(range.phase_id));
    range.target = (uint32_t)number(&in, object, "target", UINT32_MAX);
    range.done = json_is_true(json_object_get(object, "done"));
    unhex_buf(&in, "after", &range.after);
    unhex_buf(&in, "until", &range.until);
    unhex_buf(&in, "cursor", &range.cursor);
    read_counts(&in, json_object_get(object, "ledger"), &range.ledger);
    read_census(&in, &range.census);
    json_decref(object);
    if (!in.good) {
        record_body_free_range(&range);
        return refuse(err);
    }
    *out = range;
    return ENVL_OK;
}

void
record_body_total(const struct record_job *job, const struct ledger *live,
                  struct ledger *out)
{
    bool over = job->phase == RECORD_DONE;
    struct ledger total = { 0 };

    if (job->phase == RECORD_SWEEP) {
        *out = *live;
        return;
    }
    total = job->phases[0];
    for (uint32_t i = 1; i <= job->closing; i++) {
        const struct ledger *phase = &job->phases[i];

        if (i == job->closing && !over) {
            phase = live;
        } else {
            total.quarantined = phase->quarantined;
            total.conflicts = phase->conflicts;
        }
        total.sealed += phase->sealed;
        total.rotated += phase->rotated;
        total.retried += phase->retried;
    }
    *out = total;
}

const char *
record_body_phase(enum record_phase phase)
{
    static const char *const names[] = { "prepare", "sweep", "closing",
                                         "done" };

    return names[phase];
}

void
record_body_free_job(struct record_job *job)
{
    census_free(&job->census);
    *job = (struct record_job){ 0 };
}

void
record_body_free_range(struct record_range *range)
{
    envl_buf_free(&range->after);
    envl_buf_free(&range->until);
    envl_buf_free(&range->cursor);
    census_free(&range->census);
    *range = (struct record_range){ 0 };
}
