#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "core/file.h"
#include "settings.h"
#include "settings_providers.h"

/* Where each setting can be said. */
static const struct {
    const char *member; /* of the configuration file */
    const char *variable;
    enum option_id option;
} sources[SETTING_COUNT] = {
    [SETTING_KEYRING] = { "keyring", "ENVELOPE_KEYRING", OPT_KEYRING },
    [SETTING_KEY_FILE] = { "key_file", "ENVELOPE_KEY_FILE", OPT_KEY_FILE },
    [SETTING_PASSPHRASE_FILE] = { "passphrase_file",
                                  "ENVELOPE_PASSPHRASE_FILE",
                                  OPT_PASSPHRASE_FILE },
    [SETTING_AUDIT] = { "audit", "ENVELOPE_AUDIT", OPT_END },
    [SETTING_PIN] = { "pin", "ENVELOPE_PIN", OPT_END },
    [SETTING_REPORTS] = { "reports", "ENVELOPE_REPORTS", OPT_REPORTS },
    [SETTING_UNLOCK] = { "unlock", "ENVELOPE_UNLOCK", OPT_UNLOCK },
};

#define SYSTEM_CONFIG "/etc/envelope/config.json"
#define CONFIG_MAX    (64u * 1024u)

static enum envl_status
no_memory(struct envl_error *err)
{
    return envl_fail(err, ENVL_E_NOMEM, "out of memory");
}

static enum envl_status
set(struct setting *setting, const char *value, const char *origin,
    struct envl_error *err)
{
    if ((setting->value = strdup(value)) == NULL)
        return no_memory(err);
    setting->origin = origin;
    setting->chosen = true;
    return ENVL_OK;
}

/* ---- folders ------------------------------------------------------------ */

static const char *
home(void)
{
    const char *named = getenv("HOME");
    struct passwd *entry;

    if (named != NULL && *named == '/')
        return named;
    entry = getpwuid(geteuid());
    return entry != NULL && *entry->pw_dir == '/' ? entry->pw_dir : "/";
}

/* ${variable}/envelope/${name}; relative values are ignored, as XDG says. */
static char *
xdg_path(const char *variable, const char *otherwise, const char *name)
{
    const char *base = getenv(variable);
    char *path = NULL;
    int n;

    if (base != NULL && *base == '/')
        n = asprintf(&path, "%s/envelope%s%s", base, *name ? "/" : "", name);
    else
        n = asprintf(&path, "%s/%s/envelope%s%s", home(), otherwise,
                     *name ? "/" : "", name);
    return n < 0 ? NULL : path;
}

char *
settings_key_file_for(const char *keyring)
{
    size_t len = strlen(keyring);
    char *path = NULL;

    if (len > 5 && strcmp(keyring + len - 5, ".json") == 0)
        len -= 5;
    return asprintf(&path, "%.*s.key", (int)len, keyring) < 0 ? NULL : path;
}

/* ---- configuration files ------------------------------------------------ */

static int
member_id(const char *name)
{
    for (int id = 0; id < SETTING_COUNT; id++)
        if (strcmp(sources[id].member, name) == 0)
            return id;
    return -1;
}

/* "key_dirs": folders that hold secrets as /run/secrets does. */
static enum envl_status
take_key_dirs(const json_t *list, const char *path, struct settings *settings,
              struct envl_error *err)
{
    json_t *item;
    size_t i;

    if (!json_is_array(list))
        return envl_fail(err, ENVL_E_USAGE,
                         "%s: key_dirs is not a list of folders", path);
    json_array_foreach(list, i, item) {
        const char *folder = json_string_value(item);
        char *copy;

        if (folder == NULL || *folder != '/')
            return envl_fail(err, ENVL_E_USAGE,
                             "%s: key_dirs[%zu] is not an absolute path",
                             path, i);
        if (settings->key_dir_count == SETTINGS_KEY_DIRS)
            return envl_fail(err, ENVL_E_LIMIT, "%s: more than %u key_dirs",
                             path, SETTINGS_KEY_DIRS);
        if ((copy = strdup(folder)) == NULL)
            return no_memory(err);
        settings->key_dirs[settings->key_dir_count++] = copy;
    }
    return ENVL_OK;
}

