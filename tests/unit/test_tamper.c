/*
 * Nothing that was changed opens: every bit, every truncation, every byte
 * more, every splice of two, every move to another place, of a set of 64
 * envelopes in all encodings and modes, from 0 bytes to three chunks.
 */
#include "envelope_fixture.h"

#define SET 64u
#define LARGE 2000u /* above it, positions are sampled in all regions */

static struct envl_keyring *ring;
static struct envl_open_options any = { .size = sizeof(any), .scope = "*" };
static struct envl_plain plain = ENVL_PLAIN_INIT;

/* One of the set; contexts differ in the id. */
struct sealed {
    struct envl_buf bytes;
    struct envl_buf binary; /* the same in binary */
    size_t payload_at;      /* in binary          */
    const char *kid;
    enum envl_encoding encoding;
    char id[8];
    struct envl_pair pairs[2];
    struct envl_context context;
};

static struct sealed set[SET];
static unsigned long tried, by_status[ENVL_E_INTERRUPTED + 1];

static void
must_not_open(const struct envl_context *context, struct envl_bytes bytes,
              const char *what)
{
    enum envl_status status = envl_open(ring, &any, context, bytes, &plain,
                                        NULL);

    tried++;
    by_status[status]++;
    if (status == ENVL_OK)
        fail_msg("%s opens", what);
    assert_int_equal(plain.value.len, 0);
}

/* The bits to flip of a byte at ${at} of ${len}: all, or few of many. */
static bool
sampled(size_t at, size_t len)
{
    return len <= LARGE || at < 150 || len - at < 40 || at % 97 == 0 ||
           at % 16400 < 2 || at % 21867 < 2;
}

/* Under valgrind and sanitizers only each ${n}th is tried. */
static bool
left_out(size_t at, size_t n)
{
    return getenv("ENVL_TEST_QUICK") != NULL && at % n != 0;
}

static void
no_flipped_bit_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < SET; i++) {
        struct envl_buf *e = &set[i].bytes;

        for (size_t at = 0; at < e->len; at++) {
            if (!sampled(at, e->len) || left_out(at + i, 31))
                continue;
            for (unsigned bit = 0; bit < 8; bit++) {
                e->ptr[at] ^= (uint8_t)(1u << bit);
                must_not_open(&set[i].context, envl_buf_view(e),
                              "a flipped bit");
                e->ptr[at] ^= (uint8_t)(1u << bit);
            }
        }
    }
}

static void
no_truncation_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < SET; i++)
        for (size_t len = 0; len < set[i].bytes.len; len++)
            if (sampled(len, set[i].bytes.len) && !left_out(len + i, 7))
                must_not_open(&set[i].context, (struct envl_bytes){
                    set[i].bytes.ptr, len }, "a truncation");
}

/* One byte more at the end, and one more anywhere in small ones. */
static void
no_byte_more_opens(void **state)
{
    static uint8_t longer[120000];

    (void)state;
    for (size_t i = 0; i < SET; i++) {
        struct envl_bytes e = envl_buf_view(&set[i].bytes);
        bool object = set[i].encoding == ENVL_ENCODING_OBJECT;

        assert_true(e.len < sizeof(longer));
        memcpy(longer, e.ptr, e.len);
        for (unsigned c = 0; c < 256; c++) {
            /* White space after an object is no change of it (ENV-7.5). */
            if (object && c != 0 && strchr(" \t\r\n", (int)c) != NULL)
                continue;
            if (left_out(c, 17))
                continue;
            longer[e.len] = (uint8_t)c;
            must_not_open(&set[i].context, (struct envl_bytes){
                longer, e.len + 1 }, "a byte more");
        }
        for (size_t at = 0; !object && e.len < LARGE && at < e.len; at++) {
            if (left_out(at + i, 17))
                continue;
            memcpy(longer, e.ptr, at);
            longer[at] = 'A';
            memcpy(longer + at + 1, e.ptr + at, e.len - at);
            must_not_open(&set[i].context, (struct envl_bytes){
                longer, e.len + 1 }, "a byte in between");
        }
    }
}

/* ${count} parts one after the other. */
static struct envl_buf
join(const struct envl_bytes *parts, size_t count)
{
    struct envl_buf out = ENVL_BUF_INIT;

    for (size_t i = 0; i < count; i++)
        assert_int_equal(envl_buf_append(&out, parts[i], NULL), ENVL_OK);
    return out;
}

static struct envl_bytes
part(const struct sealed *s, size_t from, size_t to)
{
    return (struct envl_bytes){ s->binary.ptr + from, to - from };
}

