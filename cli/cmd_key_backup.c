/* envelope key backup and key restore: a copy of the keyring that opens. */
#include <string.h>
#include <unistd.h>

#include "backup_check.h"
#include "command.h"
#include "core/atomic_file.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/lock.h"
#include "folders.h"
#include "outfile.h"
#include "report.h"
#include "ring_change.h"

#define RING_MAX (16u * 1024u * 1024u)

static const struct file_rules ring_rules = { FILE_TRUSTED, "keyring", NULL,
                                              0 };

/* ---- backup ------------------------------------------------------------- */

/* Open the copy as the original is opened; else it is no backup. */
static enum envl_status
prove(struct cli *cli, const char *copy, struct ring_session *session,
      struct envl_ring_mark *mark, struct envl_error *err)
{
    struct ring_session proof = *session; /* the same providers, another ring */
    enum envl_status status;

    proof.ring = NULL;
    if ((status = ring_session_open_ring(cli, copy, &proof, err)) == ENVL_OK)
        envl_keyring_mark(proof.ring, mark);
    envl_keyring_free(proof.ring);
    return status;
}

static enum envl_status
copy_ring(struct cli *cli, const char *out, struct ring_session *session,
          struct envl_ring_mark *mark, struct envl_error *err)
{
    const char *ring = settings_get(&cli->settings, SETTING_KEYRING);
    struct envl_buf bytes = ENVL_BUF_INIT;
    enum envl_status status;

    if ((status = file_read(ring, &ring_rules, RING_MAX, &bytes, NULL,
                            err)) == ENVL_OK &&
        (status = atomic_file_create(out, &ring_rules, envl_buf_view(&bytes),
                                     err)) == ENVL_OK &&
        (status = prove(cli, out, session, mark, err)) != ENVL_OK)
        unlink(out);
    envl_buf_free(&bytes);
    return status;
}

static void
note_backup(struct cli *cli, struct ring_session *session,
            const struct envl_ring_mark *mark)
{
    session->state.backup_generation = mark->generation;
    clock_print(clock_now(), session->state.backup_date);
    ring_session_remember(cli, session);
}

static enum envl_status
run_backup(struct cli *cli, struct envl_error *err)
{
    struct ring_change change = RING_CHANGE_INIT;
    const char *out = cli->options.value[OPT_OUT];
    const char *verify = cli->options.value[OPT_VERIFY];
    struct envl_ring_mark mark;
    enum envl_status status;

    if ((out == NULL) == (verify == NULL))
        return envl_fail(err, ENVL_E_USAGE, "say --out FILE to make a backup, "
                         "or --verify FILE to try one");
    if (verify != NULL)
        return backup_check_run(cli, verify, err);
    status = ring_change_begin(cli, out, &change, err);
    if (status == ENVL_OK) {
        status = copy_ring(cli, out, &change.session, &mark, err);
        if (status == ENVL_OK)
            note_backup(cli, &change.session, &mark);
        status = trail_end(&change.trail, status, NULL, err);
    }
    if (status == ENVL_OK) {
        report_text("%s: generation %llu, opens\n", out,
                    (unsigned long long)mark.generation);
        report_json(json_pack("{s:i, s:s, s:I, s:s}", "schema", 1, "keyring",
                              mark.id, "generation",
                              (json_int_t)mark.generation, "file", out));
        report_hint("it opens only with the same key file or passphrase: "
                    "keep that somewhere else");
    }
    ring_change_free(&change);
    return status;
}

static const enum option_id backup_options[] = {
    OPT_OUT, OPT_VERIFY, OPT_CANARY, OPT_CONTEXT, OPT_END
};

const struct command cmd_key_backup = {
    .name = "key backup",
    .run = run_backup,
    .operands = NULL,
    .summary = "copy the keyring, and prove that the copy opens",
    .options = backup_options,
    .help =
        "Write a copy of the keyring to the new file --out, mode 0600, and\n"
        "open it as proof. The key file or passphrase is not in it.\n\n"
        "With --verify try a backup instead: it is opened, a canary that the\n"
        "keyring seals under each active key is opened by the backup, and\n"
        "keys that it lacks are listed (exit 4). --canary names an envelope\n"
        "from real data that it must open, too, in its --context.",
    .examples =
        "envelope key backup --out /media/usb/keyring-2026-11-22.json\n"
        "envelope key backup --verify /media/usb/keyring-2026-11-22.json",
};

/* ---- restore ------------------------------------------------------------ */

static enum envl_status
refuse(enum envl_status status, const struct envl_ring_mark *mark,
       struct envl_error *err)
{
    envl_hint(err, "keys that were added since then would be lost: if it is "
                   "right, say --accept-ring=%s", mark->id);
    return status;
}

