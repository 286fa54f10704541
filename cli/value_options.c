#include <string.h>

#include "value_options.h"

static enum envl_status
read_pad(const struct options *options, int *pad, struct envl_error *err)
{
    const char *text = options->value[OPT_PAD];
    uint64_t number;
    enum envl_status status;

    *pad = ENVL_PAD_DEFAULT;
    if (text == NULL)
        return ENVL_OK;
    if (strcmp(text, "none") == 0) {
        *pad = ENVL_PAD_NONE;
        return ENVL_OK;
    }
    status = options_number(options,
                            (struct number_rule){ OPT_PAD, 2, 4096, 0 },
                            &number, err);
    if (status == ENVL_OK)
        *pad = (int)number;
    return status;
}

enum envl_status
value_options_read(const struct options *options,
                   struct envl_seal_options *out, bool *typed,
                   struct envl_error *err)
{
    int encoding, mode, type;
    enum envl_status status;

    *out = (struct envl_seal_options){ .size = sizeof(*out) };
    if ((status = options_choice(options, OPT_ENCODING, ENVL_ENCODING_TEXT,
                                 &encoding, err)) != ENVL_OK ||
        (status = options_choice(options, OPT_MODE, ENVL_MODE_DERIVED, &mode,
                                 err)) != ENVL_OK ||
        (status = options_choice(options, OPT_TYPE, ENVL_TYPE_BYTES, &type,
                                 err)) != ENVL_OK ||
        (status = read_pad(options, &out->pad, err)) != ENVL_OK)
        return status;
    out->kid = options->value[OPT_KID];
    out->scope = options->value[OPT_SCOPE];
    out->encoding = (enum envl_encoding)encoding;
    out->mode = (enum envl_mode)mode;
    out->type = (enum envl_type)type;
    out->allow_nested = options->value[OPT_ALLOW_NESTED] != NULL;
    *typed = options->value[OPT_TYPE] != NULL;
    return ENVL_OK;
}

const char *
value_options_type_name(enum envl_type type)
{
    switch (type) {
    case ENVL_TYPE_BYTES:
        return "bytes";
    case ENVL_TYPE_TEXT:
        return "text";
    case ENVL_TYPE_JSON:
        return "json";
    case ENVL_TYPE_BSON:
        return "bson";
    }
    return "bytes";
}

/* The use of a key decides the mode: what was asked for must not be lost. */
enum envl_status
value_options_check_mode(const struct options *options,
                         struct envl_keyring *ring, struct envl_error *err)
{
    const char *mode = options->value[OPT_MODE], *kid = options->value[OPT_KID];
    struct envl_key_info key;
    enum envl_status status;

    if (mode == NULL || kid == NULL ||
        envl_keyring_find(ring, kid, &key, NULL) != ENVL_OK ||
        (key.use == ENVL_USE_WRAP) == (strcmp(mode, "wrapped") == 0))
        return ENVL_OK;
    status = envl_fail(err, ENVL_E_USAGE, "key %s is of use %s and cannot seal "
                       "in mode %s", key.kid, envl_key_use_name(key.use),
                       mode);
    envl_hint(err, "leave --kid or --mode out, or name a key of use %s",
              key.use == ENVL_USE_WRAP ? "seal" : "wrap");
    return status;
}
