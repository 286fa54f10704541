#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/say.h"
#include "mongo/bind.h"
#include "mongo/bounds.h"
#include "mongo/command.h"
#include "mongo/ident.h"
#include "mongo/key.h"
#include "mongo/leaf.h"
#include "mongo/read.h"

#define KEYS_MAX 1000u /* in one filter */

/* A page that is being read. */
struct reading {
    struct envl_target *target;
    struct page *page;
    uint32_t rows;           /* at most, and                          */
    uint64_t bytes;          /*   about so many bytes                 */
    uint64_t taken;          /* bytes so far                          */
    bool any;                /* whether the last batch held anything  */
    struct envl_bytes last;  /* key of the row before, or the bound   */
    struct envl_bytes until; /* not included, or empty                */
    bool unordered;          /* rows were asked for by key            */
    struct envl_error *err;
};

static enum envl_status
no_memory(const struct reading *reading)
{
    return store_nomem(reading->target->store, reading->err);
}

/* ---- one find ----------------------------------------------------------- */

static void
end_find(const struct envl_target *target, bson_t *find, uint32_t limit)
{
    BSON_APPEND_INT32(find, "limit", (int32_t)limit);
    BSON_APPEND_INT32(find, "batchSize", (int32_t)limit);
    BSON_APPEND_BOOL(find, "singleBatch", true);
    BSON_APPEND_INT32(find, "maxTimeMS",
                      (int32_t)target->store->host->statement_ms);
}

/* Send ${find} and hand out its documents until ${each} has enough, which it
   says by ENVL_E_LIMIT. */
static enum envl_status
run_find(struct envl_target *target, const bson_t *find,
         read_document_fn *each, void *cookie, struct envl_error *err)
{
    struct envl_store *store = target->store;
    enum envl_status status;
    struct answer answer;
    bson_iter_t list;
    bson_t document;
    char doing[160];

    snprintf(doing, sizeof(doing), "reading %.120s", target->name);
    status = command_ask(store, store->database, find, doing, &answer, err);
    if (status == ENVL_OK)
        status = command_list(store, &answer, doing, &list, err);
    while (status == ENVL_OK && bson_iter_next(&list)) {
        if (command_document(&list, &document))
            status = each(cookie, &document, err);
        else
            status = say_fail(store->host, err, ENVL_E_DATABASE,
                              "%s: the answer holds no documents", doing);
    }
    command_free(&answer);
    return status == ENVL_E_LIMIT ? ENVL_OK : status;
}

/* ---- a document to a row ------------------------------------------------ */

static enum envl_status
out_of_order(const struct reading *reading)
{
    return say_fail(reading->target->store->host, reading->err,
                    ENVL_E_DATABASE, "%s: the server gives documents out of "
                    "the order of their _id", reading->target->name);
}

/* Whether ${id} is behind the row before it and within the bounds; nothing is
   taken twice should a server count a bound in. */
static enum envl_status
check_order(const struct reading *reading, const bson_iter_t *id, bool *take)
{
    bool collated = reading->target->collated;
    enum key_order order;
    bson_iter_t other;

    *take = true;
    if (reading->unordered)
        return ENVL_OK;
    if (reading->last.len > 0 && key_decode(reading->last, &other)) {
        order = key_compare(&other, id, collated);
        if (order == KEY_GREATER)
            return out_of_order(reading);
        *take = order != KEY_EQUAL;
    }
    if (reading->until.len > 0 && key_decode(reading->until, &other)) {
        order = key_compare(id, &other, collated);
        if (order == KEY_GREATER)
            return out_of_order(reading);
        *take = *take && order != KEY_EQUAL;
    }
    return ENVL_OK;
}

static enum envl_status
name_row(const struct reading *reading, const bson_iter_t *id,
         struct envl_row *row)
{
    struct arena *arena = &reading->page->arena;
    enum envl_status status = key_encode(id, arena, &row->key);
    struct envl_pair *pair;
    struct envl_cell ident;

    if (status == ENVL_E_LIMIT)
        return say_fail(reading->target->store->host, reading->err, status,
                        "%s has an _id of 4,096 bytes or more",
                        reading->target->name);
    if (status != ENVL_OK || key_name(id, arena, &row->name) != ENVL_OK ||
        ident_text(id, arena, &ident) != ENVL_OK)
        return no_memory(reading);
    if (ident.kind != ENVL_KIND_TEXT)
        return ENVL_OK; /* spec: JOB-38 */
    pair = arena_alloc(arena, sizeof(*pair));
    if (pair == NULL)
        return no_memory(reading);
    *pair = (struct envl_pair){ { (const uint8_t *)"id", 2 }, ident.bytes };
    row->ids = pair;
    row->id_count = 1;
    return ENVL_OK;
}

static enum envl_status
add_extras(const struct reading *reading, const bson_t *document,
           struct envl_row *row)
{
    const struct envl_target_spec *spec = reading->target->spec;
    struct arena *arena = &reading->page->arena;
    struct envl_cell *cells;

