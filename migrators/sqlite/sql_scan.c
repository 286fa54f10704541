#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "sqlite/sql_scan.h"

static bool
is_name_byte(unsigned char c)
{
    return c >= 0x80 || c == '_' || c == '$' || (c >= '0' && c <= '9') ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Past white space and comments; false if a comment is not closed. */
static bool
skip_blank(struct sql_scan *scan)
{
    for (;;) {
        if (is_space(*scan->at)) {
            scan->at++;
        } else if (scan->at[0] == '-' && scan->at[1] == '-') {
            scan->at += strcspn(scan->at, "\n");
        } else if (scan->at[0] == '/' && scan->at[1] == '*') {
            const char *end = strstr(scan->at + 2, "*/");

            if (end == NULL)
                return false;
            scan->at = end + 2;
        } else {
            return true;
        }
    }
}

static void
keep(struct sql_scan *scan, size_t *len, char c)
{
    if (*len + 1 < sizeof(scan->name))
        scan->name[(*len)++] = c;
}

static enum sql_token
take_quoted(struct sql_scan *scan)
{
    char open = *scan->at++;
    char close = open == '[' ? ']' : open;
    size_t len = 0;

    for (; *scan->at != '\0'; scan->at++) {
        if (*scan->at == close) {
            if (open == '[' || scan->at[1] != close)
                break;
            scan->at++;
        }
        keep(scan, &len, *scan->at);
    }
    if (*scan->at == '\0')
        return SQL_BROKEN;
    scan->at++;
    scan->name[len] = '\0';
    scan->quoted = true;
    return open == '\'' ? SQL_STRING : SQL_NAME;
}

static enum sql_token
take_name(struct sql_scan *scan)
{
    size_t len = 0;

    while (is_name_byte((unsigned char)*scan->at))
        keep(scan, &len, *scan->at++);
    scan->name[len] = '\0';
    scan->quoted = false;
    return SQL_NAME;
}

enum sql_token
sql_scan_next(struct sql_scan *scan)
{
    if (!skip_blank(scan))
        return SQL_BROKEN;
    switch (*scan->at) {
    case '\0':
        return SQL_END;
    case '(':
        scan->at++;
        return SQL_OPEN;
    case ')':
        scan->at++;
        return SQL_CLOSE;
    case '.':
        scan->at++;
        return SQL_DOT;
    case ';':
        scan->at++;
        return SQL_SEMICOLON;
    case '"':
    case '`':
    case '[':
    case '\'':
        return take_quoted(scan);
    default:
        if (is_name_byte((unsigned char)*scan->at))
            return take_name(scan);
        scan->at++;
        return SQL_OTHER;
    }
}

bool
sql_scan_mentions(const char *sql, const char *name)
{
    struct sql_scan scan = { .at = sql };
    enum sql_token token;

    if (sql == NULL)
        return false;
    while ((token = sql_scan_next(&scan)) != SQL_END && token != SQL_BROKEN) {
        /* SQLite takes 'name' for a name here and there. */
        if ((token == SQL_NAME || token == SQL_STRING) &&
            sqlite3_stricmp(scan.name, name) == 0)
            return true;
    }
    return false;
}

/* Is ${name} inside the brackets that follow the word ${keyword}? */
static bool
inside(const char *sql, const char *keyword, const char *name)
{
    struct sql_scan scan = { .at = sql };
    int depth = 0, until = -1;
    bool armed = false;
    enum sql_token token;

    if (sql == NULL)
        return false;
    while ((token = sql_scan_next(&scan)) != SQL_END && token != SQL_BROKEN) {
        if (token == SQL_OPEN) {
            if (armed && until < 0)
                until = depth;
            depth++;
        } else if (token == SQL_CLOSE && --depth == until) {
            until = -1;
        } else if (until >= 0 && token == SQL_NAME &&
                   sqlite3_stricmp(scan.name, name) == 0) {
            return true;
        }
        armed = token == SQL_NAME && !scan.quoted &&
                sqlite3_stricmp(scan.name, keyword) == 0;
    }
    return false;
}

bool
sql_scan_checks(const char *create_table, const char *name)
{
    return inside(create_table, "CHECK", name);
}

bool
sql_scan_generates(const char *create_table, const char *name)
{
    return inside(create_table, "AS", name);
}

bool
sql_scan_closed(const char *condition)
{
    struct sql_scan scan = { .at = condition };
    size_t depth = 0;

    for (;;) {
        switch (sql_scan_next(&scan)) {
        case SQL_END:
            return depth == 0;
        case SQL_BROKEN:
        case SQL_SEMICOLON:
            return false;
        case SQL_OPEN:
            depth++;
            break;
        case SQL_CLOSE:
            if (depth-- == 0)
                return false;
            break;
        default:
            break;
        }
    }
}

bool
sql_scan_table(const char *text, char *schema, char *table, size_t size)
{
    struct sql_scan scan = { .at = text };

    schema[0] = '\0';
    if (sql_scan_next(&scan) != SQL_NAME || strlen(scan.name) >= size)
        return false;
    snprintf(table, size, "%s", scan.name);
    switch (sql_scan_next(&scan)) {
    case SQL_END:
        return true;
    case SQL_DOT:
        snprintf(schema, size, "%s", table);
        if (sql_scan_next(&scan) != SQL_NAME || strlen(scan.name) >= size)
            return false;
        snprintf(table, size, "%s", scan.name);
        return sql_scan_next(&scan) == SQL_END;
    default:
        return false;
    }
}
