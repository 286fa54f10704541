/*
 * place.h - the default `field` of a context: where an envelope lives (spec
 * JOB-31 to JOB-33).
 */
#ifndef ENGINE_PLACE_H
#define ENGINE_PLACE_H

#include <stdbool.h>

#include <envelope/migrator.h>

/**
 * place_component(out, name, err):
 * Append one component, escaped, behind a `.` unless it is the first.
 */
enum envl_status place_component(struct envl_buf *out, struct envl_bytes name,
                                 bool first, struct envl_error *err);

/**
 * place_path(out, path, into, err):
 * Append the segments of ${path}; ${into}, unless NULL, stands for the last.
 * An element is `[*]`; a `*` of a pattern stays `*`, which no component is.
 */
enum envl_status place_path(struct envl_buf *out, const struct envl_path *path,
                            const char *into, struct envl_error *err);

/**
 * place_column(spec, info):
 * The column where the envelope lives, as the store spells it; NULL where
 * there are documents only.
 */
const char *place_column(const struct envl_field_spec *spec,
                         const struct envl_field_info *info);

#endif /* ENGINE_PLACE_H */
