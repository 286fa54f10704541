/*
 * plugin.h - finding a migrator plugin and making sure of it.
 *
 * A plugin runs with everything this process may do, so what is loaded is
 * settled by a checked name and a safe place alone: the file and every folder
 * above it belong to root or the caller, and nobody else can write there
 * (sticky folders such as /tmp excepted).
 */
#ifndef ENGINE_PLUGIN_H
#define ENGINE_PLUGIN_H

#include <limits.h>
#include <stddef.h>

#include <envelope/migrator.h>

struct plugin {
    const struct envl_migrator *ops;
    char path[PATH_MAX]; /* "" for one that is linked in */
    char sha256[65];     /* of the file, hex             */
};

/**
 * plugin_load(driver, dir, out, err):
 * Load envl-migrator-${driver}.so from ${dir} or, if that is NULL, from the
 * folder of the running command, then PLUGDIR.  It stays loaded until the
 * process ends.  Fails with ENVL_E_USAGE (the name), ENVL_E_NOTFOUND,
 * ENVL_E_POLICY (the place is not safe), ENVL_E_IO (it does not load, or is
 * not a plugin of this version).
 */
enum envl_status plugin_load(const char *driver, const char *dir,
                             struct plugin *out, struct envl_error *err);

/**
 * plugin_check(ops, driver, err):
 * Say whether a table is complete, of this version and for ${driver}.  Fails
 * with ENVL_E_IO.
 */
enum envl_status plugin_check(const struct envl_migrator *ops,
                              const char *driver, struct envl_error *err);

/**
 * plugin_name_ok(name):
 * True for [a-z0-9-]+, at most 32 characters, not beginning with '-'.
 */
bool plugin_name_ok(const char *name);

/*
 * PLUGIN_HAS(ops, member):
 * Whether the table of ${ops} is long enough to hold the function ${member},
 * which came after minor 0 or may be NULL, and holds it (spec: MIG-2, MIG-3).
 */
#define PLUGIN_HAS(ops, member)                                               \
    ((ops)->size >= offsetof(struct envl_migrator, member) +                  \
                        sizeof((ops)->member) &&                              \
     (ops)->member != NULL)

/* One candidate: its driver name and its path. */
typedef void plugin_each_fn(void *cookie, const char *driver,
                            const char *path);

/**
 * plugin_each(dir, each, cookie):
 * Call ${each} for every file named like a plugin in the folders that
 * plugin_load would look in.
 */
void plugin_each(const char *dir, plugin_each_fn *each, void *cookie);

#endif /* ENGINE_PLUGIN_H */