/* Header of one and payload of another, in the place of either. */
static void
no_splice_of_two_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < SET; i++) {
        for (size_t j = 0; j < SET; j++) {
            const struct sealed *a = &set[i], *b = &set[j];
            size_t a_at = a->payload_at, b_at = b->payload_at;
            struct envl_bytes parts[3] = {
                part(a, 0, a_at), part(b, b_at, b->binary.len),
            };
            struct envl_buf out;

            if (left_out(i + j, 7) ||
                i == j || (a->binary.ptr[4] == 0 && b->binary.ptr[4] == 0 &&
                           strcmp(a->kid, b->kid) == 0))
                continue; /* the same header: that is ${b} itself */
            out = join(parts, 2);
            must_not_open(&a->context, envl_buf_view(&out), "a splice");
            must_not_open(&b->context, envl_buf_view(&out), "a splice");
            envl_buf_free(&out);

            /* Head of one payload, chunks of the other. */
            parts[0] = part(a, 0, a_at + 56);
            parts[1] = part(b, b_at + 56, b->binary.len);
            out = join(parts, 2);
            must_not_open(&a->context, envl_buf_view(&out), "a splice");
            must_not_open(&b->context, envl_buf_view(&out), "a splice");
            envl_buf_free(&out);

            /* Salt of one, commitment and chunks of the other. */
            parts[0] = part(a, 0, a_at + 24);
            parts[1] = part(b, b_at + 24, b->binary.len);
            out = join(parts, 2);
            must_not_open(&a->context, envl_buf_view(&out), "a splice");
            envl_buf_free(&out);
        }
    }
}

/* Chunks swapped, dropped, doubled, or one of another envelope. */
static void
no_rearranged_chunks_open(void **state)
{
    unsigned long before = tried;

    (void)state;
    for (size_t i = 0; i < SET; i++) {
        const struct sealed *s = &set[i];
        size_t head = s->payload_at + 56, end = s->binary.len;
        size_t c1 = head + 16400, c2 = head + 2 * 16400;
        struct envl_bytes lists[6][4];
        size_t counts[6] = { 0 };

        if (end - head <= 16400)
            continue;
        lists[0][0] = part(s, 0, head); /* the first dropped */
        lists[0][1] = part(s, c1, end);
        counts[0] = 2;
        lists[1][0] = part(s, 0, c1);   /* the last dropped  */
        counts[1] = 1;
        lists[2][0] = part(s, 0, c1);   /* the first doubled */
        lists[2][1] = part(s, head, end);
        counts[2] = 2;
        lists[3][0] = part(s, 0, end);  /* the last doubled  */
        lists[3][1] = part(s, c1, end);
        counts[3] = 2;
        if (end - head > 2 * 16400) {
            lists[4][0] = part(s, 0, head); /* two swapped */
            lists[4][1] = part(s, c1, c2);
            lists[4][2] = part(s, head, c1);
            lists[4][3] = part(s, c2, end);
            counts[4] = 4;
            lists[5][0] = part(s, 0, c1);   /* the middle one dropped */
            lists[5][1] = part(s, c2, end);
            counts[5] = 2;
        }
        for (size_t n = 0; n < 6; n++) {
            struct envl_buf out;

            if (counts[n] == 0)
                continue;
            out = join(lists[n], counts[n]);
            must_not_open(&s->context, envl_buf_view(&out), "moved chunks");
            envl_buf_free(&out);
        }
    }
    assert_true(tried - before > 20);
}

static void
no_other_place_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < SET; i++) {
        const struct envl_pair *p = set[i].pairs;
        char whole[64];
        struct envl_pair moved[3];
        const struct envl_context none = { NULL, 0 };

        for (size_t j = 0; j < SET; j++)
            if (i != j)
                must_not_open(&set[j].context, envl_buf_view(&set[i].bytes),
                              "another place");
        must_not_open(&none, envl_buf_view(&set[i].bytes), "no place");
        must_not_open(NULL, envl_buf_view(&set[i].bytes), "no place");
        must_not_open(&(struct envl_context){ p, 1 },
                      envl_buf_view(&set[i].bytes), "a pair less");

        /* Bytes moved over the boundaries of names and values. */
        memcpy(moved, p, sizeof(set[i].pairs));
        moved[2] = (struct envl_pair)PAIR("x", "");
        must_not_open(&(struct envl_context){ moved, 3 },
                      envl_buf_view(&set[i].bytes), "a pair more");
        snprintf(whole, sizeof(whole), "t.cid%s", set[i].id);
        moved[0] = (struct envl_pair){ LITERAL("field"),
                                       envl_bytes_of(whole) };
        must_not_open(&(struct envl_context){ moved, 1 },
                      envl_buf_view(&set[i].bytes), "pairs run together");
        moved[0] = (struct envl_pair)PAIR("fiel", "dt.c");
        must_not_open(&(struct envl_context){ moved, 2 },
                      envl_buf_view(&set[i].bytes), "a boundary moved");
    }
}

