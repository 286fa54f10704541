#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "engine/job.h"
#include "engine/job_overlap.h"
#include "engine/job_settings.h"
#include "engine/job_target.h"
#include "engine/job_text.h"

/* A job and what its pointers point into. */
struct owned {
    struct job job;
    struct slab slab;
    json_t *json;
};

static const struct job_member members[] = {
    { "envelope_job", JOB_REQUIRED }, { "name", JOB_REQUIRED },
    { "source", JOB_REQUIRED },       { "targets", JOB_REQUIRED },
    { "kid", JOB_OPTIONAL },          { "scope", JOB_OPTIONAL },
    { "on", JOB_OPTIONAL },           { "pace", JOB_OPTIONAL },
    { "yield_to", JOB_OPTIONAL },     { "limits", JOB_OPTIONAL },
    { "audit", JOB_OPTIONAL },        { "tls", JOB_OPTIONAL },
    { "allow_log_exposure", JOB_OPTIONAL }, { NULL, JOB_OPTIONAL },
};

/* Which members of "source" a driver takes, and of which exactly one. */
static const struct source {
    const char *driver;
    struct job_member members[7];
    const char *one_of[4];
    bool tables, collections;
} sources[] = {
    { "sqlite",
      { { "driver", JOB_REQUIRED }, { "path", JOB_REQUIRED } },
      { NULL }, true, false },
    { "postgres",
      { { "driver", JOB_REQUIRED }, { "dsn_env", JOB_OPTIONAL },
        { "dsn_file", JOB_OPTIONAL }, { "service", JOB_OPTIONAL } },
      { "dsn_env", "dsn_file", "service", NULL }, true, false },
    { "mongo",
      { { "driver", JOB_REQUIRED }, { "database", JOB_REQUIRED },
        { "dsn_env", JOB_OPTIONAL }, { "dsn_file", JOB_OPTIONAL } },
      { "dsn_env", "dsn_file", NULL }, false, true },
    { NULL, /* another vendor's */
      { { "driver", JOB_REQUIRED }, { "path", JOB_OPTIONAL },
        { "dsn_env", JOB_OPTIONAL }, { "dsn_file", JOB_OPTIONAL },
        { "service", JOB_OPTIONAL }, { "database", JOB_OPTIONAL } },
      { NULL }, true, true },
};

static const struct source *
source_of(const char *driver)
{
    const struct source *source = sources;

    while (source->driver != NULL && strcmp(source->driver, driver) != 0)
        source++;
    return source;
}

static enum envl_status
check_one_of(const struct job_node *node, const struct source *source)
{
    unsigned given = 0;

    if (source->one_of[0] == NULL)
        return ENVL_OK;
    for (size_t i = 0; source->one_of[i] != NULL; i++)
        given += json_object_get(node->json, source->one_of[i]) != NULL;
    if (given == 1)
        return ENVL_OK;
    (void)job_node_fail(node, "how to connect must be said, once");
    envl_hint(node->reader->err, "\"dsn_env\": an environment variable, "
              "\"dsn_file\": a file that holds the connection string%s",
              source->one_of[2] != NULL ? ", \"service\": of pg_service.conf"
                                        : "");
    return ENVL_E_USAGE;
}

/* spec: JOB-2, JOB-3 */
static enum envl_status
parse_source(const struct job_node *node, struct job *job)
{
    static const struct job_member any[] = { { "driver", JOB_REQUIRED },
                                             { NULL, JOB_OPTIONAL } };
    const struct source *source;
    enum envl_status status;
    struct job_node at;
    const char *text;
    char *dump;
    size_t len;

    if (!job_node_member(node, "driver", &at))
        return job_node_object(node, any);
    if ((status = job_node_text(&at, &job->driver)) != ENVL_OK)
        return status;
    len = strlen(job->driver);
    if (len > 32 || strspn(job->driver, "abcdefghijklmnopqrstuvwxyz"
                                        "0123456789-") != len)
        return job_node_fail(&at, "the name of a plugin is expected: 1 to 32 "
                                  "of a-z 0-9 -");
    source = source_of(job->driver);
    if ((status = job_node_object(node, source->members)) != ENVL_OK)
        return status;
    for (const struct job_member *m = source->members; m->name != NULL; m++) {
        if (job_node_member(node, m->name, &at) &&
            (status = job_node_text(&at, &text)) != ENVL_OK)
            return status;
    }
    if (job_node_member(node, "dsn_env", &at)) {
        text = json_string_value(at.json);
        if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                         "_0123456789") != strlen(text) ||
            strchr("0123456789", text[0]) != NULL)
            return job_node_fail(&at, "the name of an environment variable is "
                                      "expected, not a connection string");
    }
    if ((status = check_one_of(node, source)) != ENVL_OK)
        return status;
    if ((dump = json_dumps(node->json, JSON_COMPACT)) == NULL)
        return envl_fail(node->reader->err, ENVL_E_NOMEM,
                         "out of memory for a job");
    job->source_json = slab_copy(node->reader->slab, envl_bytes_of(dump),
                                 node->reader->err);
    free(dump);
    return job->source_json == NULL ? ENVL_E_NOMEM : ENVL_OK;
}

