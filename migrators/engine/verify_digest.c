#include <sodium.h>

#include "engine/verify_digest.h"

static void
digest_bytes(crypto_generichash_state *state, struct envl_bytes bytes)
{
    uint64_t len = bytes.len;

    crypto_generichash_update(state, (const uint8_t *)&len, sizeof(len));
    if (bytes.len > 0)
        crypto_generichash_update(state, bytes.ptr, bytes.len);
}

static void
digest_cell(crypto_generichash_state *state, struct envl_cell cell)
{
    uint8_t kind = (uint8_t)cell.kind;

    crypto_generichash_update(state, &kind, 1);
    digest_bytes(state, cell.bytes);
}

/* All that opening a value depends on: it, its place and its context. */
static void
digest_row(crypto_generichash_state *state, const struct envl_row *row,
           uint32_t extras)
{
    digest_bytes(state, row->key);
    for (uint32_t i = 0; i < row->id_count; i++)
        digest_bytes(state, row->ids[i].value);
    for (uint32_t i = 0; i < extras; i++)
        digest_cell(state, row->extras[i]);
    for (uint32_t i = 0; i < row->leaf_count; i++) {
        const struct envl_leaf *leaf = &row->leaves[i];

        crypto_generichash_update(state, (const uint8_t *)&leaf->field,
                                  sizeof(leaf->field));
        for (uint32_t j = 0; j < leaf->path.count; j++)
            digest_bytes(state, leaf->path.segments[j].name);
        digest_cell(state, leaf->value);
        digest_cell(state, leaf->sibling);
        digest_cell(state, leaf->element);
    }
}

void
verify_digest_page(const struct envl_page *page, uint32_t extras,
                   uint8_t digest[16])
{
    crypto_generichash_state state;

    for (uint32_t i = 0; i < page->count; i++) {
        crypto_generichash_init(&state, NULL, 0, 16);
        crypto_generichash_update(&state, digest, 16);
        digest_row(&state, &page->rows[i], extras);
        crypto_generichash_final(&state, digest, 16);
    }
}
