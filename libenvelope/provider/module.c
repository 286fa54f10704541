#include "provider/module.h"

#include <dlfcn.h>
#include <string.h>

#include <envelope/version.h>

#include "core/module_file.h"
#include "provider/exec.h"
#include "provider/types.h"

static const struct module_file_kind kind = { "envl-provider-",
                                              "provider module" };

/* Those that need no library of their own; ends with NULL. */
static const struct envl_provider_module *const built_in[] = {
    &exec_module, NULL
};

static bool
makes(const struct envl_provider_module *module, const char *type)
{
    for (size_t i = 0; module->types[i] != NULL; i++)
        if (strcmp(module->types[i], type) == 0)
            return true;
    return false;
}

static enum envl_status
check(const struct envl_provider_module *module, const char *name,
      const char *type, struct envl_error *err)
{
    if (module->abi != ENVL_PROVIDER_ABI ||
        strcmp(module->version, ENVL_VERSION) != 0) {
        envl_fail(err, ENVL_E_PROVIDER, "provider module %s is of another "
                  "release than this library", name);
        envl_hint(err, "install both from one package");
        return ENVL_E_PROVIDER;
    }
    if (strcmp(module->name, name) != 0 || module->create == NULL ||
        !makes(module, type))
        return envl_fail(err, ENVL_E_PROVIDER, "provider module %s does not "
                         "make what its name says", name);
    return ENVL_OK;
}

/* A module that is not there is a provider that gives no answer. */
static enum envl_status
not_loaded(const char *name, struct envl_error *why, struct envl_error *err)
{
    if (why->status != ENVL_E_NOTFOUND && why->status != ENVL_E_IO) {
        if (err != NULL)
            *err = *why;
        return why->status;
    }
    envl_fail(err, ENVL_E_PROVIDER, "%s", why->message);
    envl_hint(err, "install envl-provider-%s.so and the library it needs",
              name);
    return ENVL_E_PROVIDER;
}

static enum envl_status
load(const char *name, const char *type, const char *folder,
     const struct envl_provider_module **out, struct envl_error *err)
{
    const struct envl_provider_module *module;
    struct envl_error why = { .status = ENVL_OK };
    struct module_file file;
    enum envl_status status;

    if (module_file_load(&kind, name, folder, &file, &why) != ENVL_OK)
        return not_loaded(name, &why, err);
    module = dlsym(file.handle, ENVL_PROVIDER_MODULE_SYMBOL);
    if (module == NULL)
        return envl_fail(err, ENVL_E_PROVIDER, "%s is not a provider module",
                         file.path);
    if ((status = check(module, name, type, err)) == ENVL_OK)
        *out = module;
    return status;
}

enum envl_status
module_for(const char *type, const char *folder,
           const struct envl_provider_module **out, struct envl_error *err)
{
    const struct provider_type *known = types_find(envl_bytes_of(type));

    for (size_t i = 0; built_in[i] != NULL; i++)
        if (makes(built_in[i], type)) {
            *out = built_in[i];
            return ENVL_OK;
        }
    if (known == NULL || known->module == NULL)
        return envl_fail(err, ENVL_E_USAGE, "a provider of type '%.40s' is "
                         "not set up by configuration", type);
    return load(known->module, type, folder, out, err);
}
