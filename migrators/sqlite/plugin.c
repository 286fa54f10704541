#include "sqlite/commit.h"
#include "sqlite/cost.h"
#include "sqlite/finish.h"
#include "sqlite/guard.h"
#include "sqlite/pressure.h"
#include "sqlite/read.h"
#include "sqlite/state.h"
#include "sqlite/write.h"

extern ENVL_API const struct envl_migrator envl_migrator_v1;

const struct envl_migrator envl_migrator_v1 = {
    .size = sizeof(struct envl_migrator),
    .minor = ENVL_MIGRATOR_MINOR,
    .name = "sqlite",
    .open = store_open,
    .close = store_close,
    .info = store_info,
    .bind = target_bind,
    .unbind = target_unbind,
    .target_info = target_info,
    .last_key = read_last_key,
    .split = read_split,
    .read_begin = read_begin,
    .read_end = read_end,
    .page_free = read_page_free,
    .write_begin = write_begin,
    .write_end = write_end,
    .commit_begin = commit_begin,
    .commit_end = commit_end,
    .rollback = commit_rollback,
    .state_setup = state_setup,
    .state_read = state_read,
    .state_take = state_take,
    .state_release = state_release,
    .state_reset = state_reset,
    .quarantine_read = state_quarantine_read,
    .ddl = finish_ddl,
    .finish = finish_run,
    .guard_set = guard_set,
    .guard_read = guard_read,
    .pressure = pressure_look,
    .cost = cost_estimate,
};
