/*
 * module_file.h - shared objects that are loaded by name: migrators, providers.
 *
 * A module runs with everything this process may do, so what is loaded is
 * settled by a checked name and a safe place alone: the file and every folder
 * above it belong to root or the caller, and nobody else can write there
 * (core/safe_path.h).  It is looked for in the folder that the caller names
 * or, without one, in that of the running command (as it is built), in
 * ../lib/envelope of that (as `make install` lays it out), and in PLUGDIR.
 */
#ifndef CORE_MODULE_FILE_H
#define CORE_MODULE_FILE_H

#include <limits.h>
#include <stdbool.h>

#include <envelope/error.h>

/* How the files of one sort are called. */
struct module_file_kind {
    const char *prefix; /* "envl-migrator-"; the name and ".so" follow */
    const char *what;   /* for messages: "plugin for driver"           */
};

struct module_file {
    void *handle;        /* of dlopen; never closed: libraries below it may
                            have left exit handlers                      */
    char path[PATH_MAX]; /* absolute, links resolved                     */
    char sha256[65];     /* of the file, hex                             */
};

#define MODULE_FILE_NAME_MAX 32u

/**
 * module_file_name_ok(name):
 * True for [a-z0-9-]+, at most 32 characters, not beginning with '-'.
 */
bool module_file_name_ok(const char *name);

/**
 * module_file_load(kind, name, dir, out, err):
 * Find, check and load a module.  Fails with ENVL_E_USAGE (the name),
 * ENVL_E_NOTFOUND, ENVL_E_POLICY (the place is not safe), ENVL_E_IO.
 */
enum envl_status module_file_load(const struct module_file_kind *kind,
                                  const char *name, const char *dir,
                                  struct module_file *out,
                                  struct envl_error *err);

/* One candidate: its name and its path. */
typedef void module_file_each_fn(void *cookie, const char *name,
                                 const char *path);

/**
 * module_file_each(kind, dir, each, cookie):
 * Call ${each} for every file named like a module of ${kind} in the folders
 * that module_file_load would look in.
 */
void module_file_each(const struct module_file_kind *kind, const char *dir,
                      module_file_each_fn *each, void *cookie);

#endif /* CORE_MODULE_FILE_H */
