#include <stdlib.h>
#include <string.h>

#include "sqlite/db.h"
#include "sqlite/depend.h"
#include "sqlite/statement.h"
#include "sqlite/survey.h"

/* ---- errors of one column ----------------------------------------------- */

static const struct envl_host *
host_of(const struct envl_target *target)
{
    return target->store->host;
}

static enum envl_status
no_memory(const struct envl_target *target, struct envl_error *err)
{
    return say_fail(host_of(target), err, ENVL_E_NOMEM,
                    "out of memory for a table");
}

static enum envl_status
no_column(const struct envl_target *target, const char *name, bool into,
          struct envl_error *err)
{
    say_fail(host_of(target), err, ENVL_E_NOTFOUND, "%s has no column \"%s\"",
             target->table.name, name);
    if (into)
        say_hint(host_of(target), err, "ALTER TABLE \"%s\" ADD COLUMN \"%s\" "
                 "TEXT;", target->table.name, name);
    return ENVL_E_NOTFOUND;
}

/* ---- fields ------------------------------------------------------------- */

static int
find_slot(struct envl_target *target, const struct table_column *column)
{
    for (uint32_t i = 0; i < target->slot_count; i++) {
        if (target->slots[i].column == column)
            return (int)i;
    }
    if (target->slot_count == TARGET_SLOTS)
        return -1;
    target->slots[target->slot_count] = (struct slot){ column->name, column };
    return (int)target->slot_count++;
}

/* A column that a field reads and may write. */
static enum envl_status
take_slot(struct envl_target *target, const char *name, bool into,
          uint32_t *slot, struct envl_error *err)
{
    int index = table_column(&target->table, name), found;
    const struct table_column *column;

    if (index < 0)
        return no_column(target, name, into, err);
    column = &target->table.columns[index];
    if (column->generated)
        return say_fail(host_of(target), err, ENVL_E_POLICY,
                        "%s.%s is a generated column and cannot be written",
                        target->table.name, column->name);
    for (uint32_t i = 0; i < target->key.count; i++) {
        if (target->key.columns[i].column == column)
            return say_fail(host_of(target), err, ENVL_E_POLICY,
                            "%s.%s is in the key and cannot be sealed",
                            target->table.name, column->name);
    }
    found = find_slot(target, column);
    if (found < 0)
        return say_fail(host_of(target), err, ENVL_E_LIMIT,
                        "%s: more than %d columns in one target",
                        target->table.name, TARGET_SLOTS);
    *slot = (uint32_t)found;
    return ENVL_OK;
}

/* STRICT tables hold what they declare. */
static enum envl_status
check_holds(const struct envl_target *target,
            const struct table_column *column, bool document,
            struct envl_error *err)
{
    bool text = column->affinity == TABLE_TEXT;

    if (!target->table.strict || text || column->affinity == TABLE_ANY ||
        (column->affinity == TABLE_BLOB && !document))
        return ENVL_OK;
    say_fail(host_of(target), err, ENVL_E_POLICY,
             "%s.%s is declared %s in a STRICT table and cannot hold %s",
             target->table.name, column->name, column->type,
             document ? "JSON text" : "an envelope");
    say_hint(host_of(target), err, "name a TEXT column under \"into\"");
    return ENVL_E_POLICY;
}

/* spec: JOB-27 */
static enum envl_status
check_clearable(const struct envl_target *target,
                const struct envl_field_spec *spec,
                const struct table_column *column, struct envl_error *err)
{
    if (spec->into == NULL || spec->path.count > 0 || spec->keep_source ||
        !column->not_null)
        return ENVL_OK;
    say_note(host_of(target), ENVL_NOTE_DECIDE, target->table.name,
             "%s is NOT NULL, so the plaintext cannot be removed when the "
             "envelope goes to %s. SQLite drops NOT NULL only by making the "
             "table anew, in one transaction with foreign keys off: CREATE "
             "TABLE new (the same, without NOT NULL on \"%s\"); INSERT INTO "
             "new SELECT * FROM \"%s\"; DROP TABLE \"%s\"; ALTER TABLE new "
             "RENAME TO \"%s\"; then its indexes, triggers and views again.",
             column->name, spec->into, column->name, target->table.name,
             target->table.name, target->table.name);
    say_fail(host_of(target), err, ENVL_E_POLICY,
             "%s.%s is NOT NULL: with \"into\" in place it could not be "
             "emptied", target->table.name, column->name);
    say_hint(host_of(target), err, "make the table anew without NOT NULL on "
             "it (lang_altertable.html, section 7), or use \"mode\": "
             "\"sibling\", or seal without \"into\"");
    return ENVL_E_POLICY;
}

