/* What the user is told, and what plugins say. */
#include <time.h>

#include "cmocka_all.h"
#include "engine/progress.h"

struct heard {
    unsigned progress, notes, waits;
    bool again;               /* of the last wait */
    struct engine_event last; /* of the progress */
    char text[300];           /* of the last note or wait */
};

static void
hear(void *cookie, const struct engine_event *event)
{
    struct heard *heard = cookie;

    switch (event->kind) {
    case ENGINE_PROGRESS:
        heard->progress++;
        heard->last = *event;
        return;
    case ENGINE_NOTE:
        heard->notes++;
        break;
    case ENGINE_WAITING:
        heard->waits++;
        heard->again = event->again;
        break;
    case ENGINE_PHASE:
        return;
    }
    snprintf(heard->text, sizeof(heard->text), "%s", event->text);
}

static void
nap(unsigned ms)
{
    struct timespec time = { 0, (long)ms * 1000000 };

    nanosleep(&time, NULL);
}

static const struct job no_job = { .lock_ms = 250, .statement_ms = 15000 };

static void
a_note_is_kept_once_however_often_it_is_said(void **state)
{
    struct host host;
    struct host_note note;

    (void)state;
    host_init(&host, &no_job);
    for (unsigned i = 0; i < 4; i++) {
        host.base.note(host.base.cookie, ENVL_NOTE_WARN, "t", "a trigger");
        host.base.note(host.base.cookie, ENVL_NOTE_INFO, NULL, "a fact");
    }
    assert_int_equal(host.count, 2);
    assert_true(host_take(&host, 0, &note));
    assert_string_equal(note.target, "t");
    assert_true(host_take(&host, 1, &note));
    assert_string_equal(note.target, "");
    assert_false(host_take(&host, 2, &note));
    assert_int_equal(host.base.lock_ms, 250);
    host_free(&host);
}

static void
the_host_writes_errors_for_plugins(void **state)
{
    struct envl_error err;
    struct host host;

    (void)state;
    host_init(&host, &no_job);
    /* The name is a macro of cmocka's, too. */
    assert_int_equal((host.base.fail)(&err, ENVL_E_LOCKED, "100%s of it"),
                     ENVL_E_LOCKED);
    host.base.hint(&err, "try %d");
    assert_string_equal(err.message, "100%s of it"); /* text, no format */
    assert_string_equal(err.hint, "try %d");
    host_free(&host);
}

static void
tick(struct progress *progress, uint64_t rows, const struct ledger *sum,
     const char *waiting)
{
    struct progress_state now = { .rows = rows, .sum = *sum,
                                  .waiting = waiting };

    now.reason = waiting[0] == '\0' ? "" : "database";
    progress_tick(progress, &now);
}

static void
facts_are_for_the_plan_and_warnings_for_all(void **state)
{
    struct heard heard = { 0 };
    struct engine_options options = { .event = hear, .cookie = &heard };
    struct ledger sum = { 0 };
    struct progress progress;
    struct host host;

    (void)state;
    host_init(&host, &no_job);
    progress_init(&progress, &options, &host);
    host_note(&host, ENVL_NOTE_INFO, "t", "a fact");
    host_note(&host, ENVL_NOTE_WARN, "t", "beware");
    tick(&progress, 0, &sum, "");
    tick(&progress, 0, &sum, "");

    assert_int_equal(heard.notes, 1);
    assert_string_equal(heard.text, "beware");
    host_free(&host);
}

static void
progress_is_told_ten_times_a_second_at_most(void **state)
{
    struct heard heard = { 0 };
    struct engine_options options = { .event = hear, .cookie = &heard };
    struct ledger sum = { .sealed = 7 };
    struct progress progress;
    struct host host;

    (void)state;
    host_init(&host, &no_job);
    progress_init(&progress, &options, &host);
    progress_phase(&progress, "sweep", 0, 1000);
    for (unsigned i = 0; i < 1000; i++)
        tick(&progress, 5, &sum, "");
    assert_int_equal(heard.progress, 0);
    nap(120);
    tick(&progress, 5, &sum, "");
    assert_int_equal(heard.progress, 1);
    assert_int_equal(heard.last.sealed, 7);
    assert_int_equal(heard.last.rows_total, 1000);
    assert_true(heard.last.eta_s < 0); /* not before 1 % */
    nap(120);
    tick(&progress, 500, &sum, "");
    assert_true(heard.last.rows_per_s > 500);
    assert_true(heard.last.eta_s > 0 && heard.last.eta_s < 60);
    nap(120);
    tick(&progress, 1000, &sum, "");
    assert_true(heard.last.eta_s < 0); /* the estimate was too low */
    host_free(&host);
}

static void
a_wait_is_told_when_it_begins_and_when_it_is_over(void **state)
{
    struct heard heard = { 0 };
    struct engine_options options = { .event = hear, .cookie = &heard };
    struct ledger sum = { 0 };
    struct progress progress;
    struct host host;

    (void)state;
    host_init(&host, &no_job);
    progress_init(&progress, &options, &host);
    tick(&progress, 0, &sum, "the server");
    tick(&progress, 0, &sum, "the server");
    assert_int_equal(heard.waits, 1);
    assert_string_equal(heard.text, "the server");
    tick(&progress, 0, &sum, "");
    tick(&progress, 0, &sum, "the server"); /* it was over for a moment */
    assert_int_equal(heard.waits, 1);
    tick(&progress, 0, &sum, "");
    nap(500);
    tick(&progress, 0, &sum, "");
    assert_int_equal(heard.waits, 2);
    assert_string_equal(heard.text, "");
    host_free(&host);
}

/* spec: JOB-71 */
static void
a_wait_that_lasts_is_told_again_after_half_a_minute(void **state)
{
    struct heard heard = { 0 };
    struct engine_options options = { .event = hear, .cookie = &heard };
    struct ledger sum = { 0 };
    struct progress progress;
    struct host host;

    (void)state;
    host_init(&host, &no_job);
    progress_init(&progress, &options, &host);
    tick(&progress, 0, &sum, "the server (1 s)");
    tick(&progress, 0, &sum, "the server (2 s)"); /* the same reason */
    assert_int_equal(heard.waits, 1);
    progress.said -= 30000;
    tick(&progress, 0, &sum, "the server (31 s)");
    assert_int_equal(heard.waits, 2);
    assert_string_equal(heard.text, "the server (31 s)");
    assert_true(heard.again);
    host_free(&host);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_is_kept_once_however_often_it_is_said),
        cmocka_unit_test(the_host_writes_errors_for_plugins),
        cmocka_unit_test(facts_are_for_the_plan_and_warnings_for_all),
        cmocka_unit_test(progress_is_told_ten_times_a_second_at_most),
        cmocka_unit_test(a_wait_is_told_when_it_begins_and_when_it_is_over),
        cmocka_unit_test(
            a_wait_that_lasts_is_told_again_after_half_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
