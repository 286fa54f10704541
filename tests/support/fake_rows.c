/*
 * Reading pages and writing edits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_inside.h"

/* A row of a page with everything it points to. */
struct held {
    uint64_t id, version;
    uint8_t key[8];
    char name[40], number[32];
    struct envl_pair pair;
    char *columns[FAKE_COLUMNS];
    struct envl_leaf leaves[FAKE_FIELDS];
};

struct fake_page {
    struct envl_page page;
    struct envl_target *target;
    struct envl_row *rows;
    struct held *held;
    bool by_value;
};

void
fake_key(uint64_t id, uint8_t out[8])
{
    for (int i = 7; i >= 0; i--) {
        out[i] = (uint8_t)id;
        id >>= 8;
    }
}

static uint64_t
id_of(const uint8_t *key)
{
    uint64_t id = 0;

    for (int i = 0; i < 8; i++)
        id = id << 8 | key[i];
    return id;
}

enum envl_status
fake_read_begin(struct envl_target *target, const struct envl_read *read,
                struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(target->store, FAKE_READ_BEGIN,
                                         &after, err);

    if (target->reading)
        fake_misuse("a read is begun while another is under way");
    if (status == ENVL_OK) {
        target->read = *read;
        if (read->after.len > 0)
            memcpy(target->after, read->after.ptr, 8);
        if (read->until.len > 0)
            memcpy(target->until, read->until.ptr, 8);
        free(target->read_keys);
        target->read_keys = malloc(8 * (size_t)read->key_count + 1);
        for (uint32_t i = 0; i < read->key_count; i++)
            memcpy(target->read_keys + 8 * i, read->keys[i].ptr, 8);
    }
    status = fake_leave(target->store, after, status, err);
    target->reading = status == ENVL_OK;
    return status;
}

static struct envl_cell
cell_of(const char *text)
{
    struct envl_cell cell = { .kind = ENVL_KIND_NULL };

    if (text != NULL) {
        cell.kind = ENVL_KIND_TEXT;
        cell.bytes = envl_bytes_of(text);
    }
    return cell;
}

static void
hold(const struct envl_target *target, const struct fake_row *from,
     struct held *to, struct envl_row *row)
{
    to->id = from->id;
    to->version = from->version;
    fake_key(from->id, to->key);
    snprintf(to->number, sizeof(to->number), "%llu",
             (unsigned long long)from->id);
    snprintf(to->name, sizeof(to->name), "id=%s", to->number);
    to->pair = (struct envl_pair){ envl_bytes_of("id"),
                                   envl_bytes_of(to->number) };
    for (unsigned c = 0; c < FAKE_COLUMNS; c++)
        to->columns[c] = from->columns[c] == NULL ? NULL
                                                  : strdup(from->columns[c]);
    for (uint32_t f = 0; f < target->spec->field_count; f++) {
        struct envl_leaf *leaf = &to->leaves[f];

        *leaf = (struct envl_leaf){ .field = f };
        leaf->value = cell_of(to->columns[target->from[f]]);
        if (target->to[f] != target->from[f])
            leaf->sibling = cell_of(to->columns[target->to[f]]);
    }
    *row = (struct envl_row){ .key = { to->key, 8 },
                              .name = envl_bytes_of(to->name),
                              .ids = &to->pair,
                              .id_count = 1,
                              .leaves = to->leaves,
                              .leaf_count = target->spec->field_count };
}

static void
add(struct fake_page *page, const struct fake_row *row)
{
    uint32_t at = page->page.count++;

    hold(page->target, row, &page->held[at], &page->rows[at]);
}

/* Some field of the row holds what does not begin like an envelope. */
static bool
is_unsealed(const struct envl_target *target, const struct fake_row *row)
{
    char begins[80];

    snprintf(begins, sizeof(begins), "env1:%s%s", target->read.unsealed,
             target->read.unsealed[0] == '\0' ? "" : ":");
    for (uint32_t f = 0; f < target->spec->field_count; f++) {
        const char *text = row->columns[target->from[f]];

        if (text != NULL && strncmp(text, begins, strlen(begins)) != 0)
            return true;
    }
    return false;
}