/* Relabelled: every kid of the ring, both modes, all in clear text. */
static void
no_relabelled_envelope_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < SET; i++) {
        const struct sealed *s = &set[i];
        size_t kid_len = strlen(s->kid);

        for (size_t k = 0; k < FIXTURE_KEYS; k++) {
            const char *kid = fixture_keys[k].kid;
            uint8_t head[6] = { 0x9e, 0x45, 0x56, 1, s->binary.ptr[4],
                                (uint8_t)strlen(kid) };
            struct envl_bytes parts[3] = {
                { head, 6 }, envl_bytes_of(kid),
                part(s, 6 + kid_len, s->binary.len),
            };
            struct envl_buf out;

            if (strcmp(kid, s->kid) == 0)
                continue;
            out = join(parts, 3);
            must_not_open(&s->context, envl_buf_view(&out), "another kid");
            out.ptr[4] ^= 1;
            must_not_open(&s->context, envl_buf_view(&out), "another mode");
            envl_buf_free(&out);
        }
    }
}

/* ---- the set ------------------------------------------------------------- */

static int
make_set(void **state)
{
    static const size_t lens[] = { 0, 1, 16, 29, 30, 31, 64, 100, 255, 500,
                                   1023, 1024 };
    static const size_t large[] = { 16383, 20000, 32767, 40000 };
    static const char *const kids[] = { "k-now", "kek-now", "k-old",
                                        "kek-old" };
    static uint8_t value[40000];
    struct envl_keyring *all;

    (void)state;
    memset(value, 'v', sizeof(value));
    ring = make_ring(false);
    all = make_ring(true);
    for (size_t i = 0; i < SET; i++) {
        struct sealed *s = &set[i];
        struct envl_seal_options options = {
            .size = sizeof(options), .kid = kids[i / 3 % 4],
            .scope = kids[i / 3 % 4], .encoding = (enum envl_encoding)(i % 3),
            .type = (enum envl_type)(i % 2),
            .pad = i % 5 == 0 ? ENVL_PAD_NONE : ENVL_PAD_DEFAULT,
        };
        size_t len = i < SET - 12 ? lens[i % 12] : large[i % 4];
        struct envl_info info;

        snprintf(s->id, sizeof(s->id), "%zu", i);
        s->kid = options.kid;
        s->encoding = options.encoding;
        s->pairs[0] = (struct envl_pair)PAIR("field", "t.c");
        s->pairs[1] = (struct envl_pair){ LITERAL("id"),
                                          envl_bytes_of(s->id) };
        s->context = (struct envl_context){ s->pairs, 2 };
        if (envl_seal(all, &options, &s->context, (struct envl_bytes){
                value, len }, &s->bytes, NULL) != ENVL_OK ||
            envl_recode(envl_buf_view(&s->bytes), ENVL_ENCODING_BINARY,
                        &s->binary, NULL) != ENVL_OK ||
            envl_inspect(envl_buf_view(&s->bytes), &info, NULL) != ENVL_OK)
            return -1;
        s->payload_at = 6 + strlen(s->kid) +
                        (info.mode == ENVL_MODE_WRAPPED ? 42 : 0);
    }
    envl_keyring_free(all);
    return 0;
}

static int
free_set(void **state)
{
    (void)state;
    print_message("%lu changed envelopes, none opened:", tried);
    for (int i = 1; i <= ENVL_E_INTERRUPTED; i++)
        if (by_status[i] != 0)
            print_message(" %lu %s", by_status[i],
                          envl_status_name((enum envl_status)i));
    print_message("\n");
    for (size_t i = 0; i < SET; i++) {
        envl_buf_free(&set[i].bytes);
        envl_buf_free(&set[i].binary);
    }
    envl_plain_free(&plain);
    envl_keyring_free(ring);
    return 0;
}

/* The twin: untouched, each of them opens. */
static void
what_was_not_changed_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < SET; i++) {
        assert_int_equal(envl_open(ring, &any, &set[i].context,
                                   envl_buf_view(&set[i].bytes), &plain,
                                   NULL), ENVL_OK);
        assert_int_equal(envl_open(ring, &any, &set[i].context,
                                   envl_buf_view(&set[i].binary), &plain,
                                   NULL), ENVL_OK);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_changed_opens),
        cmocka_unit_test(no_flipped_bit_opens),
        cmocka_unit_test(no_truncation_opens),
        cmocka_unit_test(no_byte_more_opens),
        cmocka_unit_test(no_splice_of_two_opens),
        cmocka_unit_test(no_rearranged_chunks_open),
        cmocka_unit_test(no_other_place_opens),
        cmocka_unit_test(no_relabelled_envelope_opens),
    };

    return cmocka_run_group_tests_name("tamper", tests, make_set, free_set);
}
