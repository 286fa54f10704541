#include <stdlib.h>
#include <string.h>

#include "sqlite/db.h"
#include "sqlite/range.h"
#include "sqlite/statement.h"

struct range {
    struct envl_target *target;
    struct entry **entries; /* by rowid, or by key                  */
    uint32_t count;
    uint32_t next;          /* that is most likely asked for        */
    uint32_t last;          /* found; count: none                   */
    uint64_t matched;
};

/* ---- comparing ---------------------------------------------------------- */

/* Exactly the value that was read: its storage class and its bytes. */
static bool
same_value(sqlite3_value *now, const struct value *then)
{
    const void *bytes;

    if (sqlite3_value_type(now) != then->type)
        return false;
    switch (then->type) {
    case SQLITE_INTEGER:
        return sqlite3_value_int64(now) == then->as.integer;
    case SQLITE_FLOAT:
        return !(sqlite3_value_double(now) < then->as.real) &&
               !(sqlite3_value_double(now) > then->as.real);
    case SQLITE_NULL:
        return true;
    case SQLITE_TEXT:
        bytes = sqlite3_value_text(now);
        break;
    default:
        bytes = sqlite3_value_blob(now);
        break;
    }
    return (size_t)sqlite3_value_bytes(now) == then->as.bytes.len &&
           (then->as.bytes.len == 0 ||
            (bytes != NULL &&
             memcmp(bytes, then->as.bytes.ptr, then->as.bytes.len) == 0));
}

static bool
same_values(sqlite3_value **now, const struct value *then, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!same_value(now[i], &then[i]))
            return false;
    }
    return true;
}

static int
by_rowid(const void *left, const void *right)
{
    const struct entry *a = *(const struct entry *const *)left;
    const struct entry *b = *(const struct entry *const *)right;

    return (a->old->rowid > b->old->rowid) - (a->old->rowid < b->old->rowid);
}

/* ---- finding ------------------------------------------------------------ */

static uint32_t
search_rowid(const struct range *range, int64_t rowid)
{
    uint32_t low = 0, high = range->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int64_t found = range->entries[middle]->old->rowid;

        if (found == rowid)
            return middle;
        if (found < rowid)
            low = middle + 1;
        else
            high = middle;
    }
    return range->count;
}

/* Does the row that the arguments are of stand at ${index}? */
static bool
is_at(const struct range *range, sqlite3_value **place, uint32_t index)
{
    const struct envl_target *target = range->target;
    const struct row *old;

    if (index >= range->count)
        return false;
    old = range->entries[index]->old;
    if (target->rowid != NULL)
        return sqlite3_value_int64(place[0]) == old->rowid;
    return same_values(place, old->keys, target->key.count);
}

/* Rows without a rowid come in the order of the page. */
static uint32_t
find(struct range *range, sqlite3_value **place)
{
    if (is_at(range, place, range->last))
        return range->last;
    if (is_at(range, place, range->next))
        return range->next;
    if (range->target->rowid != NULL)
        return search_rowid(range, sqlite3_value_int64(place[0]));
    for (uint32_t i = 0; i < range->count; i++) {
        if (is_at(range, place, i))
            return i;
    }
    return range->count;
}

/* ---- the functions of SQL ------------------------------------------------ */

/* How many arguments say where a row is. */
static uint32_t
place_count(const struct envl_target *target)
{
    uint32_t count = target->rowid != NULL ? 1 : 0;

    return target->key.is_rowid ? count : count + target->key.count;
}

/* envelope_same(place..., compared slots...) */
static void
same(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct envl_store *store = sqlite3_user_data(context);
    struct range *range = store->range;
    const struct envl_target *target;
    uint32_t place, at;
    struct entry *entry;

    sqlite3_result_int(context, 0);
    if (range == NULL || (uint32_t)count < place_count(range->target))
        return;
    target = range->target;
    place = place_count(target);
    at = find(range, values);
    if (at == range->count || range->entries[at]->seen)
        return;
    entry = range->entries[at];
    entry->seen = true;
    range->last = at;
    range->next = at + 1;
    if (target->rowid != NULL && !target->key.is_rowid &&
        !same_values(values + 1, entry->old->keys, target->key.count))
        return;
    for (uint32_t i = 0; i < target->slot_count; i++) {
        if ((entry->compare >> i & 1) != 0 &&
            !same_value(values[place++], &entry->old->slots[i]))
            return;
    }
    entry->outcome = ENVL_WRITTEN;
    range->matched++;
    sqlite3_result_int(context, 1);
}