/* All of the table in one go, in no order that anybody may rely on. */
static void
search(struct fake_page *page)
{
    fake_db->searches++;
    for (size_t i = fake_db->row_count; i-- > 0;) {
        if (!is_unsealed(page->target, &fake_db->rows[i]))
            continue;
        if (page->page.count == page->target->read.rows)
            return;
        add(page, &fake_db->rows[i]);
    }
    page->page.end = true;
}

static void
fill(struct fake_page *page)
{
    const struct envl_read *read = &page->target->read;
    uint32_t most = read->rows;
    uint64_t bytes = 0;
    size_t at = 0;

    if (read->keys != NULL) {
        page->page.end = true;
        for (uint32_t i = 0; i < read->key_count; i++) {
            struct fake_row *row =
                fake_row(id_of(page->target->read_keys + 8 * i));

            if (row != NULL)
                add(page, row);
        }
        return;
    }
    if (read->unsealed != NULL) {
        if (!fake_db->finds_unsealed)
            fake_misuse("a search of a store that cannot search");
        search(page);
        return;
    }
    if (fake_db->page_most != 0 && most > fake_db->page_most)
        most = fake_db->page_most;
    if (read->after.len > 0)
        at = fake_lower(id_of(page->target->after) + 1);
    if (fake_db->empty_pages != 0 &&
        fake_db->reads % fake_db->empty_pages == 0)
        return;
    for (;; at++) {
        if (at >= fake_db->row_count ||
            (read->until.len > 0 &&
             fake_db->rows[at].id > id_of(page->target->until))) {
            page->page.end = true;
            return;
        }
        if (page->page.count >= most ||
            (bytes >= read->bytes && page->page.count > 0))
            return;
        for (unsigned c = 0; c < FAKE_COLUMNS; c++)
            if (fake_db->rows[at].columns[c] != NULL)
                bytes += strlen(fake_db->rows[at].columns[c]);
        add(page, &fake_db->rows[at]);
    }
}

enum envl_status
fake_read_end(struct envl_target *target, struct envl_page **out,
              struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(target->store, FAKE_READ_END, &after,
                                         err);
    struct fake_page *page;

    if (!target->reading)
        fake_misuse("a read is ended that was not begun");
    target->reading = false;
    if (status != ENVL_OK || after)
        return fake_leave(target->store, after, status, err);

    page = calloc(1, sizeof(*page));
    page->target = target;
    page->by_value = target->read.by_value;
    page->rows = calloc((size_t)target->read.rows + 1, sizeof(*page->rows));
    page->held = calloc((size_t)target->read.rows + 1, sizeof(*page->held));
    fake_db->reads++;
    fill(page);
    page->page.rows = page->rows;
    target->pages++;
    fake_db->live_pages++;
    fake_db->rows_read += page->page.count;
    fake_db->rows_held += page->page.count;
    if (fake_db->rows_held > fake_db->high_water)
        fake_db->high_water = fake_db->rows_held;
    *out = &page->page;
    return fake_leave(target->store, false, ENVL_OK, err);
}

void
fake_page_free(struct envl_page *page)
{
    struct fake_page *own = (struct fake_page *)(void *)page;

    if (page == NULL)
        return;
    pthread_mutex_lock(&fake_lock);
    own->target->pages--;
    fake_db->live_pages--;
    fake_db->rows_held -= page->count;
    if (own->target->store->writing == own->target &&
        own->target->store->writing_page == page)
        fake_misuse("a page is freed while it is written");
    pthread_mutex_unlock(&fake_lock);
    for (uint32_t i = 0; i < page->count; i++) {
        for (unsigned c = 0; c < FAKE_COLUMNS; c++)
            free(own->held[i].columns[c]);
    }
    free(own->rows);
    free(own->held);
    free(own);
}

/* ---- writing ------------------------------------------------------------- */

