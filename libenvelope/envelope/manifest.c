#include <envelope/manifest.h>

#include <string.h>

#include <sodium.h>

#include "core/auth.h"
#include "core/base64url.h"
#include "envelope/select.h"

#define MARK_LEN     6u  /* envmac */
#define MAC_TEXT_LEN 86u /* base64url of 64 bytes */

static const char mark[] = "envmac";

/* spec: MAN-3 */
static void
compute(const struct key *key, struct envl_bytes content,
        uint8_t out[HMAC512_LEN])
{
    static const char label[] = "libenvelope/v1/manifest"; /* and its NUL */
    const struct envl_bytes parts[] = {
        { (const uint8_t *)label, sizeof(label) }, content
    };

    hmac512(&key->secret->prepared, parts, 2, out);
}

static bool
is_of_use(const struct key *key, const char *scope)
{
    return key->info.use == ENVL_USE_MAC && key->secret != NULL &&
           (strcmp(scope, "*") == 0 ||
            strcmp(scope, key->info.scope) == 0);
}

/* ---- signing ------------------------------------------------------------ */

/* spec: MAN-5 */
static enum envl_status
choose(struct envl_keyring *ring, const char *kid, const char *scope,
       struct selection *out, struct envl_error *err)
{
    enum envl_status status;

    if (kid == NULL) {
        out->hold = keyring_enter(ring);
        out->key = keyring_active_key(out->hold.view, ENVL_USE_MAC, scope);
        if (out->key != NULL && out->key->secret != NULL)
            return ENVL_OK;
        select_release(ring, out);
        status = envl_fail(err, ENVL_E_NOKEY, "no active key of use mac in "
                           "scope '%.63s'", scope);
        envl_hint(err, "add one: envelope key add --kid KID --use mac "
                  "--activate");
        return status;
    }
    if (!key_name_valid(envl_bytes_of(kid)) ||
        !select_named_key(ring, envl_bytes_of(kid), out))
        return envl_fail(err, ENVL_E_NOKEY, "no key '%.63s' in the keyring",
                         kid);
    if (!is_of_use(out->key, scope))
        status = envl_fail(err, ENVL_E_NOKEY, "key '%s' signs nothing in "
                           "scope '%.63s'", kid, scope);
    else if (out->key->info.state != ENVL_KEY_ACTIVE)
        status = envl_fail(err, ENVL_E_POLICY, "key '%s' is %s and does not "
                           "sign", kid,
                           envl_key_state_name(out->key->info.state));
    else
        return ENVL_OK;
    select_release(ring, out);
    return status;
}

enum envl_status
envl_manifest_sign(struct envl_keyring *ring,
                   const struct envl_manifest_options *options,
                   struct envl_bytes content, struct envl_buf *out,
                   struct envl_error *err)
{
    const char *scope = options == NULL || options->scope == NULL
                            ? "default" : options->scope;
    char text[MAC_TEXT_LEN + 1], kid[ENVL_NAME_SIZE];
    uint8_t mac[HMAC512_LEN];
    struct selection selected;
    enum envl_status status;

    status = choose(ring, options == NULL ? NULL : options->kid, scope,
                    &selected, err);
    if (status != ENVL_OK)
        return status;
    compute(selected.key, content, mac);
    memcpy(kid, selected.key->info.kid, sizeof(kid));
    select_release(ring, &selected);
    sodium_bin2base64(text, sizeof(text), mac, sizeof(mac),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    status = envl_buf_reserve(out, 128 + sizeof(kid), err);
    for (size_t i = 0; status == ENVL_OK && i < 5; i++)
        status = envl_buf_append(
            out, envl_bytes_of((const char *const[]){ "envmac1:", kid, ":",
                                                      text, "\n" }[i]), err);
    return status;
}

/* ---- verifying ---------------------------------------------------------- */

struct signature {
    char kid[ENVL_NAME_SIZE];
    uint8_t mac[HMAC512_LEN];
};

static enum envl_status
bad_form(const char *what, struct envl_error *err)
{
    return envl_fail(err, ENVL_E_FORMAT, "the signature %s", what);
}

/* spec: MAN-1, MAN-2 */
static enum envl_status
parse_rest(const char *text, size_t len, struct signature *out,
           struct envl_error *err)
{
    const char *colon = memchr(text, ':', len);
    const size_t kid = colon == NULL ? 0 : (size_t)(colon - text);
    size_t got = 0;

    if (colon == NULL || kid >= ENVL_NAME_SIZE ||
        !key_name_valid((struct envl_bytes){ (const uint8_t *)text, kid }))
        return bad_form("names no key", err);
    if (len - kid - 1 != MAC_TEXT_LEN ||
        sodium_base642bin(out->mac, sizeof(out->mac), colon + 1,
                          MAC_TEXT_LEN, NULL, &got, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        got != sizeof(out->mac))
        return bad_form("has no MAC of 64 bytes in base64url", err);
    memcpy(out->kid, text, kid);
    out->kid[kid] = '\0';
    return ENVL_OK;
}

static enum envl_status
parse(struct envl_bytes given, struct signature *out, struct envl_error *err)
{
    const char *text = (const char *)given.ptr;
    size_t len = given.len, digits = MARK_LEN;

    if (len > 0 && text[len - 1] == '\n')
        len--;
    while (digits < len && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    if (len <= MARK_LEN || strncmp(text, mark, MARK_LEN) != 0 ||
        digits == MARK_LEN || digits == len || text[digits] != ':')
        return envl_fail(err, ENVL_E_NOTENV, "that is not the signature of a "
                         "manifest");
    if (digits != MARK_LEN + 1 || text[MARK_LEN] != '1')
        return envl_fail(err, ENVL_E_VERSION, "a signature of another "
                         "version than 1");
    return parse_rest(text + digits + 1, len - digits - 1, out, err);
}

enum envl_status
envl_manifest_verify(struct envl_keyring *ring,
                     const struct envl_manifest_options *options,
                     struct envl_bytes content, struct envl_bytes signature,
                     char kid[ENVL_NAME_SIZE], struct envl_error *err)
{
    const char *scope = options == NULL || options->scope == NULL
                            ? "default" : options->scope;
    const char *wanted = options == NULL ? NULL : options->kid;
    struct signature given;
    struct selection selected;
    uint8_t mac[HMAC512_LEN];
    enum envl_status status;
    bool same;

    if ((status = parse(signature, &given, err)) != ENVL_OK)
        return status;
    if (wanted != NULL && strcmp(wanted, given.kid) != 0)
        return envl_fail(err, ENVL_E_NOKEY, "the signature is of key '%s', "
                         "not of '%.63s'", given.kid, wanted);
    if (!select_named_key(ring, envl_bytes_of(given.kid), &selected))
        return envl_fail(err, ENVL_E_NOKEY, "no key '%s' in the keyring",
                         given.kid);
    if (!is_of_use(selected.key, scope) || !select_opens(selected.key)) {
        select_release(ring, &selected);
        return envl_fail(err, ENVL_E_NOKEY, "key '%s' verifies nothing in "
                         "scope '%.63s'", given.kid, scope);
    }
    compute(selected.key, content, mac);
    select_release(ring, &selected);
    /* spec: MAN-4 */
    same = sodium_memcmp(mac, given.mac, sizeof(mac)) == 0;
    sodium_memzero(mac, sizeof(mac));
    if (!same)
        return auth_fail(err);
    memcpy(kid, given.kid, sizeof(given.kid));
    return ENVL_OK;
}
