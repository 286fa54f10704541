/*
 * job_text.h - the text of a job file, before it is a job.
 */
#ifndef ENGINE_JOB_TEXT_H
#define ENGINE_JOB_TEXT_H

#include <jansson.h>

#include <envelope/bytes.h>

#define JOB_TEXT_MAX ((size_t)1024 * 1024)

/**
 * job_text_read(path, out, err):
 * Append the file's bytes to ${out}.  Fails with ENVL_E_NOTFOUND, ENVL_E_IO,
 * ENVL_E_LIMIT (above JOB_TEXT_MAX), ENVL_E_NOMEM.
 */
enum envl_status job_text_read(const char *path, struct envl_buf *out,
                               struct envl_error *err);

/**
 * job_text_parse(text, out, err):
 * Parse JSON, which the caller json_decref()s.  Fails with ENVL_E_USAGE,
 * naming the line and column of what is no JSON, or the place of a member
 * that stands twice; ENVL_E_LIMIT; ENVL_E_NOMEM.
 */
enum envl_status job_text_parse(struct envl_bytes text, json_t **out,
                                struct envl_error *err);

#endif /* ENGINE_JOB_TEXT_H */
