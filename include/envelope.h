/*
 * envelope.h - everything a program that seals and opens values needs.
 *
 * Read in this order: error.h, bytes.h, context.h, keyring.h, envelope.h.
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <envelope/audit.h>
#include <envelope/bson.h>
#include <envelope/bytes.h>
#include <envelope/context.h>
#include <envelope/envelope.h>
#include <envelope/error.h>
#include <envelope/keyring.h>
#include <envelope/manifest.h>
#include <envelope/provider.h>
#include <envelope/provider_module.h>
#include <envelope/secret.h>
#include <envelope/stream.h>
#include <envelope/version.h>

#endif /* ENVELOPE_H */
