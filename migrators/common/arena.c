#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/arena.h"

#define FIRST_BLOCK ((size_t)64 * 1024)
#define LAST_GROWTH ((size_t)4 * 1024 * 1024)

struct arena_block {
    struct arena_block *older;
    size_t size;
    size_t used; /* of a block that is no longer the newest */
    alignas(max_align_t) uint8_t bytes[];
};

static bool
grow(struct arena *arena, size_t len)
{
    struct arena_block *block;
    size_t size = FIRST_BLOCK;

    if (arena->block != NULL) {
        size = arena->block->size;
        if (size < LAST_GROWTH)
            size *= 2;
        arena->block->used = arena->used;
    }
    if (size < len)
        size = len;
    if (size > SIZE_MAX - sizeof(*block))
        return false;
    block = malloc(sizeof(*block) + size);
    if (block == NULL)
        return false;
    block->older = arena->block;
    block->size = size;
    block->used = 0;
    arena->block = block;
    arena->used = 0;
    return true;
}

void *
arena_alloc(struct arena *arena, size_t len)
{
    size_t mask = alignof(max_align_t) - 1;
    uint8_t *piece;

    if (len > SIZE_MAX - mask)
        return NULL;
    len = (len + mask) & ~mask;
    if ((arena->block == NULL || arena->block->size - arena->used < len) &&
        !grow(arena, len))
        return NULL;
    piece = arena->block->bytes + arena->used;
    arena->used += len;
    return piece;
}

enum envl_status
arena_dup(struct arena *arena, struct envl_bytes bytes, struct envl_bytes *out)
{
    uint8_t *copy;

    if (bytes.len == SIZE_MAX ||
        (copy = arena_alloc(arena, bytes.len + 1)) == NULL)
        return ENVL_E_NOMEM;
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    copy[bytes.len] = 0;
    *out = (struct envl_bytes){ copy, bytes.len };
    return ENVL_OK;
}

/* Only what was given out can hold anything. */
static void
wipe(struct arena_block *block, size_t used)
{
    sodium_memzero(block->bytes, used);
}

void
arena_clear(struct arena *arena)
{
    struct arena_block *keep = arena->block;
    struct arena_block *block;

    if (keep == NULL)
        return;
    keep->used = arena->used;
    for (block = keep; block != NULL; block = block->older) {
        if (block->size > keep->size)
            keep = block;
    }
    while ((block = arena->block) != NULL) {
        arena->block = block->older;
        wipe(block, block->used);
        if (block != keep)
            free(block);
    }
    keep->older = NULL;
    keep->used = 0;
    arena->block = keep;
    arena->used = 0;
}

void
arena_free(struct arena *arena)
{
    arena_clear(arena);
    free(arena->block);
    *arena = (struct arena)ARENA_INIT;
}
