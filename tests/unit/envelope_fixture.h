/*
 * envelope_fixture.h - a ring in memory with a key of every kind, and a
 * provider that wraps by turning bytes round.  Keys here are TEST DATA.
 */
#ifndef UNIT_ENVELOPE_FIXTURE_H
#define UNIT_ENVELOPE_FIXTURE_H

#include <sodium.h>

#include <envelope.h>

#include "cmocka_all.h"
#include "keyring/key.h"

/* ---- a provider --------------------------------------------------------- */

#define FAKE_LEN 36u /* of a blob: "FAKE" and the key, each bit turned */

struct fake_provider {
    struct envl_provider base;
    unsigned wraps, unwraps;    /* calls                            */
    enum envl_status answer;    /* ENVL_OK, or what each call fails with */
    size_t claim;               /* 0, or the length it says of a blob    */
    bool forgets;               /* unwrap gives another key              */
    size_t padding;             /* zeros behind each blob                */
};

static inline enum envl_status
fake_wrap(struct envl_provider *self, struct envl_bytes keys, size_t count,
          struct envl_buf *blobs, size_t *lens, struct envl_error *err)
{
    struct fake_provider *fake = (struct fake_provider *)self;

    fake->wraps++;
    if (fake->answer != ENVL_OK)
        return envl_fail(err, fake->answer, "the fake does not answer");
    for (size_t i = 0; i < count; i++) {
        uint8_t blob[4200] = { 'F', 'A', 'K', 'E' };
        size_t len = FAKE_LEN + fake->padding;

        for (size_t b = 0; b < 32; b++)
            blob[4 + b] = (uint8_t)~keys.ptr[32 * i + b];
        if (envl_buf_append(blobs, (struct envl_bytes){ blob, len }, err) !=
            ENVL_OK)
            return ENVL_E_NOMEM;
        lens[i] = fake->claim != 0 ? fake->claim : len;
    }
    return ENVL_OK;
}

static inline enum envl_status
fake_unwrap(struct envl_provider *self, const struct envl_bytes *blobs,
            size_t count, struct envl_span keys, enum envl_status *statuses,
            struct envl_error *err)
{
    struct fake_provider *fake = (struct fake_provider *)self;

    fake->unwraps++;
    if (fake->answer != ENVL_OK)
        return envl_fail(err, fake->answer, "the fake does not answer");
    for (size_t i = 0; i < count; i++) {
        statuses[i] = ENVL_E_AUTH;
        if (blobs[i].len < FAKE_LEN || memcmp(blobs[i].ptr, "FAKE", 4) != 0)
            continue;
        for (size_t b = 0; b < 32; b++)
            keys.ptr[32 * i + b] = (uint8_t)~blobs[i].ptr[4 + b];
        keys.ptr[32 * i] ^= fake->forgets;
        statuses[i] = ENVL_OK;
    }
    return ENVL_OK;
}

static inline void
fake_free(struct envl_provider *self)
{
    (void)self;
}

static const struct envl_provider_ops fake_ops = {
    .abi = ENVL_PROVIDER_ABI, .type = "fake", .wrap = fake_wrap,
    .unwrap = fake_unwrap, .free = fake_free,
};

/* ---- a ring ------------------------------------------------------------- */

