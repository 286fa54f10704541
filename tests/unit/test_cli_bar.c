/* The line of a sweep, at every width; cli/ is no library, so its files are
   taken in. */
#include "cmocka_all.h"

#include "../../cli/bar.c"
#include "../../cli/human.c"
#include "../../cli/printable.c"

/* Columns of ${text}, its escapes left out; wide characters are not here. */
static unsigned
columns_of(const char *text)
{
    unsigned columns = 0;

    for (; *text != '\0'; text++) {
        if (*text == '\033') {
            text += strcspn(text, "m");
            continue;
        }
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return columns;
}

static const struct engine_event half = {
    .kind = ENGINE_PROGRESS, .rows = 5838211, .rows_total = 10183020,
    .rows_per_s = 11800, .eta_s = 370, .batch_rows = 1850, .batch_ms = 201,
    .conflicts = 214, .quarantined = 24,
};

static void
it_fits_at_every_width_and_says_how_wide_it_is(void **state)
{
    struct bar_state at = { "sweep", "", 0, &half };
    char line[BAR_SIZE];

    (void)state;
    for (unsigned width = 0; width < 250; width++) {
        for (unsigned look = 0; look < 8; look++) {
            struct bar_style style = { width, look & 1, look & 2 };
            unsigned columns;

            at.waiting = look & 4 ? "yielding: autovacuum runs on public.t"
                                  : "";
            at.waited_s = 41;
            columns = bar_draw(&style, &at, line);
            assert_true(columns <= width);
            assert_int_equal(columns_of(line), columns);
            if (!style.colour)
                assert_null(strchr(line, '\033'));
        }
    }
}

static void
a_wide_terminal_shows_everything(void **state)
{
    struct bar_style style = { 200, false, false };
    struct bar_state at = { "sweep", "", 0, &half };
    char line[BAR_SIZE];

    (void)state;
    bar_draw(&style, &at, line);
    assert_string_equal(line, "sweep 57.3 % [#################-------------]"
                        "  5,838,211/10,183,020  11.8k/s  ETA 6 min 10 s"
                        "  batch 1850 (201 ms)  quarantined 24"
                        "  conflicts 214");
}

static void
what_matters_least_goes_first(void **state)
{
    static const struct { unsigned width; const char *there, *gone; } cases[] =
    {
        { 110, "batch", "conflicts" }, { 90, "5,838,211", "batch" },
        { 66, "ETA", "5,838,211" },    { 58, "quarantined", "11.8k" },
        { 40, "ETA", "quarantined" },  { 14, "57.3 %", "[" },
    };
    struct bar_state at = { "sweep", "", 0, &half };
    char line[BAR_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bar_style style = { cases[i].width, false, false };

        bar_draw(&style, &at, line);
        if (strstr(line, cases[i].there) == NULL ||
            strstr(line, cases[i].gone) != NULL)
            fail_msg("%u: %s", cases[i].width, line);
    }
}

static void
why_it_waits_is_shown_and_cannot_draw(void **state)
{
    struct bar_style style = { 100, false, false };
    struct bar_state at = { "sweep", "yielding: \033[31m\n\302\233x", 61,
                            &half };
    char line[BAR_SIZE];

    (void)state;
    bar_draw(&style, &at, line);
    assert_non_null(strstr(line, "waits 61 s: yielding: ?[31m??x"));
    assert_null(strchr(line, '\n'));
    style.width = 40;
    bar_draw(&style, &at, line);
    assert_non_null(strstr(line, "yieldi"));
}

static void
numbers_are_as_people_read_them(void **state)
{
    char out[HUMAN_SIZE];

    (void)state;
    assert_string_equal(human_count(0, out), "0");
    assert_string_equal(human_count(999, out), "999");
    assert_string_equal(human_count(1000, out), "1,000");
    assert_string_equal(human_count(UINT64_MAX, out),
                        "18,446,744,073,709,551,615");
    assert_string_equal(human_short(999.4, out), "999");
    assert_string_equal(human_short(999.6, out), "1.0k");
    assert_string_equal(human_short(11800, out), "11.8k");
    assert_string_equal(human_bytes(1.4e9, out), "1.4 GB");
    assert_string_equal(human_bytes(12, out), "12 bytes");
    assert_string_equal(human_time(99.4, out), "99 s");
    assert_string_equal(human_time(370, out), "6 min 10 s");
    assert_string_equal(human_time(7500, out), "2 h 05 min");
    assert_string_equal(human_time(100 * 3600, out), "4 d 4 h");
    assert_string_equal(human_time(-5, out), "0 s");
    assert_true(strlen(human_time(1e300, out)) < HUMAN_SIZE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_fits_at_every_width_and_says_how_wide_it_is),
        cmocka_unit_test(a_wide_terminal_shows_everything),
        cmocka_unit_test(what_matters_least_goes_first),
        cmocka_unit_test(why_it_waits_is_shown_and_cannot_draw),
        cmocka_unit_test(numbers_are_as_people_read_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
