#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <mongoc/mongoc.h>
#include <sodium.h>

#include "mongo/library.h"

static void
wipe_and_free(void *memory)
{
    if (memory != NULL)
        sodium_memzero(memory, malloc_usable_size(memory));
    free(memory);
}

/* realloc would leave a copy where the bytes were. */
static void *
move(void *memory, size_t len)
{
    size_t had = memory == NULL ? 0 : malloc_usable_size(memory);
    void *moved;

    if (memory != NULL && len <= had && len >= had / 2)
        return memory;
    moved = malloc(len);
    if (moved == NULL)
        return NULL;
    if (memory != NULL)
        memcpy(moved, memory, had < len ? had : len);
    wipe_and_free(memory);
    return moved;
}

static void
begin(void)
{
    const bson_mem_vtable_t wiping = { .malloc = malloc, .calloc = calloc,
                                       .realloc = move,
                                       .free = wipe_and_free,
                                       .aligned_alloc = aligned_alloc };

    bson_mem_set_vtable(&wiping);
    mongoc_log_set_handler(NULL, NULL);
    mongoc_init();
}

void
library_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, begin);
}
