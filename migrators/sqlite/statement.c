#include <string.h>

#include "sqlite/begins.h"
#include "sqlite/db.h"
#include "sqlite/statement.h"

/* ---- pieces ------------------------------------------------------------- */

static void
add_from(sqlite3_str *sql, const struct envl_target *target)
{
    sqlite3_str_appendf(sql, " FROM \"main\".\"%w\"", target->table.name);
}

/* The columns of a page. */
static void
add_columns(sqlite3_str *sql, const struct envl_target *target)
{
    key_sql_list(sql, &target->key);
    if (target->rowid != NULL && !target->key.is_rowid)
        sqlite3_str_appendf(sql, ", %s", target->rowid);
    for (uint32_t i = 0; i < target->slot_count; i++)
        sqlite3_str_appendf(sql, ", \"%w\"", target->slots[i].name);
    for (uint32_t i = 0; i < target->spec->extra_count; i++)
        sqlite3_str_appendf(sql, ", \"%w\"",
                            target->table.columns[target->extras[i]].name);
}

/* A line break, lest the condition ends in a comment. */
static void
add_where(sqlite3_str *sql, const struct envl_target *target)
{
    if (target->spec->where != NULL)
        sqlite3_str_appendf(sql, " AND (%s\n)", target->spec->where);
}

/* Exactly this value: a collation or a number's type may hide a change. */
static void
add_exact(sqlite3_str *sql, const char *column, int type, int value)
{
    sqlite3_str_appendf(sql, " AND typeof(\"%w\") = ?%d AND "
                        "(+\"%w\") COLLATE BINARY IS ?%d", column, type,
                        column, value);
}

/* By the key's index: values from ?first on, then their types. */
static void
add_key(sqlite3_str *sql, const struct envl_target *target, int first)
{
    const struct key *key = &target->key;

    for (uint32_t i = 0; i < key->count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\" = ?%d COLLATE \"%w\"",
                            i > 0 ? " AND " : "", key->columns[i].column->name,
                            first + (int)i, key->columns[i].collation);
    for (uint32_t i = 0; i < key->count; i++)
        add_exact(sql, key->columns[i].column->name,
                  first + (int)(key->count + i), first + (int)i);
}

/*
 * By the rowid, which spares the key's index; the key is compared too, since
 * a VACUUM may have given the rowid to another row.
 */
static void
add_row(sqlite3_str *sql, const struct envl_target *target, int first)
{
    const struct key *key = &target->key;

    if (target->rowid == NULL) {
        add_key(sql, target, first);
        return;
    }
    sqlite3_str_appendf(sql, "%s = ?%d", target->rowid, first);
    for (uint32_t i = 0; !key->is_rowid && i < key->count; i++)
        add_exact(sql, key->columns[i].column->name,
                  first + 1 + (int)(key->count + i), first + 1 + (int)i);
}

int
statement_row_params(const struct envl_target *target)
{
    int count = target->rowid != NULL ? 1 : 0;

    return target->key.is_rowid ? count
                                : count + 2 * (int)target->key.count;
}

static int
bind_key(sqlite3_stmt *statement, int first, const struct key *key,
         const struct value *values)
{
    int code = key_bind(statement, first, values, key);

    for (uint32_t i = 0; i < key->count && code == SQLITE_OK; i++)
        code = db_bind_text(statement, first + (int)(key->count + i),
                            value_type_name(&values[i]));
    return code;
}

int
statement_bind_row(sqlite3_stmt *statement, int first,
                   const struct envl_target *target, const struct row *row)
{
    int code;

    if (target->rowid == NULL)
        return bind_key(statement, first, &target->key, row->keys);
    code = sqlite3_bind_int64(statement, first, row->rowid);
    if (code != SQLITE_OK || target->key.is_rowid)
        return code;
    return bind_key(statement, first + 1, &target->key, row->keys);
}

int
statement_bind_key(sqlite3_stmt *statement, const struct envl_target *target,
                   const struct value *keys)
{
    return bind_key(statement, 1, &target->key, keys);
}

/* ---- reading ------------------------------------------------------------ */