/* "key_age_days": 1 to 36500; "key_age": "warn" or "refuse" (spec: KEY-40). */
static enum envl_status
take_key_age(const json_t *value, const char *name, const char *path,
             struct settings *settings, struct envl_error *err)
{
    const char *text = json_string_value(value);
    const json_int_t days = json_integer_value(value);

    if (strcmp(name, "key_age") == 0) {
        if (text == NULL ||
            (strcmp(text, "warn") != 0 && strcmp(text, "refuse") != 0))
            return envl_fail(err, ENVL_E_USAGE,
                             "%s: key_age is neither warn nor refuse", path);
        settings->key_age_refuse |= strcmp(text, "refuse") == 0;
        return ENVL_OK;
    }
    if (!json_is_integer(value) || days < 1 || days > 36500)
        return envl_fail(err, ENVL_E_USAGE, "%s: key_age_days is not a number "
                         "from 1 to 36500", path);
    if (settings->key_age_days == 0)
        settings->key_age_days = (uint32_t)days;
    return ENVL_OK;
}

/* "readers": 1 to 100000; "readers_hours": 1 to 8760 (spec: KEY-57). */
static enum envl_status
take_readers(const json_t *value, const char *name, const char *path,
             struct settings *settings, struct envl_error *err)
{
    const bool hours = strcmp(name, "readers_hours") == 0;
    const json_int_t most = hours ? 8760 : 100000;
    uint32_t *where = hours ? &settings->readers_hours : &settings->readers;
    const json_int_t number = json_integer_value(value);

    if (!json_is_integer(value) || number < 1 || number > most)
        return envl_fail(err, ENVL_E_USAGE, "%s: %s is not a number from 1 to "
                         "%lld", path, name, (long long)most);
    if (*where == 0)
        *where = (uint32_t)number;
    return ENVL_OK;
}

static enum envl_status
take_members(json_t *root, const char *path, struct settings *settings,
             struct envl_error *err)
{
    enum envl_status status;
    const char *name;
    json_t *value;

    json_object_foreach(root, name, value) {
        int id = member_id(name);
        const char *text = json_string_value(value);

        if (strcmp(name, "key_dirs") == 0) {
            if ((status = take_key_dirs(value, path, settings,
                                        err)) != ENVL_OK)
                return status;
            continue;
        }
        if (strcmp(name, "providers") == 0) {
            if ((status = settings_providers_take(value, path, settings,
                                                  err)) != ENVL_OK)
                return status;
            continue;
        }
        if (strncmp(name, "key_age", 7) == 0 &&
            (name[7] == '\0' || strcmp(name + 7, "_days") == 0)) {
            if ((status = take_key_age(value, name, path, settings, err)) !=
                ENVL_OK)
                return status;
            continue;
        }
        if (strcmp(name, "readers") == 0 ||
            strcmp(name, "readers_hours") == 0) {
            if ((status = take_readers(value, name, path, settings, err)) !=
                ENVL_OK)
                return status;
            continue;
        }
        if (id < 0)
            return envl_fail(err, ENVL_E_USAGE, "%s: unknown member %.40s",
                             path, name);
        if (text == NULL || *text == '\0')
            return envl_fail(err, ENVL_E_USAGE,
                             "%s: %s is not a string", path, name);
        if (id != SETTING_PIN && id != SETTING_UNLOCK && *text != '/' &&
            strncmp(text, "credential:", 11) != 0)
            return envl_fail(err, ENVL_E_USAGE,
                             "%s: %s is not an absolute path", path, name);
        if (settings->item[id].value == NULL &&
            (status = set(&settings->item[id], text, path, err)) != ENVL_OK)
            return status;
    }
    return ENVL_OK;
}

static enum envl_status
read_config(const char *path, const char *origin, struct settings *settings,
            struct envl_error *err)
{
    static const struct file_rules rules = { FILE_TRUSTED, "configuration",
                                             NULL, 0 };
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status;
    json_error_t where;
    json_t *root;

