/* The parts of the HTTP providers that need no server. */
#include <envelope/provider.h>

#include "keyring_fixture.h"
#include "provider/aws/ini.h"
#include "provider/http/address.h"
#include "provider/http/answer.h"
#include "provider/http/cache.h"
#include "provider/http/config.h"
#include "provider/http/http.h"
#include "provider/http/secret_file.h"

/* ---- a clock that stands still until it is set --------------------------- */

static int64_t now_ms = 1000000;

int64_t __wrap_clock_monotonic_ms(void);

int64_t
__wrap_clock_monotonic_ms(void)
{
    return now_ms;
}

/* ---- answers ------------------------------------------------------------- */

static bool
text_at(const char *json, const char *path, const char *want)
{
    struct envl_buf text = ENVL_BUF_INIT;
    struct answer_value root, value;
    bool same = answer_whole(envl_bytes_of(json), &root) &&
                answer_path(&root, path, &value) &&
                answer_text(&value, &text, NULL) == ENVL_OK &&
                text.len == strlen(want) &&
                strncmp((char *)text.ptr, want, text.len) == 0;

    envl_buf_free(&text);
    return same;
}

/* spec: KEY-66 */
static void
answers_are_looked_into_strictly(void **state)
{
    static const char *const none[] = {
        "", "{", "{\"a\":\"x\"}}", "{\"a\":\"x\"} y", "[\"x\"]", "\"x\"",
        "{\"b\":\"x\"}", "{\"a\":\"x\",\"a\":\"x\"}",
        "{\"a\":\"x\",\"\\u0061\":\"y\"}", "{\"a\":1}", "{\"a\":null}",
        "{\"a\":[\"x\"]}", "{\"a\":\"x\\u0000\"}", "{\"a\":\"\\ud800\"}",
        "\xef\xbb\xbf{\"a\":\"x\"}", "{'a':'x'}", "{\"a\":\"x\",}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        assert_false(text_at(none[i], "a", "x"));
    assert_true(text_at("{\"a\":\"x\"}", "a", "x"));
    assert_true(text_at(" {\"b\":{\"a\":[1,{}]},\n\"a\" : \"\\u0078\"} ", "a",
                        "x"));
    assert_true(text_at("{\"\\u0061\":{\"b\":{\"c\":\"x\"}}}", "a.b.c", "x"));
    assert_false(text_at("{\"a\":{\"b\":\"x\"},\"a\":{}}", "a.b", "x"));
    assert_true(text_at("{\"a\":{\"b\":\"x\"},\"c\":{},\"c\":{}}", "a.b",
                        "x"));
}

static void
items_come_one_after_the_other(void **state)
{
    static const char text[] = "[ {\"a\":1}, \"s\", [2,[3]], null ]";
    static const enum json_token kinds[] = {
        JSON_SCAN_OBJECT_BEGIN, JSON_SCAN_STRING, JSON_SCAN_ARRAY_BEGIN,
        JSON_SCAN_NULL,
    };
    struct answer_value root, item;
    struct answer_items items;
    size_t count = 0;

    (void)state;
    assert_true(answer_whole(envl_bytes_of(text), &root));
    answer_items_begin(&root, &items);
    while (answer_items_next(&items, &item))
        assert_int_equal(item.kind, kinds[count++]);
    assert_int_equal(count, 4);
    assert_false(answer_items_next(&items, &item));
    answer_items_end(&items);
    assert_true(answer_whole(envl_bytes_of("{}"), &root));
    answer_items_begin(&root, &items);
    assert_false(answer_items_next(&items, &item));
    answer_items_end(&items);
}

static void
base64_is_exact(void **state)
{
    static const struct {
        const char *json;
        size_t len; /* 99: refused */
    } rows[] = {
        { "\"AAAA\"", 3 },      { "\"AAAA\\n\"", 3 },   { "\"AAA=\"", 2 },
        { "\"\"", 0 },          { "\"AAA\"", 99 },      { "\"AAAA \"", 99 },
        { "\"AAAA\\n\\n\"", 99 }, { "\"AA-_\"", 99 },   { "\"AAB=\"", 99 },
        { "\"AAAA====\"", 99 }, { "7", 99 },            { "null", 99 },
        { "\"AAAAAAAA\"", 99 }, /* too long for the room */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint8_t room[4] = { 1, 1, 1, 1 };
        struct envl_span span = { room, sizeof(room) };
        struct answer_value value;
        enum envl_status status;

        assert_true(answer_whole(envl_bytes_of(rows[i].json), &value));
        status = answer_base64(&value, &span, NULL);
        assert_int_equal(status, rows[i].len == 99 ? ENVL_E_FORMAT
                                                   : ENVL_OK);
        if (status == ENVL_OK)
            assert_int_equal(span.len, rows[i].len);
    }
}

static void
numbers_are_whole_and_small(void **state)
{
    static const struct {
        const char *json;
        int64_t number;
    } rows[] = {
        { "0", 0 }, { "3600", 3600 }, { "-1", -7 }, { "1.5", -7 },
        { "1e3", -7 }, { "\"1\"", -7 }, { "999999999999999", 999999999999999 },
        { "9999999999999999", -7 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct answer_value value;

        assert_true(answer_whole(envl_bytes_of(rows[i].json), &value));
        assert_int_equal(answer_number(&value, -7), rows[i].number);
    }
}

/* ---- the cache ----------------------------------------------------------- */

static struct cache *
cache_of(int64_t seconds, int64_t uses, int64_t bytes)
{
    const struct cache_limits limits = { seconds, uses, bytes };
    struct cache *cache = NULL;

    assert_int_equal(cache_new(&limits, &cache, NULL), ENVL_OK);
    return cache;
}

/* spec: KEY-70 */
static void
a_cache_is_bounded_in_time_and_uses(void **state)
{
    struct cache *cache = cache_of(60, 2, 4096);
    const uint8_t key[32] = { 7 };
    uint8_t got[32];

    (void)state;
    assert_false(cache_get(cache, LITERAL("blob"), got));
    cache_put(cache, LITERAL("blob"), key);
    assert_true(cache_get(cache, LITERAL("blob"), got));
    assert_int_equal(got[0], 7);
    assert_false(cache_get(cache, LITERAL("blob2"), got));
    assert_true(cache_get(cache, LITERAL("blob"), got));
    assert_false(cache_get(cache, LITERAL("blob"), got)); /* a third use */
    cache_put(cache, LITERAL("blob"), key);
    now_ms += 59999;
    assert_true(cache_get(cache, LITERAL("blob"), got));
    now_ms += 1;
    assert_false(cache_get(cache, LITERAL("blob"), got));
    cache_free(cache);
}

static void
a_cache_is_bounded_in_bytes(void **state)
{
    struct cache *cache = cache_of(60, 1000, 4096);
    uint8_t key[32] = { 0 }, got[32];
    size_t held = 0;

    (void)state;
    for (uint32_t i = 0; i < 10000; i++) {
        memcpy(key, &i, sizeof(i));
        cache_put(cache, (struct envl_bytes){ (uint8_t *)&i, sizeof(i) },
                  key);
        now_ms += 1;
    }
    for (uint32_t i = 0; i < 10000; i++)
        if (cache_get(cache, (struct envl_bytes){ (uint8_t *)&i, sizeof(i) },
                      got)) {
            uint32_t back;

            memcpy(&back, got, sizeof(back));
            assert_int_equal(back, i);
            held++;
        }
    assert_in_range(held, 1, 4096 / 64);
    cache_free(cache);
}

static void
no_cache_is_made_unless_it_is_asked_for(void **state)
{
    uint8_t key[32] = { 0 };

    (void)state;
    assert_null(cache_of(0, 1000, 65536));
    assert_null(cache_of(60, 0, 65536));
    assert_false(cache_get(NULL, LITERAL("blob"), key));
    cache_put(NULL, LITERAL("blob"), key);
    cache_free(NULL);
}

/* ---- settings, credentials files, addresses, paths ----------------------- */

static enum envl_status
read_settings(const char *json, struct envl_error *err)
{
    const char *text = NULL, *path = NULL;
    struct config outer, inner;
    int64_t number;
    bool flag;

    config_open(json, "p", &outer, err);
    config_need_text(&outer, "text", &text);
    config_path(&outer, "path", &path);
    config_number(&outer, &(struct config_number){ "number", 1, 9, 5 },
                  &number);
    config_inner(&outer, "inner", "inner.", &inner);
    config_flag(&inner, "flag", &flag);
    config_done(&inner, &outer);
    config_done(&outer, NULL);
    return config_close(&outer);
}

static void
settings_are_read_strictly(void **state)
{
    static const struct {
        const char *json, *says; /* NULL: well */
    } rows[] = {
        { "{\"text\":\"x\"}", NULL },
        { "{\"text\":\"x\",\"path\":\"/a\",\"number\":9,"
          "\"inner\":{\"flag\":true}}", NULL },
        { "{}", "text is missing" },
        { "{\"text\":\"\"}", "text is not a string" },
        { "{\"text\":1}", "text is not a string" },
        { "{\"text\":\"x\",\"path\":\"a\"}", "absolute" },
        { "{\"text\":\"x\",\"number\":0}", "number" },
        { "{\"text\":\"x\",\"number\":10}", "number" },
        { "{\"text\":\"x\",\"number\":5.0}", "number" },
        { "{\"text\":\"x\",\"inner\":[]}", "inner is not an object" },
        { "{\"text\":\"x\",\"inner\":{\"flag\":1}}", "inner.flag" },
        { "{\"text\":\"x\",\"inner\":{\"flog\":true}}", "inner.flog is not "
          "known" },
        { "{\"text\":\"x\",\"more\":1}", "more is not known" },
        { "{\"text\":\"x\",\"text\":\"y\"}", "not a JSON object" },
        { "[]", "not a JSON object" },
        { "", "not a JSON object" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct envl_error err = { .status = ENVL_OK };
        enum envl_status status = read_settings(rows[i].json, &err);

        assert_int_equal(status, rows[i].says == NULL ? ENVL_OK
                                                      : ENVL_E_USAGE);
        if (rows[i].says != NULL)
            assert_non_null(strstr(err.message, rows[i].says));
    }
}

static void
credentials_files_have_sections(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: not there */
    } rows[] = {
        { "[p]\nk=v\n", "v" },
        { "[p]\nk = v with blanks \r\n", "v with blanks" },
        { "[q]\nk=w\n[p]\nk=v", "v" },
        { "[p]\n#k=no\n;k=no\nk=v\nk=second", "v" },
        { "[ p ]\nk=a=b\n", "a=b" },
        { "k=v\n[q]\nk=v\n", NULL },
        { "[p]\n[q]\nk=v\n", NULL },
        { "[pp]\nk=v\n", NULL },
        { "[p\nk=v\n", "v" }, /* as other tools take it */
        { "[p]\nkk=v\nk\n", NULL },
        { "", NULL },
        { "[", NULL },
        { "[p]", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct envl_bytes value;
        bool found = ini_find(envl_bytes_of(rows[i].text), "p", "k", &value);

        assert_int_equal(found, rows[i].want != NULL);
        if (found) {
            assert_int_equal(value.len, strlen(rows[i].want));
            assert_memory_equal(value.ptr, rows[i].want, value.len);
        }
    }
}

/* spec: KEY-63 */
static void
secrets_go_only_to_safe_addresses(void **state)
{
    static const struct {
        const char *address;
        bool metadata;
        enum envl_status status;
    } rows[] = {
        { "https://vault.example:8200", false, ENVL_OK },
        { "https://vault.example/path", false, ENVL_OK },
        { "https://[2001:db8::1]:1", false, ENVL_OK },
        { "http://127.0.0.1:1", false, ENVL_OK },
        { "http://127.255.0.1", false, ENVL_OK },
        { "http://[::1]:1", false, ENVL_OK },
        { "http://localhost", false, ENVL_OK },
        { "http://localhost.example", false, ENVL_E_POLICY },
        { "http://128.0.0.1", false, ENVL_E_POLICY },
        { "http://0.0.0.0", false, ENVL_E_POLICY },
        { "http://169.254.169.254", false, ENVL_E_POLICY },
        { "http://169.254.169.254", true, ENVL_OK },
        { "http://[fd00:ec2::254]", true, ENVL_OK },
        { "http://169.254.169.253", true, ENVL_E_POLICY },
        { "http://vault.example", true, ENVL_E_POLICY },
        { "ftp://vault.example", false, ENVL_E_USAGE },
        { "vault.example", false, ENVL_E_USAGE },
        { "https://u@vault.example", false, ENVL_E_USAGE },
        { "https://vault.example?q", false, ENVL_E_USAGE },
        { "https://vault.example#f", false, ENVL_E_USAGE },
        { "https://vault.example\\@evil", false, ENVL_E_USAGE },
        { "", false, ENVL_E_USAGE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(address_check("p", rows[i].address,
                                       rows[i].metadata, NULL),
                         rows[i].status);
}

static void
names_become_one_part_of_a_path(void **state)
{
    static const struct {
        const char *name;
        bool slashes;
        const char *want; /* NULL: refused */
    } rows[] = {
        { "key", false, "key" },       { "a b", false, "a%20b" },
        { "a/b", false, NULL },        { "a/b", true, "a/b" },
        { "a?b#c", true, "a%3Fb%23c" }, { "a\r\nb", false, "a%0D%0Ab" },
        { "..", false, NULL },         { "a/../b", true, NULL },
        { "a//b", true, NULL },        { "/a", true, NULL },
        { "a/", true, NULL },          { ".", true, NULL },
        { "", false, NULL },           { "...", true, "..." },
        { "%2e", false, "%252e" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct envl_buf path = ENVL_BUF_INIT;
        enum envl_status status = http_escape(rows[i].name, rows[i].slashes,
                                              &path, NULL);

        assert_int_equal(status, rows[i].want != NULL ? ENVL_OK
                                                      : ENVL_E_USAGE);
        if (status == ENVL_OK) {
            assert_int_equal(path.len, strlen(rows[i].want));
            assert_memory_equal(path.ptr, rows[i].want, path.len);
        }
        envl_buf_free(&path);
    }
}

/* spec: KEY-69 */
static void
credentials_come_from_files_of_ours(void **state)
{
    struct fixture f = fixture_new();
    struct secret_file file = { "token file", f.key, NULL, 0 };
    struct envl_secret *secret = NULL;

    (void)state;
    assert_int_equal(unlink(f.key), 0);
    assert_int_equal(secret_file_read(&file, &secret, NULL), ENVL_E_NOKEY);
    write_file(f.key, LITERAL("token\r\n"), 0600);
    assert_int_equal(secret_file_read(&file, &secret, NULL), ENVL_OK);
    assert_int_equal(envl_secret_bytes(secret).len, 5);
    envl_secret_free(secret);
    write_file(f.key, LITERAL("\n"), 0600);
    assert_int_equal(secret_file_read(&file, &secret, NULL), ENVL_E_NOKEY);
    write_file(f.key, LITERAL("token"), 0640);
    assert_int_equal(secret_file_read(&file, &secret, NULL), ENVL_E_POLICY);
    fixture_free(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_looked_into_strictly),
        cmocka_unit_test(items_come_one_after_the_other),
        cmocka_unit_test(base64_is_exact),
        cmocka_unit_test(numbers_are_whole_and_small),
        cmocka_unit_test(a_cache_is_bounded_in_time_and_uses),
        cmocka_unit_test(a_cache_is_bounded_in_bytes),
        cmocka_unit_test(no_cache_is_made_unless_it_is_asked_for),
        cmocka_unit_test(settings_are_read_strictly),
        cmocka_unit_test(credentials_files_have_sections),
        cmocka_unit_test(secrets_go_only_to_safe_addresses),
        cmocka_unit_test(names_become_one_part_of_a_path),
        cmocka_unit_test(credentials_come_from_files_of_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
