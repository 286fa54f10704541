#include <string.h>

#include "crypto/keywrap.h"
#include "envelope/frame.h"
#include "envelope/select.h"

/* ---- options ------------------------------------------------------------ */

/*
 * Copy as much as this version of the struct and the caller's have in common.
 * What an older caller does not know is zero; what a newer one knows and sets
 * would be ignored, so it is refused.
 */
static enum envl_status
copy_options(void *out, size_t size, const void *given, size_t given_size,
             struct envl_error *err)
{
    const uint8_t *bytes = given;

    memset(out, 0, size);
    if (given_size < sizeof(size_t) || given_size > 4096)
        return envl_fail(err, ENVL_E_USAGE,
                         "the options' size is not set");
    for (size_t i = size; i < given_size; i++) {
        if (bytes[i] != 0)
            return envl_fail(err, ENVL_E_USAGE, "an option that this version "
                             "of the library does not know");
    }
    memcpy(out, given, given_size < size ? given_size : size);
    return ENVL_OK;
}

static enum envl_status
check_scope(const char *scope, bool any_allowed, struct envl_error *err)
{
    if (key_name_valid(envl_bytes_of(scope)) ||
        (any_allowed && strcmp(scope, "*") == 0))
        return ENVL_OK;
    return envl_fail(err, ENVL_E_USAGE, "a scope of other characters than "
                     "a-z, 0-9, '.' and '-'");
}

static bool
in_range(int value, int last)
{
    return value >= 0 && value <= last;
}

enum envl_status
select_seal_options(const struct envl_seal_options *given,
                    struct envl_seal_options *out, struct envl_error *err)
{
    static const struct envl_seal_options none = { .size = sizeof(none) };
    enum envl_status status;

    if (given == NULL)
        given = &none;
    status = copy_options(out, sizeof(*out), given, given->size, err);
    if (status != ENVL_OK)
        return status;
    if (!in_range((int)out->mode, ENVL_MODE_WRAPPED) ||
        !in_range((int)out->type, ENVL_TYPE_BSON) ||
        !in_range((int)out->encoding, ENVL_ENCODING_BINARY))
        return envl_fail(err, ENVL_E_USAGE,
                         "a mode, type or encoding that there is not");
    if (out->pad != ENVL_PAD_DEFAULT && out->pad != ENVL_PAD_NONE &&
        (out->pad < 2 || out->pad > (int)FRAME_PAD_MAX)) /* spec: ENV-9.5 */
        return envl_fail(err, ENVL_E_USAGE, "a pad block of %d bytes, it is 2 "
                         "to %u", out->pad, FRAME_PAD_MAX);
    if (out->scope == NULL)
        out->scope = "default";
    return check_scope(out->scope, false, err);
}

enum envl_status
select_open_options(const struct envl_open_options *given,
                    struct envl_open_options *out, struct envl_error *err)
{
    static const struct envl_open_options none = { .size = sizeof(none) };
    enum envl_status status;

    if (given == NULL)
        given = &none;
    status = copy_options(out, sizeof(*out), given, given->size, err);
    if (status != ENVL_OK)
        return status;
    if ((out->accept & ~(ENVL_ACCEPT_DERIVED | ENVL_ACCEPT_WRAPPED)) != 0)
        return envl_fail(err, ENVL_E_USAGE, "a mode that there is not");
    if (out->accept == 0)
        out->accept = ENVL_ACCEPT_DERIVED | ENVL_ACCEPT_WRAPPED;
    if (out->scope == NULL)
        out->scope = "default";
    return check_scope(out->scope, true, err);
}

/* ---- keys --------------------------------------------------------------- */

struct envl_bytes
select_kid(const struct key *key)
{
    return envl_bytes_of(key->info.kid);
}

enum envl_mode
select_mode(const struct key *key)
{
    return key->info.use == ENVL_USE_WRAP ? ENVL_MODE_WRAPPED
                                          : ENVL_MODE_DERIVED;
}

bool
select_opens(const struct key *key)
{
    return key->info.state == ENVL_KEY_PRE_ACTIVE ||
           key->info.state == ENVL_KEY_ACTIVE ||
           key->info.state == ENVL_KEY_DECRYPT_ONLY;
}

void
select_release(struct envl_keyring *ring, struct selection *selection)
{
    keyring_leave(ring, selection->hold);
    selection->key = NULL;
}

bool
select_named_key(struct envl_keyring *ring, struct envl_bytes kid,
                 struct selection *out)
{
    out->hold = keyring_enter(ring);
    out->key = keyring_key(out->hold.view, kid);
    if (out->key != NULL)
        return true;
    keyring_leave(ring, out->hold);

    /* spec: ENV-8.9 */
    if (!keyring_look_again(ring))
        return false;
    out->hold = keyring_enter(ring);
    out->key = keyring_key(out->hold.view, kid);
    if (out->key != NULL)
        return true;
    keyring_leave(ring, out->hold);
    return false;
}

