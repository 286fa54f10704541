#include <stdlib.h>

#include <sodium.h>

#include "key_report.h"
#include "report.h"
#include "table.h"

static json_t *
date_or_null(const char *date)
{
    return *date != '\0' ? json_string(date) : json_null();
}

static json_t *
key_json(const struct envl_key_info *key)
{
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "kid",
                               key->kid, "use", envl_key_use_name(key->use),
                               "scope", key->scope, "state",
                               envl_key_state_name(key->state), "created",
                               date_or_null(key->created), "activated",
                               date_or_null(key->activated), "expires",
                               date_or_null(key->expires));

    if (object != NULL && key->retain_until[0] != '\0')
        json_object_set_new(object, "retain", json_string(key->retain_until));
    if (object != NULL && key->provider[0] != '\0')
        json_object_set_new(object, "provider", json_string(key->provider));
    return object;
}

static const char *
dash(const char *text)
{
    return *text != '\0' ? text : "-";
}

enum envl_status
key_report_list(struct envl_keyring *ring, struct envl_error *err)
{
    static const char *const heads[] = { "KID", "USE", "SCOPE", "STATE",
                                         "CREATED", "ACTIVATED", "EXPIRES" };
    struct envl_key_info *keys = NULL;
    struct envl_ring_mark mark;
    enum envl_status status;
    json_t *list, *table;
    size_t count;

    envl_keyring_mark(ring, &mark);
    if ((status = envl_keyring_list(ring, &keys, &count, err)) != ENVL_OK)
        return status;
    list = json_array();
    table = json_array();
    table_row(table, 7, heads);
    for (size_t i = 0; i < count; i++) {
        const struct envl_key_info *k = &keys[i];

        const char *const cells[] = {
            k->kid, envl_key_use_name(k->use), k->scope,
            envl_key_state_name(k->state), k->created, dash(k->activated),
            dash(k->expires)
        };

        json_array_append_new(list, key_json(k));
        table_row(table, 7, cells);
    }
    table_print(table);
    report_json(json_pack("{s:i, s:s, s:I, s:o}", "schema", 1, "keyring",
                          mark.id, "generation", (json_int_t)mark.generation,
                          "keys", list));
    free(keys);
    return ENVL_OK;
}

enum envl_status
key_report_one(struct envl_keyring *ring, const char *kid, const char *done,
               struct envl_error *err)
{
    struct envl_key_info key;
    struct envl_ring_mark mark;
    char pin[2 * sizeof(mark.pin) + 1];
    enum envl_status status;

    if ((status = envl_keyring_find(ring, kid, &key, err)) != ENVL_OK)
        return status;
    envl_keyring_mark(ring, &mark);
    report_text("%s %s: %s, use %s, scope %s; keyring generation %llu\n", kid,
                done, envl_key_state_name(key.state),
                envl_key_use_name(key.use), key.scope,
                (unsigned long long)mark.generation);
    sodium_bin2hex(pin, sizeof(pin), mark.pin, sizeof(mark.pin));
    report_json(json_pack("{s:i, s:s, s:I, s:s, s:o}", "schema", 1,
                          "keyring", mark.id, "generation",
                          (json_int_t)mark.generation, "pin", pin, "key",
                          key_json(&key)));
    return ENVL_OK;
}
