/*
 * provider.h - which provider serves which entry.
 */
#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include <stdbool.h>

#include <envelope/provider.h>

/**
 * provider_fits(provider, entry):
 * True if ${provider} is of the type of ${entry} and, where it has a name,
 * of its name (spec KEY-7, KEY-62): one Vault is not asked for another's entry.
 */
bool provider_fits(const struct envl_provider *provider,
                   const struct envl_unlock_entry *entry);

#endif /* PROVIDER_PROVIDER_H */
