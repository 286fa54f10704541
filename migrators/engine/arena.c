#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "engine/arena.h"

#define BLOCK_LEN ((size_t)64 * 1024)
#define ALIGN     alignof(max_align_t)

struct arena_block {
    struct arena_block *next;
    size_t used, cap;
    alignas(max_align_t) uint8_t bytes[];
};

static struct arena_block *
add_block(struct arena *arena, size_t len, struct envl_error *err)
{
    size_t cap = len > BLOCK_LEN ? len : BLOCK_LEN;
    struct arena_block *block = NULL;

    if (cap <= SIZE_MAX - sizeof(*block))
        block = malloc(sizeof(*block) + cap);
    if (block == NULL) {
        (void)envl_fail(err, ENVL_E_NOMEM, "out of memory for a page of rows");
        return NULL;
    }
    block->used = 0;
    block->cap = cap;
    block->next = arena->at == NULL ? NULL : arena->at->next;
    if (arena->at == NULL)
        arena->first = block;
    else
        arena->at->next = block;
    return block;
}

void *
arena_take(struct arena *arena, size_t len, struct envl_error *err)
{
    struct arena_block *block = arena->at;
    uint8_t *piece;

    if (len > SIZE_MAX - ALIGN) {
        (void)envl_fail(err, ENVL_E_NOMEM, "out of memory for a page of rows");
        return NULL;
    }
    len = (len + ALIGN - 1) / ALIGN * ALIGN;
    while (block != NULL && block->cap - block->used < len) {
        /* A later block, kept from a page before, may have the room; one
           that has not is left behind until the arena is cleared. */
        if (block->next == NULL)
            block = NULL;
        else
            arena->at = block = block->next;
    }
    if (block == NULL) {
        if ((block = add_block(arena, len, err)) == NULL)
            return NULL;
        arena->at = block;
    }
    piece = block->bytes + block->used;
    block->used += len;
    return piece;
}

char *
arena_copy(struct arena *arena, struct envl_bytes bytes,
           struct envl_error *err)
{
    char *copy;

    if (bytes.len == SIZE_MAX) {
        (void)envl_fail(err, ENVL_E_NOMEM, "out of memory for a page of rows");
        return NULL;
    }
    if ((copy = arena_take(arena, bytes.len + 1, err)) == NULL)
        return NULL;
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    copy[bytes.len] = '\0';
    return copy;
}

/* A block that one huge value needed is not kept for ever. */
void
arena_clear(struct arena *arena)
{
    struct arena_block **link = &arena->first;

    while (*link != NULL) {
        struct arena_block *block = *link;

        sodium_memzero(block->bytes, block->used);
        block->used = 0;
        if (block->cap > BLOCK_LEN) {
            *link = block->next;
            free(block);
        } else {
            link = &block->next;
        }
    }
    arena->at = arena->first;
}

void
arena_free(struct arena *arena)
{
    struct arena_block *block = arena->first;

    arena_clear(arena);
    while (block != NULL) {
        struct arena_block *next = block->next;

        free(block);
        block = next;
    }
    *arena = (struct arena){ NULL, NULL };
}
