/*
 * settings.h - which keyring, which key file, which log.
 *
 * Each is looked up on its own: flag, then ENVELOPE_* environment, then
 * $XDG_CONFIG_HOME/envelope/config.json, then /etc/envelope/config.json, then
 * the default.  A configuration file that others could have written is
 * refused, not skipped (spec KEY-8).
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <envelope/error.h>

#include "options.h"

enum setting_id {
    SETTING_KEYRING,
    SETTING_KEY_FILE,
    SETTING_PASSPHRASE_FILE,
    SETTING_AUDIT,
    SETTING_PIN,    /* 32 hex digits                       */
    SETTING_UNLOCK, /* the only unlock entry to open it by */
    SETTING_REPORTS, /* folder of readers' reports         */
    SETTING_COUNT
};

#define SETTINGS_KEY_DIRS  8u
#define SETTINGS_PROVIDERS 16u
#define SETTINGS_KEY_AGE_DAYS 90u /* spec KEY-40 */

/* A value and who said it. */
struct setting {
    char *value;        /* NULL: nobody said anything          */
    const char *origin; /* "flag", "environment", "default", or a file */
    bool chosen;        /* not the default                     */
};

/* A provider as it is described (settings_providers.h). */
struct provider_setting {
    char name[64], type[64];
    char *text; /* a JSON object: the other members */
};

struct settings {
    struct setting item[SETTING_COUNT];
    uint32_t key_age_days;             /* an active key should be younger */
    uint32_t readers;       /* who must have a key before it seals */
    uint32_t readers_hours; /* how old their reports may be; 0: 24 */
    bool key_age_refuse;               /* else: refuse, not only warn     */
    char *key_dirs[SETTINGS_KEY_DIRS]; /* more secret mounts              */
    size_t key_dir_count;
    struct provider_setting providers[SETTINGS_PROVIDERS];
    size_t provider_count;
    char *state_folder; /* $XDG_STATE_HOME/envelope  */
    char *user_config;  /* the user's config.json    */
};

/**
 * settings_load(options, out, err):
 * Look everything up.  Fails with ENVL_E_POLICY, ENVL_E_USAGE for a
 * configuration file that is not as it must be; ${out} can be freed then.
 */
enum envl_status settings_load(const struct options *options,
                               struct settings *out, struct envl_error *err);

/**
 * settings_get(settings, id):
 * The value, or NULL.
 */
const char *settings_get(const struct settings *settings, enum setting_id id);

/**
 * settings_pin(settings, pin, given, err):
 * Decode the configured pin into ${pin}; ${given} says whether there is one.
 * Fails with ENVL_E_USAGE.
 */
enum envl_status settings_pin(const struct settings *settings,
                              uint8_t pin[16], bool *given,
                              struct envl_error *err);

/**
 * settings_key_file_for(keyring):
 * The default key file of ${keyring}: beside it, named keyring.key for
 * keyring.json.  The caller frees it; NULL without memory.
 */
char *settings_key_file_for(const char *keyring);

/**
 * settings_free(settings):
 * Release what was loaded.
 */
void settings_free(struct settings *settings);

#endif /* CLI_SETTINGS_H */
