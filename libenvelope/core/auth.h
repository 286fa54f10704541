/*
 * auth.h - the one answer to a wrong key, a wrong context and tampering.
 */
#ifndef CORE_AUTH_H
#define CORE_AUTH_H

#include <envelope/error.h>

/**
 * auth_fail(err):
 * Write the one message and return ENVL_E_AUTH.  Whoever opens an envelope
 * uses nothing else, so that the cause cannot be told (spec: ENV-1.3).
 */
enum envl_status auth_fail(struct envl_error *err);

#endif /* CORE_AUTH_H */
