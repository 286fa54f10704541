/*
 * address.h - may secrets go to this URL?
 */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include <stdbool.h>

#include <envelope/error.h>

/**
 * address_check(name, address, metadata, err):
 * ${address}, of the provider ${name}, is https://HOST[:PORT][/PATH], or
 * http:// to this machine (127.0.0.0/8, ::1, localhost) or, with ${metadata},
 * to an address at which a cloud hands out credentials.  No user, password,
 * query or fragment.  Fails with ENVL_E_USAGE, ENVL_E_POLICY (clear text).
 */
enum envl_status address_check(const char *name, const char *address,
                               bool metadata, struct envl_error *err);

#endif /* HTTP_ADDRESS_H */