static enum envl_status
refuse(struct envl_keyring *ring, struct selection *selection,
       enum envl_status status)
{
    select_release(ring, selection);
    return status;
}

static enum envl_status
unknown_key(struct envl_error *err, struct envl_bytes kid)
{
    (void)envl_fail(err, ENVL_E_NOKEY, "no key '%.*s' in the keyring",
                    (int)kid.len, (const char *)kid.ptr);
    envl_hint(err, "'envelope key list' shows the keys of this ring");
    return ENVL_E_NOKEY;
}

static enum envl_status
check_named(const struct key *key, const struct envl_seal_options *options,
            struct envl_error *err)
{
    const char *kid = key->info.kid;

    if (strcmp(key->info.scope, options->scope) != 0)
        return envl_fail(err, ENVL_E_NOKEY, "key '%s' is of another scope",
                         kid);
    if (key->info.use != ENVL_USE_SEAL && key->info.use != ENVL_USE_WRAP)
        return envl_fail(err, ENVL_E_NOKEY, "key '%s' is not for sealing",
                         kid);
    if (key->info.state != ENVL_KEY_ACTIVE)
        return envl_fail(err, ENVL_E_POLICY, "key '%s' is %s, only an active "
                         "key seals", kid,
                         envl_key_state_name(key->info.state));
    return ENVL_OK;
}

enum envl_status
select_sealing_key(struct envl_keyring *ring,
                   const struct envl_seal_options *options,
                   struct selection *out, struct envl_error *err)
{
    enum envl_key_use use = options->mode == ENVL_MODE_WRAPPED
                                ? ENVL_USE_WRAP : ENVL_USE_SEAL;
    enum envl_status status;

    if (options->kid != NULL) {
        struct envl_bytes kid = envl_bytes_of(options->kid);

        if (!key_name_valid(kid))
            return envl_fail(err, ENVL_E_NOKEY, "no key can have that name");
        if (!select_named_key(ring, kid, out))
            return unknown_key(err, kid);
        status = check_named(out->key, options, err);
        return status == ENVL_OK ? status : refuse(ring, out, status);
    }
    out->hold = keyring_enter(ring);
    out->key = keyring_active_key(out->hold.view, use, options->scope);
    if (out->key != NULL)
        return ENVL_OK;
    (void)envl_fail(err, ENVL_E_NOKEY, "no active key of use %s in scope '%s'",
                    envl_key_use_name(use), options->scope);
    envl_hint(err, "'envelope key add' makes one");
    return refuse(ring, out, ENVL_E_NOKEY);
}

/* spec: ENV-8.10, ENV-8.11, ENV-8.12, in this order */
static enum envl_status
check_opening(const struct key *key, const struct envl_open_options *options,
              const struct parsed *envelope, struct envl_error *err)
{
    const char *kid = key->info.kid;
    bool wrapped = envelope->mode == ENVL_MODE_WRAPPED;
    bool local = key->info.provider[0] == '\0' ||
                 (key->provider != NULL &&
                  strcmp(key->provider->ops->type, "pkcs11") == 0);

    if (!select_opens(key))
        return envl_fail(err, ENVL_E_NOKEY, "key '%s' is %s", kid,
                         envl_key_state_name(key->info.state));
    if (strcmp(options->scope, "*") != 0 &&
        strcmp(options->scope, key->info.scope) != 0)
        return envl_fail(err, ENVL_E_NOKEY, "key '%s' is of another scope",
                         kid);
    if (key->info.use != (wrapped ? ENVL_USE_WRAP : ENVL_USE_SEAL))
        return envl_fail(err, ENVL_E_NOKEY, "key '%s' is for another use",
                         kid);
    if (key->secret == NULL && key->info.provider[0] == '\0')
        return envl_fail(err, ENVL_E_NOKEY, "key '%s' has no material", kid);
    if (wrapped && local && envelope->wrapped.len != KEYWRAP_LEN)
        return envl_fail(err, ENVL_E_FORMAT, "a damaged envelope: its wrapped "
                         "key has an impossible length");
    if ((options->accept & (wrapped ? ENVL_ACCEPT_WRAPPED
                                    : ENVL_ACCEPT_DERIVED)) == 0)
        return envl_fail(err, ENVL_E_POLICY, "an envelope in mode %s, which "
                         "is not accepted here",
                         wrapped ? "wrapped" : "derived");
    return ENVL_OK;
}

enum envl_status
select_opening_key(struct envl_keyring *ring,
                   const struct envl_open_options *options,
                   const struct parsed *envelope, struct selection *out,
                   struct envl_error *err)
{
    enum envl_status status;

    if (!select_named_key(ring, envelope->kid, out))
        return unknown_key(err, envelope->kid);
    status = check_opening(out->key, options, envelope, err);
    return status == ENVL_OK ? status : refuse(ring, out, status);
}
