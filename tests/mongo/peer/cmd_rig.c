#include <stdio.h>
#include <string.h>

#include "cmd.h"

/* {at, kind, times, command, ms} */
static bool
add_fault(struct peer_request *request, const bson_t *spec)
{
    struct fault fault = { .times = 1 };
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, spec, "kind") ||
        !BSON_ITER_HOLDS_UTF8(&iter))
        return value_trouble(&request->trouble, 2, "BadValue", "no kind");
    fault.kind = fault_kind_of(bson_iter_utf8(&iter, NULL));
    if (fault.kind == FAULT_KINDS)
        return value_trouble(&request->trouble, 2, "BadValue",
                             "no fault of that kind");
    if (bson_iter_init_find(&iter, spec, "at"))
        fault.at = (uint64_t)value_int64(bson_iter_value(&iter));
    if (bson_iter_init_find(&iter, spec, "times"))
        fault.times = (uint32_t)value_int64(bson_iter_value(&iter));
    if (bson_iter_init_find(&iter, spec, "ms"))
        fault.ms = (uint32_t)value_int64(bson_iter_value(&iter));
    if (bson_iter_init_find(&iter, spec, "command") &&
        BSON_ITER_HOLDS_UTF8(&iter))
        snprintf(fault.command, sizeof(fault.command), "%s",
                 bson_iter_utf8(&iter, NULL));
    return fault_set(&fault) ||
           value_trouble(&request->trouble, 2, "BadValue",
                         "too many faults");
}

bool
cmd_rig_control(struct peer_request *request)
{
    bson_t fault;

    if (peer_flag(request, "empty"))
        store_reset();
    if (peer_flag(request, "reset"))
        fault_reset();
    if (peer_doc(request, "fault", &fault) && !add_fault(request, &fault))
        return false;
    bson_append_int64(request->reply, "requests", -1,
                      (int64_t)fault_requests());
    bson_append_int64(request->reply, "hits", -1, (int64_t)fault_hits());
    return true;
}