/* A condition of a job may read, and nothing else.  spec: JOB-12 */
static int
reading_only(void *cookie, int action, const char *a, const char *b,
             const char *c, const char *d)
{
    (void)cookie, (void)a, (void)b, (void)c, (void)d;
    return action == SQLITE_SELECT || action == SQLITE_READ ||
           action == SQLITE_FUNCTION || action == SQLITE_RECURSIVE
               ? SQLITE_OK : SQLITE_DENY;
}

static enum envl_status
prepare_read(struct envl_target *target, sqlite3_str *sql, sqlite3_stmt **out,
             struct envl_error *err)
{
    sqlite3 *db = target->store->db;
    enum envl_status status;

    sqlite3_set_authorizer(db, reading_only, NULL);
    status = db_prepare_str(target->store, sql, out, err);
    sqlite3_set_authorizer(db, NULL, NULL);
    return status;
}

enum envl_status
statement_page(struct envl_target *target, bool after, bool until,
               sqlite3_stmt **out, struct envl_error *err)
{
    sqlite3_stmt **kept = &target->pages[(after ? 1 : 0) + (until ? 2 : 0)];
    int count = (int)target->key.count, next = 1;
    enum envl_status status = ENVL_OK;

    if (*kept == NULL) {
        sqlite3_str *sql = sqlite3_str_new(target->store->db);

        sqlite3_str_appendall(sql, "SELECT ");
        add_columns(sql, target);
        add_from(sql, target);
        sqlite3_str_appendall(sql, " WHERE 1");
        if (after) {
            sqlite3_str_appendall(sql, " AND ");
            key_sql_bound(sql, &target->key, ">", next);
            next += count;
        }
        if (until) {
            sqlite3_str_appendall(sql, " AND ");
            key_sql_bound(sql, &target->key, "<=", next);
            next += count;
        }
        add_where(sql, target);
        sqlite3_str_appendall(sql, " ORDER BY ");
        key_sql_order(sql, &target->key, "");
        sqlite3_str_appendf(sql, " LIMIT ?%d", next);
        status = prepare_read(target, sql, kept, err);
    }
    *out = *kept;
    return status;
}

static void
add_slot_begins(sqlite3_str *sql, const struct slot *slot, const char *kid)
{
    char *cell = sqlite3_mprintf("\"%w\"", slot->name);

    if (cell != NULL)
        begins_add(sql, cell, kid);
    sqlite3_free(cell);
}

static void
add_unsealed(sqlite3_str *sql, const struct envl_target *target,
             uint32_t index, const char *kid)
{
    const struct field *field = &target->fields[index];
    const struct slot *source = &target->slots[field->slot];
    const struct slot *into = field->into < 0 ? NULL
                                              : &target->slots[field->into];

    sqlite3_str_appendf(sql, " OR \"%w\" IS NOT NULL", source->name);
    if (into == NULL) {
        sqlite3_str_appendall(sql, " AND NOT ");
        add_slot_begins(sql, source, kid);
    } else {
        /* A rotation turns siblings whose source is gone, too. */
        if (target->spec->fields[index].keep_source)
            sqlite3_str_appendf(sql, " AND \"%w\" IS NULL", into->name);
        sqlite3_str_appendf(sql, " OR \"%w\" IS NOT NULL AND NOT ",
                            into->name);
        add_slot_begins(sql, into, kid);
    }
}

enum envl_status
statement_search(struct envl_target *target, const char *kid,
                 sqlite3_stmt **out, struct envl_error *err)
{
    sqlite3_str *sql = sqlite3_str_new(target->store->db);

    sqlite3_str_appendall(sql, "SELECT ");
    add_columns(sql, target);
    add_from(sql, target);
    sqlite3_str_appendall(sql, " WHERE (0");
    for (uint32_t i = 0; i < target->spec->field_count; i++)
        add_unsealed(sql, target, i, kid);
    sqlite3_str_appendall(sql, ")");
    add_where(sql, target);
    sqlite3_str_appendall(sql, " LIMIT ?1");
    return prepare_read(target, sql, out, err);
}

