#include <string.h>

#include <sodium.h>

#include "envelope/select.h"

static enum envl_status
choose(struct envl_keyring *ring, const struct envl_index_input *input,
       struct selection *out, struct envl_error *err)
{
    const char *scope = input->scope == NULL ? "default" : input->scope;

    if (input->kid == NULL) {
        out->hold = keyring_enter(ring);
        out->key = keyring_active_key(out->hold.view, ENVL_USE_INDEX, scope);
        if (out->key != NULL && out->key->secret != NULL)
            return ENVL_OK;
        select_release(ring, out);
        return envl_fail(err, ENVL_E_NOKEY,
                         "no active key of use index in scope '%s'", scope);
    }
    if (!key_name_valid(envl_bytes_of(input->kid)) ||
        !select_named_key(ring, envl_bytes_of(input->kid), out))
        return envl_fail(err, ENVL_E_NOKEY, "no key '%s' in the keyring",
                         input->kid);
    if (out->key->info.use == ENVL_USE_INDEX && out->key->secret != NULL &&
        select_opens(out->key) && strcmp(scope, out->key->info.scope) == 0)
        return ENVL_OK;
    select_release(ring, out);
    return envl_fail(err, ENVL_E_NOKEY,
                     "key '%s' makes no index in scope '%s'", input->kid,
                     scope);
}

static void
put_u32(uint8_t out[4], size_t value)
{
    out[0] = (uint8_t)(value >> 24);
    out[1] = (uint8_t)(value >> 16);
    out[2] = (uint8_t)(value >> 8);
    out[3] = (uint8_t)value;
}

/* spec: ENV-10.1 */
enum envl_status
envl_blind_index(struct envl_keyring *ring,
                 const struct envl_index_input *input,
                 char hex[ENVL_INDEX_HEX_SIZE], struct envl_error *err)
{
    static const char label[] = "libenvelope/v1/index"; /* and its NUL */
    uint8_t field_len[4], value_len[4], mac[HMAC512_LEN];
    const struct envl_bytes parts[] = {
        { (const uint8_t *)label, sizeof(label) },
        { field_len, sizeof(field_len) }, input->field,
        { value_len, sizeof(value_len) }, input->value,
    };
    struct selection selected;
    enum envl_status status;

    if (input->bits % 8 != 0 || input->bits < 16 || input->bits > 256)
        return envl_fail(err, ENVL_E_USAGE, "an index of %u bits; it is a "
                         "multiple of 8 from 16 to 256", input->bits);
    if (input->field.len > UINT32_MAX || input->value.len > UINT32_MAX)
        return envl_fail(err, ENVL_E_LIMIT, "a value of more than 4 GiB");
    status = choose(ring, input, &selected, err);
    if (status != ENVL_OK)
        return status;
    put_u32(field_len, input->field.len);
    put_u32(value_len, input->value.len);
    hmac512(&selected.key->secret->prepared, parts, 5, mac);
    select_release(ring, &selected);
    sodium_bin2hex(hex, ENVL_INDEX_HEX_SIZE, mac, input->bits / 8);
    sodium_memzero(mac, sizeof(mac));
    return ENVL_OK;
}
