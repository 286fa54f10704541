#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "suggest.h"

#define LONG_BASE 256 /* above every letter: tells long options apart */

static const struct option_spec specs[OPT_COUNT] = {
    [OPT_KEYRING] = { "keyring", 0, "FILE", "the keyring to use", NULL },
    [OPT_KEY_FILE] = { "key-file", 0, "FILE",
                       "the key file that opens the keyring", NULL },
    [OPT_PASSPHRASE_FILE] = { "passphrase-file", 0, "FILE",
                              "read the passphrase from a file", NULL },
    [OPT_PASSPHRASE_FD] = { "passphrase-fd", 0, "N",
                            "read the passphrase from file descriptor N",
                            NULL },
    [OPT_UNLOCK] = { "unlock", 0, "NAME",
                     "open the keyring by this unlock entry alone", NULL },
    [OPT_RECOVERY_FILE] = { "recovery-file", 0, "FILE",
                            "open it with the words of a recovery key; -: "
                            "they are asked for", NULL },
    [OPT_ACCEPT_RING] = { "accept-ring", 0, "ID",
                          "accept a keyring that is older or other than the "
                          "one remembered", NULL },
    [OPT_JSON] = { "json", 0, NULL, "results and errors as JSON", NULL },
    [OPT_QUIET] = { "quiet", 'q', NULL, "no notes, warnings or progress",
                    NULL },
    [OPT_HELP] = { "help", 'h', NULL, "this text", NULL },
    [OPT_ACTIVATE] = { "activate", 0, NULL,
                       "make it the active key of its use and scope", NULL },
    [OPT_ALLOW_NESTED] = { "allow-nested", 0, NULL,
                           "seal what is an envelope already", NULL },
    [OPT_BASELINE] = { "baseline", 0, "FILE",
                       "findings that were accepted before", NULL },
    [OPT_BY] = { "by", 0, "WAY", "env, or fd: descriptors",
                 "env fd" },
    [OPT_BYTES] = { "bytes", 0, "N", "random bytes, 16 to 4096 (32)", NULL },
    [OPT_CANARY] = { "canary", 0, "FILE",
                     "an envelope that the backup must open, too", NULL },
    [OPT_CI] = { "ci", 0, NULL,
                 "for a pipeline: use .envelope-baseline.json if it is there",
                 NULL },
    [OPT_CONTEXT] = { "context", 0, "NAME=VALUE",
                      "where the value belongs; may be repeated", NULL },
    [OPT_DDL] = { "ddl", 0, NULL,
                  "print the state schema and the GRANTs a sweep needs",
                  NULL },
    [OPT_ENCODING] = { "encoding", 0, "ENC", "text, object or binary",
                       "text object binary" },
    [OPT_ENV_FILE] = { "env-file", 0, "FILE",
                       "lines of NAME=VALUE, some of them envelopes", NULL },
    [OPT_EXCEPT] = { "except", 0, "NAMES",
                     "names, with commas between, that are no secrets",
                     NULL },
    [OPT_EXECUTE] = { "execute", 0, NULL, "do it, instead of planning it",
                      NULL },
    [OPT_EXPIRES] = { "expires", 0, "DATE",
                      "when it should no longer seal, as "
                      "2027-01-31T00:00:00Z", NULL },
    [OPT_FORGET] = { "forget", 0, "NAME", "the job to remove", NULL },
    [OPT_FORM] = { "form", 0, "FORM", "base64url, base64 or hex",
                   "base64url base64 hex" },
    [OPT_IMPORT] = { "import", 0, "FILE",
                     "take the key from a file of 32 bytes or 64 hex digits",
                     NULL },
    [OPT_INCIDENT] = { "incident", 0, "ID",
                       "the incident it belongs to, for the audit log", NULL },
    [OPT_INPUT] = { "input", 0, "FORM", "text, json or document",
                    "text json document" },
    [OPT_JOB] = { "job", 0, "FILE", "the job file of a sweep", NULL },
    [OPT_KEEP] = { "keep", 0, "NAMES",
                   "variables to pass on, with commas between, or all",
                   NULL },
    [OPT_KID] = { "kid", 0, "KID", "the key by its id", NULL },
    [OPT_LEAST] = { "least", 0, "SURE",
                    "how sure a finding must be: low, medium (default), high",
                    "low medium high" },
    [OPT_LOG] = { "log", 0, "FILE", "the audit log to read", NULL },
    [OPT_MASK] = { "mask", 0, "TEXT",
                   "what stands in place of a secret ([redacted])", NULL },
    [OPT_MEMLIMIT] = { "memlimit", 0, "MIB",
                       "memory of Argon2id, 64 to 2048 MiB (256)", NULL },
    [OPT_METRICS_FILE] = { "metrics-file", 0, "FILE",
                           "keep FILE up to date for Prometheus", NULL },
    [OPT_MODE] = { "mode", 0, "MODE", "derived or wrapped",
                   "derived wrapped" },
    [OPT_NAME] = { "name", 0, "NAME", "the name of the unlock entry (main)",
                   NULL },
    [OPT_NAMES] = { "names", 0, "NAMES",
                    "more names, with commas between, that mean a secret",
                    NULL },
    [OPT_NEW_KEY_FILE] = { "new-key-file", 0, "FILE",
                           "open it with this key file; made if missing",
                           NULL },
    [OPT_NEW_PASSPHRASE] = { "new-passphrase", 0, NULL,
                             "open it with a passphrase, which is asked for",
                             NULL },
    [OPT_NEW_PASSPHRASE_FD] = { "new-passphrase-fd", 0, "N",
                                "read the new passphrase from file "
                                "descriptor N", NULL },
    [OPT_NEW_PASSPHRASE_FILE] = { "new-passphrase-file", 0, "FILE",
                                  "read the new passphrase from a file",
                                  NULL },
    [OPT_NEW_PROVIDER] = { "new-provider", 0, NULL,
                           "open it by the provider that the configuration "
                           "describes under that name", NULL },
    [OPT_NO_WAIT] = { "no-wait", 0, NULL,
                      "end instead of waiting for `resume` or the window",
                      NULL },
    [OPT_OPSLIMIT] = { "opslimit", 0, "N", "passes of Argon2id, 2 to 10 (3)",
                       NULL },
    [OPT_OUT] = { "out", 0, "FILE", "the file to write", NULL },
    [OPT_OUTPUT] = { "output", 'o', "FILE",
                     "write here; the file appears only when it is whole",
                     NULL },
    [OPT_PAD] = { "pad", 0, "N",
                  "pad to a multiple of N bytes, 2 to 4096, or none", NULL },
    [OPT_PASSPHRASE] = { "passphrase", 0, NULL,
                         "protect it with a passphrase, which is asked for",
                         NULL },
    [OPT_PROVIDER] = { "provider", 0, "NAME",
                       "a provider that the configuration describes", NULL },
    [OPT_PREFIX] = { "prefix", 0, "TEXT",
                     "what the secret begins with, as whsec_", NULL },
    [OPT_READER] = { "reader", 0, "NAME",
                     "the name of this reader (this host)", NULL },
    [OPT_READERS] = { "readers", 0, "N",
                      "how many readers must have the keyring", NULL },
    [OPT_REASON] = { "reason", 0, "TEXT", "why, for the audit log", NULL },
    [OPT_RECOVERY_PUBLIC] = { "recovery-public", 0, "ERP1",
                              "open it with the recovery key of this public "
                              "half", NULL },
    [OPT_REPORTS] = { "reports", 0, "FOLDER",
                      "where readers report their generation", NULL },
    [OPT_RETAIN_UNTIL] = { "retain-until", 0, "DATE",
                           "never destroy it before, as "
                           "2032-12-31T00:00:00Z", NULL },
    [OPT_SARIF] = { "sarif", 0, "FILE",
                    "write the findings as SARIF 2.1.0; - is standard output",
                    NULL },
    [OPT_SCOPE] = { "scope", 0, "SCOPE", "the tenant (default)", NULL },
    [OPT_SEAL] = { "seal", 0, NULL, "write its envelope, not the secret",
                   NULL },
    [OPT_PUBLIC_KEY] = { "public-key", 0, "FILE",
                         "who must have signed: the file KEY.pub", NULL },
    [OPT_RANDOM] = { "random", 0, NULL,
                     "mask what looks drawn by chance, too", NULL },
    [OPT_SIGN_KEY] = { "sign-key", 0, "FILE",
                       "sign under the key that `audit key` made", NULL },
    [OPT_SECONDS] = { "seconds", 0, "N", "how long to measure each line (1)",
                      NULL },
    [OPT_SHOW] = { "show", 0, NULL,
                   "write the secret to standard output, too", NULL },
    [OPT_SIGNATURE] = { "signature", 0, "FILE",
                        "the signature, if it is not in FILE.mac", NULL },
    [OPT_TAIL] = { "tail", 0, "N", "only the last N records", NULL },
    [OPT_TYPE] = { "type", 0, "TYPE", "bytes, text or json",
                   "bytes text json" },
    [OPT_USE] = { "use", 0, "USE", "seal, wrap, index or mac",
                  "seal wrap index mac" },
    [OPT_VERIFY] = { "verify", 0, "FILE", "the backup to try", NULL },
    [OPT_WATCH] = { "watch", 0, NULL, "look again every 2 s until it is done",
                    NULL },
    [OPT_WITHIN] = { "within", 0, "HOURS",
                     "how old a report may be (24)", NULL },
    [OPT_WORKERS] = { "workers", 0, "N", "how many connections sweep at once",
                      NULL },
    [OPT_WRITE_BASELINE] = { "write-baseline", 0, "FILE",
                             "accept what is found: write a baseline", NULL },
    [OPT_YES] = { "yes", 0, "NAME", "do it without asking for the name",
                  NULL },
};

