/*
 * safe_path.h - can anybody else put something in this file's place?
 */
#ifndef CORE_SAFE_PATH_H
#define CORE_SAFE_PATH_H

#include <envelope/error.h>

/**
 * safe_path_check(path, err):
 * ${path} is absolute and resolved.  The file and each folder above it must
 * belong to root or the caller and be writable by nobody else; a sticky
 * folder above the file's own may be writable by all, and a group that has
 * the caller (not root) as its only member, the user's private group, does
 * not count as somebody else.  Fails with ENVL_E_POLICY, naming the culprit.
 */
enum envl_status safe_path_check(const char *path, struct envl_error *err);

#endif /* CORE_SAFE_PATH_H */
