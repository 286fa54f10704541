#include <stdlib.h>

#include <sodium.h>

#include "common/json_splice.h"
#include "core/json_scan.h"
#include "core/utf8.h"

/* What takes the place of a span of the document. */
enum patch_kind {
    INSERT,  /* before: a sibling behind its source; sorts first          */
    REPLACE, /* a value, or a member renamed                               */
    REMOVE   /* a member from its name to its value's end                  */
};

struct patch {
    enum patch_kind kind;
    size_t at, end;        /* of the document; INSERT: at == end           */
    struct envl_bytes text; /* in ${texts}, by offset until all are there  */
    size_t text_at;
};

struct splice {
    struct envl_bytes document;
    struct patch *patches; /* two for each edit at most */
    size_t count;
    struct envl_buf texts; /* what the patches put in */
    struct envl_error *err;
};

static enum envl_status
refuse(struct splice *splice, const char *why)
{
    return envl_fail(splice->err, ENVL_E_USAGE,
                     "a document cannot be edited: %s", why);
}

/* ---- the document around a span ----------------------------------------- */

static bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The offset behind the last byte before ${at} that is no whitespace. */
static size_t
before_space(struct envl_bytes document, size_t at)
{
    while (at > 0 && is_space(document.ptr[at - 1]))
        at--;
    return at;
}

/* The offset of the first byte from ${at} on that is no whitespace. */
static size_t
after_space(struct envl_bytes document, size_t at)
{
    while (at < document.len && is_space(document.ptr[at]))
        at++;
    return at;
}

static bool
inside(struct envl_bytes document, struct json_span span)
{
    return span.len > 0 && span.at <= document.len &&
           span.len <= document.len - span.at;
}

static size_t
end_of(struct json_span span)
{
    return span.at + span.len;
}

/* ---- from edits to patches ---------------------------------------------- */

static void
add_patch(struct splice *splice, enum patch_kind kind, size_t at, size_t end,
          size_t text_at)
{
    struct patch *patch = &splice->patches[splice->count++];

    *patch = (struct patch){ kind, at, end,
                             { NULL, splice->texts.len - text_at }, text_at };
}

static enum envl_status
add_raw(struct splice *splice, size_t at, size_t end)
{
    return envl_buf_append(&splice->texts,
                           (struct envl_bytes){ splice->document.ptr + at,
                                                end - at }, splice->err);
}

/* A value as it stands in a document. */
static enum envl_status
add_value(struct splice *splice, const struct envl_cell *put)
{
    switch (put->kind) {
    case ENVL_KIND_NULL:
        return envl_buf_append(&splice->texts, envl_bytes_of("null"),
                               splice->err);
    case ENVL_KIND_TEXT:
        if (!utf8_valid(put->bytes))
            return refuse(splice, "the new text is not UTF-8");
        return json_scan_escape(put->bytes, &splice->texts, splice->err);
    case ENVL_KIND_JSON:
        if (!json_scan_valid(put->bytes))
            return refuse(splice, "the new value is not JSON");
        return envl_buf_append(&splice->texts, put->bytes, splice->err);
    default:
        return refuse(splice, "the new value is of a kind JSON has not");
    }
}

static enum envl_status
replace_value(struct splice *splice, struct json_span span,
              const struct envl_cell *put)
{
    size_t text_at = splice->texts.len;
    enum envl_status status;

    if (!inside(splice->document, span))
        return refuse(splice, "the value to replace is not there");
    status = add_value(splice, put);
    if (status == ENVL_OK)
        add_patch(splice, REPLACE, span.at, end_of(span), text_at);
    return status;
}

static enum envl_status
remove_member(struct splice *splice, const struct json_site *site)
{
    if (!inside(splice->document, site->name) ||
        !inside(splice->document, site->value))
        return refuse(splice, "the value to remove is no member");
    add_patch(splice, REMOVE, site->name.at, end_of(site->value),
              splice->texts.len);
    return ENVL_OK;
}

/* `"into"` and what stands between the source's name and its value. */
static enum envl_status
add_name(struct splice *splice, const struct json_edit *edit)
{
    struct envl_bytes name = envl_bytes_of(edit->into);
    const struct json_site *site = edit->site;
    enum envl_status status;

    if (edit->into == NULL || !utf8_valid(name))
        return refuse(splice, "the sibling has no name");
    status = json_scan_escape(name, &splice->texts, splice->err);
    if (status != ENVL_OK)
        return status;
    return add_raw(splice, end_of(site->name), site->value.at);
}

/* The sibling in the source's place, or behind it and spaced like it. */
static enum envl_status
add_sibling(struct splice *splice, const struct json_edit *edit)
{
    const struct json_site *site = edit->site;
    size_t text_at = splice->texts.len;
    enum envl_status status = ENVL_OK;

    if (!inside(splice->document, site->name) ||
        !inside(splice->document, site->value))
        return refuse(splice, "there is no source to add a sibling to");
    if ((edit->flags & ENVL_EDIT_CLEAR) == 0) {
        status = envl_buf_append(&splice->texts, envl_bytes_of(","),
                                 splice->err);
        if (status == ENVL_OK)
            status = add_raw(splice, before_space(splice->document,
                                                  site->name.at),
                             site->name.at);
    }
    if (status == ENVL_OK)
        status = add_name(splice, edit);
    if (status == ENVL_OK)
        status = add_value(splice, &edit->put);
    if (status != ENVL_OK)
        return status;
    if ((edit->flags & ENVL_EDIT_CLEAR) != 0)
        add_patch(splice, REPLACE, site->name.at, end_of(site->value),
                  text_at);
    else
        add_patch(splice, INSERT, end_of(site->value), end_of(site->value),
                  text_at);
    return ENVL_OK;
}

