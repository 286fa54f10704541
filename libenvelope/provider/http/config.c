#include "provider/http/config.h"

#include <string.h>

#define TEXT_LIMIT 4096u

void
config_refuse(struct config *config, const char *member, const char *what)
{
    if (config->status != ENVL_OK)
        return;
    config->status = envl_fail(config->err, ENVL_E_USAGE,
                               "provider '%s': %s%.40s %s", config->name,
                               config->where, member, what);
    envl_hint(config->err, "see its section in docs/providers.md, and "
              "`envelope help providers`");
}

void
config_open(const char *text, const char *name, struct config *out,
            struct envl_error *err)
{
    *out = (struct config){ .name = name, .where = "", .err = err };
    out->root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(out->root))
        config_refuse(out, "its description", "is not a JSON object");
}

static json_t *
take(struct config *config, const char *member)
{
    if (config->status != ENVL_OK)
        return NULL;
    if (config->taken_count < sizeof(config->taken) / sizeof(*config->taken))
        config->taken[config->taken_count++] = member;
    return json_object_get(config->root, member);
}

void
config_text(struct config *config, const char *member, const char **out)
{
    json_t *value = take(config, member);
    const char *text = json_string_value(value);

    *out = NULL;
    if (value == NULL)
        return;
    if (text == NULL || *text == '\0')
        config_refuse(config, member, "is not a string");
    else if (json_string_length(value) > TEXT_LIMIT)
        config_refuse(config, member, "is longer than 4096 bytes");
    else
        *out = text;
}

void
config_need_text(struct config *config, const char *member, const char **out)
{
    config_text(config, member, out);
    if (config->status == ENVL_OK && *out == NULL)
        config_refuse(config, member, "is missing");
}

void
config_path(struct config *config, const char *member, const char **out)
{
    config_text(config, member, out);
    if (*out != NULL && **out != '/')
        config_refuse(config, member, "is not an absolute path");
}

void
config_number(struct config *config, const struct config_number *rule,
              int64_t *out)
{
    json_t *value = take(config, rule->member);

    *out = rule->otherwise;
    if (value == NULL)
        return;
    *out = (int64_t)json_integer_value(value);
    if (!json_is_integer(value) || *out < rule->least || *out > rule->most)
        config_refuse(config, rule->member, "is not a number within its "
                      "bounds");
}

void
config_flag(struct config *config, const char *member, bool *out)
{
    json_t *value = take(config, member);

    *out = json_is_true(value);
    if (value != NULL && !json_is_boolean(value))
        config_refuse(config, member, "is neither true nor false");
}

void
config_inner(struct config *config, const char *member, const char *where,
             struct config *out)
{
    json_t *value = take(config, member);

    if (value != NULL && !json_is_object(value))
        config_refuse(config, member, "is not an object");
    *out = (struct config){ .name = config->name, .where = where,
                            .status = config->status, .err = config->err };
    out->root = value;
}

static bool
is_taken(const struct config *config, const char *member)
{
    for (size_t i = 0; i < config->taken_count; i++)
        if (strcmp(config->taken[i], member) == 0)
            return true;
    return false;
}

void
config_done(struct config *inner, struct config *outer)
{
    const char *member;
    json_t *value;

    if (inner->status == ENVL_OK)
        json_object_foreach(inner->root, member, value)
            if (!is_taken(inner, member))
                config_refuse(inner, member, "is not known");
    if (outer != NULL && outer->status == ENVL_OK)
        outer->status = inner->status;
}

enum envl_status
config_close(struct config *config)
{
    json_decref(config->root);
    config->root = NULL;
    return config->status;
}
