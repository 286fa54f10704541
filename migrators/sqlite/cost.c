#include "sqlite/cost.h"
#include "sqlite/db.h"

#define SPLIT_SHARE 1.3 /* pages that rows outgrew are left part empty */

enum envl_status
cost_estimate(struct envl_target *target, struct envl_cost *cost,
              struct envl_error *err)
{
    int64_t pages = 0, size = 0;
    enum envl_status status;
    double grown = (double)cost->bytes_after - (double)cost->bytes_before;

    status = db_number(target->store, "PRAGMA page_count", &pages, err);
    if (status == ENVL_OK)
        status = db_number(target->store, "PRAGMA page_size", &size, err);
    if (status != ENVL_OK)
        return status;
    cost->table_now = (uint64_t)(pages * size);
    cost->table_growth = grown > 0 ? (uint64_t)(grown * SPLIT_SHARE) : 0;
    cost->index_growth = 0;
    cost->log_bytes = cost->table_now + cost->table_growth;
    cost->log = "journal";
    return ENVL_OK;
}
