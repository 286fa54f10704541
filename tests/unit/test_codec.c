#include "cmocka_all.h"

#include "engine/codec.h"

/* spec: JOB-23 */
static const struct codec_case {
    enum job_codec codec;
    struct envl_bytes in;
    bool good;
    struct envl_bytes want;
} cases[] = {
    { JOB_CODEC_BASE64, LITERAL_INIT(""), true, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zg=="), true, LITERAL_INIT("f") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zg"), true, LITERAL_INIT("f") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm8="), true, LITERAL_INIT("fo") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v"), true, LITERAL_INIT("foo") },
    { JOB_CODEC_BASE64, LITERAL_INIT("+/+/"), true,
      LITERAL_INIT("\xfb\xff\xbf") },
    { JOB_CODEC_BASE64, LITERAL_INIT("-_-_"), true,
      LITERAL_INIT("\xfb\xff\xbf") },
    { JOB_CODEC_BASE64, LITERAL_INIT("_w=="), true, LITERAL_INIT("\xff") },
    { JOB_CODEC_BASE64, LITERAL_INIT("_w"), true, LITERAL_INIT("\xff") },
    { JOB_CODEC_BASE64, LITERAL_INIT("+_+/"), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zh=="), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zh"), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zg="), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zg==="), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v="), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Z"), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v\n"), true, LITERAL_INIT("foo") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v\r\n"), true, LITERAL_INIT("foo") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v\nZm9v"), true,
      LITERAL_INIT("foofoo") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9vZm9v\nZg=="), true,
      LITERAL_INIT("foofoof") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v\n\n"), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("\nZm9v"), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("\n"), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v\r"), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9\nvZm\n9v"), false,
      LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v\nZm9vZm9v"), false,
      LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9vZm9v\nZm9v\nZm9vZm9v"), false,
      LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v\nZm9v\r\nZm9v"), false,
      LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT(" Zm9v"), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm\09v"), false, LITERAL_INIT("") },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zg==Zg=="), false, LITERAL_INIT("") },
    { JOB_CODEC_HEX, LITERAL_INIT(""), true, LITERAL_INIT("") },
    { JOB_CODEC_HEX, LITERAL_INIT("00fFAb"), true,
      LITERAL_INIT("\0\xff\xab") },
    { JOB_CODEC_HEX, LITERAL_INIT("0"), false, LITERAL_INIT("") },
    { JOB_CODEC_HEX, LITERAL_INIT("0g"), false, LITERAL_INIT("") },
    { JOB_CODEC_HEX, LITERAL_INIT("0x00"), false, LITERAL_INIT("") },
    { JOB_CODEC_HEX, LITERAL_INIT("00 00"), false, LITERAL_INIT("") },
    { JOB_CODEC_HEX, LITERAL_INIT("\\x00"), false, LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT("\"\""), true, LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT("\"a\\u00e9\\n\\u0000\""), true,
      LITERAL_INIT("a\xc3\xa9\n\0") },
    { JOB_CODEC_JSON, LITERAL_INIT("\"\\ud83d\\udd11\""), true,
      LITERAL_INIT("\xf0\x9f\x94\x91") },
    { JOB_CODEC_JSON, LITERAL_INIT("\"\\ud83d\""), false, LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT(" \"a\""), false, LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT("\"a\" "), false, LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT("\"a"), false, LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT("\"a\"\"b\""), false, LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT("a"), false, LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT("1"), false, LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT("{\"a\":\"b\"}"), false,
      LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT("[\"a\"]"), false, LITERAL_INIT("") },
    { JOB_CODEC_JSON, LITERAL_INIT(""), false, LITERAL_INIT("") },
};

