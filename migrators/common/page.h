/*
 * page.h - build the page of rows that a plugin hands to the engine.
 *
 * All memory of a page is its arena; a page is made from a spare one where
 * there is one, so that a sweep settles at two pages' worth of memory.
 */
#ifndef COMMON_PAGE_H
#define COMMON_PAGE_H

#include <stdbool.h>

#include <envelope/migrator.h>

#include "common/arena.h"

/* What the engine sees comes first; plugins reach the rest by a cast. */
struct page {
    struct envl_page pub;
    struct arena arena;
    struct envl_row *rows; /* pub.rows, to be filled                      */
    void **details;        /* one a row: the plugin's own, in the arena   */
    uint32_t row_cap;
    struct envl_leaf *leaves; /* of the row that is being built           */
    void **sites;             /* one a leaf: where it stands, or NULL     */
    uint32_t leaf_count, leaf_cap;
    bool contiguous;          /* set by plugins: no row of the target lies
                                 between its first and last row but these */
    struct page_pool *pool;
};

/* Spare pages.  Zero-initialise; one per store, outlived by no page. */
struct page_pool {
    struct page *spare[2];
};

/**
 * page_new(pool, out):
 * Store an empty page in ${out}; give it back with page_free.  Return
 * ENVL_OK or ENVL_E_NOMEM.
 */
enum envl_status page_new(struct page_pool *pool, struct page **out);

/**
 * page_add_leaf(page, leaf, site):
 * Add ${leaf} to the row that is being built, and ${site} (NULL, or in the
 * page's arena) to what page_end_row returns.  ENVL_OK or ENVL_E_NOMEM.
 */
enum envl_status page_add_leaf(struct page *page, const struct envl_leaf *leaf,
                               void *site);

/**
 * page_end_row(page, row, detail, sites):
 * Finish the row: ${row} with the leaves added since the last one.  ${detail}
 * is kept as page->details of that row; ${sites}, unless NULL, receives the
 * array of sites, in the leaves' order.  ENVL_OK or ENVL_E_NOMEM.
 */
enum envl_status page_end_row(struct page *page, const struct envl_row *row,
                              void *detail, void ***sites);

/**
 * page_free(page):
 * Wipe, and keep for the next page_new or release.  NULL is ignored.
 */
void page_free(struct page *page);

/**
 * page_pool_free(pool):
 * Release the spare pages.
 */
void page_pool_free(struct page_pool *pool);

#endif /* COMMON_PAGE_H */
