#include <string.h>

#include "core/bson_check.h"
#include "core/utf8.h"

#define BROKEN SIZE_MAX

static uint32_t
le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* Is text looked at, too?  Servers store strings that are not UTF-8. */
enum look { SHAPE, TEXT };

/* Offset after the NUL of the C string at ${at}, which is UTF-8. */
static size_t
after_cstring(struct envl_bytes doc, size_t at, enum look look)
{
    const uint8_t *end = memchr(doc.ptr + at, 0, doc.len - at);
    size_t len;

    if (end == NULL)
        return BROKEN;
    len = (size_t)(end - doc.ptr) - at;
    if (look == TEXT && !utf8_valid((struct envl_bytes){ doc.ptr + at, len }))
        return BROKEN;
    return at + len + 1;
}

/* A length word, that many bytes counting the NUL at their end, UTF-8. */
static size_t
after_string(struct envl_bytes doc, size_t at, enum look look,
             struct envl_bytes *content)
{
    size_t len;

    if (doc.len - at < 5)
        return BROKEN;
    len = le32(doc.ptr + at);
    if (len < 1 || len > doc.len - at - 4 || doc.ptr[at + 4 + len - 1] != 0)
        return BROKEN;
    *content = (struct envl_bytes){ doc.ptr + at + 4, len - 1 };
    return look == SHAPE || utf8_valid(*content) ? at + 4 + len : BROKEN;
}

static size_t
after_binary(struct envl_bytes doc, size_t at, struct envl_bytes *content)
{
    size_t len;

    if (doc.len - at < 5)
        return BROKEN;
    len = le32(doc.ptr + at);
    if (len > INT32_MAX || len > doc.len - at - 5)
        return BROKEN;
    *content = (struct envl_bytes){ doc.ptr + at + 5, len };
    if (doc.ptr[at + 4] == 2) { /* the old form repeats its length */
        if (len < 4 || le32(content->ptr) != len - 4)
            return BROKEN;
        content->ptr += 4;
        content->len -= 4;
    }
    return at + 5 + len;
}

/* A document's length word and the NUL at its end. */
static size_t
after_document(struct envl_bytes doc, size_t at)
{
    size_t len;

    if (doc.len - at < 5)
        return BROKEN;
    len = le32(doc.ptr + at);
    if (len < 5 || len > doc.len - at || doc.ptr[at + len - 1] != 0)
        return BROKEN;
    return at + len;
}

/* Code with scope: a length, a string, a document, all within the length. */
static size_t
after_scoped_code(struct envl_bytes doc, size_t at, enum look look)
{
    struct envl_bytes content;
    size_t len, end;

    if (doc.len - at < 14)
        return BROKEN;
    len = le32(doc.ptr + at);
    if (len < 14 || len > doc.len - at)
        return BROKEN;
    doc.len = at + len;
    end = after_string(doc, at + 4, look, &content);
    if (end == BROKEN)
        return BROKEN;
    return after_document(doc, end) == at + len ? at + len : BROKEN;
}

static size_t
after_fixed(struct envl_bytes doc, size_t at, size_t len)
{
    return doc.len - at < len ? BROKEN : at + len;
}

/* The offset after a value of ${element}'s type at ${at}. */
static size_t
after_value(struct envl_bytes doc, size_t at, enum look look,
            struct bson_element *element)
{
    size_t end;

    switch (element->type) {
    case BSON_DOUBLE: case 0x09: case 0x11: case BSON_INT64:
        return after_fixed(doc, at, 8);
    case BSON_STRING: case 0x0d: case 0x0e:
        return after_string(doc, at, look, &element->bytes);
    case BSON_DOCUMENT: case BSON_ARRAY:
        return after_document(doc, at);
    case BSON_BINARY:
        return after_binary(doc, at, &element->bytes);
    case 0x06: case 0x0a: case 0x7f: case 0xff:
        return at;
    case 0x07:
        return after_fixed(doc, at, 12);
    case 0x08:
        return at < doc.len && doc.ptr[at] <= 1 ? at + 1 : BROKEN;
    case 0x0b:
        end = after_cstring(doc, at, look);
        return end == BROKEN ? BROKEN : after_cstring(doc, end, look);
    case 0x0c:
        end = after_string(doc, at, look, &element->bytes);
        return end == BROKEN ? BROKEN : after_fixed(doc, end, 12);
    case 0x0f:
        return after_scoped_code(doc, at, look);
    case BSON_INT32:
        return after_fixed(doc, at, 4);
    case BSON_DECIMAL128:
        return after_fixed(doc, at, 16);
    default:
        return BROKEN;
    }
}

