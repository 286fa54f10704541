#include <string.h>

#include <sodium.h>

#include "core/json_scan.h"
#include "core/utf8.h"
#include "engine/bson_cell.h"
#include "engine/codec.h"
#include "engine/legacy.h"
#include "engine/transform_parts.h"
#include "envelope/value.h"

static bool
is_value(const struct row_place *place)
{
    return place->kind >= ENVL_KIND_TEXT && place->kind <= ENVL_KIND_BSON;
}

/* There is something to judge: absent, null and empty need no context. */
static bool
has_value(const struct row_place *place, bool seal_empty)
{
    return is_value(place) && (!place->empty || seal_empty);
}

static struct row_place
look(const struct envl_cell *cell)
{
    struct row_place place = { .kind = cell->kind };

    place.empty = (cell->kind == ENVL_KIND_TEXT ||
                   cell->kind == ENVL_KIND_BYTES) && cell->bytes.len == 0;
    place.sealed = cell->kind == ENVL_KIND_BSON
                       ? bson_cell_begins(cell->bytes)
                       : is_value(&place) && cell->bytes.len > 0 &&
                             envl_begins(cell->bytes) == ENVL_OK;
    return place;
}

static const struct envl_cell *
cell_at(const struct leaf_work *lw, enum leaf_at at)
{
    return at == LEAF_SOURCE ? &lw->leaf->value : &lw->leaf->sibling;
}

static struct row_place *
place_at(struct leaf_work *lw, enum leaf_at at)
{
    return at == LEAF_SOURCE ? &lw->facts.source : &lw->facts.sibling;
}

/* A status that is an answer about this value, not about the whole. */
static bool
is_verdict(enum envl_status status)
{
    return status == ENVL_OK || status == ENVL_E_AUTH ||
           status == ENVL_E_NOKEY || status == ENVL_E_POLICY ||
           status == ENVL_E_FORMAT || status == ENVL_E_VERSION ||
           status == ENVL_E_NOTENV || status == ENVL_E_USAGE;
}

static enum envl_status
note_info(struct transform *t, struct leaf_work *lw, enum leaf_at at,
          const struct envl_info *info, struct envl_error *err)
{
    struct leaf_envelope *envelope = &lw->at[at];

    envelope->mode = info->mode;
    envelope->encoding = info->encoding;
    place_at(lw, at)->current = t->kid[0] != '\0' &&
                                strcmp(info->kid, t->kid) == 0;
    return transform_kid(t, info->kid, &envelope->kid, err);
}

/* By its commitment: decrypts nothing. */
static enum envl_status
classify(struct transform *t, struct leaf_work *lw, enum leaf_at at,
         struct envl_error *err)
{
    struct row_place *place = place_at(lw, at);
    struct envl_verdict verdict;
    enum envl_status status;

    status = envl_classify(t->options.ring, &t->open, &lw->context,
                           lw->at[at].bytes, &verdict, err);
    if (status != ENVL_OK)
        return status;
    place->verdict = verdict.status;
    if (verdict.status != ENVL_E_NOTENV && verdict.status != ENVL_E_VERSION &&
        verdict.status != ENVL_E_FORMAT)
        status = note_info(t, lw, at, &verdict.info, err);
    return status;
}

static enum envl_status
ask_open(struct work *work, uint32_t index, enum leaf_at at,
         struct envl_error *err)
{
    struct leaf_work *lw = &work->works[index];
    struct envl_item item = { .input = lw->at[at].bytes,
                              .context = lw->context };
    enum envl_status status;
    struct open_ref *opens;

    opens = page_work_grow(work->opens, &work->open_cap,
                           work->opening.count + 1, sizeof(*opens), err);
    if (opens == NULL)
        return ENVL_E_NOMEM;
    work->opens = opens;
    opens[work->opening.count] = (struct open_ref){ index, at };
    status = lot_add(&work->opening, &item, index, err);
    return status;
}

/* A document's envelope is taken as JSON's: what can be said of its form is
   in ${place} then.  spec: ENV-7.9 */
