#include <stdlib.h>
#include <string.h>

#include "sqlite/change.h"
#include "sqlite/db.h"
#include "sqlite/statement.h"
#include "sqlite/write.h"

/* One row being written. */
struct writing {
    struct envl_target *target;
    const struct row *row;
    struct change *change;
    struct envl_error *err;
};

static enum envl_status
write_failed(const struct writing *writing, int code)
{
    return db_fail(writing->target->store, writing->err, code,
                   "writing a row");
}

/* ---- the compare-and-swap ----------------------------------------------- */

/* The condition's parameters from ?${first} on; SQLite's code. */
static int
bind_condition(const struct writing *writing, sqlite3_stmt *statement,
               int first)
{
    const struct envl_target *target = writing->target;
    int next = first + statement_row_params(target);
    int code = statement_bind_row(statement, first, target, writing->row);

    for (uint32_t i = 0; code == SQLITE_OK && i < target->slot_count; i++) {
        const struct value *old = &writing->row->slots[i];

        if ((writing->change->compare >> i & 1) == 0)
            continue;
        code = db_bind_text(statement, next, value_type_name(old));
        if (code == SQLITE_OK)
            code = value_bind(statement, next + 1, old);
        next += 2;
    }
    return code;
}

static int
bind_update(const struct writing *writing, sqlite3_stmt *update)
{
    const struct envl_target *target = writing->target;
    int next = 1, code = SQLITE_OK;

    for (uint32_t i = 0; code == SQLITE_OK && i < target->slot_count; i++) {
        if ((writing->change->set >> i & 1) != 0)
            code = value_bind(update, next++, &writing->change->values[i]);
    }
    return code == SQLITE_OK ? bind_condition(writing, update, next) : code;
}

/* A question whose answer is whether there is a row. */
static enum envl_status
ask(const struct writing *writing, sqlite3_stmt *statement, int code,
    bool *yes)
{
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_reset(statement);
    *yes = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return ENVL_OK;
    return write_failed(writing, code);
}

/*
 * Nothing was updated.  If the row is still as it was read a trigger has kept
 * it from being written (RAISE(IGNORE)).
 */
static enum envl_status
explain(const struct writing *writing, const struct form *form,
        enum envl_outcome *out)
{
    struct envl_target *target = writing->target;
    sqlite3_stmt *exists;
    enum envl_status status;
    bool yes;
    int sets = __builtin_popcountll(form->set);

