/*
 * object_scan.h - is this the object encoding of an envelope?
 *
 * The scanner of spec ENV-8.6: it reads the members of what may be cut short
 * or no JSON at all, without limits on depth, numbers or duplicates, and
 * stops at the first byte it does not expect.  The text may come in pieces;
 * nothing of it is kept.
 */
#ifndef ENVELOPE_OBJECT_SCAN_H
#define ENVELOPE_OBJECT_SCAN_H

#include <stdbool.h>

#include <envelope/envelope.h>

#define OBJECT_SCAN_MEMBERS 5u /* the most an envelope has */

enum object_kind {
    OBJECT_SCAN_NOTHING, /* the value had not begun */
    OBJECT_SCAN_STRING,
    OBJECT_SCAN_NUMBER,
    OBJECT_SCAN_LITERAL,
    OBJECT_SCAN_NESTED
};

/* Where something lies in all that was scanned. */
struct object_part {
    size_t at, len;
};

/* A member as it lies in the text; strings without their quotes, raw. */
struct object_member {
    struct object_part name, value;
    enum object_kind kind;
};

/* Start from zero. */
struct object_scan {
    struct object_member members[OBJECT_SCAN_MEMBERS]; /* the first ones */
    size_t count;   /* all members, the last perhaps unfinished         */
    size_t envs;    /* members called env                               */
    bool number;    /* one of them was a number                         */
    bool payload;   /* there was a member called payload                */
    bool first;     /* the first member was env with a number           */
    bool closed;    /* the last brace was read                          */
    bool stopped;   /* or a byte that was not expected                  */
    size_t end;     /* where that was                                   */
    struct object_part env; /* the last number of a member env          */

    /* Private. */
    unsigned state;
    size_t offset, depth;
    struct object_member now;
    bool escape;
    unsigned hex, code;
    char word[8]; /* a name as far as it may be env or payload */
    size_t word_len;
};

/**
 * object_scan_update(scan, piece):
 * Scan on; return false if there is no need to, since it is closed or
 * stopped.  A text whose first byte after JSON white space is not '{' stops.
 */
bool object_scan_update(struct object_scan *scan, struct envl_bytes piece);

/**
 * object_scan_part(text, part):
 * Borrow a part of the text that was scanned in one piece.
 */
struct envl_bytes object_scan_part(struct envl_bytes text,
                                   struct object_part part);

/**
 * object_scan_begins(scan):
 * True if the text has the beginning of an envelope (spec: ENV-8.6).
 */
bool object_scan_begins(const struct object_scan *scan);

/**
 * object_scan_is(raw, word):
 * True if a raw string (between its quotes), its escapes undone, is the
 * ASCII ${word}.
 */
bool object_scan_is(struct envl_bytes raw, const char *word);

/**
 * object_scan_unescape(raw, out, len):
 * Undo the escapes of a raw string into ${out} (room for raw.len bytes) and
 * store the length.  Return false if an escape stands for anything but an
 * ASCII character, which no string of an envelope can hold.
 */
bool object_scan_unescape(struct envl_bytes raw, uint8_t *out, size_t *len);

#endif /* ENVELOPE_OBJECT_SCAN_H */