static enum envl_status
take_form(struct work *work, struct leaf_work *lw, enum leaf_at at,
          struct envl_error *err)
{
    const struct envl_cell *cell = cell_at(lw, at);
    struct row_place *place = place_at(lw, at);
    struct envl_buf *spare = &work->transform->spare;
    struct envl_bytes document;
    char *copy;

    place->verdict = ENVL_OK;
    lw->at[at].bytes = cell->bytes;
    if (cell->kind != ENVL_KIND_BSON ||
        !bson_cell_document(cell->bytes, &document))
        return ENVL_OK;
    place->verdict = envl_bson_decode(document, ENVL_ENCODING_OBJECT, spare,
                                      NULL);
    if (place->verdict != ENVL_OK)
        return place->verdict == ENVL_E_NOMEM
                   ? envl_fail(err, ENVL_E_NOMEM,
                               "out of memory for an envelope")
                   : ENVL_OK;
    copy = slab_copy(&work->slab, envl_buf_view(spare), err);
    lw->at[at].bytes = (struct envl_bytes){ (const uint8_t *)copy,
                                            spare->len };
    envl_buf_clear(spare);
    return copy == NULL ? ENVL_E_NOMEM : ENVL_OK;
}

/* An envelope: a commitment is enough to skip it, anything else opens it. */
static enum envl_status
judge_sealed(struct work *work, uint32_t index, enum leaf_at at, bool compare,
             struct envl_error *err)
{
    struct transform *t = work->transform;
    struct leaf_work *lw = &work->works[index];
    struct row_place *place = place_at(lw, at);
    enum transform_goal goal = t->options.goal;
    struct envl_info info;
    enum envl_status status = take_form(work, lw, at, err);

    if (status != ENVL_OK || place->verdict != ENVL_OK)
        return status;
    if (lw->facts.context_ok && !compare &&
        (goal == TRANSFORM_SEAL || goal == TRANSFORM_CENSUS))
        return classify(t, lw, at, err);
    place->verdict = envl_inspect(lw->at[at].bytes, &info, err);
    if (place->verdict != ENVL_OK)
        return is_verdict(place->verdict) ? ENVL_OK : place->verdict;
    status = note_info(t, lw, at, &info, err);
    if (status != ENVL_OK || !lw->facts.context_ok)
        return status;
    if (goal == TRANSFORM_ROTATE && place->current && !compare)
        return classify(t, lw, at, err);
    return ask_open(work, index, at, err);
}

/* spec: JOB-23; what the value begins with once decoded counts, too. */
static enum envl_status
decode(struct work *work, struct leaf_work *lw, struct envl_error *err)
{
    const struct job_field *job = lw->field->job;
    struct codec_room room = { &work->slab, &work->transform->spare };
    enum envl_status status = ENVL_OK;

    /* spec: JOB-28: what is selected is decoded already; a value that nothing
       could be selected in has no such form. */
    if (job->select.count > 0) {
        lw->facts.codec_ok = lw->inner != NULL;
        return ENVL_OK;
    }
    if (job->codec_count == 0)
        return ENVL_OK;
    if (lw->leaf->value.kind != ENVL_KIND_TEXT &&
        lw->leaf->value.kind != ENVL_KIND_BYTES) {
        lw->facts.codec_ok = false;
        return ENVL_OK;
    }
    for (uint32_t i = 0; i < job->codec_count && status == ENVL_OK; i++)
        status = codec_decode(job->codecs[i], lw->value, &room, NULL,
                              &lw->value, err);
    if (status == ENVL_E_FORMAT) {
        lw->facts.codec_ok = false;
        return ENVL_OK;
    }
    if (status == ENVL_OK && envl_begins(lw->value) == ENVL_OK) {
        /* An envelope in disguise: never sealed, never called plaintext. */
        lw->facts.source.sealed = true;
        lw->facts.source.verdict = ENVL_E_FORMAT;
    }
    return status;
}

