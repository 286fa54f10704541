/*
 * scan_files.h - a scan of files and folders.
 */
#ifndef CLI_SCAN_FILES_H
#define CLI_SCAN_FILES_H

#include "scan_list.h"

#define SCAN_FILE_MAX (16u * 1024u * 1024u) /* bytes looked into of a file */

/**
 * scan_files_walk(list, path, least, err):
 * Look into ${path}, or into all files below it; what is less sure than
 * ${least} is not kept.  Not looked into, and said: links, devices and pipes,
 * binary files, what cannot be read, the part of a file behind SCAN_FILE_MAX.
 * .git and other tools' folders are passed silently.  Fails with
 * ENVL_E_NOTFOUND if ${path} itself is not there, and with ENVL_E_NOMEM.
 */
enum envl_status scan_files_walk(struct scan_list *list, const char *path,
                                 enum hit_sure least, struct envl_error *err);

#endif /* CLI_SCAN_FILES_H */
