/*
 * fault.h - what a server's errors mean, and how they are told.
 *
 * A server's own words are never repeated: they can hold values (the key of
 * a duplicate, what a validator looked at).  Servers of other makes use other
 * numbers, so a few well-known beginnings of texts count as well.
 */
#ifndef MONGO_FAULT_H
#define MONGO_FAULT_H

#include "mongo/store.h"

enum fault {
    FAULT_LOCKED,  /* took too long, or too many at once: try smaller    */
    FAULT_ROW,     /* this document or value is refused                  */
    FAULT_MOVED,   /* the document has another shape by now              */
    FAULT_LARGE,   /* the document would be too large                    */
    FAULT_DENIED,  /* a right is missing                                 */
    FAULT_MISSING, /* the server has no such command, stage or operator  */
    FAULT_EXISTS,  /* it is there already: a key, a collection, an index */
    FAULT_LOST,    /* the connection, or no primary any more             */
    FAULT_OTHER
};

/**
 * fault_of(code, said):
 * What an error of this number and text (may be NULL) is about.
 */
enum fault fault_of(int32_t code, const char *said);

/**
 * fault_tell(store, answer, doing, err):
 * Report the ${answer} that says no as the failure of ${doing}, such as
 * "reading accounts".  ENVL_E_LOCKED, ENVL_E_POLICY (a right is missing) or
 * ENVL_E_DATABASE.
 */
enum envl_status fault_tell(const struct envl_store *store,
                            const struct answer *answer, const char *doing,
                            struct envl_error *err);

#endif /* MONGO_FAULT_H */