/* envelope_new(number of the set slot, place...) */
static void
give(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct envl_store *store = sqlite3_user_data(context);
    struct range *range = store->range;
    const struct value *value;
    uint32_t at;

    if (range == NULL || count < 2)
        return;
    at = find(range, values + 1);
    if (at == range->count || range->entries[at]->outcome != ENVL_WRITTEN) {
        sqlite3_result_error_code(context, SQLITE_INTERNAL);
        return;
    }
    range->last = at;
    range->next = at + 1;
    value = &range->entries[at]->values[sqlite3_value_int(values[0])];
    if (value->type == SQLITE_TEXT)
        sqlite3_result_text64(context, value->as.bytes.len == 0 ? ""
                              : (const char *)value->as.bytes.ptr,
                              value->as.bytes.len, SQLITE_STATIC,
                              SQLITE_UTF8);
    else if (value->type == SQLITE_BLOB)
        sqlite3_result_blob64(context, value->as.bytes.len == 0
                              ? (const void *)"" : value->as.bytes.ptr,
                              value->as.bytes.len, SQLITE_STATIC);
}

enum envl_status
range_register(struct envl_store *store, struct envl_error *err)
{
    int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
    int code;

    code = sqlite3_create_function_v2(store->db, "envelope_same", -1, flags,
                                      store, same, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_create_function_v2(store->db, "envelope_new", -1,
                                          flags, store, give, NULL, NULL,
                                          NULL);
    return code == SQLITE_OK ? ENVL_OK
                             : db_fail(store, err, code, "opening");
}

/* ---- writing ------------------------------------------------------------ */

static bool
in_order(struct entry **entries, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (entries[i - 1]->old->rowid > entries[i]->old->rowid)
            return false;
    }
    return true;
}

bool
range_fits(const struct envl_target *target, struct entry **entries,
           uint32_t count, bool contiguous)
{
    uint64_t span;

    /* A trigger could change a row between its comparison and its write. */
    if (count < 16 || target->triggers)
        return false;
    if (target->rowid == NULL)
        return contiguous;
    if (!in_order(entries, count))
        qsort(entries, count, sizeof(struct entry *), by_rowid);
    span = (uint64_t)entries[count - 1]->old->rowid -
           (uint64_t)entries[0]->old->rowid;
    return span / 2 <= count;
}

static int
bind_ends(sqlite3_stmt *update, const struct range *range)
{
    const struct envl_target *target = range->target;
    const struct row *first = range->entries[0]->old;
    const struct row *last = range->entries[range->count - 1]->old;
    int code;

    if (target->rowid != NULL) {
        sqlite3_bind_int64(update, 1, first->rowid);
        return sqlite3_bind_int64(update, 2, last->rowid);
    }
    code = key_bind(update, 1, first->keys, &target->key);
    if (code != SQLITE_OK)
        return code;
    return key_bind(update, 1 + (int)target->key.count, last->keys,
                    &target->key);
}

/* Rows that the statement did not come upon: moved, or gone. */
static enum envl_status
explain_unseen(struct range *range, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    bool gone;

    for (uint32_t i = 0; i < range->count && status == ENVL_OK; i++) {
        struct entry *entry = range->entries[i];

        if (entry->seen)
            continue;
        status = statement_gone(range->target, entry->old, &gone, err);
        entry->outcome = gone ? ENVL_GONE : ENVL_CHANGED;
    }
    return status;
}

static enum envl_status
judge(struct range *range, int code, struct envl_error *err)
{
    struct envl_store *store = range->target->store;

    if (db_refuses(code))
        return ENVL_E_POLICY;
    if (code != SQLITE_DONE)
        return db_fail(store, err, code, "writing a batch");
    if ((uint64_t)sqlite3_changes64(store->db) != range->matched)
        return say_fail(store->host, err, ENVL_E_INTERNAL, "writing a batch: "
                        "%llu rows matched and %lld were written",
                        (unsigned long long)range->matched,
                        (long long)sqlite3_changes64(store->db));
    return explain_unseen(range, err);
}

enum envl_status
range_write(struct envl_target *target, struct entry **entries,
            uint32_t count, struct envl_error *err)
{
    struct range range = { target, entries, count, 0, count, 0 };
    sqlite3_stmt *update;
    enum envl_status status;
    struct form *form;
    int code;

    status = statement_form(target, entries[0]->set, entries[0]->compare,
                            &form, err);
    if (status == ENVL_OK)
        status = statement_range(target, form, &update, err);
    if (status != ENVL_OK)
        return status;
    for (uint32_t i = 0; i < count; i++) {
        entries[i]->seen = false;
        entries[i]->outcome = ENVL_CHANGED;
    }
    target->store->range = &range;
    code = bind_ends(update, &range);
    if (code == SQLITE_OK)
        code = sqlite3_step(update);
    sqlite3_reset(update);
    target->store->range = NULL;
    return judge(&range, code, err);
}
