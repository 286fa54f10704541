/* The local time of a zone, held against the C library's. */
#include <time.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "engine/zone.h"
#include "engine/zone_rule.h"

#define DAY INT64_C(86400)

static void
every_zone_agrees_with_the_c_library(void **state)
{
    static const char *const names[] = {
        "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns",
        "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia",
        "Africa/Casablanca", "America/Santiago", "Asia/Tehran",
        "Antarctica/Troll", "Etc/GMT+5",
    };
    unsigned there = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct zone *zone = NULL;
        struct envl_error err = { 0 };

        if (zone_open(names[i], &zone, &err) != ENVL_OK) {
            printf("skip: %s\n", err.message);
            continue;
        }
        there++;
        setenv("TZ", names[i], 1);
        tzset();
        /* From 1975 to 2100: before, in and after what a file lists. */
        for (int64_t when = 5 * 365 * DAY; when < 130 * 365 * DAY;
             when += DAY * 3 + 4567) {
            time_t at = (time_t)when;
            struct tm local;

            localtime_r(&at, &local);
            if (zone_offset(zone, when) != local.tm_gmtoff)
                fail_msg("%s at %lld: %d, not %ld", names[i],
                         (long long)when, zone_offset(zone, when),
                         local.tm_gmtoff);
        }
        zone_free(zone);
    }
    assert_true(there >= 1);
}

static void
the_second_of_a_change_is_the_new_time(void **state)
{
    struct zone_rule rule;

    (void)state;
    assert_true(zone_rule_parse("CET-1CEST,M3.5.0,M10.5.0/3", &rule));
    /* 2026-03-29T01:00:00Z and 2026-10-25T01:00:00Z */
    assert_int_equal(zone_rule_offset(&rule, 1774746000 - 1), 3600);
    assert_int_equal(zone_rule_offset(&rule, 1774746000), 7200);
    assert_int_equal(zone_rule_offset(&rule, 1792890000 - 1), 7200);
    assert_int_equal(zone_rule_offset(&rule, 1792890000), 3600);
}

static void
what_is_no_rule_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "CET", "C-1", "CET-1CEST", "CET-1CEST,M3.5.0", "<+03-3",
        "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,J366,M10.5.0", "CET-999", "CET-1CEST,M0.1.0,M10.5.0",
    };
    struct zone_rule rule;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (zone_rule_parse(bad[i], &rule))
            fail_msg("taken: %s", bad[i]);
    assert_true(zone_rule_parse("<+0330>-3:30", &rule));
    assert_int_equal(rule.offset, 12600);
}

static void
no_name_leads_out_of_the_folder(void **state)
{
    static const char *const bad[] = { "../../etc/passwd", "/etc/passwd", "",
                                       "No/Such_Zone", "Europe" };
    struct envl_error err = { 0 };
    struct zone *zone = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(zone_open(bad[i], &zone, &err), ENVL_E_USAGE);
    assert_null(zone);
    assert_non_null(strstr(err.hint, "tzdata"));
}

static void
a_damaged_file_is_refused(void **state)
{
    char dir[] = "/tmp/envl-test-XXXXXX", path[64];
    struct envl_error err = { 0 };
    struct zone *zone = NULL;
    uint8_t bytes[200];
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/Z", dir);
    setenv("TZDIR", dir, 1);
    for (unsigned i = 0; i < 400; i++) {
        for (size_t j = 0; j < sizeof(bytes); j++)
            bytes[j] = (uint8_t)((i * 2654435761u + j * 40503u) >> 7);
        memcpy(bytes, "TZif2", 5);
        if (i % 2 == 0) /* counts that are small: more of it is looked at */
            memset(bytes + 20, 0, 24);
        file = fopen(path, "we");
        fwrite(bytes, 1, i % sizeof(bytes), file);
        fclose(file);
        assert_int_equal(zone_open("Z", &zone, &err), ENVL_E_USAGE);
    }
    unlink(path);
    rmdir(dir);
    unsetenv("TZDIR");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zone_agrees_with_the_c_library),
        cmocka_unit_test(the_second_of_a_change_is_the_new_time),
        cmocka_unit_test(what_is_no_rule_is_refused),
        cmocka_unit_test(no_name_leads_out_of_the_folder),
        cmocka_unit_test(a_damaged_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