static bool
same_text(const char *a, const char *b)
{
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool
unchanged(const struct fake_page *page, const struct held *was,
          const struct fake_row *is)
{
    const struct envl_target *target = page->target;

    if (!page->by_value)
        return was->version == is->version;
    for (uint32_t f = 0; f < target->spec->field_count; f++) {
        if (!same_text(was->columns[target->from[f]],
                       is->columns[target->from[f]]) ||
            !same_text(was->columns[target->to[f]],
                       is->columns[target->to[f]]))
            return false;
    }
    return true;
}

static enum envl_outcome
try_row(struct envl_store *store, const struct fake_page *page, uint32_t row)
{
    const struct held *was = &page->held[row];
    struct fake_row *is = fake_row(was->id);

    if (is == NULL)
        return ENVL_GONE;
    if (is->busy > 0) {
        is->busy--;
        return ENVL_BUSY;
    }
    if (is->holder != 0 && is->holder != store->id)
        return ENVL_BUSY;
    if (!unchanged(page, was, is))
        return ENVL_CHANGED;
    if (is->refuse)
        return ENVL_REFUSED;
    is->holder = store->id;
    return ENVL_WRITTEN;
}

static void
queue(struct envl_store *store, uint64_t id, int column,
      const struct envl_cell *put)
{
    struct fake_write write = { .id = id, .column = (unsigned)column };

    if (put != NULL)
        write.text = strndup((const char *)put->bytes.ptr, put->bytes.len);
    store->writes = fake_grow(store->writes, store->write_count,
                              &store->write_cap, sizeof(write));
    store->writes[store->write_count++] = write;
}

static void
write_row(struct envl_target *target, const struct fake_page *page,
          const struct envl_edit *edit)
{
    const struct held *was = &page->held[edit->row];
    uint32_t field = was->leaves[edit->leaf].field;

    if ((edit->flags & ENVL_EDIT_INTO) != 0) {
        queue(target->store, was->id, target->to[field], &edit->put);
        if ((edit->flags & ENVL_EDIT_CLEAR) != 0)
            queue(target->store, was->id, target->from[field], NULL);
    } else {
        queue(target->store, was->id, target->from[field], &edit->put);
    }
}

enum envl_status
fake_write_begin(struct envl_target *target, const struct envl_page *page,
                 const struct envl_edit *edits, uint32_t count,
                 struct envl_error *err)
{
    const struct fake_page *own = (const struct fake_page *)(const void *)page;
    struct envl_store *store = target->store;
    bool after;
    enum envl_status status = fake_enter(store, FAKE_WRITE_BEGIN, &after, err);

    if (store->writing != NULL)
        fake_misuse("a write is begun while another is under way");
    if (own->target != target)
        fake_misuse("a write of a page that is not alive");
    if (status != ENVL_OK)
        return fake_leave(store, after, status, err);

    free(store->outcomes);
    store->outcomes = calloc((size_t)page->count + 1,
                             sizeof(*store->outcomes));
    store->outcome_count = page->count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = edits[i].row;

        if (i > 0 && row < edits[i - 1].row)
            fake_misuse("edits are not in the page's order");
        if (i == 0 || row != edits[i - 1].row)
            store->outcomes[row] = try_row(store, own, row);
        if (store->outcomes[row] == ENVL_WRITTEN)
            write_row(target, own, &edits[i]);
    }
    store->writing = target;
    store->writing_page = page;
    fake_db->writes++;
    if (fake_db->no_transactions)
        fake_apply(store, (store->write_count + 1) / 2);
    status = fake_leave(store, after, ENVL_OK, err);
    if (status != ENVL_OK)
        store->writing = NULL;
    return status;
}

enum envl_status
fake_write_end(struct envl_target *target, enum envl_outcome *outcomes,
               struct envl_error *err)
{
    struct envl_store *store = target->store;
    bool after;
    enum envl_status status = fake_enter(store, FAKE_WRITE_END, &after, err);

    if (status == ENVL_OK && store->writing != target)
        fake_misuse("a write is ended that was not begun");
    store->writing = NULL;
    if (status == ENVL_OK && store->outcomes == NULL)
        status = envl_fail(err, ENVL_E_LOCKED, "fake: it was rolled back");
    if (status == ENVL_OK)
        memcpy(outcomes, store->outcomes,
               store->outcome_count * sizeof(*outcomes));
    if (status == ENVL_OK && fake_db->no_transactions)
        fake_apply(store, store->write_count);
    return fake_leave(store, after, status, err);
}
