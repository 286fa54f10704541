/* A provider module of another release: it must not be used. */
#include <envelope/provider_module.h>

static enum envl_status
create(const struct envl_provider_request *request,
       struct envl_provider **out, struct envl_error *err)
{
    (void)request;
    (void)out;
    return envl_fail(err, ENVL_E_INTERNAL, "this must not be called");
}

static const char *const types[] = { "vault-transit", NULL };

ENVL_API extern const struct envl_provider_module envl_provider_module_v1;
const struct envl_provider_module envl_provider_module_v1 = {
    .abi = ENVL_PROVIDER_ABI, .name = "vault", .version = "0.0.1",
    .types = types, .create = create,
};
