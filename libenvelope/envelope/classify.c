#include <string.h>

#include <sodium.h>

#include "envelope/classify.h"
#include "envelope/opening.h"
#include "envelope/select.h"
#include "envelope/value_key.h"

void
classify_describe(const struct parsed *envelope, struct envl_info *out)
{
    const struct layout binary = {
        ENVL_ENCODING_BINARY, envelope->mode, envelope->kid,
        envelope->wrapped, envelope->payload_len,
    };

    memset(out, 0, sizeof(*out));
    out->version = 1;
    out->mode = envelope->mode;
    out->encoding = envelope->encoding;
    memcpy(out->kid, envelope->kid.ptr, envelope->kid.len);
    out->binary_len = layout_len(&binary);
}

enum envl_status
envl_inspect(struct envl_bytes envelope, struct envl_info *out,
             struct envl_error *err)
{
    uint8_t room[PARSE_HEAD_ROOM];
    struct parsed parsed;
    enum envl_status status = parse_head(envelope, room, &parsed, err);

    if (status == ENVL_OK)
        classify_describe(&parsed, out);
    return status;
}

/*
 * Does the commitment hold?  Nothing is decrypted, and so nothing proven of
 * the value.  spec: ENV-8.18, ENV-4.11
 */
static enum envl_status
compare(const struct key *key, const struct parsed *envelope,
        struct context_code *code, struct envl_error *err)
{
    struct payload_keys keys;
    struct value_key value_key;
    enum envl_status status;

    if (envelope->mode == ENVL_MODE_DERIVED) {
        status = opening_derive(&key->secret->prepared, code, envelope, &keys,
                                err);
    } else {
        status = value_key_open(key, envelope->wrapped, &value_key, err);
        if (status != ENVL_OK)
            return status;
        status = opening_derive(&value_key.prepared, code, envelope, &keys,
                                err);
        sodium_memzero(&value_key, sizeof(value_key));
    }
    sodium_memzero(&keys, sizeof(keys));
    return status;
}

/* What is about the envelope is an answer; the rest is a failure to answer. */
static bool
is_answer(enum envl_status status)
{
    switch (status) {
    case ENVL_OK: case ENVL_E_NOTENV: case ENVL_E_VERSION: case ENVL_E_FORMAT:
    case ENVL_E_NOKEY: case ENVL_E_POLICY: case ENVL_E_AUTH:
        return true;
    default:
        return false;
    }
}

static enum envl_status
judge(struct envl_keyring *ring, const struct envl_open_options *options,
      struct context_code *code, struct envl_bytes bytes,
      struct envl_verdict *out, struct envl_error *err)
{
    uint8_t room[PARSE_HEAD_ROOM];
    struct selection selected;
    struct parsed envelope;
    enum envl_status status = parse_head(bytes, room, &envelope, err);

    if (status != ENVL_OK)
        return status;
    classify_describe(&envelope, &out->info);
    status = select_opening_key(ring, options, &envelope, &selected, err);
    if (status != ENVL_OK)
        return status;
    out->state = selected.key->info.state;
    status = compare(selected.key, &envelope, code, err);
    select_release(ring, &selected);
    return status;
}

enum envl_status
envl_classify(struct envl_keyring *ring,
              const struct envl_open_options *options,
              const struct envl_context *context, struct envl_bytes envelope,
              struct envl_verdict *out, struct envl_error *err)
{
    struct envl_open_options checked;
    struct context_code code;
    struct envl_verdict verdict;
    enum envl_status status = context_code_make(context, &code, err);

    if (status == ENVL_OK)
        status = select_open_options(options, &checked, err);
    if (status != ENVL_OK)
        return status;
    memset(&verdict, 0, sizeof(verdict));
    status = judge(ring, &checked, &code, envelope, &verdict, err);
    if (!is_answer(status))
        return status;
    verdict.status = status;
    *out = verdict;
    return ENVL_OK;
}
