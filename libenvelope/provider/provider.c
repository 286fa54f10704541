#include <envelope/provider.h>

void
envl_provider_free(struct envl_provider *provider)
{
    if (provider != NULL)
        provider->ops->free(provider);
}
