#include <stdlib.h>

#include "postgres/guard.h"
#include "postgres/guard_state.h"

#define GAPS 8u /* besides one for each field */

void
guard_read_release(struct envl_target *target)
{
    for (uint32_t i = 0; i < target->guard_gap_count; i++)
        free(target->guard_gaps[i]);
    free(target->guard_gaps);
    target->guard_gaps = NULL;
    target->guard_gap_count = 0;
}

/* Takes what ${text} holds. */
static void
add_gap(struct envl_target *target, struct sql *text, bool *failed)
{
    char *gap = sql_take(text);

    *failed |= gap == NULL;
    if (gap != NULL)
        target->guard_gaps[target->guard_gap_count++] = gap;
}

static void
add_text(struct envl_target *target, const char *text, bool *failed)
{
    struct sql sql = { 0 };

    sql_put(&sql, text);
    add_gap(target, &sql, failed);
}

/* spec: MIG-69 */
static void
add_field_gaps(struct envl_target *target, bool *failed)
{
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        const struct pg_field *field = &target->fields[i];
        const char *why = guard_sql_gap(field);
        struct sql sql = { 0 };

        if (why == NULL)
            continue;
        guard_sql_field_name(field, &sql);
        sql_format(&sql, " is not guarded: %s", why);
        add_gap(target, &sql, failed);
    }
}

/* What was set and is not so any more. */
static void
add_losses(struct envl_target *target, const struct guard_state *state,
           bool *failed)
{
    struct sql sql = { 0 };

    if (state->bare != NULL) {
        sql_format(&sql, "triggers are off on %s", state->bare);
        add_gap(target, &sql, failed);
    } else if (!state->current) {
        add_text(target, "the job's fields are others than when the guard "
                 "was set: set it again", failed);
    } else if (state->stage == ENVL_GUARD_OFF) {
        add_text(target, "its triggers or their function are gone, turned "
                 "off or changed: set it again", failed);
    } else if (state->stage < state->asked) {
        add_text(target, "its check is gone, changed or not validated: set "
                 "it again", failed);
    }
}

static void
add_ways_round(struct envl_target *target, const struct guard_state *state,
               bool *failed)
{
    struct sql sql = { 0 };

    add_text(target, state->stage == ENVL_GUARD_STRICT
             ? "a session with session_replication_role = replica meets the "
               "check alone, which shows the row it refuses"
             : "a session with session_replication_role = replica "
               "(superusers, logical replication) passes the triggers by",
             failed);
    if (state->later != NULL) {
        sql_format(&sql, "what trigger %s writes, which runs after the "
                   "guard's", state->later);
        add_gap(target, &sql, failed);
    }
    if (state->stage >= ENVL_GUARD_MODERATE)
        add_text(target, "a COPY that is refused shows the line at fault to "
                 "the client that sent it", failed);
    if (state->stage >= ENVL_GUARD_MODERATE && !state->hushed)
        add_text(target, "the server's log shows the text of a refused "
                 "statement, with values that are no bound parameters: GRANT "
                 "SET ON PARAMETER log_min_error_statement, "
                 "log_error_verbosity to the table's owner (PostgreSQL 15), "
                 "and set the guard again", failed);
}

enum envl_status
guard_read(struct envl_target *target, const struct envl_guard_spec *spec,
           struct envl_guard_info *out, struct envl_error *err)
{
    struct guard_sql sql = { .covered = 0 };
    struct guard_state state = { .schema = false };
    enum envl_status status = guard_sql_make(target, spec, &sql, err);
    bool failed = false;

    if (status == ENVL_OK)
        status = guard_state_read(target, &sql, &state, err);
    guard_read_release(target);
    if (status == ENVL_OK)
        target->guard_gaps = calloc(target->spec->field_count + GAPS,
                                    sizeof(*target->guard_gaps));
    failed = status == ENVL_OK && target->guard_gaps == NULL;
    if (status == ENVL_OK && !failed && state.asked != ENVL_GUARD_OFF) {
        add_losses(target, &state, &failed);
        add_field_gaps(target, &failed);
        if (state.stage != ENVL_GUARD_OFF)
            add_ways_round(target, &state, &failed);
    }
    if (failed)
        status = store_nomem(target->store, err);
    if (status == ENVL_OK)
        *out = (struct envl_guard_info){
            .asked = state.asked,
            .stage = state.stage,
            .enforced = state.stage >= ENVL_GUARD_MODERATE,
            .counted = state.function,
            .writes = state.writes,
            .since_ms = state.since_ms,
            .gaps = (const char *const *)target->guard_gaps,
            .gap_count = target->guard_gap_count,
        };
    guard_state_free(&state);
    guard_sql_free(&sql);
    return status;
}

enum envl_status
guard_read_ddl(const struct envl_target *target,
               void (*append)(void *cookie, const char *text), void *cookie,
               struct envl_error *err)
{
    bool *empty_ok = calloc(target->spec->field_count + 1u, sizeof(bool));
    struct envl_guard_spec spec = { .job = "", .empty_ok = empty_ok };
    struct guard_sql guard = { .covered = 0 };
    struct guard_state state = { .schema = false };
    struct sql sql = { 0 };
    enum envl_status status;
    const char *text;

    if (empty_ok == NULL)
        return store_nomem(target->store, err);
    status = guard_sql_make(target, &spec, &guard, err);
    if (status == ENVL_OK)
        status = guard_state_read(target, &guard, &state, err);
    if (status == ENVL_OK) {
        sql_format(&sql, "\n-- Not for a sweep: `envelope guard` on %s runs "
                   "as the table's owner,\n-- who makes and drops the "
                   "triggers and the check, and needs:\n"
                   "-- GRANT USAGE, CREATE ON SCHEMA envelope TO %s;\n",
                   target->label, state.owner_name);
        if (target->store->version >= 150000)
            sql_format(&sql, "-- To keep refused statements out of the "
                       "server's log also:\n-- GRANT SET ON PARAMETER "
                       "log_min_error_statement, log_error_verbosity TO %s;"
                       "\n", state.owner_name);
        text = sql_text(&sql);
        if (text == NULL)
            status = store_nomem(target->store, err);
        else
            append(cookie, text);
    }
    sql_free(&sql);
    guard_state_free(&state);
    guard_sql_free(&guard);
    free(empty_ok);
    return status;
}
