#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "report.h"
#include "secrets.h"
#include "settings_providers.h"

/* ---- a person, asked only when needed ----------------------------------- */

struct person {
    struct envl_provider base;
    struct envl_provider *answer; /* NULL until asked */
};

static enum envl_status
ask_once(struct person *person, const char *entry, struct envl_error *err)
{
    const struct secrets_source prompt = { NULL, NULL, NULL, NULL };
    char question[96];

    if (person->answer != NULL)
        return ENVL_OK;
    snprintf(question, sizeof(question), "Passphrase of the keyring (%s)",
             entry);
    return secrets_passphrase(&prompt, question, false, &person->answer, err);
}

static enum envl_status
person_unlock(struct envl_provider *self,
              const struct envl_unlock_entry *entry, const char *ring_id,
              struct envl_secret **ring_key, struct envl_error *err)
{
    struct person *person = (struct person *)self;
    enum envl_status status = ask_once(person, entry->name, err);

    if (status != ENVL_OK)
        return status;
    return person->answer->ops->unlock(person->answer, entry, ring_id,
                                       ring_key, err);
}

static enum envl_status
person_enroll(struct envl_provider *self, const char *ring_id,
              const struct envl_secret *ring_key,
              struct envl_unlock_entry *entry, struct envl_error *err)
{
    struct person *person = (struct person *)self;
    enum envl_status status = ask_once(person, entry->name, err);

    if (status != ENVL_OK)
        return status;
    return person->answer->ops->enroll(person->answer, ring_id, ring_key,
                                       entry, err);
}

static void
person_free(struct envl_provider *self)
{
    struct person *person = (struct person *)self;

    envl_provider_free(person->answer);
    free(person);
}

static const struct envl_provider_ops person_ops = {
    .abi = ENVL_PROVIDER_ABI,
    .type = "passphrase",
    .unlock = person_unlock,
    .enroll = person_enroll,
    .free = person_free,
};

bool
secrets_is_at_hand(const struct envl_provider *provider)
{
    return provider->ops != &person_ops ||
           ((const struct person *)provider)->answer != NULL;
}

