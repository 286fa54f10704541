/* Can the log be written, and is it whole? */
#include <errno.h>
#include <unistd.h>

#include <envelope/audit.h>

#include "doctor.h"

void
doctor_audit(struct doctor *doctor, struct envl_keyring *ring)
{
    const char *path = settings_get(&doctor->cli->settings, SETTING_AUDIT);
    struct envl_audit_report found;
    struct envl_audit *log = NULL;
    enum envl_status status;
    struct envl_error err;

    doctor_section(doctor, "audit");
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        doctor_say(doctor, DOCTOR_OK, NULL, "%s: no record yet", path);
        return;
    }
    if (envl_audit_open(path, ring, &log, &err) == ENVL_OK)
        doctor_say(doctor, DOCTOR_OK, NULL, "%s can be written", path);
    else
        doctor_say(doctor, DOCTOR_FAIL, err.hint, "%s", err.message);
    envl_audit_free(log);
    status = envl_audit_verify(path, ring, &found, &err);
    if (status != ENVL_OK)
        doctor_say(doctor, DOCTOR_FAIL, err.hint, "%s", err.message);
    else if (found.broken_line != 0)
        doctor_say(doctor, DOCTOR_FAIL, "compare with a copy kept elsewhere",
                   "record %llu is broken: %s",
                   (unsigned long long)found.broken_line, found.reason);
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "%llu records, whole; head %.16s",
                   (unsigned long long)found.records, found.head);
}
