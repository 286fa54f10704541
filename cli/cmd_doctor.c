/* envelope doctor: is everything as it should be? */
#include "doctor.h"
#include "report.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct doctor doctor = { .cli = cli };

    if ((doctor.sections = json_array()) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    doctor_libraries(&doctor);
    doctor_providers(&doctor);
    doctor_files(&doctor);
    doctor_keyring(&doctor);
    doctor_system(&doctor);
    doctor_sandbox(&doctor);
    doctor_plugins(&doctor);
    doctor_databases(&doctor);
    report_text("%zu failed, %zu to look at\n", doctor.failures,
                doctor.warnings);
    report_json(json_pack("{s:i, s:b, s:I, s:I, s:o}", "schema", 1, "ok",
                          doctor.failures == 0, "failures",
                          (json_int_t)doctor.failures, "warnings",
                          (json_int_t)doctor.warnings, "sections",
                          doctor.sections));
    if (doctor.failures == 0)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_FINDINGS, "%zu checks failed",
                     doctor.failures);
}

const struct command cmd_doctor = {
    .name = "doctor",
    .run = run,
    .operands = "[JOB]...",
    .summary = "check libraries, keyring, log, machine and plugins",
    .help =
        "Look at everything that envelope depends on, and say what to do\n"
        "about what is not right: libraries, providers, files, the keyring\n"
        "and each way to open it, its log, the machine, what confines this\n"
        "process, plugins, and the databases of the jobs that are named:\n"
        "whether they answer, and which rights are missing. Exit 4 if a\n"
        "check failed; warnings alone are exit 0.",
    .examples =
        "envelope doctor\n"
        "envelope doctor job.json\n"
        "envelope doctor --json",
};
