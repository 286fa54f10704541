#include <string.h>

#include "common/say.h"
#include "mongo/command.h"
#include "mongo/fault.h"
#include "mongo/guard.h"
#include "mongo/guard_note.h"
#include "mongo/guard_rule.h"
#include "mongo/server.h"

/* What one call works with. */
struct work {
    struct envl_target *target;
    const struct envl_guard_spec *spec;
    bson_t rule;             /* as the job's fields ask for it     */
    struct guard_schema now; /* as the server has it               */
    struct guard_schema own; /* the application's                  */
    struct guard_note note;
    struct guard_entry entry; /* of this job; into ${note}          */
};

static enum envl_status
work_begin(struct work *work, struct envl_target *target,
           const struct envl_guard_spec *spec, struct envl_error *err)
{
    enum envl_status status;

    *work = (struct work){ .target = target, .spec = spec };
    bson_init(&work->rule);
    bson_init(&work->own.validator);
    bson_init(&work->note.document);
    guard_rule_append(target, spec, &work->rule);
    status = guard_schema_read(target, &work->now, err);
    if (status == ENVL_OK) {
        bson_destroy(&work->note.document);
        status = guard_note_read(target, &work->note, err);
    }
    guard_note_entry(&work->note, spec->job, &work->entry);
    bson_destroy(&work->own.validator);
    /* No guard stands: what does is the application's. */
    if (!guard_note_stands(&work->note, &work->now)) {
        work->own = work->now;
        bson_copy_to(&work->now.validator, &work->own.validator);
    } else {
        guard_note_own(&work->note, &work->own);
    }
    return status;
}

static void
work_end(struct work *work)
{
    bson_destroy(&work->rule);
    guard_schema_free(&work->now);
    guard_schema_free(&work->own);
    guard_note_free(&work->note);
}

/* ---- what cannot be ----------------------------------------------------- */

static enum envl_status
refuse(const struct work *work, const char *why, const char *hint,
       struct envl_error *err)
{
    const struct envl_host *host = work->target->store->host;

    say_fail(host, err, ENVL_E_POLICY, "%s: %s", work->target->name, why);
    say_hint(host, err, "%s", hint);
    return ENVL_E_POLICY;
}

static enum envl_status
check_server(const struct work *work, enum envl_guard_stage stage,
             struct envl_error *err)
{
    const struct envl_store *store = work->target->store;

    if (stage == ENVL_GUARD_OFF)
        return ENVL_OK;
    if (!store->server.coll_mod) {
        say_fail(store->host, err, ENVL_E_POLICY, "%s: this server (%s) has "
                 "no collMod, so no validator can be set: it cannot refuse "
                 "what is written", work->target->name,
                 server_make_name(&store->server));
        say_hint(store->host, err, "`envelope verify JOB`, run often, finds "
                 "plaintext that came back");
        return ENVL_E_POLICY;
    }
    if (stage == ENVL_GUARD_OBSERVE) /* spec: MIG-68 */
        return refuse(work, "a validator that only warns writes the whole "
                      "document into the server's log",
                      "`envelope verify JOB` counts plaintext; begin with "
                      "moderate when no application writes any", err);
    return ENVL_OK;
}

/* One action and one level hold for all that stands in a validator. */
static enum envl_status
check_own(const struct work *work, enum envl_guard_stage stage,
          struct envl_error *err)
{
    if (stage == ENVL_GUARD_OFF || bson_empty(&work->own.validator))
        return ENVL_OK;
    if (strcmp(work->own.action, "error") != 0 ||
        strcmp(work->own.level, "off") == 0)
        return refuse(work, "its own validator does not refuse anything, and "
                      "a guard would make it do so",
                      "validationAction: \"error\" for it first, or take it "
                      "away", err);
    if (stage == ENVL_GUARD_STRICT && strcmp(work->own.level, "strict") != 0)
        return refuse(work, "its own validator is at validationLevel "
                      "\"moderate\", and strict would make it stricter",
                      "stay at moderate, or collMod it to \"strict\" first",
                      err);
    return ENVL_OK;
}

