/*
 * summary.h - reports as JSON documents (product.md section 7).
 */
#ifndef ENGINE_SUMMARY_H
#define ENGINE_SUMMARY_H

#include "engine/run.h"

/**
 * summary_run(run, status):
 * {"schema":1,"type":"summary",...} of a run that ended with ${status}; NULL
 * if memory is short.
 */
json_t *summary_run(const struct run *run, enum envl_status status);

/**
 * summary_census(session, census):
 * [{"target","field","state","kid","count"}], kid in sealed states only.
 */
json_t *summary_census(const struct session *session,
                       const struct census *census);

/**
 * summary_text(bytes):
 * A JSON string; bytes that are not UTF-8 become '?'.
 */
json_t *summary_text(struct envl_bytes bytes);

/**
 * summary_notes(host):
 * [{"level","target","text"}].
 */
json_t *summary_notes(struct host *host);

#endif /* ENGINE_SUMMARY_H */
