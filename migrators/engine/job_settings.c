#include "engine/job_settings.h"

/* spec: JOB-40, the column "default" */
void
job_settings_default(struct job *job)
{
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++)
        job->on[i] = JOB_QUARANTINE;
    job->on[ROW_ABSENT] = job->on[ROW_NULL] = JOB_SKIP;
    job->on[ROW_EMPTY] = job->on[ROW_SEALED_CURRENT] = JOB_SKIP;
    job->on[ROW_SEALED_OLD_KID] = JOB_SKIP;
    job->on[ROW_PLAINTEXT] = JOB_SEAL;
    /* spec: JOB, section 7 */
    job->pace = (struct job_pace){ .target_ms = 200, .rows_min = 50,
                                   .rows_max = 5000, .bytes = 4194304,
                                   .workers = 1 };
    job->lock_ms = 250;
    job->statement_ms = 15000;
}

/* spec: JOB-42; no action makes another state than plaintext be sealed. */
enum envl_status
job_settings_on(const struct job_node *node, struct job *job)
{
    static const char *const actions[] = { "skip", "quarantine", "stop",
                                           NULL };
    static const char *const plain[] = { "seal", "quarantine", "stop", NULL };
    struct job_member states[ROW_STATE_COUNT + 1] = { { NULL, JOB_OPTIONAL } };
    enum envl_status status;
    struct job_node at;
    unsigned word;

    for (unsigned i = 0; i < ROW_STATE_COUNT; i++)
        states[i].name = row_state_name((enum row_state)i);
    if ((status = job_node_object(node, states)) != ENVL_OK)
        return status;
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++) {
        bool seal = i == ROW_PLAINTEXT;

        if (!job_node_member(node, states[i].name, &at))
            continue;
        status = job_node_word(&at, seal ? plain : actions, &word);
        if (status != ENVL_OK)
            return status;
        job->on[i] = word == 1   ? JOB_QUARANTINE
                     : word == 2 ? JOB_STOP
                     : seal      ? JOB_SEAL
                                 : JOB_SKIP;
    }
    return ENVL_OK;
}

/* A number that a member may give; ${out} keeps its default without it. */
static enum envl_status
take(const struct job_node *node, const char *name, uint64_t min,
     uint64_t max, uint32_t *out)
{
    struct job_node at;
    uint64_t value;
    enum envl_status status;

    if (!job_node_member(node, name, &at))
        return ENVL_OK;
    if ((status = job_node_number(&at, min, max, &value)) == ENVL_OK)
        *out = (uint32_t)value;
    return status;
}

static enum envl_status
parse_rows(const struct job_node *node, struct job_pace *pace)
{
    enum envl_status status;
    uint64_t bounds[2];
    size_t count;

    if ((status = job_node_array(node, 2, &count)) != ENVL_OK)
        return status;
    if (count != 2)
        return job_node_fail(node, "[least, most] is expected");
    for (size_t i = 0; i < 2; i++) {
        struct job_node item = job_node_element(node, i);

        status = job_node_number(&item, 1, 100000, &bounds[i]);
        if (status != ENVL_OK)
            return status;
    }
    if (bounds[0] > bounds[1])
        return job_node_fail(node, "the least is above the most");
    pace->rows_min = (uint32_t)bounds[0];
    pace->rows_max = (uint32_t)bounds[1];
    pace->rows_given = true;
    return ENVL_OK;
}

/* spec: JOB, section 7 */
enum envl_status
job_settings_pace(const struct job_node *node, struct job *job)
{
    static const struct job_member known[] = {
        { "target_ms", JOB_OPTIONAL }, { "rows", JOB_OPTIONAL },
        { "bytes", JOB_OPTIONAL },     { "workers", JOB_OPTIONAL },
        { "max_rows_per_s", JOB_OPTIONAL }, { "window", JOB_LATER },
        { NULL, JOB_OPTIONAL },
    };
    struct job_pace *pace = &job->pace;
    enum envl_status status;
    struct job_node at;

    if ((status = job_node_object(node, known)) != ENVL_OK ||
        (status = take(node, "target_ms", 1, 60000, &pace->target_ms)) !=
            ENVL_OK ||
        (status = take(node, "workers", 1, 256, &pace->workers)) != ENVL_OK ||
        (status = take(node, "max_rows_per_s", 0, UINT32_MAX,
                       &pace->max_rows_per_s)) != ENVL_OK)
        return status;
    pace->bytes_given = job_node_member(node, "bytes", &at);
    if (pace->bytes_given &&
        (status = job_node_number(&at, 4096, 1073741824, &pace->bytes)) !=
            ENVL_OK)
        return status;
    if (job_node_member(node, "rows", &at))
        status = parse_rows(&at, pace);
    return status;
}

enum envl_status
job_settings_yield_to(const struct job_node *node, struct job *job)
{
    static const struct job_member known[] = {
        { "replica_lag_s", JOB_LATER },   { "wal_archive_ready", JOB_LATER },
        { "vacuum_on_table", JOB_LATER }, { "xmin_age_s", JOB_LATER },
        { "active_sessions", JOB_LATER }, { "query", JOB_LATER },
        { "flag_file", JOB_OPTIONAL },    { NULL, JOB_OPTIONAL },
    };
    enum envl_status status = job_node_object(node, known);
    struct job_node at;

    if (status == ENVL_OK && job_node_member(node, "flag_file", &at))
        status = job_node_text(&at, &job->pace.flag_file);
    return status;
}

enum envl_status
job_settings_limits(const struct job_node *node, struct job *job)
{
    static const struct job_member known[] = {
        { "lock_ms", JOB_OPTIONAL },       { "statement_ms", JOB_OPTIONAL },
        { "max_blocked_rows", JOB_LATER }, { "max_error_rate", JOB_LATER },
        { NULL, JOB_OPTIONAL },
    };
    enum envl_status status = job_node_object(node, known);

    if (status == ENVL_OK)
        status = take(node, "lock_ms", 1, 60000, &job->lock_ms);
    if (status == ENVL_OK)
        status = take(node, "statement_ms", 100, 3600000, &job->statement_ms);
    return status;
}

enum envl_status
job_settings_audit(const struct job_node *node, struct job *job)
{
    static const struct job_member known[] = { { "file", JOB_REQUIRED },
                                               { NULL, JOB_OPTIONAL } };
    enum envl_status status = job_node_object(node, known);
    struct job_node at;

    if (status == ENVL_OK && job_node_member(node, "file", &at))
        status = job_node_text(&at, &job->audit_file);
    return status;
}
