/*
 * readers.h - a key is activated when those who read have the ring that holds
 * it (spec KEY-43, KEY-55 to KEY-57).
 */
#ifndef CLI_READERS_H
#define CLI_READERS_H

#include <envelope/keyring.h>

#include "command.h"

enum readers_state {
    READERS_CURRENT, /* has the ring's present generation, and said so lately */
    READERS_BEHIND,  /* has an older one                                      */
    READERS_LATE,    /* has it, and has not reported for too long             */
    READERS_UNKNOWN  /* its file is no report of this ring                    */
};

/**
 * readers_hours(cli, out, err):
 * How old a report may be: --within, the settings, or 24.  ENVL_E_USAGE.
 */
enum envl_status readers_hours(const struct cli *cli, uint64_t *out,
                               struct envl_error *err);

/**
 * readers_state_of(report, generation, hours):
 * What ${report} says, if ${generation} is the ring's.
 */
enum readers_state readers_state_of(const struct envl_reader_report *report,
                                    uint64_t generation, uint64_t hours);

/**
 * readers_check(cli, ring, err):
 * ENVL_E_POLICY unless as many readers as --readers and the settings ask for
 * have the ring's generation.  None are asked for: ENVL_OK.
 */
enum envl_status readers_check(const struct cli *cli,
                               struct envl_keyring *ring,
                               struct envl_error *err);

/**
 * readers_check_new(cli, err):
 * ENVL_E_POLICY if readers are asked for: nobody can have a key that is only
 * being made.
 */
enum envl_status readers_check_new(const struct cli *cli,
                                   struct envl_error *err);

#endif /* CLI_READERS_H */
