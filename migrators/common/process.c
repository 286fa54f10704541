#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/process.h"

struct seen {
    char state;
    unsigned long long started; /* clock ticks after boot */
};

/* Fields 3 and 22 of /proc/PID/stat; the name before them may hold ')'. */
static bool
look(long pid, struct seen *out)
{
    char path[64], line[1024], *field;
    FILE *file;
    size_t len;

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    len = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[len] = '\0';
    field = strrchr(line, ')');
    return field != NULL &&
           sscanf(field + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                  "%*s %*s %*s %*s %*s %*s %*s %*s %llu",
                  &out->state, &out->started) == 2;
}

static bool
read_word(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    char *end;

    if (file == NULL)
        return false;
    end = fgets(out, (int)size, file);
    fclose(file);
    if (end == NULL)
        return false;
    out[strcspn(out, "\n")] = '\0';
    return out[0] != '\0';
}

struct names {
    char boot[64], space[64], host[100];
};

static bool
here(struct names *out)
{
    ssize_t len = readlink("/proc/self/ns/pid", out->space,
                           sizeof(out->space) - 1);

    if (len <= 0 || !read_word("/proc/sys/kernel/random/boot_id", out->boot,
                               sizeof(out->boot)) ||
        gethostname(out->host, sizeof(out->host)) != 0)
        return false;
    out->space[len] = '\0';
    out->host[sizeof(out->host) - 1] = '\0';
    return true;
}

void
process_name(char *out, size_t size)
{
    long pid = (long)getpid();
    struct names names;
    struct seen seen;

    out[0] = '\0';
    if (here(&names) && look(pid, &seen))
        snprintf(out, size, "%s %s %ld %llu %s", names.boot, names.space, pid,
                 seen.started, names.host);
}

bool
process_gone(const char *name)
{
    struct names then, now;
    unsigned long long started;
    struct seen seen;
    long pid;

    if (sscanf(name, "%63s %63s %ld %llu %99s", then.boot, then.space, &pid,
               &started, then.host) != 5 || pid <= 0 || !here(&now))
        return false;
    if (strcmp(then.boot, now.boot) != 0 ||
        strcmp(then.space, now.space) != 0 ||
        strcmp(then.host, now.host) != 0)
        return false;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    /* With hidepid /proc shows nothing of others: then nothing is known. */
    if (!look(pid, &seen))
        return false;
    return seen.started != started || seen.state == 'Z' || seen.state == 'X';
}
