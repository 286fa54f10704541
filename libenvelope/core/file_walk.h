/*
 * file_walk.h - the way to a file, one folder at a time; only for file.c.
 */
#ifndef CORE_FILE_WALK_H
#define CORE_FILE_WALK_H

#include "core/file.h"

/**
 * file_walk(path, rules, out, err):
 * As file_find.
 */
enum envl_status file_walk(const char *path, const struct file_rules *rules,
                           struct file_place *out, struct envl_error *err);

#endif /* CORE_FILE_WALK_H */