static void
each_case_decodes_or_does_not(void **state)
{
    struct slab slab = { NULL, NULL };
    struct envl_buf spare = ENVL_BUF_INIT;
    struct codec_room room = { &slab, &spare };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct codec_case *c = &cases[i];
        struct envl_bytes out = { NULL, 0 };
        enum envl_status status = codec_decode(c->codec, c->in, &room, NULL,
                                               &out, NULL);

        if (status != (c->good ? ENVL_OK : ENVL_E_FORMAT))
            fail_msg("case %zu (%s): %s", i, (const char *)c->in.ptr,
                     envl_status_name(status));
        if (!c->good)
            continue;
        assert_int_equal(out.len, c->want.len);
        assert_memory_equal(out.ptr, c->want.ptr, c->want.len);
        assert_int_equal(spare.len, 0);
    }
    slab_free(&slab);
    envl_buf_free(&spare);
}

/* spec: JOB-28.  What was written comes out again; ${longer}: with more in
   it, in the same shape. */
static const struct shape_case {
    enum job_codec codec;
    struct envl_bytes in;
    const char *longer; /* with "foofoofoo" behind what it holds; NULL: any */
} shapes[] = {
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v"), "Zm9vZm9vZm9vZm9v" },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zg=="), "ZmZvb2Zvb2Zvbw==" },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zg"), "ZmZvb2Zvb2Zvbw" },
    { JOB_CODEC_BASE64, LITERAL_INIT("+/+/"), NULL },
    { JOB_CODEC_BASE64, LITERAL_INIT("-_-_"), "-_-_Zm9vZm9vZm9v" },
    { JOB_CODEC_BASE64, LITERAL_INIT("_w=="), "_2Zvb2Zvb2Zvbw==" },
    { JOB_CODEC_BASE64, LITERAL_INIT("_w"), "_2Zvb2Zvb2Zvbw" },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v\n"), "Zm9vZm9vZm9vZm9v\n" },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v\nZm9v"),
      "Zm9v\nZm9v\nZm9v\nZm9v\nZm9v" },
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9vZm9v\r\nZg==\r\n"),
      "Zm9vZm9v\r\nZmZvb2Zv\r\nb2Zvbw==\r\n" },
    { JOB_CODEC_BASE64, LITERAL_INIT(""), NULL },
    { JOB_CODEC_HEX, LITERAL_INIT("00ff"), "00ff666f6f666f6f666f6f" },
    { JOB_CODEC_HEX, LITERAL_INIT("00FF"), "00FF666F6F666F6F666F6F" },
    { JOB_CODEC_HEX, LITERAL_INIT("0011"), NULL },
    { JOB_CODEC_JSON, LITERAL_INIT("\"a\\u00e9\\n\""),
      "\"a\\u00e9\\nfoofoofoo\"" },
    { JOB_CODEC_JSON, LITERAL_INIT("\"a\xc3\xa9\\u0001\""), NULL },
    { JOB_CODEC_JSON, LITERAL_INIT("\"\\ud83d\\udd11\""), NULL },
    { JOB_CODEC_JSON, LITERAL_INIT("\"\\uD83D\\uDD11\""), NULL },
    { JOB_CODEC_JSON, LITERAL_INIT("\"\\u20ac \xe2\""), NULL },
    { JOB_CODEC_JSON, LITERAL_INIT("\"{\\\"a\\\":\\\"b\\\"}\""), NULL },
    { JOB_CODEC_JSON, LITERAL_INIT("\"http:\\/\\/x\""), NULL },
    { JOB_CODEC_JSON, LITERAL_INIT("\"http://x\""), NULL },
    { JOB_CODEC_JSON, LITERAL_INIT("\"\\u003ca\\u003e\\u0026\""), NULL },
};

