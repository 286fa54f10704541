/*
 * verify_digest.h - are rows still what they were when they were opened?
 */
#ifndef ENGINE_VERIFY_DIGEST_H
#define ENGINE_VERIFY_DIGEST_H

#include <envelope/migrator.h>

/**
 * verify_digest_page(page, extras, digest):
 * Go on with ${digest} over all that opening the rows of ${page} depends on:
 * keys, contexts (${extras} columns of them), values, siblings.  Where a page
 * ends is no part of it.
 */
void verify_digest_page(const struct envl_page *page, uint32_t extras,
                        uint8_t digest[16]);

#endif /* ENGINE_VERIFY_DIGEST_H */
