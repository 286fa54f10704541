#include <string.h>

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
    job->yields[0] = (struct envl_limit){ "vacuum_on_table", 1, NULL, true };
    job->yield_count = 1;
    job->lock_ms = 250;
    job->statement_ms = 15000;
    job->max_blocked = UINT64_MAX;
    job->max_error_rate = 2;
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

/* "22:05-06:00": minutes of the day; false if it is none. */
static bool
read_times(const char *text, uint32_t *from, uint32_t *to)
{
    static const char form[] = "dd:dd-dd:dd ";
    uint32_t two[4] = { 0 };

    for (size_t i = 0, n = 0; form[i] != '\0'; i++) {
        if (form[i] != 'd') {
            if (text[i] != form[i])
                return false;
            n++;
        } else if (text[i] >= '0' && text[i] <= '9') {
            two[n] = two[n] * 10 + (uint32_t)(text[i] - '0');
        } else {
            return false;
        }
    }
    *from = two[0] * 60 + two[1];
    *to = two[2] * 60 + two[3];
    return two[0] < 24 && two[1] < 60 && two[2] < 24 && two[3] < 60;
}

/* spec: JOB-73; whether the zone is known is asked where it is used. */
static enum envl_status
parse_window(const struct job_node *node, struct job_window *out)
{
    const char *text;
    enum envl_status status = job_node_text(node, &text);
    size_t head = strlen("22:00-06:00 ");

    if (status != ENVL_OK)
        return status;
    *out = (struct job_window){ .text = text };
    if (strlen(text) <= head || !read_times(text, &out->from, &out->to) ||
        strspn(text + head, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                            "wxyz0123456789_+/-") != strlen(text + head))
        return job_node_fail(node, "HH:MM-HH:MM and a time zone are "
                             "expected, such as \"22:00-06:00 "
                             "Europe/Berlin\"");
    if (out->from == out->to)
        return job_node_fail(node, "a window that ends when it begins");
    out->zone = text + head;
    return ENVL_OK;
}

/* spec: JOB, section 7 */
enum envl_status
job_settings_pace(const struct job_node *node, struct job *job)
{
    static const struct job_member known[] = {
        { "target_ms", JOB_OPTIONAL }, { "rows", JOB_OPTIONAL },
        { "bytes", JOB_OPTIONAL },     { "workers", JOB_OPTIONAL },
        { "max_rows_per_s", JOB_OPTIONAL }, { "window", JOB_OPTIONAL },
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
    if (job_node_member(node, "rows", &at) &&
        (status = parse_rows(&at, pace)) != ENVL_OK)
        return status;
    if (job_node_member(node, "window", &at))
        status = parse_window(&at, &pace->window);
    return status;
}

/* One member that the plugin looks at, taken as it is. */
static enum envl_status
parse_yield(const struct job_node *at, struct envl_limit *out)
{
    bool yes = false;
    enum envl_status status;

    *out = (struct envl_limit){ .name = at->name };
    if (strcmp(at->name, "query") == 0)
        return job_node_text(at, &out->text);
    if (strcmp(at->name, "vacuum_on_table") == 0) {
        status = job_node_boolean(at, &yes);
        out->number = yes;
        return status;
    }
    if (strcmp(at->name, "replica_lag_s") == 0)
        return job_node_real(at, 0, 86400, &out->number);
    return job_node_real(at, strcmp(at->name, "active_sessions") == 0 ? 1 : 0,
                         1e9, &out->number);
}

/* spec: JOB-71, JOB-72; what is cheap to look at comes first. */
enum envl_status
job_settings_yield_to(const struct job_node *node, struct job *job)
{
    static const struct job_member known[] = {
        { "vacuum_on_table", JOB_OPTIONAL }, { "replica_lag_s", JOB_OPTIONAL },
        { "wal_archive_ready", JOB_OPTIONAL }, { "xmin_age_s", JOB_OPTIONAL },
        { "active_sessions", JOB_OPTIONAL },   { "query", JOB_OPTIONAL },
        { "flag_file", JOB_OPTIONAL },         { NULL, JOB_OPTIONAL },
    };
    enum envl_status status = job_node_object(node, known);
    struct envl_limit limit;
    struct job_node at;

    if (status == ENVL_OK && job_node_member(node, "flag_file", &at))
        status = job_node_text(&at, &job->pace.flag_file);
    for (size_t i = 0; status == ENVL_OK && known[i].name != NULL; i++) {
        if (strcmp(known[i].name, "flag_file") == 0 ||
            !job_node_member(node, known[i].name, &at))
            continue;
        at.name = known[i].name;
        if ((status = parse_yield(&at, &limit)) != ENVL_OK)
            return status;
        if (strcmp(limit.name, "vacuum_on_table") != 0)
            job->yields[job->yield_count++] = limit;
        else if (limit.number > 0)
            job->yields[0] = limit;
        else
            job->yield_count = 0; /* it is the first */
    }
    return status;
}

enum envl_status
job_settings_limits(const struct job_node *node, struct job *job)
{
    static const struct job_member known[] = {
        { "lock_ms", JOB_OPTIONAL },
        { "statement_ms", JOB_OPTIONAL },
        { "max_blocked_rows", JOB_OPTIONAL },
        { "max_error_rate", JOB_OPTIONAL },
        { NULL, JOB_OPTIONAL },
    };
    enum envl_status status = job_node_object(node, known);
    struct job_node at;

    if (status == ENVL_OK)
        status = take(node, "lock_ms", 1, 60000, &job->lock_ms);
    if (status == ENVL_OK)
        status = take(node, "statement_ms", 100, 3600000, &job->statement_ms);
    if (status == ENVL_OK && job_node_member(node, "max_blocked_rows", &at))
        status = job_node_number(&at, 0, INT64_MAX, &job->max_blocked);
    if (status == ENVL_OK && job_node_member(node, "max_error_rate", &at))
        status = job_node_real(&at, 0, 1, &job->max_error_rate);
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
