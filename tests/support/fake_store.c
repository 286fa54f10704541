/*
 * The table, the faults and the stores; what concerns the state of jobs is in
 * fake_state.c.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake_inside.h"

struct fake_db *fake_db;
pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

void
fake_misuse(const char *what)
{
    fprintf(stderr, "fake store: misuse of the ABI: %s\n", what);
    abort();
}

void *
fake_grow(void *array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return array;
    *cap = *cap == 0 ? 64 : *cap * 2;
    array = realloc(array, *cap * size);
    if (array == NULL)
        abort();
    return array;
}

/* ---- the application's side ---------------------------------------------- */

void
fake_db_new(void)
{
    fake_db = calloc(1, sizeof(*fake_db));
    if (fake_db == NULL)
        abort();
    fake_db->max_workers = 8;
    fake_db->process = 1;
}

void
fake_db_free(void)
{
    if (fake_db->live_pages != 0 || fake_db->live_stores != 0 ||
        fake_db->live_targets != 0)
        fake_misuse("something was left open");
    for (size_t i = 0; i < fake_db->row_count; i++)
        for (unsigned c = 0; c < FAKE_COLUMNS; c++)
            free(fake_db->rows[i].columns[c]);
    for (size_t i = 0; i < fake_db->record_count; i++)
        free(fake_db->records[i].body);
    free(fake_db->records);
    free(fake_db->rows);
    free(fake_db);
    fake_db = NULL;
}

