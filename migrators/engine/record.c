#include <string.h>

#include <sodium.h>

#include "core/random.h"
#include "crypto/hmac512.h"
#include "engine/record.h"
#include "keyring/key.h"

struct record_auth {
    struct hmac512_key key; /* in guarded memory, as the whole struct is */
};

enum envl_status
record_auth_new(struct envl_keyring *ring, struct record_auth **out,
                struct envl_error *err)
{
    struct envl_secret *secret = NULL;
    struct record_auth *auth;
    enum envl_status status;

    status = keyring_subkey(ring, "checkpoint", &secret, err);
    if (status != ENVL_OK)
        return status;

    auth = sodium_malloc(sizeof(*auth));
    if (auth == NULL) {
        status = envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    } else {
        hmac512_prepare(&auth->key, envl_secret_bytes(secret));
        *out = auth;
    }
    envl_secret_free(secret);
    return status;
}

void
record_auth_free(struct record_auth *auth)
{
    sodium_free(auth);
}

static void
put_be(uint8_t *out, size_t len, uint64_t value)
{
    while (len > 0) {
        out[--len] = (uint8_t)value;
        value >>= 8;
    }
}

/* Lengths go before what varies, so that no two records share an input. */
static void
mac(const struct record_auth *auth, const struct envl_record *record,
    uint8_t out[32])
{
    static const char label[] = "libenvelope/v1/record"; /* with its NUL */
    struct envl_bytes job = envl_bytes_of(record->job);
    uint8_t head[4], tail[4 + 8];
    uint8_t full[HMAC512_LEN];
    struct envl_bytes parts[5];

    put_be(head, 4, job.len);
    put_be(tail, 4, record->number);
    put_be(tail + 4, 8, record->epoch);
    parts[0] = (struct envl_bytes){ (const uint8_t *)label, sizeof(label) };
    parts[1] = (struct envl_bytes){ head, sizeof(head) };
    parts[2] = job;
    parts[3] = (struct envl_bytes){ tail, sizeof(tail) };
    parts[4] = record->body;
    hmac512(&auth->key, parts, 5, full);
    memcpy(out, full, 32);
}

void
record_sign(const struct record_auth *auth, struct envl_record *record)
{
    mac(auth, record, record->mac);
}

/* spec: JOB-63 */
enum envl_status
record_check(const struct record_auth *auth, const struct envl_record *record,
             struct envl_error *err)
{
    uint8_t want[32];

    mac(auth, record, want);
    if (sodium_memcmp(want, record->mac, sizeof(want)) == 0)
        return ENVL_OK;
    envl_fail(err, ENVL_E_INTEGRITY,
              "record %u of job \"%s\" was not written under this keyring, "
              "or was changed", record->number, record->job);
    envl_hint(err, "use the keyring the job was begun with; if its ring key "
              "was renewed since, --accept-ring=ID starts a new pass");
    return ENVL_E_INTEGRITY;
}

void
record_digest(const struct record_auth *auth, struct envl_bytes value,
              uint8_t out[32])
{
    static const char label[] = "libenvelope/v1/quarantine";
    uint8_t full[HMAC512_LEN];
    struct envl_bytes parts[2];

    parts[0] = (struct envl_bytes){ (const uint8_t *)label, sizeof(label) };
    parts[1] = value;
    hmac512(&auth->key, parts, 2, full);
    memcpy(out, full, 32);
}

enum envl_status
record_new_id(char out[RECORD_ID_SIZE], struct envl_error *err)
{
    uint8_t raw[16];
    enum envl_status status;

    status = random_fill((struct envl_span){ raw, sizeof(raw) }, err);
    if (status == ENVL_OK)
        sodium_bin2hex(out, RECORD_ID_SIZE, raw, sizeof(raw));
    return status;
}