static void
what_was_written_is_written_again(void **state)
{
    struct slab slab = { NULL, NULL };
    struct envl_buf spare = ENVL_BUF_INIT, out = ENVL_BUF_INIT;
    struct envl_buf more = ENVL_BUF_INIT;
    struct codec_room room = { &slab, &spare };

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        const struct shape_case *c = &shapes[i];
        struct codec_shape shape;
        struct envl_bytes plain;

        envl_buf_clear(&out);
        envl_buf_clear(&more);
        if (codec_decode(c->codec, c->in, &room, &shape, &plain, NULL) !=
            ENVL_OK) {
            assert_null(c->longer); /* the one that is no JSON */
            continue;
        }
        assert_int_equal(codec_encode(c->codec, &shape, plain, &out, NULL),
                         ENVL_OK);
        if (out.len != c->in.len ||
            (out.len > 0 && memcmp(out.ptr, c->in.ptr, out.len) != 0))
            fail_msg("shape %zu: %.*s", i, (int)out.len,
                     (const char *)out.ptr);
        if (c->longer == NULL)
            continue;
        envl_buf_clear(&out);
        assert_int_equal(envl_buf_append(&more, plain, NULL), ENVL_OK);
        assert_int_equal(envl_buf_append(&more, LITERAL("foofoofoo"), NULL),
                         ENVL_OK);
        assert_int_equal(codec_encode(c->codec, &shape, envl_buf_view(&more),
                                      &out, NULL), ENVL_OK);
        if (out.len != strlen(c->longer) ||
            memcmp(out.ptr, c->longer, out.len) != 0)
            fail_msg("shape %zu: %.*s", i, (int)out.len,
                     (const char *)out.ptr);
    }
    slab_free(&slab);
    envl_buf_free(&spare);
    envl_buf_free(&out);
    envl_buf_free(&more);
}

/* Mixed digits, odd escapes: decoded, but not from what we would write. */
static void
what_we_would_write_otherwise_is_told(void **state)
{
    static const struct {
        enum job_codec codec;
        struct envl_bytes in;
    } others[] = {
        { JOB_CODEC_HEX, LITERAL_INIT("fFAb") },
        { JOB_CODEC_JSON, LITERAL_INIT("\"\\u0061\"") },
        { JOB_CODEC_JSON, LITERAL_INIT("\"\\u000a\"") },
        { JOB_CODEC_JSON, LITERAL_INIT("\"\\u00e9\xc3\xa9\"") },
        { JOB_CODEC_JSON, LITERAL_INIT("\"/\\/\"") },
        { JOB_CODEC_JSON, LITERAL_INIT("\"\\u00E9\\u00e8\"") },
    };
    struct slab slab = { NULL, NULL };
    struct envl_buf spare = ENVL_BUF_INIT, out = ENVL_BUF_INIT;
    struct codec_room room = { &slab, &spare };

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct envl_bytes in = others[i].in, plain;
        struct codec_shape shape;

        envl_buf_clear(&out);
        assert_int_equal(codec_decode(others[i].codec, in, &room, &shape,
                                      &plain, NULL), ENVL_OK);
        assert_int_equal(codec_encode(others[i].codec, &shape, plain, &out,
                                      NULL), ENVL_OK);
        assert_false(out.len == in.len &&
                     memcmp(out.ptr, in.ptr, in.len) == 0);
    }
    slab_free(&slab);
    envl_buf_free(&spare);
    envl_buf_free(&out);
}

static void
results_do_not_move_when_more_is_decoded(void **state)
{
    struct slab slab = { NULL, NULL };
    struct envl_buf spare = ENVL_BUF_INIT;
    struct codec_room room = { &slab, &spare };
    static char hex[100001];
    struct envl_bytes first, out;

    (void)state;
    assert_int_equal(codec_decode(JOB_CODEC_HEX, LITERAL("616263"), &room,
                                  NULL, &first, NULL), ENVL_OK);
    memset(hex, '5', sizeof(hex) - 1);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(codec_decode(JOB_CODEC_HEX, envl_bytes_of(hex), &room,
                                      NULL, &out, NULL), ENVL_OK);
    assert_memory_equal(first.ptr, "abc", 3);
    assert_int_equal(out.len, 50000);
    slab_free(&slab);
    envl_buf_free(&spare);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_decodes_or_does_not),
        cmocka_unit_test(what_was_written_is_written_again),
        cmocka_unit_test(what_we_would_write_otherwise_is_told),
        cmocka_unit_test(results_do_not_move_when_more_is_decoded),
    };

    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
