/*
 * keyring.h - the file of data keys, who can open it, and its keys' life.
 *
 * A ring on disk is two JSON lines (spec KEY).  A struct envl_keyring is that
 * ring, opened: it may be shared by many threads, sees within a second that
 * the file has changed, and writes nothing unless one of the functions that
 * change a ring is called.  Each change is one atomic, synced write under a
 * lock, with the generation one higher; if another process changed the ring
 * since this one read it, the answer is ENVL_E_CONFLICT and nothing happens.
 */
#ifndef ENVELOPE_KEYRING_H
#define ENVELOPE_KEYRING_H

#include <stdbool.h>
#include <stdint.h>

#include <envelope/bytes.h>
#include <envelope/error.h>
#include <envelope/provider.h>
#include <envelope/secret.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENVL_NAME_SIZE 64 /* a kid, scope or unlock name, and a NUL   */
#define ENVL_DATE_SIZE 21 /* 2026-11-22T20:43:46Z and a NUL           */
#define ENVL_UUID_SIZE 37

struct envl_keyring;

enum envl_key_use {
    ENVL_USE_SEAL = 0, /* data keys, mode derived                  */
    ENVL_USE_WRAP = 1, /* wrapping keys, mode wrapped              */
    ENVL_USE_INDEX = 2, /* blind indexes                           */
    ENVL_USE_MAC = 3   /* manifests                                */
};

enum envl_key_state {
    ENVL_KEY_PRE_ACTIVE = 0, /* opens, does not seal               */
    ENVL_KEY_ACTIVE = 1,     /* opens and seals; one per use, scope */
    ENVL_KEY_DECRYPT_ONLY = 2,
    ENVL_KEY_DISABLED = 3,   /* opens nothing; reversible          */
    ENVL_KEY_DESTROYED = 4   /* gone from this ring                */
};

/* One key as the ring lists it; unset dates and provider are "". */
struct envl_key_info {
    char kid[ENVL_NAME_SIZE];
    char scope[ENVL_NAME_SIZE];
    enum envl_key_use use;
    enum envl_key_state state;
    char created[ENVL_DATE_SIZE];
    char activated[ENVL_DATE_SIZE];
    char expires[ENVL_DATE_SIZE];
    char provider[ENVL_NAME_SIZE]; /* "": its material is in the ring */
    char retain_until[ENVL_DATE_SIZE]; /* not to be destroyed before  */
};

/* What a reader remembers of a ring, so that an older one is noticed. */
struct envl_ring_mark {
    char id[ENVL_UUID_SIZE];
    uint64_t generation; /* 0: nothing is remembered */
    uint8_t mac[32];
    uint8_t pin[16];
};

/*
 * A new ring key is about to take over: the file is written and proven, and
 * its name not yet moved.  ${next} is what to remember of it, so that whoever
 * dies right after the move finds its own ring again (spec KEY-53).  It must
 * not use the ring.
 */
typedef void envl_ring_next_fn(void *cookie,
                               const struct envl_ring_mark *next);

struct envl_keyring_options {
    size_t size;      /* sizeof(struct envl_keyring_options) */
    const char *path; /* the ring file                       */
    struct envl_provider *const *providers; /* tried in order, borrowed for
                                                the ring's life: a reload
                                                or a change may use them */
    size_t provider_count;
    size_t openers;    /* 0, or only the first so many are asked to open it;
                          the others serve wrapping keys and changes      */
    const char *entry; /* NULL, or only this unlock entry   */
    const struct envl_ring_mark *seen; /* NULL, or refuse what is older */
    const uint8_t *pin; /* NULL, or the 16 bytes configured  */
    const uint8_t *known_pin; /* NULL, or 16 bytes: a ring with this pin was
                                 seen here (enough for KEY-26); one with
                                 another is not refused for that          */
    bool fixed;        /* do not watch the file for changes; else a thread
                           stats it four times a second       */
    envl_ring_next_fn *next; /* NULL, or called at such a change */
    void *next_cookie;       /* of next                          */
};