/* spec: JOB-26; false where the job's type does not accept the value. */
static bool
choose_type(struct leaf_work *lw)
{
    enum envl_kind kind = lw->leaf->value.kind;
    int want = lw->field->job->type;

    if (kind == ENVL_KIND_BSON) { /* spec: ENV-9.4 */
        lw->type = ENVL_TYPE_BSON;
        return want == -1 &&
               value_check(lw->value, ENVL_TYPE_BSON, NULL) == ENVL_OK;
    }
    if (kind == ENVL_KIND_JSON) {
        lw->type = ENVL_TYPE_JSON;
        return (want == -1 || want == ENVL_TYPE_JSON) &&
               json_scan_valid(lw->value);
    }
    if (want == -1) {
        lw->type = kind == ENVL_KIND_TEXT && utf8_valid(lw->value)
                       ? ENVL_TYPE_TEXT : ENVL_TYPE_BYTES;
        return true;
    }
    lw->type = (enum envl_type)want;
    return want == ENVL_TYPE_BYTES ||
           (want == ENVL_TYPE_TEXT && utf8_valid(lw->value)) ||
           (want == ENVL_TYPE_JSON && json_scan_valid(lw->value));
}

/*
 * A JSON text that is a string with an envelope in it would be refused when it
 * is sealed (spec: ENV-9.6); a census must say the same.
 */
static enum envl_status
look_into_string(struct transform *t, struct leaf_work *lw,
                 struct envl_error *err)
{
    struct json_scan scan;
    enum envl_status status = ENVL_E_FORMAT;

    json_scan_init(&scan, lw->value);
    if (json_scan_next(&scan) == JSON_SCAN_STRING)
        status = json_scan_unescape((struct envl_bytes){
            lw->value.ptr + scan.start, scan.len }, &t->spare, err);
    json_scan_free(&scan);
    if (status == ENVL_OK &&
        envl_begins(envl_buf_view(&t->spare)) == ENVL_OK) {
        lw->facts.source.sealed = true;
        lw->facts.source.verdict = ENVL_E_FORMAT;
    }
    envl_buf_clear(&t->spare);
    return status == ENVL_E_NOMEM ? status : ENVL_OK;
}

/* The same for what a BSON value holds, such as another BinData. */
static void
look_into_bson(struct leaf_work *lw)
{
    if (value_check_nesting(lw->value, ENVL_TYPE_BSON, NULL) !=
        ENVL_E_POLICY)
        return;
    lw->facts.source.sealed = true;
    lw->facts.source.verdict = ENVL_E_FORMAT;
}

static enum envl_status
judge_plain(struct work *work, struct leaf_work *lw, struct envl_error *err)
{
    struct row_facts *facts = &lw->facts;
    enum envl_kind kind = lw->leaf->value.kind;
    bool text = kind == ENVL_KIND_TEXT || kind == ENVL_KIND_BYTES;
    enum envl_status status;

    lw->value = lw->leaf->value.bytes;
    facts->legacy = text && legacy_scheme(lw->value) != NULL;
    if (facts->legacy)
        return ENVL_OK;
    if ((status = decode(work, lw, err)) != ENVL_OK)
        return status;
    if (!facts->codec_ok || facts->source.sealed)
        return ENVL_OK;
    facts->legacy = lw->field->job->codec_count > 0 &&
                    legacy_scheme(lw->value) != NULL;
    facts->type_ok = choose_type(lw);
    facts->fits = bound_fits(lw->field, lw->value.len);
    lw->ready = facts->type_ok;
    if (facts->type_ok && lw->type == ENVL_TYPE_BSON)
        look_into_bson(lw);
    return facts->type_ok && lw->type == ENVL_TYPE_JSON
               ? look_into_string(work->transform, lw, err) : ENVL_OK;
}

