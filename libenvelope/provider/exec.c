#include "provider/exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include <envelope/version.h>

#include "core/child.h"
#include "provider/unlock_key.h"

#define ARGUMENT_LIMIT 64u
#define VARIABLE_LIMIT 64u
#define TIMEOUT_USUAL  10000u
#define TIMEOUT_MAX    300000u
#define ANSWER_MAX     128u /* bytes: 32 as hex or base64, and an LF */
#define SECRET_LEN     32u

struct exec {
    struct envl_provider base;
    json_t *settings;            /* owns the strings of argv             */
    char *argv[ARGUMENT_LIMIT + 1];
    const char *variables[VARIABLE_LIMIT]; /* names that are passed on   */
    size_t variable_count;
    bool pinned;
    uint8_t sha256[CHILD_SHA256_LEN];
    uint32_t timeout_ms;
};

/* ---- settings ----------------------------------------------------------- */

static enum envl_status
bad(const struct exec *self, const char *what, struct envl_error *err)
{
    enum envl_status status = envl_fail(err, ENVL_E_USAGE,
                                        "provider '%s': %s", self->base.name,
                                        what);

    envl_hint(err, "{\"type\": \"exec\", \"command\": [\"/path\", \"arg\"], "
              "\"environment\": [\"NAME\"], \"sha256\": \"hex\", "
              "\"timeout_ms\": 10000}");
    return status;
}

static enum envl_status
take_command(struct exec *self, const json_t *list, struct envl_error *err)
{
    const size_t count = json_array_size(list);

    if (!json_is_array(list) || count == 0 || count > ARGUMENT_LIMIT)
        return bad(self, "\"command\" is not a list of 1 to 64 strings", err);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);

        if (!json_is_string(item) ||
            strlen(json_string_value(item)) != json_string_length(item))
            return bad(self, "\"command\" is not a list of strings", err);
        /* execve takes them as char *, and changes none. */
        self->argv[i] = (char *)(uintptr_t)json_string_value(item);
    }
    if (self->argv[0][0] != '/')
        return bad(self, "\"command\" does not begin with an absolute path",
                   err);
    return ENVL_OK;
}

/* What a dynamic loader or a shell would obey. */
static bool
is_obeyed(const char *name)
{
    static const char *const names[] = { "BASH_ENV", "ENV", "IFS", "PS4",
                                         "SHELLOPTS", "BASHOPTS",
                                         "GCONV_PATH", "GLIBC_TUNABLES",
                                         "PYTHONPATH", "PYTHONHOME",
                                         "PERL5LIB", "PERL5OPT", "RUBYOPT",
                                         "NODE_OPTIONS", "JAVA_TOOL_OPTIONS" };

    if (strncmp(name, "LD_", 3) == 0)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* spec: KEY-103 */
static enum envl_status
take_environment(struct exec *self, const json_t *list,
                 struct envl_error *err)
{
    const size_t count = json_array_size(list);

    if (!json_is_array(list) || count > VARIABLE_LIMIT)
        return bad(self, "\"environment\" is not a list of at most 64 names",
                   err);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (name == NULL || *name == '\0' || strchr(name, '=') != NULL)
            return bad(self, "\"environment\" lists names, without values",
                       err);
        if (is_obeyed(name))
            return bad(self, "\"environment\" names a variable that decides "
                       "which code runs", err);
        self->variables[i] = name;
    }
    self->variable_count = count;
    return ENVL_OK;
}

static enum envl_status
take_pin(struct exec *self, const json_t *value, struct envl_error *err)
{
    const char *text = json_string_value(value);
    size_t len = 0;

    if (text == NULL ||
        sodium_hex2bin(self->sha256, sizeof(self->sha256), text,
                       strlen(text), NULL, &len, NULL) != 0 ||
        len != sizeof(self->sha256) || strlen(text) != 2 * len)
        return bad(self, "\"sha256\" is not 64 hex digits", err);
    self->pinned = true;
    return ENVL_OK;
}