enum envl_status
statement_row(struct envl_target *target, enum statement_kind kind,
              sqlite3_stmt **out, struct envl_error *err)
{
    sqlite3_stmt **kept = kind == STATEMENT_ONE ? &target->one
        : kind == STATEMENT_EXISTS ? &target->exists : &target->stored;
    enum envl_status status = ENVL_OK;
    sqlite3_str *sql;

    if (*kept != NULL) {
        *out = *kept;
        return ENVL_OK;
    }
    sql = sqlite3_str_new(target->store->db);
    sqlite3_str_appendall(sql, "SELECT ");
    if (kind == STATEMENT_ONE)
        add_columns(sql, target);
    if (kind == STATEMENT_EXISTS)
        sqlite3_str_appendall(sql, "1");
    for (uint32_t i = 0; kind == STATEMENT_STORED &&
                         i < target->slot_count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i > 0 ? ", " : "",
                            target->slots[i].name);
    add_from(sql, target);
    sqlite3_str_appendall(sql, " WHERE ");
    if (kind == STATEMENT_STORED)
        add_row(sql, target, 1);
    else
        add_key(sql, target, 1);
    if (kind == STATEMENT_ONE)
        add_where(sql, target);
    status = prepare_read(target, sql, kept, err);
    *out = *kept;
    return status;
}

enum envl_status
statement_last(struct envl_target *target, sqlite3_stmt **out,
               struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (target->last == NULL) {
        sqlite3_str *sql = sqlite3_str_new(target->store->db);

        sqlite3_str_appendall(sql, "SELECT ");
        key_sql_list(sql, &target->key);
        add_from(sql, target);
        sqlite3_str_appendall(sql, " ORDER BY ");
        key_sql_order(sql, &target->key, " DESC");
        sqlite3_str_appendall(sql, " LIMIT 1");
        status = prepare_read(target, sql, &target->last, err);
    }
    *out = target->last;
    return status;
}

/* ---- writing ------------------------------------------------------------ */

static sqlite3_str *
add_condition(sqlite3_str *sql, const struct envl_target *target, int first,
              uint64_t compare)
{
    int next = first + statement_row_params(target);

    sqlite3_str_appendall(sql, " WHERE ");
    add_row(sql, target, first);
    for (uint32_t i = 0; i < target->slot_count; i++) {
        if ((compare >> i & 1) == 0)
            continue;
        add_exact(sql, target->slots[i].name, next, next + 1);
        next += 2;
    }
    return sql;
}

static int
bits(uint64_t set)
{
    return __builtin_popcountll(set);
}

/* OR ABORT, whatever the table's constraints say: REPLACE deletes rows. */
static enum envl_status
prepare_form(struct envl_target *target, struct form *form,
             struct envl_error *err)
{
    struct envl_store *store = target->store;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    enum envl_status status;
    int next = 1;

    sqlite3_str_appendf(sql, "UPDATE OR ABORT \"main\".\"%w\" SET ",
                        target->table.name);
    for (uint32_t i = 0; i < target->slot_count; i++) {
        if ((form->set >> i & 1) == 0)
            continue;
        sqlite3_str_appendf(sql, "%s\"%w\" = ?%d", next > 1 ? ", " : "",
                            target->slots[i].name, next);
        next++;
    }
    status = db_prepare_str(store, add_condition(sql, target, next,
                                                 form->compare),
                            &form->update, err);
    if (status != ENVL_OK)
        return status;
    sql = sqlite3_str_new(store->db);
    sqlite3_str_appendall(sql, "SELECT 1");
    add_from(sql, target);
    return db_prepare_str(store, add_condition(sql, target,
                                               1 + bits(form->set),
                                               form->compare),
                          &form->check, err);
}

/* What range.c's functions look at: the row's place, then what to compare. */
static void
add_place(sqlite3_str *sql, const struct envl_target *target)
{
    if (target->rowid != NULL)
        sqlite3_str_appendf(sql, "%s", target->rowid);
    if (target->rowid != NULL && !target->key.is_rowid)
        sqlite3_str_appendall(sql, ", ");
    if (!target->key.is_rowid)
        key_sql_list(sql, &target->key);
}

/*
 * OR FAIL: no journal for the statement, which would hold plaintext in a
 * temporary file; whoever runs it rolls all back if it fails.
 */
