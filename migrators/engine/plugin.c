#include <dlfcn.h>
#include <string.h>

#include "core/module_file.h"
#include "engine/plugin.h"

static const struct module_file_kind kind = { "envl-migrator-",
                                              "plugin for driver" };

bool
plugin_name_ok(const char *name)
{
    return module_file_name_ok(name);
}

/* What must be there, each with its name for the message. */
static const char *
missing(const struct envl_migrator *ops)
{
    const struct {
        const char *name;
        bool there;
    } all[] = {
        { "open", ops->open != NULL },
        { "close", ops->close != NULL },
        { "info", ops->info != NULL },
        { "bind", ops->bind != NULL },
        { "unbind", ops->unbind != NULL },
        { "target_info", ops->target_info != NULL },
        { "last_key", ops->last_key != NULL },
        { "split", ops->split != NULL },
        { "read_begin", ops->read_begin != NULL },
        { "read_end", ops->read_end != NULL },
        { "page_free", ops->page_free != NULL },
        { "write_begin", ops->write_begin != NULL },
        { "write_end", ops->write_end != NULL },
        { "commit_begin", ops->commit_begin != NULL },
        { "commit_end", ops->commit_end != NULL },
        { "rollback", ops->rollback != NULL },
        { "state_setup", ops->state_setup != NULL },
        { "state_read", ops->state_read != NULL },
        { "state_take", ops->state_take != NULL },
        { "state_release", ops->state_release != NULL },
        { "state_reset", ops->state_reset != NULL },
        { "quarantine_read", ops->quarantine_read != NULL },
        { "ddl", ops->ddl != NULL },
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (!all[i].there)
            return all[i].name;
    }
    return NULL;
}

enum envl_status
plugin_check(const struct envl_migrator *ops, const char *driver,
             struct envl_error *err)
{
    const char *lacks;

    /* A later minor only appends; the first one ended here.  spec: MIG-2 */
    if (ops->size < offsetof(struct envl_migrator, guard_set))
        return envl_fail(err, ENVL_E_IO, "plugin %s was built for an older "
                         "version of the interface", driver);
    if (ops->name == NULL || strcmp(ops->name, driver) != 0)
        return envl_fail(err, ENVL_E_IO, "plugin %s says that it is another",
                         driver);
    lacks = missing(ops);
    if (lacks != NULL)
        return envl_fail(err, ENVL_E_IO, "plugin %s has no function %s",
                         driver, lacks);
    return ENVL_OK;
}

enum envl_status
plugin_load(const char *driver, const char *dir, struct plugin *out,
            struct envl_error *err)
{
    struct plugin plugin = { 0 };
    struct module_file file;
    enum envl_status status;

    status = module_file_load(&kind, driver, dir, &file, err);
    if (status != ENVL_OK)
        return status;
    memcpy(plugin.path, file.path, sizeof(plugin.path));
    memcpy(plugin.sha256, file.sha256, sizeof(plugin.sha256));
    plugin.ops = dlsym(file.handle, ENVL_MIGRATOR_SYMBOL);
    if (plugin.ops == NULL)
        return envl_fail(err, ENVL_E_IO, "%s is not a migrator plugin",
                         plugin.path);
    status = plugin_check(plugin.ops, driver, err);
    if (status == ENVL_OK)
        *out = plugin;
    return status;
}

void
plugin_each(const char *dir, plugin_each_fn *each, void *cookie)
{
    module_file_each(&kind, dir, each, cookie);
}
