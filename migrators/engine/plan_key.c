#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan_key.h"

static void
decide(struct env *env, const char *text)
{
    host_note(&env->host, ENVL_NOTE_DECIDE, NULL, text);
}

/* A key that does not seal is found by the plan, not by the sweep. */
static bool
check_state(struct env *env)
{
    char text[160];

    if (env->key.kid[0] == '\0') {
        snprintf(text, sizeof(text), "no key of scope %s is active",
                 env->job->scope == NULL ? "default" : env->job->scope);
    } else if (env->key.state != ENVL_KEY_ACTIVE) {
        snprintf(text, sizeof(text), "key %s is %s: only an active key seals",
                 env->key.kid, envl_key_state_name(env->key.state));
    } else {
        return true;
    }
    decide(env, text);
    return false;
}

/* spec: JOB-53, before anything depends on it */
static bool
check_durable(struct env *env)
{
    struct envl_error err = { 0 };
    char text[600];

    if (env_prove_key(env, &err) == ENVL_OK)
        return true;
    snprintf(text, sizeof(text), "key %s does not open what it seals, as the "
             "keyring is on disk: %s", env->key.kid, err.message);
    decide(env, text);
    return false;
}

static void
check_backup(struct env *env, const struct envl_ring_mark *mark)
{
    const struct engine_options *options = env->options;
    char text[200];

    if (options->backup_generation == 0)
        snprintf(text, sizeof(text), "no backup of the keyring is known: "
                 "envelope key backup --out FILE");
    else if (options->backup_generation < mark->generation)
        snprintf(text, sizeof(text), "the keyring changed since its backup "
                 "(generation %llu, now %llu): envelope key backup --out "
                 "FILE", (unsigned long long)options->backup_generation,
                 (unsigned long long)mark->generation);
    else
        return;
    host_note(&env->host, ENVL_NOTE_WARN, NULL, text);
}

/* One who reported before the key was made cannot open what it seals. */
static json_t *
reader_of(struct env *env, const struct envl_reader_report *report,
          const struct envl_ring_mark *mark)
{
    bool current = report->generation >= mark->generation;
    char text[300];

    if (report->generation == 0) {
        snprintf(text, sizeof(text), "the report of reader %s is not one of "
                 "this keyring", report->reader);
        host_note(&env->host, ENVL_NOTE_WARN, NULL, text);
    } else if (!current && strcmp(report->at, env->key.created) <= 0) {
        snprintf(text, sizeof(text), "reader %s reported generation %llu at "
                 "%s, before key %s was made: it cannot open what is sealed",
                 report->reader, (unsigned long long)report->generation,
                 report->at, env->key.kid);
        decide(env, text);
    } else if (!current) {
        snprintf(text, sizeof(text), "reader %s has generation %llu of the "
                 "keyring, which is at %llu", report->reader,
                 (unsigned long long)report->generation,
                 (unsigned long long)mark->generation);
        host_note(&env->host, ENVL_NOTE_WARN, NULL, text);
    }
    return json_pack("{s:s, s:I, s:s, s:b}", "reader", report->reader,
                     "generation", (json_int_t)report->generation, "at",
                     report->at, "current", current);
}

static json_t *
readers_of(struct env *env, const struct envl_ring_mark *mark)
{
    struct envl_reader_report *reports = NULL;
    struct envl_error err = { 0 };
    json_t *readers = json_array();
    size_t count = 0;

    if (envl_keyring_reports(env->options->ring, env->options->readers,
                             &reports, &count, &err) != ENVL_OK)
        decide(env, err.message);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(readers, reader_of(env, &reports[i], mark));
    free(reports);
    return readers;
}

json_t *
plan_key(struct env *env)
{
    struct envl_ring_mark mark;
    bool durable;
    json_t *key;

    envl_keyring_mark(env->options->ring, &mark);
    durable = check_state(env) && check_durable(env);
    check_backup(env, &mark);
    key = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:I, s:s}",
                    "kid", env->key.kid, "use",
                    envl_key_use_name(env->key.use), "scope", env->key.scope,
                    "state", envl_key_state_name(env->key.state), "created",
                    env->key.created, "keyring", mark.id, "generation",
                    (json_int_t)mark.generation, "durable", durable,
                    "backup_generation",
                    (json_int_t)env->options->backup_generation,
                    "backup_date", env->options->backup_date == NULL
                                       ? ""
                                       : env->options->backup_date);
    if (env->options->readers != NULL)
        json_object_set_new(key, "readers", readers_of(env, &mark));
    return key;
}
