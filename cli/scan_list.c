#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/random.h"
#include "core/utf8.h"
#include "detect/value.h"
#include "scan_list.h"

enum envl_status
scan_list_init(struct scan_list *list, struct envl_error *err)
{
    *list = (struct scan_list){ .skipped = json_array() };
    if (list->skipped == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for findings");
    return random_fill(
        (struct envl_span){ list->salt, sizeof(list->salt) }, err);
}

void
scan_list_free(struct scan_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].path);
        free(list->items[i].name);
    }
    free(list->items);
    json_decref(list->skipped);
    *list = (struct scan_list){ 0 };
}

static void
digest_item(const struct scan_list *list, struct scan_item *item,
            struct envl_bytes value)
{
    crypto_generichash_state state;
    bool guessable = item->sure != HIT_HIGH || !value_is_random(value);

    crypto_generichash_init(&state, list->salt, sizeof(list->salt),
                            sizeof(item->digest));
    crypto_generichash_update(&state, (const uint8_t *)item->rule,
                              strlen(item->rule) + 1);
    crypto_generichash_update(&state, (const uint8_t *)item->path,
                              strlen(item->path) + 1);
    crypto_generichash_update(&state, (const uint8_t *)item->name,
                              strlen(item->name) + 1);
    if (!guessable)
        crypto_generichash_update(&state, value.ptr, value.len);
    crypto_generichash_final(&state, item->digest, sizeof(item->digest));
    sodium_memzero(&state, sizeof(state));
}

static enum envl_status
grow(struct scan_list *list, struct envl_error *err)
{
    size_t cap = list->cap == 0 ? 64 : list->cap * 2;
    struct scan_item *more;

    if (list->count < list->cap)
        return ENVL_OK;
    if ((more = realloc(list->items, cap * sizeof(*more))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for findings");
    list->items = more;
    list->cap = cap;
    return ENVL_OK;
}

/* A name as somebody chose it, fit for JSON and for a terminal. */
static char *
clean(const char *name)
{
    char *copy = strdup(name);
    bool utf8 = utf8_valid(envl_bytes_of(name));

    for (char *c = copy; c != NULL && *c != '\0'; c++)
        if ((uint8_t)*c < ' ' || *c == 0x7f || (!utf8 && (uint8_t)*c >= 0x80))
            *c = '?';
    return copy;
}

enum envl_status
scan_list_add(struct scan_list *list, const struct scan_item *item,
              struct envl_bytes value, struct envl_error *err)
{
    struct scan_item *here;
    enum envl_status status = grow(list, err);

    if (status != ENVL_OK)
        return status;
    here = &list->items[list->count];
    *here = *item;
    here->path = clean(item->path);
    here->name = clean(item->name);
    if (here->path == NULL || here->name == NULL) {
        free(here->path);
        free(here->name);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for findings");
    }
    digest_item(list, here, value);
    list->count++;
    return ENVL_OK;
}

void
scan_list_skip(struct scan_list *list, const char *path, const char *why)
{
    char *name = clean(path);

    if (name != NULL)
        json_array_append_new(list->skipped,
                              json_pack("{s:s, s:s}", "path", name, "why",
                                        why));
    free(name);
}

static int
by_place(const void *a, const void *b)
{
    const struct scan_item *one = a, *two = b;
    int order = strcmp(one->path, two->path);

    if (order == 0)
        order = (one->line > two->line) - (one->line < two->line);
    if (order == 0)
        order = (one->column > two->column) - (one->column < two->column);
    return order != 0 ? order : strcmp(one->name, two->name);
}

void
scan_list_sort(struct scan_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), by_place);
}

const char *
scan_list_sure(enum hit_sure sure)
{
    return sure == HIT_HIGH ? "high" : sure == HIT_MEDIUM ? "medium" : "low";
}