/* One row a key. */
static const struct {
    const char *kid;
    enum envl_key_use use;
    enum envl_key_state state;
    const char *scope, *provider;
} fixture_keys[] = {
    { "k-now", ENVL_USE_SEAL, ENVL_KEY_ACTIVE, "default", "" },
    { "k-old", ENVL_USE_SEAL, ENVL_KEY_DECRYPT_ONLY, "default", "" },
    { "k-pre", ENVL_USE_SEAL, ENVL_KEY_PRE_ACTIVE, "default", "" },
    { "k-off", ENVL_USE_SEAL, ENVL_KEY_DISABLED, "default", "" },
    { "k-gone", ENVL_USE_SEAL, ENVL_KEY_DESTROYED, "default", "" },
    { "kek-now", ENVL_USE_WRAP, ENVL_KEY_ACTIVE, "default", "" },
    { "kek-old", ENVL_USE_WRAP, ENVL_KEY_DECRYPT_ONLY, "default", "" },
    { "idx", ENVL_USE_INDEX, ENVL_KEY_ACTIVE, "default", "" },
    { "mac", ENVL_USE_MAC, ENVL_KEY_ACTIVE, "default", "" },
    { "t-now", ENVL_USE_SEAL, ENVL_KEY_ACTIVE, "tenant", "" },
    { "hsm", ENVL_USE_WRAP, ENVL_KEY_ACTIVE, "far", "hsm" },
    { "hsm-2", ENVL_USE_WRAP, ENVL_KEY_DECRYPT_ONLY, "far", "hsm" },
    { "hsm-off", ENVL_USE_WRAP, ENVL_KEY_DISABLED, "far", "hsm" },
    { "lost", ENVL_USE_WRAP, ENVL_KEY_ACTIVE, "lost", "nowhere" },
};
#define FIXTURE_KEYS (sizeof(fixture_keys) / sizeof(fixture_keys[0]))

/* The states of this ring are those of the table, or ${all_active}. */
static inline struct envl_keyring *
make_ring(bool all_active)
{
    struct keyring_given given[FIXTURE_KEYS];
    struct envl_keyring *ring = NULL;
    struct envl_error err;
    size_t count = 0;

    memset(given, 0, sizeof(given));
    for (size_t i = 0; i < FIXTURE_KEYS; i++) {
        struct keyring_given *key = &given[count++];

        snprintf(key->info.kid, sizeof(key->info.kid), "%s",
                 fixture_keys[i].kid);
        snprintf(key->info.scope, sizeof(key->info.scope), "%s%s",
                 fixture_keys[i].scope, "");
        snprintf(key->info.provider, sizeof(key->info.provider), "%s",
                 fixture_keys[i].provider);
        key->info.use = fixture_keys[i].use;
        key->info.state = fixture_keys[i].state;
        /* Another scope for each, so that every key can be active. */
        if (all_active) {
            key->info.state = ENVL_KEY_ACTIVE;
            snprintf(key->info.scope, sizeof(key->info.scope), "%s",
                     fixture_keys[i].kid);
        }
        memset(key->bytes, (int)i + 1, sizeof(key->bytes));
    }
    if (keyring_from_keys(given, count, &ring, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    return ring;
}

/* Only tests may write to a view: give its key a provider. */
static inline void
set_provider(struct envl_keyring *ring, const char *kid,
             struct fake_provider *fake)
{
    struct keyring_hold hold = keyring_enter(ring);
    const struct key *key = keyring_key(hold.view, envl_bytes_of(kid));

    fake->base.ops = &fake_ops;
    assert_non_null(key);
    ((struct key *)(uintptr_t)key)->provider = &fake->base;
    keyring_leave(ring, hold);
}

/* ---- contexts ----------------------------------------------------------- */

#define PAIR(n, v) { LITERAL_INIT(n), LITERAL_INIT(v) }

static const struct envl_pair here_pairs[] = {
    PAIR("field", "t.c"), PAIR("id", "42"),
};
static const struct envl_context here = { here_pairs, 2 };

static const struct envl_pair there_pairs[] = {
    PAIR("field", "t.c"), PAIR("id", "43"),
};
static const struct envl_context there = { there_pairs, 2 };

/* Seal under a key of any state, by a ring in which all are active. */
static inline struct envl_buf
seal_under(const char *kid, struct envl_seal_options options,
           struct envl_bytes value)
{
    struct envl_keyring *ring = make_ring(true);
    struct envl_buf out = ENVL_BUF_INIT;
    struct fake_provider fake = { .answer = ENVL_OK };
    struct envl_error err;

    set_provider(ring, "hsm", &fake);
    set_provider(ring, "hsm-2", &fake);
    set_provider(ring, "hsm-off", &fake);
    options.size = sizeof(options);
    options.kid = kid;
    options.scope = kid;
    if (envl_seal(ring, &options, &here, value, &out, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    envl_keyring_free(ring);
    return out;
}

#endif /* UNIT_ENVELOPE_FIXTURE_H */
