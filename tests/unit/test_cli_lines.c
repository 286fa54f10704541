/* Lines out of a pipe, whatever pieces they arrive in; cli/ is no library, so
   its file is taken in. */
#include "cmocka_all.h"

#include <unistd.h>

#include "../../cli/lines.c"

/* Feed ${text} in pieces of ${step} bytes and join what comes, lines in
   brackets. */
static void
join(const char *text, size_t step, char *out, size_t room)
{
    struct lines lines = LINES_INIT;
    struct line_view line;
    size_t len = strlen(text), at = 0, used = 0;
    int fd[2];

    assert_int_equal(pipe(fd), 0);
    lines.in = (struct io_source){ fd[0], "pipe" };
    while (!lines.ended) {
        size_t now = len - at < step ? len - at : step;

        if (now > 0)
            assert_int_equal(write(fd[1], text + at, now), (ssize_t)now);
        at += now;
        if (now == 0 && fd[1] >= 0) {
            close(fd[1]);
            fd[1] = -1;
        }
        assert_int_equal(lines_fill(&lines, NULL), ENVL_OK);
        while (lines_next(&lines, &line)) {
            assert_false(line.too_long);
            used += (size_t)snprintf(out + used, room - used, "[%.*s]",
                                     (int)line.text.len,
                                     (const char *)line.text.ptr);
        }
    }
    close(fd[0]);
    lines_free(&lines);
}

static void
lines_come_whole_in_any_pieces(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "", "" },          { "\n", "[]" },       { "a", "[a]" },
        { "a\n", "[a]" },    { "a\nb", "[a][b]" }, { "a\n\nb\n", "[a][][b]" },
        { "\n\n", "[][]" },  { "abc\ndef\n", "[abc][def]" },
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t step = 1; step < 12; step++) {
            out[0] = '\0';
            join(cases[i].text, step, out, sizeof(out));
            assert_string_equal(out, cases[i].want);
        }
}

/* A line without an end is forgotten as it comes, and its successor read. */
static void
a_line_that_is_too_long_is_skipped(void **state)
{
    static uint8_t piece[65536];
    struct lines lines = LINES_INIT;
    struct line_view line;
    size_t sent = 0;
    int fd[2], seen = 0;

    (void)state;
    memset(piece, 'a', sizeof(piece));
    assert_int_equal(pipe(fd), 0);
    lines.in = (struct io_source){ fd[0], "pipe" };
    while (sent < LINES_MAX + 3 * sizeof(piece)) {
        assert_int_equal(write(fd[1], piece, sizeof(piece)), sizeof(piece));
        sent += sizeof(piece);
        assert_int_equal(lines_fill(&lines, NULL), ENVL_OK);
        assert_false(lines_next(&lines, &line));
    }
    assert_int_equal(write(fd[1], "a\nb\n", 4), 4);
    close(fd[1]);
    while (!lines.ended) {
        assert_int_equal(lines_fill(&lines, NULL), ENVL_OK);
        while (lines_next(&lines, &line)) {
            assert_int_equal(line.too_long, seen == 0);
            seen++;
        }
    }
    assert_int_equal(seen, 2);
    assert_true(lines.buf.cap < 3 * LINES_MAX);
    close(fd[0]);
    lines_free(&lines);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_in_any_pieces),
        cmocka_unit_test(a_line_that_is_too_long_is_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
