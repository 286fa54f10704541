/*
 * batch.h - the edits of a page, grouped by shape and put on their way.
 */
#ifndef POSTGRES_BATCH_H
#define POSTGRES_BATCH_H

#include "postgres/shape.h"
#include "postgres/store.h"

/* The edits of one row: edits[first], ... */
struct batch_row {
    uint32_t row; /* of the page */
    uint32_t first, count;
    uint32_t shape;
};

struct batch {
    struct envl_target *target;
    const struct page *page;
    enum row_form form;
    struct envl_edit *edits; /* ours; what they put is borrowed */
    struct batch_row *rows;
    uint32_t row_count;
    struct shape *shapes;
    uint32_t shape_count, shape_cap;
    struct arena arena;       /* of slots                           */
    struct sql_array *arrays; /* reused from statement to statement */
    uint32_t array_count;
    struct envl_buf document; /* that is being spliced              */
};

/**
 * batch_fill(batch, target, page, edits, count, err):
 * Take ${edits} in; ${batch} is empty or was cleared.  Fails with
 * ENVL_E_USAGE for an edit that no leaf of the page can take, and with
 * ENVL_E_NOMEM.
 */
enum envl_status batch_fill(struct batch *batch, struct envl_target *target,
                            const struct page *page,
                            const struct envl_edit *edits, uint32_t count,
                            struct envl_error *err);

/**
 * batch_detail(batch, row), batch_leaf(batch, edit):
 * What the page knows of a row, and the leaf that is edited; borrowed.
 */
const struct row_detail *batch_detail(const struct batch *batch,
                                      const struct batch_row *row);
const struct envl_leaf *batch_leaf(const struct batch *batch,
                                   const struct envl_edit *edit);

/* Which rows go with which operation. */
struct batch_sending {
    struct pipe_op *op;
    uint32_t from, to; /* rows[from .. to)                       */
    bool locking;      /* lock first, leave out what others hold */
};

/**
 * batch_send(batch, sending, err):
 * Add one UPDATE for each shape among the rows to the operation.  Fails with
 * ENVL_E_USAGE (a splice is not possible) and ENVL_E_NOMEM.
 */
enum envl_status batch_send(struct batch *batch,
                            const struct batch_sending *sending,
                            struct envl_error *err);

/**
 * batch_send_probe(batch, outcomes, op):
 * Add the question which of the rows with the outcome ENVL_CHANGED still
 * match (shape_probe).  False if there are none, or memory is short.
 */
bool batch_send_probe(struct batch *batch, const enum envl_outcome *outcomes,
                      struct pipe_op *op);

/**
 * batch_clear(batch), batch_free(batch):
 * Forget the edits, wiping what was copied; or release everything.
 */
void batch_clear(struct batch *batch);
void batch_free(struct batch *batch);

#endif /* POSTGRES_BATCH_H */
