/* What holds this process, should it be taken over: layers that the system or
   a service manager puts around it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

/* The first line of ${path} behind ${name} (NULL: all of it), or "". */
static void
read_value(const char *path, const char *name, char *out, size_t room)
{
    FILE *file = fopen(path, "re");
    char line[256];

    *out = '\0';
    if (file == NULL)
        return;
    while (*out == '\0' && fgets(line, sizeof(line), file) != NULL) {
        const size_t len = name != NULL ? strlen(name) : 0;

        if (name != NULL && strncmp(line, name, len) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(out, room, "%s", line + len + strspn(line + len, ": \t"));
    }
    fclose(file);
}

static void
say_privileges(struct doctor *doctor)
{
    char value[64];

    read_value("/proc/self/status", "NoNewPrivs", value, sizeof(value));
    if (strcmp(value, "1") == 0)
        doctor_say(doctor, DOCTOR_OK, NULL, "no new privileges can be gained");
    else
        doctor_say(doctor, DOCTOR_OK, "NoNewPrivileges=yes in the unit of a "
                   "service", "no_new_privs is off (providers' commands and "
                   "`envelope run` always have it)");
}

static void
say_seccomp(struct doctor *doctor)
{
    char value[64];

    read_value("/proc/self/status", "Seccomp", value, sizeof(value));
    if (strcmp(value, "1") == 0 || strcmp(value, "2") == 0)
        doctor_say(doctor, DOCTOR_OK, NULL, "system calls are filtered "
                   "(seccomp)");
    else
        doctor_say(doctor, DOCTOR_OK, "SystemCallFilter=@system-service in "
                   "the unit of a service", "system calls are not filtered");
}

static void
say_profile(struct doctor *doctor)
{
    char value[128];

    read_value("/proc/self/attr/current", NULL, value, sizeof(value));
    if (value[0] == '\0' || strncmp(value, "unconfined", 10) == 0)
        doctor_say(doctor, DOCTOR_OK, NULL, "no AppArmor or SELinux profile "
                   "confines this command");
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "confined by %s", value);
}

static void
say_ptrace(struct doctor *doctor)
{
    char value[64];

    read_value("/proc/sys/kernel/yama/ptrace_scope", NULL, value,
               sizeof(value));
    if (value[0] == '\0' || strcmp(value, "0") == 0)
        doctor_say(doctor, DOCTOR_OK, "kernel.yama.ptrace_scope=1 keeps "
                   "programs of one user apart", "applications that use the "
                   "library can be attached to by other programs of their "
                   "user; this command cannot");
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "ptrace_scope is %s", value);
}

void
doctor_sandbox(struct doctor *doctor)
{
    doctor_section(doctor, "sandbox");
    say_privileges(doctor);
    say_seccomp(doctor);
    say_profile(doctor);
    say_ptrace(doctor);
}
