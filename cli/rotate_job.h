/*
 * rotate_job.h - rotate and rewrap for all values of a job.
 */
#ifndef CLI_ROTATE_JOB_H
#define CLI_ROTATE_JOB_H

#include "command.h"

/**
 * rotate_job(cli, err):
 * rotate --kid KID --job JOB: with --execute the key takes over, every value
 * is sealed again and opened in its place; without, what it would do.
 */
enum envl_status rotate_job(struct cli *cli, struct envl_error *err);

/**
 * rotate_job_rewrap(cli, err):
 * rewrap --job JOB: the wrapped keys move to --kid or the active wrapping
 * key; no key changes its state.
 */
enum envl_status rotate_job_rewrap(struct cli *cli, struct envl_error *err);

#endif /* CLI_ROTATE_JOB_H */
