/*
 * arena.h - memory that is taken piece by piece and given back all at once.
 *
 * Pieces never move, so pointers between them stay good until the arena is
 * cleared; clearing wipes what was taken and keeps the memory.
 */
#ifndef ENGINE_ARENA_H
#define ENGINE_ARENA_H

#include <envelope/bytes.h>

struct arena_block;

/* Start from zero. */
struct arena {
    struct arena_block *first; /* all blocks                        */
    struct arena_block *at;    /* the one that pieces are taken from */
};

/**
 * arena_take(arena, len, err):
 * Return ${len} bytes, aligned for anything, not set to anything, or NULL
 * with ENVL_E_NOMEM in ${err}.
 */
void *arena_take(struct arena *arena, size_t len, struct envl_error *err);

/**
 * arena_copy(arena, bytes, err):
 * Return a copy of ${bytes} with a NUL behind it, or NULL.
 */
char *arena_copy(struct arena *arena, struct envl_bytes bytes,
                 struct envl_error *err);

/**
 * arena_clear(arena):
 * Wipe all that was taken; the memory is kept for the next pieces.
 */
void arena_clear(struct arena *arena);

/**
 * arena_free(arena):
 * Wipe and release; it is empty afterwards and may be used again.
 */
void arena_free(struct arena *arena);

#endif /* ENGINE_ARENA_H */
