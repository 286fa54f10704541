#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "engine/slab.h"

#define BLOCK_LEN ((size_t)64 * 1024)
#define ALIGN     alignof(max_align_t)

struct slab_block {
    struct slab_block *next;
    size_t used, cap;
    alignas(max_align_t) uint8_t bytes[];
};

static struct slab_block *
add_block(struct slab *slab, size_t len, struct envl_error *err)
{
    size_t cap = len > BLOCK_LEN ? len : BLOCK_LEN;
    struct slab_block *block = NULL;

    if (cap <= SIZE_MAX - sizeof(*block))
        block = malloc(sizeof(*block) + cap);
    if (block == NULL) {
        (void)envl_fail(err, ENVL_E_NOMEM, "out of memory for a page of rows");
        return NULL;
    }
    block->used = 0;
    block->cap = cap;
    block->next = slab->at == NULL ? NULL : slab->at->next;
    if (slab->at == NULL)
        slab->first = block;
    else
        slab->at->next = block;
    return block;
}

void *
slab_take(struct slab *slab, size_t len, struct envl_error *err)
{
    struct slab_block *block = slab->at;
    uint8_t *piece;

    if (len > SIZE_MAX - ALIGN) {
        (void)envl_fail(err, ENVL_E_NOMEM, "out of memory for a page of rows");
        return NULL;
    }
    len = (len + ALIGN - 1) / ALIGN * ALIGN;
    while (block != NULL && block->cap - block->used < len) {
        /* A later block, kept from a page before, may have the room; one
           that has not is left behind until the slab is cleared. */
        if (block->next == NULL)
            block = NULL;
        else
            slab->at = block = block->next;
    }
    if (block == NULL) {
        if ((block = add_block(slab, len, err)) == NULL)
            return NULL;
        slab->at = block;
    }
    piece = block->bytes + block->used;
    block->used += len;
    return piece;
}

char *
slab_copy(struct slab *slab, struct envl_bytes bytes,
           struct envl_error *err)
{
    char *copy;

    if (bytes.len == SIZE_MAX) {
        (void)envl_fail(err, ENVL_E_NOMEM, "out of memory for a page of rows");
        return NULL;
    }
    if ((copy = slab_take(slab, bytes.len + 1, err)) == NULL)
        return NULL;
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    copy[bytes.len] = '\0';
    return copy;
}

/* A block that one huge value needed is not kept for ever. */
void
slab_clear(struct slab *slab)
{
    struct slab_block **link = &slab->first;

    while (*link != NULL) {
        struct slab_block *block = *link;

        sodium_memzero(block->bytes, block->used);
        block->used = 0;
        if (block->cap > BLOCK_LEN) {
            *link = block->next;
            free(block);
        } else {
            link = &block->next;
        }
    }
    slab->at = slab->first;
}

void
slab_free(struct slab *slab)
{
    struct slab_block *block = slab->first;

    slab_clear(slab);
    while (block != NULL) {
        struct slab_block *next = block->next;

        free(block);
        block = next;
    }
    *slab = (struct slab){ NULL, NULL };
}
