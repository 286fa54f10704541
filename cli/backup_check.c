#include <stdlib.h>
#include <string.h>

#include <envelope/envelope.h>

#include "backup_check.h"
#include "core/random.h"
#include "explain.h"
#include "io.h"
#include "pass.h"
#include "report.h"
#include "ring_session.h"

struct check {
    struct ring_session live;   /* ring NULL: it is not to be had */
    struct ring_session backup;
    struct envl_ring_mark mark; /* of the backup */
    bool is_current;
    size_t canaries;
    json_t *missing;
};

/* ---- opening ------------------------------------------------------------ */

/*
 * By an entry that anyone could have made the backup opens only with the pin:
 * that of the keyring will do, if there is one.
 */
static enum envl_status
open_backup(struct cli *cli, const char *file, struct check *check,
            struct envl_error *err)
{
    struct envl_ring_mark live, mark;
    enum envl_status status;

    status = ring_session_open_file(cli, file, &check->backup, err);
    if (status != ENVL_E_POLICY || check->live.ring == NULL ||
        envl_keyring_peek(file, &mark, NULL) != ENVL_OK)
        return status;
    envl_keyring_mark(check->live.ring, &live);
    if (strcmp(live.id, mark.id) != 0)
        return status;
    memcpy(mark.pin, live.pin, sizeof(mark.pin));
    return ring_session_open_new(cli, file, &mark, &check->backup, err);
}

static enum envl_status
open_both(struct cli *cli, const char *file, struct check *check,
          struct envl_error *err)
{
    struct envl_error why = { .status = ENVL_OK };
    struct envl_ring_mark live;
    enum envl_status status;

    if (ring_session_open(cli, &check->live, &why) != ENVL_OK)
        report_warning("the keyring itself does not open, the backup is "
                       "looked at alone: %s", why.message);
    if ((status = open_backup(cli, file, check, err)) != ENVL_OK)
        return status;
    envl_keyring_mark(check->backup.ring, &check->mark);
    check->is_current = true;
    if (check->live.ring == NULL)
        return ENVL_OK;
    envl_keyring_mark(check->live.ring, &live);
    check->is_current = live.generation == check->mark.generation;
    if (strcmp(live.id, check->mark.id) == 0)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_INTEGRITY, "%s is a backup of keyring %s, "
                     "not of %s", file, check->mark.id, live.id);
}

/* ---- canaries ----------------------------------------------------------- */

/* Random bytes, sealed by one ring under ${kid} and opened by the other. */
static enum envl_status
try_canary(const struct check *check, const struct envl_key_info *key,
           struct envl_error *err)
{
    struct envl_keyring *from = check->live.ring != NULL
                                    ? check->live.ring : check->backup.ring;
    struct envl_seal_options seal = { .size = sizeof(seal), .kid = key->kid,
                                      .scope = key->scope };
    struct envl_open_options open = { .size = sizeof(open), .scope = "*" };
    struct envl_plain plain = ENVL_PLAIN_INIT;
    struct envl_buf sealed = ENVL_BUF_INIT;
    uint8_t bytes[32];
    enum envl_status status;

    if ((status = random_fill((struct envl_span){ bytes, sizeof(bytes) },
                              err)) == ENVL_OK &&
        (status = envl_seal(from, &seal, NULL,
                            (struct envl_bytes){ bytes, sizeof(bytes) },
                            &sealed, err)) == ENVL_OK &&
        (status = envl_open(check->backup.ring, &open, NULL,
                            envl_buf_view(&sealed), &plain, err)) ==
            ENVL_OK &&
        (plain.value.len != sizeof(bytes) ||
         memcmp(plain.value.ptr, bytes, sizeof(bytes)) != 0))
        status = envl_fail(err, ENVL_E_INTEGRITY, "the backup opens a canary "
                           "to another value");
    envl_plain_free(&plain);
    envl_buf_free(&sealed);
    return status;
}