    status = file_read(path, &rules, CONFIG_MAX, &text, NULL, err);
    if (status == ENVL_E_NOTFOUND)
        return ENVL_OK;
    if (status != ENVL_OK)
        return status;
    root = json_loadb((const char *)text.ptr, text.len,
                      JSON_REJECT_DUPLICATES, &where);
    envl_buf_free(&text);
    if (!json_is_object(root)) {
        json_decref(root);
        /* where.text would repeat the file's content: it is not printed. */
        return envl_fail(err, ENVL_E_USAGE, "%s: line %d is not JSON, or a "
                         "member is repeated", path,
                         root == NULL ? where.line : 1);
    }
    status = take_members(root, origin, settings, err);
    json_decref(root);
    return status;
}

/* ---- all together ------------------------------------------------------- */

static enum envl_status
take_given(const struct options *options, struct settings *out,
           struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    for (int id = 0; id < SETTING_COUNT && status == ENVL_OK; id++) {
        const char *flag = sources[id].option != OPT_END
                               ? options->value[sources[id].option] : NULL;
        const char *variable = getenv(sources[id].variable);

        if (flag != NULL)
            status = set(&out->item[id], flag, "flag", err);
        else if (variable != NULL && *variable != '\0')
            status = set(&out->item[id], variable, "environment", err);
        if (flag != NULL && *flag == '\0')
            status = envl_fail(err, ENVL_E_USAGE, "option --%s is empty",
                               options_spec(sources[id].option)->name);
    }
    return status;
}

static enum envl_status
take_default(struct settings *out, enum setting_id id, char *path,
             struct envl_error *err)
{
    if (path == NULL)
        return no_memory(err);
    if (out->item[id].value != NULL)
        free(path);
    else
        out->item[id] = (struct setting){ path, "default", false };
    return ENVL_OK;
}

enum envl_status
settings_load(const struct options *options, struct settings *out,
              struct envl_error *err)
{
    enum envl_status status;

    out->state_folder = xdg_path("XDG_STATE_HOME", ".local/state", "");
    out->user_config = xdg_path("XDG_CONFIG_HOME", ".config", "config.json");
    if (out->state_folder == NULL || out->user_config == NULL)
        return no_memory(err);
    if ((status = take_given(options, out, err)) != ENVL_OK ||
        (status = read_config(out->user_config, out->user_config, out, err))
            != ENVL_OK ||
        (status = read_config(SYSTEM_CONFIG, SYSTEM_CONFIG, out, err))
            != ENVL_OK ||
        (status = take_default(out, SETTING_KEYRING,
                               xdg_path("XDG_DATA_HOME", ".local/share",
                                        "keyring.json"), err)) != ENVL_OK ||
        (status = take_default(out, SETTING_AUDIT,
                               xdg_path("XDG_STATE_HOME", ".local/state",
                                        "audit.jsonl"), err)) != ENVL_OK)
        return status;
    if (out->key_age_days == 0)
        out->key_age_days = SETTINGS_KEY_AGE_DAYS;
    return take_default(out, SETTING_KEY_FILE,
                        settings_key_file_for(
                            out->item[SETTING_KEYRING].value), err);
}

const char *
settings_get(const struct settings *settings, enum setting_id id)
{
    return settings->item[id].value;
}

enum envl_status
settings_pin(const struct settings *settings, uint8_t pin[16], bool *given,
             struct envl_error *err)
{
    const char *text = settings_get(settings, SETTING_PIN), *end;
    size_t len;

    *given = text != NULL;
    if (text == NULL)
        return ENVL_OK;
    if (sodium_hex2bin(pin, 16, text, strlen(text), NULL, &len, &end) != 0 ||
        len != 16 || *end != '\0')
        return envl_fail(err, ENVL_E_USAGE,
                         "the pin from %s is not 32 hex digits",
                         settings->item[SETTING_PIN].origin);
    return ENVL_OK;
}

void
settings_free(struct settings *settings)
{
    for (int id = 0; id < SETTING_COUNT; id++)
        free(settings->item[id].value);
    for (size_t i = 0; i < settings->key_dir_count; i++)
        free(settings->key_dirs[i]);
    settings_providers_free(settings);
    free(settings->state_folder);
    free(settings->user_config);
    *settings = (struct settings){ 0 };
}
