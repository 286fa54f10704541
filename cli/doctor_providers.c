/* Which providers the configuration describes, and whether they load. */
#include "doctor.h"
#include "settings_providers.h"

void
doctor_providers(struct doctor *doctor)
{
    const struct settings *settings = &doctor->cli->settings;

    if (settings->provider_count == 0)
        return;
    doctor_section(doctor, "providers");
    for (size_t i = 0; i < settings->provider_count; i++) {
        const struct provider_setting *setting = &settings->providers[i];
        struct envl_provider *provider = NULL;
        struct envl_error err = { .status = ENVL_OK };

        if (settings_providers_new(settings, setting->name, &provider,
                                   &err) == ENVL_OK &&
            envl_provider_check(provider, &err) == ENVL_OK)
            doctor_say(doctor, DOCTOR_OK, NULL, "%s (%s) is described, and "
                       "loads", setting->name, setting->type);
        else
            doctor_say(doctor, DOCTOR_FAIL, err.hint[0] != '\0' ? err.hint
                                                                : NULL,
                       "%s (%s): %s", setting->name, setting->type,
                       err.message);
        envl_provider_free(provider);
    }
}
