#include "cmocka_all.h"

#include "engine/state.h"

#define OPENS { .kind = ENVL_KIND_TEXT, .sealed = true, .verdict = ENVL_OK }

/* A plaintext that nothing is wrong with. */
#define GOOD .codec_ok = true, .context_ok = true, .type_ok = true, \
             .fits = true

static const struct row_place plain = { .kind = ENVL_KIND_TEXT };
static const struct row_place null = { .kind = ENVL_KIND_NULL };

/* One row for each rule of spec JOB-40, without a sibling. */
static const struct state_case {
    const char *name;
    struct row_facts facts;
    enum row_state want;
} cases[] = {
    { "absent", { .source = { .kind = ENVL_KIND_ABSENT }, GOOD }, ROW_ABSENT },
    { "null", { .source = { .kind = ENVL_KIND_NULL }, GOOD }, ROW_NULL },
    { "empty_text",
      { .source = { .kind = ENVL_KIND_TEXT, .empty = true }, GOOD },
      ROW_EMPTY },
    { "empty_bytes",
      { .source = { .kind = ENVL_KIND_BYTES, .empty = true }, GOOD },
      ROW_EMPTY },
    { "empty_is_plaintext_where_the_job_seals_it",
      { .source = { .kind = ENVL_KIND_TEXT, .empty = true },
        .seal_empty = true, GOOD },
      ROW_PLAINTEXT },
    { "json_is_never_empty",
      { .source = { .kind = ENVL_KIND_JSON, .empty = true }, GOOD },
      ROW_PLAINTEXT },
    { "plaintext", { .source = { .kind = ENVL_KIND_TEXT }, GOOD },
      ROW_PLAINTEXT },
    { "plaintext_bytes", { .source = { .kind = ENVL_KIND_BYTES }, GOOD },
      ROW_PLAINTEXT },
    { "plaintext_json", { .source = { .kind = ENVL_KIND_JSON }, GOOD },
      ROW_PLAINTEXT },
    { "sealed_current",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true, .current = true },
        GOOD },
      ROW_SEALED_CURRENT },
    { "sealed_old_kid",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true }, GOOD },
      ROW_SEALED_OLD_KID },
    { "sealed_unknown_kid",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true,
                    .verdict = ENVL_E_NOKEY }, GOOD },
      ROW_SEALED_UNKNOWN_KID },
    { "sealed_in_a_mode_the_job_does_not_accept",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true,
                    .verdict = ENVL_E_POLICY }, GOOD },
      ROW_SEALED_UNKNOWN_KID },
    { "sealed_wrong_context",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true,
                    .verdict = ENVL_E_AUTH }, GOOD },
      ROW_SEALED_WRONG_CONTEXT },
    { "sealed_corrupt",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true, .corrupt = true },
        GOOD },
      ROW_SEALED_CORRUPT },
    { "sealed_corrupt_under_the_current_kid",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true, .current = true,
                    .corrupt = true }, GOOD },
      ROW_SEALED_CORRUPT },
    { "sealed_newer",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true,
                    .verdict = ENVL_E_VERSION }, GOOD },
      ROW_SEALED_NEWER },
    { "prefix_collision",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true,
                    .verdict = ENVL_E_FORMAT }, GOOD },
      ROW_PREFIX_COLLISION },
    { "sealed_where_no_context_can_be_made",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true } },
      ROW_BAD_CONTEXT },
    { "newer_where_no_context_can_be_made",
      { .source = { .kind = ENVL_KIND_TEXT, .sealed = true,
                    .verdict = ENVL_E_VERSION } },
      ROW_SEALED_NEWER },
    { "legacy_cipher",
      { .source = { .kind = ENVL_KIND_TEXT }, .legacy = true, GOOD },
      ROW_LEGACY_CIPHER },
    { "bad_codec",
      { .source = { .kind = ENVL_KIND_TEXT }, .context_ok = true,
        .type_ok = true, .fits = true },
      ROW_BAD_CODEC },
    { "bad_context",
      { .source = { .kind = ENVL_KIND_TEXT }, .codec_ok = true,
        .type_ok = true, .fits = true },
      ROW_BAD_CONTEXT },
    { "wrong_type_by_the_job",
      { .source = { .kind = ENVL_KIND_TEXT }, .codec_ok = true,
        .context_ok = true, .fits = true },
      ROW_WRONG_TYPE },
    { "wrong_type_by_the_store",
      { .source = { .kind = ENVL_KIND_OTHER, .empty = true }, GOOD },
      ROW_WRONG_TYPE },
    { "wrong_type_before_an_unknown_kind_is_believed",
      { .source = { .kind = (enum envl_kind)99, .sealed = true }, GOOD },
      ROW_WRONG_TYPE },
    { "too_large",
      { .source = { .kind = ENVL_KIND_TEXT }, .codec_ok = true,
        .context_ok = true, .type_ok = true },
      ROW_TOO_LARGE },
    { "an_empty_place_needs_no_context",
      { .source = { .kind = ENVL_KIND_NULL } }, ROW_NULL },
    { "a_sibling_is_not_looked_at_without_into",
      { .source = { .kind = ENVL_KIND_NULL }, .sibling = OPENS, GOOD },
      ROW_NULL },
};

