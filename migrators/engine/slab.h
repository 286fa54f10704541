/*
 * slab.h - memory that is taken piece by piece and given back all at once.
 *
 * Pieces never move, so pointers between them stay good until the slab is
 * cleared; clearing wipes what was taken and keeps the memory.
 */
#ifndef ENGINE_SLAB_H
#define ENGINE_SLAB_H

#include <envelope/bytes.h>

struct slab_block;

/* Start from zero. */
struct slab {
    struct slab_block *first; /* all blocks                        */
    struct slab_block *at;    /* the one that pieces are taken from */
};

/**
 * slab_take(slab, len, err):
 * Return ${len} bytes, aligned for anything, not set to anything, or NULL
 * with ENVL_E_NOMEM in ${err}.
 */
void *slab_take(struct slab *slab, size_t len, struct envl_error *err);

/**
 * slab_copy(slab, bytes, err):
 * Return a copy of ${bytes} with a NUL behind it, or NULL.
 */
char *slab_copy(struct slab *slab, struct envl_bytes bytes,
                 struct envl_error *err);

/**
 * slab_clear(slab):
 * Wipe all that was taken; the memory is kept for the next pieces.
 */
void slab_clear(struct slab *slab);

/**
 * slab_free(slab):
 * Wipe and release; it is empty afterwards and may be used again.
 */
void slab_free(struct slab *slab);

#endif /* ENGINE_SLAB_H */
