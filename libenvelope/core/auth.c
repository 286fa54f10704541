#include "core/auth.h"

enum envl_status
auth_fail(struct envl_error *err)
{
    return envl_fail(err, ENVL_E_AUTH, "it does not open: wrong key, wrong "
                     "context, or it was changed");
}
