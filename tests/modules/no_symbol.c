/* A shared object that is no provider module. */
#include <envelope/error.h>

ENVL_API int envl_nothing_of_note(void);

int
envl_nothing_of_note(void)
{
    return 0;
}
