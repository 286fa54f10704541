/*
 * error.h - how every libenvelope function reports failure.
 *
 * A function that can fail returns an enum envl_status, takes a
 * struct envl_error * as its last argument (NULL is accepted), and leaves
 * its outputs untouched unless it returns ENVL_OK, or says otherwise.
 * Nothing is kept in globals or thread-local state.
 */
#ifndef ENVELOPE_ERROR_H
#define ENVELOPE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#define ENVL_API        __attribute__((visibility("default")))
#define ENVL_MUST_CHECK __attribute__((warn_unused_result))
#define ENVL_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* What went wrong, in the words a caller branches on.  Append only. */
enum envl_status {
    ENVL_OK = 0,
    ENVL_E_NOMEM,       /* an allocation failed                             */
    ENVL_E_INTERNAL,    /* a library underneath us misbehaved               */
    ENVL_E_IO,          /* the operating system refused: disk, permission   */
    ENVL_E_USAGE,       /* the caller broke a documented precondition       */
    ENVL_E_LIMIT,       /* a documented size or count is exceeded           */
    ENVL_E_PARTIAL,     /* done, but some items failed and are listed       */
    ENVL_E_FINDINGS,    /* done, and plaintext or another finding is left   */
    ENVL_E_NOTFOUND,    /* no such keyring, file, job, table or column      */
    ENVL_E_LOCKED,      /* another living process holds it                  */
    ENVL_E_CONFLICT,    /* it changed since it was read; nothing written    */
    ENVL_E_AUTH,        /* wrong key, wrong context or changed: never which */
    ENVL_E_NOKEY,       /* no usable key in the ring under that id          */
    ENVL_E_POLICY,      /* allowed by the format, refused by a rule         */
    ENVL_E_PROVIDER,    /* a key provider refused or could not be reached   */
    ENVL_E_DATABASE,    /* the data store failed                            */
    ENVL_E_AUDIT,       /* it could not be recorded, so it was not done     */
    ENVL_E_INTEGRITY,   /* a keyring or checkpoint is damaged or rolled back */
    ENVL_E_NOTENV,      /* these bytes are not an envelope                  */
    ENVL_E_FORMAT,      /* an envelope of version 1 that breaks its rules   */
    ENVL_E_VERSION,     /* an envelope of another version                   */
    ENVL_E_INTERRUPTED  /* stopped by the user, at a safe point             */
};

/* Caller-owned, usually on the stack. */
struct envl_error {
    enum envl_status status;
    char message[256]; /* one line, lower case, no full stop, no secret */
    char hint[320];    /* the remedy, or an empty string                 */
};

/**
 * envl_status_name(status):
 * Return the stable lower-case name of ${status}, such as "auth".
 */
ENVL_API const char *envl_status_name(enum envl_status status);

/**
 * envl_status_exit_code(status):
 * Return the exit code of the envelope command for ${status} (product.md
 * section 3): 0, 1, 2, 3, 4, 10 to 19, or 130.
 */
ENVL_API int envl_status_exit_code(enum envl_status status);

/**
 * envl_fail(err, status, format, ...):
 * Write a message (and clear the hint) into ${err}, which may be NULL, and
 * return ${status}.  The only way to write a message.  Arguments may be
 * names, ids, sizes and codes, never a stored value or key material.
 */
ENVL_API enum envl_status envl_fail(struct envl_error *err,
                                    enum envl_status status,
                                    const char *format, ...) ENVL_PRINTF(3, 4);

/**
 * envl_hint(err, format, ...):
 * Add the remedy to a message already written into ${err} (may be NULL).
 */
ENVL_API void envl_hint(struct envl_error *err, const char *format, ...)
    ENVL_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_ERROR_H */
