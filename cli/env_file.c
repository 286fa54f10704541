#include "env_file.h"

#include <string.h>

#include <envelope/envelope.h>

#include "core/file.h"

#define TEXT_MAX (1024u * 1024u)

static bool
is_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        const bool digit = c >= '0' && c <= '9';

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
              (digit && i > 0)))
            return false;
    }
    return len > 0;
}

static enum envl_status
bad_line(const char *path, size_t number, const char *what,
         struct envl_error *err)
{
    return envl_fail(err, ENVL_E_USAGE, "%s: line %zu %s", path, number,
                     what);
}

/* One pair of quotes around all of it. */
static struct envl_bytes
unquote(struct envl_bytes value)
{
    if (value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
        value.ptr[value.len - 1] == value.ptr[0])
        return (struct envl_bytes){ value.ptr + 1, value.len - 2 };
    return value;
}

static enum envl_status
take_line(struct env_file *file, char *line, size_t len, const char *path,
          size_t number, struct envl_error *err)
{
    struct env_entry *entry = &file->entries[file->count];
    char *equals;

    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (len > 7 && strncmp(line, "export ", 7) == 0) {
        line += 7;
        len -= 7;
    }
    if (len == 0 || line[0] == '#')
        return ENVL_OK;
    equals = memchr(line, '=', len);
    if (equals == NULL || !is_name(line, (size_t)(equals - line)))
        return bad_line(path, number, "is not NAME=VALUE", err);
    if (memchr(line, '\0', len) != NULL)
        return bad_line(path, number, "holds a NUL", err);
    if (file->count == ENV_FILE_ENTRIES)
        return envl_fail(err, ENVL_E_LIMIT, "%s: more than %u names", path,
                         ENV_FILE_ENTRIES);
    *equals = '\0';
    entry->name = line;
    entry->value = unquote((struct envl_bytes){
        (const uint8_t *)equals + 1, len - (size_t)(equals - line) - 1 });
    entry->sealed = envl_begins(entry->value) == ENVL_OK;
    if (env_file_find(file, line) != NULL)
        return bad_line(path, number, "names a variable again", err);
    file->count++;
    return ENVL_OK;
}

enum envl_status
env_file_read(const char *path, struct env_file *out, struct envl_error *err)
{
    static const struct file_rules rules = { FILE_TRUSTED, "env file", NULL,
                                             0 };
    enum envl_status status;
    char *at, *end;

    out->text = (struct envl_buf)ENVL_BUF_INIT;
    out->count = 0;
    status = file_read(path, &rules, TEXT_MAX, &out->text, NULL, err);
    if (status == ENVL_OK)
        status = envl_buf_append(&out->text, envl_bytes_of("\n"), err);
    if (status != ENVL_OK)
        return status;
    at = (char *)out->text.ptr;
    end = at + out->text.len;
    for (size_t number = 1; at < end && status == ENVL_OK; number++) {
        char *lf = memchr(at, '\n', (size_t)(end - at));

        status = take_line(out, at, (size_t)(lf - at), path, number, err);
        at = lf + 1;
    }
    return status;
}

const struct env_entry *
env_file_find(const struct env_file *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->entries[i].name, name) == 0)
            return &file->entries[i];
    return NULL;
}

void
env_file_free(struct env_file *file)
{
    envl_buf_free(&file->text);
    file->count = 0;
}
