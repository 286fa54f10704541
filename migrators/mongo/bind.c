#include <stdlib.h>
#include <string.h>

#include "common/say.h"
#include "mongo/bind.h"
#include "mongo/catalog.h"
#include "mongo/command.h"
#include "mongo/exposure.h"
#include "mongo/fault.h"
#include "mongo/leaf.h"
#include "mongo/preflight.h"
#include "mongo/probe.h"

#define ROW_BYTES_FIRST 1024 /* of a document, until one was seen */

/* ---- what the job says -------------------------------------------------- */

static enum envl_status
usage(const struct envl_target *target, const char *why,
      struct envl_error *err)
{
    return say_fail(target->store->host, err, ENVL_E_USAGE, "%s: %s",
                    target->name, why);
}

static enum envl_status
check_names(const struct envl_target *target, struct envl_error *err)
{
    const struct envl_target_spec *spec = target->spec;

    if (strncmp(target->name, "system.", 7) == 0 ||
        strchr(target->name, '$') != NULL)
        return usage(target, "a collection of the server's own", err);
    if (spec->key_count > 1 ||
        (spec->key_count == 1 && strcmp(spec->keys[0], "_id") != 0))
        return usage(target, "the key of a collection is _id", err);
    return ENVL_OK;
}

static bool
is_id(const struct envl_segment *segment)
{
    return segment->kind == ENVL_SEGMENT_MEMBER && segment->name.len == 3 &&
           memcmp(segment->name.ptr, "_id", 3) == 0;
}

static enum envl_status
bind_fields(struct envl_target *target, struct envl_error *err)
{
    const struct envl_target_spec *spec = target->spec;

    target->fields = calloc(spec->field_count + 1, sizeof(*target->fields));
    if (target->fields == NULL)
        return store_nomem(target->store, err);
    for (uint32_t i = 0; i < spec->field_count; i++) {
        const struct envl_field_spec *field = &spec->fields[i];
        const struct envl_segment *first = field->path.segments;

        if (field->column != NULL || field->path.count == 0)
            return usage(target, "a field of a collection is a path", err);
        if (first->kind == ENVL_SEGMENT_ANY_ELEMENT)
            return usage(target, "a document is no array: [*] stands behind "
                         "a member", err);
        if (is_id(first) || (field->into != NULL && field->path.count == 1 &&
                             strcmp(field->into, "_id") == 0))
            return usage(target, "_id cannot be changed, and so not be "
                         "sealed", err);
        target->fields[i] = (struct envl_field_info){ ENVL_KIND_BSON, 0,
                                                      false, NULL };
    }
    return ENVL_OK;
}

/* spec: JOB-12 */
static enum envl_status
bind_where(struct envl_target *target, struct envl_error *err)
{
    const char *where = target->spec->where;
    bson_error_t ignored;

    if (where == NULL)
        return ENVL_OK;
    if (bson_init_from_json(&target->where, where, -1, &ignored))
        return ENVL_OK;
    bson_init(&target->where);
    say_fail(target->store->host, err, ENVL_E_USAGE,
             "%s: \"where\" is no filter document in extended JSON",
             target->name);
    say_hint(target->store->host, err, "such as {\"tenant\": 7, \"made\": "
             "{\"$lt\": {\"$date\": \"2026-01-01T00:00:00Z\"}}}");
    return ENVL_E_USAGE;
}

/* ---- the projection ----------------------------------------------------- */

/* A projection can name it: {"a.b": 1} would mean b inside a. */
static bool
projectable(struct envl_bytes name)
{
    return name.len > 0 && name.ptr[0] != '$' &&
           memchr(name.ptr, '.', name.len) == NULL;
}

static void
project(bson_t *projection, struct envl_bytes name)
{
    bson_iter_t at;

    if (bson_iter_init(&at, projection) &&
        bson_iter_find_w_len(&at, (const char *)name.ptr, (int)name.len))
        return;
    bson_append_int32(projection, (const char *)name.ptr, (int)name.len, 1);
}

static struct envl_bytes
first_of(const char *dotted)
{
    return (struct envl_bytes){ (const uint8_t *)dotted,
                                strcspn(dotted, ".") };
}

/* Whole top-level members: they are what is compared and written back.  If
   one cannot be named, whole documents are read. */
static void
bind_projection(struct envl_target *target)
{
    const struct envl_target_spec *spec = target->spec;
    bson_t *projection = &target->projection;
    bool all = false;

    project(projection, envl_bytes_of("_id"));
    for (uint32_t i = 0; i < spec->field_count; i++) {
        const struct envl_field_spec *field = &spec->fields[i];
        const struct envl_segment *first = field->path.segments;
        struct envl_bytes into = envl_bytes_of(field->into);

        all |= first->kind != ENVL_SEGMENT_MEMBER || !projectable(first->name);
        if (!all)
            project(projection, first->name);
        if (field->into != NULL && field->path.count == 1) {
            all |= !projectable(into);
            if (!all)
                project(projection, into);
        }
    }
    for (uint32_t i = 0; i < spec->extra_count; i++)
        project(projection, first_of(spec->extras[i]));
    for (uint32_t i = 0; i < target->shard_key_count; i++)
        project(projection, first_of(target->shard_keys[i]));
    if (all)
        bson_reinit(projection);
}

