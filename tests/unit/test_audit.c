/* The audit log: appended, chained, authenticated, and closed on failure. */
#include <sys/wait.h>

#include <sodium.h>

#include "audit_fixture.h"

static void
records_of_several_writers_make_one_chain(void **state)
{
    struct log log = log_new();
    struct envl_audit_report report;
    struct stat st;

    (void)state;
    write_records(&log, log.ring, 3);
    write_records(&log, NULL, 2);
    write_records(&log, log.ring, 1);

    report = verify(&log, log.ring);
    assert_int_equal(report.records, 6);
    assert_int_equal(report.broken_line, 0);
    assert_int_equal(report.unauthenticated, 2);
    assert_int_equal(strlen(report.head), 64);
    assert_int_equal(stat(log.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600); /* spec: AUD-2 */
    log_free(&log);
}

static void
without_a_ring_the_chain_alone_is_checked(void **state)
{
    struct log log = log_new();
    struct envl_audit_report report;

    (void)state;
    write_records(&log, log.ring, 2);
    report = verify(&log, NULL);
    assert_int_equal(report.records, 2);
    assert_int_equal(report.unauthenticated, 2);
    assert_int_equal(report.broken_line, 0);
    log_free(&log);
}

static void
an_empty_log_is_whole(void **state)
{
    struct log log = log_new();
    struct envl_audit_report report;

    (void)state;
    write_records(&log, log.ring, 0);
    report = verify(&log, log.ring);
    assert_int_equal(report.records, 0);
    assert_int_equal(report.broken_line, 0);
    log_free(&log);
}

static void
a_log_that_is_not_there_is_notfound(void **state)
{
    struct log log = log_new();
    struct envl_audit_report report;

    (void)state;
    assert_int_equal(envl_audit_verify(log.path, NULL, &report, NULL),
                     ENVL_E_NOTFOUND);
    log_free(&log);
}

/* Recompute everything about line 1 by other means than the code under test. */
static void
a_record_is_what_the_spec_says(void **state)
{
    struct log log = log_new();
    char text[LOG_ROOM], *covered_end, hex[65];
    uint8_t hash[32];
    struct envl_ring_mark mark;
    char head[160], pin[33];

    (void)state;
    write_records(&log, log.ring, 1);
    read_whole(log.path, text, sizeof(text));

    /* spec: AUD-11, AUD-12 */
    covered_end = strstr(text, ",\"record_hash\":\"");
    assert_non_null(covered_end);
    crypto_hash_sha256(hash, (const uint8_t *)text,
                       (size_t)(covered_end - text));
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    assert_memory_equal(covered_end + 16, hex, 64);
    /* spec: AUD-10 */
    assert_memory_equal(text, "{\"audit\":1,\"number\":1,\"time\":\"", 30);
    assert_non_null(strstr(text, "\",\"actor\":{\"uid\":"));
    assert_non_null(strstr(text, "},\"verb\":\"migrate\",\"object\":"
                                 "\"a \\\"job\\\"\",\"outcome\":\"ok\","
                                 "\"counts\":{\"sealed\":10000,"
                                 "\"skipped\":7},\"ring\":\""));
    /* spec: AUD-13, AUD-14 */
    envl_keyring_mark(log.ring, &mark);
    sodium_bin2hex(pin, sizeof(pin), mark.pin, sizeof(mark.pin));
    snprintf(head, sizeof(head), "\"ring\":\"%s\",\"pin\":\"%s\","
             "\"previous_hash\":\"0000000000000000", mark.id, pin);
    assert_non_null(strstr(text, head));
    log_free(&log);
}

/* ---- fail closed -------------------------------------------------------- */

static void
edit(char *text)
{
    *strstr(strstr(text, "\"number\":3"), "10000") = '2';
}

static void
tear(char *text)
{
    text[strlen(text) - 20] = '\0';
}

static void
nothing_is_appended_after_a_torn_line(void **state)
{
    struct log log = log_new();
    struct envl_audit *audit = NULL;
    struct envl_error err;
    char text[LOG_ROOM];

    (void)state;
    write_records(&log, log.ring, 2);
    read_whole(log.path, text, sizeof(text));
    tear(text);
    write_file(log.path, envl_bytes_of(text), 0600);

    /* spec: AUD-4 */
    assert_int_equal(envl_audit_open(log.path, log.ring, &audit, &err),
                     ENVL_E_AUDIT);
    assert_non_null(strstr(err.message, "cut short"));
    assert_null(audit);
    log_free(&log);
}

static void
nothing_is_appended_after_a_changed_line(void **state)
{
    struct log log = log_new();
    struct envl_audit *audit = NULL;
    char text[LOG_ROOM];

    (void)state;
    write_records(&log, log.ring, 3);
    assert_int_equal(envl_audit_open(log.path, log.ring, &audit, NULL),
                     ENVL_OK);
    read_whole(log.path, text, sizeof(text));
    edit(text);
    write_file(log.path, envl_bytes_of(text), 0600);
    assert_int_equal(log_append(audit, "migrate", NULL), ENVL_E_AUDIT);
    envl_audit_free(audit);
    log_free(&log);
}

static void
a_log_that_vanished_is_not_begun_anew(void **state)
{
    struct log log = log_new();
    struct envl_audit *audit = NULL;

    (void)state;
    assert_int_equal(envl_audit_open(log.path, log.ring, &audit, NULL),
                     ENVL_OK);
    assert_int_equal(unlink(log.path), 0);
    assert_int_equal(log_append(audit, "migrate", NULL), ENVL_E_AUDIT);
    assert_int_equal(access(log.path, F_OK), -1);
    envl_audit_free(audit);
    log_free(&log);
}

static enum envl_status
open_status(struct log *log)
{
    struct envl_audit *audit = NULL;
    enum envl_status status = envl_audit_open(log->path, NULL, &audit, NULL);

    envl_audit_free(audit);
    return status;
}

static void
unsafe_places_are_refused(void **state)
{
    struct log log = log_new();
    char other[256];

    (void)state;
    /* spec: AUD-2 */
    assert_int_equal(mkfifo(log.path, 0600), 0);
    assert_int_equal(open_status(&log), ENVL_E_AUDIT);
    unlink(log.path);
    assert_int_equal(symlink(log.f.key, log.path), 0);
    assert_int_equal(open_status(&log), ENVL_E_AUDIT); /* no record there */
    unlink(log.path);
    assert_int_equal(mkdir(log.path, 0700), 0);
    assert_int_equal(open_status(&log), ENVL_E_AUDIT);
    rmdir(log.path);
    write_file(log.path, envl_bytes_of(""), 0644);
    assert_int_equal(open_status(&log), ENVL_E_AUDIT);
    write_file(log.path, envl_bytes_of(""), 0600);
    assert_int_equal(open_status(&log), ENVL_OK);
    assert_int_equal(chmod(log.f.dir, 0777), 0);
    assert_int_equal(open_status(&log), ENVL_E_AUDIT);
    assert_int_equal(chmod(log.f.dir, 0700), 0);

    snprintf(other, sizeof(other), "%s/envl-migrator-x.so", log.f.dir);
    write_file(other, envl_bytes_of(""), 0600);
    assert_int_equal(open_status(&log), ENVL_E_AUDIT);
    unlink(other);
    assert_int_equal(open_status(&log), ENVL_OK);
    log_free(&log);
}

static void
names_that_are_no_utf8_are_recorded_readably(void **state)
{
    struct log log = log_new();
    struct envl_audit *audit = NULL;
    struct envl_audit_event event = { .verb = "rotate",
                                      .object = "f\xff\xc3\n\"",
                                      .outcome = "begin" };
    char text[LOG_ROOM];

    (void)state;
    assert_int_equal(envl_audit_open(log.path, log.ring, &audit, NULL),
                     ENVL_OK);
    assert_int_equal(envl_audit_append(audit, &event, NULL), ENVL_OK);
    envl_audit_free(audit);
    read_whole(log.path, text, sizeof(text));
    assert_non_null(strstr(text, "\"object\":\"f??\\n\\\"\"")); /* AUD-16 */
    assert_int_equal(verify(&log, log.ring).broken_line, 0);
    log_free(&log);
}

/* ---- a new ring key ----------------------------------------------------- */

static void
log_goes_on_under_a_new_ring_key(void **state)
{
    struct log log = log_new();
    struct envl_audit *audit = NULL;
    struct envl_audit_report report;
    struct envl_key_spec spec = { .kid = "k2", .activate = true };
    struct envl_keyring *old = must_open(&log.f);
    char text[LOG_ROOM];

    (void)state;
    assert_int_equal(envl_audit_open(log.path, log.ring, &audit, NULL),
                     ENVL_OK);
    assert_int_equal(envl_keyring_add(log.ring, &spec, NULL), ENVL_OK);
    assert_int_equal(log_append(audit, "key destroy", NULL), ENVL_OK);
    destroy_key(log.ring, "k1");
    assert_int_equal(log_append(audit, "key destroy", NULL), ENVL_OK);
    envl_audit_free(audit);

    /* spec: AUD-20, AUD-31: under the new ring, then under the former */
    report = verify(&log, log.ring);
    assert_int_equal(report.records, 4);
    assert_int_equal(report.broken_line, 0);
    assert_int_equal(report.unauthenticated, 2);
    report = verify(&log, old);
    assert_int_equal(report.broken_line, 0);
    assert_int_equal(report.unauthenticated, 2);
    read_whole(log.path, text, sizeof(text));
    assert_non_null(strstr(text, "\"verb\":\"ring key changed\""));
    assert_true(strstr(text, "\"outcome\":\"closed\"") <
                strstr(text, "\"outcome\":\"opened\""));
    envl_keyring_free(old);
    log_free(&log);
}

/* ---- several processes -------------------------------------------------- */

static void
processes_that_append_at_once_make_one_chain(void **state)
{
    struct log log = log_new();
    struct envl_audit_report report;
    pid_t child[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i] == 0) {
            write_records(&log, i % 2 == 0 ? log.ring : NULL, 25);
            _exit(0);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status = -1;

        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
    }
    report = verify(&log, log.ring);
    assert_int_equal(report.records, 100);
    assert_int_equal(report.broken_line, 0);
    assert_int_equal(report.unauthenticated, 50);
    log_free(&log);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_several_writers_make_one_chain),
        cmocka_unit_test(without_a_ring_the_chain_alone_is_checked),
        cmocka_unit_test(an_empty_log_is_whole),
        cmocka_unit_test(a_log_that_is_not_there_is_notfound),
        cmocka_unit_test(a_record_is_what_the_spec_says),
        cmocka_unit_test(nothing_is_appended_after_a_torn_line),
        cmocka_unit_test(nothing_is_appended_after_a_changed_line),
        cmocka_unit_test(a_log_that_vanished_is_not_begun_anew),
        cmocka_unit_test(unsafe_places_are_refused),
        cmocka_unit_test(names_that_are_no_utf8_are_recorded_readably),
        cmocka_unit_test(log_goes_on_under_a_new_ring_key),
        cmocka_unit_test(processes_that_append_at_once_make_one_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
