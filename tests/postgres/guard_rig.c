#include "guard_rig.h"

static const bool empty_ok[8] = { true, true, true, true,
                                  true, true, true, true };

enum envl_status
guard_set_to(struct rig *rig, enum envl_guard_stage stage)
{
    struct envl_guard_spec spec = { "j", stage, empty_ok };

    return OPS->guard_set(rig->target, &spec, &rig->err);
}

void
guard_assert_set(struct rig *rig, enum envl_guard_stage stage)
{
    if (guard_set_to(rig, stage) != ENVL_OK)
        fail_msg("%s", rig->err.message);
}

struct envl_guard_info
guard_look(struct rig *rig)
{
    struct envl_guard_spec spec = { "j", ENVL_GUARD_OFF, empty_ok };
    struct envl_guard_info info;

    if (OPS->guard_read(rig->target, &spec, &info, &rig->err) != ENVL_OK)
        fail_msg("%s", rig->err.message);
    return info;
}

void
guard_assert_stage(struct rig *rig, enum envl_guard_stage stage,
                   uint64_t writes)
{
    struct envl_guard_info info = guard_look(rig);

    if (info.stage != stage)
        fail_msg("stage %d, not %d: %s", (int)info.stage, (int)stage,
                 info.gap_count > 0 ? info.gaps[0] : "no gap");
    assert_int_equal(info.writes, writes);
}

bool
guard_gap(struct rig *rig, const char *text)
{
    struct envl_guard_info info = guard_look(rig);

    for (uint32_t i = 0; i < info.gap_count; i++) {
        if (strstr(info.gaps[i], text) != NULL)
            return true;
    }
    return false;
}

void
guard_allows(struct rig *rig, const char *sql)
{
    rig_sql(rig, sql);
}

static const char *
field_of(const PGresult *result, int field)
{
    const char *text = PQresultErrorField(result, field);

    return text == NULL ? "" : text;
}

void
guard_refuses(struct rig *rig, const char *sql)
{
    static const int shown[] = { PG_DIAG_MESSAGE_DETAIL, PG_DIAG_CONTEXT,
                                 PG_DIAG_MESSAGE_HINT };
    PGresult *result = PQexec(rig->other, sql);
    const char *message = field_of(result, PG_DIAG_MESSAGE_PRIMARY);

    if (strncmp(message, "plaintext is refused in ", 24) != 0)
        fail_msg("%s: not refused: %s", sql, message);
    assert_string_equal(field_of(result, PG_DIAG_SQLSTATE), "23514");
    assert_null(strstr(message + 9, "plain"));
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        assert_null(strstr(field_of(result, shown[i]), "plain"));
    PQclear(result);
}

bool
guard_says(struct rig *rig, const char *sql, const char *text)
{
    PGresult *result = PQexec(rig->other, sql);
    bool found = strstr(field_of(result, PG_DIAG_MESSAGE_PRIMARY), text) ||
                 strstr(field_of(result, PG_DIAG_MESSAGE_DETAIL), text);

    PQclear(result);
    return found;
}

char *
guard_dump(void)
{
    char command[256], *text = NULL;
    size_t len = 0;
    FILE *pipe, *copy = open_memstream(&text, &len);
    int c;

    snprintf(command, sizeof(command), "pg_dump --schema-only -h %s/s -U "
             "postgres postgres | grep -v restrict", cluster_dir());
    pipe = popen(command, "r");
    assert_non_null(pipe);
    while ((c = fgetc(pipe)) != EOF)
        fputc(c, copy);
    assert_int_equal(pclose(pipe), 0);
    fclose(copy);
    assert_true(len > 200);
    return text;
}
