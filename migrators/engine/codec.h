/*
 * codec.h - decode a value as the job says, before it is sealed (spec
 * JOB-23), and encode it again as it was written (spec JOB-28).
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

/*
 * How a text was written, as far as it shows.  Where base64 shows neither, it
 * is section 4's alphabet, and padded; section 5's is padded only if it shows.
 */
struct codec_shape {
    bool url;         /* base64: - and _                                  */
    bool padded;      /*   with =                                         */
    uint32_t line;    /*   characters of a full line; 0: one line         */
    bool crlf;        /*   how lines end                                  */
    bool final_end;   /*   the last one, too                              */
    bool upper;       /* hex and JSON's \u: digits above 9                */
    bool ascii;       /* JSON: what is not ASCII is written as \uXXXX     */
    bool slash;       /*   / as \/                                        */
    bool html;        /*   < > & as \u003c ...                            */
};

/**
 * codec_decode(codec, value, room, shape, out, err):
 * Decode ${value} once into ${room} and say in ${shape} (may be NULL) how it
 * was written.  ENVL_E_FORMAT (and no message) if it is not in a form that
 * JOB-23 names; else ENVL_E_NOMEM.
 */
enum envl_status codec_decode(enum job_codec codec, struct envl_bytes value,
                              const struct codec_room *room,
                              struct codec_shape *shape,
                              struct envl_bytes *out, struct envl_error *err);

/**
 * codec_encode(codec, shape, value, out, err):
 * Append ${value}, encoded in that shape, to ${out}.  Fails with
 * ENVL_E_FORMAT (json: not UTF-8) and ENVL_E_NOMEM.
 */
enum envl_status codec_encode(enum job_codec codec,
                              const struct codec_shape *shape,
                              struct envl_bytes value, struct envl_buf *out,
                              struct envl_error *err);

#endif /* ENGINE_CODEC_H */
