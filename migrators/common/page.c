#include <stdlib.h>
#include <string.h>

#include "common/page.h"

#define POOL_SIZE (sizeof(((struct page_pool *)NULL)->spare) / \
                   sizeof(((struct page_pool *)NULL)->spare[0]))

enum envl_status
page_new(struct page_pool *pool, struct page **out)
{
    struct page *page = NULL;

    for (size_t i = 0; i < POOL_SIZE && page == NULL; i++) {
        page = pool->spare[i];
        pool->spare[i] = NULL;
    }
    if (page == NULL)
        page = calloc(1, sizeof(*page));
    if (page == NULL)
        return ENVL_E_NOMEM;
    page->pool = pool;
    *out = page;
    return ENVL_OK;
}

/* Grow two arrays in step; they hold nothing secret, only where it is. */
static enum envl_status
grow(void **first, size_t first_size, void **second, uint32_t *cap)
{
    uint32_t wanted = *cap == 0 ? 64 : *cap * 2;
    void *moved;

    if (wanted <= *cap)
        return ENVL_E_NOMEM;
    moved = realloc(*first, wanted * first_size);
    if (moved == NULL)
        return ENVL_E_NOMEM;
    *first = moved;
    moved = realloc(*second, wanted * sizeof(void *));
    if (moved == NULL)
        return ENVL_E_NOMEM;
    *second = moved;
    *cap = wanted;
    return ENVL_OK;
}

enum envl_status
page_add_leaf(struct page *page, const struct envl_leaf *leaf, void *site)
{
    if (page->leaf_count == page->leaf_cap) {
        void *leaves = page->leaves, *sites = page->sites;
        enum envl_status status = grow(&leaves, sizeof(*leaf), &sites,
                                       &page->leaf_cap);

        page->leaves = leaves;
        page->sites = sites;
        if (status != ENVL_OK)
            return status;
    }
    page->leaves[page->leaf_count] = *leaf;
    page->sites[page->leaf_count++] = site;
    return ENVL_OK;
}

/* Copy what the row has gathered into the page's arena. */
static void *
settle(struct page *page, const void *items, size_t size)
{
    void *copy = arena_alloc(&page->arena, size);

    if (copy != NULL && size > 0)
        memcpy(copy, items, size);
    return copy;
}

enum envl_status
page_end_row(struct page *page, const struct envl_row *row, void *detail,
             void ***sites)
{
    uint32_t count = page->leaf_count;
    struct envl_leaf *leaves;

    if (page->pub.count == page->row_cap) {
        void *rows = page->rows, *details = page->details;
        enum envl_status status = grow(&rows, sizeof(*row), &details,
                                       &page->row_cap);

        page->rows = rows;
        page->details = details;
        page->pub.rows = rows;
        if (status != ENVL_OK)
            return status;
    }
    leaves = settle(page, page->leaves, count * sizeof(*leaves));
    if (leaves == NULL)
        return ENVL_E_NOMEM;
    if (sites != NULL &&
        (*sites = settle(page, page->sites, count * sizeof(void *))) == NULL)
        return ENVL_E_NOMEM;
    page->details[page->pub.count] = detail;
    page->rows[page->pub.count] = *row;
    page->rows[page->pub.count].leaves = leaves;
    page->rows[page->pub.count++].leaf_count = count;
    page->leaf_count = 0;
    return ENVL_OK;
}

static void
release(struct page *page)
{
    arena_free(&page->arena);
    free(page->rows);
    free(page->details);
    free(page->leaves);
    free(page->sites);
    free(page);
}

void
page_free(struct page *page)
{
    if (page == NULL)
        return;
    arena_clear(&page->arena);
    page->pub.count = 0;
    page->pub.end = false;
    page->contiguous = false;
    page->leaf_count = 0;
    for (size_t i = 0; i < POOL_SIZE; i++) {
        if (page->pool->spare[i] == NULL) {
            page->pool->spare[i] = page;
            return;
        }
    }
    release(page);
}

void
page_pool_free(struct page_pool *pool)
{
    for (size_t i = 0; i < POOL_SIZE; i++) {
        if (pool->spare[i] != NULL)
            release(pool->spare[i]);
        pool->spare[i] = NULL;
    }
}
