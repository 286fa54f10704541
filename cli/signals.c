#include <stddef.h>

#include "signals.h"

volatile sig_atomic_t signals_stop;
static volatile sig_atomic_t first;

static void
count(int number)
{
    if (signals_stop == 0)
        first = number;
    if (signals_stop < 2)
        signals_stop++;
}

void
signals_watch(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = count,
                                .sa_flags = SA_RESTART };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        sigaction(numbers[i], &action, NULL);
}

int
signals_exit_code(enum envl_status status)
{
    if (status == ENVL_E_INTERRUPTED && first == SIGTERM)
        return 128 + SIGTERM;
    return envl_status_exit_code(status);
}
