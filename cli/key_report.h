/*
 * key_report.h - keys as people and scripts read them.
 */
#ifndef CLI_KEY_REPORT_H
#define CLI_KEY_REPORT_H

#include <envelope/keyring.h>

/**
 * key_report_list(ring, err):
 * `key list`: one line a key, or with --json the document of product.md.
 */
enum envl_status key_report_list(struct envl_keyring *ring,
                                 struct envl_error *err);

/**
 * key_report_one(ring, kid, done, err):
 * What became of one key: "${kid} ${done}", its state, the generation.
 */
enum envl_status key_report_one(struct envl_keyring *ring, const char *kid,
                                const char *done, struct envl_error *err);

#endif /* CLI_KEY_REPORT_H */
