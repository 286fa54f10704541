#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "keyring/reader.h"
#include "keyring/ring_text.h"
#include "provider/types.h"

#define KEY_LIMIT   100000u
#define UNLOCK_LIMIT 1000u

/* ---- unlock entries ----------------------------------------------------- */

/*
 * A name, a type, and what it takes to unwrap: nothing that is obeyed, since
 * the MAC is not checked yet.  spec: KEY-7
 */
enum { U_NAME, U_TYPE, U_SALT, U_OPS, U_MEM, U_PUBLIC, U_WRAPPED };

static const char *const unlock_names[] = { "name", "type", "salt",
                                            "opslimit", "memlimit", "public",
                                            "wrapped", NULL };

static bool
read_wrapped(struct reader *r, struct envl_unlock_entry *entry)
{
    struct envl_span room;

    if (envl_buf_reserve(&entry->wrapped, 4096, NULL) != ENVL_OK)
        return reader_no_memory(r);
    room = (struct envl_span){ entry->wrapped.ptr, 4096 };
    if (!reader_bytes(r, "wrapped", 1, &room))
        return false;
    entry->wrapped.len = room.len;
    return true;
}

static bool
unlock_member(struct reader *r, void *into, unsigned member)
{
    struct envl_unlock_entry *entry = into;
    const char *name = unlock_names[member];
    struct envl_bytes text;

    switch (member) {
    case U_NAME:
        return reader_name(r, name, entry->name);
    case U_TYPE:
        if (!reader_string(r, name, &text))
            return false;
        if (types_find(text) == NULL)
            return reader_refuse(r, name, "is unknown");
        memcpy(entry->type, text.ptr, text.len);
        entry->type[text.len] = '\0';
        return true;
    case U_SALT:
        return reader_fixed(r, name, entry->salt, sizeof(entry->salt));
    case U_OPS:
        return reader_integer(r, name, &entry->opslimit);
    case U_MEM:
        return reader_integer(r, name, &entry->memlimit);
    case U_PUBLIC:
        return reader_fixed(r, name, entry->public_key,
                          sizeof(entry->public_key));
    default:
        return read_wrapped(r, entry);
    }
}

static bool
read_unlock(struct reader *r, struct ring_doc *doc)
{
    struct envl_unlock_entry *entry = &doc->unlocks[doc->unlock_count++];
    const struct provider_type *type;
    unsigned seen, must = 1u << U_NAME | 1u << U_TYPE | 1u << U_WRAPPED;

    r->part = "unlock entry ";
    r->number = doc->unlock_count;
    if (!reader_members(r, unlock_names, unlock_member, entry, &seen))
        return false;

    /* spec: KEY-17 */
    type = types_find(envl_bytes_of(entry->type));
    if (type != NULL && type->has_cost)
        must |= 1u << U_SALT | 1u << U_OPS | 1u << U_MEM;
    if (type != NULL && type->has_public)
        must |= 1u << U_PUBLIC;
    if (!reader_require(r, unlock_names, seen, must))
        return false;
    if (entry->wrapped.len < type->wrapped_min ||
        entry->wrapped.len > type->wrapped_max)
        return reader_refuse(r, "wrapped", "has the wrong length");
    /* spec: KEY-18 */
    if (ring_doc_unlock(doc, entry->name) != doc->unlock_count - 1)
        return reader_refuse(r, "name", "is that of another");
    return true;
}

/* ---- keys --------------------------------------------------------------- */

enum { K_KID, K_USE, K_SCOPE, K_STATE, K_CREATED, K_ACTIVATED, K_EXPIRES,
       K_CHECK, K_WRAPPED, K_PROVIDER, K_RETAIN };

static const char *const key_names[] = { "kid", "use", "scope", "state",
                                         "created", "activated", "expires",
                                         "check", "wrapped", "provider",
                                         "retain", NULL };