static enum envl_kind
takes(const struct envl_field_spec *spec, const struct table_column *place)
{
    if (spec->path.count > 0)
        return ENVL_KIND_JSON;
    return place->affinity == TABLE_BLOB ? ENVL_KIND_BYTES : ENVL_KIND_TEXT;
}

static enum envl_status
bind_path(struct envl_target *target, const struct envl_field_spec *spec,
          struct field *field, struct envl_error *err)
{
    const struct json_path_spec path = { spec->path, 0, spec->into,
                                         spec->element_id };

    if (spec->path.count == 0)
        return ENVL_OK;
    if (json_path_new(&path, &field->path, NULL) == ENVL_OK)
        return ENVL_OK;
    return say_fail(host_of(target), err, ENVL_E_USAGE,
                    "%s.%s: the path cannot be followed in JSON, or its last "
                    "segment has no sibling", target->table.name,
                    spec->column);
}

static enum envl_status
bind_field(struct envl_target *target, uint32_t index,
           struct envl_field_info *info, struct envl_error *err)
{
    const struct envl_field_spec *spec = &target->spec->fields[index];
    struct field *field = &target->fields[index];
    const struct table_column *source, *place;
    enum envl_status status;
    uint32_t into;

    field->into = -1;
    if (spec->column == NULL)
        return say_fail(host_of(target), err, ENVL_E_USAGE,
                        "%s: field %u names no column", target->table.name,
                        index);
    status = take_slot(target, spec->column, false, &field->slot, err);
    if (status != ENVL_OK)
        return status;
    source = place = target->slots[field->slot].column;
    if (spec->into != NULL && spec->path.count == 0) {
        status = take_slot(target, spec->into, true, &into, err);
        if (status != ENVL_OK)
            return status;
        if (into == field->slot)
            return say_fail(host_of(target), err, ENVL_E_USAGE,
                            "%s.%s: \"into\" is the source itself",
                            target->table.name, source->name);
        field->into = (int)into;
        place = target->slots[into].column;
    }
    status = check_holds(target, place, spec->path.count > 0, err);
    if (status == ENVL_OK)
        status = check_clearable(target, spec, source, err);
    if (status == ENVL_OK)
        status = bind_path(target, spec, field, err);
    *info = (struct envl_field_info){
        .takes = takes(spec, place),
        .max_len = (uint64_t)sqlite3_limit(target->store->db,
                                           SQLITE_LIMIT_LENGTH, -1),
        .source_not_null = source->not_null,
        .column = place->name,
    };
    return status;
}

static enum envl_status
bind_fields(struct envl_target *target, struct envl_error *err)
{
    const struct envl_target_spec *spec = target->spec;
    struct envl_field_info *infos;
    enum envl_status status = ENVL_OK;

    infos = arena_alloc(&target->arena, spec->field_count * sizeof(*infos));
    target->fields = calloc(spec->field_count + 1u, sizeof(*target->fields));
    target->extras = arena_alloc(&target->arena,
                                 spec->extra_count * sizeof(uint32_t));
    if (infos == NULL || target->fields == NULL || target->extras == NULL)
        return no_memory(target, err);
    for (uint32_t i = 0; i < spec->field_count && status == ENVL_OK; i++)
        status = bind_field(target, i, &infos[i], err);
    for (uint32_t i = 0; i < spec->extra_count && status == ENVL_OK; i++) {
        int column = table_column(&target->table, spec->extras[i]);

        if (column < 0)
            status = no_column(target, spec->extras[i], false, err);
        else
            target->extras[i] = (uint32_t)column;
    }
    target->info.fields = infos;
    return status;
}

/* ---- the rest of it ----------------------------------------------------- */

/* A name for the rowid that no column hides; NULL if there is none. */
static enum envl_status
name_rowid(struct envl_target *target, struct envl_error *err)
{
    static const char *const names[] = { "rowid", "_rowid_", "oid" };
    const struct table *table = &target->table;
    struct envl_bytes copy;
    char *quoted;

    if (!table->rowid)
        return ENVL_OK;
    for (size_t i = 0; table->alias < 0 && i < 3; i++) {
        if (table_column(table, names[i]) < 0) {
            target->rowid = names[i];
            return ENVL_OK;
        }
    }
    if (table->alias < 0)
        return ENVL_OK;
    quoted = sqlite3_mprintf("\"%w\"", table->columns[table->alias].name);
    if (quoted == NULL || arena_dup(&target->arena, envl_bytes_of(quoted),
                                    &copy) != ENVL_OK) {
        sqlite3_free(quoted);
        return no_memory(target, err);
    }
    sqlite3_free(quoted);
    target->rowid = (const char *)copy.ptr;
    return ENVL_OK;
}

