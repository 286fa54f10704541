#include <string.h>

#include "engine/zone_rule.h"

#define DAY 86400

/* ---- reading ------------------------------------------------------------- */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
read_number(const char **at, int32_t max, int32_t *out)
{
    int32_t value = 0;

    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++) {
        value = value * 10 + (**at - '0');
        if (value > max)
            return false;
    }
    *out = value;
    return true;
}

/* "CET", or "<+0330>". */
static bool
skip_name(const char **at)
{
    const char *begin = *at;

    if (**at == '<') {
        *at += strcspn(*at, ">");
        if (**at != '>')
            return false;
        (*at)++;
    } else {
        *at += strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "abcdefghijklmnopqrstuvwxyz");
    }
    return *at - begin >= 3;
}

/* [+-]hh[:mm[:ss]], up to a week: what comes after midnight can be far. */
static bool
read_time(const char **at, int32_t *out)
{
    int32_t sign = 1, hours, minutes = 0, seconds = 0;

    if (**at == '-' || **at == '+')
        sign = *(*at)++ == '-' ? -1 : 1;
    if (!read_number(at, 167, &hours))
        return false;
    if (**at == ':') {
        (*at)++;
        if (!read_number(at, 59, &minutes))
            return false;
        if (**at == ':') {
            (*at)++;
            if (!read_number(at, 59, &seconds))
                return false;
        }
    }
    *out = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool
read_change(const char **at, struct zone_change *out)
{
    *out = (struct zone_change){ .form = 'D', .at = 2 * 3600 };
    if (*(*at)++ != ',')
        return false;
    if (**at == 'M') {
        (*at)++;
        out->form = 'M';
        if (!read_number(at, 12, &out->month) || *(*at)++ != '.' ||
            !read_number(at, 5, &out->week) || *(*at)++ != '.' ||
            !read_number(at, 6, &out->day) || out->month < 1 ||
            out->week < 1)
            return false;
    } else {
        if (**at == 'J') {
            (*at)++;
            out->form = 'J';
        }
        if (!read_number(at, 365, &out->day))
            return false;
    }
    if (**at != '/')
        return true;
    (*at)++;
    return read_time(at, &out->at);
}

bool
zone_rule_parse(const char *text, struct zone_rule *out)
{
    struct zone_rule rule = { 0 };
    const char *at = text;
    int32_t west;

    if (!skip_name(&at) || !read_time(&at, &west))
        return false;
    rule.offset = -west;
    rule.summer = rule.offset + 3600;
    if (*at != '\0') {
        rule.has_summer = true;
        if (!skip_name(&at))
            return false;
        if (*at != ',') {
            if (!read_time(&at, &west))
                return false;
            rule.summer = -west;
        }
        if (!read_change(&at, &rule.begin) || !read_change(&at, &rule.end) ||
            *at != '\0')
            return false;
    }
    *out = rule;
    return true;
}

/* ---- computing ----------------------------------------------------------- */

static bool
is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first of January of ${year}, above 0. */
static int64_t
year_begins(int64_t year)
{
    int64_t before = year - 1;

    return (year - 1970) * 365 + (before / 4 - 1969 / 4) -
           (before / 100 - 1969 / 100) + (before / 400 - 1969 / 400);
}

static int64_t
year_of(int64_t seconds)
{
    int64_t days = seconds / DAY, year = 1970 + days / 366;

    while (year_begins(year + 1) <= days)
        year++;
    return year;
}

/* The day of the year, from 0, of the ${week}-th (5: last) ${day}. */
static int64_t
nth_day(int64_t year, const struct zone_change *change)
{
    static const int32_t before[] = { 0,   31,  59,  90,  120, 151, 181,
                                      212, 243, 273, 304, 334, 365 };
    int32_t month = change->month;
    int64_t leap = is_leap(year);
    int64_t first = before[month - 1] + (month > 2 ? leap : 0);
    int64_t next = before[month] + (month > 1 ? leap : 0);
    int64_t weekday = (year_begins(year) + first + 4) % 7; /* 0: Sunday */
    int64_t at;

    if (weekday < 0)
        weekday += 7;
    at = first + (change->day - weekday + 7) % 7 + (change->week - 1) * 7;
    return at >= next ? at - 7 : at;
}

/* Local seconds since 1970 at which the change is. */
static int64_t
change_at(int64_t year, const struct zone_change *change)
{
    int64_t day = change->day;

    if (change->form == 'M')
        day = nth_day(year, change);
    else if (change->form == 'J') /* the 29th of February is not counted */
        day += (is_leap(year) && change->day >= 60) - 1;
    return (year_begins(year) + day) * DAY + change->at;
}

int32_t
zone_rule_offset(const struct zone_rule *rule, int64_t when)
{
    int64_t year, begin, end;
    bool summer;

    if (!rule->has_summer)
        return rule->offset;
    year = year_of(when + rule->offset);
    begin = change_at(year, &rule->begin) - rule->offset;
    end = change_at(year, &rule->end) - rule->summer;
    summer = begin < end ? when >= begin && when < end
                         : when >= begin || when < end;
    return summer ? rule->summer : rule->offset;
}