    if (spec->extra_count == 0)
        return ENVL_OK;
    cells = arena_alloc(arena, spec->extra_count * sizeof(*cells));
    if (cells == NULL)
        return no_memory(reading);
    for (uint32_t i = 0; i < spec->extra_count; i++) {
        if (leaf_extra(document, spec->extras[i], arena, &cells[i]) !=
            ENVL_OK)
            return no_memory(reading);
    }
    row->extras = cells;
    return ENVL_OK;
}

static enum envl_status
add_leaves(const struct reading *reading, const bson_t *document)
{
    const struct envl_target_spec *spec = reading->target->spec;
    struct envl_leaf *leaves = NULL;
    enum envl_status status;
    uint32_t count = 0;

    status = leaf_collect(document, spec->fields, spec->field_count,
                          &reading->page->arena, &leaves, &count,
                          reading->err);
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++) {
        if (page_add_leaf(reading->page, &leaves[i], NULL) != ENVL_OK)
            status = no_memory(reading);
    }
    return status;
}

/* Copy the document into the page: leaves borrow from it. */
static enum envl_status
add_row(struct reading *reading, const bson_t *document)
{
    struct arena *arena = &reading->page->arena;
    struct row_detail *detail = arena_alloc(arena, sizeof(*detail));
    struct envl_row row = { .id_count = 0 };
    enum envl_status status;
    bson_iter_t id;
    bson_t copy;

    if (detail == NULL ||
        arena_dup(arena, (struct envl_bytes){ bson_get_data(document),
                                              document->len },
                  &detail->document) != ENVL_OK)
        return no_memory(reading);
    if (!bson_init_static(&copy, detail->document.ptr, document->len) ||
        !bson_iter_init_find(&id, &copy, "_id"))
        return say_fail(reading->target->store->host, reading->err,
                        ENVL_E_DATABASE, "%s: a document without an _id",
                        reading->target->name);
    status = name_row(reading, &id, &row);
    if (status == ENVL_OK)
        status = add_extras(reading, &copy, &row);
    if (status == ENVL_OK)
        status = add_leaves(reading, &copy);
    if (status == ENVL_OK &&
        page_end_row(reading->page, &row, detail, NULL) != ENVL_OK)
        status = no_memory(reading);
    reading->taken += document->len;
    reading->last = row.key;
    return status;
}

static enum envl_status
take_document(void *cookie, const bson_t *document, struct envl_error *err)
{
    struct reading *reading = cookie;
    enum envl_status status;
    bson_iter_t id;
    bool take;

    (void)err;
    reading->any = true;
    if (!bson_iter_init_find(&id, document, "_id"))
        return add_row(reading, document); /* which says so */
    status = check_order(reading, &id, &take);
    if (status != ENVL_OK || !take)
        return status;
    /* What does not fit any more is read again with the next page. */
    if (reading->page->pub.count >= reading->rows ||
        (reading->page->pub.count > 0 && reading->bytes > 0 &&
         reading->taken >= reading->bytes))
        return ENVL_E_LIMIT;
    return add_row(reading, document);
}

/* ---- a range ------------------------------------------------------------ */

/* The document at the upper bound, which no bound includes. */
static enum envl_status
read_last(struct reading *reading)
{
    struct envl_target *target = reading->target;
    bson_t find = BSON_INITIALIZER;
    enum envl_status status;

    bind_find(target, &find);
    status = bounds_keys(target, &reading->until, 1, &find, reading->err);
    end_find(target, &find, 1);
    reading->unordered = true;
    if (status == ENVL_OK)
        status = run_find(target, &find, take_document, reading,
                          reading->err);
    bson_destroy(&find);
    return status;
}

/* Whether ${after} is the bound itself, or behind it. */
static bool
at_bound(const struct envl_target *target, struct envl_bytes after,
         struct envl_bytes until)
{
    bson_iter_t a, b;
    enum key_order order;

    if (after.len == 0 || until.len == 0)
        return false;
    if (after.len == until.len && memcmp(after.ptr, until.ptr, after.len) == 0)
        return true;
    if (!key_decode(after, &a) || !key_decode(until, &b))
        return false;
    order = key_compare(&a, &b, target->collated);
    return order == KEY_EQUAL || order == KEY_GREATER;
}

static enum envl_status
read_range(struct reading *reading, const struct envl_read *read)
{
    struct envl_target *target = reading->target;
    struct bounds bounds = { read->after, read->until };
    uint64_t fit = read->bytes / target->row_bytes + 1;
    bson_t find = BSON_INITIALIZER;
    enum envl_status status;
    uint32_t limit = reading->rows;

    if (at_bound(target, read->after, read->until)) {
        reading->page->pub.end = true;
        return ENVL_OK;
    }
    if (read->bytes > 0 && fit < limit)
        limit = (uint32_t)fit;
    bind_find(target, &find);
    status = bounds_append(target, &bounds, &find, reading->err);
    end_find(target, &find, limit);
    reading->last = read->after;
    reading->until = read->until;
    if (status == ENVL_OK)
        status = run_find(target, &find, take_document, reading,
                          reading->err);
    bson_destroy(&find);
    if (status != ENVL_OK || reading->any)
        return status;
    reading->page->pub.end = true;
    return read->until.len > 0 ? read_last(reading) : ENVL_OK;
}

