#include <stdlib.h>
#include <string.h>

#include "engine/job_target.h"

#define KEY_MAX 16u

static const struct job_member members[] = {
    { "table", JOB_OPTIONAL }, { "collection", JOB_OPTIONAL },
    { "key", JOB_OPTIONAL },   { "fields", JOB_REQUIRED },
    { "where", JOB_OPTIONAL }, { "mode", JOB_OPTIONAL },
    { NULL, JOB_OPTIONAL },
};

/* spec: JOB-11 */
static enum envl_status
parse_key(const struct job_node *node, struct envl_target_spec *spec)
{
    enum envl_status status;
    const char **keys;
    size_t count;

    if ((status = job_node_array(node, KEY_MAX, &count)) != ENVL_OK)
        return status;
    if ((keys = job_node_take(node, count, sizeof(*keys))) == NULL)
        return ENVL_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct job_node item = job_node_element(node, i);

        if ((status = job_node_text(&item, &keys[i])) != ENVL_OK)
            return status;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(keys[i], keys[j]) == 0)
                return job_node_fail(&item, "is named twice");
        }
    }
    spec->keys = keys;
    spec->key_count = (uint32_t)count;
    return ENVL_OK;
}

/* spec: JOB-12.  A filter document goes to the plugin as its text. */
static enum envl_status
parse_where(const struct job_node *node, struct job_draft *draft)
{
    struct envl_target_spec *spec = &draft->target->spec;
    enum envl_status status = ENVL_OK;
    char *text;

    if (!draft->collection)
        return job_node_text(node, &spec->where);
    if (!json_is_object(node->json))
        return job_node_fail(node, "a filter document is expected");
    if ((text = json_dumps(node->json, JSON_COMPACT)) == NULL)
        return envl_fail(node->reader->err, ENVL_E_NOMEM,
                         "out of memory for a job");
    spec->where = slab_copy(node->reader->slab, envl_bytes_of(text),
                            node->reader->err);
    if (spec->where == NULL)
        status = ENVL_E_NOMEM;
    free(text);
    return status;
}

/* spec: JOB-10, JOB-13 */
static enum envl_status
parse_head(const struct job_node *node, struct job_draft *draft)
{
    static const char *const modes[] = { "in_place", "sibling", NULL };
    struct envl_target_spec *spec = &draft->target->spec;
    enum envl_status status;
    struct job_node at;
    unsigned word = 0;

    draft->collection = json_object_get(node->json, "collection") != NULL;
    if (draft->collection == (json_object_get(node->json, "table") != NULL))
        return job_node_fail(node, "exactly one of \"table\" and "
                                   "\"collection\" is expected");
    (void)job_node_member(node, draft->collection ? "collection" : "table",
                          &at);
    if ((status = job_node_text(&at, &spec->table)) != ENVL_OK)
        return status;
    if (job_node_member(node, "key", &at)) {
        if (draft->collection)
            return job_node_fail(&at, "the key of a collection is _id");
        status = parse_key(&at, spec);
    } else if (!draft->collection) {
        return job_node_fail(node, "member \"key\" is missing");
    }
    if (status == ENVL_OK && job_node_member(node, "where", &at))
        status = parse_where(&at, draft);
    if (status == ENVL_OK && job_node_member(node, "mode", &at))
        status = job_node_word(&at, modes, &word);
    draft->sibling = word == 1;
    return status;
}

/* How many columns contexts can name at most. */
static size_t
count_sources(const json_t *fields)
{
    size_t count = 1;

    for (size_t i = 0; i < json_array_size(fields); i++)
        count += json_object_size(
            json_object_get(json_array_get(fields, i), "context"));
    return count;
}

enum envl_status
job_target_parse(const struct job_node *node, struct job_target *target)
{
    struct job_draft draft = { .target = target };
    enum envl_status status;
    struct job_node fields;
    size_t count;

    if ((status = job_node_object(node, members)) != ENVL_OK ||
        (status = parse_head(node, &draft)) != ENVL_OK)
        return status;
    (void)job_node_member(node, "fields", &fields);
    if ((status = job_node_array(&fields, JOB_MAX_FIELDS, &count)) != ENVL_OK)
        return status;
    draft.specs = job_node_take(node, count, sizeof(*draft.specs));
    draft.fields = job_node_take(node, count, sizeof(*draft.fields));
    draft.extras = job_node_take(node, count_sources(fields.json),
                                 sizeof(*draft.extras));
    if (draft.specs == NULL || draft.fields == NULL || draft.extras == NULL)
        return ENVL_E_NOMEM;
    target->fields = draft.fields;
    target->spec.fields = draft.specs;
    target->spec.extras = draft.extras;
    for (size_t i = 0; i < count && status == ENVL_OK; i++) {
        struct job_node item = job_node_element(&fields, i);

        status = job_field_parse(&item, &draft, (uint32_t)i);
        target->spec.field_count = (uint32_t)i + 1;
    }
    return status;
}
