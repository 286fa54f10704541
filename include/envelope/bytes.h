/*
 * bytes.h - bytes travel with their length.
 *
 * The type says who owns what: struct envl_bytes is borrowed and read-only,
 * struct envl_span is the caller's memory to be filled, struct envl_buf is
 * owned, grows, and is wiped whenever its memory is given back.
 */
#ifndef ENVELOPE_BYTES_H
#define ENVELOPE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include <envelope/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed, read-only.  The owner outlives it. */
struct envl_bytes {
    const uint8_t *ptr;
    size_t len;
};

/* Memory of the caller's.  In: room in ${len}.  Out: bytes used. */
struct envl_span {
    uint8_t *ptr;
    size_t len;
};

/* Owned and growable.  Start from ENVL_BUF_INIT; free with envl_buf_free. */
struct envl_buf {
    uint8_t *ptr;
    size_t len;
    size_t cap;
};

#define ENVL_BUF_INIT { NULL, 0, 0 }

/**
 * envl_bytes_of(string):
 * Borrow the characters of the NUL-terminated ${string}; NULL gives none.
 */
ENVL_API struct envl_bytes envl_bytes_of(const char *string);

/**
 * envl_buf_view(buf):
 * Borrow the contents of ${buf}, until it is next changed.
 */
ENVL_API struct envl_bytes envl_buf_view(const struct envl_buf *buf);

/**
 * envl_buf_reserve(buf, more, err):
 * Make room for ${more} bytes after the contents.  A block that moves is
 * wiped where it was.  Fails with ENVL_E_NOMEM, ${buf} unchanged.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_buf_reserve(struct envl_buf *buf, size_t more, struct envl_error *err);

/**
 * envl_buf_append(buf, bytes, err):
 * Add ${bytes} to the contents.  Fails with ENVL_E_NOMEM, ${buf} unchanged.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_buf_append(struct envl_buf *buf, struct envl_bytes bytes,
                struct envl_error *err);

/**
 * envl_buf_clear(buf):
 * Wipe the contents and keep the memory.
 */
ENVL_API void envl_buf_clear(struct envl_buf *buf);

/**
 * envl_buf_free(buf):
 * Wipe and release; ${buf} is empty afterwards and may be used again.
 */
ENVL_API void envl_buf_free(struct envl_buf *buf);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_BYTES_H */
