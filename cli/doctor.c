#include <stdarg.h>
#include <stdio.h>

#include "doctor.h"
#include "report.h"

void
doctor_section(struct doctor *doctor, const char *name)
{
    json_t *section = json_pack("{s:s, s:[]}", "name", name, "checks");

    report_text("%s\n", name);
    doctor->checks = json_object_get(section, "checks");
    json_array_append_new(doctor->sections, section);
}

void
doctor_say(struct doctor *doctor, enum doctor_level level, const char *hint,
           const char *format, ...)
{
    static const char *const levels[] = { "ok", "warn", "fail" };
    static const char *const marks[] = { " ok ", "warn", "fail" };
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    doctor->warnings += level == DOCTOR_WARN;
    doctor->failures += level == DOCTOR_FAIL;
    report_text("  [%s]  %s\n", marks[level], text);
    if (hint != NULL && *hint != '\0')
        report_text("          hint: %s\n", hint);
    json_array_append_new(doctor->checks,
                          json_pack("{s:s, s:s, s:s}", "level", levels[level],
                                    "text", text, "hint",
                                    hint != NULL ? hint : ""));
}
