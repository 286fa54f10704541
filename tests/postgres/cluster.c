#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster.h"

#define SCRIPT_DEFAULT "tests/support/pg_cluster.sh"

static char dir[64];

static int
run(const char *const *args)
{
    const char *script = getenv("PG_CLUSTER_SH");
    const char *argv[32] = { "sh", script != NULL ? script : SCRIPT_DEFAULT };
    int status, n = 2;
    pid_t pid;

    for (; *args != NULL && n < 31; args++)
        argv[n++] = *args;
    pid = fork();
    if (pid == 0) {
        execvp("sh", (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool
cluster_available(void)
{
    const char *const check[] = { "check", NULL };

    if (run(check) == 0)
        return true;
    printf("SKIP PostgreSQL: no server is installed\n");
    return false;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void
cluster_stop(void)
{
    const char *const stop[] = { "stop", dir, "immediate", NULL };

    if (dir[0] == '\0')
        return;
    run(stop);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    dir[0] = '\0';
}

bool
cluster_start(const char *const *settings)
{
    const char *args[24] = { "start", dir }, *tmp = getenv("TMPDIR");
    int n = 2;

    /* A socket's path is short. */
    snprintf(dir, sizeof(dir), "%s/envl-test-XXXXXX",
             tmp == NULL || strlen(tmp) > 40 ? "/tmp" : tmp);
    if (mkdtemp(dir) == NULL) {
        dir[0] = '\0';
        return false;
    }
    atexit(cluster_stop);
    for (; settings != NULL && *settings != NULL && n < 23; settings++)
        args[n++] = *settings;
    return run(args) == 0;
}

bool
cluster_again(const char *how)
{
    const char *const stop[] = { "stop", dir, how, NULL };
    const char *const again[] = { "again", dir, NULL };

    return run(stop) == 0 && run(again) == 0;
}

const char *
cluster_dir(void)
{
    return dir;
}

bool
cluster_log_holds(const char *text)
{
    char path[96], *log;
    struct stat st;
    bool found = false;
    FILE *file;

    snprintf(path, sizeof(path), "%s/log", dir);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fstat(fileno(file), &st) == 0 &&
        (log = malloc((size_t)st.st_size + 1)) != NULL) {
        size_t len = fread(log, 1, (size_t)st.st_size, file);

        found = memmem(log, len, text, strlen(text)) != NULL;
        free(log);
    }
    fclose(file);
    return found;
}