void
bind_find(const struct envl_target *target, bson_t *find)
{
    BSON_APPEND_UTF8(find, "find", target->name);
    if (!bson_empty(&target->projection))
        BSON_APPEND_DOCUMENT(find, "projection", &target->projection);
}

/* ---- what is there ------------------------------------------------------ */

/* The server has to understand the condition: one document is asked for. */
static enum envl_status
try_where(struct envl_target *target, struct envl_error *err)
{
    struct envl_store *store = target->store;
    bson_t find = BSON_INITIALIZER;
    enum envl_status status = ENVL_OK;
    struct answer answer;

    bind_find(target, &find);
    BSON_APPEND_DOCUMENT(&find, "filter", &target->where);
    BSON_APPEND_INT32(&find, "limit", 1);
    BSON_APPEND_BOOL(&find, "singleBatch", true);
    BSON_APPEND_INT32(&find, "maxTimeMS", (int32_t)store->host->statement_ms);
    if (!command_run(store, store->database, &find, &answer)) {
        status = fault_tell(store, &answer, "reading the collection", err);
        if (status == ENVL_E_DATABASE && !answer.lost &&
            target->spec->where != NULL)
            status = say_fail(store->host, err, ENVL_E_USAGE, "%s: the "
                              "server does not understand \"where\" (MongoDB "
                              "code %d)", target->name, answer.code);
        else if (status == ENVL_E_LOCKED) /* a search that is long, or rare */
            status = ENVL_OK;
    }
    command_free(&answer);
    bson_destroy(&find);
    return status;
}

/* An estimate, from the collection's own count. */
static enum envl_status
count_rows(struct envl_target *target, struct envl_error *err)
{
    struct envl_store *store = target->store;
    bson_t command = BSON_INITIALIZER;
    enum envl_status status = ENVL_OK;
    struct answer answer;
    int64_t n;

    BSON_APPEND_UTF8(&command, "count", target->name);
    if (command_run(store, store->database, &command, &answer)) {
        n = command_number(&answer.reply, "n", 0);
        target->info.rows = n < 0 ? 0 : (uint64_t)n;
    } else if (answer.lost) {
        status = fault_tell(store, &answer, "counting documents", err);
    }
    command_free(&answer);
    bson_destroy(&command);
    return status;
}

static enum envl_status
look(struct envl_target *target, struct envl_error *err)
{
    enum envl_status status = catalog_load(target, err);

    if (status == ENVL_OK)
        bind_projection(target);
    if (status == ENVL_OK)
        status = try_where(target, err);
    if (status == ENVL_OK)
        status = count_rows(target, err);
    if (status == ENVL_OK)
        status = probe_server(target, err);
    if (status == ENVL_OK)
        status = exposure_check(target, err);
    if (status == ENVL_OK)
        status = preflight_say(target, err);
    return status;
}

enum envl_status
bind_target(struct envl_store *store, const struct envl_target_spec *spec,
            struct envl_target **out, struct envl_error *err)
{
    struct envl_target *target = calloc(1, sizeof(*target));
    enum envl_status status = ENVL_OK;

    if (target == NULL)
        return store_nomem(store, err);
    target->store = store;
    target->spec = spec;
    target->row_bytes = ROW_BYTES_FIRST;
    bson_init(&target->where);
    bson_init(&target->projection);
    target->name = strdup(spec->table);
    if (target->name == NULL)
        status = store_nomem(store, err);
    if (status == ENVL_OK)
        status = check_names(target, err);
    if (status == ENVL_OK)
        status = bind_fields(target, err);
    if (status == ENVL_OK)
        status = bind_where(target, err);
    if (status == ENVL_OK)
        status = look(target, err);
    if (status != ENVL_OK) {
        bind_release(target);
        return status;
    }
    target->place[0] = target->name;
    target->info.label = target->name;
    target->info.place = target->place;
    target->info.place_count = 1;
    target->info.has_ids = true;
    target->info.fields = target->fields;
    *out = target;
    return ENVL_OK;
}

void
bind_release(struct envl_target *target)
{
    if (target == NULL)
        return;
    page_free(target->ready);
    for (uint32_t i = 0; i < target->shard_key_count; i++)
        free(target->shard_keys[i]);
    bson_destroy(&target->where);
    bson_destroy(&target->projection);
    free(target->fields);
    free(target->name);
    free(target);
}

const struct envl_target_info *
bind_info(struct envl_target *target)
{
    return &target->info;
}
