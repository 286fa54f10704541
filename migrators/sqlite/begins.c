#include <string.h>

#include "sqlite/begins.h"

void
begins_add(sqlite3_str *sql, const char *cell, const char *kid)
{
    size_t len = strlen(kid);

    /* substr() of an empty blob is NULL. */
    sqlite3_str_appendf(sql, "coalesce(CASE typeof(%s) WHEN 'text' THEN "
                        "%s GLOB 'env1:%s%s*' WHEN 'blob' THEN "
                        "substr(%s, 1, 4) = x'9e455601'", cell, cell, kid,
                        len > 0 ? ":" : "", cell);
    if (len > 0)
        sqlite3_str_appendf(sql, " AND substr(%s, 6, %d) = CAST(char(%d) "
                            "|| '%s' AS BLOB)", cell, (int)len + 1, (int)len,
                            kid);
    sqlite3_str_appendall(sql, " ELSE 0 END, 0)");
}

void
begins_add_plain(sqlite3_str *sql, const char *cell, bool empty_ok)
{
    sqlite3_str_appendf(sql, "(%s IS NOT NULL", cell);
    if (empty_ok) /* length() of text ends at a NUL */
        sqlite3_str_appendf(sql, " AND (typeof(%s) NOT IN ('text', 'blob') "
                            "OR length(CAST(%s AS BLOB)) > 0)", cell, cell);
    sqlite3_str_appendall(sql, " AND NOT ");
    begins_add(sql, cell, "");
    sqlite3_str_appendall(sql, ")");
}

/* CASE, since AND does not promise to leave its right side alone. */
void
begins_add_plain_json(sqlite3_str *sql, const char *row, bool empty_ok)
{
    sqlite3_str_appendf(sql, "CASE %s.type WHEN 'null' THEN 0 WHEN 'text' "
                        "THEN %s.value NOT GLOB 'env1:*'%s%s%s "
                        "WHEN 'object' THEN NOT (coalesce(json_type("
                        "%s.value, '$.env') = 'integer' AND json_extract("
                        "%s.value, '$.env') = 1 AND json_type(%s.value, "
                        "'$.payload') IS NOT NULL, 0)) ELSE 1 END", row, row,
                        empty_ok ? " AND " : "", empty_ok ? row : "",
                        empty_ok ? ".value <> ''" : "", row, row, row);
}