static bool
read_check(struct reader *r, struct ring_key *entry)
{
    struct envl_bytes text;
    size_t len;

    if (!reader_string(r, "check", &text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'F')
            return reader_refuse(r, "check", "is not lower-case hex");
    if (sodium_hex2bin(entry->check, sizeof(entry->check),
                       (const char *)text.ptr, text.len, NULL, &len,
                       NULL) != 0 || len != sizeof(entry->check))
        return reader_refuse(r, "check", "is not 16 hex digits");
    return true;
}

static bool
key_member(struct reader *r, void *into, unsigned member)
{
    struct ring_key *entry = into;
    struct envl_key_info *info = &entry->key.info;
    const char *name = key_names[member];
    struct envl_bytes text;

    switch (member) {
    case K_KID:
        return reader_name(r, name, info->kid);
    case K_USE:
        return reader_string(r, name, &text) &&
               (key_use_read(text, &info->use) ||
                reader_refuse(r, name, "is unknown"));
    case K_SCOPE:
        return reader_name(r, name, info->scope);
    case K_STATE:
        return reader_string(r, name, &text) &&
               (key_state_read(text, &info->state) ||
                reader_refuse(r, name, "is unknown"));
    case K_CREATED:
        return reader_date(r, name, false, info->created);
    case K_ACTIVATED:
        return reader_date(r, name, true, info->activated);
    case K_EXPIRES:
        return reader_date(r, name, true, info->expires);
    case K_CHECK:
        return read_check(r, entry);
    case K_WRAPPED:
        return reader_fixed(r, name, entry->wrapped, KEYWRAP_LEN);
    case K_RETAIN:
        return reader_date(r, name, false, info->retain_until);
    default:
        return reader_name(r, name, info->provider);
    }
}

static bool
read_key(struct reader *r, struct ring_doc *doc)
{
    struct ring_key *entry = &doc->keys[doc->key_count++];
    const struct envl_key_info *info = &entry->key.info;
    unsigned seen, must = (1u << K_CHECK) - 1;
    const unsigned local = 1u << K_CHECK | 1u << K_WRAPPED;
    const unsigned remote = 1u << K_PROVIDER;

    r->part = "key ";
    r->number = doc->key_count;
    if (!reader_members(r, key_names, key_member, entry, &seen))
        return false;

    /* spec: KEY-30, KEY-31, KEY-32 */
    if (seen & remote)
        must |= remote;
    else if (info->state != ENVL_KEY_DESTROYED || !(seen & 1u << K_STATE))
        must |= local;
    must |= seen & 1u << K_RETAIN; /* spec: KEY-44 */
    if (!reader_require(r, key_names, seen, must))
        return false;
    if ((seen & remote) && info->use != ENVL_USE_WRAP)
        return reader_refuse(r, "provider", "needs use wrap");
    entry->has_material = (must & local) != 0;
    return true;
}

/* ---- the file ----------------------------------------------------------- */

enum { R_KEYRING, R_ID, R_GENERATION, R_UNLOCK, R_KEYS };

static const char *const ring_names[] = { "keyring", "id", "generation",
                                          "unlock", "keys", NULL };

static bool
grow(void **array, size_t count, size_t *room, size_t size)
{
    size_t more = *room == 0 ? 8 : *room * 2;
    void *bigger;

    if (count < *room)
        return true;
    bigger = realloc(*array, more * size);
    if (bigger == NULL)
        return false;
    memset((uint8_t *)bigger + *room * size, 0, (more - *room) * size);
    *array = bigger;
    *room = more;
    return true;
}

static bool
read_array(struct reader *r, struct ring_doc *doc, bool keys)
{
    size_t room = 0, count = 0, limit = keys ? KEY_LIMIT : UNLOCK_LIMIT;
    void **array = keys ? (void **)&doc->keys : (void **)&doc->unlocks;
    size_t size = keys ? sizeof(*doc->keys) : sizeof(*doc->unlocks);
    const char *name = keys ? "keys" : "unlock";

    if (json_scan_next(&r->scan) != JSON_SCAN_ARRAY_BEGIN)
        return reader_refuse(r, name, "is not an array");
    for (;; count++) {
        enum json_token kind = json_scan_next(&r->scan);

        if (kind == JSON_SCAN_ARRAY_END)
            break;
        if (kind != JSON_SCAN_OBJECT_BEGIN)
            return reader_refuse(r, name, "holds something else than objects");
        if (count == limit)
            return reader_refuse(r, name, "is too long");
        if (!grow(array, count, &room, size))
            return reader_no_memory(r);
        if (!(keys ? read_key(r, doc) : read_unlock(r, doc)))
            return false;
        r->part = "line 1";
        r->number = 0;
    }
    return keys || count > 0 || reader_refuse(r, name, "is empty");
}

static bool
read_id(struct reader *r, char out[ENVL_UUID_SIZE])
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    struct envl_bytes text;

    if (!reader_string(r, "id", &text))
        return false;
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        uint8_t c = i < text.len ? text.ptr[i] : 0;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

        if (form[i] == 'x' ? !hex : c != '-')
            return reader_refuse(r, "id", "is not a UUID in lower case");
    }
    if (text.len != sizeof(form) - 1)
        return reader_refuse(r, "id", "is not a UUID in lower case");
    memcpy(out, text.ptr, text.len);
    return true;
}

