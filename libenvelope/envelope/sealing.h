/*
 * sealing.h - what sealing one value, many, or a stream have in common.
 */
#ifndef ENVELOPE_SEALING_H
#define ENVELOPE_SEALING_H

#include "envelope/context_code.h"
#include "envelope/layout.h"
#include "envelope/payload.h"
#include "envelope/select.h"

/* One key and one set of options, resolved. */
struct sealing {
    struct envl_keyring *ring;
    struct envl_seal_options options; /* checked and complete */
    struct selection selected;
    enum envl_mode mode;
};

/* Where the keys of one envelope come from. */
struct sealing_source {
    const struct hmac512_key *input; /* data key or value key */
    struct envl_bytes wrapped;       /* mode wrapped          */
    const uint8_t *salt;             /* 24 fresh random bytes */
};

/**
 * sealing_begin(ring, options, out, err):
 * Check the options and choose the key.  Fails with ENVL_E_USAGE,
 * ENVL_E_NOKEY, ENVL_E_POLICY; sealing_end only after ENVL_OK.
 */
enum envl_status sealing_begin(struct envl_keyring *ring,
                               const struct envl_seal_options *options,
                               struct sealing *out, struct envl_error *err);

/**
 * sealing_end(sealing):
 * Give the view of the ring back.
 */
void sealing_end(struct sealing *sealing);

/**
 * sealing_layout(sealing, value_len, wrapped, out):
 * Lay out the envelope of a value; return its length, SIZE_MAX if it cannot
 * be addressed.
 */
size_t sealing_layout(const struct sealing *sealing, size_t value_len,
                      struct envl_bytes wrapped, struct layout *out);

/**
 * sealing_check(sealing, type, value, err):
 * The value's own rules (value.h), and nesting unless it is allowed.
 */
enum envl_status sealing_check(const struct sealing *sealing,
                               enum envl_type type, struct envl_bytes value,
                               struct envl_error *err);

/**
 * sealing_write(sealing, layout, code, value, source, out, err):
 * Seal a checked value to ${out} (as many bytes as the layout says).  On
 * failure they are wiped.
 */
struct sealing_value {
    struct envl_bytes value;
    enum envl_type type;
};
enum envl_status sealing_write(const struct sealing *sealing,
                               const struct context_code *code,
                               const struct sealing_value *value,
                               const struct sealing_source *source,
                               struct envl_span out, struct envl_error *err);

#endif /* ENVELOPE_SEALING_H */