/* The same with `into`. */
static const struct state_case pairs[] = {
    { "both_empty_is_absent",
      { .source = { .kind = ENVL_KIND_ABSENT },
        .sibling = { .kind = ENVL_KIND_NULL }, .has_into = true, GOOD },
      ROW_ABSENT },
    { "an_empty_sibling_is_nothing",
      { .source = { .kind = ENVL_KIND_TEXT },
        .sibling = { .kind = ENVL_KIND_TEXT, .empty = true },
        .has_into = true, GOOD },
      ROW_PLAINTEXT },
    { "the_sibling_speaks_once_the_source_is_gone",
      { .source = { .kind = ENVL_KIND_NULL }, .sibling = OPENS,
        .has_into = true, GOOD },
      ROW_SEALED_OLD_KID },
    { "the_sibling_speaks_beside_an_empty_source",
      { .source = { .kind = ENVL_KIND_TEXT, .empty = true },
        .sibling = { .kind = ENVL_KIND_TEXT, .sealed = true,
                     .verdict = ENVL_E_AUTH }, .has_into = true, GOOD },
      ROW_SEALED_WRONG_CONTEXT },
    { "an_empty_source_that_is_sealed_differs_from_the_sibling",
      { .source = { .kind = ENVL_KIND_TEXT, .empty = true },
        .sibling = OPENS, .has_into = true, .seal_empty = true, GOOD },
      ROW_BOTH_PRESENT },
    { "a_different_sibling_is_both_present",
      { .source = { .kind = ENVL_KIND_TEXT }, .sibling = OPENS,
        .has_into = true, GOOD },
      ROW_BOTH_PRESENT },
    { "the_same_sibling_in_place_leaves_a_plaintext",
      { .source = { .kind = ENVL_KIND_TEXT }, .sibling = OPENS,
        .has_into = true, .same = true, GOOD },
      ROW_PLAINTEXT },
    { "the_same_sibling_in_sibling_mode_is_sealed",
      { .source = { .kind = ENVL_KIND_TEXT }, .sibling = OPENS,
        .has_into = true, .keep_source = true, .same = true, GOOD },
      ROW_SEALED_OLD_KID },
    { "a_different_sibling_in_sibling_mode_is_both_present",
      { .source = { .kind = ENVL_KIND_TEXT }, .sibling = OPENS,
        .has_into = true, .keep_source = true, GOOD },
      ROW_BOTH_PRESENT },
    { "a_sibling_that_does_not_open_is_never_overwritten",
      { .source = { .kind = ENVL_KIND_TEXT },
        .sibling = { .kind = ENVL_KIND_TEXT, .sealed = true,
                     .verdict = ENVL_E_NOKEY },
        .has_into = true, .same = true, GOOD },
      ROW_BOTH_PRESENT },
    { "in_sibling_mode_it_says_what_is_wrong_with_it",
      { .source = { .kind = ENVL_KIND_TEXT },
        .sibling = { .kind = ENVL_KIND_TEXT, .sealed = true,
                     .verdict = ENVL_E_NOKEY },
        .has_into = true, .keep_source = true, GOOD },
      ROW_SEALED_UNKNOWN_KID },
    { "a_plaintext_at_the_sibling_is_never_overwritten",
      { .source = { .kind = ENVL_KIND_TEXT },
        .sibling = { .kind = ENVL_KIND_TEXT }, .has_into = true,
        .keep_source = true, .same = true, GOOD },
      ROW_BOTH_PRESENT },
    { "a_plaintext_at_the_sibling_alone_is_not_nothing",
      { .source = { .kind = ENVL_KIND_NULL },
        .sibling = { .kind = ENVL_KIND_TEXT }, .has_into = true, GOOD },
      ROW_BOTH_PRESENT },
    { "a_number_at_the_sibling_is_wrong_type",
      { .source = { .kind = ENVL_KIND_NULL },
        .sibling = { .kind = ENVL_KIND_OTHER }, .has_into = true, GOOD },
      ROW_WRONG_TYPE },
    { "of_two_envelopes_the_worse_speaks",
      { .source = OPENS,
        .sibling = { .kind = ENVL_KIND_TEXT, .sealed = true,
                     .verdict = ENVL_E_FORMAT }, .has_into = true, GOOD },
      ROW_PREFIX_COLLISION },
    { "two_envelopes_are_one_too_many",
      { .source = OPENS, .sibling = OPENS, .has_into = true, GOOD },
      ROW_BOTH_PRESENT },
    { "an_envelope_at_the_source_is_in_the_wrong_place",
      { .source = OPENS, .sibling = { .kind = ENVL_KIND_NULL },
        .has_into = true, GOOD },
      ROW_SEALED_WRONG_CONTEXT },
};

