/*
 * command.h - one command to the primary, and its answer.
 *
 * Nothing is retried here: a store whose connection was lost sends nothing
 * any more, the engine opens another one, and the compare-and-swap makes the
 * replay do no harm.
 */
#ifndef MONGO_COMMAND_H
#define MONGO_COMMAND_H

#include "mongo/store.h"

/**
 * command_run(store, database, command, answer):
 * Send ${command}; true if the server did it.  The caller frees ${answer}
 * with command_free whatever comes.
 */
bool command_run(struct envl_store *store, const char *database,
                 const bson_t *command, struct answer *answer);

/**
 * command_ask(store, database, command, doing, answer, err):
 * The same, with a failure told by fault_tell.
 */
enum envl_status command_ask(struct envl_store *store, const char *database,
                             const bson_t *command, const char *doing,
                             struct answer *answer, struct envl_error *err);

/**
 * command_can(store, database, command):
 * Whether the server takes ${command}, or refuses it for another reason than
 * not knowing it.
 */
bool command_can(struct envl_store *store, const char *database,
                 const bson_t *command);

/**
 * command_free(answer):
 * Wipe and release.
 */
void command_free(struct answer *answer);

/**
 * command_batch(answer, out):
 * Set ${out} to the documents of the answer's first batch; false if it has
 * none.
 */
bool command_batch(const struct answer *answer, bson_iter_t *out);

/**
 * command_list(store, answer, doing, out, err):
 * The same for a command that must answer with one: ENVL_E_DATABASE if it
 * does not.
 */
enum envl_status command_list(const struct envl_store *store,
                              const struct answer *answer, const char *doing,
                              bson_iter_t *out, struct envl_error *err);

/**
 * command_document(at, out):
 * View the document or array at ${at} as ${out}, which needs no freeing;
 * false if it is neither.
 */
bool command_document(const bson_iter_t *at, bson_t *out);

/**
 * command_number(document, name, otherwise):
 * The number in the member ${name}, or ${otherwise}.
 */
int64_t command_number(const bson_t *document, const char *name,
                       int64_t otherwise);

/**
 * command_text(document, name):
 * The string in the member ${name}, borrowed, or NULL.
 */
const char *command_text(const bson_t *document, const char *name);

/**
 * command_majority(command, wtimeout_ms):
 * Append the write concern that everything of ours is written with.
 */
void command_majority(bson_t *command, uint32_t wtimeout_ms);

/**
 * command_confirmed(store, answer, doing, err):
 * Whether the majority has what was written: ENVL_E_LOCKED if it took too
 * long to say so, ENVL_E_DATABASE if it may be undone.
 */
enum envl_status command_confirmed(struct envl_store *store,
                                   const struct answer *answer,
                                   const char *doing, struct envl_error *err);

/**
 * command_inserted(store, answer, made, err):
 * The same for an insert of ours into envelope_admin; ${made} (may be NULL)
 * is false if a document of that _id was there already, which is no failure.
 */
enum envl_status command_inserted(struct envl_store *store,
                                  const struct answer *answer, bool *made,
                                  struct envl_error *err);

#endif /* MONGO_COMMAND_H */
