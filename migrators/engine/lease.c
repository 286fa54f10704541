#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/lease.h"

struct gather {
    const struct env *env;
    struct lease_list list;
};

static struct lease_record *
add(struct lease_list *list)
{
    if (list->count == list->cap) {
        size_t cap = list->cap == 0 ? 16 : list->cap * 2;
        struct lease_record *more = realloc(list->records,
                                            cap * sizeof(*more));

        if (more == NULL)
            return NULL;
        list->records = more;
        list->cap = cap;
    }
    return &list->records[list->count];
}

static enum envl_status
take_in(void *cookie, const struct envl_record *record, struct envl_error *err)
{
    struct gather *gather = cookie;
    const char *owner = record->owner == NULL ? "" : record->owner;
    struct lease_record *to = add(&gather->list);
    enum envl_status status;

    if (to == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for job records");
    *to = (struct lease_record){
        .number = record->number,
        .epoch = record->epoch,
        .ours = strcmp(owner, gather->env->owner) == 0,
        .held = owner[0] != '\0' && record->lease_ms > 0 &&
                !record->owner_gone,
        .lease_ms = record->lease_ms,
    };
    snprintf(to->owner, sizeof(to->owner), "%s", owner);
    if (gather->env->auth != NULL)
        to->mac = record_check(gather->env->auth, record, NULL);
    status = envl_buf_append(&to->body, record->body, err);
    if (status == ENVL_OK)
        gather->list.count++;
    return status;
}

enum envl_status
lease_list_read(struct session *session, struct lease_list *out,
                struct envl_error *err)
{
    return lease_list_read_of(session, session->env->job->name, out, err);
}

enum envl_status
lease_list_read_of(struct session *session, const char *job,
                   struct lease_list *out, struct envl_error *err)
{
    struct gather gather = { .env = session->env };
    enum envl_status status;

    status = session->env->ops->state_read(session->store, job, take_in,
                                           &gather, err);
    if (status != ENVL_OK) {
        lease_list_free(&gather.list);
        return status;
    }
    *out = gather.list;
    return ENVL_OK;
}

const struct lease_record *
lease_list_find(const struct lease_list *list, uint32_t number)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->records[i].number == number)
            return &list->records[i];
    }
    return NULL;
}

void
lease_list_free(struct lease_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        envl_buf_free(&list->records[i].body);
    free(list->records);
    *list = (struct lease_list){ 0 };
}

struct envl_record
lease_record_of(const struct env *env, uint32_t number, uint64_t epoch,
                struct envl_bytes body)
{
    return lease_record_for(env, env->job->name, number, epoch, body);
}

struct envl_record
lease_record_for(const struct env *env, const char *job, uint32_t number,
                 uint64_t epoch, struct envl_bytes body)
{
    struct envl_record record = {
        .job = job,
        .number = number,
        .epoch = epoch,
        .owner = env->owner,
        .body = body,
    };

    if (env->auth != NULL)
        record_sign(env->auth, &record);
    return record;
}

enum envl_status
lease_take(struct session *session, const struct envl_record *record,
           struct envl_error *err)
{
    return session->env->ops->state_take(session->store, record, ENV_TTL_MS,
                                         err);
}

enum envl_status
lease_commit(struct session *session, const struct envl_record *record,
             struct envl_error *err)
{
    const struct envl_migrator *ops = session->env->ops;
    struct envl_commit commit = { .record = record, .ttl_ms = ENV_TTL_MS };
    enum envl_status status;

    status = ops->commit_begin(session->store, &commit, err);
    if (status == ENVL_OK)
        status = ops->commit_end(session->store, err);
    if (status != ENVL_OK)
        ops->rollback(session->store);
    return status;
}

void
lease_release(struct session *session, const struct envl_record *record)
{
    if (session->store != NULL)
        (void)session->env->ops->state_release(session->store, record, NULL);
}
