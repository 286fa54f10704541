/*
 * arena.h - memory for one page of rows: many small pieces, freed at once.
 *
 * Nothing is freed alone and everything is wiped, because what a page holds
 * is plaintext.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <envelope/bytes.h>

struct arena_block;

/* Zero-initialise, or ARENA_INIT. */
struct arena {
    struct arena_block *block; /* private: the newest; older ones behind it */
    size_t used;               /* private: bytes given from it              */
};

#define ARENA_INIT { NULL, 0 }

/**
 * arena_alloc(arena, len):
 * Return ${len} bytes, not cleared, aligned for any type; they live until
 * arena_clear or arena_free.  NULL if memory is short.
 */
void *arena_alloc(struct arena *arena, size_t len);

/**
 * arena_dup(arena, bytes, out):
 * Copy ${bytes} and store the copy, followed by a 0 byte that is not counted,
 * in ${out}.  Return ENVL_OK or ENVL_E_NOMEM.
 */
enum envl_status arena_dup(struct arena *arena, struct envl_bytes bytes,
                           struct envl_bytes *out);

/**
 * arena_clear(arena):
 * Wipe all and keep the largest block for the next use.
 */
void arena_clear(struct arena *arena);

/**
 * arena_free(arena):
 * Wipe and release all; ${arena} is empty and may be used again.
 */
void arena_free(struct arena *arena);

#endif /* COMMON_ARENA_H */
