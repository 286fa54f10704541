/*
 * settings_providers.h - the providers that the configuration describes.
 *
 *     "providers": { "NAME": { "type": "vault-transit", ... }, ... }
 *
 * NAME is that of an unlock entry of the ring, or of the provider of one of
 * its wrapping keys: the ring holds the name, and only this says what it
 * reaches, and with which credentials (spec KEY-7).
 */
#ifndef CLI_SETTINGS_PROVIDERS_H
#define CLI_SETTINGS_PROVIDERS_H

#include <jansson.h>

#include <envelope/provider_module.h>

#include "settings.h"

/**
 * settings_providers_take(value, path, settings, err):
 * Take the member "providers" of the configuration file ${path}.  A name that
 * another file has described already is left as it is.  Fails with
 * ENVL_E_USAGE, ENVL_E_LIMIT, ENVL_E_NOMEM.
 */
enum envl_status settings_providers_take(json_t *value,
                                         const char *path,
                                         struct settings *settings,
                                         struct envl_error *err);

/**
 * settings_providers_new(settings, name, out, err):
 * The provider called ${name}; nothing is loaded or reached yet.  Fails with
 * ENVL_E_NOTFOUND if no configuration file describes it.
 */
enum envl_status settings_providers_new(const struct settings *settings,
                                        const char *name,
                                        struct envl_provider **out,
                                        struct envl_error *err);

/**
 * settings_providers_free(settings):
 * Release them.
 */
void settings_providers_free(struct settings *settings);

#endif /* CLI_SETTINGS_PROVIDERS_H */
