/*
 * cells.h - from a result's columns to the leaves of a row.
 */
#ifndef POSTGRES_CELLS_H
#define POSTGRES_CELLS_H

#include "postgres/store.h"

/* Where the cells of a row are: in row ${row} of a binary result, from column
   ${first} on, in the order of target->cells. */
struct cells {
    const struct envl_target *target;
    const PGresult *result;
    int row, first;
    struct page *page;
    struct envl_buf scratch; /* for strings being unescaped; wiped by its
                                owner                                    */
};

/**
 * cells_take_extras(cells, out, err):
 * Store the extras' cells, in the page's arena, in ${out}.
 */
enum envl_status cells_take_extras(struct cells *cells,
                                   const struct envl_cell **out,
                                   struct envl_error *err);

/**
 * cells_take_leaves(cells, detail, err):
 * Add the leaves of every field to the page, and what a later splice needs
 * to ${detail}.  Values are copied to the page's arena.
 */
enum envl_status cells_take_leaves(struct cells *cells,
                                   struct row_detail *detail,
                                   struct envl_error *err);

/**
 * cells_digest(cells, salt, out):
 * The SHA-256 that the server computes of the same cells: ${salt} (16
 * bytes), then each cell's length (4 bytes, big-endian) and bytes, ffffffff
 * for a null.
 */
void cells_digest(const struct cells *cells, const uint8_t salt[16],
                  uint8_t out[STORE_DIGEST_LEN]);

/**
 * cells_put_digest(target, sql, parameter):
 * Append that computation as SQL, the salt being the parameter of that
 * number.
 */
void cells_put_digest(const struct envl_target *target, struct sql *sql,
                      uint32_t parameter);

#endif /* POSTGRES_CELLS_H */
