/*
 * change.h - one change of a ring, from the lock to the rename.
 *
 * A change begins with the lock, reads the file again and gives up
 * (ENVL_E_CONFLICT) if it is not the one this process has loaded.  What it
 * then wants lies in a document; commit writes it with the next generation,
 * reads it back and opens it before the name is moved over, and publishes it.
 */
#ifndef KEYRING_CHANGE_H
#define KEYRING_CHANGE_H

#include "core/atomic_file.h"
#include "keyring/load.h"

struct change {
    struct envl_keyring *ring;
    const struct ring_view *view; /* as loaded: the ring's lock is held     */
    struct ring_doc doc;          /* wanted: changed by the caller          */
    const struct ring_keys *keys; /* to write under: the view's, or new_keys */
    struct ring_keys *new_keys;   /* NULL, or a new ring key's (guarded)    */
    struct file_place place;
    int lock;
};

/**
 * change_begin(ring, change, err):
 * Take both locks and copy the ring's document.  Fails with ENVL_E_USAGE
 * (no file), ENVL_E_LOCKED, ENVL_E_CONFLICT, or as reading fails; nothing is
 * held then.  Otherwise change_end must follow.
 */
enum envl_status change_begin(struct envl_keyring *ring,
                              struct change *change, struct envl_error *err);

/**
 * change_commit(change, err):
 * Write ${change}->doc.  The ring is as before if this fails, unless the
 * message says that only the folder could not be synced.
 */
enum envl_status change_commit(struct change *change, struct envl_error *err);

/**
 * change_end(change):
 * Give everything back.
 */
void change_end(struct change *change);

/**
 * change_write(file, doc, keys, err):
 * Write ${doc} under ${keys} to a file that was begun, and sync it.  Shared
 * with creating.
 */
enum envl_status change_write(struct atomic_file *file, struct ring_doc *doc,
                              const struct ring_keys *keys,
                              struct envl_error *err);

/**
 * change_prove(fd, path, keys, out, err):
 * Open what ${fd} holds under ${keys} into a new view: its form, its MAC and
 * every key.
 */
enum envl_status change_prove(int fd, const char *path,
                              const struct ring_keys *keys,
                              struct ring_view **out, struct envl_error *err);

/**
 * change_put_key(doc, spec, material, keys, err):
 * Append the key of ${spec} to ${doc}, which has room for it, wrapped under
 * ${keys}; ${material} is NULL for a provider's.  Names were checked.
 */
enum envl_status change_put_key(struct ring_doc *doc,
                                const struct envl_key_spec *spec,
                                const struct envl_secret *material,
                                const struct ring_keys *keys,
                                struct envl_error *err);

/**
 * change_check_spec(spec, err):
 * Refuse (ENVL_E_USAGE) names, dates and material that a ring cannot hold.
 */
enum envl_status change_check_spec(const struct envl_key_spec *spec,
                                   struct envl_error *err);

/**
 * change_check_date(date, err):
 * Refuse (ENVL_E_USAGE) what is no date; NULL and "" are none, and will do.
 */
enum envl_status change_check_date(const char *date, struct envl_error *err);

/**
 * change_material(spec, out, err):
 * A copy of the material of ${spec}, or 32 random bytes; NULL for a
 * provider's key.
 */
enum envl_status change_material(const struct envl_key_spec *spec,
                                 struct envl_secret **out,
                                 struct envl_error *err);

/**
 * change_check_unlock(name, provider, err):
 * Refuse (ENVL_E_USAGE) a name or a provider no unlock entry can have.
 */
enum envl_status change_check_unlock(const char *name,
                                     const struct envl_provider *provider,
                                     struct envl_error *err);

/**
 * change_enroll(entry, provider, ring_id, keys, err):
 * Fill ${entry} by ${provider}, and let ${provider} open it again: what it
 * gives must be the ring key.  ENVL_E_PROVIDER if it is not.  Only one that
 * has the public half of a recovery key alone is not asked to.
 */
enum envl_status change_enroll(struct envl_unlock_entry *entry,
                               struct envl_provider *provider,
                               const char *ring_id,
                               const struct ring_keys *keys,
                               struct envl_error *err);

/**
 * change_opens(entry, provider, ring_id, keys, err):
 * ENVL_OK if ${provider} opens ${entry} and gives the ring key of ${keys}.
 */
enum envl_status change_opens(const struct envl_unlock_entry *entry,
                              struct envl_provider *provider,
                              const char *ring_id,
                              const struct ring_keys *keys,
                              struct envl_error *err);

#endif /* KEYRING_CHANGE_H */