static enum envl_status
add_edit(struct splice *splice, const struct json_edit *edit)
{
    const struct json_site *site = edit->site;
    bool clear = (edit->flags & ENVL_EDIT_CLEAR) != 0;
    enum envl_status status;

    if (site->ambiguous)
        return refuse(splice, "a name on the way stands twice");
    if ((edit->flags & ENVL_EDIT_INTO) == 0) {
        if (!clear)
            return replace_value(splice, site->value, &edit->put);
        if (edit->put.kind != ENVL_KIND_ABSENT)
            return refuse(splice, "a value is put where one is removed");
        return remove_member(splice, site);
    }
    if (site->sibling.len == 0)
        return add_sibling(splice, edit);
    status = replace_value(splice, site->sibling, &edit->put);
    if (status == ENVL_OK && clear && site->value.len > 0)
        status = remove_member(splice, site);
    return status;
}

/* ---- from patches to bytes ---------------------------------------------- */

static int
compare_patches(const void *left, const void *right)
{
    const struct patch *a = left, *b = right;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (a->kind > b->kind) - (a->kind < b->kind);
}

/* Does ${b} directly follow ${a} in their object? */
static bool
adjacent(struct envl_bytes document, const struct patch *a,
         const struct patch *b)
{
    size_t at = after_space(document, a->end);

    if (at >= document.len || document.ptr[at] != ',')
        return false;
    return after_space(document, at + 1) == b->at;
}

/*
 * A removed member takes one comma with it: the one before it, or, if it was
 * the first, the one after.  Neighbours that go together are one run, or each
 * would count on a comma that the other has taken.
 */
static size_t
take_run(const struct splice *splice, size_t first, struct patch *run)
{
    struct envl_bytes document = splice->document;
    size_t next = first + 1;
    size_t before, after;

    *run = splice->patches[first];
    while (next < splice->count && splice->patches[next].kind == REMOVE &&
           adjacent(document, run, &splice->patches[next]))
        run->end = splice->patches[next++].end;
    before = before_space(document, run->at);
    after = after_space(document, run->end);
    if (before > 0 && document.ptr[before - 1] == ',')
        run->at = before - 1;
    else if (after < document.len && document.ptr[after] == ',')
        run->end = after_space(document, after + 1);
    else {
        run->at = before;
        run->end = after;
    }
    return next;
}

static enum envl_status
emit(struct splice *splice, struct envl_buf *out)
{
    struct envl_bytes document = splice->document;
    enum envl_status status;
    size_t at = 0, i = 0;

    while (i < splice->count) {
        struct patch patch = splice->patches[i];
        struct envl_bytes kept;

        if (patch.kind == REMOVE)
            i = take_run(splice, i, &patch);
        else
            i++;
        if (patch.at < at || (i > 1 && patch.kind == INSERT &&
                              splice->patches[i - 2].kind == INSERT &&
                              splice->patches[i - 2].at == patch.at))
            return refuse(splice, "two edits of one place");
        kept = (struct envl_bytes){ document.ptr + at, patch.at - at };
        if ((status = envl_buf_append(out, kept, splice->err)) != ENVL_OK)
            return status;
        if (patch.text.len > 0) {
            patch.text.ptr = splice->texts.ptr + patch.text_at;
            status = envl_buf_append(out, patch.text, splice->err);
        }
        if (status != ENVL_OK)
            return status;
        at = patch.end;
    }
    return envl_buf_append(out, (struct envl_bytes){ document.ptr + at,
                                                     document.len - at },
                           splice->err);
}

/* No growth, and so no copies, while ${out} is filled. */
static enum envl_status
apply(struct splice *splice, struct envl_buf *out)
{
    size_t before = out->len;
    enum envl_status status;

    if (splice->document.len > SIZE_MAX - splice->texts.len)
        return envl_fail(splice->err, ENVL_E_NOMEM,
                         "out of memory for a document");
    status = envl_buf_reserve(out, splice->document.len + splice->texts.len,
                              splice->err);
    if (status != ENVL_OK)
        return status;
    qsort(splice->patches, splice->count, sizeof(*splice->patches),
          compare_patches);
    status = emit(splice, out);
    if (status != ENVL_OK) {
        sodium_memzero(out->ptr + before, out->len - before);
        out->len = before;
    }
    return status;
}

enum envl_status
json_splice(struct envl_bytes document, const struct json_edit *edits,
            uint32_t count, struct envl_buf *out, struct envl_error *err)
{
    struct splice splice = { document, NULL, 0, ENVL_BUF_INIT, err };
    enum envl_status status = ENVL_OK;

    if (count == 0)
        return envl_buf_append(out, document, err);
    splice.patches = calloc(count, 2 * sizeof(*splice.patches));
    if (splice.patches == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for %u edits",
                         count);
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++)
        status = add_edit(&splice, &edits[i]);
    if (status == ENVL_OK)
        status = apply(&splice, out);
    free(splice.patches);
    envl_buf_free(&splice.texts);
    return status;
}