static enum envl_status
parse_targets(const struct job_node *node, struct job *job)
{
    const struct source *source = source_of(job->driver);
    struct job_target *targets;
    enum envl_status status;
    size_t count;

    if ((status = job_node_array(node, JOB_MAX_TARGETS, &count)) != ENVL_OK)
        return status;
    if ((targets = job_node_take(node, count, sizeof(*targets))) == NULL)
        return ENVL_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct job_node item = job_node_element(node, i);
        bool table = json_object_get(item.json, "table") != NULL;

        if ((status = job_target_parse(&item, &targets[i])) != ENVL_OK)
            return status;
        if (table ? !source->tables : !source->collections)
            return job_node_fail(&item, "driver \"%s\" has %s", job->driver,
                                 table ? "no tables, but collections"
                                       : "no collections, but tables");
    }
    job->targets = targets;
    job->target_count = (uint32_t)count;
    return job_overlap_check(node->up, targets, job->target_count,
                             strcmp(job->driver, "sqlite") == 0);
}

/* spec: JOB-4 */
static enum envl_status
parse_key(const struct job_node *node, struct job *job)
{
    static const struct job_member from[] = { { "from", JOB_LATER },
                                              { NULL, JOB_OPTIONAL } };
    enum envl_status status = ENVL_OK;
    struct job_node at;

    if (job_node_member(node, "kid", &at))
        status = job_node_name(&at, &job->kid);
    if (status == ENVL_OK && job_node_member(node, "scope", &at)) {
        if (json_is_object(at.json)) {
            status = job_node_object(&at, from);
            return status != ENVL_OK
                       ? status
                       : job_node_fail(&at, "a name is expected");
        }
        status = job_node_name(&at, &job->scope);
    }
    return status;
}

static enum envl_status
parse_head(const struct job_node *node, struct job *job)
{
    static const char *const tls[] = { "verify", "any", NULL };
    enum envl_status status;
    struct job_node at;
    uint64_t version;
    unsigned word = 0;

    if (!job_node_member(node, "envelope_job", &at))
        return job_node_fail(node, "member \"envelope_job\" is missing: this "
                                   "is no job file");
    if (!json_is_number(at.json) ||
        job_node_number(&at, 1, 1, &version) != ENVL_OK)
        return job_node_fail(&at, "only version 1 is understood");
    if ((status = job_node_object(node, members)) != ENVL_OK)
        return status;
    (void)job_node_member(node, "name", &at);
    if ((status = job_node_name(&at, &job->name)) != ENVL_OK)
        return status;
    if (job_node_member(node, "tls", &at) &&
        (status = job_node_word(&at, tls, &word)) != ENVL_OK)
        return status;
    job->tls_any = word == 1;
    if (job_node_member(node, "allow_log_exposure", &at))
        status = job_node_boolean(&at, &job->allow_log_exposure);
    return status;
}

static enum envl_status
parse_all(const struct job_node *root, struct job *job)
{
    static const struct {
        const char *name;
        enum envl_status (*parse)(const struct job_node *node,
                                  struct job *job);
    } parts[] = {
        { "source", parse_source },
        { "targets", parse_targets },
        { "on", job_settings_on },
        { "pace", job_settings_pace },
        { "yield_to", job_settings_yield_to },
        { "limits", job_settings_limits },
        { "audit", job_settings_audit },
    };
    enum envl_status status;
    struct job_node at;

    job_settings_default(job);
    if ((status = parse_head(root, job)) != ENVL_OK ||
        (status = parse_key(root, job)) != ENVL_OK)
        return status;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (job_node_member(root, parts[i].name, &at) &&
            (status = parts[i].parse(&at, job)) != ENVL_OK)
            return status;
    }
    return ENVL_OK;
}

enum envl_status
job_parse(struct envl_bytes text, struct job **out, struct envl_error *err)
{
    struct owned *owned = calloc(1, sizeof(*owned));
    uint8_t digest[crypto_hash_sha256_BYTES];
    struct job_reader reader;
    struct job_node root;
    enum envl_status status;

    if (owned == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a job");
    owned->job.owned = owned;
    if ((status = job_text_parse(text, &owned->json, err)) != ENVL_OK)
        goto out;
    reader = (struct job_reader){ &owned->slab, err };
    root = (struct job_node){ &reader, NULL, NULL, 0, owned->json };
    if (!json_is_object(owned->json))
        status = job_node_fail(&root, "an object is expected");
    else
        status = parse_all(&root, &owned->job);
    if (status != ENVL_OK)
        goto out;
    (void)crypto_hash_sha256(digest, text.ptr, text.len);
    (void)sodium_bin2hex(owned->job.digest, sizeof(owned->job.digest), digest,
                         sizeof(digest));
    *out = &owned->job;
    owned = NULL;

out:
    if (owned != NULL)
        job_free(&owned->job);
    return status;
}

enum envl_status
job_load(const char *path, struct job **out, struct envl_error *err)
{
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status = job_text_read(path, &text, err);

    if (status == ENVL_OK)
        status = job_parse(envl_buf_view(&text), out, err);
    envl_buf_free(&text);
    return status;
}

void
job_free(struct job *job)
{
    struct owned *owned;

    if (job == NULL)
        return;
    owned = job->owned;
    slab_free(&owned->slab);
    json_decref(owned->json);
    free(owned);
}
