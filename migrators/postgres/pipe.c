#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "postgres/pipe.h"

#define STATEMENTS_MAX 256u
#define NAME_MAX_LEN   16u

/* A prepared statement; its place in the list is its name. */
struct pipe_statement {
    char *sql;
    uint64_t hash;
    bool ready; /* prepared, or about to be */
};

/* What one message of ours will be answered with. */
struct answer {
    PGresult *result;
    int32_t statement; /* the answer to its preparation; < 0: to a statement */
};

struct pipe_op {
    struct pipe_op *next;
    struct answer *answers;
    uint32_t sent, got, cap;
    bool broken;    /* something could not be sent                    */
    bool synced;    /* its end was sent                               */
    bool done;      /* and has been answered                          */
    bool abandoned; /* nobody waits: free it once it has been answered */
};

/* ---- parameters --------------------------------------------------------- */

static void *
stretched(void *items, size_t size, uint32_t cap)
{
    return realloc(items, size * cap);
}

static bool
params_grow(struct pipe_params *params)
{
    uint32_t cap = params->cap == 0 ? 16 : params->cap * 2;
    void *block;

    if (params->failed || params->count >= USHRT_MAX)
        return false;
    if (params->count < params->cap)
        return true;
    block = stretched(params->values, sizeof(*params->values), cap);
    if (block == NULL)
        return false;
    params->values = block;
    block = stretched(params->lengths, sizeof(*params->lengths), cap);
    if (block == NULL)
        return false;
    params->lengths = block;
    block = stretched(params->formats, sizeof(*params->formats), cap);
    if (block == NULL)
        return false;
    params->formats = block;
    params->cap = cap;
    return true;
}

static void
params_add(struct pipe_params *params, const char *value, size_t len,
           int format)
{
    if (len > INT_MAX || !params_grow(params)) {
        params->failed = true;
        return;
    }
    params->values[params->count] = value;
    params->lengths[params->count] = (int)len;
    params->formats[params->count++] = format;
}

void
pipe_text(struct pipe_params *params, const char *value)
{
    params_add(params, value, 0, 0);
}

void
pipe_binary(struct pipe_params *params, struct envl_bytes value)
{
    if (value.ptr == NULL)
        params->failed = true;
    else
        params_add(params, (const char *)value.ptr, value.len, 1);
}

void
pipe_params_clear(struct pipe_params *params)
{
    params->count = 0;
    params->failed = false;
}

void
pipe_params_free(struct pipe_params *params)
{
    /* The casts: arrays of pointers to const are not const themselves. */
    free((void *)params->values);
    free(params->lengths);
    free(params->formats);
    *params = (struct pipe_params){ 0 };
}

/* ---- life --------------------------------------------------------------- */

bool
pipe_init(struct pipe *pipe, PGconn *conn)
{
    pipe->conn = conn;
    pipe->statements = calloc(STATEMENTS_MAX, sizeof(*pipe->statements));
    return pipe->statements != NULL && PQenterPipelineMode(conn) == 1;
}

static void
op_free(struct pipe_op *op)
{
    for (uint32_t i = 0; i < op->got; i++)
        pipe_wipe(op->answers[i].result);
    free(op->answers);
    free(op);
}

/* Operations that still have an owner are freed by it. */
static void
pipe_abandon(struct pipe *pipe)
{
    struct pipe_op *op = pipe->first, *next;

    pipe->lost = true;
    pipe->first = pipe->last = NULL;
    for (; op != NULL; op = next) {
        next = op->next;
        op->done = op->broken = true;
        if (op->abandoned)
            op_free(op);
    }
}

void
pipe_finish(struct pipe *pipe)
{
    pipe_abandon(pipe);
    for (uint32_t i = 0; i < pipe->statement_count; i++)
        free(pipe->statements[i].sql);
    free(pipe->statements);
    pipe->statements = NULL;
    pipe->statement_count = 0;
}

void
pipe_wipe(PGresult *result)
{
    int rows = PQntuples(result), columns = PQnfields(result);

    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++)
            sodium_memzero(PQgetvalue(result, row, column),
                           (size_t)PQgetlength(result, row, column));
    }
    PQclear(result);
}

/* ---- sending ------------------------------------------------------------ */

struct pipe_op *
pipe_open(struct pipe *pipe)
{
    struct pipe_op *op = calloc(1, sizeof(*op));

    if (op == NULL)
        return NULL;
    if (pipe->lost) {
        op->done = op->broken = true;
        return op;
    }
    if (pipe->last == NULL)
        pipe->first = op;
    else
        pipe->last->next = op;
    pipe->last = op;
    return op;
}

static bool
expect(struct pipe_op *op, int32_t statement)
{
    if (op->sent == op->cap) {
        uint32_t cap = op->cap == 0 ? 8 : op->cap * 2;
        struct answer *more = realloc(op->answers, cap * sizeof(*more));

        if (more == NULL)
            return false;
        op->answers = more;
        op->cap = cap;
    }
    op->answers[op->sent++] = (struct answer){ NULL, statement };
    return true;
}

static uint64_t
hash_of(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
    return hash;
}

/* The place of ${sql} among the prepared ones, or -1 if they are too many. */
static int32_t
find_statement(struct pipe *pipe, const char *sql)
{
    uint64_t hash = hash_of(sql);
    struct pipe_statement *at = pipe->statements;

    for (uint32_t i = 0; i < pipe->statement_count; i++) {
        if (at[i].hash == hash && strcmp(at[i].sql, sql) == 0)
            return (int32_t)i;
    }
    at += pipe->statement_count;
    if (pipe->statement_count == STATEMENTS_MAX ||
        (at->sql = strdup(sql)) == NULL)
        return -1;
    at->hash = hash;
    return (int32_t)pipe->statement_count++;
}

