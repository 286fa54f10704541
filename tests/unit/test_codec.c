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
    { JOB_CODEC_BASE64, LITERAL_INIT("Zm9v\n"), false, LITERAL_INIT("") },
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
        enum envl_status status = codec_decode(c->codec, c->in, &room, &out,
                                               NULL);

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
                                  &first, NULL), ENVL_OK);
    memset(hex, '5', sizeof(hex) - 1);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(codec_decode(JOB_CODEC_HEX, envl_bytes_of(hex), &room,
                                      &out, NULL), ENVL_OK);
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
        cmocka_unit_test(results_do_not_move_when_more_is_decoded),
    };

    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
