/*
 * ini.h - one section of a shared credentials file.
 */
#ifndef AWS_INI_H
#define AWS_INI_H

#include <stdbool.h>

#include <envelope/bytes.h>

/**
 * ini_find(text, section, name, out):
 * The value of ${name} in [${section}], without the blanks around it, as a
 * part of ${text}; false if it is not there.  Of two the first counts.
 */
bool ini_find(struct envl_bytes text, const char *section, const char *name,
              struct envl_bytes *out);

#endif /* AWS_INI_H */
