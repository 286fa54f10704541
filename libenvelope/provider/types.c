#include "provider/types.h"

#include <string.h>

/* spec: KEY-17, KEY-26, KEY-27 */
static const struct provider_type types[] = {
    /* name            min max   cost   public anyone holds_key module */
    { "keyfile",       40, 40,   false, false, false, false, NULL },
    { "passphrase",    40, 40,   true,  false, false, false, NULL },
    { "vault-transit", 1,  4096, false, false, true,  true, "vault" },
    { "vault-kv",      40, 40,   false, false, false, false, "vault" },
    { "pkcs11",        40, 40,   false, false, true,  true, "pkcs11" },
    { "aws-kms",       1,  4096, false, false, true,  true, "aws" },
    { "exec",          40, 40,   false, false, false, false, NULL },
    { "recovery",      80, 80,   false, true,  true,  false, NULL },
};

const struct provider_type *
types_find(struct envl_bytes name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strlen(types[i].name) == name.len &&
            strncmp(types[i].name, (const char *)name.ptr, name.len) == 0)
            return &types[i];
    return NULL;
}