static enum envl_status
fill_info(struct envl_target *target, struct envl_error *err)
{
    const char **place = arena_alloc(&target->arena, sizeof(*place));
    struct envl_target_info *info = &target->info;

    if (place == NULL)
        return no_memory(target, err);
    place[0] = target->table.name;
    info->label = target->table.name;
    info->place = place; /* spec: JOB-31 */
    info->place_count = 1;
    info->has_ids = true;
    info->finds_unsealed = true; /* but not inside documents */
    for (uint32_t i = 0; i < target->spec->field_count; i++)
        info->finds_unsealed &= target->fields[i].path == NULL;
    return survey_estimate(target, &info->rows, err);
}

static enum envl_status
schema_version(struct envl_store *store, int64_t *out, struct envl_error *err)
{
    int code = sqlite3_step(store->version);

    *out = sqlite3_column_int64(store->version, 0);
    sqlite3_reset(store->version);
    return code == SQLITE_ROW ? ENVL_OK
                              : db_fail(store, err, code,
                                        "reading the schema");
}

enum envl_status
target_check_schema(struct envl_target *target, struct envl_error *err)
{
    const char *name = target->table.name;
    uint8_t fingerprint[32];
    int64_t version;
    enum envl_status status = schema_version(target->store, &version, err);

    if (status != ENVL_OK || version == target->schema_version)
        return status;
    status = table_fingerprint(target->store, name, fingerprint, err);
    if (status != ENVL_OK)
        return status;
    if (memcmp(fingerprint, target->fingerprint, 32) == 0) {
        target->schema_version = version;
        return ENVL_OK;
    }
    say_fail(host_of(target), err, ENVL_E_DATABASE, "the definition of %s, "
             "its indexes or its triggers changed while it was swept", name);
    say_hint(host_of(target), err, "run plan to see what is new, then run the "
             "job again: it goes on where it was");
    return ENVL_E_DATABASE;
}

static enum envl_status
bind_all(struct envl_target *target, struct envl_error *err)
{
    struct envl_store *store = target->store;
    enum envl_status status;

    status = schema_version(store, &target->schema_version, err);
    if (status == ENVL_OK)
        status = table_load(store, target->spec->table, &target->arena,
                            &target->table, err);
    if (status == ENVL_OK)
        status = table_fingerprint(store, target->table.name,
                                   target->fingerprint, err);
    if (status == ENVL_OK)
        status = key_choose(store, &target->table, target->spec,
                            &target->arena, &target->key, err);
    if (status == ENVL_OK)
        status = bind_fields(target, err);
    if (status == ENVL_OK)
        status = name_rowid(target, err);
    if (status == ENVL_OK)
        status = depend_check(target, err);
    if (status == ENVL_OK)
        status = survey_check(target, err);
    if (status == ENVL_OK)
        status = fill_info(target, err);
    return status;
}

enum envl_status
target_bind(struct envl_store *store, const struct envl_target_spec *spec,
            struct envl_target **out, struct envl_error *err)
{
    struct envl_target *target = calloc(1, sizeof(*target));
    enum envl_status status;

    if (target == NULL)
        return say_fail(store->host, err, ENVL_E_NOMEM,
                        "out of memory for a table");
    target->store = store;
    target->spec = spec;
    status = bind_all(target, err);
    /* Counting filled the page cache, which a connection that only keeps a
       lease would hold on to for as long as the job runs. */
    (void)sqlite3_db_release_memory(store->db);
    if (status == ENVL_OK)
        *out = target;
    else
        target_unbind(target);
    return status;
}

void
target_unbind(struct envl_target *target)
{
    if (target == NULL)
        return;
    statement_free(target);
    for (uint32_t i = 0; target->fields != NULL &&
                         i < target->spec->field_count; i++)
        json_path_free(target->fields[i].path);
    envl_buf_free(&target->spliced);
    arena_free(&target->batch);
    page_free(target->ready);
    free(target->fields);
    free(target->edits);
    free(target->entries);
    free(target->sorted);
    arena_free(&target->arena);
    free(target);
}

const struct envl_target_info *
target_info(struct envl_target *target)
{
    return &target->info;
}
