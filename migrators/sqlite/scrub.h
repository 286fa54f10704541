/*
 * scrub.h - pages that we write forget what once stood in them.
 *
 * secure_delete overwrites what is deleted, but where SQLite lays out a page
 * anew (a row grew, and its neighbours moved) the gap between the cell
 * pointers and the cells keeps bytes of rows that went elsewhere: plaintext.
 * This is a VFS shim around the default one: every page of a table or index
 * that our connection writes to the database file is written with its gap and
 * its free blocks zeroed.  These bytes mean nothing to SQLite; all others, and
 * all locks, journals and syncs, are the default VFS's.
 */
#ifndef SQLITE_SCRUB_H
#define SQLITE_SCRUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

struct scrub;

/**
 * scrub_new(out):
 * Make a VFS and register it, not as the default.  SQLite's code.
 */
int scrub_new(struct scrub **out);

/**
 * scrub_name(scrub):
 * Its name for sqlite3_open_v2.
 */
const char *scrub_name(const struct scrub *scrub);

/**
 * scrub_turn(scrub, mode):
 * Off until it is turned on.  A page is known by its first byte, which tells
 * all kinds apart in a file of less than 2^24 pages, but for the maps of
 * auto_vacuum, which can begin as an inner page does: SURE says that there is
 * none; CAREFUL leaves inner pages of fewer than 3 cells alone, since no map
 * can look like one of 3 (its fourth number would be 2^24 at least).
 */
enum scrub_mode { SCRUB_OFF, SCRUB_CAREFUL, SCRUB_SURE };
void scrub_turn(struct scrub *scrub, enum scrub_mode mode);

/**
 * scrub_free(scrub):
 * Unregister; every connection through it is closed.  NULL is ignored.
 */
void scrub_free(struct scrub *scrub);

/**
 * scrub_page(page, size, first, mode):
 * Zero what a page of a b-tree does not use; ${first}: it is page 1.  False,
 * with nothing changed, if it is no such page, or damaged, or not ${mode}'s.
 */
bool scrub_page(uint8_t *page, size_t size, bool first, enum scrub_mode mode);

#endif /* SQLITE_SCRUB_H */
