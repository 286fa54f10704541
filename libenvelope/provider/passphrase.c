#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <envelope/provider.h>

#include "core/random.h"
#include "provider/unlock_key.h"

#define MIB            (1024u * 1024u)
#define OPSLIMIT_MIN   2u
#define OPSLIMIT_MAX   10u
#define MEMLIMIT_MIN   (64ull * MIB)
#define MEMLIMIT_MAX   (2048ull * MIB)
#define OPSLIMIT_USUAL 3u
#define MEMLIMIT_USUAL (256ull * MIB)

struct passphrase {
    struct envl_provider base;
    struct envl_secret *text;
    struct envl_passphrase_cost cost;
};

/* spec: KEY-22: before anything runs, since the ring is not believed yet */
static enum envl_status
check_cost(uint64_t opslimit, uint64_t memlimit, struct envl_error *err)
{
    if (opslimit >= OPSLIMIT_MIN && opslimit <= OPSLIMIT_MAX &&
        memlimit >= MEMLIMIT_MIN && memlimit <= MEMLIMIT_MAX)
        return ENVL_OK;
    envl_fail(err, ENVL_E_POLICY,
              "argon2id with %llu passes over %llu bytes is outside the "
              "bounds", (unsigned long long)opslimit,
              (unsigned long long)memlimit);
    envl_hint(err, "2 to 10 passes over 64 MiB (67108864) to 2 GiB "
              "(2147483648) are allowed");
    return ENVL_E_POLICY;
}

/* spec: KEY-21 */
static enum envl_status
stretch(const struct passphrase *self, const struct envl_unlock_entry *entry,
        struct envl_secret **out, struct envl_error *err)
{
    struct envl_bytes text = envl_secret_bytes(self->text);
    struct envl_secret *secret = NULL;
    struct envl_span room;
    enum envl_status status;

    _Static_assert(crypto_pwhash_SALTBYTES == sizeof(entry->salt),
                   "Argon2id's salt has 16 bytes");
    status = check_cost(entry->opslimit, entry->memlimit, err);
    if (status != ENVL_OK ||
        (status = envl_secret_new(32, &secret, err)) != ENVL_OK)
        return status;
    room = envl_secret_span(secret);
    if (crypto_pwhash(room.ptr, room.len, (const char *)text.ptr, text.len,
                      entry->salt, entry->opslimit, (size_t)entry->memlimit,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        envl_secret_free(secret);
        envl_fail(err, ENVL_E_NOMEM,
                  "argon2id needs %llu MiB, and they are not to be had",
                  (unsigned long long)(entry->memlimit / MIB));
        return ENVL_E_NOMEM;
    }
    *out = secret;
    return ENVL_OK;
}

static enum envl_status
passphrase_unlock(struct envl_provider *base,
                  const struct envl_unlock_entry *entry, const char *ring_id,
                  struct envl_secret **ring_key, struct envl_error *err)
{
    struct envl_secret *secret = NULL;
    enum envl_status status;

    status = stretch((const struct passphrase *)base, entry, &secret, err);
    if (status != ENVL_OK)
        return status;
    status = unlock_key_open(envl_secret_bytes(secret).ptr, entry, ring_id,
                             ring_key, err);
    envl_secret_free(secret);
    if (status == ENVL_E_AUTH)
        envl_fail(err, status, "the passphrase does not open unlock entry "
                  "'%s'", entry->name);
    return status;
}

static enum envl_status
passphrase_enroll(struct envl_provider *base, const char *ring_id,
                  const struct envl_secret *ring_key,
                  struct envl_unlock_entry *entry, struct envl_error *err)
{
    const struct passphrase *self = (const struct passphrase *)base;
    struct envl_secret *secret = NULL;
    enum envl_status status;

    /* An entry that is made again keeps its cost, unless one is asked for. */
    if (self->cost.opslimit != 0 || entry->opslimit == 0)
        entry->opslimit = self->cost.opslimit != 0 ? self->cost.opslimit
                                                   : OPSLIMIT_USUAL;
    if (self->cost.memlimit != 0 || entry->memlimit == 0)
        entry->memlimit = self->cost.memlimit != 0 ? self->cost.memlimit
                                                   : MEMLIMIT_USUAL;
    status = random_fill((struct envl_span){ entry->salt,
                                             sizeof(entry->salt) }, err);
    if (status != ENVL_OK ||
        (status = stretch(self, entry, &secret, err)) != ENVL_OK)
        return status;
    status = unlock_key_wrap(envl_secret_bytes(secret).ptr, ring_id, ring_key,
                             entry, err);
    envl_secret_free(secret);
    return status;
}

static void
passphrase_free(struct envl_provider *base)
{
    struct passphrase *self = (struct passphrase *)base;

    envl_secret_free(self->text);
    free(self);
}

static const struct envl_provider_ops passphrase_ops = {
    .abi = ENVL_PROVIDER_ABI,
    .type = "passphrase",
    .unlock = passphrase_unlock,
    .enroll = passphrase_enroll,
    .free = passphrase_free,
};

/* The bytes as given, less one final LF. */
static enum envl_status
copy_text(const struct envl_secret *from, struct envl_secret **out,
          struct envl_error *err)
{
    struct envl_bytes text = envl_secret_bytes(from);
    enum envl_status status;

    if (text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (text.len == 0)
        return envl_fail(err, ENVL_E_USAGE, "the passphrase is empty");
    if ((status = envl_secret_new(text.len, out, err)) != ENVL_OK)
        return status;
    memcpy(envl_secret_span(*out).ptr, text.ptr, text.len);
    return ENVL_OK;
}

enum envl_status
envl_passphrase_provider_new(const struct envl_secret *passphrase,
                             const struct envl_passphrase_cost *cost,
                             struct envl_provider **out,
                             struct envl_error *err)
{
    struct passphrase *self;
    struct envl_secret *text = NULL;
    enum envl_status status;

    if (cost != NULL) {
        status = check_cost(cost->opslimit == 0 ? OPSLIMIT_USUAL
                                                : cost->opslimit,
                            cost->memlimit == 0 ? MEMLIMIT_USUAL
                                                : cost->memlimit, err);
        if (status != ENVL_OK)
            return status;
    }
    if ((status = copy_text(passphrase, &text, err)) != ENVL_OK)
        return status;
    self = calloc(1, sizeof(*self));
    if (self == NULL) {
        envl_secret_free(text);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    }
    self->base.ops = &passphrase_ops;
    self->text = text;
    if (cost != NULL)
        self->cost = *cost;
    *out = &self->base;
    return ENVL_OK;
}