static enum envl_status
take_timeout(struct exec *self, const json_t *value, struct envl_error *err)
{
    const json_int_t ms = json_integer_value(value);

    if (!json_is_integer(value) || ms < 100 || ms > (json_int_t)TIMEOUT_MAX)
        return bad(self, "\"timeout_ms\" is not a number from 100 to 300000",
                   err);
    self->timeout_ms = (uint32_t)ms;
    return ENVL_OK;
}

typedef enum envl_status take_fn(struct exec *self, const json_t *value,
                                 struct envl_error *err);

static const struct {
    const char *name;
    take_fn *take; /* NULL: read by others */
} members[] = {
    { "type", NULL },
    { "command", take_command },
    { "environment", take_environment },
    { "sha256", take_pin },
    { "timeout_ms", take_timeout },
};

static enum envl_status
take_member(struct exec *self, const char *name, const json_t *value,
            struct envl_error *err)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        if (strcmp(members[i].name, name) == 0)
            return members[i].take != NULL
                       ? members[i].take(self, value, err) : ENVL_OK;
    return bad(self, "a member that is unknown", err);
}

static enum envl_status
read_settings(struct exec *self, const char *text, struct envl_error *err)
{
    enum envl_status status;
    const char *name;
    json_error_t where;
    json_t *value;

    self->settings = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(self->settings))
        return bad(self, "its settings are not a JSON object", err);
    json_object_foreach(self->settings, name, value)
        if ((status = take_member(self, name, value, err)) != ENVL_OK)
            return status;
    return self->argv[0] != NULL ? ENVL_OK
                                 : bad(self, "\"command\" is missing", err);
}

/* ---- asking the command ------------------------------------------------- */

/* NAME=VALUE of each variable that is passed on and set. */
static enum envl_status
make_environment(const struct exec *self, char **out, struct envl_error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < self->variable_count; i++) {
        const char *value = getenv(self->variables[i]);

        if (value == NULL)
            continue;
        if (asprintf(&out[count], "%s=%s", self->variables[i], value) < 0) {
            out[count] = NULL;
            return envl_fail(err, ENVL_E_NOMEM, "out of memory for a "
                             "provider");
        }
        count++;
    }
    return ENVL_OK;
}

static void
free_environment(char **environment)
{
    for (; *environment != NULL; environment++) {
        sodium_memzero(*environment, strlen(*environment));
        free(*environment);
    }
}

/* 32 bytes, 64 hex digits, or base64; an LF may end what is text. */
static bool
decode(struct envl_bytes answer, uint8_t out[SECRET_LEN])
{
    const char *text = (const char *)answer.ptr;
    size_t len = answer.len, got = 0;
    const char *end;

    if (len == SECRET_LEN) {
        memcpy(out, answer.ptr, SECRET_LEN);
        return true;
    }
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len == 2 * SECRET_LEN)
        return sodium_hex2bin(out, SECRET_LEN, text, len, NULL, &got,
                              &end) == 0 &&
               got == SECRET_LEN && end == text + len;
    return (len == 44 || len == 43) &&
           (sodium_base642bin(out, SECRET_LEN, text, len, NULL, &got, &end,
                              len == 44
                                  ? sodium_base64_VARIANT_ORIGINAL
                                  : sodium_base64_VARIANT_URLSAFE_NO_PADDING)
                == 0) &&
           got == SECRET_LEN && end == text + len;
}

static enum envl_status
take_answer(const struct exec *self, struct envl_bytes answer,
            struct envl_secret **out, struct envl_error *err)
{
    struct envl_secret *secret = NULL;
    enum envl_status status = envl_secret_new(SECRET_LEN, &secret, err);

    if (status != ENVL_OK)
        return status;
    if (decode(answer, envl_secret_span(secret).ptr)) {
        *out = secret;
        return ENVL_OK;
    }
    envl_secret_free(secret);
    status = envl_fail(err, ENVL_E_PROVIDER, "the command of provider '%s' "
                       "wrote %zu bytes that are no key", self->base.name,
                       answer.len);
    envl_hint(err, "it must write 32 raw bytes, or 64 hex digits, or base64 "
              "of 32 bytes, and nothing else");
    return status;
}

