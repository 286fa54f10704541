/* Every change to an audit log shows, and at its line. */
#include <sodium.h>

#include "audit_fixture.h"

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
mend(char *text, int from)
{
    char hex[65];
    uint8_t hash[32];

    for (int i = from; i <= 5; i++) {
        size_t len;
        char *line = line_at(text, i, &len);
        char *end = strstr(line, ",\"record_hash\":\"");

        if (i > from)
            memcpy(strstr(line, "\"previous_hash\":\"") + 17, hex, 64);
        crypto_hash_sha256(hash, (const uint8_t *)line,
                           (size_t)(end - line));
        sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
        memcpy(end + 16, hex, 64);
    }
}

static void
edit_and_mend(char *text)
{
    edit(text);
    mend(text, 3);
}

static void
number_and_mend(char *text)
{
    *(strstr(text, "\"number\":5") + 9) = '6';
    mend(text, 5);
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
    uint64_t broken;  /* the line named with the ring */
    uint64_t by_hash; /* the line that the chain alone names */
} tampers[] = {
    { "untouched_log_is_whole", nothing, 0, 0 },
    { "edited_count_is_named", edit, 3, 3 },
    { "edited_time_is_named", edit_time, 2, 2 },
    { "edit_with_mended_hashes_is_named", edit_and_mend, 3, 0 },
    { "wrong_number_is_named", number_and_mend, 5, 5 },
    { "edited_mac_is_named", edit_mac, 4, 0 },
    { "deleted_line_is_named", delete_line, 3, 3 },
    { "deleted_first_line_is_named", delete_first, 1, 1 },
    { "inserted_copy_is_named", insert_copy, 3, 3 },
    { "swapped_lines_are_named", swap_lines, 3, 3 },
    { "torn_last_line_is_named", tear, 5, 5 },
    { "last_line_without_its_line_feed_is_named", tear_line_feed, 5, 5 },
    { "blank_line_is_named", blank_line, 6, 6 },
    { "white_space_is_named", white_space, 2, 2 },
    { "unknown_member_is_named", unknown_member, 5, 5 },
    { "another_version_is_named", another_version, 1, 1 },
    { "lines_cut_off_at_the_end_are_not_seen", truncate_lines, 0, 0 },
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
    assert_int_equal(verify(&log, NULL).broken_line, row->by_hash);
    log_free(&log);
}

/* A line that is whole in itself, and numbered right. */
static void
line_of_another_log_is_named(void **state)
{
    struct log log = log_new();
    char here[LOG_ROOM], there[LOG_ROOM];
    size_t begin, len;
    const char *line;

    (void)state;
    write_records(&log, NULL, 5);
    read_whole(log.path, here, sizeof(here));
    unlink(log.path);
    write_records(&log, log.ring, 5);
    read_whole(log.path, there, sizeof(there));
    line = line_at(there, 3, &len);
    begin = (size_t)(line_at(here, 3, &(size_t){ 0 }) - here);
    memcpy(here + begin, line, len + 1);
    here[begin + len] = '\0';
    write_file(log.path, envl_bytes_of(here), 0600);
    assert_int_equal(verify(&log, NULL).broken_line, 3);
    assert_int_equal(verify(&log, log.ring).broken_line, 3);
    log_free(&log);
}

int
main(void)
{
    const size_t rows = sizeof(tampers) / sizeof(*tampers);
    struct CMUnitTest table[sizeof(tampers) / sizeof(*tampers) + 1];

    for (size_t i = 0; i < rows; i++)
        table[i] = (struct CMUnitTest){
            .name = tampers[i].name, .test_func = run_tamper,
            .initial_state = (void *)(uintptr_t)&tampers[i],
        };
    table[rows] =
        (struct CMUnitTest)cmocka_unit_test(line_of_another_log_is_named);
    return cmocka_run_group_tests(table, NULL, NULL);
}
