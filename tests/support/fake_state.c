/*
 * Commits, records and leases of the fake store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake_inside.h"

static int64_t
clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
           fake_db->clock_ms;
}

struct fake_record *
fake_record_of(const char *job, uint32_t number)
{
    for (size_t i = 0; i < fake_db->record_count; i++)
        if (fake_db->records[i].number == number &&
            strcmp(fake_db->records[i].job, job) == 0)
            return &fake_db->records[i];
    return NULL;
}

struct fake_record *
fake_record(uint32_t number)
{
    return fake_record_of("j", number);
}

void
fake_drop(struct envl_store *store)
{
    for (size_t i = 0; i < store->write_count; i++)
        free(store->writes[i].text);
    free(store->writes);
    store->writes = NULL;
    store->write_count = store->write_cap = 0;
    free(store->outcomes);
    store->outcomes = NULL;
    for (size_t i = 0; i < fake_db->row_count; i++)
        if (fake_db->rows[i].holder == store->id)
            fake_db->rows[i].holder = 0;
}

static void
copy_record(struct fake_record *to, const struct envl_record *from)
{
    free(to->body);
    *to = (struct fake_record){ .number = from->number,
                                .epoch = from->epoch,
                                .body_len = from->body.len };
    snprintf(to->job, sizeof(to->job), "%s", from->job);
    snprintf(to->owner, sizeof(to->owner), "%s", from->owner);
    memcpy(to->mac, from->mac, sizeof(to->mac));
    to->body = malloc(from->body.len + 1);
    memcpy(to->body, from->body.ptr, from->body.len);
}

static void
set(struct fake_record *record, const struct envl_record *from,
    uint32_t ttl_ms)
{
    copy_record(record, from);
    record->process = fake_db->process;
    record->expires = record->owner[0] == '\0' ? 0 : clock_ms() + ttl_ms;
}

static struct fake_record *
new_record(void)
{
    fake_db->records = fake_grow(fake_db->records, fake_db->record_count,
                                 &fake_db->record_cap,
                                 sizeof(*fake_db->records));
    fake_db->records[fake_db->record_count] = (struct fake_record){ 0 };
    return &fake_db->records[fake_db->record_count++];
}

/* ---- commit -------------------------------------------------------------- */

static void
list(const struct envl_quarantine *item)
{
    size_t at = 0;

    for (; at < fake_db->quarantine_count; at++) {
        if (strcmp(fake_db->quarantine[at].row, item->row) == 0 &&
            strcmp(fake_db->quarantine[at].field, item->field) == 0)
            break;
    }
    if (at == sizeof(fake_db->quarantine) / sizeof(fake_db->quarantine[0]))
        return;
    snprintf(fake_db->quarantine[at].target, 64, "%s", item->target);
    snprintf(fake_db->quarantine[at].field, 128, "%s", item->field);
    snprintf(fake_db->quarantine[at].row, 64, "%s", item->row);
    snprintf(fake_db->quarantine[at].state, 64, "%s", item->state);
    memcpy(fake_db->quarantine[at].digest, item->digest, 32);
    if (at == fake_db->quarantine_count)
        fake_db->quarantine_count++;
}

static bool
is_envelope(const char *text)
{
    return text != NULL && strncmp(text, "env1:", 5) == 0;
}

void
fake_apply(struct envl_store *store, size_t count)
{
    size_t done = 0;

    while (done < store->write_count &&
           (done < count ||
            (done > 0 &&
             store->writes[done].id == store->writes[done - 1].id))) {
        struct fake_write *write = &store->writes[done++];
        struct fake_row *row = fake_row(write->id);

        if (row == NULL)
            continue;
        if (row->sealed_by_us[write->column] && is_envelope(write->text) &&
            strncmp(row->columns[write->column], write->text, 8) == 0)
            fake_db->double_seals++;
        free(row->columns[write->column]);
        row->columns[write->column] = write->text;
        row->sealed_by_us[write->column] = is_envelope(write->text);
        row->version++;
        write->text = NULL;
    }
    for (size_t i = 0; i < done; i++)
        free(store->writes[i].text); /* of rows that are gone */
    if (done > 0)
        memmove(store->writes, store->writes + done,
                (store->write_count - done) * sizeof(*store->writes));
    store->write_count -= done;
}

static void
apply(struct envl_store *store)
{
    fake_apply(store, store->write_count);
    fake_drop(store);
}

/*
 * The commit is over when commit_begin answers; the engine cannot know, since
 * a fault after it, or before commit_end, looks the same from outside as one
 * before it.
 */
enum envl_status
fake_commit_begin(struct envl_store *store, const struct envl_commit *commit,
                  struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(store, FAKE_COMMIT_BEGIN, &after,
                                         err);

    if (store->committing || store->writing != NULL)
        fake_misuse("a commit is begun while something is under way");
    if (status == ENVL_OK) {
        copy_record(&store->record, commit->record);
        store->ttl_ms = commit->ttl_ms;
        store->committing = true;
        for (uint32_t i = 0; i < commit->quarantine_count; i++)
            list(&commit->quarantine[i]);
        status = fake_put_record(store, err);
    }
    status = fake_leave(store, after, status, err);
    store->committing = status == ENVL_OK;
    return status;
}