/* Index of the first row with an id of at least ${id}. */
size_t
fake_lower(uint64_t id)
{
    size_t low = 0, high = fake_db->row_count;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (fake_db->rows[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct fake_row *
fake_row(uint64_t id)
{
    size_t at = fake_lower(id);

    return at < fake_db->row_count && fake_db->rows[at].id == id
               ? &fake_db->rows[at]
               : NULL;
}

void
fake_put(uint64_t id, unsigned column, const char *text)
{
    struct fake_row *row = fake_row(id);

    if (row == NULL) {
        size_t at = fake_lower(id);

        fake_db->rows = fake_grow(fake_db->rows, fake_db->row_count,
                                  &fake_db->row_cap, sizeof(*row));
        memmove(&fake_db->rows[at + 1], &fake_db->rows[at],
                (fake_db->row_count - at) * sizeof(*row));
        fake_db->row_count++;
        row = &fake_db->rows[at];
        *row = (struct fake_row){ .id = id };
    }
    free(row->columns[column]);
    row->columns[column] = text == NULL ? NULL : strdup(text);
    row->sealed_by_us[column] = false;
    row->version++;
}

void
fake_delete(uint64_t id)
{
    struct fake_row *row = fake_row(id);
    size_t at = fake_lower(id);

    if (row == NULL)
        return;
    for (unsigned c = 0; c < FAKE_COLUMNS; c++)
        free(row->columns[c]);
    fake_db->row_count--;
    memmove(row, row + 1, (fake_db->row_count - at) * sizeof(*row));
}

const char *
fake_get(uint64_t id, unsigned column)
{
    const struct fake_row *row = fake_row(id);

    return row == NULL ? NULL : row->columns[column];
}

void
fake_new_process(void)
{
    fake_db->process++;
    fake_db->dead = false;
    fake_db->fault = FAKE_NO_FAULT;
    fake_db->fault_at = 0;
    for (size_t i = 0; i < fake_db->row_count; i++)
        fake_db->rows[i].holder = 0;
}

/* ---- faults -------------------------------------------------------------- */

static enum envl_status
say(struct envl_error *err, enum envl_status status, const char *text)
{
    return envl_fail(err, status, "%s", text);
}

static enum envl_status
lost(struct envl_store *store, struct envl_error *err)
{
    if (store != NULL) {
        store->broken = true;
        fake_drop(store);
    }
    return say(err, ENVL_E_DATABASE, "fake: the connection was lost");
}

/* In a storm: does this call fail, and how? */
static enum fake_fault
gust(struct fake_db *db)
{
    static const enum fake_fault faults[] = { FAKE_LOST_BEFORE,
                                              FAKE_LOST_AFTER, FAKE_LOCK };
    unsigned dice = db->storm_seed = db->storm_seed * 1103515245u + 12345u;

    if ((dice >> 8) % 1000 >= db->storm || db->storm_left == 0)
        return FAKE_NO_FAULT;
    db->storm_left--;
    return faults[(dice >> 20) % 3];
}

/* The fault that this call meets. */
static enum fake_fault
meet(struct fake_db *db, enum fake_call call)
{
    enum fake_fault fault = gust(db);
    unsigned number = db->fault_only ? db->by_call[call] : db->calls;

    if (number == db->fault_at && (!db->fault_only || call == db->fault_call))
        fault = db->fault;
    /* What was committed cannot be rolled back for a lock. */
    if (fault == FAKE_LOCK && call == FAKE_COMMIT_END)
        fault = FAKE_NO_FAULT;
    db->hits += fault != FAKE_NO_FAULT;
    return fault;
}

enum envl_status
fake_enter(struct envl_store *store, enum fake_call call, bool *after,
           struct envl_error *err)
{
    struct fake_db *db = fake_db;

    pthread_mutex_lock(&fake_lock);
    *after = false;
    db->calls++;
    db->by_call[call]++;
    if (db->dead || (store != NULL && store->broken))
        return lost(store, err);
    if (db->on_call != NULL)
        db->on_call(db, call);
    switch (meet(db, call)) {
    case FAKE_NO_FAULT:
        return ENVL_OK;
    case FAKE_LOCK:
        if (store != NULL)
            fake_drop(store);
        return say(err, ENVL_E_LOCKED, "fake: a lock was not to be had");
    case FAKE_DIE_BEFORE:
        db->dead = true;
        return lost(store, err);
    case FAKE_LOST_BEFORE:
        return lost(store, err);
    default:
        *after = true;
        return ENVL_OK;
    }
}

enum envl_status
fake_leave(struct envl_store *store, bool after, enum envl_status status,
           struct envl_error *err)
{
    if (after && status == ENVL_OK) {
        fake_db->dead = fake_db->dead || fake_db->fault == FAKE_DIE_AFTER;
        status = lost(store, err);
    }
    pthread_mutex_unlock(&fake_lock);
    return status;
}

/* ---- stores and targets -------------------------------------------------- */

static enum envl_status
store_open(const char *source_json, const struct envl_host *host,
           struct envl_store **out, struct envl_error *err)
{
    struct envl_store *store = calloc(1, sizeof(*store));
    bool after;
    enum envl_status status = fake_enter(NULL, FAKE_OPEN, &after, err);

    (void)source_json;
    if (status == ENVL_OK && after) /* nobody has it: it was never there */
        status = lost(NULL, err);
    if (status == ENVL_OK) {
        store->host = host;
        store->id = ++fake_db->connections;
        store->process = fake_db->process;
        store->info = (struct envl_store_info){
            .driver = "fake", .server = "a store in memory",
            .identity = "fake", .max_workers = fake_db->max_workers,
            .immediate = fake_db->immediate };
        fake_db->live_stores++;
        fake_db->opens++;
        *out = store;
    } else {
        free(store);
    }
    pthread_mutex_unlock(&fake_lock);
    return status;
}

static void
store_close(struct envl_store *store)
{
    if (store == NULL)
        return;
    pthread_mutex_lock(&fake_lock);
    fake_drop(store);
    if (store->targets != 0)
        fake_misuse("a store is closed before its targets");
    fake_db->live_stores--;
    pthread_mutex_unlock(&fake_lock);
    free(store->record.body);
    free(store);
}

static const struct envl_store_info *
store_info(struct envl_store *store)
{
    return &store->info;
}

static int
column_of(const char *name)
{
    static const char *const names[FAKE_COLUMNS] = { "a", "b", "a_enc",
                                                     "b_enc" };

    for (int c = 0; c < (int)FAKE_COLUMNS; c++)
        if (strcmp(name, names[c]) == 0)
            return c;
    return -1;
}

static enum envl_status
target_bind(struct envl_store *store, const struct envl_target_spec *spec,
            struct envl_target **out, struct envl_error *err)
{
    static const char *const place[] = { "t" };
    struct envl_target *target = calloc(1, sizeof(*target));
    bool after;
    enum envl_status status = fake_enter(store, FAKE_BIND, &after, err);

    for (uint32_t i = 0; status == ENVL_OK && i < spec->field_count; i++) {
        const struct envl_field_spec *field = &spec->fields[i];

        target->from[i] = column_of(field->column);
        target->to[i] = field->into == NULL ? target->from[i]
                                            : column_of(field->into);
        if (target->from[i] < 0 || target->to[i] < 0)
            status = say(err, ENVL_E_NOTFOUND, "fake: no such column");
        target->fields[i] = (struct envl_field_info){
            .takes = ENVL_KIND_TEXT,
            .column = field->into == NULL ? field->column : field->into };
    }
    target->store = store;
    target->spec = spec;
    target->info = (struct envl_target_info){
        .label = "t", .place = place, .place_count = 1, .has_ids = true,
        .rows = fake_db->row_count, .fields = target->fields,
        .finds_unsealed = fake_db->finds_unsealed };
    if (status == ENVL_OK && after)
        status = lost(store, err);
    if (status == ENVL_OK) {
        store->targets++;
        fake_db->live_targets++;
        *out = target;
    } else {
        free(target);
    }
    pthread_mutex_unlock(&fake_lock);
    return status;
}

static void
target_unbind(struct envl_target *target)
{
    if (target == NULL)
        return;
    pthread_mutex_lock(&fake_lock);
    if (target->pages != 0)
        fake_misuse("a target is unbound before its pages are freed");
    target->store->targets--;
    fake_db->live_targets--;
    pthread_mutex_unlock(&fake_lock);
    free(target->read_keys);
    free(target);
}

static const struct envl_target_info *
target_info(struct envl_target *target)
{
    return &target->info;
}

static enum envl_status
target_last_key(struct envl_target *target, envl_key_fn *each, void *cookie,
                struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(target->store, FAKE_LAST_KEY, &after,
                                         err);
    uint8_t key[8];

    if (status == ENVL_OK && fake_db->row_count > 0) {
        fake_key(fake_db->rows[fake_db->row_count - 1].id, key);
        status = each(cookie, (struct envl_bytes){ key, 8 }, err);
    }
    return fake_leave(target->store, after, status, err);
}

static enum envl_status
target_split(struct envl_target *target, uint32_t parts, envl_key_fn *each,
             void *cookie, struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(target->store, FAKE_SPLIT, &after,
                                         err);
    size_t step = fake_db->row_count / parts;
    uint8_t key[8];

    for (uint32_t i = 1; status == ENVL_OK && step > 0 && i < parts; i++) {
        fake_key(fake_db->rows[i * step].id, key);
        status = each(cookie, (struct envl_bytes){ key, 8 }, err);
    }
    return fake_leave(target->store, after, status, err);
}

static enum envl_status
store_ddl(struct envl_store *store, struct envl_target *const *targets,
          uint32_t count, void (*append)(void *cookie, const char *text),
          void *cookie, struct envl_error *err)
{
    (void)store;
    (void)targets;
    (void)count;
    (void)err;
    append(cookie, "make tables\n");
    append(cookie, "grant everything\n");
    return ENVL_OK;
}

static enum envl_status
store_finish(struct envl_store *store, struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(store, FAKE_FINISH, &after, err);

    if (status == ENVL_OK && fake_db->live_stores != 1)
        status = say(err, ENVL_E_LOCKED, "fake: another connection reads");
    if (status == ENVL_OK)
        fake_db->finishes++;
    return fake_leave(store, after, status, err);
}

/* Knows two members, "query" and "xmin_age_s". */
static enum envl_status
store_pressure(struct envl_store *store, struct envl_pressure *pressure,
               struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(store, FAKE_PRESSURE, &after, err);

    pressure->limit = pressure->limit_count;
    fake_db->pressures += status == ENVL_OK && !pressure->check;
    for (uint32_t i = 0; status == ENVL_OK && i < pressure->limit_count;
         i++) {
        const struct envl_limit *limit = &pressure->limits[i];

        if (strcmp(limit->name, "query") != 0 &&
            strcmp(limit->name, "xmin_age_s") != 0 && !limit->by_default)
            status = say(err, ENVL_E_USAGE, limit->name);
        else if (fake_db->pressed != NULL &&
                 strcmp(fake_db->pressed, limit->name) == 0)
            pressure->limit = i;
    }
    snprintf(pressure->why, sizeof(pressure->why), "somebody is at work");
    return fake_leave(store, after, status, err);
}

const struct envl_migrator fake_store = {
    .size = sizeof(struct envl_migrator),
    .minor = ENVL_MIGRATOR_MINOR,
    .name = "fake",
    .open = store_open,
    .close = store_close,
    .info = store_info,
    .bind = target_bind,
    .unbind = target_unbind,
    .target_info = target_info,
    .last_key = target_last_key,
    .split = target_split,
    .read_begin = fake_read_begin,
    .read_end = fake_read_end,
    .page_free = fake_page_free,
    .write_begin = fake_write_begin,
    .write_end = fake_write_end,
    .commit_begin = fake_commit_begin,
    .commit_end = fake_commit_end,
    .rollback = fake_rollback,
    .state_setup = fake_state_setup,
    .state_read = fake_state_read,
    .state_take = fake_state_take,
    .state_release = fake_state_release,
    .state_reset = fake_state_reset,
    .quarantine_read = fake_quarantine_read,
    .ddl = store_ddl,
    .finish = store_finish,
    .pressure = store_pressure,
};
