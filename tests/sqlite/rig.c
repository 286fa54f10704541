#include <dirent.h>
#include <unistd.h>

#include "rig.h"

/* The spec of the last bind: one at a time is enough here. */
static struct {
    struct envl_target_spec spec;
    struct envl_field_spec fields[4];
    struct envl_segment segments[4][6];
} bound;

/* ---- the host ----------------------------------------------------------- */

static enum envl_status
host_fail(struct envl_error *err, enum envl_status status, const char *message)
{
    return envl_fail(err, status, "%s", message);
}

static void
host_hint(struct envl_error *err, const char *message)
{
    envl_hint(err, "%s", message);
}

static void
host_note(void *cookie, enum envl_note level, const char *target,
          const char *text)
{
    static const char *const levels[] = { "INFO", "WARN", "DECIDE", "GRANT" };
    struct rig *rig = cookie;
    size_t len = strlen(rig->notes);

    (void)target;
    snprintf(rig->notes + len, sizeof(rig->notes) - len, "%s %s\n",
             levels[level], text);
}

/* ---- opening ------------------------------------------------------------ */

enum envl_status
rig_try_open(struct rig *rig, const char *source)
{
    rig->host = (struct envl_host){
        .size = sizeof(rig->host), .fail = host_fail, .hint = host_hint,
        .note = host_note, .cookie = rig, .lock_ms = 100,
        .statement_ms = 15000,
    };
    return OPS->open(source, &rig->host, &rig->store, &rig->err);
}

void
rig_open(struct rig *rig, const char *sql)
{
    const char *tmp = getenv("TMPDIR");
    char source[160];

    memset(rig, 0, sizeof(*rig));
    snprintf(rig->dir, sizeof(rig->dir), "%s/envl-sqlite-XXXXXX",
             tmp == NULL || strlen(tmp) > 40 ? "/tmp" : tmp);
    assert_non_null(mkdtemp(rig->dir));
    snprintf(rig->path, sizeof(rig->path), "%s/t.db", rig->dir);
    assert_int_equal(sqlite3_open(rig->path, &rig->other), SQLITE_OK);
    sqlite3_busy_timeout(rig->other, 30000);
    rig_sql(rig, sql);
    snprintf(source, sizeof(source),
             "{\"driver\":\"sqlite\",\"path\":\"%s\"}", rig->path);
    if (rig_try_open(rig, source) != ENVL_OK)
        fail_msg("%s", rig->err.message);
}

void
rig_close(struct rig *rig)
{
    struct dirent *entry;
    char path[512];
    DIR *dir;

    OPS->unbind(rig->target);
    OPS->close(rig->store);
    sqlite3_close(rig->other);
    dir = opendir(rig->dir);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", rig->dir, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(rig->dir);
    memset(rig, 0, sizeof(*rig));
}

/* ---- binding ------------------------------------------------------------ */

static uint32_t
count_texts(const char *const *texts, uint32_t most)
{
    uint32_t count = 0;

    while (count < most && texts[count] != NULL)
        count++;
    return count;
}

enum envl_status
rig_try_bind(struct rig *rig, const struct rig_target *target)
{
    static struct rig_target kept;
    struct envl_target_spec *spec = &bound.spec;

    OPS->unbind(rig->target);
    rig->target = NULL;
    kept = *target;
    memset(&bound, 0, sizeof(bound));
    spec->table = kept.table;
    spec->keys = kept.keys;
    spec->key_count = count_texts(kept.keys, 4);
    spec->where = kept.where;
    spec->extras = kept.extras;
    spec->extra_count = count_texts(kept.extras, 4);
    spec->fields = bound.fields;
    for (uint32_t i = 0; i < 4 && kept.fields[i].column != NULL; i++) {
        const struct rig_field *field = &kept.fields[i];
        struct envl_field_spec *out = &bound.fields[i];

        spec->field_count++;
        out->column = field->column;
        out->into = field->into;
        out->element_id = field->element_id;
        out->keep_source = field->keep_source;
        out->path.segments = bound.segments[i];
        out->path.count = count_texts(field->path, 6);
        for (uint32_t k = 0; k < out->path.count; k++) {
            const char *text = field->path[k];

            bound.segments[i][k] = (struct envl_segment){
                strcmp(text, "*") == 0 ? ENVL_SEGMENT_ANY_MEMBER :
                strcmp(text, "[*]") == 0 ? ENVL_SEGMENT_ANY_ELEMENT :
                ENVL_SEGMENT_MEMBER, envl_bytes_of(text), 0 };
        }
    }
    return OPS->bind(rig->store, spec, &rig->target, &rig->err);
}

