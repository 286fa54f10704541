/*
 * pipe.h - statements on their way, answered in order.
 *
 * The connection is in libpq's pipeline mode all the time.  An operation is
 * one or more statements and a sync: after an error the rest of it is
 * skipped, the next one is not.  Answers arrive in the order of sending; who
 * waits for one operation collects the earlier ones on the way.
 */
#ifndef POSTGRES_PIPE_H
#define POSTGRES_PIPE_H

#include <stdbool.h>

#include <libpq-fe.h>

#include <envelope/bytes.h>

struct pipe_op;

/* One connection.  Zero-initialise; pipe_init, pipe_finish. */
struct pipe {
    PGconn *conn;
    struct pipe_op *first; /* sent, or being sent, and not collected */
    struct pipe_op *last;
    struct pipe_statement *statements;
    uint32_t statement_count;
    bool lost; /* the connection cannot be used any more */
};

/* Parameters of a statement.  Zero-initialise; the values are borrowed. */
struct pipe_params {
    const char **values;
    int *lengths;
    int *formats;
    uint32_t count, cap;
    bool failed;
};

/**
 * pipe_text(params, value), pipe_binary(params, value):
 * Add a parameter, in its text form ended by 0 (NULL: SQL NULL), or in its
 * type's binary form (ptr NULL: memory was short).
 */
void pipe_text(struct pipe_params *params, const char *value);
void pipe_binary(struct pipe_params *params, struct envl_bytes value);

/**
 * pipe_params_clear(params), pipe_params_free(params):
 * Forget the parameters and keep the memory, or release it.
 */
void pipe_params_clear(struct pipe_params *params);
void pipe_params_free(struct pipe_params *params);

/**
 * pipe_init(pipe, conn):
 * Go into pipeline mode on ${conn}, which stays the caller's.  False if that
 * is not possible.
 */
bool pipe_init(struct pipe *pipe, PGconn *conn);

/**
 * pipe_finish(pipe):
 * Give up what is under way and release everything but the connection.
 */
void pipe_finish(struct pipe *pipe);

/**
 * pipe_open(pipe):
 * Begin an operation behind those under way.  NULL if memory is short.
 */
struct pipe_op *pipe_open(struct pipe *pipe);

/**
 * pipe_send(pipe, op, sql, params, binary):
 * Add a statement, prepared once and then found by its text.  ${params} may
 * be NULL; ${binary}: results in binary form.  False if memory is short or
 * the connection is lost: pipe_sync then reports it.
 */
bool pipe_send(struct pipe *pipe, struct pipe_op *op, const char *sql,
               const struct pipe_params *params, bool binary);

/**
 * pipe_sync(pipe, op):
 * End the operation and send it.  False as above.
 */
bool pipe_sync(struct pipe *pipe, struct pipe_op *op);

/**
 * pipe_wait(pipe, op):
 * Collect the operation's answers.  False if the connection was lost.
 */
bool pipe_wait(struct pipe *pipe, struct pipe_op *op);

/**
 * pipe_result(op, index):
 * The answer to the statement of that number, counted from 0; borrowed.
 */
PGresult *pipe_result(const struct pipe_op *op, uint32_t index);

/**
 * pipe_take(op, index):
 * The same, the caller's to PQclear.
 */
PGresult *pipe_take(struct pipe_op *op, uint32_t index);

/**
 * pipe_error(op):
 * The answer to the first statement that failed, or NULL; borrowed.
 */
const PGresult *pipe_error(const struct pipe_op *op);

/**
 * pipe_close(op):
 * Forget ${op}: its answers are dropped, also those still to come.  NULL is
 * ignored.
 */
void pipe_close(struct pipe_op *op);

/**
 * pipe_drain(pipe):
 * Collect all that is under way.
 */
void pipe_drain(struct pipe *pipe);

/**
 * pipe_wipe(result):
 * PQclear ${result} with its values wiped.  NULL is ignored.
 */
void pipe_wipe(PGresult *result);

#endif /* POSTGRES_PIPE_H */
