/*
 * key_material.h - a key that comes from elsewhere.
 */
#ifndef CLI_KEY_MATERIAL_H
#define CLI_KEY_MATERIAL_H

#include <envelope/secret.h>

/**
 * key_material_read(path, out, err):
 * Read a key of 32 bytes from ${path}: 32 raw bytes, or 64 hex digits and at
 * most one LF.  Fails with ENVL_E_USAGE for anything else, and as a private
 * file that is not safe.
 */
enum envl_status key_material_read(const char *path, struct envl_secret **out,
                                   struct envl_error *err);

#endif /* CLI_KEY_MATERIAL_H */