static void
run_case(void **state)
{
    const struct state_case *c = *state;

    assert_string_equal(row_state_name(row_state_of(&c->facts)),
                        row_state_name(c->want));
}

/* ---- the whole cross product --------------------------------------------- */

static const enum envl_kind kinds[] = {
    ENVL_KIND_ABSENT, ENVL_KIND_NULL, ENVL_KIND_TEXT, ENVL_KIND_BYTES,
    ENVL_KIND_JSON, ENVL_KIND_BSON, ENVL_KIND_OTHER, (enum envl_kind)77,
};

/* Each that envl_classify gives, some that it does not, and an unknown one. */
static const enum envl_status verdicts[] = {
    ENVL_OK, ENVL_E_USAGE, ENVL_E_NOTENV, ENVL_E_VERSION, ENVL_E_FORMAT,
    ENVL_E_NOKEY, ENVL_E_POLICY, ENVL_E_PROVIDER, ENVL_E_AUTH,
    (enum envl_status)99,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PLACES   (COUNT(kinds) * COUNT(verdicts) * 16)
#define FLAGS    9u

static struct row_place
place_of(unsigned n)
{
    struct row_place place = { ENVL_KIND_ABSENT, false, false, ENVL_OK, false,
                               false };

    place.kind = kinds[n % COUNT(kinds)];
    n /= (unsigned)COUNT(kinds);
    place.verdict = verdicts[n % COUNT(verdicts)];
    n /= (unsigned)COUNT(verdicts);
    place.empty = (n & 1) != 0;
    place.sealed = (n & 2) != 0;
    place.current = (n & 4) != 0;
    place.corrupt = (n & 8) != 0;
    return place;
}

static struct row_facts
facts_of(unsigned source, unsigned sibling, unsigned flags)
{
    struct row_facts facts = { .source = place_of(source),
                               .sibling = place_of(sibling) };

    facts.has_into = (flags & 1) != 0;
    facts.keep_source = (flags & 2) != 0;
    facts.seal_empty = (flags & 4) != 0;
    facts.same = (flags & 8) != 0;
    facts.legacy = (flags & 16) != 0;
    facts.codec_ok = (flags & 32) != 0;
    facts.context_ok = (flags & 64) != 0;
    facts.type_ok = (flags & 128) != 0;
    facts.fits = (flags & 256) != 0;
    return facts;
}

static bool
value_kind(enum envl_kind kind)
{
    return kind >= ENVL_KIND_TEXT && kind <= ENVL_KIND_BSON;
}

static bool
has_value(const struct row_place *place)
{
    bool bytes = place->kind == ENVL_KIND_TEXT ||
                 place->kind == ENVL_KIND_BYTES;

    return value_kind(place->kind) && !(bytes && place->empty);
}

/* What must hold of every answer, said without the function's own words. */
static void
check_answer(const struct row_facts *f, enum row_state state)
{
    const struct row_place *s = &f->source, *b = &f->sibling;
    bool occupied = f->has_into && b->kind != ENVL_KIND_ABSENT &&
                    b->kind != ENVL_KIND_NULL &&
                    (has_value(b) || !value_kind(b->kind));

    assert_true((unsigned)state < ROW_STATE_COUNT);
    if (state == ROW_PLAINTEXT) {
        /* spec: JOB-41, JOB-52: nothing sealed, broken or unknown. */
        assert_true(value_kind(s->kind) && !s->sealed);
        assert_true(has_value(s) || f->seal_empty);
        assert_true(f->codec_ok && f->context_ok && f->type_ok && f->fits);
        assert_false(f->legacy);
        /* What stands at the sibling is not lost. */
        if (occupied)
            assert_true(b->sealed && b->verdict == ENVL_OK && !b->corrupt &&
                        f->same && !f->keep_source);
    }
    if (state == ROW_SEALED_CURRENT || state == ROW_SEALED_OLD_KID) {
        bool held = has_value(s) || (value_kind(s->kind) && f->seal_empty);
        const struct row_place *at = f->has_into ? b : s;

        assert_true(at->sealed && at->verdict == ENVL_OK && f->context_ok);
        assert_false(at->corrupt);
        assert_int_equal(at->current, state == ROW_SEALED_CURRENT);
        /* No second envelope hides behind the one that is counted. */
        assert_true(at == s || !held || !s->sealed);
        /* Skipping hides no plaintext that is not in the envelope, too. */
        if (at == b && held)
            assert_true(f->same && f->keep_source);
    }
    if (state <= ROW_EMPTY)
        assert_true(!has_value(s) && !occupied);
}

static void
the_state_is_total_and_only_sound_plaintext_is_plaintext(void **state)
{
    uint64_t seen[ROW_STATE_COUNT] = { 0 };
    bool quick = getenv("ENVL_TEST_QUICK") != NULL;
    unsigned step = quick ? 41 : 1;

    (void)state;
    for (unsigned source = 0; source < PLACES; source++) {
        for (unsigned flags = 0; flags < 1u << FLAGS; flags++) {
            /* All siblings where they matter, one where they do not. */
            unsigned places = (flags & 1) != 0 ? (unsigned)PLACES : 1;

            for (unsigned n = source % step; n < places; n += step) {
                struct row_facts facts = facts_of(source, n, flags);
                enum row_state answer = row_state_of(&facts);

                check_answer(&facts, answer);
                assert_int_equal(answer, row_state_of(&facts));
                seen[answer]++;
            }
        }
    }
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++) {
        if (seen[i] == 0)
            fail_msg("no facts lead to %s", row_state_name((enum row_state)i));
    }
}

