/*
 * signals.h - ^C once: finish the batch; twice: stop at once.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <signal.h>

#include <envelope/error.h>

/* 0; 1 after the first SIGINT, SIGTERM or SIGHUP; 2 after the second. */
extern volatile sig_atomic_t signals_stop;

/**
 * signals_watch():
 * From now on those signals only count.
 */
void signals_watch(void);

/**
 * signals_exit_code(status):
 * The exit code of ${status}: 143 instead of 130 if it was SIGTERM.
 */
int signals_exit_code(enum envl_status status);

#endif /* CLI_SIGNALS_H */
