#include <string.h>

#include "engine/job_field.h"
#include "engine/job_path.h"

static const struct job_member members[] = {
    { "column", JOB_OPTIONAL },  { "path", JOB_OPTIONAL },
    { "into", JOB_OPTIONAL },    { "encoding", JOB_OPTIONAL },
    { "codec", JOB_OPTIONAL },   { "select", JOB_OPTIONAL },
    { "from", JOB_LATER },
    { "type", JOB_OPTIONAL },    { "context", JOB_OPTIONAL },
    { "pad", JOB_OPTIONAL },     { "empty", JOB_OPTIONAL },
    { "blind_index", JOB_LATER }, { NULL, JOB_OPTIONAL },
};

/* What is being read. */
struct reading {
    const struct job_node *node;
    struct job_draft *draft;
    struct envl_field_spec *spec;
    struct job_field *field;
};

static bool
equals(struct envl_bytes name, const char *text)
{
    size_t len = strlen(text);

    return name.len == len && (len == 0 || memcmp(name.ptr, text, len) == 0);
}

/* spec: JOB-20, JOB-21 */
static enum envl_status
parse_place(struct reading *r)
{
    struct envl_path *path = &r->spec->path;
    struct job_node at;
    enum envl_status status = ENVL_OK;

    if (job_node_member(r->node, "column", &at)) {
        if (r->draft->collection)
            return job_node_fail(&at, "a collection has no columns, only a "
                                      "path");
        status = job_node_text(&at, &r->spec->column);
    } else if (!r->draft->collection) {
        return job_node_fail(r->node, "member \"column\" is missing");
    }
    if (status == ENVL_OK && job_node_member(r->node, "path", &at))
        status = job_path_parse(&at, path);
    else if (status == ENVL_OK && r->draft->collection)
        return job_node_fail(r->node, "member \"path\" is missing");
    if (status != ENVL_OK || !job_node_member(r->node, "into", &at))
        return status;
    if ((status = job_node_text(&at, &r->spec->into)) != ENVL_OK)
        return status;
    if (path->count > 0 &&
        path->segments[path->count - 1].kind != ENVL_SEGMENT_MEMBER)
        return job_node_fail(&at, "the path ends in a wildcard, which has no "
                                  "sibling");
    if (path->count > 0 ? equals(path->segments[path->count - 1].name,
                                 r->spec->into)
                        : strcmp(r->spec->column, r->spec->into) == 0)
        return job_node_fail(&at, "is the value's own place");
    return ENVL_OK;
}

/* spec: JOB-22, as far as it can be judged without the store. */
static enum envl_status
parse_encoding(struct reading *r)
{
    static const char *const words[] = { "text", "object", "binary", NULL };
    struct job_node at;
    enum envl_status status;
    unsigned word;

    if (!job_node_member(r->node, "encoding", &at))
        return ENVL_OK;
    if ((status = job_node_word(&at, words, &word)) != ENVL_OK)
        return status;
    r->field->has_encoding = true;
    r->field->encoding = (enum envl_encoding)word;
    if (r->field->encoding == ENVL_ENCODING_BINARY &&
        r->spec->path.count > 0 && !r->draft->collection)
        return job_node_fail(&at, "JSON holds no binary: \"text\" or "
                                  "\"object\" is expected");
    return ENVL_OK;
}

static enum envl_status
parse_codec(struct reading *r)
{
    static const char *const words[] = { "base64", "hex", "json", NULL };
    struct job_node at;
    enum envl_status status;
    size_t count;
    unsigned word;

    if (!job_node_member(r->node, "codec", &at))
        return ENVL_OK;
    status = job_node_array(&at, JOB_MAX_CODECS, &count);
    for (size_t i = 0; status == ENVL_OK && i < count; i++) {
        struct job_node item = job_node_element(&at, i);

        if ((status = job_node_word(&item, words, &word)) == ENVL_OK)
            r->field->codecs[r->field->codec_count++] = (enum job_codec)word;
    }
    return status;
}

