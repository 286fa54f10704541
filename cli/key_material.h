/*
 * key_material.h - a key that comes from elsewhere.
 */
#ifndef CLI_KEY_MATERIAL_H
#define CLI_KEY_MATERIAL_H

#include <envelope/provider.h>
#include <envelope/secret.h>

/**
 * key_material_read(path, out, err):
 * Read a key of 32 bytes from ${path}: 32 raw bytes, or 64 hex digits and at
 * most one LF.  A file that others can read is warned of.  Fails with
 * ENVL_E_USAGE for anything else, ENVL_E_NOTFOUND, ENVL_E_IO.
 */
enum envl_status key_material_read(const char *path, struct envl_secret **out,
                                   struct envl_error *err);

/**
 * key_material_prove(provider, err):
 * Let ${provider} wrap a random key and unwrap it again, so that nothing is
 * ever sealed under a key that cannot be opened.  Fails as the provider does,
 * ENVL_E_PROVIDER if it gives back another.
 */
enum envl_status key_material_prove(struct envl_provider *provider,
                                    struct envl_error *err);

#endif /* CLI_KEY_MATERIAL_H */
