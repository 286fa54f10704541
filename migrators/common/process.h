/*
 * process.h - is the process that held a lease still there?
 *
 * A pid alone is used again; a process is named by boot, pid namespace, pid
 * and the time it was started.
 */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * process_name(out, size):
 * Write the name of this process, such as "boot ns 4711 123456 host"; "" if
 * /proc does not tell.
 */
void process_name(char *out, size_t size);

/**
 * process_gone(name):
 * True only if the process of that name cannot be alive: it was one of this
 * boot, pid namespace and host, and its pid is nobody's, a zombie's, or
 * another's by now (spec MIG-44).
 */
bool process_gone(const char *name);

#endif /* COMMON_PROCESS_H */