/* spec: JOB-28 */
static enum envl_status
parse_select(struct reading *r)
{
    struct job_node at;

    if (!job_node_member(r->node, "select", &at))
        return ENVL_OK;
    if (r->spec->into != NULL)
        return job_node_fail(&at, "a selected value is replaced where it "
                                  "stands, and has no sibling: \"into\" does "
                                  "not go with it");
    if (r->field->has_encoding && r->field->encoding == ENVL_ENCODING_BINARY)
        return job_node_fail(&at, "JSON holds no binary: encoding \"text\" or "
                                  "\"object\" is expected");
    return job_path_parse(&at, &r->field->select);
}

static enum envl_status
parse_form(struct reading *r)
{
    static const char *const types[] = { "bytes", "text", "json", NULL };
    static const char *const empties[] = { "keep", "seal", NULL };
    static const char *const none[] = { "none", NULL };
    struct job_node at;
    enum envl_status status = ENVL_OK;
    unsigned word = 0;
    uint64_t pad;

    r->field->type = -1;
    r->field->pad = ENVL_PAD_DEFAULT;
    if (job_node_member(r->node, "type", &at)) {
        if ((status = job_node_word(&at, types, &word)) != ENVL_OK)
            return status;
        r->field->type = (int)word; /* in the order of enum envl_type */
    }
    if (job_node_member(r->node, "empty", &at)) {
        if ((status = job_node_word(&at, empties, &word)) != ENVL_OK)
            return status;
        r->field->seal_empty = word == 1;
    }
    if (!job_node_member(r->node, "pad", &at))
        return ENVL_OK;
    if (json_is_string(at.json)) {
        r->field->pad = ENVL_PAD_NONE;
        return job_node_word(&at, none, &word);
    }
    if ((status = job_node_number(&at, 2, 4096, &pad)) == ENVL_OK)
        r->field->pad = (int)pad;
    return status;
}

/* The index of a column whose text contexts need. */
static uint32_t
extra_of(struct job_draft *draft, const char *column)
{
    struct envl_target_spec *spec = &draft->target->spec;

    for (uint32_t i = 0; i < spec->extra_count; i++) {
        if (strcmp(draft->extras[i], column) == 0)
            return i;
    }
    draft->extras[spec->extra_count] = column;
    return spec->extra_count++;
}

/* An object that holds the leaf and that a wildcard matched. */
static bool
has_element(const struct envl_path *path)
{
    for (uint32_t i = 1; i < path->count; i++) {
        enum envl_segment_kind before = path->segments[i - 1].kind;

        if (before != ENVL_SEGMENT_MEMBER &&
            path->segments[i].kind != ENVL_SEGMENT_ANY_ELEMENT)
            return true;
    }
    return false;
}

static enum envl_status
parse_element(struct reading *r, const struct job_node *at)
{
    struct envl_path path;
    enum envl_status status = job_path_parse(at, &path);
    char *name;

    if (status != ENVL_OK)
        return status;
    if (!has_element(&r->spec->path))
        return job_node_fail(at, "the field's path has no wildcard with a "
                                 "member behind it");
    if (path.count != 1 || path.segments[0].kind != ENVL_SEGMENT_MEMBER)
        return job_node_fail(at, "is not supported by this version: the name "
                                 "of one member is expected");
    if (r->spec->element_id != NULL)
        return equals(path.segments[0].name, r->spec->element_id)
                   ? ENVL_OK
                   : job_node_fail(at, "is not supported by this version: a "
                                       "second member of the element");
    name = slab_copy(at->reader->slab, path.segments[0].name,
                     at->reader->err);
    r->spec->element_id = name;
    return name == NULL ? ENVL_E_NOMEM : ENVL_OK;
}

/* In a document a "column" is a place: names, joined by dots. */
static enum envl_status
check_dotted(const struct job_node *at)
{
    struct envl_path path = { NULL, 0 };
    enum envl_status status = job_path_parse(at, &path);

    for (uint32_t i = 0; status == ENVL_OK && i < path.count; i++) {
        if (path.segments[i].kind != ENVL_SEGMENT_MEMBER)
            status = job_node_fail(at, "names one place of the document, so "
                                       "it has no wildcard");
    }
    return status;
}