    status = ask(writing, form->check,
                 bind_condition(writing, form->check, 1 + sets), &yes);
    if (status != ENVL_OK)
        return status;
    if (yes) {
        *out = ENVL_REFUSED;
        return ENVL_OK;
    }
    status = statement_row(target, STATEMENT_EXISTS, &exists, writing->err);
    if (status == ENVL_OK)
        status = ask(writing, exists,
                     statement_bind_key(exists, target, writing->row->keys),
                     &yes);
    *out = yes ? ENVL_CHANGED : ENVL_GONE;
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
check_stored(const struct writing *writing)
{
    struct envl_target *target = writing->target;
    sqlite3_stmt *stored;
    enum envl_status status;
    bool equal = true;
    int code;

    status = statement_row(target, STATEMENT_STORED, &stored, writing->err);
    if (status != ENVL_OK)
        return status;
    code = statement_bind_row(stored, 1, target, writing->row);
    if (code == SQLITE_OK)
        code = sqlite3_step(stored);
    for (uint32_t i = 0; code == SQLITE_ROW && i < target->slot_count; i++) {
        if ((writing->change->set >> i & 1) != 0)
            equal = equal && same(stored, (int)i, &writing->change->values[i]);
    }
    sqlite3_reset(stored);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return write_failed(writing, code);
    if (code == SQLITE_ROW && equal)
        return ENVL_OK;
    say_fail(target->store->host, writing->err, ENVL_E_DATABASE,
             "a trigger of %s changes what is written: the envelope would "
             "not be there", target->table.name);
    say_hint(target->store->host, writing->err, "drop the trigger for the "
             "sweep, or make it leave the column alone");
    return ENVL_E_DATABASE;
}

/* ---- rows --------------------------------------------------------------- */

static bool
refuses(int code)
{
    code &= 0xff;
    return code == SQLITE_CONSTRAINT || code == SQLITE_TOOBIG ||
           code == SQLITE_MISMATCH;
}

static enum envl_status
write_row(const struct writing *writing, enum envl_outcome *out)
{
    struct envl_target *target = writing->target;
    sqlite3 *db = target->store->db;
    enum envl_status status;
    struct form *form;
    int code;

    status = statement_form(target, writing->change->set,
                            writing->change->compare, &form, writing->err);
    if (status != ENVL_OK)
        return status;
    code = bind_update(writing, form->update);
    if (code == SQLITE_OK)
        code = sqlite3_step(form->update);
    sqlite3_reset(form->update);
    if (refuses(code)) {
        *out = ENVL_REFUSED;
        if (sqlite3_get_autocommit(db) == 0)
            return ENVL_OK;
        return say_fail(target->store->host, writing->err, ENVL_E_DATABASE,
                        "a trigger of %s rolled the batch back",
                        target->table.name);
    }
    if (code != SQLITE_DONE)
        return write_failed(writing, code);
    if (sqlite3_changes(db) == 0)
        return explain(writing, form, out);
    *out = ENVL_WRITTEN;
    return target->triggers ? check_stored(writing) : ENVL_OK;
}

static enum envl_status
add_outcome(struct envl_target *target, uint32_t row,
            enum envl_outcome outcome, struct envl_error *err)
{
    if (target->outcome_count == target->outcome_cap) {
        uint32_t cap = target->outcome_cap == 0 ? 256
                                                : target->outcome_cap * 2;
        struct outcome *more = realloc(target->outcomes,
                                       cap * sizeof(*more));

        if (more == NULL)
            return say_fail(target->store->host, err, ENVL_E_NOMEM,
                            "out of memory for a batch");
        target->outcomes = more;
        target->outcome_cap = cap;
    }
    target->outcomes[target->outcome_count++] = (struct outcome){ row,
                                                                  outcome };
    return ENVL_OK;
}

static enum envl_status
write_rows(struct envl_target *target, const struct page *page,
           const struct envl_edit *edits, uint32_t count,
           struct envl_error *err)
{
    struct change change;
    enum envl_status status = ENVL_OK;
    uint32_t at = 0;

    while (at < count && status == ENVL_OK) {
        struct writing writing = { target, NULL, &change, err };
        enum envl_outcome outcome = ENVL_REFUSED;
        uint32_t row = edits[at].row, first = at;

        if (row >= page->pub.count)
            return say_fail(target->store->host, err, ENVL_E_USAGE,
                            "an edit is of a row that is not in the page");
        while (at < count && edits[at].row == row)
            at++;
        writing.row = page->details[row];
        status = change_make(target, page, edits + first, at - first, &change,
                             err);
        if (status == ENVL_OK)
            status = write_row(&writing, &outcome);
        else if (status == ENVL_E_POLICY)
            status = ENVL_OK;
        if (status == ENVL_OK)
            status = add_outcome(target, row, outcome, err);
    }
    for (uint32_t i = 0; i < target->slot_count; i++)
        envl_buf_clear(&target->spliced[i]);
    return status;
}

enum envl_status
write_begin(struct envl_target *target, const struct envl_page *page,
            const struct envl_edit *edits, uint32_t count,
            struct envl_error *err)
{
    struct envl_store *store = target->store;
    enum envl_status status = db_begin(store, err);

    target->outcome_count = 0;
    if (status != ENVL_OK)
        return status;
    status = target_check_schema(target, err);
    if (status == ENVL_OK) {
        db_limit(store, store->host->statement_ms);
        status = write_rows(target, (const struct page *)page, edits, count,
                            err);
        db_unlimit(store);
    }
    if (status != ENVL_OK) {
        target->outcome_count = 0;
        db_rollback(store);
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
    for (uint32_t i = 0; i < target->outcome_count; i++)
        outcomes[target->outcomes[i].row] = target->outcomes[i].outcome;
    return ENVL_OK;
}
