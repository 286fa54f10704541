/*
 * json_splice.h - change some values of a JSON document, byte by byte.
 *
 * Nothing is parsed and printed again (I4): every byte outside the edits
 * stays, among them the order of members, numbers such as 1e3, whitespace,
 * escapes, and duplicates elsewhere.
 */
#ifndef COMMON_JSON_SPLICE_H
#define COMMON_JSON_SPLICE_H

#include "common/json_path.h"

struct json_edit {
    const struct json_site *site; /* from json_path_find on this document  */
    uint32_t flags;               /* ENVL_EDIT_*                            */
    const char *into;             /* with ENVL_EDIT_INTO: the member's name */
    struct envl_cell put;         /* TEXT, JSON or NULL; ABSENT only with
                                     ENVL_EDIT_CLEAR alone                  */
};

/**
 * json_splice(document, edits, count, out, err):
 * Append ${document} with ${edits} done to ${out}.  Per edit:
 *   no flag       the value is replaced
 *   INTO          the sibling is replaced, or added right behind its source,
 *                 spaced as its source is
 *   INTO | CLEAR  the sibling is replaced and the source member removed; if
 *                 there is no sibling the source is renamed and replaced
 *   CLEAR         the source member is removed, with one comma
 * Fails, ${out} unchanged, with ENVL_E_USAGE if an edit is not possible where
 * it points (ambiguous, absent, an element to be removed, two edits of one
 * place, text that is not UTF-8 or JSON), and with ENVL_E_NOMEM.
 */
enum envl_status json_splice(struct envl_bytes document,
                             const struct json_edit *edits, uint32_t count,
                             struct envl_buf *out, struct envl_error *err);

#endif /* COMMON_JSON_SPLICE_H */
