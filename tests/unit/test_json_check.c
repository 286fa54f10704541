#include "cmocka_all.h"

#include <sodium.h>

#include "core/json_check.h"
#include "core/json_scan.h"

static enum envl_status
check_in(struct envl_bytes text, size_t step)
{
    struct json_check check;
    enum envl_status status = ENVL_OK;

    memset(&check, 0, sizeof(check));
    while (status == ENVL_OK && text.len > 0) {
        size_t len = text.len < step ? text.len : step;

        status = json_check_update(&check, (struct envl_bytes){
            text.ptr, len }, NULL);
        text.ptr += len;
        text.len -= len;
    }
    if (status == ENVL_OK)
        status = json_check_finish(&check, NULL);
    json_check_free(&check);
    return status;
}

/* Two machines for one language: they must agree on everything. */
static void
agrees_with_the_scanner_on_mutated_documents(void **state)
{
    static const char *const seeds[] = {
        "{\"a\": [1, -2.5e3, \"x\\n\\u00e9\", null], \"b\":\"\xe2\x9c\x93\"}",
        "[[],{},[{}],\"\",0,-0.0E+1,false]",
        " \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\uD83D\\udd11\" ",
        "-123.456e-78", "nullnull", "[1,2,]", "{\"a\":{\"b\":[",
    };
    static const char bytes[] = "{}[]\",:\\u0e.-+1 atnrflsE\x80\xc3\x01";
    unsigned rounds = getenv("ENVL_TEST_QUICK") == NULL ? 300000 : 15000;
    unsigned valid = 0;

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        const char *seed = seeds[i % 7];
        size_t len = strlen(seed);
        struct envl_bytes in;
        char text[128];
        bool want;

        memcpy(text, seed, len);
        for (unsigned n = randombytes_uniform(3); n > 0; n--)
            text[randombytes_uniform((uint32_t)len)] =
                bytes[randombytes_uniform(sizeof(bytes) - 1)];
        in = (struct envl_bytes){ (uint8_t *)text, len };
        want = json_scan_valid(in);
        valid += want;
        if ((check_in(in, 1 + i % 9) == ENVL_OK) != want)
            fail_msg("the scanner %s: %.*s", want ? "accepts" : "refuses",
                     (int)len, text);
    }
    assert_true(valid > rounds / 30);
}

static void
depth_has_no_limit(void **state)
{
    enum { DEPTH = 1000000 };
    uint8_t *text = malloc(2 * DEPTH);

    (void)state;
    assert_non_null(text);
    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    assert_int_equal(check_in((struct envl_bytes){ text, 2 * DEPTH }, 65536),
                     ENVL_OK);
    text[2 * DEPTH - 1] = '}';
    assert_int_equal(check_in((struct envl_bytes){ text, 2 * DEPTH }, 65536),
                     ENVL_E_USAGE);
    assert_int_equal(check_in((struct envl_bytes){ text, 2 * DEPTH - 1 },
                              65536), ENVL_E_USAGE);
    free(text);
}

static void
a_failed_check_stays_failed(void **state)
{
    struct json_check check;

    (void)state;
    memset(&check, 0, sizeof(check));
    assert_int_equal(json_check_update(&check, LITERAL("}"), NULL),
                     ENVL_E_USAGE);
    assert_int_equal(json_check_update(&check, LITERAL("1"), NULL),
                     ENVL_E_USAGE);
    assert_int_equal(json_check_finish(&check, NULL), ENVL_E_USAGE);
    json_check_free(&check);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_scanner_on_mutated_documents),
        cmocka_unit_test(depth_has_no_limit),
        cmocka_unit_test(a_failed_check_stays_failed),
    };

    return cmocka_run_group_tests_name("json_check", tests, NULL, NULL);
}