static bool
opens(const struct envl_key_info *key)
{
    return key->state == ENVL_KEY_ACTIVE ||
           key->state == ENVL_KEY_PRE_ACTIVE ||
           key->state == ENVL_KEY_DECRYPT_ONLY;
}

/* One key of the keyring: is it in the backup, and does it open there? */
static enum envl_status
check_key(struct check *check, const struct envl_key_info *key,
          struct envl_error *err)
{
    struct envl_key_info there;
    enum envl_status status;

    if (!opens(key))
        return ENVL_OK;
    if (envl_keyring_find(check->backup.ring, key->kid, &there, NULL) !=
            ENVL_OK || !opens(&there)) {
        report_text("key %s is missing in the backup\n", key->kid);
        json_array_append_new(check->missing, json_string(key->kid));
        return ENVL_OK;
    }
    if (key->state != ENVL_KEY_ACTIVE ||
        (key->use != ENVL_USE_SEAL && key->use != ENVL_USE_WRAP))
        return ENVL_OK;
    if ((status = try_canary(check, key, err)) == ENVL_OK)
        check->canaries++;
    return status;
}

static enum envl_status
check_keys(struct check *check, struct envl_error *err)
{
    struct envl_key_info *keys = NULL;
    enum envl_status status;
    size_t count = 0;

    status = envl_keyring_list(check->live.ring != NULL ? check->live.ring
                                                        : check->backup.ring,
                               &keys, &count, err);
    for (size_t i = 0; status == ENVL_OK && i < count; i++)
        status = check_key(check, &keys[i], err);
    free(keys);
    return status;
}

/* An envelope of the user's, opened whole; nothing of it is kept. */
static enum envl_status
check_file(struct cli *cli, const struct check *check, struct envl_error *err)
{
    const char *path = cli->options.value[OPT_CANARY];
    struct pass_keys keys = { .ring = check->backup.ring,
                              .open = { .size = sizeof(keys.open),
                                        .scope = "*" } };
    struct pass pass = { .take = NULL };
    struct context_args context;
    struct io_source in;
    enum envl_status status;

    if (path == NULL)
        return ENVL_OK;
    if ((status = options_context(&cli->options, &context, err)) != ENVL_OK ||
        (status = io_open_source(path, &in, err)) != ENVL_OK)
        return status;
    keys.context = &context.context;
    status = pass_run(&in, &keys, &pass, err);
    io_close_source(&in);
    if (status == ENVL_OK)
        report_text("%s opens by the backup\n", path);
    else
        explain_name(err, path);
    return status;
}

static void
tell(struct check *check, const char *file)
{
    report_text("%s: generation %llu%s, opens; %zu canaries sealed and "
                "opened\n", file, (unsigned long long)check->mark.generation,
                check->is_current ? "" : ", older than the keyring",
                check->canaries);
    report_json(json_pack("{s:i, s:s, s:s, s:I, s:b, s:I, s:O}", "schema", 1,
                          "file", file, "keyring", check->mark.id,
                          "generation", (json_int_t)check->mark.generation,
                          "current", check->is_current, "canaries",
                          (json_int_t)check->canaries, "missing",
                          check->missing));
}

enum envl_status
backup_check_run(struct cli *cli, const char *file, struct envl_error *err)
{
    struct check check = { .live = RING_SESSION_INIT,
                           .backup = RING_SESSION_INIT,
                           .missing = json_array() };
    enum envl_status status;

    if ((status = open_both(cli, file, &check, err)) == ENVL_OK &&
        (status = check_keys(&check, err)) == ENVL_OK &&
        (status = check_file(cli, &check, err)) == ENVL_OK) {
        tell(&check, file);
        if (json_array_size(check.missing) > 0) {
            status = envl_fail(err, ENVL_E_FINDINGS, "%zu keys of the "
                               "keyring are not in %s",
                               json_array_size(check.missing), file);
            envl_hint(err, "make a new one: `envelope key backup --out "
                      "FILE`");
        }
    }
    json_decref(check.missing);
    ring_session_free(&check.live);
    ring_session_free(&check.backup);
    return status;
}
