/*
 * doctor.h - findings about this installation, as a tree.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <jansson.h>

#include "command.h"
#include "ring_session.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor {
    struct cli *cli;
    json_t *sections; /* of the document     */
    json_t *checks;   /* of the last section */
    size_t warnings, failures;
};

/**
 * doctor_section(doctor, name):
 * What follows is about ${name}.
 */
void doctor_section(struct doctor *doctor, const char *name);

/**
 * doctor_say(doctor, level, hint, format, ...):
 * One finding, and the remedy (${hint} may be NULL).
 */
void doctor_say(struct doctor *doctor, enum doctor_level level,
                const char *hint, const char *format, ...) ENVL_PRINTF(4, 5);

/**
 * doctor_libraries(doctor), doctor_providers(doctor), doctor_files(doctor),
 * doctor_keyring(doctor), doctor_readers(doctor, ring),
 * doctor_audit(doctor, ring), doctor_system(doctor), doctor_sandbox(doctor),
 * doctor_plugins(doctor), doctor_databases(doctor):
 * The sections; readers are part of the keyring's.
 */
void doctor_libraries(struct doctor *doctor);
void doctor_keyring(struct doctor *doctor);
void doctor_audit(struct doctor *doctor, struct envl_keyring *ring);
void doctor_system(struct doctor *doctor);
void doctor_plugins(struct doctor *doctor);
void doctor_files(struct doctor *doctor);
void doctor_readers(struct doctor *doctor, struct envl_keyring *ring);
void doctor_sandbox(struct doctor *doctor);
void doctor_databases(struct doctor *doctor);
void doctor_providers(struct doctor *doctor);

#endif /* CLI_DOCTOR_H */
