#include <stdlib.h>
#include <string.h>

#include "sqlite/change.h"
#include "sqlite/db.h"
#include "sqlite/range.h"
#include "sqlite/statement.h"
#include "sqlite/write.h"

static enum envl_status
write_failed(const struct envl_target *target, int code,
             struct envl_error *err)
{
    return db_fail(target->store, err, code, "writing a row");
}

/* ---- the compare-and-swap ----------------------------------------------- */

/* The condition's parameters from ?${first} on; SQLite's code. */
static int
bind_condition(const struct envl_target *target, const struct entry *entry,
               sqlite3_stmt *statement, int first)
{
    int next = first + statement_row_params(target);
    int code = statement_bind_row(statement, first, target, entry->old);

    for (uint32_t i = 0; code == SQLITE_OK && i < target->slot_count; i++) {
        const struct value *old = &entry->old->slots[i];

        if ((entry->compare >> i & 1) == 0)
            continue;
        code = db_bind_text(statement, next, value_type_name(old));
        if (code == SQLITE_OK)
            code = value_bind(statement, next + 1, old);
        next += 2;
    }
    return code;
}

static int
bind_update(const struct envl_target *target, const struct entry *entry,
            sqlite3_stmt *update)
{
    int count = __builtin_popcountll(entry->set), code = SQLITE_OK;

    for (int i = 0; code == SQLITE_OK && i < count; i++)
        code = value_bind(update, 1 + i, &entry->values[i]);
    if (code == SQLITE_OK)
        code = bind_condition(target, entry, update, 1 + count);
    return code;
}

/*
 * Nothing was updated.  If the row is still as it was read a trigger has kept
 * it from being written (RAISE(IGNORE)).
 */
static enum envl_status
explain(struct envl_target *target, struct entry *entry,
        const struct form *form, struct envl_error *err)
{
    enum envl_status status;
    bool gone;
    int code = bind_condition(target, entry, form->check,
                              1 + __builtin_popcountll(entry->set));

    if (code == SQLITE_OK)
        code = sqlite3_step(form->check);
    sqlite3_reset(form->check);
    entry->outcome = ENVL_REFUSED;
    if (code == SQLITE_ROW)
        return ENVL_OK;
    if (code != SQLITE_DONE)
        return write_failed(target, code, err);
    status = statement_gone(target, entry->old, &gone, err);
    entry->outcome = gone ? ENVL_GONE : ENVL_CHANGED;
    return status;
}

/* ---- what the store holds after it -------------------------------------- */

static bool
same(sqlite3_stmt *statement, int column, const struct value *sent)
{
    const void *bytes;

    if (sqlite3_column_type(statement, column) != sent->type)
        return false;
    if (sent->type == SQLITE_NULL)
        return true;
    bytes = sent->type == SQLITE_TEXT
        ? (const void *)sqlite3_column_text(statement, column)
        : sqlite3_column_blob(statement, column);
    return (size_t)sqlite3_column_bytes(statement, column) ==
               sent->as.bytes.len &&
           (sent->as.bytes.len == 0 ||
            memcmp(bytes, sent->as.bytes.ptr, sent->as.bytes.len) == 0);
}

/* Only a trigger can make it another; spec: MIG-34 */
static enum envl_status
check_stored(struct envl_target *target, const struct entry *entry,
             struct envl_error *err)
{
    const struct value *sent = entry->values;
    sqlite3_stmt *stored;
    enum envl_status status;
    bool equal = true;
    int code;

    status = statement_row(target, STATEMENT_STORED, &stored, err);
    if (status != ENVL_OK)
        return status;
    code = statement_bind_row(stored, 1, target, entry->old);
    if (code == SQLITE_OK)
        code = sqlite3_step(stored);
    for (uint32_t i = 0; code == SQLITE_ROW && i < target->slot_count; i++) {
        if ((entry->set >> i & 1) != 0)
            equal = equal && same(stored, (int)i, sent++);
    }
    sqlite3_reset(stored);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return write_failed(target, code, err);
    if (code == SQLITE_ROW && equal)
        return ENVL_OK;
    say_fail(target->store->host, err, ENVL_E_DATABASE, "a trigger of %s "
             "changes what is written: the envelope would not be there",
             target->table.name);
    say_hint(target->store->host, err, "drop the trigger for the sweep, or "
             "make it leave the column alone");
    return ENVL_E_DATABASE;
}

/* ---- rows --------------------------------------------------------------- */

static enum envl_status
write_row(struct envl_target *target, struct entry *entry,
          struct envl_error *err)
{
    sqlite3 *db = target->store->db;
    enum envl_status status;
    struct form *form;
    int code;

    status = statement_form(target, entry->set, entry->compare, &form, err);
    if (status != ENVL_OK)
        return status;
    code = bind_update(target, entry, form->update);
    if (code == SQLITE_OK)
        code = sqlite3_step(form->update);
    sqlite3_reset(form->update);
    if (db_refuses(code)) {
        entry->outcome = ENVL_REFUSED;
        if (sqlite3_get_autocommit(db) == 0)
            return ENVL_OK;
        return say_fail(target->store->host, err, ENVL_E_DATABASE,
                        "a trigger of %s rolled the batch back",
                        target->table.name);
    }
    if (code != SQLITE_DONE)
        return write_failed(target, code, err);
    if (sqlite3_changes(db) == 0)
        return explain(target, entry, form, err);
    entry->outcome = ENVL_WRITTEN;
    return target->triggers ? check_stored(target, entry, err) : ENVL_OK;
}

