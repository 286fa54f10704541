#include "postgres/bind.h"
#include "postgres/commit.h"
#include "postgres/cost.h"
#include "postgres/guard.h"
#include "postgres/pressure.h"
#include "postgres/read.h"
#include "postgres/record.h"
#include "postgres/select.h"
#include "postgres/session.h"
#include "postgres/state.h"
#include "postgres/write.h"

/* The one symbol of this plugin (spec: MIG-1). */
ENVL_API const struct envl_migrator envl_migrator_v1 = {
    .size = sizeof(struct envl_migrator),
    .minor = ENVL_MIGRATOR_MINOR,
    .name = "postgres",
    .open = session_open,
    .close = session_close,
    .info = session_info,
    .bind = bind_target,
    .unbind = bind_release,
    .target_info = bind_info,
    .last_key = select_last_key,
    .split = select_split,
    .read_begin = read_begin,
    .read_end = read_end,
    .page_free = read_page_free,
    .write_begin = write_begin,
    .write_end = write_end,
    .commit_begin = commit_begin,
    .commit_end = commit_end,
    .rollback = commit_rollback,
    .state_setup = state_setup,
    .state_read = record_read,
    .state_take = record_take,
    .state_release = record_release,
    .state_reset = state_reset,
    .quarantine_read = state_quarantine,
    .ddl = state_ddl,
    .guard_set = guard_set,
    .guard_read = guard_read,
    .pressure = pressure_look,
    .cost = cost_estimate,
};
