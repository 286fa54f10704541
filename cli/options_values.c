/* What the arguments of options mean. */
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "suggest.h"

enum envl_status
options_number(const struct options *options, struct number_rule rule,
               uint64_t *out, struct envl_error *err)
{
    const char *text = options->value[rule.id];
    const char *name = options_spec(rule.id)->name;
    uint64_t number = 0;

    if (text == NULL) {
        *out = rule.otherwise;
        return ENVL_OK;
    }
    if (*text == '\0' || strlen(text) > 18 ||
        text[strspn(text, "0123456789")] != '\0')
        return envl_fail(err, ENVL_E_USAGE, "--%s wants a whole number",
                         name);
    for (; *text != '\0'; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    if (number < rule.least || number > rule.most)
        return envl_fail(err, ENVL_E_USAGE, "--%s wants a number from %llu "
                         "to %llu", name, (unsigned long long)rule.least,
                         (unsigned long long)rule.most);
    *out = number;
    return ENVL_OK;
}

#define CHOICE_MAX 8u
#define CHOICE_LEN 16u

enum envl_status
options_choice(const struct options *options, enum option_id id,
               int otherwise, int *out, struct envl_error *err)
{
    const struct option_spec *spec = options_spec(id);
    const char *given = options->value[id], *rest = spec->choices, *near;
    char words[CHOICE_MAX][CHOICE_LEN];
    const char *list[CHOICE_MAX];
    enum envl_status status;
    size_t count = 0;

    if (given == NULL) {
        *out = otherwise;
        return ENVL_OK;
    }
    while (*rest != '\0' && count < CHOICE_MAX) {
        size_t len = strcspn(rest, " ");

        if (len == strlen(given) && strncmp(rest, given, len) == 0) {
            *out = (int)count;
            return ENVL_OK;
        }
        memcpy(words[count], rest, len);
        words[count][len] = '\0';
        list[count] = words[count];
        count++;
        rest += len + (rest[len] == ' ');
    }
    status = envl_fail(err, ENVL_E_USAGE, "--%s takes %s", spec->name,
                       spec->help);
    near = suggest_nearest(given, list, count);
    if (near != NULL)
        envl_hint(err, "did you mean %s?", near);
    return status;
}

enum envl_status
options_context(const struct options *options, struct context_args *out,
                struct envl_error *err)
{
    for (size_t i = 0; i < options->context_count; i++) {
        const char *text = options->contexts[i];
        const char *equals = strchr(text, '=');
        enum envl_status status;

        if (equals == NULL) {
            status = envl_fail(err, ENVL_E_USAGE,
                               "--context wants NAME=VALUE");
            envl_hint(err, "for example --context field=users.api_key "
                           "--context id=42");
            return status;
        }
        out->pairs[i].name = (struct envl_bytes){
            (const uint8_t *)text, (size_t)(equals - text) };
        out->pairs[i].value = envl_bytes_of(equals + 1);
    }
    out->context.pairs = out->pairs;
    out->context.count = options->context_count;
    return envl_context_check(&out->context, err);
}
