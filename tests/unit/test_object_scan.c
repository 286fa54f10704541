#include "cmocka_all.h"

#include <sodium.h>

#include "envelope/beginning.h"

/* spec: ENV-8.6, ENV-8.7, ENV-8.3, ENV-7.7 */
static const struct begin_case {
    enum envl_status want; /* ENVL_OK: version 1, to be parsed */
    const char *text;
} begin_cases[] = {
    { ENVL_OK, "{\"env\":1,\"payload\":\"\"}" },
    { ENVL_OK, " \t\r\n{ \"payload\" : null , \"env\" : 1 } \n" },
    { ENVL_OK, "{\"\\u0065n\\u0076\":1,\"pay\\u006Coad\":[]}" },
    { ENVL_OK, "{\"a\":{\"x\":[\"}\\\"\",{}]},\"env\":1,\"payload\":2}" },
    { ENVL_OK, "{\"env\":1,\"payload\":{\"a\":[1,}]}" },
    { ENVL_E_VERSION, "{\"env\":2,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":0,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":-1,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":-0,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":11,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":1.5,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":-1.0,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":1e1,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":0e0,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":1e99999999999999999999,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":1.00000000000000000000001,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":0.1e2,\"payload\":1}" },
    { ENVL_E_VERSION, "{\"env\":100e-1,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1.0,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1e0,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1E-0,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":0.1e1,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":0.001e+3,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1000e-3,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1000.000e-00000000000000000003,"
                     "\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":01,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1.,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1e,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1+1,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1--,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1,\"env\":1,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":\"x\",\"env\":2,\"payload\":1}" },
    { ENVL_E_FORMAT, "{\"env\":1,\"payload\":1} x" },
    { ENVL_E_FORMAT, "{\"env\":1,\"payload\":1}{}" },
    { ENVL_E_FORMAT, "{\"env\":1,\"payload\":1,}" },
    { ENVL_E_FORMAT, "{\"env\":1,\"payload\":" },
    { ENVL_E_FORMAT, "{\"env\":1,\"payload\":\"abc" },
    { ENVL_E_FORMAT, "{\"a\":1,\"env\":1,\"payload\":" },
    { ENVL_E_FORMAT, "{\"env\":1" },
    { ENVL_E_FORMAT, "{\"env\":-7" },
    { ENVL_E_FORMAT, "{\"env\":1,\"kid\":\"x" },
    { ENVL_E_FORMAT, "{\"env\":1,x}" },
    { ENVL_E_NOTENV, "" },
    { ENVL_E_NOTENV, "{" },
    { ENVL_E_NOTENV, "{}" },
    { ENVL_E_NOTENV, "{\"env\":" },
    { ENVL_E_NOTENV, "{\"env\":-" },
    { ENVL_E_NOTENV, "{\"env\":-x,\"payload\":1}" },
    { ENVL_E_NOTENV, "{\"env\":1}" },
    { ENVL_E_NOTENV, "{\"env\":1,\"payloa\":1}" },
    { ENVL_E_NOTENV, "{\"a\":1,\"env\":1" },
    { ENVL_E_NOTENV, "{\"a\":1,\"env\":1,\"payload\"" },
    { ENVL_E_NOTENV, "{\"env\":\"1\",\"payload\":1}" },
    { ENVL_E_NOTENV, "{\"env\":true,\"payload\":1}" },
    { ENVL_E_NOTENV, "{\"env\":[1],\"payload\":1}" },
    { ENVL_E_NOTENV, "{\"Env\":1,\"payload\":1}" },
    { ENVL_E_NOTENV, "{\"env \":1,\"payload\":1}" },
    { ENVL_E_NOTENV, "{\"env\\u0000\":1,\"payload\":1}" },
    { ENVL_E_NOTENV, "{\"\\u0165nv\":1,\"payload\":1}" },
    { ENVL_E_NOTENV, "{\"en\\v\":1,\"payload\":1}" },
    { ENVL_E_NOTENV, "{\"\\u065nv\":1,\"payload\":1}" },
    { ENVL_E_NOTENV, "[{\"env\":1,\"payload\":1}]" },
    { ENVL_E_NOTENV, "{{\"env\":1,\"payload\":1}}" },
    { ENVL_E_NOTENV, "{\"a\":{\"env\":1,\"payload\":1}}" },
    { ENVL_E_NOTENV, "{\"a\":\"env\",\"b\":1,\"payload\":1}" },
    { ENVL_E_NOTENV, "{,\"env\":1,\"payload\":1}" },
    { ENVL_E_NOTENV, "\xef\xbb\xbf{\"env\":1,\"payload\":1}" },
    { ENVL_E_NOTENV, "{\"a\":1 \"env\":1,\"payload\":1}" },
    { ENVL_E_NOTENV, "\v{\"env\":1,\"payload\":1}" },
    /* text and binary */
    { ENVL_OK, "env1:" },
    { ENVL_OK, "env1:k:AA" },
    { ENVL_E_VERSION, "env2:" },
    { ENVL_E_VERSION, "env01:" },
    { ENVL_E_VERSION, "env10:" },
    { ENVL_E_VERSION, "env0:" },
    { ENVL_E_VERSION, "env123456789012345678901234567890:x" },
    { ENVL_E_NOTENV, "env:" },
    { ENVL_E_NOTENV, "env1" },
    { ENVL_E_NOTENV, "env1a:" },
    { ENVL_E_NOTENV, "env 1:" },
    { ENVL_E_NOTENV, "Env1:" },
    { ENVL_E_NOTENV, " env1:k:AA" },
    { ENVL_E_FORMAT, "\x9e\x45\x56" },
    { ENVL_OK, "\x9e\x45\x56\x01" },
    { ENVL_E_VERSION, "\x9e\x45\x56\x02" },
    { ENVL_E_NOTENV, "\x9e\x45" },
    { ENVL_E_NOTENV, "\x9e\x45\x57\x01" },
};
#define BEGIN_CASES (sizeof(begin_cases) / sizeof(begin_cases[0]))