/**
 * envl_keyring_open(options, out, err):
 * Read, unlock and check a ring.  Fails with ENVL_E_NOTFOUND, ENVL_E_POLICY
 * (the file, its folder or a key file can be written or read by others),
 * ENVL_E_AUTH (no provider opens any entry: wrong secret), ENVL_E_PROVIDER,
 * ENVL_E_INTEGRITY (damaged, or older than ${options}->seen, or another pin).
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_open(const struct envl_keyring_options *options,
                  struct envl_keyring **out, struct envl_error *err);

/**
 * envl_keyring_peek(path, out, err):
 * Read id, generation and MAC of a ring without opening it, to find what is
 * remembered of it (pin: zeros).  Nothing of this is authenticated.  Fails
 * with ENVL_E_NOTFOUND, ENVL_E_POLICY, ENVL_E_INTEGRITY.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_peek(const char *path, struct envl_ring_mark *out,
                  struct envl_error *err);

/**
 * envl_keyring_free(ring):
 * Wipe and release; NULL is ignored.  No other thread may still use it.
 */
ENVL_API void envl_keyring_free(struct envl_keyring *ring);

/**
 * envl_keyring_reload(ring, err):
 * Read the file again now.  Fails as opening does, the ring unchanged.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_reload(struct envl_keyring *ring, struct envl_error *err);

/**
 * envl_keyring_mark(ring, out):
 * What to remember of the ring as it is now.
 */
ENVL_API void envl_keyring_mark(struct envl_keyring *ring,
                                struct envl_ring_mark *out);

/**
 * envl_keyring_list(ring, out, count, err):
 * All keys in the ring's order, in memory that the caller free()s.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_list(struct envl_keyring *ring, struct envl_key_info **out,
                  size_t *count, struct envl_error *err);

/**
 * envl_keyring_find(ring, kid, out, err):
 * One key by its id, in any state.  Fails with ENVL_E_NOKEY.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_find(struct envl_keyring *ring, const char *kid,
                  struct envl_key_info *out, struct envl_error *err);

/**
 * envl_keyring_active(ring, use, scope, out, err):
 * The active key of a use and scope (NULL: "default"), else ENVL_E_NOKEY.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_active(struct envl_keyring *ring, enum envl_key_use use,
                    const char *scope, struct envl_key_info *out,
                    struct envl_error *err);

/* A key to be made or imported. */
struct envl_key_spec {
    const char *kid;
    enum envl_key_use use;
    const char *scope;                   /* NULL: "default"              */
    const char *expires;                 /* NULL, or RFC 3339 UTC        */
    const struct envl_secret *material;  /* NULL: 32 random bytes        */
    const char *provider;                /* NULL, or a local provider name */
    bool activate;                       /* else it is pre-active        */
    const char *retain_until;            /* NULL, or RFC 3339 UTC        */
};

/**
 * envl_keyring_create(path, provider, name, first, err):
 * Make a new ring with one unlock entry called ${name} made by ${provider}
 * and one active key (${first}, may be NULL for none).  Refuses to overwrite:
 * ENVL_E_POLICY.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_create(const char *path, struct envl_provider *provider,
                    const char *name, const struct envl_key_spec *first,
                    struct envl_error *err);

/**
 * envl_keyring_create_marked(path, provider, name, first, mark, err):
 * The same, and store in ${mark} (may be NULL) what to remember of the ring:
 * a ring that opens by a provider whose entries anyone can make (spec KEY-26)
 * is opened first with that as ${seen}.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_create_marked(const char *path, struct envl_provider *provider,
                           const char *name,
                           const struct envl_key_spec *first,
                           struct envl_ring_mark *mark,
                           struct envl_error *err);

/**
 * envl_keyring_add(ring, spec, err):
 * Add a key.  Fails with ENVL_E_POLICY if the kid was ever used, or the
 * material is already in the ring; ENVL_E_USAGE for a bad name.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_add(struct envl_keyring *ring, const struct envl_key_spec *spec,
                 struct envl_error *err);

/**
 * envl_keyring_set_state(ring, kid, state, err):
 * Move a key: to active (the former active key of its use and scope becomes
 * decrypt-only in the same write), to decrypt-only (retire, enable), to
 * disabled.  ENVL_E_POLICY for a move that the states do not allow (spec
 * KEY).  For destroyed use envl_keyring_destroy.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_set_state(struct envl_keyring *ring, const char *kid,
                       enum envl_key_state state, struct envl_error *err);

/**
 * envl_keyring_retain(ring, kid, date, err):
 * Let ${kid} not be destroyed before ${date} (RFC 3339, UTC): what retention
 * rules ask for (spec KEY-44).  A date only moves later: ENVL_E_POLICY for an
 * earlier one, or a destroyed key; ENVL_E_USAGE for what is no date.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_retain(struct envl_keyring *ring, const char *kid,
                    const char *date, struct envl_error *err);

/* ---- who has the ring --------------------------------------------------- */

