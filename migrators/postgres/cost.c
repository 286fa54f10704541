/*
 * An update writes the whole row again beside the old one, and an entry into
 * each index, since rows that grow seldom stay on their page.  The old rows
 * are room that is used again only when a vacuum has been there, so growth is
 * told as it is without one.  WAL: the new row, its index entries, and, once
 * after each checkpoint, each page that is touched; the constants are fitted
 * to what was measured (tests/postgres/test_cost.c holds them to it).
 */
#include <stdio.h>
#include <stdlib.h>

#include "postgres/cost.h"

#define TUPLE_HEAD  28.0   /* of a row on its page                       */
#define WAL_HEAD    100.0  /* of an update's record, and its share       */
#define WAL_INDEX   60.0   /* of an index entry's record                 */
#define TOAST_FROM  2000.0 /* bytes of a row from which values move out  */
#define TOAST_SHARE 1.05

static const char ask_sizes[] =
    "WITH part AS (SELECT c.oid, c.reltuples, c.relkind FROM "
    "pg_catalog.pg_class c WHERE c.oid = $1::pg_catalog.oid OR c.oid IN "
    "(SELECT p.relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid::"
    "pg_catalog.regclass) p)) "
    "SELECT coalesce(pg_catalog.sum(CASE WHEN p.relkind IN ('r', 'm') THEN "
    "pg_catalog.pg_relation_size(p.oid) END), 0), "
    "coalesce(pg_catalog.sum(CASE WHEN p.relkind IN ('r', 'm') THEN "
    "pg_catalog.pg_table_size(p.oid) END), 0), "
    "coalesce(pg_catalog.sum(CASE WHEN p.relkind IN ('r', 'm') THEN "
    "pg_catalog.pg_indexes_size(p.oid) END), 0), "
    "(SELECT pg_catalog.count(*) FROM pg_catalog.pg_index i "
    "JOIN part q ON q.oid = i.indrelid WHERE q.relkind IN ('r', 'm')), "
    "pg_catalog.count(*) FILTER (WHERE p.relkind IN ('r', 'm')) FROM part p";

enum envl_status
cost_estimate(struct envl_target *target, struct envl_cost *cost,
              struct envl_error *err)
{
    double rows = (double)target->info.rows, heap, table, indexes, count;
    double row, entry, grown, written = (double)cost->rows, toast = 0;
    struct pipe_params params = { 0 };
    PGresult *result = NULL;
    enum envl_status status;
    char oid[16];

    snprintf(oid, sizeof(oid), "%u", target->oid);
    pipe_text(&params, oid);
    status = store_ask(target->store, ask_sizes, &params, &result, err);
    pipe_params_free(&params);
    if (status != ENVL_OK)
        return status;
    heap = strtod(PQgetvalue(result, 0, 0), NULL);
    table = strtod(PQgetvalue(result, 0, 1), NULL);
    indexes = strtod(PQgetvalue(result, 0, 2), NULL);
    count = strtod(PQgetvalue(result, 0, 4), NULL);
    count = count > 0 ? strtod(PQgetvalue(result, 0, 3), NULL) / count : 0;
    PQclear(result);

    row = rows > 0 ? heap / rows : 0;
    entry = rows > 0 && count > 0 ? indexes / rows / count : 0;
    grown = written > 0 ? ((double)cost->bytes_after -
                           (double)cost->bytes_before) / written
                        : 0;
    if (row + grown > TOAST_FROM && written > 0) {
        toast = (double)cost->bytes_after / written * TOAST_SHARE;
        grown = 0;
    }
    row = row + grown > TUPLE_HEAD ? row + grown : TUPLE_HEAD;
    cost->table_now = (uint64_t)table;
    cost->table_growth = (uint64_t)(written * (row + toast));
    cost->index_growth = (uint64_t)(written * entry * count);
    cost->log_bytes = (uint64_t)(
        written * (row + toast + WAL_HEAD + count * (WAL_INDEX + entry)) +
        (rows > 0 ? heap * written / rows : 0));
    cost->log = "WAL";
    return ENVL_OK;
}
