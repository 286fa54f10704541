/*
 * framed.h - a stream that lets only well-framed messages through.
 *
 * libmongoc 1.23 believes the length of the document in a reply, also where it
 * reaches beyond the message, and reads on into whatever memory follows.  This
 * stream reads along, and fails the read instead.
 */
#ifndef MONGO_FRAMED_H
#define MONGO_FRAMED_H

#include <mongoc/mongoc.h>

/**
 * framed_new(base):
 * A stream over ${base}, which it owns from now on.
 */
mongoc_stream_t *framed_new(mongoc_stream_t *base);

#endif /* MONGO_FRAMED_H */