void
rig_bind(struct rig *rig, const struct rig_target *spec)
{
    if (rig_try_bind(rig, spec) != ENVL_OK)
        fail_msg("%s", rig->err.message);
}

/* ---- the application ---------------------------------------------------- */

void
rig_sql(struct rig *rig, const char *sql)
{
    if (sqlite3_exec(rig->other, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(rig->other));
}

int64_t
rig_number(struct rig *rig, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t number;

    if (sqlite3_prepare_v2(rig->other, sql, -1, &statement,
                           NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(rig->other));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

void
rig_assert_text(struct rig *rig, const char *sql, const char *expected)
{
    sqlite3_stmt *statement;
    const char *text;

    if (sqlite3_prepare_v2(rig->other, sql, -1, &statement,
                           NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(rig->other));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    text = (const char *)sqlite3_column_text(statement, 0);
    if (expected == NULL)
        assert_null(text);
    else
        assert_string_equal(text == NULL ? "(null)" : text, expected);
    sqlite3_finalize(statement);
}

/* ---- reading and writing ------------------------------------------------ */

struct envl_page *
rig_read_some(struct rig *rig, struct envl_bytes after,
              struct envl_bytes until, uint32_t rows)
{
    struct envl_read read = { .after = after, .until = until, .rows = rows,
                              .bytes = 1u << 30 };
    struct envl_page *page = NULL;

    if (OPS->read_begin(rig->target, &read, &rig->err) != ENVL_OK ||
        OPS->read_end(rig->target, &page, &rig->err) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    return page;
}

struct envl_page *
rig_read(struct rig *rig)
{
    const struct envl_bytes none = { NULL, 0 };

    return rig_read_some(rig, none, none, 100000);
}

struct envl_edit
rig_edit(uint32_t row, uint32_t leaf, uint32_t flags, const char *text)
{
    struct envl_cell put = { ENVL_KIND_TEXT, envl_bytes_of(text) };

    if (text == NULL)
        put.kind = ENVL_KIND_ABSENT;
    return (struct envl_edit){ row, leaf, flags, put };
}

enum envl_status
rig_write(struct rig *rig, const struct envl_page *page,
          const struct envl_edit *edits, uint32_t count,
          enum envl_outcome *outcomes)
{
    enum envl_status status;

    status = OPS->write_begin(rig->target, page, edits, count, &rig->err);
    if (status == ENVL_OK)
        status = OPS->write_end(rig->target, outcomes, &rig->err);
    return status;
}

enum envl_status
rig_commit(struct rig *rig)
{
    struct envl_commit commit = { .record = NULL };
    enum envl_status status;

    status = OPS->commit_begin(rig->store, &commit, &rig->err);
    if (status == ENVL_OK)
        status = OPS->commit_end(rig->store, &rig->err);
    return status;
}

enum envl_outcome
rig_write_one(struct rig *rig, const struct envl_page *page,
              struct envl_edit edit)
{
    enum envl_outcome *outcomes = calloc(page->count, sizeof(*outcomes));
    enum envl_outcome outcome;

    assert_non_null(outcomes);
    if (rig_write(rig, page, &edit, 1, outcomes) != ENVL_OK ||
        rig_commit(rig) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    outcome = outcomes[edit.row];
    free(outcomes);
    return outcome;
}

void
rig_assert_bytes(struct envl_bytes bytes, const char *text)
{
    assert_int_equal(bytes.len, strlen(text));
    if (bytes.len > 0)
        assert_memory_equal(bytes.ptr, text, bytes.len);
}

void
rig_assert_cell(struct envl_cell cell, enum envl_kind kind, const char *text)
{
    assert_int_equal(cell.kind, kind);
    rig_assert_bytes(cell.bytes, text);
}

bool
rig_on_disk(const struct rig *rig, const char *text)
{
    struct dirent *entry;
    DIR *dir = opendir(rig->dir);
    bool found = false;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char path[512], *bytes;
        FILE *file;
        long len;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", rig->dir, entry->d_name);
        file = fopen(path, "rb");
        assert_non_null(file);
        fseek(file, 0, SEEK_END);
        len = ftell(file);
        rewind(file);
        bytes = malloc((size_t)len + 1);
        assert_non_null(bytes);
        assert_int_equal(fread(bytes, 1, (size_t)len, file), len);
        fclose(file);
        found = found || memmem(bytes, (size_t)len, text,
                                strlen(text)) != NULL;
        free(bytes);
    }
    closedir(dir);
    return found;
}