static void
every_beginning_gives_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < BEGIN_CASES; i++) {
        struct envl_bytes text = envl_bytes_of(begin_cases[i].text);
        struct beginning found;
        enum envl_status got = beginning_find(text, &found);

        if (got != begin_cases[i].want)
            fail_msg("%s: %s, not %s", begin_cases[i].text,
                     envl_status_name(got),
                     envl_status_name(begin_cases[i].want));
        assert_int_equal(envl_begins(text) == ENVL_OK,
                         got != ENVL_E_NOTENV);
    }
}

/* The same is seen wherever the text is cut into pieces. */
static void
check_pieces(struct envl_bytes text)
{
    struct object_scan whole, pieces;

    memset(&whole, 0, sizeof(whole));
    (void)object_scan_update(&whole, text);
    for (size_t cut = 0; cut <= text.len; cut++) {
        memset(&pieces, 0, sizeof(pieces));
        if (object_scan_update(&pieces, (struct envl_bytes){
                text.ptr, cut }))
            (void)object_scan_update(&pieces, (struct envl_bytes){
                text.ptr + cut, text.len - cut });
        assert_int_equal(object_scan_begins(&pieces),
                         object_scan_begins(&whole));
        assert_int_equal(pieces.count, whole.count);
        assert_int_equal(pieces.envs, whole.envs);
        assert_int_equal(pieces.closed, whole.closed);
        assert_int_equal(pieces.end, whole.end);
        assert_memory_equal(pieces.members, whole.members,
                            sizeof(whole.members));
    }
}

static void
pieces_are_seen_like_the_whole(void **state)
{
    static const char bytes[] = "{}[]\",:\\u0e.-+1 envpayload\x80";
    char text[64];

    (void)state;
    for (size_t i = 0; i < BEGIN_CASES; i++)
        check_pieces(envl_bytes_of(begin_cases[i].text));
    for (unsigned n = 0; n < 3000; n++) {
        const char *seed = begin_cases[n % BEGIN_CASES].text;
        size_t len = strlen(seed);

        if (len == 0 || len > sizeof(text))
            continue;
        memcpy(text, seed, len);
        for (unsigned m = randombytes_uniform(4); m > 0; m--)
            text[randombytes_uniform((uint32_t)len)] =
                bytes[randombytes_uniform(sizeof(bytes) - 1)];
        check_pieces((struct envl_bytes){ (uint8_t *)text, len });
    }
}

static void
members_lie_where_they_are_said_to(void **state)
{
    struct envl_bytes text = envl_bytes_of(
        "{\"a\":\"x\\\"y\", \"b\" : -12.5 ,\"c\":null,\"d\":[{}],\"e\":\"\","
        "\"f\":1}");
    static const struct {
        const char *name, *value;
        enum object_kind kind;
    } want[] = {
        { "a", "x\\\"y", OBJECT_SCAN_STRING },
        { "b", "-12.5", OBJECT_SCAN_NUMBER },
        { "c", "null", OBJECT_SCAN_LITERAL },
        { "d", "[{}]", OBJECT_SCAN_NESTED },
        { "e", "", OBJECT_SCAN_STRING },
    };
    struct object_scan scan;

    (void)state;
    memset(&scan, 0, sizeof(scan));
    assert_false(object_scan_update(&scan, text));
    assert_true(scan.closed);
    assert_int_equal(scan.end, text.len);
    assert_int_equal(scan.count, 6);
    for (size_t i = 0; i < 5; i++) {
        const struct object_member *m = &scan.members[i];

        assert_int_equal(m->kind, want[i].kind);
        assert_int_equal(m->name.len, 1);
        assert_memory_equal(text.ptr + m->name.at, want[i].name, 1);
        assert_int_equal(m->value.len, strlen(want[i].value));
        assert_memory_equal(text.ptr + m->value.at, want[i].value,
                            m->value.len);
    }
}

/* spec: ENV-8.5 */
static void
depth_and_size_do_not_decide(void **state)
{
    enum { DEPTH = 200000 };
    char *text = malloc(3 * DEPTH + 64), *p = text;
    struct beginning found;

    (void)state;
    assert_non_null(text);
    p = stpcpy(p, "{\"a\":");
    memset(p, '[', DEPTH);
    p += DEPTH;
    memset(p, ']', DEPTH);
    p += DEPTH;
    p = stpcpy(p, ",\"env\":");
    memset(p, '1', DEPTH / 2);
    p += DEPTH / 2;
    p = stpcpy(p, ",\"payload\":0}");
    assert_int_equal(beginning_find((struct envl_bytes){
        (uint8_t *)text, (size_t)(p - text) }, &found), ENVL_E_VERSION);
    free(text);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_beginning_gives_its_answer),
        cmocka_unit_test(pieces_are_seen_like_the_whole),
        cmocka_unit_test(members_lie_where_they_are_said_to),
        cmocka_unit_test(depth_and_size_do_not_decide),
    };

    return cmocka_run_group_tests_name("object_scan", tests, NULL, NULL);
}