enum envl_status
judge_look(struct work *work, uint32_t index, struct envl_error *err)
{
    struct leaf_work *lw = &work->works[index];
    const struct envl_field_spec *spec = lw->field->job->spec;
    struct row_facts *facts = &lw->facts;
    struct leaf_site site = { lw->field, lw->row, lw->leaf };
    bool outside = lw->field->job->select.count > 0 && lw->inner == NULL;
    enum envl_status status;
    bool source, sibling;

    *facts = (struct row_facts){ .source = look(&lw->leaf->value),
                                 .has_into = spec->into != NULL,
                                 .keep_source = spec->keep_source,
                                 .seal_empty = !outside &&
                                     lw->field->job->seal_empty,
                                 .codec_ok = true, .type_ok = true,
                                 .fits = true };
    if (facts->has_into)
        facts->sibling = look(&lw->leaf->sibling);
    facts->source.sealed |= lw->disguised;
    source = has_value(&facts->source, facts->seal_empty);
    sibling = facts->has_into && has_value(&facts->sibling, false);
    if (!source && !sibling)
        return ENVL_OK;
    status = leaf_context_build(&site, &work->slab, &work->transform->spare,
                                &lw->context, err);
    facts->context_ok = leaf_context_ok(&lw->context);
    if (status == ENVL_OK && source && facts->source.sealed && outside)
        facts->source.verdict = ENVL_E_FORMAT; /* its place is inside */
    else if (status == ENVL_OK && source)
        status = facts->source.sealed
                     ? judge_sealed(work, index, LEAF_SOURCE, false, err)
                     : judge_plain(work, lw, err);
    /* Beside a plaintext the sibling is opened, to compare them. */
    if (status == ENVL_OK && sibling && facts->sibling.sealed)
        status = judge_sealed(work, index, LEAF_SIBLING,
                              source && !facts->source.sealed, err);
    return status;
}

static bool
alike(enum envl_type a, enum envl_type b)
{
    return a == b || (a <= ENVL_TYPE_TEXT && b <= ENVL_TYPE_TEXT);
}

static bool
same_value(const struct leaf_work *lw)
{
    const struct leaf_envelope *sibling = &lw->at[LEAF_SIBLING];

    return sibling->opened && alike(sibling->type, lw->type) &&
           sibling->plain.len == lw->value.len &&
           (lw->value.len == 0 ||
            sodium_memcmp(sibling->plain.ptr, lw->value.ptr,
                          lw->value.len) == 0);
}

/* It did not open: was it the commitment, or what comes after? */
static enum envl_status
judge_failed(struct transform *t, struct leaf_work *lw, enum leaf_at at,
             enum envl_status failed, struct envl_error *err)
{
    struct row_place *place = place_at(lw, at);
    enum envl_status status;

    if (!is_verdict(failed))
        return envl_fail(err, failed, "an envelope of row %.*s cannot be "
                         "opened: %s", (int)lw->row->name.len,
                         (const char *)lw->row->name.ptr,
                         envl_status_name(failed));
    if ((status = classify(t, lw, at, err)) != ENVL_OK)
        return status;
    place->corrupt = place->verdict == ENVL_OK;
    return ENVL_OK;
}

enum envl_status
judge_open(struct work *work, struct envl_error *err)
{
    struct transform *t = work->transform;
    struct lot *lot = &work->opening;
    enum envl_status status;

    if (lot->count == 0)
        return ENVL_OK;
    status = envl_open_batch(t->options.ring, &t->open, lot->items, lot->count,
                             &lot->out, err);
    if (status != ENVL_OK && status != ENVL_E_PARTIAL)
        return status;
    for (size_t i = 0; i < lot->count; i++) {
        const struct envl_item *item = &lot->items[i];
        enum leaf_at at = work->opens[i].at;
        struct leaf_work *lw = &work->works[work->opens[i].leaf];

        if (item->status != ENVL_OK) {
            status = judge_failed(t, lw, at, item->status, err);
            if (status != ENVL_OK)
                return status;
            continue;
        }
        place_at(lw, at)->verdict = ENVL_OK;
        lw->at[at].opened = true;
        lw->at[at].type = item->type;
        lw->at[at].plain = item->output;
        if (at == LEAF_SIBLING && lw->ready)
            lw->facts.same = same_value(lw);
    }
    return ENVL_OK;
}