const struct option_spec *
options_spec(enum option_id id)
{
    if (id <= OPT_END || id >= OPT_COUNT || specs[id].name == NULL)
        return NULL;
    return &specs[id];
}

/* ---- parsing ------------------------------------------------------------ */

/* The tables of getopt_long for one verb. */
struct tables {
    struct option longs[OPT_COUNT + 1];
    char letters[2 * OPT_COUNT + 2];
    const char *names[OPT_COUNT];
    size_t count;
};

static void
add_option(struct tables *tables, enum option_id id)
{
    const struct option_spec *spec = options_spec(id);
    struct option *option = &tables->longs[tables->count];

    option->name = spec->name;
    option->has_arg = spec->metavar ? required_argument : no_argument;
    option->val = LONG_BASE + (int)id;
    tables->names[tables->count++] = spec->name;
    if (spec->letter != 0) {
        size_t end = strlen(tables->letters);

        tables->letters[end] = spec->letter;
        tables->letters[end + 1] = spec->metavar ? ':' : '\0';
        tables->letters[end + 2] = '\0';
    }
}

static void
make_tables(const enum option_id *taken, struct tables *tables)
{
    *tables = (struct tables){ .letters = ":" };
    for (; taken != NULL && *taken != OPT_END; taken++)
        add_option(tables, *taken);
    for (int id = OPT_END + 1; id < OPT_COMMON_END; id++)
        add_option(tables, (enum option_id)id);
}