static enum envl_status
run(const struct exec *self, const struct child_program *program,
    struct envl_secret **out, struct envl_error *err)
{
    char *environment[VARIABLE_LIMIT + 1] = { NULL };
    const struct child_options options = { self->base.name, self->argv,
                                           environment, self->timeout_ms };
    struct envl_secret *room = NULL;
    enum envl_status status;
    struct envl_span answer;

    status = envl_secret_new(ANSWER_MAX + 1, &room, err);
    if (status == ENVL_OK)
        status = make_environment(self, environment, err);
    if (status == ENVL_OK) {
        answer = envl_secret_span(room);
        status = child_run(program, &options, &answer, err);
    }
    if (status == ENVL_OK)
        status = take_answer(self, (struct envl_bytes){ answer.ptr,
                                                        answer.len },
                             out, err);
    free_environment(environment);
    envl_secret_free(room);
    return status;
}

static enum envl_status
fetch(const struct exec *self, struct envl_secret **out,
      struct envl_error *err)
{
    struct child_program program;
    enum envl_status status;

    status = child_open(self->argv[0], self->pinned ? self->sha256 : NULL,
                        &program, err);
    if (status == ENVL_E_NOTFOUND || status == ENVL_E_IO) {
        struct envl_error why = { .status = ENVL_OK };

        if (err != NULL)
            why = *err;
        status = envl_fail(err, ENVL_E_PROVIDER, "provider '%s': %.160s",
                           self->base.name, why.message);
    }
    if (status != ENVL_OK)
        return status;
    status = run(self, &program, out, err);
    child_close(&program);
    return status;
}

static enum envl_status
exec_unlock(struct envl_provider *base,
            const struct envl_unlock_entry *entry, const char *ring_id,
            struct envl_secret **ring_key, struct envl_error *err)
{
    struct envl_secret *secret = NULL;
    enum envl_status status = fetch((const struct exec *)base, &secret, err);

    if (status != ENVL_OK)
        return status;
    status = unlock_key_open(envl_secret_bytes(secret).ptr, entry, ring_id,
                             ring_key, err);
    envl_secret_free(secret);
    if (status == ENVL_E_AUTH)
        envl_fail(err, status, "what the command of provider '%s' gives does "
                  "not open unlock entry '%s'", base->name, entry->name);
    return status;
}

static enum envl_status
exec_enroll(struct envl_provider *base, const char *ring_id,
            const struct envl_secret *ring_key,
            struct envl_unlock_entry *entry, struct envl_error *err)
{
    struct envl_secret *secret = NULL;
    enum envl_status status = fetch((const struct exec *)base, &secret, err);

    if (status != ENVL_OK)
        return status;
    status = unlock_key_wrap(envl_secret_bytes(secret).ptr, ring_id, ring_key,
                             entry, err);
    envl_secret_free(secret);
    return status;
}

static void
exec_free(struct envl_provider *base)
{
    struct exec *self = (struct exec *)base;

    json_decref(self->settings);
    free(self);
}

static const struct envl_provider_ops exec_ops = {
    .abi = ENVL_PROVIDER_ABI,
    .type = "exec",
    .unlock = exec_unlock,
    .enroll = exec_enroll,
    .free = exec_free,
};

static enum envl_status
exec_create(const struct envl_provider_request *request,
            struct envl_provider **out, struct envl_error *err)
{
    struct exec *self = calloc(1, sizeof(*self));
    enum envl_status status;

    if (self == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    self->base.ops = &exec_ops;
    self->timeout_ms = TIMEOUT_USUAL;
    snprintf(self->base.name, sizeof(self->base.name), "%s", request->name);
    if ((status = read_settings(self, request->settings, err)) != ENVL_OK) {
        exec_free(&self->base);
        return status;
    }
    *out = &self->base;
    return ENVL_OK;
}

static const char *const exec_types[] = { "exec", NULL };

const struct envl_provider_module exec_module = {
    .abi = ENVL_PROVIDER_ABI,
    .name = "exec",
    .version = ENVL_VERSION,
    .types = exec_types,
    .create = exec_create,
};