enum envl_status
fake_put_record(struct envl_store *store, struct envl_error *err)
{
    struct fake_record *stored = fake_record_of(store->record.job,
                                                store->record.number);
    struct envl_record put = {
        .job = store->record.job,
        .number = store->record.number,
        .epoch = store->record.epoch,
        .owner = store->record.owner,
        .body = { store->record.body, store->record.body_len },
    };

    if (stored == NULL || stored->epoch != store->record.epoch ||
        strcmp(stored->owner, store->record.owner) != 0) {
        fake_drop(store);
        return envl_fail(err, ENVL_E_CONFLICT, "fake: the epoch is over");
    }
    memcpy(put.mac, store->record.mac, sizeof(put.mac));
    set(stored, &put, store->ttl_ms);
    apply(store);
    fake_db->commits++;
    return ENVL_OK;
}

enum envl_status
fake_commit_end(struct envl_store *store, struct envl_error *err)
{
    bool after;
    bool begun = store->committing;
    enum envl_status status = fake_enter(store, FAKE_COMMIT_END, &after, err);

    if (!begun)
        fake_misuse("a commit is ended that was not begun");
    store->committing = false;
    return fake_leave(store, after, status, err);
}

void
fake_rollback(struct envl_store *store)
{
    pthread_mutex_lock(&fake_lock);
    if (store->writing != NULL || store->committing)
        fake_misuse("a rollback before the end of what was begun");
    fake_drop(store);
    pthread_mutex_unlock(&fake_lock);
}

/* ---- records ------------------------------------------------------------- */

enum envl_status
fake_state_setup(struct envl_store *store, struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(store, FAKE_STATE_SETUP, &after, err);

    if (status == ENVL_OK)
        fake_db->tables = true;
    return fake_leave(store, after, status, err);
}

enum envl_status
fake_state_read(struct envl_store *store, const char *job,
                envl_record_fn *each, void *cookie, struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(store, FAKE_STATE_READ, &after, err);

    for (size_t i = 0; status == ENVL_OK && i < fake_db->record_count; i++) {
        const struct fake_record *at = &fake_db->records[i];
        struct envl_record record = {
            .job = job,
            .number = at->number,
            .epoch = at->epoch,
            .owner = at->owner,
            .body = { at->body, at->body_len },
            .lease_ms = at->expires - clock_ms(),
            .owner_gone = at->process != fake_db->process,
        };

        if (strcmp(at->job, job) != 0)
            continue;
        memcpy(record.mac, at->mac, sizeof(record.mac));
        status = each(cookie, &record, err);
    }
    return fake_leave(store, after, status, err);
}

enum envl_status
fake_state_take(struct envl_store *store, const struct envl_record *next,
                uint32_t ttl_ms, struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(store, FAKE_STATE_TAKE, &after, err);
    struct fake_record *record = fake_record_of(next->job, next->number);

    if (status != ENVL_OK)
        return fake_leave(store, after, status, err);
    if ((record == NULL ? 0 : record->epoch) != next->epoch - 1) {
        status = envl_fail(err, ENVL_E_CONFLICT, "fake: the epoch moved on");
    } else if (record != NULL && record->owner[0] != '\0' &&
               record->expires > clock_ms() &&
               record->process == fake_db->process &&
               strcmp(record->owner, next->owner) != 0) {
        status = envl_fail(err, ENVL_E_LOCKED, "fake: it is held");
    } else {
        if (record == NULL)
            record = new_record();
        set(record, next, ttl_ms);
    }
    return fake_leave(store, after, status, err);
}

enum envl_status
fake_state_release(struct envl_store *store, const struct envl_record *record,
                   struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(store, FAKE_STATE_RELEASE, &after,
                                         err);
    struct fake_record *stored = fake_record_of(record->job, record->number);

    if (status == ENVL_OK && stored != NULL &&
        stored->epoch == record->epoch &&
        strcmp(stored->owner, record->owner) == 0) {
        stored->owner[0] = '\0';
        stored->expires = 0;
    }
    return fake_leave(store, after, status, err);
}

enum envl_status
fake_state_reset(struct envl_store *store, const struct envl_record *job,
                 const struct envl_record *ranges, uint32_t count,
                 struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(store, FAKE_STATE_RESET, &after, err);
    struct fake_record *stored = fake_record_of(job->job, 0);
    size_t kept = 0;

    if (status == ENVL_OK &&
        (stored == NULL || stored->epoch != job->epoch))
        status = envl_fail(err, ENVL_E_CONFLICT, "fake: the epoch is over");
    if (status == ENVL_OK) {
        for (size_t i = 0; i < fake_db->record_count; i++) {
            if (strcmp(fake_db->records[i].job, job->job) == 0)
                free(fake_db->records[i].body);
            else
                fake_db->records[kept++] = fake_db->records[i];
        }
        fake_db->record_count = kept;
        set(new_record(), job, 15000);
        for (uint32_t i = 0; i < count; i++)
            set(new_record(), &ranges[i], 0);
        fake_db->quarantine_count = 0;
    }
    return fake_leave(store, after, status, err);
}

enum envl_status
fake_quarantine_read(struct envl_store *store, const char *job,
                     uint32_t limit, envl_quarantine_fn *each, void *cookie,
                     struct envl_error *err)
{
    bool after;
    enum envl_status status = fake_enter(store, FAKE_QUARANTINE_READ, &after,
                                         err);

    (void)job;
    for (size_t i = 0;
         status == ENVL_OK && i < fake_db->quarantine_count && i < limit;
         i++) {
        struct envl_quarantine item = {
            .target = fake_db->quarantine[i].target,
            .field = fake_db->quarantine[i].field,
            .row = fake_db->quarantine[i].row,
            .state = fake_db->quarantine[i].state,
        };

        memcpy(item.digest, fake_db->quarantine[i].digest, 32);
        status = each(cookie, &item, err);
    }
    return fake_leave(store, after, status, err);
}