enum envl_status
statement_range(struct envl_target *target, struct form *form,
                sqlite3_stmt **out, struct envl_error *err)
{
    sqlite3_str *sql;
    enum envl_status status = ENVL_OK;
    int set = 0;

    *out = form->range;
    if (form->range != NULL)
        return ENVL_OK;
    sql = sqlite3_str_new(target->store->db);
    sqlite3_str_appendf(sql, "UPDATE OR FAIL \"main\".\"%w\" SET ",
                        target->table.name);
    for (uint32_t i = 0; i < target->slot_count; i++) {
        if ((form->set >> i & 1) == 0)
            continue;
        sqlite3_str_appendf(sql, "%s\"%w\" = envelope_new(%d, ",
                            set > 0 ? ", " : "", target->slots[i].name, set);
        add_place(sql, target);
        sqlite3_str_appendall(sql, ")");
        set++;
    }
    sqlite3_str_appendall(sql, " WHERE ");
    if (target->rowid != NULL) {
        sqlite3_str_appendf(sql, "%s BETWEEN ?1 AND ?2", target->rowid);
    } else {
        key_sql_bound(sql, &target->key, ">=", 1);
        sqlite3_str_appendall(sql, " AND ");
        key_sql_bound(sql, &target->key, "<=", 1 + (int)target->key.count);
    }
    sqlite3_str_appendall(sql, " AND envelope_same(");
    add_place(sql, target);
    for (uint32_t i = 0; i < target->slot_count; i++) {
        if ((form->compare >> i & 1) != 0)
            sqlite3_str_appendf(sql, ", \"%w\"", target->slots[i].name);
    }
    sqlite3_str_appendall(sql, ")");
    status = db_prepare_str(target->store, sql, &form->range, err);
    *out = form->range;
    return status;
}

static void
form_free(struct form *form)
{
    sqlite3_finalize(form->update);
    sqlite3_finalize(form->check);
    sqlite3_finalize(form->range);
    memset(form, 0, sizeof(*form));
}

enum envl_status
statement_form(struct envl_target *target, uint64_t set, uint64_t compare,
               struct form **out, struct envl_error *err)
{
    struct form *oldest = &target->forms[0];
    enum envl_status status;

    target->clock++;
    for (size_t i = 0; i < TARGET_FORMS; i++) {
        struct form *form = &target->forms[i];

        if (form->update != NULL && form->set == set &&
            form->compare == compare) {
            form->used = target->clock;
            *out = form;
            return ENVL_OK;
        }
        if (form->used < oldest->used)
            oldest = form;
    }
    form_free(oldest);
    oldest->set = set;
    oldest->compare = compare;
    oldest->used = target->clock;
    status = prepare_form(target, oldest, err);
    if (status != ENVL_OK)
        form_free(oldest);
    *out = oldest;
    return status;
}

/* ---- is it there? -------------------------------------------------------- */

enum envl_status
statement_gone(struct envl_target *target, const struct row *row, bool *gone,
               struct envl_error *err)
{
    sqlite3_stmt *exists;
    enum envl_status status;
    int code;

    *gone = false;
    status = statement_row(target, STATEMENT_EXISTS, &exists, err);
    if (status != ENVL_OK)
        return status;
    code = statement_bind_key(exists, target, row->keys);
    if (code == SQLITE_OK)
        code = sqlite3_step(exists);
    sqlite3_reset(exists);
    *gone = code == SQLITE_DONE;
    return code == SQLITE_ROW || code == SQLITE_DONE
        ? ENVL_OK : db_fail(target->store, err, code, "looking for a row");
}

/* ---- the end ------------------------------------------------------------- */

void
statement_free(struct envl_target *target)
{
    for (size_t i = 0; i < 4; i++)
        sqlite3_finalize(target->pages[i]);
    for (size_t i = 0; i < TARGET_FORMS; i++)
        form_free(&target->forms[i]);
    sqlite3_finalize(target->one);
    sqlite3_finalize(target->exists);
    sqlite3_finalize(target->stored);
    sqlite3_finalize(target->last);
    sqlite3_finalize(target->keyless);
}
