/* The audit log: appended, chained, authenticated; every change to it shows. */
#include <sys/wait.h>

#include <sodium.h>

#include <envelope/audit.h>

#include "keyring_fixture.h"

#define LOG_ROOM 65536

struct log {
    struct fixture f;
    struct envl_keyring *ring;
    char path[192];
};

static struct log
log_new(void)
{
    struct log log = { .f = fixture_with_ring() };

    log.ring = must_open(&log.f);
    snprintf(log.path, sizeof(log.path), "%s/audit.log", log.f.dir);
    return log;
}

static void
log_free(struct log *log)
{
    envl_keyring_free(log->ring);
    fixture_free(&log->f);
}

static enum envl_status
append(struct envl_audit *audit, const char *verb, struct envl_error *err)
{
    static const char *const names[] = { "sealed", "skipped" };
    static const uint64_t counts[] = { 10000, 7 };
    struct envl_audit_event event = { verb, "a \"job\"", "ok", names, counts,
                                      2 };

    return envl_audit_append(audit, &event, err);
}

/* ${count} records by a writer that is opened for it. */
static void
write_records(struct log *log, struct envl_keyring *ring, int count)
{
    struct envl_audit *audit = NULL;
    struct envl_error err;

    if (envl_audit_open(log->path, ring, &audit, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < count; i++)
        if (append(audit, "migrate", &err) != ENVL_OK)
            fail_msg("%s", err.message);
    envl_audit_free(audit);
}

static struct envl_audit_report
verify(struct log *log, struct envl_keyring *ring)
{
    struct envl_audit_report report;
    struct envl_error err;

    if (envl_audit_verify(log->path, ring, &report, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    return report;
}

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

/* ---- tampering ---------------------------------------------------------- */

/* Line ${number} (from 1) of ${text} and its length with its LF. */
static char *
line_at(char *text, int number, size_t *len)
{
    while (--number > 0)
        text = strchr(text, '\n') + 1;
    *len = (size_t)(strchr(text, '\n') - text) + 1;
    return text;
}

static void
edit(char *text)
{
    *strstr(strstr(text, "\"number\":3"), "10000") = '2';
}

static void
edit_time(char *text)
{
    char *at = strstr(strstr(text, "\"number\":2"), "\"time\":\"") + 8;

    at[3] = at[3] == '9' ? '8' : '9';
}

/* As one who knows SHA-256, but no key: the chain is mended up to the end. */
static void
edit_and_mend(char *text)
{
    char hex[65];
    uint8_t hash[32];

    edit(text);
    for (int i = 3; i <= 5; i++) {
        size_t len;
        char *line = line_at(text, i, &len);
        char *end = strstr(line, ",\"record_hash\":\"");

        if (i > 3)
            memcpy(strstr(line, "\"previous_hash\":\"") + 17, hex, 64);
        crypto_hash_sha256(hash, (const uint8_t *)line,
                           (size_t)(end - line));
        sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
        memcpy(end + 16, hex, 64);
    }
}

static void
edit_mac(char *text)
{
    char *at = strstr(strstr(text, "\"number\":4"), "\"mac\":\"") + 7;

    *at = *at == 'A' ? 'B' : 'A';
}

static void
delete_line(char *text)
{
    size_t len;
    char *at = line_at(text, 3, &len);

    memmove(at, at + len, strlen(at + len) + 1);
}

static void
delete_first(char *text)
{
    size_t len;
    char *at = line_at(text, 1, &len);

    memmove(at, at + len, strlen(at + len) + 1);
}

static void
insert_copy(char *text)
{
    char copy[4096];
    size_t len;
    char *at = line_at(text, 2, &len);

    memcpy(copy, at, len);
    memmove(at + 2 * len, at + len, strlen(at + len) + 1);
    memcpy(at + len, copy, len);
}

static void
swap_lines(char *text)
{
    char copy[4096];
    size_t first, second;
    char *a = line_at(text, 3, &first), *b = line_at(text, 4, &second);

    memcpy(copy, a, first);
    memmove(a, b, second);
    memcpy(a + second, copy, first);
}

static void
tear(char *text)
{
    text[strlen(text) - 20] = '\0';
}

static void
tear_line_feed(char *text)
{
    text[strlen(text) - 1] = '\0';
}

static void
blank_line(char *text)
{
    strcat(text, "\n");
}

static void
white_space(char *text)
{
    char *at = strstr(strstr(text, "\"number\":2"), ",\"mac\"");

    memmove(at + 1, at, strlen(at) + 1);
    *at = ' ';
}

static void
unknown_member(char *text)
{
    memcpy(strstr(strstr(text, "\"number\":5"), "\"verb\""), "\"VERB\"", 6);
}

static void
another_version(char *text)
{
    *(strstr(text, "\"audit\":1") + 8) = '2';
}

static void
nothing(char *text)
{
    (void)text;
}

/* Cut off at a line's end: not to be seen without a signed head (spec AUD). */
static void
truncate_lines(char *text)
{
    size_t len;

    *line_at(text, 4, &len) = '\0';
}

static const struct tamper {
    const char *name;
    void (*act)(char *text);
    uint64_t broken;
} tampers[] = {
    { "untouched_log_is_whole", nothing, 0 },
    { "edited_count_is_named", edit, 3 },
    { "edited_time_is_named", edit_time, 2 },
    { "edit_with_mended_hashes_is_named", edit_and_mend, 3 },
    { "edited_mac_is_named", edit_mac, 4 },
    { "deleted_line_is_named", delete_line, 3 },
    { "deleted_first_line_is_named", delete_first, 1 },
    { "inserted_copy_is_named", insert_copy, 3 },
    { "swapped_lines_are_named", swap_lines, 3 },
    { "torn_last_line_is_named", tear, 5 },
    { "last_line_without_its_line_feed_is_named", tear_line_feed, 5 },
    { "blank_line_is_named", blank_line, 6 },
    { "white_space_is_named", white_space, 2 },
    { "unknown_member_is_named", unknown_member, 5 },
    { "another_version_is_named", another_version, 1 },
    { "lines_cut_off_at_the_end_are_not_seen", truncate_lines, 0 },
};

static void
run_tamper(void **state)
{
    const struct tamper *row = *state;
    struct log log = log_new();
    struct envl_audit_report report;
    char text[LOG_ROOM];

    write_records(&log, log.ring, 5);
    read_whole(log.path, text, sizeof(text));
    row->act(text);
    write_file(log.path, envl_bytes_of(text), 0600);

    report = verify(&log, log.ring);
    if (report.broken_line != row->broken)
        fail_msg("line %llu %s", (unsigned long long)report.broken_line,
                 report.reason);
    assert_int_equal(report.reason[0] != '\0', row->broken != 0);
    log_free(&log);
}

/* ---- fail closed -------------------------------------------------------- */

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
    assert_int_equal(append(audit, "migrate", NULL), ENVL_E_AUDIT);
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
    assert_int_equal(append(audit, "migrate", NULL), ENVL_E_AUDIT);
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
    assert_int_equal(append(audit, "key destroy", NULL), ENVL_OK);
    assert_int_equal(envl_keyring_destroy(log.ring, "k1", false, NULL),
                     ENVL_OK);
    assert_int_equal(append(audit, "key destroy", NULL), ENVL_OK);
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
    const struct CMUnitTest plain[] = {
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
    const size_t rows = sizeof(tampers) / sizeof(*tampers);
    struct CMUnitTest table[sizeof(tampers) / sizeof(*tampers)];
    int failed = cmocka_run_group_tests_name("audit", plain, NULL, NULL);

    for (size_t i = 0; i < rows; i++)
        table[i] = (struct CMUnitTest){
            .name = tampers[i].name, .test_func = run_tamper,
            .initial_state = (void *)(uintptr_t)&tampers[i],
        };
    return failed + cmocka_run_group_tests_name("audit tampering", table,
                                                NULL, NULL);
}
