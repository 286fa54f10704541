#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "audit_show.h"
#include "printable.h"
#include "report.h"

/* A record is short; a line that is longer is none. */
#define RECORD_MAX (64u * 1024u)

static const char *
text(const json_t *record, const char *name)
{
    const char *value = json_string_value(json_object_get(record, name));

    return value != NULL ? value : "-";
}

/* The user's name out of {"uid", "user", "host"}. */
static const char *
actor(const json_t *record)
{
    const json_t *value = json_object_get(record, "actor");

    return json_is_object(value) ? text(value, "user") : text(record, "actor");
}

static void
print_counts(json_t *record)
{
    json_t *counts = json_object_get(record, "counts"), *value;
    const char *name;

    json_object_foreach(counts, name, value)
        report_text(" %s=%lld", name, (long long)json_integer_value(value));
}

static enum envl_status
print_record(const char *path, const char *line, uint64_t number,
             struct envl_error *err)
{
    json_error_t where;
    json_t *record;

    if (report_is_json()) {
        report_print("%s", line);
        return ENVL_OK;
    }
    record = json_loads(line, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(record)) {
        json_decref(record);
        return envl_fail(err, ENVL_E_INTEGRITY, "%s: line %llu is no record",
                         path, (unsigned long long)number);
    }
    printable_json(record);
    report_text("%-20s %-10s %-16s %-24s %s", text(record, "time"),
                actor(record), text(record, "verb"), text(record, "object"),
                text(record, "outcome"));
    print_counts(record);
    report_text("\n");
    json_decref(record);
    return ENVL_OK;
}

/* Each whole line, and how many there are; ${from} 0 counts only. */
static enum envl_status
walk(const char *path, FILE *file, uint64_t from, uint64_t *count,
     struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    *count = 0;
    while (status == ENVL_OK && (len = getline(&line, &room, file)) > 0) {
        ++*count;
        if (len > (ssize_t)RECORD_MAX || line[len - 1] != '\n')
            status = envl_fail(err, ENVL_E_INTEGRITY, "%s: line %llu is no "
                               "record", path, (unsigned long long)*count);
        else if (from != 0 && *count >= from)
            status = print_record(path, line, *count, err);
    }
    if (status == ENVL_OK && ferror(file))
        status = envl_fail(err, ENVL_E_IO, "cannot read %s: %s", path,
                           strerror(errno));
    free(line);
    return status;
}

enum envl_status
audit_show(const char *path, uint64_t tail, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    uint64_t count = 0, from = 1;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return envl_fail(err, errno == ENOENT ? ENVL_E_NOTFOUND : ENVL_E_IO,
                         "cannot open %s: %s", path, strerror(errno));
    if (tail > 0) {
        status = walk(path, file, 0, &count, err);
        from = count > tail ? count - tail + 1 : 1;
        rewind(file);
    }
    if (status == ENVL_OK)
        status = walk(path, file, from, &count, err);
    fclose(file);
    return status;
}
