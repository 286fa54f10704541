/*
 * cluster.h - a private PostgreSQL for the length of a test program.
 */
#ifndef TESTS_POSTGRES_CLUSTER_H
#define TESTS_POSTGRES_CLUSTER_H

#include <stdbool.h>

/**
 * cluster_available():
 * Whether a server is installed; if not, say on stdout why this is skipped.
 */
bool cluster_available(void);

/**
 * cluster_start(settings):
 * Start a server in a new temporary folder by tests/support/pg_cluster.sh,
 * with the NAME=VALUE ${settings} (ended by NULL).  It is stopped, and the
 * folder removed, by cluster_stop or at exit.  False if it does not start.
 */
bool cluster_start(const char *const *settings);
void cluster_stop(void);

/**
 * cluster_again(how):
 * Stop it "fast" or "immediate" (a crash), and start it once more.
 */
bool cluster_again(const char *how);

/**
 * cluster_dir():
 * The folder; its socket is in DIR/s, its log is DIR/log.
 */
const char *cluster_dir(void);

/**
 * cluster_log_holds(text):
 * Whether the server has logged ${text}.
 */
bool cluster_log_holds(const char *text);

#endif /* TESTS_POSTGRES_CLUSTER_H */
