/*
 * folders.h - the command's own folders.
 */
#ifndef CLI_FOLDERS_H
#define CLI_FOLDERS_H

#include <envelope/error.h>

/**
 * folders_make(path, err):
 * Make the folder ${path} and those above it, mode 0700, where missing.
 * Fails with ENVL_E_IO.
 */
enum envl_status folders_make(const char *path, struct envl_error *err);

/**
 * folders_make_for(file, err):
 * The same for the folder that ${file} lies in.
 */
enum envl_status folders_make_for(const char *file, struct envl_error *err);

#endif /* CLI_FOLDERS_H */
