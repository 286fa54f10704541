#include "keyring/ring_text.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider/types.h"

/* Strings that reach this file obey rules that leave nothing to escape. */
static enum envl_status
put(struct envl_buf *out, struct envl_error *err, const char *format, ...)
    ENVL_PRINTF(3, 4);

static enum envl_status
put(struct envl_buf *out, struct envl_error *err, const char *format, ...)
{
    char text[512];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(text))
        return envl_fail(err, ENVL_E_INTERNAL, "a keyring member is too long");
    return envl_buf_append(
        out, (struct envl_bytes){ (const uint8_t *)text, (size_t)len }, err);
}

static enum envl_status
put_base64(struct envl_buf *out, struct envl_bytes bytes,
           struct envl_error *err)
{
    size_t room = sodium_base64_ENCODED_LEN(
        bytes.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    enum envl_status status = envl_buf_reserve(out, room, err);

    if (status != ENVL_OK)
        return status;
    sodium_bin2base64((char *)out->ptr + out->len, room, bytes.ptr, bytes.len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out->len += room - 1; /* it writes a NUL */
    return ENVL_OK;
}

static enum envl_status
put_member(struct envl_buf *out, const char *name, struct envl_bytes bytes,
           struct envl_error *err)
{
    enum envl_status status;

    if ((status = put(out, err, ",\"%s\":\"", name)) != ENVL_OK ||
        (status = put_base64(out, bytes, err)) != ENVL_OK)
        return status;
    return put(out, err, "\"");
}

static enum envl_status
put_unlock(struct envl_buf *out, const struct envl_unlock_entry *entry,
           struct envl_error *err)
{
    const struct provider_type *type =
        types_find(envl_bytes_of(entry->type));
    enum envl_status status;

    if (type == NULL || entry->wrapped.len < type->wrapped_min ||
        entry->wrapped.len > type->wrapped_max)
        return envl_fail(err, ENVL_E_INTERNAL,
                         "unlock entry '%s' cannot be written", entry->name);
    if ((status = put(out, err, "{\"name\":\"%s\",\"type\":\"%s\"",
                      entry->name, entry->type)) != ENVL_OK)
        return status;
    if (type->has_cost &&
        ((status = put_member(out, "salt",
                              (struct envl_bytes){ entry->salt,
                                                   sizeof(entry->salt) },
                              err)) != ENVL_OK ||
         (status = put(out, err, ",\"opslimit\":%llu,\"memlimit\":%llu",
                       (unsigned long long)entry->opslimit,
                       (unsigned long long)entry->memlimit)) != ENVL_OK))
        return status;
    if (type->has_public &&
        (status = put_member(out, "public",
                             (struct envl_bytes){ entry->public_key,
                                                  sizeof(entry->public_key) },
                             err)) != ENVL_OK)
        return status;
    if ((status = put_member(out, "wrapped", envl_buf_view(&entry->wrapped),
                             err)) != ENVL_OK)
        return status;
    return put(out, err, "}");
}

static enum envl_status
put_date(struct envl_buf *out, const char *name, const char *date,
         struct envl_error *err)
{
    if (date[0] == '\0')
        return put(out, err, ",\"%s\":null", name);
    return put(out, err, ",\"%s\":\"%s\"", name, date);
}

static enum envl_status
put_key(struct envl_buf *out, const struct ring_key *entry,
        struct envl_error *err)
{
    const struct envl_key_info *info = &entry->key.info;
    char check[RING_CHECK_LEN * 2 + 1];
    enum envl_status status;

    if ((status = put(out, err,
                      "{\"kid\":\"%s\",\"use\":\"%s\",\"scope\":\"%s\","
                      "\"state\":\"%s\"",
                      info->kid, envl_key_use_name(info->use), info->scope,
                      envl_key_state_name(info->state))) != ENVL_OK ||
        (status = put_date(out, "created", info->created, err)) != ENVL_OK ||
        (status = put_date(out, "activated", info->activated, err)) !=
            ENVL_OK ||
        (status = put_date(out, "expires", info->expires, err)) != ENVL_OK ||
        /* Only where there is one: rings without it are as they were. */
        (info->retain_until[0] != '\0' &&
         (status = put_date(out, "retain", info->retain_until, err)) !=
             ENVL_OK))
        return status;
    if (entry->has_material) {
        sodium_bin2hex(check, sizeof(check), entry->check,
                       sizeof(entry->check));
        if ((status = put(out, err, ",\"check\":\"%s\"", check)) != ENVL_OK ||
            (status = put_member(out, "wrapped",
                                 (struct envl_bytes){ entry->wrapped,
                                                      KEYWRAP_LEN },
                                 err)) != ENVL_OK)
            return status;
    } else if (info->provider[0] != '\0') {
        if ((status = put(out, err, ",\"provider\":\"%s\"",
                          info->provider)) != ENVL_OK)
            return status;
    }
    return put(out, err, "}");
}

enum envl_status
ring_text_print(const struct ring_doc *doc, struct envl_buf *out,
                struct envl_error *err)
{
    enum envl_status status;

    status = put(out, err,
                 "{\"keyring\":1,\"id\":\"%s\",\"generation\":%llu,"
                 "\"unlock\":[", doc->id,
                 (unsigned long long)doc->generation);
    for (size_t i = 0; status == ENVL_OK && i < doc->unlock_count; i++) {
        if (i > 0)
            status = put(out, err, ",");
        if (status == ENVL_OK)
            status = put_unlock(out, &doc->unlocks[i], err);
    }
    if (status == ENVL_OK)
        status = put(out, err, "],\"keys\":[");
    for (size_t i = 0; status == ENVL_OK && i < doc->key_count; i++) {
        if (i > 0)
            status = put(out, err, ",");
        if (status == ENVL_OK)
            status = put_key(out, &doc->keys[i], err);
    }
    return status == ENVL_OK ? put(out, err, "]}") : status;
}

enum envl_status
ring_text_finish(const uint8_t mac[RING_MAC_LEN], struct envl_buf *out,
                 struct envl_error *err)
{
    enum envl_status status;

    /* spec: KEY-1 */
    if ((status = put(out, err, "\n{\"mac\":\"")) != ENVL_OK ||
        (status = put_base64(out, (struct envl_bytes){ mac, RING_MAC_LEN },
                             err)) != ENVL_OK)
        return status;
    return put(out, err, "\"}\n");
}
