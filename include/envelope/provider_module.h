/*
 * provider_module.h - providers that are described by configuration, and the
 * modules that hold those which need a library of their own.
 *
 * libenvelope itself needs libcrypto, libsodium and jansson.  What speaks
 * HTTP or PKCS#11 is in envl-provider-NAME.so, which is found and checked as
 * migrator plugins are (a safe folder, a checked name) and loaded when a ring
 * has an entry that needs it, not before: a command that uses a key file pays
 * nothing for it.
 *
 * A module exports one symbol, ENVL_PROVIDER_MODULE_SYMBOL, a struct
 * envl_provider_module.  It is built with and for one release: its version
 * must be that of the library that loads it.
 */
#ifndef ENVELOPE_PROVIDER_MODULE_H
#define ENVELOPE_PROVIDER_MODULE_H

#include <envelope/provider.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENVL_PROVIDER_MODULE_SYMBOL "envl_provider_module_v1"

/*
 * Ask a person for a secret; a module asks for nothing but what it cannot
 * read from a file.  Fails with ENVL_E_USAGE if there is nobody to ask.
 */
typedef enum envl_status envl_ask_fn(void *cookie, const char *question,
                                     struct envl_secret **out,
                                     struct envl_error *err);

/* One provider, as the local configuration describes it. */
struct envl_provider_request {
    size_t size;          /* sizeof(struct envl_provider_request)          */
    const char *name;     /* as ring and configuration call it (spec KEY-6)*/
    const char *type;     /* "vault-transit", ...: a type of spec KEY-17   */
    const char *settings; /* a JSON object: what that type needs, without
                             secrets (files are named that hold them)      */
    const char *folder;   /* NULL, or the only place to look for a module  */
    const char *const *mounts; /* secret mounts beside the usual ones      */
    size_t mount_count;
    envl_ask_fn *ask;     /* NULL: nobody can be asked                     */
    void *cookie;         /* of ask; outlives the provider                 */
};

/* What a module exports. */
struct envl_provider_module {
    uint32_t abi;         /* ENVL_PROVIDER_ABI                            */
    const char *name;     /* "vault" of envl-provider-vault.so             */
    const char *version;  /* ENVL_VERSION it was built with                */
    const char *const *types; /* which it makes; ends with NULL            */

    /*
     * Make one.  The request is borrowed during the call.  Nothing is
     * reached yet and no credential read: that is for unlock, enroll, wrap
     * and unwrap, which may be called by several threads at once.
     * ENVL_E_USAGE: the settings are not as they must be.
     */
    enum envl_status (*create)(const struct envl_provider_request *request,
                               struct envl_provider **out,
                               struct envl_error *err);
};

/**
 * envl_provider_new(request, out, err):
 * A provider of that type and name, which serves the unlock entry, or the
 * wrapping key's provider, of its name and no other.  The request is copied,
 * and nothing else happens until the provider is used: a module that is
 * missing, or settings that are wrong, are told then (ENVL_E_PROVIDER,
 * ENVL_E_POLICY for an unsafe place, ENVL_E_USAGE).  Fails now with
 * ENVL_E_USAGE for a name or type that is none, ENVL_E_NOMEM.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_provider_new(const struct envl_provider_request *request,
                  struct envl_provider **out, struct envl_error *err);

/**
 * envl_provider_check(provider, err):
 * Load what a provider of envl_provider_new needs and read its settings now,
 * reaching nothing.  Others are always well.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_provider_check(struct envl_provider *provider, struct envl_error *err);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_PROVIDER_MODULE_H */