/* spec: JOB-36 */
static enum envl_status
parse_source(struct reading *r, const struct job_node *node,
             struct job_pair *pair)
{
    static const struct job_member sources[] = { { "column", JOB_OPTIONAL },
                                                 { "path", JOB_LATER },
                                                 { "element", JOB_OPTIONAL },
                                                 { NULL, JOB_OPTIONAL } };
    enum envl_status status;
    struct job_node at;
    const char *column;

    if (json_is_string(node->json)) {
        pair->source = JOB_CONSTANT;
        return job_node_string(node, &pair->value);
    }
    if (!json_is_object(node->json))
        return job_node_fail(node, "a string, or an object with \"column\" "
                                   "or \"element\", is expected");
    if ((status = job_node_object(node, sources)) != ENVL_OK)
        return status;
    if (json_object_size(node->json) != 1)
        return job_node_fail(node, "exactly one of \"column\" and "
                                   "\"element\" is expected");
    if (job_node_member(node, "element", &at)) {
        pair->source = JOB_ELEMENT;
        return parse_element(r, &at);
    }
    (void)job_node_member(node, "column", &at);
    if ((status = job_node_text(&at, &column)) != ENVL_OK)
        return status;
    if (r->draft->collection && (status = check_dotted(&at)) != ENVL_OK)
        return status;
    pair->source = JOB_COLUMN;
    pair->extra = extra_of(r->draft, column);
    return ENVL_OK;
}

static enum envl_status
parse_context(struct reading *r)
{
    struct job_pair *pairs;
    struct job_node at;
    const char *name;
    json_t *value;
    enum envl_status status;
    size_t count, total = 0;

    if (!job_node_member(r->node, "context", &at))
        return ENVL_OK;
    count = json_object_size(at.json);
    if (!json_is_object(at.json))
        return job_node_fail(&at, "an object is expected");
    if (count > ENVL_CONTEXT_MAX_PAIRS)
        return job_node_fail(&at, "a context has at most %u pairs",
                             ENVL_CONTEXT_MAX_PAIRS);
    if ((pairs = job_node_take(&at, count + 1, sizeof(*pairs))) == NULL)
        return ENVL_E_NOMEM;
    r->field->context = pairs;
    json_object_foreach(at.json, name, value) {
        struct job_node item = { at.reader, &at, name, 0, value };
        struct job_pair *pair = &pairs[r->field->context_count++];

        pair->name = envl_bytes_of(name);
        if (pair->name.len == 0 || strchr(name, '=') != NULL)
            return job_node_fail(&item, "a name in a context is not empty and "
                                        "has no \"=\"");
        if ((status = parse_source(r, &item, pair)) != ENVL_OK)
            return status;
        total += pair->name.len + pair->value.len;
    }
    if (total > ENVL_CONTEXT_MAX_BYTES)
        return job_node_fail(&at, "a context has at most %u bytes",
                             ENVL_CONTEXT_MAX_BYTES);
    return ENVL_OK;
}

enum envl_status
job_field_parse(const struct job_node *node, struct job_draft *draft,
                uint32_t index)
{
    struct reading r = { node, draft, &draft->specs[index],
                         &draft->fields[index] };
    enum envl_status status = job_node_object(node, members);

    if (status != ENVL_OK || (status = parse_place(&r)) != ENVL_OK ||
        (status = parse_encoding(&r)) != ENVL_OK ||
        (status = parse_codec(&r)) != ENVL_OK ||
        (status = parse_select(&r)) != ENVL_OK ||
        (status = parse_form(&r)) != ENVL_OK ||
        (status = parse_context(&r)) != ENVL_OK)
        return status;
    r.field->spec = r.spec;
    r.spec->keep_source = draft->sibling;
    if (draft->sibling && r.spec->into == NULL)
        return job_node_fail(node, "mode \"sibling\" needs \"into\" in every "
                                   "field");
    return ENVL_OK;
}
