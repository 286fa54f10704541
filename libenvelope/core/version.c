#include <envelope/version.h>

const char *
envl_version(void)
{
    return ENVL_VERSION;
}
