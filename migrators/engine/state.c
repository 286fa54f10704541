#include <string.h>

#include "engine/state.h"

/* In the order of enum row_state. */
static const char *const names[ROW_STATE_COUNT] = {
    "absent",
    "null",
    "empty",
    "plaintext",
    "sealed_current",
    "sealed_old_kid",
    "sealed_unknown_kid",
    "sealed_wrong_context",
    "sealed_corrupt",
    "sealed_newer",
    "prefix_collision",
    "both_present",
    "legacy_cipher",
    "bad_codec",
    "bad_context",
    "wrong_type",
    "too_large",
};

static bool
is_nothing(const struct row_place *place)
{
    return place->kind == ENVL_KIND_ABSENT || place->kind == ENVL_KIND_NULL;
}

static bool
is_empty(const struct row_place *place)
{
    return place->empty && (place->kind == ENVL_KIND_TEXT ||
                            place->kind == ENVL_KIND_BYTES);
}

static bool
is_sealed(const struct row_place *place)
{
    return place->sealed && (place->kind == ENVL_KIND_TEXT ||
                             place->kind == ENVL_KIND_BYTES ||
                             place->kind == ENVL_KIND_JSON ||
                             place->kind == ENVL_KIND_BSON);
}

/* Both are ours, here: the value can be opened. */
static bool
opens(enum row_state state)
{
    return state == ROW_SEALED_CURRENT || state == ROW_SEALED_OLD_KID;
}

/* What begins like an envelope is never plaintext, whatever came of it. */
static enum row_state
sealed_state(const struct row_place *place, bool context_ok)
{
    if (place->verdict == ENVL_E_VERSION)
        return ROW_SEALED_NEWER;
    if (place->verdict == ENVL_E_FORMAT || place->verdict == ENVL_E_NOTENV)
        return ROW_PREFIX_COLLISION;
    if (!context_ok || place->verdict == ENVL_E_USAGE)
        return ROW_BAD_CONTEXT;
    if (place->verdict == ENVL_E_AUTH)
        return ROW_SEALED_WRONG_CONTEXT;
    if (place->verdict != ENVL_OK)
        return ROW_SEALED_UNKNOWN_KID;
    if (place->corrupt)
        return ROW_SEALED_CORRUPT;
    return place->current ? ROW_SEALED_CURRENT : ROW_SEALED_OLD_KID;
}

/* There is nothing at the source: what stands at the sibling speaks. */
static enum row_state
without_source(const struct row_facts *facts, enum row_state nothing)
{
    if (!facts->has_into || is_nothing(&facts->sibling) ||
        is_empty(&facts->sibling))
        return nothing;
    if (!is_sealed(&facts->sibling))
        return facts->sibling.kind == ENVL_KIND_OTHER ? ROW_WRONG_TYPE
                                                      : ROW_BOTH_PRESENT;
    return sealed_state(&facts->sibling, facts->context_ok);
}

/*
 * The source is an envelope itself.  Where an envelope belongs at the sibling,
 * one that holds at the source, too, was put in the wrong place.
 */
static enum row_state
sealed_source(const struct row_facts *facts)
{
    enum row_state state = sealed_state(&facts->source, facts->context_ok);
    enum row_state sibling;

    if (!facts->has_into || !opens(state))
        return state;
    sibling = without_source(facts, ROW_SEALED_WRONG_CONTEXT);
    return opens(sibling) ? ROW_BOTH_PRESENT : sibling;
}

/* A plaintext that could be sealed: does the sibling allow it? */
static enum row_state
beside_sibling(const struct row_facts *facts)
{
    enum row_state sibling = without_source(facts, ROW_PLAINTEXT);

    if (sibling != ROW_PLAINTEXT) {
        if (facts->keep_source && (!opens(sibling) || facts->same))
            return sibling;
        if (!opens(sibling) || !facts->same)
            return ROW_BOTH_PRESENT;
    }
    return facts->fits ? ROW_PLAINTEXT : ROW_TOO_LARGE;
}

/* spec: JOB-40 */
enum row_state
row_state_of(const struct row_facts *facts)
{
    if (facts->source.kind == ENVL_KIND_ABSENT)
        return without_source(facts, ROW_ABSENT);
    if (facts->source.kind == ENVL_KIND_NULL)
        return without_source(facts, ROW_NULL);
    if (is_empty(&facts->source) && !facts->seal_empty)
        return without_source(facts, ROW_EMPTY);
    if (is_sealed(&facts->source))
        return sealed_source(facts);
    if (facts->source.kind != ENVL_KIND_TEXT &&
        facts->source.kind != ENVL_KIND_BYTES &&
        facts->source.kind != ENVL_KIND_JSON &&
        facts->source.kind != ENVL_KIND_BSON)
        return ROW_WRONG_TYPE;
    if (facts->legacy)
        return ROW_LEGACY_CIPHER;
    if (!facts->codec_ok)
        return ROW_BAD_CODEC;
    if (!facts->context_ok)
        return ROW_BAD_CONTEXT;
    if (!facts->type_ok)
        return ROW_WRONG_TYPE;
    return beside_sibling(facts);
}

bool
row_state_sealed(enum row_state state)
{
    return state >= ROW_SEALED_CURRENT && state <= ROW_SEALED_CORRUPT;
}

const char *
row_state_name(enum row_state state)
{
    return (unsigned)state < ROW_STATE_COUNT ? names[state] : "unknown";
}

bool
row_state_parse(const char *word, enum row_state *out)
{
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++) {
        if (strcmp(word, names[i]) == 0) {
            *out = (enum row_state)i;
            return true;
        }
    }
    return false;
}