/*
 * A reader reports which generation it has by a small file in a folder, which
 * may be shared or carried by any means: it is authenticated under the ring
 * (spec KEY-55 to KEY-57).
 */

/**
 * envl_keyring_report(ring, folder, reader, err):
 * Write the report of ${reader} (a name as a kid: a host or service), in place
 * of its last one.  Call it after opening, and when a reload has brought a new
 * generation.  Fails with ENVL_E_USAGE, ENVL_E_NOTFOUND, ENVL_E_IO.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_report(struct envl_keyring *ring, const char *folder,
                    const char *reader, struct envl_error *err);

/* One report, as it was read. */
struct envl_reader_report {
    char reader[ENVL_NAME_SIZE];
    char at[ENVL_DATE_SIZE];   /* when                                */
    uint64_t generation;       /* 0: the file is not a report of this
                                  ring, or was changed                */
};

/**
 * envl_keyring_reports(ring, folder, out, count, err):
 * All reports in ${folder}, in memory that the caller free()s, sorted by
 * reader.  Fails with ENVL_E_NOTFOUND, ENVL_E_IO, ENVL_E_LIMIT (100,000).
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_reports(struct envl_keyring *ring, const char *folder,
                     struct envl_reader_report **out, size_t *count,
                     struct envl_error *err);

/* What a change that makes a new ring key would lose. */
struct envl_rekey_plan {
    size_t kept;      /* unlock entries whose secret is at hand       */
    size_t dropped;   /* entries that would be dropped                */
    char names[1024]; /* the dropped ones, separated by ", "          */
};

/**
 * envl_keyring_rekey_plan(ring, without, out, err):
 * Say which unlock entries a new ring key would keep and drop; ${without}
 * NULL, or an entry to be removed.  Fails as the provider does where one
 * cannot be asked just now: its entry is not dropped for that.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_rekey_plan(struct envl_keyring *ring, const char *without,
                        struct envl_rekey_plan *out, struct envl_error *err);

/**
 * envl_keyring_destroy(ring, kid, accept_drops, err):
 * Remove the material of a disabled key for ever, under a new ring key (spec
 * KEY-41, KEY-45): every other key is wrapped again, entries whose secret is
 * not at hand are dropped, and one remaining entry is proven to open first.
 * ENVL_E_POLICY if entries would be dropped and ${accept_drops} is false, or
 * the key is to be retained until later (envl_keyring_retain).
 * The ring has another pin afterwards: print it (envl_keyring_mark).  That a
 * job is unfinished (KEY-46) is for the caller to find out.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_destroy(struct envl_keyring *ring, const char *kid,
                     bool accept_drops, struct envl_error *err);

/* Who can open the ring, as listed. */
struct envl_unlock_info {
    char name[ENVL_NAME_SIZE];
    char type[ENVL_NAME_SIZE];
};

/**
 * envl_keyring_unlocks(ring, out, count, err):
 * All unlock entries, in memory that the caller free()s.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_unlocks(struct envl_keyring *ring, struct envl_unlock_info **out,
                     size_t *count, struct envl_error *err);

/**
 * envl_keyring_unlock_add(ring, name, provider, err):
 * Let ${provider} open the ring too.  No key and no row is touched.  It is
 * used during the call only, and proven to open what it has made (but for the
 * public half of a recovery key).
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_unlock_add(struct envl_keyring *ring, const char *name,
                        struct envl_provider *provider,
                        struct envl_error *err);

/**
 * envl_keyring_unlock_change(ring, name, provider, err):
 * Replace the secret of one entry, in one write; ${provider} as above.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_unlock_change(struct envl_keyring *ring, const char *name,
                           struct envl_provider *provider,
                           struct envl_error *err);

/**
 * envl_keyring_unlock_remove(ring, name, accept_drops, err):
 * Remove an entry and make a new ring key, as envl_keyring_destroy does.
 * The last entry cannot be removed: ENVL_E_POLICY.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyring_unlock_remove(struct envl_keyring *ring, const char *name,
                           bool accept_drops, struct envl_error *err);

/**
 * envl_key_use_name(use), envl_key_state_name(state):
 * The words of the ring file, such as "seal" and "decrypt-only".
 */
ENVL_API const char *envl_key_use_name(enum envl_key_use use);
ENVL_API const char *envl_key_state_name(enum envl_key_state state);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_KEYRING_H */
