/*
 * contract.h - secrets that a contract hands out.
 *
 * JSON Schema and OpenAPI documents, in JSON or YAML, declare members; one
 * whose name means a secret and that is neither writeOnly nor in the format
 * "password" is promised to whoever may read.
 */
#ifndef DETECT_CONTRACT_H
#define DETECT_CONTRACT_H

#include <stdbool.h>

#include "detect/source.h"

/**
 * contract_is(text):
 * Whether ${text} looks like one: "$schema", "openapi" or "swagger" among
 * its first members.
 */
bool contract_is(struct envl_bytes text);

/**
 * contract_scan(text, each, cookie, err):
 * Give each such member to ${each}: rule "contract-secret", the hit being its
 * name.  What cannot be read as a contract gives nothing.
 */
enum envl_status contract_scan(struct envl_bytes text, source_fn *each,
                               void *cookie, struct envl_error *err);

#endif /* DETECT_CONTRACT_H */
