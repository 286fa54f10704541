#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "sqlite/db.h"
#include "sqlite/remnant.h"

#define TEXT_RUN 8 /* bytes in a row that could be text */

/* One page of a b-tree, as fileformat2.html section 1.6 has it. */
struct page_bytes {
    uint8_t *bytes;
    size_t size;
    size_t header; /* 100 on page 1, else 0 */
};

struct search {
    struct envl_store *store;
    sqlite3_file *file;
    struct page_bytes page;
    uint8_t *trunk; /* a copy of a trunk of the free list */
    uint64_t found;
};

static size_t
get2(const struct page_bytes *page, size_t at)
{
    return at + 2 > page->size ? 0 : (size_t)page->bytes[at] << 8 |
                                     page->bytes[at + 1];
}

/*
 * Old cell pointers, two bytes each and their first one small, stay in a gap
 * whatever secure_delete does: only what could be text counts.
 */
static bool
holds_text(const struct page_bytes *page, size_t from, size_t to)
{
    size_t run = 0;

    for (size_t i = from; i < to && i < page->size; i++) {
        run = page->bytes[i] >= 0x20 ? run + 1 : 0;
        if (run == TEXT_RUN)
            return true;
    }
    return false;
}

/* The gap between the cell pointers and the cells, and the free blocks. */
static bool
has_remnant(const struct page_bytes *page)
{
    uint8_t type = page->bytes[page->header];
    size_t head = page->header + (type == 2 || type == 5 ? 12 : 8);
    size_t gap = head + 2 * get2(page, page->header + 3);
    size_t cells = get2(page, page->header + 5);
    size_t block = get2(page, page->header + 1);

    if (type != 2 && type != 5 && type != 10 && type != 13)
        return false;
    if (holds_text(page, gap, cells == 0 ? page->size : cells))
        return true;
    while (block >= head && block + 4 <= page->size) {
        size_t next = get2(page, block);

        if (holds_text(page, block + 4, block + get2(page, block + 2)))
            return true;
        if (next <= block) /* they ascend; 0 is the end */
            break;
        block = next;
    }
    return false;
}

/* ---- pages -------------------------------------------------------------- */

/* Read through SQLite's own handle: another would drop its locks. */
static bool
read_page(struct search *search, int64_t number)
{
    struct page_bytes *page = &search->page;
    sqlite3_file *file = search->file;

    page->header = number == 1 ? 100 : 0;
    return number > 0 &&
           file->pMethods->xRead(file, page->bytes, (int)page->size,
                                 (number - 1) * (int64_t)page->size) ==
               SQLITE_OK;
}

static uint32_t
get4(const struct page_bytes *page, size_t at)
{
    return (uint32_t)(get2(page, at) << 16 | get2(page, at + 2));
}

/* Free pages: a list of trunks, each with the numbers of further ones. */
static bool
look_at_free(struct search *search)
{
    struct page_bytes *page = &search->page;
    uint8_t *trunk = search->trunk;
    uint32_t next, count;

    if (!read_page(search, 1))
        return false;
    next = get4(page, 32);
    for (uint32_t left = get4(page, 36); next != 0 && left > 0; left--) {
        if (!read_page(search, next))
            return false;
        memcpy(trunk, page->bytes, page->size);
        next = get4(page, 0);
        count = get4(page, 4);
        if (count > page->size / 4 - 2)
            return false;
        search->found += holds_text(page, 8 + 4 * (size_t)count, page->size);
        for (uint32_t i = 0; i < count && left > 1; i++, left--) {
            const uint8_t *at = trunk + 8 + 4 * (size_t)i;

            if (!read_page(search, (int64_t)at[0] << 24 | at[1] << 16 |
                                   at[2] << 8 | at[3]))
                return false;
            search->found += holds_text(page, 0, page->size);
        }
    }
    return true;
}

/* dbstat lists the pages while it holds the read lock for us. */
static bool
look_at_all(struct search *search)
{
    struct envl_store *store = search->store;
    sqlite3_stmt *list;
    int code;

    if (sqlite3_prepare_v2(store->db, "SELECT pageno FROM dbstat WHERE "
                           "pagetype IN ('leaf', 'internal')", -1, &list,
                           NULL) != SQLITE_OK)
        return false;
    db_limit(store, store->host->statement_ms);
    while ((code = sqlite3_step(list)) == SQLITE_ROW) {
        if (!read_page(search, sqlite3_column_int64(list, 0)))
            break;
        search->found += has_remnant(&search->page);
    }
    db_unlimit(store);
    if (code == SQLITE_DONE && !look_at_free(search))
        code = SQLITE_ERROR;
    sqlite3_finalize(list);
    return code == SQLITE_DONE;
}

enum envl_status
remnant_count(struct envl_store *store, uint64_t *pages, bool *known,
              struct envl_error *err)
{
    struct search search = { .store = store };
    enum envl_status status;
    int64_t size = 0;

    *pages = 0;
    *known = false;
    status = db_number(store, "PRAGMA page_size", &size, err);
    if (status != ENVL_OK || size < 512 || size > 65536 ||
        sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER,
                             &search.file) != SQLITE_OK ||
        search.file == NULL || search.file->pMethods == NULL)
        return status;
    search.page.size = (size_t)size;
    search.page.bytes = malloc(2 * search.page.size);
    if (search.page.bytes == NULL)
        return say_fail(store->host, err, ENVL_E_NOMEM, "out of memory");
    search.trunk = search.page.bytes + search.page.size;
    *known = look_at_all(&search);
    *pages = search.found;
    sodium_memzero(search.page.bytes, 2 * search.page.size);
    free(search.page.bytes);
    return ENVL_OK;
}
