/*
 * value.h - what a value looks like, apart from known forms.
 */
#ifndef DETECT_VALUE_H
#define DETECT_VALUE_H

#include <stdbool.h>

#include <envelope/bytes.h>

/**
 * value_is_placeholder(value):
 * Whether it stands for a value: empty, "${NAME}", "{{ name }}", "<your key>",
 * "xxxx", "changeme-example", "null", "true", a mask of dots or stars.
 */
bool value_is_placeholder(struct envl_bytes value);

/**
 * value_is_default(value):
 * Whether it is a password that software ships with ("postgres", "admin",
 * "changeit", ...): no placeholder, since it opens the door.
 */
bool value_is_default(struct envl_bytes value);

/**
 * value_is_random(value):
 * Whether its characters look drawn by chance: 20 or more of base64, or 32 or
 * more of hex, of high variety, in no language's order.  UUIDs are not.
 */
bool value_is_random(struct envl_bytes value);

/**
 * value_is_digest(value):
 * Whether it is a password's stored hash ($2b$, $argon2id$, {SSHA}, ...) or
 * says that it is a checksum ("sha256:...").
 */
bool value_is_digest(struct envl_bytes value);

/**
 * value_is_reference(value):
 * Whether it says where something is: a path, a URL without a password, an
 * ARN, a host name, an e-mail address, an identifier of code with a dot or a
 * call.
 */
bool value_is_reference(struct envl_bytes value);

/**
 * value_is_envelope(value):
 * Whether it begins like an envelope in text form: no secret any more.
 */
bool value_is_envelope(struct envl_bytes value);

/**
 * value_variety(value):
 * The number of equally frequent characters that would repeat as often as
 * its own do (inverse Simpson index, 2 to the power of the collision
 * entropy): of 40 characters about 25 for base64, 12 for hex, 11 for prose.
 */
double value_variety(struct envl_bytes value);

#endif /* DETECT_VALUE_H */
