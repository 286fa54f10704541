/* The machine: what could write memory to disk, and the clock. */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/clock.h"
#include "doctor.h"

static void
say_core(struct doctor *doctor)
{
    struct rlimit limit = { 1, 1 };

    getrlimit(RLIMIT_CORE, &limit);
    if (limit.rlim_cur == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)
        doctor_say(doctor, DOCTOR_OK, NULL,
                   "this command leaves no core file and cannot be attached "
                   "to by other users");
    else
        doctor_say(doctor, DOCTOR_FAIL, NULL,
                   "core files could not be switched off");
}

static void
say_memlock(struct doctor *doctor)
{
    const rlim_t enough = 64 * 1024;
    struct rlimit limit = { 0, 0 };

    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur == RLIM_INFINITY)
        doctor_say(doctor, DOCTOR_OK, NULL, "memory can be locked without "
                   "limit");
    else if (limit.rlim_cur >= enough)
        doctor_say(doctor, DOCTOR_OK, NULL, "%llu KiB of memory can be "
                   "locked", (unsigned long long)limit.rlim_cur / 1024);
    else
        doctor_say(doctor, DOCTOR_WARN, "raise RLIMIT_MEMLOCK (ulimit -l)",
                   "only %llu KiB of memory can be locked: keys may be "
                   "swapped out", (unsigned long long)limit.rlim_cur / 1024);
}

/* /proc/swaps: a heading, then a line for each. */
static void
say_swap(struct doctor *doctor)
{
    FILE *file = fopen("/proc/swaps", "re");
    char line[512];
    int lines = 0;

    if (file == NULL)
        return;
    while (fgets(line, sizeof(line), file) != NULL)
        lines++;
    fclose(file);
    if (lines > 1)
        doctor_say(doctor, DOCTOR_WARN, "encrypt it, or switch it off: "
                   "plaintext passes through memory that is not locked",
                   "swap is on");
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "swap is off");
}

static void
say_clock(struct doctor *doctor)
{
    const int64_t first_release = 1793404800; /* 2026-10-31 */
    char date[CLOCK_DATE_SIZE];
    int64_t now = clock_now();

    clock_print(now, date);
    if (now < first_release || now > first_release + 30L * 365 * 86400)
        doctor_say(doctor, DOCTOR_WARN, "set the clock: keys and audit "
                   "records carry dates", "the clock says %s", date);
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "the clock says %s", date);
}

void
doctor_system(struct doctor *doctor)
{
    doctor_section(doctor, "system");
    say_core(doctor);
    say_memlock(doctor);
    say_swap(doctor);
    say_clock(doctor);
}
