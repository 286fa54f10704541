#include <endian.h>
#include <string.h>

#include <sodium.h>

#include "core/json_scan.h"
#include "core/utf8.h"
#include "postgres/cells.h"

#define JSONB_HEADER 1u /* the version that jsonb's binary form begins with */

/* ---- one cell ----------------------------------------------------------- */

static bool
is_null(const struct cells *cells, int at)
{
    return PQgetisnull(cells->result, cells->row, cells->first + at);
}

static struct envl_bytes
bytes_at(const struct cells *cells, int at)
{
    return (struct envl_bytes){
        (const uint8_t *)PQgetvalue(cells->result, cells->row,
                                    cells->first + at),
        (size_t)PQgetlength(cells->result, cells->row, cells->first + at)
    };
}

static struct envl_bytes
without_header(struct envl_bytes jsonb)
{
    if (jsonb.len >= JSONB_HEADER) {
        jsonb.ptr += JSONB_HEADER;
        jsonb.len -= JSONB_HEADER;
    }
    return jsonb;
}

static struct envl_bytes
trimmed(struct envl_bytes json)
{
    while (json.len > 0 && memchr(" \t\r\n", json.ptr[0], 4) != NULL) {
        json.ptr++;
        json.len--;
    }
    while (json.len > 0 && memchr(" \t\r\n", json.ptr[json.len - 1], 4) != NULL)
        json.len--;
    return json;
}

/* A string's content; most have no escape and need no second look. */
static enum envl_status
take_string(struct cells *cells, struct envl_bytes token,
            struct envl_cell *out, struct envl_error *err)
{
    struct envl_bytes inner = { token.ptr + 1, token.len - 2 };
    enum envl_status status;

    if (inner.len > 0 && memchr(inner.ptr, '\\', inner.len) != NULL) {
        envl_buf_clear(&cells->scratch);
        status = json_scan_unescape(token, &cells->scratch, err);
        if (status == ENVL_E_FORMAT)
            return ENVL_OK; /* OTHER: a lone surrogate */
        if (status != ENVL_OK)
            return status;
        inner = envl_buf_view(&cells->scratch);
        if (inner.len > 0 && memchr(inner.ptr, 0, inner.len) != NULL)
            return ENVL_OK; /* OTHER: no text column could hold it */
    }
    out->kind = ENVL_KIND_TEXT;
    return arena_dup(&cells->page->arena, inner, &out->bytes);
}

static enum envl_status
take_json(struct cells *cells, struct envl_bytes json, struct envl_cell *out,
          struct envl_error *err)
{
    json = trimmed(json);
    *out = (struct envl_cell){ .kind = ENVL_KIND_OTHER };
    if (json.len >= 2 && json.ptr[0] == '"')
        return take_string(cells, json, out, err);
    if (json.len == 4 && memcmp(json.ptr, "null", 4) == 0) {
        out->kind = ENVL_KIND_NULL;
        return ENVL_OK;
    }
    out->kind = ENVL_KIND_JSON;
    return arena_dup(&cells->page->arena, json, &out->bytes);
}

/* In a database without an encoding text may be any bytes (MIG-25). */
static enum envl_kind
text_kind(const struct cells *cells, struct envl_bytes text)
{
    return cells->target->store->sql_ascii && !utf8_valid(text)
               ? ENVL_KIND_BYTES
               : ENVL_KIND_TEXT;
}

static enum envl_status
take_cell(struct cells *cells, int at, enum column_class class,
          struct envl_cell *out, struct envl_error *err)
{
    struct envl_bytes bytes = bytes_at(cells, at);

    if (is_null(cells, at)) {
        *out = (struct envl_cell){ .kind = ENVL_KIND_NULL };
        return ENVL_OK;
    }
    if (class == COLUMN_JSON || class == COLUMN_JSONB)
        return take_json(cells, class == COLUMN_JSON ? bytes
                                                     : without_header(bytes),
                         out, err);
    out->kind = class == COLUMN_BYTEA ? ENVL_KIND_BYTES
                                      : text_kind(cells, bytes);
    return arena_dup(&cells->page->arena, bytes, &out->bytes);
}

enum envl_status
cells_take_extras(struct cells *cells, const struct envl_cell **out,
                  struct envl_error *err)
{
    uint32_t count = cells->target->spec->extra_count;
    struct envl_cell *extras;
    enum envl_status status = ENVL_OK;

    *out = NULL;
    if (count == 0)
        return ENVL_OK;
    extras = arena_alloc(&cells->page->arena, count * sizeof(*extras));
    if (extras == NULL)
        return ENVL_E_NOMEM;
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++)
        status = take_cell(cells, (int)i, COLUMN_TEXT, &extras[i], err);
    *out = extras;
    return status;
}

/* ---- leaves ------------------------------------------------------------- */

static const struct envl_cell nothing = { .kind = ENVL_KIND_ABSENT };

/* The member of a jsonb document: SQL NULL means that there is none. */
static enum envl_status
take_member(struct cells *cells, int at, struct envl_cell *out,
            struct envl_error *err)
{
    if (at < 0 || is_null(cells, at)) {
        *out = nothing;
        return ENVL_OK;
    }
    return take_cell(cells, at, COLUMN_JSONB, out, err);
}

static enum envl_status
take_simple(struct cells *cells, uint32_t index, struct envl_error *err)
{
    const struct pg_field *field = &cells->target->fields[index];
    struct envl_leaf leaf = { .field = index };
    enum envl_status status;

    if (field->mode == FIELD_MEMBER) {
        leaf.path = field->spec->path;
        status = take_member(cells, field->value_at, &leaf.value, err);
        if (status == ENVL_OK)
            status = take_member(cells, field->sibling_at, &leaf.sibling, err);
    } else {
        status = take_cell(cells, field->value_at, field->column->class,
                           &leaf.value, err);
        if (status == ENVL_OK && field->into != NULL)
            status = take_cell(cells, field->sibling_at, field->into->class,
                               &leaf.sibling, err);
    }
    return status == ENVL_OK ? page_add_leaf(cells->page, &leaf, NULL)
                             : status;
}

