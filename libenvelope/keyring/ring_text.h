/*
 * ring_text.h - a ring's two lines: read strictly, written in one way.
 */
#ifndef KEYRING_RING_TEXT_H
#define KEYRING_RING_TEXT_H

#include "keyring/ring_doc.h"

/**
 * ring_text_parse(text, doc, line, err):
 * Read a whole ring file into ${doc} (indexed; the caller frees it with
 * ring_doc_free) and find ${line}, line 1 without its LF, in ${text}.
 * Nothing is believed yet: the MAC is not checked here.  Fails with
 * ENVL_E_INTEGRITY, naming the rule but no stored value; ENVL_E_NOMEM.
 */
enum envl_status ring_text_parse(struct envl_bytes text, struct ring_doc *doc,
                                 struct envl_bytes *line,
                                 struct envl_error *err);

/**
 * ring_text_print(doc, out, err):
 * Append line 1 of ${doc}, without its LF, to ${out}: members in the order of
 * the spec, no space.  Fails with ENVL_E_NOMEM.
 */
enum envl_status ring_text_print(const struct ring_doc *doc,
                                 struct envl_buf *out, struct envl_error *err);

/**
 * ring_text_finish(mac, out, err):
 * Append the LF of line 1 and line 2 for ${mac}.
 */
enum envl_status ring_text_finish(const uint8_t mac[RING_MAC_LEN],
                                  struct envl_buf *out,
                                  struct envl_error *err);

#endif /* KEYRING_RING_TEXT_H */
