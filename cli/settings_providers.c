#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "settings_providers.h"

static const struct provider_setting *
find(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->provider_count; i++)
        if (strcmp(settings->providers[i].name, name) == 0)
            return &settings->providers[i];
    return NULL;
}

/* Its members but for "type", which is ours. */
static char *
text_of(json_t *value)
{
    json_t *copy = json_copy(value);
    char *text;

    json_object_del(copy, "type");
    text = json_dumps(copy, JSON_COMPACT);
    json_decref(copy);
    return text;
}

static enum envl_status
take_one(const char *name, json_t *value, const char *path,
         struct settings *settings, struct envl_error *err)
{
    const char *type = json_string_value(json_object_get(value, "type"));
    struct provider_setting *setting;

    if (find(settings, name) != NULL)
        return ENVL_OK;
    if (type == NULL || strlen(type) >= sizeof(setting->type) ||
        strlen(name) >= sizeof(setting->name))
        return envl_fail(err, ENVL_E_USAGE, "%s: provider %.64s is not an "
                         "object with a type", path, name);
    if (settings->provider_count == SETTINGS_PROVIDERS)
        return envl_fail(err, ENVL_E_LIMIT, "%s: more than %u providers",
                         path, SETTINGS_PROVIDERS);
    setting = &settings->providers[settings->provider_count];
    if ((setting->text = text_of(value)) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    snprintf(setting->name, sizeof(setting->name), "%s", name);
    snprintf(setting->type, sizeof(setting->type), "%s", type);
    settings->provider_count++;
    return ENVL_OK;
}

enum envl_status
settings_providers_take(json_t *value, const char *path,
                        struct settings *settings, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    const char *name;
    json_t *one;

    if (!json_is_object(value))
        return envl_fail(err, ENVL_E_USAGE,
                         "%s: providers is not an object", path);
    json_object_foreach(value, name, one) {
        struct envl_provider *provider = NULL;

        if ((status = take_one(name, one, path, settings, err)) != ENVL_OK)
            break;
        /* Name and type are judged at once: a slip is found on any run. */
        status = settings_providers_new(settings, name, &provider, err);
        envl_provider_free(provider);
        if (status != ENVL_OK)
            break;
    }
    return status;
}

static enum envl_status
ask(void *cookie, const char *question, struct envl_secret **out,
    struct envl_error *err)
{
    (void)cookie;
    return io_secret_from_prompt(question, false, out, err);
}

enum envl_status
settings_providers_new(const struct settings *settings, const char *name,
                       struct envl_provider **out, struct envl_error *err)
{
    const struct provider_setting *setting = find(settings, name);
    struct envl_provider_request request = { .size = sizeof(request) };

    if (setting == NULL) {
        envl_fail(err, ENVL_E_NOTFOUND, "no configuration describes a "
                  "provider '%.63s'", name);
        envl_hint(err, "add it under \"providers\" in %s; `envelope help "
                  "providers` shows how", settings->user_config);
        return ENVL_E_NOTFOUND;
    }
    request.name = setting->name;
    request.type = setting->type;
    request.settings = setting->text;
    request.mounts = (const char *const *)settings->key_dirs;
    request.mount_count = settings->key_dir_count;
    request.ask = ask;
    return envl_provider_new(&request, out, err);
}

void
settings_providers_free(struct settings *settings)
{
    for (size_t i = 0; i < settings->provider_count; i++)
        free(settings->providers[i].text);
    settings->provider_count = 0;
}
