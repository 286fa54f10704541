/*
 * version.h - which libenvelope this is.
 */
#ifndef ENVELOPE_VERSION_H
#define ENVELOPE_VERSION_H

#include <envelope/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENVL_VERSION "0.1.0"

/**
 * envl_version():
 * Return the version of the library that is loaded, such as "0.1.0".
 */
ENVL_API const char *envl_version(void);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_VERSION_H */
