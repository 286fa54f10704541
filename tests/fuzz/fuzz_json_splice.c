/*
 * Any bytes as a document, any edits of what is found in it: what comes out
 * is JSON, and the places that were edited hold what was put there.
 * The first byte chooses the pattern, the second the edits.
 */
#include <stdlib.h>
#include <string.h>

#include "common/json_splice.h"
#include "core/json_scan.h"

#define MEMBER(text) { ENVL_SEGMENT_MEMBER, \
                       { (const uint8_t *)(text), sizeof(text) - 1 }, 0 }
#define ANY          { ENVL_SEGMENT_ANY_MEMBER, { NULL, 0 }, 0 }
#define EACH         { ENVL_SEGMENT_ANY_ELEMENT, { NULL, 0 }, 0 }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct envl_segment segments[] = {
    ANY, EACH, MEMBER("a"), MEMBER("b"), ANY, MEMBER("a"), EACH, ANY,
};

/* Edit every second leaf or so and splice. */
static enum envl_status
splice(struct envl_bytes document, struct json_path *path, bool into,
       uint8_t choice, struct envl_buf *out)
{
    uint32_t count, made = 0;
    const struct json_leaf *leaves = json_path_leaves(path, &count);
    struct json_edit *edits = calloc(count + 1u, sizeof(*edits));
    enum envl_status status;

    if (edits == NULL)
        return ENVL_E_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        const struct json_site *site = &leaves[i].site;
        struct json_edit edit = {
            .site = site, .into = "e",
            .put = { ENVL_KIND_TEXT, envl_bytes_of("env1:\"\n") }
        };

        choice = (uint8_t)(choice * 5 + 1);
        if (site->ambiguous || (choice & 0x40) != 0)
            continue;
        if (into)
            edit.flags = ENVL_EDIT_INTO | ((choice & 8) ? ENVL_EDIT_CLEAR : 0);
        else if (site->name.len > 0 && (choice & 8) != 0)
            edit = (struct json_edit){ .site = site,
                                       .flags = ENVL_EDIT_CLEAR };
        edits[made++] = edit;
    }
    status = json_splice(document, edits, made, out, NULL);
    free(edits);
    return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_path_spec spec = { .prefix = 0 };
    struct envl_bytes document;
    struct arena arena = ARENA_INIT;
    struct envl_buf out = ENVL_BUF_INIT;
    struct json_path *path = NULL;
    uint32_t first;

    if (size < 2)
        return 0;
    document = (struct envl_bytes){ data + 2, size - 2 };
    first = data[0] & 7u;
    spec.pattern.segments = segments + first;
    spec.pattern.count = 1 + (data[0] >> 3) % (8 - first);
    if ((data[0] & 0x80) != 0 &&
        segments[first + spec.pattern.count - 1].kind == ENVL_SEGMENT_MEMBER)
        spec.into = "e";
    spec.element_id = "b";
    if (json_path_new(&spec, &path, NULL) != ENVL_OK)
        abort();
    if (json_path_find(path, document, &arena, NULL) == ENVL_OK) {
        if (!json_scan_valid(document))
            abort();
        if (splice(document, path, spec.into != NULL, data[1],
                   &out) != ENVL_OK)
            abort();
        if (!json_scan_valid(envl_buf_view(&out)))
            abort();
    } else if (json_scan_valid(document)) {
        abort();
    }
    json_path_free(path);
    arena_free(&arena);
    envl_buf_free(&out);
    return 0;
}
