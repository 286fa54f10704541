#include <string.h>

#include "postgres/begins.h"

void
begins_put(struct sql *sql, enum column_class class, const char *cell,
           const char *kid)
{
    size_t len = strlen(kid);

    switch (class) {
    case COLUMN_BYTEA:
        sql_format(sql, "(pg_catalog.substr(%s, 1, 4) = "
                   "'\\x9e455601'::pg_catalog.bytea", cell);
        if (len > 0)
            sql_format(sql, " AND pg_catalog.substr(%s, 6, %zu) = pg_catalog."
                       "set_byte('\\x00', 0, %zu) || '%s'::pg_catalog.bytea",
                       cell, len + 1, len, kid);
        sql_put(sql, ")");
        break;
    case COLUMN_JSONB:
        sql_format(sql, "CASE pg_catalog.jsonb_typeof(%s) WHEN 'string' THEN "
                   "pg_catalog.starts_with(%s OPERATOR(pg_catalog.#>>) "
                   "'{}'::pg_catalog.text[], 'env1:%s%s') WHEN 'object' THEN "
                   "coalesce(%s OPERATOR(pg_catalog.->) 'env' "
                   "OPERATOR(pg_catalog.=) '1'::pg_catalog.jsonb, false) AND "
                   "pg_catalog.jsonb_exists(%s, 'payload')",
                   cell, cell, kid, len > 0 ? ":" : "", cell, cell);
        if (len > 0)
            sql_format(sql, " AND coalesce(%s OPERATOR(pg_catalog.->>) 'kid' "
                       "= '%s', false)", cell, kid);
        sql_put(sql, " ELSE false END");
        break;
    default:
        sql_format(sql, "pg_catalog.starts_with(%s, 'env1:%s%s')", cell, kid,
                   len > 0 ? ":" : "");
    }
}

void
begins_put_plain(struct sql *sql, enum column_class class, const char *cell,
                 bool empty_ok)
{
    sql_format(sql, "((%s) IS NOT NULL", cell);
    if (class == COLUMN_JSONB)
        sql_format(sql, " AND pg_catalog.jsonb_typeof(%s) <> 'null'%s%s%s",
                   cell, empty_ok ? " AND (" : "", empty_ok ? cell : "",
                   empty_ok ? ") <> '\"\"'::pg_catalog.jsonb" : "");
    else if (empty_ok)
        sql_format(sql, " AND pg_catalog.octet_length(%s) > 0", cell);
    sql_put(sql, " AND NOT (");
    begins_put(sql, class, cell, "");
    sql_put(sql, "))");
}