static bool
prepare(struct pipe *pipe, struct pipe_op *op, int32_t statement,
        const char *name)
{
    struct pipe_statement *at = &pipe->statements[statement];

    if (at->ready)
        return true;
    if (!expect(op, statement) ||
        PQsendPrepare(pipe->conn, name, at->sql, 0, NULL) != 1)
        return false;
    at->ready = true;
    return true;
}

static bool
transmit(struct pipe *pipe, struct pipe_op *op, const char *sql,
     const struct pipe_params *params, bool binary)
{
    static const struct pipe_params none;
    int32_t statement = find_statement(pipe, sql);
    char name[NAME_MAX_LEN];

    if (params == NULL)
        params = &none;
    if (params->failed)
        return false;
    if (statement < 0)
        return expect(op, -1) &&
               PQsendQueryParams(pipe->conn, sql, (int)params->count, NULL,
                                 params->values, params->lengths,
                                 params->formats, binary) == 1;
    snprintf(name, sizeof(name), "envl%d", (int)statement);
    return prepare(pipe, op, statement, name) && expect(op, -1) &&
           PQsendQueryPrepared(pipe->conn, name, (int)params->count,
                               params->values, params->lengths,
                               params->formats, binary) == 1;
}

bool
pipe_send(struct pipe *pipe, struct pipe_op *op, const char *sql,
          const struct pipe_params *params, bool binary)
{
    if (op->broken)
        return false;
    if (sql == NULL || pipe->lost || !transmit(pipe, op, sql, params, binary))
        op->broken = true;
    /* A connection that broke meanwhile is no lack of memory. */
    if (op->broken && PQstatus(pipe->conn) == CONNECTION_BAD)
        pipe->lost = true;
    return !op->broken;
}

/*
 * What cannot be sent completely leaves the two sides out of step: the
 * connection is given up.
 */
bool
pipe_sync(struct pipe *pipe, struct pipe_op *op)
{
    if (!op->broken && PQpipelineSync(pipe->conn) != 1)
        op->broken = true;
    if (op->broken) {
        pipe_abandon(pipe);
        return false;
    }
    op->synced = true;
    return true;
}

/* ---- collecting --------------------------------------------------------- */

static bool
failed(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
}

static void
keep(struct pipe *pipe, struct pipe_op *op, PGresult *result)
{
    struct answer *answer = &op->answers[op->got++];

    answer->result = result;
    if (answer->statement >= 0 && failed(result))
        pipe->statements[answer->statement].ready = false;
}

/* Take one answer for ${op}; each but the sync is followed by a NULL. */
static bool
collect_one(struct pipe *pipe, struct pipe_op *op)
{
    PGresult *result = PQgetResult(pipe->conn), *extra;

    if (result == NULL)
        return false;
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        op->done = true;
        return op->got == op->sent;
    }
    if (op->got == op->sent) {
        PQclear(result);
        return false;
    }
    keep(pipe, op, result);
    while ((extra = PQgetResult(pipe->conn)) != NULL) {
        pipe_wipe(extra);
        if (PQstatus(pipe->conn) != CONNECTION_OK)
            return false;
    }
    return true;
}

static bool
collect_first(struct pipe *pipe)
{
    struct pipe_op *op = pipe->first;

    while (op->synced && !op->done) {
        if (!collect_one(pipe, op)) {
            pipe_abandon(pipe);
            return false;
        }
    }
    if (!op->done)
        return false;
    pipe->first = op->next;
    if (pipe->first == NULL)
        pipe->last = NULL;
    op->next = NULL;
    if (op->abandoned)
        op_free(op);
    return true;
}

bool
pipe_wait(struct pipe *pipe, struct pipe_op *op)
{
    while (!op->done) {
        if (!collect_first(pipe))
            break;
    }
    return op->done && !op->broken;
}

/* Collecting stops at an operation that is still being sent. */
void
pipe_drain(struct pipe *pipe)
{
    while (pipe->first != NULL && pipe->first->synced) {
        if (!collect_first(pipe))
            return;
    }
}

static struct answer *
answer_at(const struct pipe_op *op, uint32_t index)
{
    for (uint32_t i = 0; i < op->got; i++) {
        if (op->answers[i].statement < 0 && index-- == 0)
            return &op->answers[i];
    }
    return NULL;
}

PGresult *
pipe_result(const struct pipe_op *op, uint32_t index)
{
    const struct answer *answer = answer_at(op, index);

    return answer == NULL ? NULL : answer->result;
}

PGresult *
pipe_take(struct pipe_op *op, uint32_t index)
{
    struct answer *answer = answer_at(op, index);
    PGresult *result = NULL;

    if (answer != NULL) {
        result = answer->result;
        answer->result = NULL;
    }
    return result;
}

const PGresult *
pipe_error(const struct pipe_op *op)
{
    for (uint32_t i = 0; i < op->got; i++) {
        if (op->answers[i].result != NULL && failed(op->answers[i].result))
            return op->answers[i].result;
    }
    return NULL;
}

void
pipe_close(struct pipe_op *op)
{
    if (op == NULL)
        return;
    if (op->done)
        op_free(op);
    else
        op->abandoned = true;
}
