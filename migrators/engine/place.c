#include <string.h>
#include <strings.h>

#include "engine/place.h"

static enum envl_status
append(struct envl_buf *out, const char *text, struct envl_error *err)
{
    return envl_buf_append(out, envl_bytes_of(text), err);
}

/* spec: JOB-33 */
enum envl_status
place_component(struct envl_buf *out, struct envl_bytes name, bool first,
                struct envl_error *err)
{
    enum envl_status status = first ? ENVL_OK : append(out, ".", err);
    size_t from = 0;

    for (size_t i = 0; i < name.len && status == ENVL_OK; i++) {
        const char *escaped = name.ptr[i] == '~'   ? "~0"
                              : name.ptr[i] == '.' ? "~1"
                              : name.ptr[i] == '*' ? "~2"
                              : name.ptr[i] == '[' ? "~3"
                                                   : NULL;

        if (escaped == NULL)
            continue;
        status = envl_buf_append(
            out, (struct envl_bytes){ name.ptr + from, i - from }, err);
        if (status == ENVL_OK)
            status = append(out, escaped, err);
        from = i + 1;
    }
    if (status == ENVL_OK && from < name.len)
        status = envl_buf_append(
            out, (struct envl_bytes){ name.ptr + from, name.len - from }, err);
    return status;
}

/* spec: JOB-31, JOB-32 */
enum envl_status
place_path(struct envl_buf *out, const struct envl_path *path,
           const char *into, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; i < path->count && status == ENVL_OK; i++) {
        const struct envl_segment *segment = &path->segments[i];
        bool last = i + 1 == path->count;

        if (last && into != NULL)
            status = place_component(out, envl_bytes_of(into), false, err);
        else if (segment->kind == ENVL_SEGMENT_MEMBER)
            status = place_component(out, segment->name, false, err);
        else
            status = append(out, segment->kind == ENVL_SEGMENT_ANY_MEMBER
                                     ? ".*" : "[*]", err);
    }
    return status;
}

const char *
place_column(const struct envl_field_spec *spec,
             const struct envl_field_info *info)
{
    bool sibling = spec->into != NULL && spec->path.count == 0;
    const char *column = sibling ? spec->into : spec->column;

    /* SQLite finds a column whatever its case; its own spelling counts. */
    if (column != NULL && info->column != NULL &&
        strcasecmp(info->column, column) == 0)
        return info->column;
    return column;
}
