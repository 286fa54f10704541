/* The files that are obeyed or secret: who can read and write them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "doctor.h"
#include "readers.h"

static void
say_file(struct doctor *doctor, const char *path, enum file_kind kind,
         const char *what)
{
    const struct settings *settings = &doctor->cli->settings;
    const struct file_rules rules = {
        kind, what, (const char *const *)settings->key_dirs,
        settings->key_dir_count
    };
    struct envl_error err = { .status = ENVL_OK };
    enum envl_status status;
    struct stat st;
    int fd;

    if (path == NULL)
        return;
    status = file_open(path, &rules, &fd, &st, &err);
    if (status == ENVL_E_NOTFOUND)
        return; /* its own section says so where it matters */
    if (status != ENVL_OK) {
        doctor_say(doctor, DOCTOR_FAIL, err.hint, "%s", err.message);
        return;
    }
    doctor_say(doctor, DOCTOR_OK, NULL, "%s %s: mode %04o, uid %u", what, path,
               (unsigned)st.st_mode & 07777u, (unsigned)st.st_uid);
    close(fd);
}

/* What is remembered of rings: whoever writes there makes us forget. */
static void
say_state(struct doctor *doctor)
{
    const char *folder = doctor->cli->settings.state_folder;
    struct stat st;

    if (stat(folder, &st) != 0)
        return;
    if ((st.st_mode & 022) != 0 ||
        (st.st_uid != 0 && st.st_uid != geteuid()))
        doctor_say(doctor, DOCTOR_FAIL, "chmod 700 it: whoever writes there "
                   "can make this machine accept an old keyring",
                   "state folder %s can be written by others", folder);
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "state folder %s: mode %04o",
                   folder, (unsigned)st.st_mode & 07777u);
}

void
doctor_files(struct doctor *doctor)
{
    const struct settings *settings = &doctor->cli->settings;

    doctor_section(doctor, "files");
    say_file(doctor, settings_get(settings, SETTING_KEYRING), FILE_TRUSTED,
             "keyring");
    say_file(doctor, settings_get(settings, SETTING_KEY_FILE), FILE_PRIVATE,
             "key file");
    say_file(doctor, settings_get(settings, SETTING_PASSPHRASE_FILE),
             FILE_PRIVATE, "passphrase file");
    say_file(doctor, settings_get(settings, SETTING_AUDIT), FILE_PRIVATE,
             "audit log");
    say_file(doctor, settings->user_config, FILE_TRUSTED, "configuration");
    say_file(doctor, "/etc/envelope/config.json", FILE_TRUSTED,
             "configuration");
    say_state(doctor);
}

/* ---- who has the present generation ------------------------------------- */

void
doctor_readers(struct doctor *doctor, struct envl_keyring *ring)
{
    const char *folder = settings_get(&doctor->cli->settings,
                                      SETTING_REPORTS);
    struct envl_reader_report *list = NULL;
    struct envl_ring_mark mark;
    struct envl_error err;
    uint64_t hours;
    size_t count = 0, current = 0;

    if (folder == NULL || ring == NULL)
        return;
    if (readers_hours(doctor->cli, &hours, &err) != ENVL_OK ||
        envl_keyring_reports(ring, folder, &list, &count, &err) != ENVL_OK) {
        doctor_say(doctor, DOCTOR_FAIL, err.hint, "%s", err.message);
        return;
    }
    envl_keyring_mark(ring, &mark);
    for (size_t i = 0; i < count; i++)
        current += readers_state_of(&list[i], mark.generation, hours) ==
                   READERS_CURRENT;
    free(list);
    if (current < count || current < doctor->cli->settings.readers)
        doctor_say(doctor, DOCTOR_WARN, "`envelope key readers` names them",
                   "%zu of %zu readers have reported generation %llu",
                   current, count, (unsigned long long)mark.generation);
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "all %zu readers have generation "
                   "%llu", count, (unsigned long long)mark.generation);
}
