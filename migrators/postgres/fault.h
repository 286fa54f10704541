/*
 * fault.h - what the server's errors mean, and how they are told.
 *
 * The server's own words are repeated only where they can hold names but no
 * stored value: never for a write, never DETAIL or CONTEXT.
 */
#ifndef POSTGRES_FAULT_H
#define POSTGRES_FAULT_H

#include "postgres/store.h"

enum fault {
    FAULT_LOCKED, /* a lock, a deadlock, a timeout: try smaller    */
    FAULT_ROW,    /* this value or row is refused                  */
    FAULT_DENIED, /* a right is missing                            */
    FAULT_DRIFT,  /* the schema is not what it was                 */
    FAULT_LOST,   /* the connection, or the server is going down   */
    FAULT_FENCE,  /* our own division by zero: the epoch is over   */
    FAULT_OTHER
};

/* How much of the server's message may be repeated. */
enum fault_words {
    FAULT_SILENT, /* none: the statement carried values           */
    FAULT_NAMES,  /* messages of classes that speak of names      */
    FAULT_ALL     /* the statement was about the catalogs         */
};

/**
 * fault_of(result):
 * What the failed ${result} (NULL: no answer came) is about.
 */
enum fault fault_of(const PGresult *result);

/**
 * fault_tell(store, result, doing, words, err):
 * Report ${result} (NULL: the connection was lost) as the failure of
 * ${doing}, such as "reading public.t".  Returns ENVL_E_LOCKED,
 * ENVL_E_POLICY (a right is missing) or ENVL_E_DATABASE.
 */
enum envl_status fault_tell(const struct envl_store *store,
                            const PGresult *result, const char *doing,
                            enum fault_words words, struct envl_error *err);

#endif /* POSTGRES_FAULT_H */