/* Never back in time, and never another ring, but by consent. */
static enum envl_status
check_age(struct cli *cli, const char *ring, const struct envl_ring_mark *mark,
          struct ring_state *state, struct envl_error *err)
{
    const char *accepted = cli->options.value[OPT_ACCEPT_RING];
    struct envl_ring_mark there = { 0 };
    uint64_t newest;
    enum envl_status status;

    status = ring_state_load(cli->settings.state_folder, ring, mark->id, state,
                             err);
    if (status != ENVL_OK)
        return status;
    if (accepted != NULL && strcmp(accepted, mark->id) == 0)
        return ENVL_OK;
    newest = state->mark.generation;
    /* A ring that cannot even be read is what a restore is for. */
    if (envl_keyring_peek(ring, &there, NULL) == ENVL_OK) {
        if (strcmp(there.id, mark->id) != 0)
            return refuse(envl_fail(err, ENVL_E_POLICY, "%s is another "
                                    "keyring: %s", ring, there.id), mark,
                          err);
        if (there.generation > newest)
            newest = there.generation;
    }
    if (mark->generation < newest)
        return refuse(envl_fail(err, ENVL_E_INTEGRITY, "the backup is at "
                                "generation %llu, the keyring was at %llu",
                                (unsigned long long)mark->generation,
                                (unsigned long long)newest), mark, err);
    return ENVL_OK;
}

/* Hold the lock of the ring that is there, so that no writer is cut off. */
static enum envl_status
lock_ring(const char *ring, int *lock, struct envl_error *err)
{
    struct file_place place;
    enum envl_status status;

    *lock = -1;
    if ((status = file_find(ring, &ring_rules, &place, err)) != ENVL_OK)
        return status;
    if (place.exists)
        status = lock_take(&place, ring, 0, 2000, lock, err);
    file_place_close(&place);
    return status;
}

static enum envl_status
put_back(const char *ring, const char *backup, struct envl_error *err)
{
    struct outfile file = OUTFILE_INIT;
    struct envl_buf bytes = ENVL_BUF_INIT;
    enum envl_status status;
    int lock;

    if ((status = lock_ring(ring, &lock, err)) == ENVL_OK &&
        (status = file_read(backup, &ring_rules, RING_MAX, &bytes, NULL,
                            err)) == ENVL_OK &&
        (status = outfile_open(ring, &file, err)) == ENVL_OK &&
        (status = outfile_write(&file, envl_buf_view(&bytes), err)) ==
            ENVL_OK)
        status = outfile_commit(&file, err);
    outfile_free(&file);
    envl_buf_free(&bytes);
    if (lock >= 0)
        close(lock);
    return status;
}

static enum envl_status
restore(struct cli *cli, const char *backup, struct ring_change *change,
        struct envl_error *err)
{
    const char *ring = settings_get(&cli->settings, SETTING_KEYRING);
    struct envl_ring_mark mark;
    enum envl_status status;

    if ((status = ring_session_open_file(cli, backup, &change->session, err)) !=
        ENVL_OK)
        return status;
    envl_keyring_mark(change->session.ring, &mark);
    if ((status = check_age(cli, ring, &mark, &change->session.state, err)) !=
            ENVL_OK ||
        (!cli->settings.item[SETTING_KEYRING].chosen &&
         (status = folders_make_for(ring, err)) != ENVL_OK) ||
        (status = trail_begin(cli, change->session.ring, backup,
                              &change->trail, err)) != ENVL_OK)
        return status;
    if ((status = put_back(ring, backup, err)) == ENVL_OK) {
        change->session.state.mark = mark;
        change->session.state.placed = false;
        status = ring_state_save(cli->settings.state_folder, ring,
                                 &change->session.state, RING_STATE_FORCE, err);
    }
    status = trail_end(&change->trail, status, NULL, err);
    if (status == ENVL_OK) {
        report_text("%s: generation %llu, restored\n", ring,
                    (unsigned long long)mark.generation);
        report_json(json_pack("{s:i, s:s, s:I, s:s}", "schema", 1, "keyring",
                              mark.id, "generation",
                              (json_int_t)mark.generation, "file", ring));
    }
    return status;
}

static enum envl_status
run_restore(struct cli *cli, struct envl_error *err)
{
    struct ring_change change = RING_CHANGE_INIT;
    enum envl_status status;

    status = restore(cli, cli->options.operands[0], &change, err);
    ring_change_free(&change);
    return status;
}

const struct command cmd_key_restore = {
    .name = "key restore",
    .run = run_restore,
    .operands = "FILE",
    .summary = "put a backup of the keyring back",
    .options = NULL,
    .help =
        "Open the backup FILE as proof, and put it where the keyring lies.\n"
        "A backup that is older than the keyring, or that of another, is\n"
        "refused (exit 18, 14) unless --accept-ring names it.",
    .examples = "envelope key restore /media/usb/keyring-2026-11-22.json",
};
