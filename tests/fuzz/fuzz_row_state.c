/*
 * Any bytes as the facts of a value: there is one answer, always the same,
 * and plaintext only where nothing of it was sealed, unknown or in the way.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t
take(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    (*size)--;
    return *(*data)++;
}

static struct row_place
take_place(const uint8_t **data, size_t *size)
{
    struct row_place place;
    uint8_t flags = take(data, size);

    place.kind = (enum envl_kind)(take(data, size) % 16);
    place.verdict = (enum envl_status)take(data, size);
    place.empty = (flags & 1) != 0;
    place.sealed = (flags & 2) != 0;
    place.current = (flags & 4) != 0;
    place.corrupt = (flags & 8) != 0;
    return place;
}

static void
check(bool holds)
{
    if (!holds)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t a = take(&data, &size), b = take(&data, &size);
    struct row_facts facts = {
        .has_into = (a & 1) != 0,   .keep_source = (a & 2) != 0,
        .seal_empty = (a & 4) != 0, .same = (a & 8) != 0,
        .legacy = (a & 16) != 0,    .codec_ok = (b & 1) != 0,
        .context_ok = (b & 2) != 0, .type_ok = (b & 4) != 0,
        .fits = (b & 8) != 0,
    };
    enum row_state state, parsed;

    facts.source = take_place(&data, &size);
    facts.sibling = take_place(&data, &size);
    state = row_state_of(&facts);
    check((unsigned)state < ROW_STATE_COUNT);
    check(row_state_of(&facts) == state);
    check(row_state_parse(row_state_name(state), &parsed) && parsed == state);
    if (state == ROW_PLAINTEXT)
        check(!facts.source.sealed && facts.context_ok && facts.codec_ok &&
              facts.type_ok && facts.fits && !facts.legacy);
    if (state == ROW_SEALED_CURRENT || state == ROW_SEALED_OLD_KID) {
        const struct row_place *at = facts.has_into ? &facts.sibling
                                                    : &facts.source;

        check(at->sealed && at->verdict == ENVL_OK && !at->corrupt &&
              facts.context_ok);
    }
    return 0;
}