static enum envl_status
add_person(struct secret_list *list, struct envl_error *err)
{
    struct person *person = calloc(1, sizeof(*person));

    if (person == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    person->base.ops = &person_ops;
    list->items[list->count++] = &person->base;
    return ENVL_OK;
}

/* ---- files and descriptors ---------------------------------------------- */

enum envl_status
secrets_passphrase(const struct secrets_source *source, const char *prompt,
                   bool again, struct envl_provider **out,
                   struct envl_error *err)
{
    const struct settings *settings = source->settings;
    struct io_mounts mounts = { NULL, 0 };
    struct envl_secret *secret = NULL;
    enum envl_status status;
    bool exposed = false;

    if (settings != NULL)
        mounts = (struct io_mounts){ (const char *const *)settings->key_dirs,
                                     settings->key_dir_count };
    if (source->fd != NULL)
        status = io_secret_from_fd(source->fd, &secret, err);
    else if (source->file != NULL)
        status = io_secret_from_file(source->file, mounts, &secret,
                                     &exposed, err);
    else
        status = io_secret_from_prompt(prompt, again, &secret, err);
    if (status == ENVL_OK && exposed)
        report_warning("passphrase file %s can be read by others: chmod 600, "
                       "and change it if they may have", source->file);
    if (status == ENVL_OK)
        status = envl_passphrase_provider_new(secret, source->cost, out, err);
    envl_secret_free(secret);
    return status;
}

enum envl_status
secrets_key_file(const char *path, const struct settings *settings,
                 struct envl_provider **out, struct envl_error *err)
{
    struct envl_provider *provider = NULL;
    enum envl_status status = envl_keyfile_provider_new(path, &provider, err);

    for (size_t i = 0; status == ENVL_OK && i < settings->key_dir_count; i++)
        status = envl_keyfile_provider_allow(provider, settings->key_dirs[i],
                                             err);
    if (status == ENVL_OK)
        *out = provider;
    else
        envl_provider_free(provider);
    return status;
}

enum envl_status
secrets_recovery(const char *path, const struct settings *settings,
                 struct envl_provider **out, struct envl_error *err)
{
    const struct io_mounts mounts = {
        (const char *const *)settings->key_dirs, settings->key_dir_count
    };
    struct envl_secret *text = NULL, *key = NULL;
    enum envl_status status;

    if (strcmp(path, "-") == 0)
        status = io_secret_from_prompt("The 18 words of the recovery key",
                                       false, &text, err);
    else
        status = io_private_from_file(path, "recovery key", mounts, &text,
                                      err);
    if (status == ENVL_OK)
        status = envl_recovery_key_read(envl_secret_bytes(text), &key, err);
    if (status == ENVL_OK)
        status = envl_recovery_provider_new(key, out, err);
    envl_secret_free(text);
    envl_secret_free(key);
    return status;
}

static enum envl_status
add_recovery(struct cli *cli, struct secret_list *list, const char *path,
             struct envl_error *err)
{
    enum envl_status status = secrets_recovery(
        path, &cli->settings, &list->items[list->count], err);

    if (status == ENVL_OK)
        list->count++;
    return status;
}

static enum envl_status
add_key_file(struct cli *cli, struct secret_list *list, const char *path,
             struct envl_error *err)
{
    enum envl_status status = secrets_key_file(
        path, &cli->settings, &list->items[list->count], err);

    if (status == ENVL_OK)
        list->count++;
    return status;
}

static enum envl_status
add_passphrase(struct cli *cli, struct secret_list *list, const char *file,
               const char *fd, struct envl_error *err)
{
    const struct secrets_source source = { file, fd, &cli->settings, NULL };
    enum envl_status status = secrets_passphrase(
        &source, NULL, false, &list->items[list->count], err);

    if (status == ENVL_OK)
        list->count++;
    return status;
}

static enum envl_status
add_flagged(struct cli *cli, struct secret_list *list, struct envl_error *err)
{
    const char *key_file = cli->options.value[OPT_KEY_FILE];
    const char *file = cli->options.value[OPT_PASSPHRASE_FILE];
    const char *fd = cli->options.value[OPT_PASSPHRASE_FD];
    const char *recovery = cli->options.value[OPT_RECOVERY_FILE];
    enum envl_status status = ENVL_OK;

    if (file != NULL && fd != NULL)
        return envl_fail(err, ENVL_E_USAGE, "--passphrase-file and "
                         "--passphrase-fd exclude each other");
    if (key_file != NULL)
        status = add_key_file(cli, list, key_file, err);
    if (status == ENVL_OK && (file != NULL || fd != NULL))
        status = add_passphrase(cli, list, file, fd, err);
    if (status == ENVL_OK && recovery != NULL)
        status = add_recovery(cli, list, recovery, err);
    return status;
}

static enum envl_status
add_configured(struct cli *cli, struct secret_list *list,
               struct envl_error *err)
{
    const struct setting *key = &cli->settings.item[SETTING_KEY_FILE];
    const struct setting *pass =
        &cli->settings.item[SETTING_PASSPHRASE_FILE];
    enum envl_status status = ENVL_OK;

    if (key->chosen)
        status = add_key_file(cli, list, key->value, err);
    if (status == ENVL_OK && pass->chosen)
        status = add_passphrase(cli, list, pass->value, NULL, err);
    return status;
}

/* A key file handed out by systemd, Docker or Kubernetes, or the default. */
static enum envl_status
add_default(struct cli *cli, struct secret_list *list, bool *person,
            struct envl_error *err)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    const char *mounts[2] = { credentials, "/run/secrets" };
    const char *key = settings_get(&cli->settings, SETTING_KEY_FILE);
    enum envl_status status = ENVL_OK;

    for (size_t i = 0; i < 2; i++) {
        char *path = NULL;

        if (mounts[i] == NULL)
            continue;
        if (asprintf(&path, "%s/envelope.key", mounts[i]) < 0)
            return envl_fail(err, ENVL_E_NOMEM, "out of memory");
        if (access(path, F_OK) == 0) {
            status = add_key_file(cli, list, path, err);
            free(path);
            return status;
        }
        free(path);
    }
    /*
     * Also if it is missing: then the error names it, unless something else
     * is described that may open the ring.
     */
    *person = true;
    if (cli->settings.provider_count > 0 && access(key, F_OK) != 0)
        return ENVL_OK;
    return add_key_file(cli, list, key, err);
}

static enum envl_status
add_providers(struct cli *cli, struct secret_list *list,
              struct envl_error *err)
{
    const struct settings *settings = &cli->settings;
    enum envl_status status = ENVL_OK;

    for (size_t i = 0; status == ENVL_OK && i < settings->provider_count;
         i++) {
        status = settings_providers_new(settings, settings->providers[i].name,
                                        &list->items[list->count], err);
        if (status == ENVL_OK)
            list->count++;
    }
    return status;
}

enum envl_status
secrets_collect(struct cli *cli, struct secret_list *list,
                struct envl_error *err)
{
    enum envl_status status = add_flagged(cli, list, err);
    bool person = false;

    list->openers = list->count;
    if (status == ENVL_OK && list->openers == 0) {
        status = add_configured(cli, list, err);
        if (status == ENVL_OK && list->count == 0)
            status = add_default(cli, list, &person, err);
    }
    if (status == ENVL_OK)
        status = add_providers(cli, list, err);
    if (status == ENVL_OK && person)
        status = add_person(list, err);
    if (list->openers == 0)
        list->openers = list->count;
    return status;
}
