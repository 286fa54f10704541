/* Dates: RFC 3339 in UTC, whole seconds, and only days that exist. */
#include "core/clock.h"
#include "cmocka_all.h"

static const struct date_row {
    const char *text;
    bool valid;
    int64_t seconds;
} rows[] = {
    { "1970-01-01T00:00:00Z", true, 0 },
    { "2026-11-22T20:43:46Z", true, 1795380226 },
    { "0001-01-01T00:00:00Z", true, -62135596800 },
    { "9999-12-31T23:59:59Z", true, 253402300799 },
    { "2024-02-29T12:00:00Z", true, 1709208000 },
    { "2000-02-29T00:00:00Z", true, 951782400 },
    { "2023-02-29T12:00:00Z", false, 0 },
    { "2100-02-29T00:00:00Z", false, 0 },
    { "0000-01-01T00:00:00Z", false, 0 },
    { "2026-00-10T00:00:00Z", false, 0 },
    { "2026-13-10T00:00:00Z", false, 0 },
    { "2026-04-31T00:00:00Z", false, 0 },
    { "2026-04-00T00:00:00Z", false, 0 },
    { "2026-04-01T24:00:00Z", false, 0 },
    { "2026-04-01T23:60:00Z", false, 0 },
    { "2026-04-01T23:59:60Z", false, 0 }, /* no leap second */
    { "2026-04-01t23:59:59Z", false, 0 },
    { "2026-04-01T23:59:59z", false, 0 },
    { "2026-04-01T23:59:59", false, 0 },
    { "2026-04-01T23:59:59+00:00", false, 0 },
    { "2026-04-01T23:59:59.0Z", false, 0 },
    { "2026-4-01T23:59:59Z", false, 0 },
    { " 026-04-01T23:59:59Z", false, 0 },
    { "2026-04-01T23:59:59Z ", false, 0 },
    { "", false, 0 },
};

static void
dates_are_read_as_the_spec_says(void **state)
{
    (void)state;
    /* spec: KEY-37 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int64_t seconds = 0;

        if (clock_parse(envl_bytes_of(rows[i].text), &seconds) !=
                rows[i].valid || seconds != rows[i].seconds)
            fail_msg("'%s': %lld", rows[i].text, (long long)seconds);
        assert_int_equal(clock_parse(envl_bytes_of(rows[i].text), NULL),
                         rows[i].valid);
    }
}

static void
what_is_printed_reads_back(void **state)
{
    (void)state;
    for (int64_t t = -62135596800; t <= 253402300799; t += 86399 * 1009) {
        char date[CLOCK_DATE_SIZE];
        int64_t back = 0;

        clock_print(t, date);
        assert_true(clock_parse(envl_bytes_of(date), &back));
        assert_true(back == t);
    }
}

static void
years_are_held_to_four_digits(void **state)
{
    char date[CLOCK_DATE_SIZE];

    (void)state;
    clock_print(INT64_MAX, date);
    assert_string_equal(date, "9999-12-31T23:59:59Z");
    clock_print(INT64_MIN, date);
    assert_string_equal(date, "0001-01-01T00:00:00Z");
}

static void
the_clocks_agree_and_go_on(void **state)
{
    int64_t a = clock_monotonic_ms(), c = clock_coarse_ms(), b;

    (void)state;
    clock_sleep_us(20000);
    b = clock_monotonic_ms();
    assert_true(b - a >= 20 && b - a < 5000);
    assert_true(c <= a + 1 && c > a - 100);
    assert_true(clock_now() - clock_now_ms() / 1000 <= 0);
    assert_true(clock_now() > 1700000000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read_as_the_spec_says),
        cmocka_unit_test(what_is_printed_reads_back),
        cmocka_unit_test(years_are_held_to_four_digits),
        cmocka_unit_test(the_clocks_agree_and_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
