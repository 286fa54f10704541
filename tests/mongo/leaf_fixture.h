/*
 * leaf_fixture.h - documents, patterns and leaves as text, for tables.
 */
#ifndef MONGO_LEAF_FIXTURE_H
#define MONGO_LEAF_FIXTURE_H

#include "../unit/cmocka_all.h"

#include "mongo/leaf.h"

#define SEGMENTS_MAX 16u

static inline bson_t *
document(const char *json)
{
    bson_error_t error;
    bson_t *bson = bson_new_from_json((const uint8_t *)json, -1, &error);

    if (bson == NULL)
        fail_msg("%s: %s", json, error.message);
    return bson;
}

/* "a.*[*].b"; a '_' alone is the empty name, "~1" a dot. */
struct pattern {
    struct envl_segment segments[SEGMENTS_MAX];
    char names[SEGMENTS_MAX][64];
    struct envl_path path;
};

static inline void
add_segment(struct pattern *p, enum envl_segment_kind kind, const char *name,
            size_t len)
{
    uint32_t i = p->path.count++;
    char *out = p->names[i];

    assert_true(i < SEGMENTS_MAX && len < 64);
    for (size_t at = 0; at < len; at++) {
        bool dot = name[at] == '~' && at + 1 < len && name[at + 1] == '1';

        *out++ = dot ? '.' : name[at];
        at += dot;
    }
    *out = '\0';
    p->segments[i] = (struct envl_segment){ .kind = kind };
    if (kind == ENVL_SEGMENT_MEMBER)
        p->segments[i].name = envl_bytes_of(
            strcmp(p->names[i], "_") == 0 ? "" : p->names[i]);
    p->path.segments = p->segments;
}

static inline void
pattern(struct pattern *p, const char *text)
{
    memset(p, 0, sizeof(*p));
    while (*text != '\0') {
        size_t len = strcspn(text, ".[");

        if (len == 1 && *text == '*')
            add_segment(p, ENVL_SEGMENT_ANY_MEMBER, "", 0);
        else if (len > 0)
            add_segment(p, ENVL_SEGMENT_MEMBER, text, len);
        text += len;
        if (strncmp(text, "[*]", 3) == 0) {
            add_segment(p, ENVL_SEGMENT_ANY_ELEMENT, "", 0);
            text += 3;
        }
        text += *text == '.';
    }
}

static inline void
show_cell(FILE *out, const char *label, const struct envl_cell *cell)
{
    bson_t bson;
    char *json;

    if (cell->kind == ENVL_KIND_ABSENT && *label != '\0')
        return;
    fputs(label, out);
    switch (cell->kind) {
    case ENVL_KIND_ABSENT:
        fputs("absent", out);
        return;
    case ENVL_KIND_NULL:
        fputs("null", out);
        return;
    case ENVL_KIND_TEXT:
        fprintf(out, "\"%.*s\"", (int)cell->bytes.len,
                (const char *)cell->bytes.ptr);
        return;
    case ENVL_KIND_BYTES:
        for (size_t i = 0; i < cell->bytes.len; i++)
            fprintf(out, "%02x", cell->bytes.ptr[i]);
        return;
    case ENVL_KIND_BSON:
        assert_true(bson_init_static(&bson, cell->bytes.ptr,
                                     cell->bytes.len));
        json = bson_as_canonical_extended_json(&bson, NULL);
        assert_non_null(json);
        fputs(json, out);
        bson_free(json);
        return;
    default:
        fputs(cell->kind == ENVL_KIND_OTHER ? "other" : "?", out);
    }
}

/* "path=value sibling element", one leaf a line. */
static inline void
show(char *text, size_t size, const struct envl_leaf *leaves, uint32_t count)
{
    FILE *out = fmemopen(text, size, "w");

    assert_non_null(out);
    for (uint32_t i = 0; i < count; i++) {
        const struct envl_path *path = &leaves[i].path;

        fputs(i == 0 ? "" : "; ", out);
        for (uint32_t s = 0; s < path->count; s++) {
            const struct envl_segment *at = &path->segments[s];

            if (at->kind == ENVL_SEGMENT_ELEMENT)
                fprintf(out, "[%llu]", (unsigned long long)at->index);
            else
                fprintf(out, "%s%.*s", s == 0 ? "" : ".", (int)at->name.len,
                        (const char *)at->name.ptr);
        }
        fputc('=', out);
        show_cell(out, "", &leaves[i].value);
        show_cell(out, " sibling ", &leaves[i].sibling);
        show_cell(out, " element ", &leaves[i].element);
    }
    fputc('\0', out);
    assert_int_equal(fclose(out), 0);
}

#endif /* MONGO_LEAF_FIXTURE_H */
