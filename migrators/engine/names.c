#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "engine/names.h"

#define NAME_LIMIT 1000u /* characters; what is longer is cut */

/* Text that grows up to the limit; control characters become '?'.  A store
   takes nothing but UTF-8, so no character is cut in two. */
struct text {
    char *at;
    size_t len;
};

static void
add(struct text *text, const char *part, size_t len)
{
    for (size_t i = 0; i < len && text->len < NAME_LIMIT; i++) {
        unsigned char c = (unsigned char)part[i];

        text->at[text->len++] = c < ' ' || c == 0x7f ? '?' : (char)c;
    }
    if (text->len == NAME_LIMIT) {
        while (text->len > 0 && ((unsigned char)text->at[text->len - 1] &
                                 0xc0) == 0x80)
            text->len--;
        if (text->len > 0 && (unsigned char)text->at[text->len - 1] >= 0xc0)
            text->len--;
    }
    text->at[text->len] = '\0';
}

/* A member's name may be any bytes. */
static void
keep_utf8(struct text *text)
{
    if (utf8_valid((struct envl_bytes){ (const uint8_t *)text->at,
                                        text->len }))
        return;
    for (size_t i = 0; i < text->len; i++) {
        if ((unsigned char)text->at[i] >= 0x80)
            text->at[i] = '?';
    }
}

static void
add_path(struct text *text, const struct envl_path *path)
{
    char index[32];

    for (uint32_t i = 0; i < path->count; i++) {
        const struct envl_segment *s = &path->segments[i];
        bool element = s->kind == ENVL_SEGMENT_ANY_ELEMENT ||
                       s->kind == ENVL_SEGMENT_ELEMENT;

        if (!element && text->len > 0)
            add(text, ".", 1);
        switch (s->kind) {
        case ENVL_SEGMENT_MEMBER:
            add(text, (const char *)s->name.ptr, s->name.len);
            break;
        case ENVL_SEGMENT_ANY_MEMBER:
            add(text, "*", 1);
            break;
        case ENVL_SEGMENT_ANY_ELEMENT:
            add(text, "[*]", 3);
            break;
        case ENVL_SEGMENT_ELEMENT:
            snprintf(index, sizeof(index), "[%llu]",
                     (unsigned long long)s->index);
            add(text, index, strlen(index));
            break;
        }
    }
}

/* ${inside} may be NULL. */
static char *
name(const char *column, const struct envl_path *path,
     const struct envl_path *inside)
{
    struct text text = { malloc(NAME_LIMIT + 1), 0 };

    if (text.at == NULL)
        return NULL;
    text.at[0] = '\0';
    if (column != NULL)
        add(&text, column, strlen(column));
    add_path(&text, path);
    if (inside != NULL)
        add_path(&text, inside);
    keep_utf8(&text);
    return text.at;
}

char *
names_field(const struct job_field *field)
{
    return name(field->spec->column, &field->spec->path, &field->select);
}

char *
names_leaf(const struct job_target *target, const struct envl_leaf *leaf)
{
    return name(target->spec.fields[leaf->field].column, &leaf->path, NULL);
}
