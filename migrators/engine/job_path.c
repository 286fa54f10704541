#include <string.h>

#include "engine/job_path.h"

/* What is being put together. */
struct builder {
    const struct job_node *node;
    struct envl_segment segments[JOB_PATH_MAX];
    uint32_t count;
};

static enum envl_status
add(struct builder *b, enum envl_segment_kind kind, struct envl_bytes name)
{
    if (b->count == JOB_PATH_MAX)
        return job_node_fail(b->node, "a path has at most %u segments",
                             JOB_PATH_MAX);
    b->segments[b->count++] = (struct envl_segment){ kind, name, 0 };
    return ENVL_OK;
}

/* The "[*]" behind a name, once or more; ${text} is moved past them. */
static enum envl_status
add_elements(struct builder *b, const char **text)
{
    enum envl_status status = ENVL_OK;

    while (**text == '[' && status == ENVL_OK) {
        if (strncmp(*text, "[*]", 3) != 0) {
            (void)job_node_fail(b->node, "only \"[*]\", any element, may "
                                         "stand in brackets");
            envl_hint(b->node->reader->err,
                      "arrays are reordered, so an element has no number; a "
                      "name with a bracket goes into the array form");
            return ENVL_E_USAGE;
        }
        *text += 3;
        status = add(b, ENVL_SEGMENT_ANY_ELEMENT,
                     (struct envl_bytes){ NULL, 0 });
    }
    return status;
}

static enum envl_status
add_name(struct builder *b, const char **text)
{
    size_t len = strcspn(*text, ".*[");
    struct envl_bytes name = { (const uint8_t *)*text, len };

    if (len == 0 && **text == '*') {
        *text += 1;
        return add(b, ENVL_SEGMENT_ANY_MEMBER,
                   (struct envl_bytes){ NULL, 0 });
    }
    if (len == 0) {
        (void)job_node_fail(b->node, "a segment is empty");
        envl_hint(b->node->reader->err,
                  "an empty name is written in the array form: [\"a\", \"\"]");
        return ENVL_E_USAGE;
    }
    *text += len;
    return add(b, ENVL_SEGMENT_MEMBER, name);
}

/* spec: JOB-20 */
static enum envl_status
parse_dotted(struct builder *b)
{
    const char *text;
    enum envl_status status = job_node_text(b->node, &text);

    while (status == ENVL_OK) {
        if (*text != '[' || b->count > 0)
            status = add_name(b, &text);
        if (status == ENVL_OK)
            status = add_elements(b, &text);
        if (status != ENVL_OK || *text == '\0')
            return status;
        if (*text != '.') {
            (void)job_node_fail(b->node,
                                "\"*\" must be a whole segment, and \"[*]\" "
                                "its end");
            envl_hint(b->node->reader->err, "a name that holds . * or [ is "
                      "written in the array form: [\"a\", \"b.c\"]");
            return ENVL_E_USAGE;
        }
        text++;
    }
    return status;
}

static enum envl_status
add_item(struct builder *b, const struct job_node *item)
{
    static const struct job_member members[] = { { "any", JOB_REQUIRED },
                                                 { NULL, JOB_OPTIONAL } };
    static const char *const words[] = { "member", "element", NULL };
    struct envl_bytes name = { NULL, 0 };
    struct job_node any;
    enum envl_status status;
    unsigned word;

    if (json_is_string(item->json)) {
        status = job_node_string(item, &name);
        if (status == ENVL_OK && name.len > 0 &&
            memchr(name.ptr, 0, name.len) != NULL)
            status = job_node_fail(item, "must not hold U+0000");
        return status != ENVL_OK ? status
                                 : add(b, ENVL_SEGMENT_MEMBER, name);
    }
    if (json_is_number(item->json)) {
        (void)job_node_fail(item, "an element has no number");
        envl_hint(b->node->reader->err,
                  "arrays are reordered; {\"any\": \"element\"} is any one");
        return ENVL_E_USAGE;
    }
    if ((status = job_node_object(item, members)) != ENVL_OK ||
        !job_node_member(item, "any", &any) ||
        (status = job_node_word(&any, words, &word)) != ENVL_OK)
        return status;
    return add(b, word == 0 ? ENVL_SEGMENT_ANY_MEMBER
                            : ENVL_SEGMENT_ANY_ELEMENT, name);
}

enum envl_status
job_path_parse(const struct job_node *node, struct envl_path *out)
{
    struct builder b = { .node = node };
    struct envl_segment *segments;
    enum envl_status status = ENVL_OK;
    size_t count = 0;

    if (json_is_string(node->json)) {
        status = parse_dotted(&b);
    } else {
        status = job_node_array(node, JOB_PATH_MAX, &count);
        for (size_t i = 0; i < count && status == ENVL_OK; i++) {
            struct job_node item = job_node_element(node, i);

            status = add_item(&b, &item);
        }
    }
    if (status != ENVL_OK)
        return status;
    segments = job_node_take(node, b.count, sizeof(*segments));
    if (segments == NULL)
        return ENVL_E_NOMEM;
    memcpy(segments, b.segments, b.count * sizeof(*segments));
    *out = (struct envl_path){ segments, b.count };
    return ENVL_OK;
}

static bool
same_name(struct envl_bytes a, struct envl_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool
job_path_meet(const struct envl_path *a, const struct envl_path *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        const struct envl_segment *x = &a->segments[i], *y = &b->segments[i];
        bool elements = x->kind == ENVL_SEGMENT_ANY_ELEMENT;

        if (elements != (y->kind == ENVL_SEGMENT_ANY_ELEMENT))
            return false;
        if (x->kind == ENVL_SEGMENT_MEMBER && y->kind == ENVL_SEGMENT_MEMBER &&
            !same_name(x->name, y->name))
            return false;
    }
    return true;
}
