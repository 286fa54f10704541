#include <stddef.h>

#include "engine/ledger.h"

/* One row a count, so that encoding and decoding cannot drift apart. */
static const struct member {
    const char *name;
    size_t offset;
} members[] = {
    { "rows", offsetof(struct ledger, rows) },
    { "sealed", offsetof(struct ledger, sealed) },
    { "rotated", offsetof(struct ledger, rotated) },
    { "skipped", offsetof(struct ledger, skipped) },
    { "quarantined", offsetof(struct ledger, quarantined) },
    { "conflicts", offsetof(struct ledger, conflicts) },
    { "retried", offsetof(struct ledger, retried) },
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))

static uint64_t
get(const struct ledger *ledger, size_t i)
{
    return *(const uint64_t *)(const void *)((const char *)ledger +
                                             members[i].offset);
}

static uint64_t *
at(struct ledger *ledger, size_t i)
{
    return (uint64_t *)(void *)((char *)ledger + members[i].offset);
}

void
ledger_add(struct ledger *into, const struct ledger *from)
{
    for (size_t i = 0; i < MEMBERS; i++)
        *at(into, i) += get(from, i);
}

void
ledger_subtract(struct ledger *into, const struct ledger *from)
{
    for (size_t i = 0; i < MEMBERS; i++)
        *at(into, i) -= get(from, i);
}

uint64_t
ledger_values(const struct ledger *ledger)
{
    return ledger->sealed + ledger->rotated + ledger->skipped +
           ledger->quarantined + ledger->conflicts;
}

json_t *
ledger_encode(const struct ledger *ledger)
{
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && i < MEMBERS; i++) {
        json_int_t count = (json_int_t)get(ledger, i);

        if (json_object_set_new(object, members[i].name,
                                json_integer(count)) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

enum envl_status
ledger_decode(const json_t *object, struct ledger *out, struct envl_error *err)
{
    struct ledger ledger;

    for (size_t i = 0; i < MEMBERS; i++) {
        const json_t *count = json_object_get(object, members[i].name);

        if (!json_is_integer(count) || json_integer_value(count) < 0)
            return envl_fail(err, ENVL_E_INTEGRITY,
                             "a job record has no count of %s",
                             members[i].name);
        *at(&ledger, i) = (uint64_t)json_integer_value(count);
    }
    *out = ledger;
    return ENVL_OK;
}