/* A whole number as text, as a key is written (spec: JOB-34, JOB-36). */
static struct envl_cell
element_cell(const struct envl_cell *element)
{
    struct envl_bytes text = element->bytes;
    size_t i = 0;

    if (element->kind != ENVL_KIND_JSON)
        return *element;
    if (i < text.len && text.ptr[i] == '-')
        i++;
    while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
        i++;
    if (text.len == 0 || i < text.len)
        return (struct envl_cell){ .kind = ENVL_KIND_OTHER };
    return (struct envl_cell){ ENVL_KIND_TEXT, text };
}

static enum envl_status
take_found(struct cells *cells, uint32_t index)
{
    const struct pg_field *field = &cells->target->fields[index];
    uint32_t count;
    const struct json_leaf *found = json_path_leaves(field->finder, &count);
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; i < count && status == ENVL_OK; i++) {
        struct envl_leaf leaf = {
            .field = index,
            .path = found[i].path,
            .value = found[i].value,
            .sibling = found[i].sibling,
            .element = element_cell(&found[i].element),
        };
        struct json_site *site = NULL;

        if (field->mode == FIELD_SPLICE) {
            site = arena_alloc(&cells->page->arena, sizeof(*site));
            if (site == NULL)
                return ENVL_E_NOMEM;
            *site = found[i].site;
        }
        status = page_add_leaf(cells->page, &leaf, site);
    }
    if (status == ENVL_OK && count == 0) {
        struct envl_leaf leaf = { .field = index };

        status = page_add_leaf(cells->page, &leaf, NULL);
    }
    return status;
}

/* Text that is no JSON has no place to look for (spec: MIG-25). */
static enum envl_status
take_document(struct cells *cells, uint32_t index, struct row_detail *detail,
              struct envl_error *err)
{
    const struct pg_field *field = &cells->target->fields[index];
    struct envl_leaf leaf = { .field = index };
    struct envl_bytes document = bytes_at(cells, field->value_at);
    enum envl_status status;

    if (is_null(cells, field->value_at))
        return page_add_leaf(cells->page, &leaf, NULL);
    if (field->mode == FIELD_WILD)
        document = without_header(document);
    status = arena_dup(&cells->page->arena, document, &document);
    if (status != ENVL_OK)
        return status;
    if (field->mode == FIELD_SPLICE)
        detail->documents[index] = document;
    status = json_path_find(field->finder, document, &cells->page->arena, err);
    if (status == ENVL_E_FORMAT) {
        leaf.value.kind = ENVL_KIND_OTHER;
        return page_add_leaf(cells->page, &leaf, NULL);
    }
    return status == ENVL_OK ? take_found(cells, index) : status;
}

static bool
has_splices(const struct envl_target *target)
{
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        if (target->fields[i].mode == FIELD_SPLICE)
            return true;
    }
    return false;
}

enum envl_status
cells_take_leaves(struct cells *cells, struct row_detail *detail,
                  struct envl_error *err)
{
    const struct envl_target *target = cells->target;
    size_t size = target->spec->field_count * sizeof(*detail->documents);
    enum envl_status status = ENVL_OK;

    detail->documents = NULL;
    if (has_splices(target)) {
        detail->documents = arena_alloc(&cells->page->arena, size);
        if (detail->documents == NULL)
            return ENVL_E_NOMEM;
        memset(detail->documents, 0, size);
    }
    for (uint32_t i = 0; i < target->spec->field_count && status == ENVL_OK;
         i++) {
        if (target->fields[i].mode < FIELD_WILD)
            status = take_simple(cells, i, err);
        else
            status = take_document(cells, i, detail, err);
    }
    return status;
}

/* ---- digests (spec: JOB-51) --------------------------------------------- */

static bool
is_jsonb(const struct envl_target *target, int at)
{
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        const struct pg_field *field = &target->fields[i];

        if (field->value_at == at || field->sibling_at == at)
            return (field->value_at == at ? field->column
                    : field->into != NULL ? field->into
                                          : field->column)->class ==
                   COLUMN_JSONB;
    }
    return false;
}

void
cells_digest(const struct cells *cells, const uint8_t salt[16],
             uint8_t out[STORE_DIGEST_LEN])
{
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, salt, 16);
    for (int i = 0; i < (int)cells->target->cell_count; i++) {
        struct envl_bytes bytes = bytes_at(cells, i);
        uint32_t len;

        if (is_jsonb(cells->target, i))
            bytes = without_header(bytes);
        len = htobe32(is_null(cells, i) ? UINT32_MAX : (uint32_t)bytes.len);
        crypto_hash_sha256_update(&state, (const uint8_t *)&len, sizeof(len));
        if (!is_null(cells, i))
            crypto_hash_sha256_update(&state, bytes.ptr, bytes.len);
    }
    crypto_hash_sha256_final(&state, out);
}

void
cells_put_digest(const struct envl_target *target, struct sql *sql,
                 uint32_t parameter)
{
    sql_format(sql, "pg_catalog.sha256($%u::pg_catalog.bytea", parameter);
    for (uint32_t i = 0; i < target->cell_count; i++)
        sql_format(sql, SQL_CAT "coalesce(pg_catalog.int4send("
                   "pg_catalog.octet_length(%s))" SQL_CAT "%s, "
                   "'\\xffffffff'::pg_catalog.bytea)",
                   target->digests[i], target->digests[i]);
    sql_put(sql, ")");
}
