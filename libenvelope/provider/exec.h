/*
 * exec.h - a provider that asks a command for the 32 secret bytes (spec
 * KEY-19, KEY-100 to KEY-108).
 *
 * Everything about the command is local configuration, under the name that the
 * ring's entry has:
 *
 *     { "type": "exec",
 *       "command": ["/usr/local/sbin/ring-key", "shop"],   argv, fixed
 *       "environment": ["HOME"],      names that are passed on; else nothing is
 *       "sha256": "...",              the program must be these bytes
 *       "timeout_ms": 10000 }
 *
 * The command writes 32 raw bytes, 64 hex digits or base64 to its standard
 * output and ends with exit 0 (core/child.h says how it is run).  Nothing of
 * the ring is told to it: the ring is not believed yet.
 */
#ifndef PROVIDER_EXEC_H
#define PROVIDER_EXEC_H

#include <envelope/provider_module.h>

/* Built in: it needs no library. */
extern const struct envl_provider_module exec_module;

#endif /* PROVIDER_EXEC_H */