/* ---- exact rows --------------------------------------------------------- */

/* Which keys are still to come. */
struct wanted {
    struct envl_bytes keys[KEYS_MAX];
    uint32_t count;
    bool collated;
    read_document_fn *each;
    void *cookie;
};

static enum envl_status
take_wanted(void *cookie, const bson_t *document, struct envl_error *err)
{
    struct wanted *wanted = cookie;
    bson_iter_t id, other;

    if (!bson_iter_init_find(&id, document, "_id"))
        return wanted->each(wanted->cookie, document, err);
    for (uint32_t i = 0; i < wanted->count; i++) {
        const bool there = key_decode(wanted->keys[i], &other);
        enum key_order order = there ? key_compare(&id, &other, false)
                                     : KEY_LESS;
        struct envl_bytes a = { id.raw + id.off, id.next_off - id.off };
        struct envl_bytes b = { other.raw + other.off,
                                other.next_off - other.off };

        if (order == KEY_EQUAL ||
            (order == KEY_UNKNOWN && a.len == b.len &&
             memcmp(a.ptr, b.ptr, a.len) == 0)) {
            wanted->keys[i] = wanted->keys[--wanted->count];
            return wanted->each(wanted->cookie, document, err);
        }
    }
    return ENVL_OK; /* not asked for, or given already */
}

/* An answer can be short: those that are missing are asked for again until
   nothing comes. */
static enum envl_status
read_some(struct envl_target *target, struct wanted *wanted,
          struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    uint32_t before = wanted->count + 1;

    while (status == ENVL_OK && wanted->count > 0 && wanted->count < before) {
        bson_t find = BSON_INITIALIZER;

        before = wanted->count;
        bind_find(target, &find);
        status = bounds_keys(target, wanted->keys, wanted->count, &find, err);
        end_find(target, &find, wanted->count);
        if (status == ENVL_OK)
            status = run_find(target, &find, take_wanted, wanted, err);
        bson_destroy(&find);
    }
    return status;
}

enum envl_status
read_documents(struct envl_target *target, const struct envl_bytes *keys,
               uint32_t count, read_document_fn *each, void *cookie,
               struct envl_error *err)
{
    struct wanted *wanted = malloc(sizeof(*wanted));
    enum envl_status status = ENVL_OK;

    if (wanted == NULL)
        return store_nomem(target->store, err);
    *wanted = (struct wanted){ .each = each, .cookie = cookie };
    for (uint32_t from = 0; from < count && status == ENVL_OK;
         from += KEYS_MAX) {
        wanted->count = count - from < KEYS_MAX ? count - from : KEYS_MAX;
        memcpy(wanted->keys, keys + from,
               wanted->count * sizeof(wanted->keys[0]));
        status = read_some(target, wanted, err);
    }
    free(wanted);
    return status;
}

/* ---- pages -------------------------------------------------------------- */

/* Learn what a document weighs, so that the next page is asked for by it. */
static void
weigh(struct envl_target *target, const struct reading *reading)
{
    uint32_t rows = reading->page->pub.count;

    if (rows > 0)
        target->row_bytes = 1 + (target->row_bytes +
                                 3 * (reading->taken / rows)) / 4;
}

enum envl_status
read_begin(struct envl_target *target, const struct envl_read *read,
           struct envl_error *err)
{
    struct reading reading = { .target = target, .err = err,
                               .rows = read->rows == 0 ? 1 : read->rows,
                               .bytes = read->bytes };
    enum envl_status status;

    page_free(target->ready);
    target->ready = NULL;
    if (page_new(&target->store->pool, &reading.page) != ENVL_OK)
        return no_memory(&reading);
    if (read->keys != NULL) {
        reading.unordered = true;
        reading.rows = read->key_count;
        reading.bytes = 0;
        reading.page->pub.end = true;
        status = read_documents(target, read->keys, read->key_count,
                                take_document, &reading, err);
    } else {
        status = read_range(&reading, read);
        weigh(target, &reading);
    }
    if (status == ENVL_OK)
        target->ready = reading.page;
    else
        page_free(reading.page);
    return status;
}

enum envl_status
read_end(struct envl_target *target, struct envl_page **page,
         struct envl_error *err)
{
    if (target->ready == NULL)
        return say_fail(target->store->host, err, ENVL_E_USAGE,
                        "no read was begun");
    *page = &target->ready->pub;
    target->ready = NULL;
    return ENVL_OK;
}

void
read_page_free(struct envl_page *page)
{
    page_free((struct page *)page);
}
