/* Which migrators are found, and whether they load. */
#include "doctor.h"
#include "engine/engine.h"

static void
say_plugin(struct doctor *doctor, const json_t *plugin)
{
    const char *driver = json_string_value(json_object_get(plugin, "driver"));
    const char *path = json_string_value(json_object_get(plugin, "path"));
    const char *message =
        json_string_value(json_object_get(plugin, "message"));
    const char *hint = json_string_value(json_object_get(plugin, "hint"));

    if (json_is_true(json_object_get(plugin, "loads")))
        doctor_say(doctor, DOCTOR_OK, NULL, "%s: %s", driver, path);
    else
        doctor_say(doctor, DOCTOR_WARN, hint, "%s does not load: %s", driver,
                   message);
}

void
doctor_plugins(struct doctor *doctor)
{
    const struct engine_options options = { .ring = NULL };
    const json_t *plugin, *list;
    json_t *report = NULL;
    struct envl_error err;
    size_t i;

    doctor_section(doctor, "plugins");
    if (engine_plugins(&options, &report, &err) != ENVL_OK) {
        doctor_say(doctor, DOCTOR_FAIL, err.hint, "%s", err.message);
        return;
    }
    list = json_object_get(report, "plugins");
    json_array_foreach(list, i, plugin)
        say_plugin(doctor, plugin);
    if (json_array_size(list) == 0)
        doctor_say(doctor, DOCTOR_WARN, "build or install envl-migrator-*.so "
                   "beside the command", "no plugin is found: databases "
                   "cannot be swept");
    json_decref(report);
}