/* The rig's twin: a wrong answer does not pass check_answer's conditions. */
static void
a_sealed_source_is_never_plaintext_whatever_its_verdict(void **state)
{
    (void)state;
    for (unsigned verdict = 0; verdict < 100; verdict++) {
        struct row_facts facts = { .source = plain, .sibling = null, GOOD };

        assert_int_equal(row_state_of(&facts), ROW_PLAINTEXT);
        facts.source.sealed = true;
        facts.source.verdict = (enum envl_status)verdict;
        assert_int_not_equal(row_state_of(&facts), ROW_PLAINTEXT);
    }
}

static void
names_and_states_are_one_to_one(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++) {
        enum row_state back = ROW_STATE_COUNT;

        assert_true(row_state_parse(row_state_name((enum row_state)i), &back));
        assert_int_equal(back, i);
    }
    assert_string_equal(row_state_name(ROW_SEALED_OLD_KID), "sealed_old_kid");
    assert_string_equal(row_state_name(ROW_TOO_LARGE), "too_large");
    assert_string_equal(row_state_name((enum row_state)99), "unknown");
}

static void
a_word_that_is_no_state_is_refused(void **state)
{
    enum row_state out = ROW_NULL;

    (void)state;
    assert_false(row_state_parse("Plaintext", &out));
    assert_false(row_state_parse("", &out));
    assert_false(row_state_parse("unknown", &out));
    assert_int_equal(out, ROW_NULL);
}

static void
only_five_states_name_a_kid(void **state)
{
    unsigned sealed = 0;

    (void)state;
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++)
        sealed += row_state_sealed((enum row_state)i);
    assert_int_equal(sealed, 5);
    assert_true(row_state_sealed(ROW_SEALED_CURRENT));
    assert_true(row_state_sealed(ROW_SEALED_CORRUPT));
    assert_false(row_state_sealed(ROW_SEALED_NEWER));
}

static const struct CMUnitTest claims[] = {
    cmocka_unit_test(the_state_is_total_and_only_sound_plaintext_is_plaintext),
    cmocka_unit_test(a_sealed_source_is_never_plaintext_whatever_its_verdict),
    cmocka_unit_test(names_and_states_are_one_to_one),
    cmocka_unit_test(a_word_that_is_no_state_is_refused),
    cmocka_unit_test(only_five_states_name_a_kid),
};

static struct CMUnitTest
test_of(const struct state_case *c)
{
    union {
        const struct state_case *given;
        void *taken;
    } initial = { c };

    return (struct CMUnitTest){ .name = c->name, .test_func = run_case,
                                .initial_state = initial.taken };
}

int
main(void)
{
    struct CMUnitTest tests[COUNT(cases) + COUNT(pairs) + COUNT(claims)];
    size_t count = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[count++] = test_of(&cases[i]);
    for (size_t i = 0; i < COUNT(pairs); i++)
        tests[count++] = test_of(&pairs[i]);
    for (size_t i = 0; i < COUNT(claims); i++)
        tests[count++] = claims[i];
    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
