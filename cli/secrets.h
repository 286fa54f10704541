/*
 * secrets.h - what can open a keyring, from flags, environment, mounts or a
 * person.
 */
#ifndef CLI_SECRETS_H
#define CLI_SECRETS_H

#include <envelope/provider.h>

#include "command.h"

/* A growing list of providers. */
struct secret_list {
    struct envl_provider **items;
    size_t room, count;
    size_t openers; /* of those, the first so many may open the ring */
};

/**
 * secrets_collect(cli, list, err):
 * Add those who may open the keyring, in the order in which they are tried.
 * What the flags name is all; else what environment and configuration name;
 * else a key file under $CREDENTIALS_DIRECTORY or /run/secrets, or the default
 * one; then the providers of the configuration; and then a person, who is only
 * asked if the ring has a passphrase.  The providers are in the list in any
 * case, behind ${openers}: they may be those of wrapping keys.
 */
enum envl_status secrets_collect(struct cli *cli, struct secret_list *list,
                                 struct envl_error *err);

/* Where a new passphrase comes from; both NULL: from a prompt. */
struct secrets_source {
    const char *file, *fd;
    const struct settings *settings; /* for key_dirs; NULL: none */
    const struct envl_passphrase_cost *cost; /* NULL: the default */
};

/**
 * secrets_passphrase(source, prompt, again, out, err):
 * A provider from a file, a descriptor, or else a prompt (typed twice where
 * ${again}).
 */
enum envl_status secrets_passphrase(const struct secrets_source *source,
                                    const char *prompt, bool again,
                                    struct envl_provider **out,
                                    struct envl_error *err);

/**
 * secrets_key_file(path, settings, out, err):
 * A provider of the key file ${path} that knows the key_dirs of ${settings}.
 */
enum envl_status secrets_key_file(const char *path,
                                  const struct settings *settings,
                                  struct envl_provider **out,
                                  struct envl_error *err);

/**
 * secrets_recovery(path, settings, out, err):
 * A provider of the private half in the file ${path}; "-": of the words that a
 * person types.
 */
enum envl_status secrets_recovery(const char *path,
                                  const struct settings *settings,
                                  struct envl_provider **out,
                                  struct envl_error *err);

/**
 * secrets_is_at_hand(provider):
 * False for a person who was not asked yet: whoever only looks must not ask.
 */
bool secrets_is_at_hand(const struct envl_provider *provider);

#endif /* CLI_SECRETS_H */
