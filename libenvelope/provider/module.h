/*
 * module.h - who makes providers of a type: a part of this library, or a
 * module that is loaded.
 */
#ifndef PROVIDER_MODULE_H
#define PROVIDER_MODULE_H

#include <envelope/provider_module.h>

/**
 * module_for(type, folder, out, err):
 * The maker of providers of ${type}; ${folder} NULL, or the only place to
 * look for its file.  It stays loaded until the process ends.  Fails with
 * ENVL_E_USAGE (a type that has no settings), ENVL_E_PROVIDER (not installed,
 * does not load, or of another release), ENVL_E_POLICY (not a safe place).
 */
enum envl_status module_for(const char *type, const char *folder,
                            const struct envl_provider_module **out,
                            struct envl_error *err);

#endif /* PROVIDER_MODULE_H */
