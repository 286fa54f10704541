#include <stdio.h>
#include <string.h>

#include "postgres/pressure_seen.h"

#define STEPS 16.0 /* samples in the time of one limit */

void
pressure_seen_log(struct pressure_seen *seen, double now, uint64_t lsn,
                  double limit)
{
    uint32_t last = seen->count - 1;

    /* A standby that was promoted, or another server, begins anew. */
    if (seen->count > 0 && lsn < seen->samples[last].lsn)
        seen->count = 0;
    if (seen->count > 0 && now - seen->samples[last].at < limit / STEPS)
        return;
    if (seen->count == PRESSURE_SAMPLES) {
        memmove(&seen->samples[0], &seen->samples[1],
                (PRESSURE_SAMPLES - 1) * sizeof(seen->samples[0]));
        seen->count--;
    }
    seen->samples[seen->count].at = now;
    seen->samples[seen->count++].lsn = lsn;
}

double
pressure_seen_lag(const struct pressure_seen *seen, double now, uint64_t lsn)
{
    for (uint32_t i = 0; i < seen->count; i++) {
        if (seen->samples[i].lsn > lsn)
            return now - seen->samples[i].at;
    }
    return 0;
}

double
pressure_seen_age(struct pressure_seen *seen, double now, const char *horizon)
{
    if (horizon == NULL)
        horizon = "";
    if (strcmp(seen->horizon, horizon) != 0) {
        snprintf(seen->horizon, sizeof(seen->horizon), "%s", horizon);
        seen->since = now;
    }
    return horizon[0] == '\0' ? 0 : now - seen->since;
}
