/*
 * guard_note.h - which guards there are on a collection, and what stood there
 * before them.
 *
 * A collection has one validator, one level and one action for all: the rules
 * of guards stand beside the application's own in one $and.  The application's
 * is kept in envelope_admin.guard, one document a collection, and put back
 * with its level and action when the last guard is off.
 */
#ifndef MONGO_GUARD_NOTE_H
#define MONGO_GUARD_NOTE_H

#include "mongo/guard_schema.h"

/* The document of envelope_admin.guard; empty: no guard is set. */
struct guard_note {
    bson_t document;
};

/* One job's part of a note; it points into the note. */
struct guard_entry {
    bool there;
    enum envl_guard_stage asked;
    int64_t since_ms;
    bson_t rule;
};

/**
 * guard_note_read(target, out, err), guard_note_write(target, note, err):
 * The note; an empty one is deleted.  The caller frees ${out} whatever comes.
 */
enum envl_status guard_note_read(const struct envl_target *target,
                                 struct guard_note *out,
                                 struct envl_error *err);
enum envl_status guard_note_write(const struct envl_target *target,
                                  const struct guard_note *note,
                                  struct envl_error *err);
void guard_note_free(struct guard_note *note);

/**
 * guard_note_entry(note, job, out), guard_note_own(note, out):
 * One job's guard; the application's own validator of before.
 */
void guard_note_entry(const struct guard_note *note, const char *job,
                      struct guard_entry *out);
void guard_note_own(const struct guard_note *note, struct guard_schema *out);

/**
 * guard_note_stands(note, schema):
 * Whether a rule of ${note} is in ${schema}: if none is, all that is there is
 * the application's.
 */
bool guard_note_stands(const struct guard_note *note,
                       const struct guard_schema *schema);

/**
 * guard_note_ours(target):
 * Whether all of the collection's validator is rules of guards; false too if
 * that cannot be found out.
 */
bool guard_note_ours(const struct envl_target *target);

/**
 * guard_note_with(note, own, job, entry, out):
 * The note with ${job}'s guard exchanged (asked OFF: without it), beside the
 * application's ${own} validator.
 */
void guard_note_with(const struct guard_note *note,
                     const struct guard_schema *own, const char *job,
                     const struct guard_entry *entry, struct guard_note *out);

/**
 * guard_note_schema(before, note, own, now, out):
 * What the server should have: the rules of all guards in ${note}, the
 * application's ${own}, and what somebody else has added to ${now}, which the
 * guards of ${before} made.  Without a guard it is what was there before.
 */
void guard_note_schema(const struct guard_note *before,
                       const struct guard_note *note,
                       const struct guard_schema *own,
                       const struct guard_schema *now,
                       struct guard_schema *out);

#endif /* MONGO_GUARD_NOTE_H */
