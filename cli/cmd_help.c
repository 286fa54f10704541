/* envelope help: the commands, one command, or a topic. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "report.h"
#include "suggest.h"

static const struct topic {
    const char *name;
    const char *text;
} topics[] = {
    { "exit-codes",
      "  0  ok\n"
      "  1  any other failure\n"
      "  2  usage, or a limit\n"
      "  3  some items failed or were quarantined; they are listed\n"
      "  4  findings, or plaintext is left (wins over 3)\n"
      " 10  no such keyring, file or job\n"
      " 11  locked by another living process\n"
      " 12  auth: wrong key, wrong context or changed; one code, one text\n"
      " 13  nokey: the keyring has no usable key of that id\n"
      " 14  refused by policy\n"
      " 15  a key provider failed\n"
      " 16  a database failed\n"
      " 17  the audit log cannot be written, and nothing was done\n"
      " 18  integrity of a keyring or checkpoint\n"
      " 19  not an envelope, a broken one, or one of another version\n"
      "130, 143  stopped by a signal, at a safe point\n" },
    { "environment",
      "ENVELOPE_KEYRING          the keyring, as --keyring\n"
      "ENVELOPE_KEY_FILE         the key file, as --key-file\n"
      "ENVELOPE_PASSPHRASE_FILE  a file with the passphrase\n"
      "ENVELOPE_AUDIT            the audit log\n"
      "ENVELOPE_UNLOCK           the only unlock entry to open it by\n"
      "ENVELOPE_REPORTS          the folder of readers' reports\n"
      "ENVELOPE_PIN              the pin that the keyring must have\n"
      "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME\n"
      "                          where files lie: `envelope help files`\n"
      "CREDENTIALS_DIRECTORY     set by systemd: envelope.key in it is the\n"
      "                          key file if no other is named\n"
      "NO_COLOR                  no colour on a terminal\n\n"
      "A flag goes before the environment, that before the user's\n"
      "configuration, that before the system's. No secret is ever taken\n"
      "from the environment, only the names of files; a provider of type\n"
      "aws-kms may find AWS's own variables there.\n" },
    { "files",
      "$XDG_DATA_HOME/envelope/keyring.json   the keyring (~/.local/share)\n"
      "$XDG_DATA_HOME/envelope/keyring.key    its key file, 32 bytes\n"
      "$XDG_CONFIG_HOME/envelope/config.json  the user's settings (~/.config)\n"
      "/etc/envelope/config.json              the system's settings\n"
      "$XDG_STATE_HOME/envelope/rings/        the generation last seen of\n"
      "                                       each keyring (~/.local/state)\n"
      "$XDG_STATE_HOME/envelope/audit.jsonl   the audit log\n\n"
      "config.json is one object; all members are optional, others are\n"
      "refused: keyring, key_file, passphrase_file, audit (absolute paths),\n"
      "pin (32 hex digits), unlock (a name), providers (`envelope help\n"
      "providers`), key_dirs (a list of folders whose root-owned\n"
      "files may be readable by all, as under /run/secrets), key_age_days\n"
      "(how old an active key may become, 90), key_age (what happens then:\n"
      "warn or refuse), readers (how many must have a key before it is\n"
      "activated), reports (the folder where they say so), readers_hours\n"
      "(how lately, 24).\n\n"
      "A file may be named as credential:NAME: the first file NAME under\n"
      "$CREDENTIALS_DIRECTORY (systemd), /run/secrets (Docker, Kubernetes)\n"
      "or a folder of key_dirs.\n\n"
      "Keyring, key file, configuration and their folders must belong to\n"
      "you or root, and nobody else may write them, nor read a key file.\n" },
    { "providers",
      "A provider opens the keyring, or wraps the keys of single values, from\n"
      "outside: a Vault, a KMS, an HSM. config.json says what it is and how\n"
      "it is reached, under the name that the keyring knows it by:\n\n"
      "{ \"providers\": {\n"
      "    \"vault\": { \"type\": \"vault-transit\", \"key\": \"ring\",\n"
      "               \"address\": \"https://vault.example:8200\",\n"
      "               \"auth\": { \"method\": \"token\",\n"
      "                 \"token_file\": \"/run/secrets/token\" } } } }\n\n"
      "  envelope init --provider vault            a ring that it opens\n"
      "  envelope unlock add vault --new-provider  an existing ring, too\n"
      "  envelope key add --kid w1 --use wrap --provider NAME\n"
      "                                            a key that stays there\n\n"
      "Types: vault-transit, vault-kv, aws-kms, pkcs11 (a token or HSM), exec\n"
      "(a command that writes 32 bytes). Key files, passphrases and recovery\n"
      "keys need no description.\n\n"
      "docs/providers.md has each type, with the least policy it needs.\n" },
    { "context",
      "A context says where a value belongs. It is part of the key: whoever\n"
      "opens must say it again, exactly, and a value that was moved does not\n"
      "open. It is given as --context NAME=VALUE, any number of times up to\n"
      "32, in any order; values may be empty, names not.\n\n"
      "Sweeps bind each value to `field`, the place where the envelope lives\n"
      "(public.users.token), and `id`, the row's key. `envelope plan` prints\n"
      "both for each field, as an application must say them.\n" },
    { "formats",
      "One envelope, three encodings, lossless between each other:\n\n"
      "text    env1:KID:BASE64URL             text columns, JSON strings\n"
      "object  {\"env\":1,\"kid\":...}            inside JSON documents\n"
      "binary  9E 45 56 01 ...                bytea, blobs, files\n\n"
      "Mode derived: sealed under a data key of the keyring. Mode wrapped:\n"
      "sealed under a key of its own, which a key of use wrap wraps;\n"
      "`envelope rewrap` moves it to another without touching the value.\n" },
};

#define TOPIC_COUNT (sizeof(topics) / sizeof(*topics))

static enum envl_status
unknown(const char *name, struct envl_error *err)
{
    const char *words[TOPIC_COUNT + 64], *near;
    const struct command *command;
    enum envl_status status;
    size_t count = 0;

    for (size_t i = 0; i < TOPIC_COUNT; i++)
        words[count++] = topics[i].name;
    for (size_t i = 0; i < 64 && (command = command_at(i)) != NULL; i++)
        words[count++] = command->name;
    status = envl_fail(err, ENVL_E_USAGE, "no help for %.60s", name);
    near = suggest_nearest(name, words, count);
    if (near != NULL)
        envl_hint(err, "did you mean `envelope help %s`?", near);
    else
        envl_hint(err, "`envelope help` lists commands and topics");
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    char **words = cli->options.operands;
    const struct command *command = NULL;
    char name[128];

    if (words[0] == NULL) {
        help_print(NULL);
        return ENVL_OK;
    }
    snprintf(name, sizeof(name), "%s%s%s", words[0],
             words[1] != NULL ? " " : "", words[1] != NULL ? words[1] : "");
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        if (strcmp(topics[i].name, name) == 0) {
            report_print("%s", topics[i].text);
            return ENVL_OK;
        }
    if (cli->options.operand_count > 2 ||
        command_find(name, &command, NULL) != ENVL_OK)
        return unknown(name, err);
    help_print(command);
    return ENVL_OK;
}

const struct command cmd_help = {
    .name = "help",
    .run = run,
    .operands = "[TOPIC]...",
    .summary = "this list, one command, or a topic",
    .needs_nothing = true,
    .help =
        "Explain a command, or one of the topics exit-codes, environment,\n"
        "files, providers, context, formats. Without TOPIC, list the commands.",
    .examples = "envelope help key add\nenvelope help exit-codes",
};
