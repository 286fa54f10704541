/*
 * Any bytes as a job file.  A refusal is one printable line; what is accepted
 * keeps what its readers rely on, and is accepted again.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_message(const struct envl_error *err)
{
    check(err->message[0] != '\0');
    for (const char *p = err->message; *p != '\0'; p++)
        check((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void
check_field(const struct job_target *target, uint32_t index)
{
    const struct job_field *field = &target->fields[index];
    const struct envl_field_spec *spec = field->spec;

    check(spec == &target->spec.fields[index]);
    check(spec->column != NULL || spec->path.count > 0);
    check(field->codec_count <= JOB_MAX_CODECS);
    check(field->type >= -1 && field->type <= ENVL_TYPE_JSON);
    check(field->pad == ENVL_PAD_DEFAULT || field->pad == ENVL_PAD_NONE ||
          (field->pad >= 2 && field->pad <= 4096));
    check(!spec->keep_source || spec->into != NULL);
    check(field->context_count <= ENVL_CONTEXT_MAX_PAIRS);
    for (uint32_t i = 0; i < field->context_count; i++) {
        const struct job_pair *pair = &field->context[i];

        check(pair->name.len > 0);
        check(pair->source != JOB_COLUMN ||
              pair->extra < target->spec.extra_count);
        check(pair->source != JOB_ELEMENT || spec->element_id != NULL);
    }
    for (uint32_t i = 0; i < spec->path.count; i++)
        check(spec->path.segments[i].kind != ENVL_SEGMENT_ELEMENT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envl_bytes text = { data, size };
    struct envl_error err = { ENVL_OK, "", "" };
    struct job *job = NULL, *again = NULL;

    if (job_parse(text, &job, &err) != ENVL_OK) {
        check(job == NULL);
        check_message(&err);
        return 0;
    }
    check(job->name != NULL && job->driver != NULL &&
          job->source_json != NULL && job->target_count > 0);
    check(job->pace.rows_min >= 1 && job->pace.rows_min <= job->pace.rows_max);
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++)
        check(job->on[i] != JOB_SEAL || i == ROW_PLAINTEXT);
    for (uint32_t t = 0; t < job->target_count; t++) {
        for (uint32_t f = 0; f < job->targets[t].spec.field_count; f++)
            check_field(&job->targets[t], f);
    }
    check(job_parse(text, &again, NULL) == ENVL_OK);
    check(strcmp(job->digest, again->digest) == 0);
    job_free(again);
    job_free(job);
    return 0;
}