/* ---- asking for plaintext ----------------------------------------------- */

/*
 * Whether any document breaks the rule; also tells whether the server
 * understands the rule at all.
 */
static enum envl_status
find_plaintext(const struct work *work, bool *found, struct envl_error *err)
{
    struct envl_store *store = work->target->store;
    bson_t *find = BCON_NEW(
        "find", BCON_UTF8(work->target->name), "filter", "{", "$nor", "[",
        BCON_DOCUMENT(&work->rule), "]", "}", "projection", "{", "_id",
        BCON_INT32(1), "}", "limit", BCON_INT32(1), "singleBatch",
        BCON_BOOL(true));
    enum envl_status status = ENVL_OK;
    struct answer answer;
    bson_iter_t list;

    *found = false;
    if (command_run(store, store->database, find, &answer) &&
        command_batch(&answer, &list))
        *found = bson_iter_next(&list);
    else if (answer.ok)
        status = say_fail(store->host, err, ENVL_E_DATABASE, "looking for "
                          "plaintext: the server's answer is no list");
    else if (!answer.lost &&
             fault_of(answer.code, answer.said) == FAULT_MISSING)
        status = refuse(work, "this server does not know the expressions of "
                        "the rule", "`envelope verify JOB`, run often, finds "
                        "plaintext that came back", err);
    else
        status = fault_tell(store, &answer, "looking for plaintext", err);
    command_free(&answer);
    bson_destroy(find);
    return status;
}

/* ---- setting ------------------------------------------------------------ */

/* The note first: what was there before is never only in memory. */
static enum envl_status
put(const struct work *work, enum envl_guard_stage stage,
    struct envl_error *err)
{
    struct guard_entry entry = { .there = true, .asked = stage };
    struct guard_schema wanted;
    struct guard_note note;
    enum envl_status status = ENVL_OK;

    entry.since_ms = work->entry.since_ms;
    if (entry.since_ms == 0)
        status = server_now(work->target->store, &entry.since_ms, err);
    bson_init_static(&entry.rule, bson_get_data(&work->rule), work->rule.len);
    guard_note_with(&work->note, &work->own, work->spec->job, &entry, &note);
    guard_note_schema(&work->note, &note, &work->own, &work->now, &wanted);
    if (status == ENVL_OK && !bson_empty(&note.document))
        status = guard_note_write(work->target, &note, err);
    if (status == ENVL_OK && (stage != ENVL_GUARD_OFF || work->entry.there))
        status = guard_schema_set(work->target, &wanted, err);
    if (status == ENVL_OK && bson_empty(&note.document))
        status = guard_note_write(work->target, &note, err);
    guard_schema_free(&wanted);
    guard_note_free(&note);
    return status;
}

/* As it was when the call began. */
static void
put_back(const struct work *work)
{
    struct envl_error quiet = { .status = ENVL_OK };

    if (guard_schema_set(work->target, &work->now, &quiet) == ENVL_OK)
        (void)guard_note_write(work->target, &work->note, &quiet);
}

/* Counted while nothing new can come.  spec: MIG-63 */
static enum envl_status
put_strict(struct work *work, struct envl_error *err)
{
    const struct envl_host *host = work->target->store->host;
    enum envl_status status = put(work, ENVL_GUARD_MODERATE, err);
    bool found = false;

    if (status == ENVL_OK)
        status = find_plaintext(work, &found, err);
    if (status == ENVL_OK && found) {
        say_fail(host, err, ENVL_E_FINDINGS, "%s still holds plaintext: a "
                 "strict guard would refuse any change of such a document",
                 work->target->name);
        say_hint(host, err, "`envelope migrate JOB --execute`, then again");
        status = ENVL_E_FINDINGS;
    }
    if (status == ENVL_OK)
        status = put(work, ENVL_GUARD_STRICT, err);
    if (status == ENVL_E_FINDINGS || status == ENVL_E_POLICY)
        put_back(work);
    return status;
}

