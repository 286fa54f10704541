/*
 * table.h - columns as wide as what stands in them.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <jansson.h>

/**
 * table_row(table, count, cells):
 * Add a row of ${count} strings to ${table}, a JSON array; the first row is
 * the heading.
 */
void table_row(json_t *table, size_t count, const char *const *cells);

/**
 * table_print(table):
 * Print it as text (with --json nothing), and free it.
 */
void table_print(json_t *table);

#endif /* CLI_TABLE_H */
