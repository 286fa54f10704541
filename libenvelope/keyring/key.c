#include "keyring/key.h"

#include <string.h>

/* In the order of the enums: the words of the ring file. */
static const char *const uses[] = { "seal", "wrap", "index", "mac" };
static const char *const states[] = { "pre-active", "active", "decrypt-only",
                                      "disabled", "destroyed" };

static int
find(const char *const *names, size_t count, struct envl_bytes text)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == text.len &&
            strncmp(names[i], (const char *)text.ptr, text.len) == 0)
            return (int)i;
    return -1;
}

const char *
envl_key_use_name(enum envl_key_use use)
{
    return (size_t)use < sizeof(uses) / sizeof(*uses) ? uses[use] : "?";
}

const char *
envl_key_state_name(enum envl_key_state state)
{
    return (size_t)state < sizeof(states) / sizeof(*states) ? states[state]
                                                            : "?";
}

bool
key_use_read(struct envl_bytes text, enum envl_key_use *use)
{
    int i = find(uses, sizeof(uses) / sizeof(*uses), text);

    if (i < 0)
        return false;
    *use = (enum envl_key_use)i;
    return true;
}

bool
key_state_read(struct envl_bytes text, enum envl_key_state *state)
{
    int i = find(states, sizeof(states) / sizeof(*states), text);

    if (i < 0)
        return false;
    *state = (enum envl_key_state)i;
    return true;
}

bool
key_name_valid(struct envl_bytes name)
{
    /* spec: ENV-2.1, KEY-6 */
    if (name.len < 1 || name.len >= ENVL_NAME_SIZE)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!plain && (i == 0 || (c != '.' && c != '-')))
            return false;
    }
    return true;
}