/* ---- batches ------------------------------------------------------------ */

static enum envl_status
add_entry(struct envl_target *target, uint32_t number, struct entry **out,
          struct envl_error *err)
{
    if (target->entry_count == target->entry_cap) {
        uint32_t cap = target->entry_cap == 0 ? 256 : target->entry_cap * 2;
        struct entry **sorted = realloc(target->sorted,
                                        cap * sizeof(struct entry *));
        struct entry *entries;

        if (sorted != NULL)
            target->sorted = sorted;
        entries = realloc(target->entries, cap * sizeof(*entries));
        if (entries != NULL)
            target->entries = entries;
        if (sorted == NULL || entries == NULL)
            return say_fail(target->store->host, err, ENVL_E_NOMEM,
                            "out of memory for a batch");
        target->entry_cap = cap;
    }
    *out = &target->entries[target->entry_count++];
    **out = (struct entry){ .number = number, .outcome = ENVL_REFUSED };
    return ENVL_OK;
}

/* Rows whose edits are not possible have no old row, and stay REFUSED. */
static enum envl_status
gather(struct envl_target *target, const struct page *page,
       const struct envl_edit *edits, uint32_t count, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    uint32_t at = 0;

    while (at < count && status == ENVL_OK) {
        uint32_t first = at, number = edits[at].row;
        struct entry *entry = NULL;

        if (number >= page->pub.count)
            return say_fail(target->store->host, err, ENVL_E_USAGE,
                            "an edit is of a row that is not in the page");
        while (at < count && edits[at].row == number)
            at++;
        status = add_entry(target, number, &entry, err);
        if (status == ENVL_OK)
            status = change_make(target, page, edits + first, at - first,
                                 entry, err);
        if (status == ENVL_E_POLICY)
            status = ENVL_OK;
    }
    return status;
}

/* Those that set and compare the same as the first that is not done yet. */
static uint32_t
choose_alike(struct envl_target *target, bool *done, uint32_t first)
{
    const struct entry *like = &target->entries[first];
    uint32_t count = 0;

    for (uint32_t i = first; i < target->entry_count; i++) {
        struct entry *entry = &target->entries[i];

        if (entry->old == NULL || entry->set != like->set ||
            entry->compare != like->compare)
            continue;
        done[i] = true;
        target->sorted[count++] = entry;
    }
    return count;
}

static enum envl_status
write_alike(struct envl_target *target, uint32_t count, bool contiguous,
            bool singly, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (!singly && range_fits(target, target->sorted, count, contiguous))
        return range_write(target, target->sorted, count, err);
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++)
        status = write_row(target, target->sorted[i], err);
    return status;
}

static enum envl_status
write_all(struct envl_target *target, bool contiguous, bool singly,
          struct envl_error *err)
{
    bool *done = calloc(target->entry_count + 1u, sizeof(*done));
    enum envl_status status = ENVL_OK;

    if (done == NULL)
        return say_fail(target->store->host, err, ENVL_E_NOMEM,
                        "out of memory for a batch");
    for (uint32_t i = 0; i < target->entry_count && status == ENVL_OK; i++) {
        if (target->entries[i].old != NULL && !done[i])
            status = write_alike(target, choose_alike(target, done, i),
                                 contiguous, singly, err);
    }
    free(done);
    return status;
}

/* With the write lock: the table is what it was bound as, and stays so. */
static enum envl_status
begin(struct envl_target *target, struct envl_error *err)
{
    enum envl_status status = db_begin(target->store, err);

    return status == ENVL_OK ? target_check_schema(target, err) : status;
}

static enum envl_status
write_page(struct envl_target *target, const struct page *page,
           struct envl_error *err)
{
    struct envl_store *store = target->store;
    enum envl_status status;

    db_limit(store, store->host->statement_ms);
    status = write_all(target, page->contiguous, false, err);
    db_unlimit(store);
    if (status != ENVL_E_POLICY)
        return status;
    /* Some row is refused: which, only single statements tell. */
    db_rollback(store);
    status = begin(target, err);
    if (status != ENVL_OK)
        return status;
    db_limit(store, store->host->statement_ms);
    status = write_all(target, false, true, err);
    db_unlimit(store);
    return status;
}

enum envl_status
write_begin(struct envl_target *target, const struct envl_page *page,
            const struct envl_edit *edits, uint32_t count,
            struct envl_error *err)
{
    const struct page *read = (const struct page *)page;
    enum envl_status status;

    target->entry_count = 0;
    status = gather(target, read, edits, count, err);
    if (status == ENVL_OK)
        status = begin(target, err);
    if (status == ENVL_OK)
        status = write_page(target, read, err);
    arena_clear(&target->batch);
    if (status != ENVL_OK) {
        target->entry_count = 0;
        db_rollback(target->store);
    }
    return status;
}

enum envl_status
write_end(struct envl_target *target, enum envl_outcome *outcomes,
          struct envl_error *err)
{
    if (sqlite3_get_autocommit(target->store->db) != 0)
        return say_fail(target->store->host, err, ENVL_E_USAGE,
                        "no write was begun");
    for (uint32_t i = 0; i < target->entry_count; i++)
        outcomes[target->entries[i].number] = target->entries[i].outcome;
    return ENVL_OK;
}
