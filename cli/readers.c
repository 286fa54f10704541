#include "readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

#define HOURS_USUAL 24u

enum envl_status
readers_hours(const struct cli *cli, uint64_t *out, struct envl_error *err)
{
    const uint32_t set = cli->settings.readers_hours;

    return options_number(&cli->options,
                          (struct number_rule){ OPT_WITHIN, 1, 8760,
                                                set != 0 ? set : HOURS_USUAL },
                          out, err);
}

enum readers_state
readers_state_of(const struct envl_reader_report *report, uint64_t generation,
                 uint64_t hours)
{
    const int64_t age_limit = (int64_t)hours * 3600;
    int64_t at;

    if (report->generation == 0 ||
        !clock_parse(envl_bytes_of(report->at), &at))
        return READERS_UNKNOWN;
    if (report->generation < generation)
        return READERS_BEHIND;
    return clock_now() - at > age_limit ? READERS_LATE : READERS_CURRENT;
}

static enum envl_status
how_many(const struct cli *cli, uint64_t *out, struct envl_error *err)
{
    enum envl_status status;

    status = options_number(&cli->options,
                            (struct number_rule){ OPT_READERS, 1, 100000, 0 },
                            out, err);
    /* A flag asks for more than the policy, never for less. */
    if (status == ENVL_OK && *out < cli->settings.readers)
        *out = cli->settings.readers;
    return status;
}

/* Who is not there yet, as far as the hint has room. */
static void
name_missing(const struct envl_reader_report *list, size_t count,
             uint64_t generation, uint64_t hours, char *out, size_t room)
{
    size_t len = 0;

    *out = '\0';
    for (size_t i = 0; i < count && len + 90 < room; i++)
        switch (readers_state_of(&list[i], generation, hours)) {
        case READERS_CURRENT:
            break;
        case READERS_BEHIND:
            len += (size_t)snprintf(out + len, room - len,
                                    "%s%s (generation %llu)",
                                    len > 0 ? ", " : "", list[i].reader,
                                    (unsigned long long)list[i].generation);
            break;
        case READERS_LATE:
            len += (size_t)snprintf(out + len, room - len, "%s%s (last at %s)",
                                    len > 0 ? ", " : "", list[i].reader,
                                    list[i].at);
            break;
        case READERS_UNKNOWN:
            len += (size_t)snprintf(out + len, room - len,
                                    "%s%s (no report of this keyring)",
                                    len > 0 ? ", " : "", list[i].reader);
            break;
        }
}

static enum envl_status
judge(const struct envl_reader_report *list, size_t count, uint64_t wanted,
      uint64_t generation, uint64_t hours, struct envl_error *err)
{
    char missing[240];
    size_t there = 0;

    for (size_t i = 0; i < count; i++)
        there += readers_state_of(&list[i], generation, hours) ==
                 READERS_CURRENT;
    if (there >= wanted)
        return ENVL_OK;
    /* spec: KEY-57 */
    envl_fail(err, ENVL_E_POLICY, "%zu of %llu readers have reported "
              "generation %llu", there, (unsigned long long)wanted,
              (unsigned long long)generation);
    name_missing(list, count, generation, hours, missing, sizeof(missing));
    envl_hint(err, "%s%s`envelope key report` where each of them runs",
              missing, missing[0] != '\0' ? "; " : "");
    return ENVL_E_POLICY;
}

enum envl_status
readers_check(const struct cli *cli, struct envl_keyring *ring,
              struct envl_error *err)
{
    const char *folder = settings_get(&cli->settings, SETTING_REPORTS);
    struct envl_reader_report *list = NULL;
    struct envl_ring_mark mark;
    uint64_t wanted, hours;
    enum envl_status status;
    size_t count = 0;

    if ((status = how_many(cli, &wanted, err)) != ENVL_OK ||
        (status = readers_hours(cli, &hours, err)) != ENVL_OK || wanted == 0)
        return status;
    if (folder == NULL) {
        envl_fail(err, ENVL_E_USAGE, "%llu readers are asked for, and no "
                  "folder of reports is named", (unsigned long long)wanted);
        envl_hint(err, "--reports FOLDER, or \"reports\" in the "
                  "configuration");
        return ENVL_E_USAGE;
    }
    status = envl_keyring_reports(ring, folder, &list, &count, err);
    if (status == ENVL_OK) {
        envl_keyring_mark(ring, &mark);
        status = judge(list, count, wanted, mark.generation, hours, err);
    }
    free(list);
    return status;
}

enum envl_status
readers_check_new(const struct cli *cli, struct envl_error *err)
{
    if (cli->settings.readers == 0)
        return ENVL_OK;
    envl_fail(err, ENVL_E_POLICY, "%u readers must have a key before it "
              "seals, and nobody has a new one", cli->settings.readers);
    envl_hint(err, "`envelope key add --kid KID`, let the readers report, "
              "then activate it, or rotate to it");
    return ENVL_E_POLICY;
}
