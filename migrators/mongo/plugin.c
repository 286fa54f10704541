#include "mongo/bind.h"
#include "mongo/commit.h"
#include "mongo/grants.h"
#include "mongo/guard.h"
#include "mongo/read.h"
#include "mongo/record.h"
#include "mongo/split.h"
#include "mongo/state.h"
#include "mongo/write.h"

extern ENVL_API const struct envl_migrator envl_migrator_v1;

const struct envl_migrator envl_migrator_v1 = {
    .size = sizeof(struct envl_migrator),
    .minor = ENVL_MIGRATOR_MINOR,
    .name = "mongo",
    .open = store_open,
    .close = store_close,
    .info = store_info,
    .bind = bind_target,
    .unbind = bind_release,
    .target_info = bind_info,
    .last_key = split_last,
    .split = split_keys,
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
    .ddl = grants_ddl,
    .finish = NULL,
    .guard_set = guard_set,
    .guard_read = guard_read,
};