static enum option_id
id_of(const struct tables *tables, int code)
{
    if (code >= LONG_BASE)
        return (enum option_id)(code - LONG_BASE);
    for (size_t i = 0; i < tables->count; i++) {
        enum option_id id =
            (enum option_id)(tables->longs[i].val - LONG_BASE);

        if (specs[id].letter == (char)code)
            return id;
    }
    return OPT_END;
}

/* Whoever writes --password hunter2 learns where secrets come from. */
static void
hint_unknown(const struct tables *tables, const char *name,
             struct envl_error *err)
{
    static const char *const secret_words[] = { "pass", "secret", "pin",
                                                "token" };
    const char *near = suggest_nearest(name, tables->names, tables->count);

    for (size_t i = 0; i < sizeof(secret_words) / sizeof(*secret_words); i++)
        if (strstr(name, secret_words[i]) != NULL) {
            envl_hint(err, "secrets never come from the command line: use "
                           "--key-file, --passphrase-file, --passphrase-fd "
                           "or the prompt");
            return;
        }
    if (near != NULL)
        envl_hint(err, "did you mean --%s?", near);
    else
        envl_hint(err, "--help lists the options of this command");
}

static enum envl_status
refuse(const struct tables *tables, int code, char *const *argv,
       struct envl_error *err)
{
    enum envl_status status;
    char name[40];
    size_t len;

