/*
 * codec.h - decode a value as the job says, before it is sealed (spec JOB-23).
 */
#ifndef ENGINE_CODEC_H
#define ENGINE_CODEC_H

#include "engine/job.h"
#include "engine/slab.h"

/* Where decoded values go. */
struct codec_room {
    struct slab *slab;      /* the result lies here    */
    struct envl_buf *spare; /* cleared after each use  */
};

/**
 * codec_decode(codec, value, room, out, err):
 * Decode ${value} once into ${room}.  ENVL_E_FORMAT (and no message) if it is
 * not in the one strict form; else ENVL_E_NOMEM.
 */
enum envl_status codec_decode(enum job_codec codec, struct envl_bytes value,
                              const struct codec_room *room,
                              struct envl_bytes *out, struct envl_error *err);

#endif /* ENGINE_CODEC_H */