static bool
ring_member(struct reader *r, void *into, unsigned member)
{
    struct ring_doc *doc = into;
    uint64_t version;

    switch (member) {
    case R_KEYRING:
        return reader_integer(r, "keyring", &version) &&
               (version == 1 ||
                reader_refuse(r, "keyring", "is a version unknown here"));
    case R_ID:
        return read_id(r, doc->id);
    case R_GENERATION:
        return reader_integer(r, "generation", &doc->generation) &&
               (doc->generation >= 1 ||
                reader_refuse(r, "generation", "is out of range"));
    case R_UNLOCK:
        return read_array(r, doc, false);
    default:
        return read_array(r, doc, true);
    }
}

static bool
read_line_1(struct reader *r, struct ring_doc *doc)
{
    unsigned seen;

    r->part = "line 1";
    if (!utf8_valid(r->scan.text))
        return reader_refuse(r, "", "is not UTF-8");
    if (json_scan_next(&r->scan) != JSON_SCAN_OBJECT_BEGIN)
        return reader_refuse(r, "", "is not a JSON object");
    if (!reader_members(r, ring_names, ring_member, doc, &seen) ||
        !reader_require(r, ring_names, seen, (1u << (R_KEYS + 1)) - 1))
        return false;
    return json_scan_next(&r->scan) == JSON_SCAN_END ||
           reader_refuse(r, "", "has something after the object");
}

/* spec: KEY-1 */
static bool
read_line_2(struct reader *r, struct envl_bytes text, struct ring_doc *doc)
{
    static const char head[] = "{\"mac\":\"", tail[] = "\"}\n";
    const size_t mac = 43;
    size_t len;

    r->part = "line 2";
    r->number = 0;
    if (text.len != sizeof(head) - 1 + mac + sizeof(tail) - 1 ||
        strncmp((const char *)text.ptr, head, sizeof(head) - 1) != 0 ||
        strncmp((const char *)text.ptr + sizeof(head) - 1 + mac, tail,
                sizeof(tail) - 1) != 0)
        return reader_refuse(r, "", "is not one MAC and one line feed");
    if (sodium_base642bin(doc->mac, sizeof(doc->mac),
                          (const char *)text.ptr + sizeof(head) - 1, mac,
                          NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        len != sizeof(doc->mac))
        return reader_refuse(r, "", "has no canonical base64url");
    return true;
}

/* spec: KEY-27 */
static bool
check_provider_names(struct reader *r, const struct ring_doc *doc)
{
    for (size_t i = 0; i < doc->key_count; i++) {
        const char *name = doc->keys[i].key.info.provider;
        size_t at = name[0] == '\0' ? doc->unlock_count
                                    : ring_doc_unlock(doc, name);

        r->part = "key ";
        r->number = i + 1;
        if (at < doc->unlock_count &&
            types_find(envl_bytes_of(doc->unlocks[at].type))->holds_key)
            return reader_refuse(r, "provider", "is that of an unlock entry");
    }
    return true;
}

enum envl_status
ring_text_parse(struct envl_bytes text, struct ring_doc *doc,
                struct envl_bytes *line, struct envl_error *err)
{
    struct ring_doc mine = { 0 };
    struct reader r = { .part = "the file", .err = err };
    const uint8_t *end =
        text.len == 0 ? NULL : memchr(text.ptr, '\n', text.len);

    if (end == NULL || memchr(text.ptr, '\r', text.len) != NULL) {
        reader_refuse(&r, "", "is not two lines, each ended by one line feed");
        return r.status;
    }
    *line = (struct envl_bytes){ text.ptr, (size_t)(end - text.ptr) };
    json_scan_init(&r.scan, *line);
    if (read_line_1(&r, &mine) &&
        read_line_2(&r, (struct envl_bytes){ end + 1,
                                             text.len - line->len - 1 },
                    &mine) &&
        check_provider_names(&r, &mine))
        r.status = ring_doc_index(&mine, err);
    json_scan_free(&r.scan);
    envl_buf_free(&r.text);
    if (r.status != ENVL_OK)
        ring_doc_free(&mine);
    else
        *doc = mine;
    return r.status;
}