    if (code == ':' || optopt >= LONG_BASE) {
        const char *full = specs[id_of(tables, optopt)].name;

        status = envl_fail(err, ENVL_E_USAGE, code == ':'
                           ? "option --%s needs an argument"
                           : "option --%s takes no argument", full);
        if (code != ':')
            hint_unknown(tables, full, err);
        return status;
    }
    if (optopt != 0)
        return envl_fail(err, ENVL_E_USAGE, "unknown option -%c", optopt);

    /* What follows a '=' may be a secret: it is not repeated. */
    len = strcspn(argv[optind - 1] + 2, "=");
    if (len >= sizeof(name))
        len = sizeof(name) - 1;
    memcpy(name, argv[optind - 1] + 2, len);
    name[len] = '\0';
    status = envl_fail(err, ENVL_E_USAGE, "unknown option --%s", name);
    hint_unknown(tables, name, err);
    return status;
}

static enum envl_status
take(struct options *out, enum option_id id, struct envl_error *err)
{
    if (id == OPT_CONTEXT) {
        if (out->context_count == ENVL_CONTEXT_MAX_PAIRS)
            return envl_fail(err, ENVL_E_LIMIT,
                             "more than %u pairs of --context",
                             ENVL_CONTEXT_MAX_PAIRS);
        out->contexts[out->context_count++] = optarg;
        return ENVL_OK;
    }
    if (out->value[id] != NULL && specs[id].metavar != NULL)
        return envl_fail(err, ENVL_E_USAGE, "option --%s is given twice",
                         specs[id].name);
    out->value[id] = optarg != NULL ? optarg : "";
    return ENVL_OK;
}

enum envl_status
options_parse(const enum option_id *taken, int argc, char **argv,
              struct options *out, struct envl_error *err)
{
    struct tables tables;
    enum envl_status status;
    int code;

    make_tables(taken, &tables);
    *out = (struct options){ 0 };
    opterr = 0;
    optind = 0; /* glibc: start afresh */
    while ((code = getopt_long(argc, argv, tables.letters, tables.longs,
                               NULL)) != -1) {
        if (code == '?' || code == ':')
            return refuse(&tables, code, argv, err);
        if ((status = take(out, id_of(&tables, code), err)) != ENVL_OK)
            return status;
    }
    out->operands = argv + optind;
    out->operand_count = argc - optind;
    return ENVL_OK;
}

/* ---- secrets on the command line ---------------------------------------- */

/* scheme://user:password@host, the password not empty. */
static bool
has_url_password(const char *text)
{
    const char *authority = strstr(text, "://"), *colon, *at;
    size_t len;

    if (authority == NULL)
        return false;
    authority += 3;
    len = strcspn(authority, "/?#");
    at = memrchr(authority, '@', len);
    if (at == NULL)
        return false;
    colon = memchr(authority, ':', (size_t)(at - authority));
    return colon != NULL && colon + 1 < at;
}

/* host=... password=..., as libpq writes it, or ...?password=... */
static bool
has_dsn_password(const char *text)
{
    static const char *const marks[] = { "host=", "dbname=", "user=", "://" };
    const char *word = strstr(text, "password=");

    if (word == NULL || word[9] == '\0')
        return false;
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (strstr(text, marks[i]) != NULL)
            return true;
    return false;
}

enum envl_status
options_refuse_secrets(int argc, char **argv, struct envl_error *err)
{
    for (int i = 1; i < argc; i++) {
        enum envl_status status;

        if (!has_url_password(argv[i]) && !has_dsn_password(argv[i]))
            continue;
        status = envl_fail(err, ENVL_E_USAGE, "argument %d is a connection "
                           "string with a password", i);
        envl_hint(err, "other users can read the command line: put the "
                       "string into a file or variable and name that in the "
                       "job (dsn_file, dsn_env), and change this password");
        return status;
    }
    return ENVL_OK;
}