enum envl_status
guard_set(struct envl_target *target, const struct envl_guard_spec *spec,
          struct envl_error *err)
{
    enum envl_status status;
    struct work work;
    bool found;

    status = work_begin(&work, target, spec, err);
    if (status == ENVL_OK)
        status = check_server(&work, spec->stage, err);
    if (status == ENVL_OK)
        status = check_own(&work, spec->stage, err);
    if (status == ENVL_OK && spec->stage != ENVL_GUARD_OFF)
        status = find_plaintext(&work, &found, err);
    if (status == ENVL_OK && spec->stage == ENVL_GUARD_STRICT) {
        status = put_strict(&work, err);
    } else if (status == ENVL_OK) {
        status = put(&work, spec->stage, err);
        if (status == ENVL_E_POLICY)
            put_back(&work);
    }
    work_end(&work);
    return status;
}

/* ---- looking ------------------------------------------------------------ */

static void
add_gap(struct envl_target *target, struct envl_guard_info *out,
        const char *gap)
{
    if (out->gap_count < TARGET_GAPS)
        target->gaps[out->gap_count++] = gap;
}

/* What really stands, and why it is less than was asked. */
static enum envl_guard_stage
standing(struct work *work, struct envl_guard_info *out)
{
    if (!guard_schema_has(&work->now, &work->entry.rule)) {
        add_gap(work->target, out, "the guard's rule was taken out of the "
                "collection's validator");
        return ENVL_GUARD_OFF;
    }
    if (strcmp(work->now.action, "error") != 0 ||
        strcmp(work->now.level, "off") == 0) {
        add_gap(work->target, out, "somebody set the validator to refuse "
                "nothing");
        return ENVL_GUARD_OFF;
    }
    if (!bson_equal(&work->entry.rule, &work->rule)) {
        add_gap(work->target, out, "the job's fields are others than when "
                "the guard was set");
        return ENVL_GUARD_OFF;
    }
    return strcmp(work->now.level, "strict") == 0 ? work->entry.asked
                                                  : ENVL_GUARD_MODERATE;
}

static void
name_gaps(struct work *work, struct envl_guard_info *out)
{
    struct envl_target *target = work->target;

    add_gap(target, out, "a client with the right bypassDocumentValidation "
            "can write past it");
    add_gap(target, out, "binary data is let pass: the server cannot tell "
            "plaintext in it from an envelope");
    if (strcmp(work->now.level, "moderate") == 0)
        add_gap(target, out, "an update of a document that is already "
                "invalid, in any field, is not checked; the census finds it");
    if (!bson_empty(&work->own.validator) &&
        strcmp(work->own.level, "strict") == 0 &&
        strcmp(work->now.level, "moderate") == 0)
        add_gap(target, out, "the collection's own validator is at moderate "
                "instead of strict while this guard is");
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        if (target->spec->fields[i].keep_source) {
            add_gap(target, out, "a source that is changed beside an "
                    "envelope of its own is not noticed");
            break;
        }
    }
}

enum envl_status
guard_read(struct envl_target *target, const struct envl_guard_spec *spec,
           struct envl_guard_info *out, struct envl_error *err)
{
    enum envl_status status;
    struct work work;

    *out = (struct envl_guard_info){ .gaps = target->gaps };
    status = work_begin(&work, target, spec, err);
    if (status == ENVL_OK && work.entry.there) {
        out->asked = work.entry.asked;
        out->since_ms = work.entry.since_ms;
        out->stage = standing(&work, out);
        out->enforced = out->stage >= ENVL_GUARD_MODERATE;
        name_gaps(&work, out);
    }
    work_end(&work);
    return status;
}