static size_t
next_element(struct envl_bytes document, size_t at, enum look look,
             struct bson_element *element)
{
    struct envl_bytes inside = { document.ptr, document.len - 1 };
    size_t name, end;

    if (at >= inside.len)
        return at == inside.len ? 0 : BROKEN;
    memset(element, 0, sizeof(*element));
    element->type = document.ptr[at];
    name = at + 1;
    at = after_cstring(inside, name, look);
    if (at == BROKEN)
        return BROKEN;
    element->name = (struct envl_bytes){ document.ptr + name, at - name - 1 };
    end = after_value(inside, at, look, element);
    if (end == BROKEN)
        return BROKEN;
    element->value = (struct envl_bytes){ document.ptr + at, end - at };
    return end;
}

size_t
bson_check_next(struct envl_bytes document, size_t at,
                struct bson_element *element)
{
    return next_element(document, at, TEXT, element);
}

size_t
bson_check_next_shape(struct envl_bytes document, size_t at,
                      struct bson_element *element)
{
    return next_element(document, at, SHAPE, element);
}

/* Open documents lie on a stack of the bounds of the outer ones. */
struct frame {
    size_t at, end;
};

static enum envl_status
push(struct envl_buf *stack, struct frame frame, struct envl_error *err)
{
    return envl_buf_append(stack, (struct envl_bytes){
        (const uint8_t *)&frame, sizeof(frame) }, err);
}

static struct frame
pop(struct envl_buf *stack)
{
    struct frame frame;

    stack->len -= sizeof(frame);
    memcpy(&frame, stack->ptr + stack->len, sizeof(frame));
    return frame;
}

/* Where a document begins inside ${element}, or SIZE_MAX. */
static size_t
inner_document(struct envl_bytes doc, const struct bson_element *element)
{
    size_t at = (size_t)(element->value.ptr - doc.ptr);

    if (element->type == BSON_DOCUMENT || element->type == BSON_ARRAY)
        return at;
    if (element->type == 0x0f)
        return at + 8 + le32(element->value.ptr + 4);
    return SIZE_MAX;
}

static enum envl_status
walk(struct envl_bytes doc, enum look look, struct envl_buf *stack,
     struct envl_error *err)
{
    enum envl_status status = push(stack, (struct frame){ 4, doc.len }, err);

    /* Each turn goes on with one document where it was left. */
    while (status == ENVL_OK && stack->len > 0) {
        struct frame now = pop(stack);
        struct bson_element element;
        size_t inner, next;

        next = next_element((struct envl_bytes){ doc.ptr, now.end }, now.at,
                            look, &element);
        if (next == BROKEN)
            return envl_fail(err, ENVL_E_USAGE, "the value is not BSON");
        if (next == 0)
            continue;
        status = push(stack, (struct frame){ next, now.end }, err);
        inner = inner_document(doc, &element);
        if (status == ENVL_OK && inner != SIZE_MAX) {
            size_t len = le32(doc.ptr + inner);

            status = push(stack, (struct frame){ inner + 4, inner + len },
                          err);
        }
    }
    return status;
}

static enum envl_status
check(struct envl_bytes document, enum look look, struct envl_error *err)
{
    struct envl_buf stack = ENVL_BUF_INIT;
    enum envl_status status;

    if (document.len < 5 || after_document(document, 0) != document.len)
        return envl_fail(err, ENVL_E_USAGE, "the value is not BSON");
    status = walk(document, look, &stack, err);
    envl_buf_free(&stack);
    return status;
}

enum envl_status
bson_check_document(struct envl_bytes document, struct envl_error *err)
{
    return check(document, TEXT, err);
}

enum envl_status
bson_check_shape(struct envl_bytes document, struct envl_error *err)
{
    return check(document, SHAPE, err);
}
