#include <stdlib.h>
#include <string.h>

#include "engine/census.h"

static bool
matches(const struct census_entry *entry, const struct census_entry *want,
        const char *kid)
{
    return entry->field == want->field && entry->target == want->target &&
           entry->state == want->state && strcmp(entry->kid, kid) == 0;
}

static struct census_entry *
find(struct census *census, const struct census_entry *want, const char *kid)
{
    /* Neighbouring rows are mostly alike. */
    if (census->last < census->count &&
        matches(&census->entries[census->last], want, kid))
        return &census->entries[census->last];
    for (size_t i = 0; i < census->count; i++) {
        if (matches(&census->entries[i], want, kid)) {
            census->last = i;
            return &census->entries[i];
        }
    }
    return NULL;
}

static enum envl_status
append(struct census *census, const struct census_entry *entry,
       const char *kid, struct envl_error *err)
{
    struct census_entry *made;

    if (census->count == census->cap) {
        size_t cap = census->cap == 0 ? 16 : 2 * census->cap;
        struct census_entry *entries;

        entries = realloc(census->entries, cap * sizeof(*entries));
        if (entries == NULL)
            return envl_fail(err, ENVL_E_NOMEM, "out of memory for a census");
        census->entries = entries;
        census->cap = cap;
    }
    made = &census->entries[census->count++];
    *made = *entry;
    memset(made->kid, 0, sizeof(made->kid));
    memcpy(made->kid, kid, strlen(kid));
    return ENVL_OK;
}

enum envl_status
census_add(struct census *census, const struct census_entry *entry,
           struct envl_error *err)
{
    const char *kid = entry->kid;
    struct census_entry *found = find(census, entry, kid);

    /* Other states name kids of the ring, which nobody makes up. */
    if (found == NULL && census->count >= CENSUS_MAX_ENTRIES &&
        entry->state == ROW_SEALED_UNKNOWN_KID && kid[0] != '\0') {
        kid = "";
        found = find(census, entry, kid);
    }
    if (found == NULL)
        return append(census, entry, kid, err);
    found->count += entry->count;
    return ENVL_OK;
}

enum envl_status
census_merge(struct census *into, const struct census *from,
             struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    for (size_t i = 0; i < from->count && status == ENVL_OK; i++)
        status = census_add(into, &from->entries[i], err);
    return status;
}

uint64_t
census_total(const struct census *census, enum row_state state)
{
    uint64_t total = 0;

    for (size_t i = 0; i < census->count; i++) {
        if (census->entries[i].state == state)
            total += census->entries[i].count;
    }
    return total;
}

json_t *
census_encode(const struct census *census)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < census->count; i++) {
        const struct census_entry *entry = &census->entries[i];
        json_t *item = json_pack(
            "[I,I,s,s,I]", (json_int_t)entry->target, (json_int_t)entry->field,
            row_state_name(entry->state), entry->kid,
            (json_int_t)entry->count);

        if (json_array_append_new(array, item) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static bool
decode(const json_t *item, struct census_entry *out)
{
    const json_t *number[3] = { json_array_get(item, 0),
                                json_array_get(item, 1),
                                json_array_get(item, 4) };
    const char *state = json_string_value(json_array_get(item, 2));
    const char *kid = json_string_value(json_array_get(item, 3));

    if (json_array_size(item) != 5 || state == NULL || kid == NULL ||
        !row_state_parse(state, &out->state) || strlen(kid) > ENVL_KID_MAX)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (!json_is_integer(number[i]) || json_integer_value(number[i]) < 0)
            return false;
    }
    if (json_integer_value(number[0]) > UINT32_MAX ||
        json_integer_value(number[1]) > UINT32_MAX)
        return false;
    out->target = (uint32_t)json_integer_value(number[0]);
    out->field = (uint32_t)json_integer_value(number[1]);
    out->count = (uint64_t)json_integer_value(number[2]);
    memcpy(out->kid, kid, strlen(kid) + 1);
    return true;
}

enum envl_status
census_decode(const json_t *array, struct census *out, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    struct census_entry entry;

    if (!json_is_array(array))
        return envl_fail(err, ENVL_E_INTEGRITY, "a census is not an array");
    for (size_t i = 0; i < json_array_size(array) && status == ENVL_OK; i++) {
        if (decode(json_array_get(array, i), &entry))
            status = census_add(out, &entry, err);
        else
            status = envl_fail(err, ENVL_E_INTEGRITY,
                               "entry %zu of a census is damaged", i);
    }
    if (status != ENVL_OK)
        census_free(out);
    return status;
}

void
census_free(struct census *census)
{
    free(census->entries);
    *census = (struct census){ NULL, 0, 0, 0 };
}
