/*
 * zone.h - the local time of a named time zone.
 *
 * TZ and tzset() belong to the whole process: a trigger of SQLite that says
 * 'localtime', or a library in another thread, would see them change.  So the
 * zone's own file is read (RFC 8536, version 2 and later), and what comes
 * after its last change is computed from the rule at its end, as POSIX
 * writes it in TZ.
 */
#ifndef ENGINE_ZONE_H
#define ENGINE_ZONE_H

#include <stdint.h>

#include <envelope/error.h>

struct zone;

/**
 * zone_open(name, out, err):
 * Read the zone ${name} ("Europe/Berlin"; "UTC" is always known) from
 * $TZDIR, or from where systems keep it.  Fails with ENVL_E_USAGE if there
 * is no such zone, or its file is not understood.
 */
enum envl_status zone_open(const char *name, struct zone **out,
                           struct envl_error *err);

/**
 * zone_offset(zone, when):
 * Seconds east of UTC at ${when}, in seconds since 1970 in UTC.
 */
int32_t zone_offset(const struct zone *zone, int64_t when);

void zone_free(struct zone *zone); /* NULL is ignored */

#endif /* ENGINE_ZONE_H */
