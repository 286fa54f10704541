/*
 * zone_rule.h - the rule of a time zone, as POSIX writes it in TZ.
 */
#ifndef ENGINE_ZONE_RULE_H
#define ENGINE_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* When summer time begins or ends. */
struct zone_change {
    char form;                 /* 'M' month.week.day, 'J' or 'D' (day) */
    int32_t month, week, day;
    int32_t at;                /* seconds after local midnight         */
};

struct zone_rule {
    int32_t offset;            /* seconds east of UTC                  */
    int32_t summer;            /* the same in summer time              */
    bool has_summer;
    struct zone_change begin, end;
};

/**
 * zone_rule_parse(text, out):
 * Read "CET-1CEST,M3.5.0,M10.5.0/3"; false if it is none.
 */
bool zone_rule_parse(const char *text, struct zone_rule *out);

/**
 * zone_rule_offset(rule, when):
 * Seconds east of UTC at ${when}.
 */
int32_t zone_rule_offset(const struct zone_rule *rule, int64_t when);

#endif /* ENGINE_ZONE_RULE_H */
