#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/job_node.h"

/* A name is the file's own text: nothing of it may break the one line. */
static void
printable(const char *name, char *out, size_t room)
{
    size_t n = 0;

    for (; *name != '\0' && n + 4 < room; name++)
        out[n++] = *name < 0x20 || *name == 0x7f ? '?' : *name;
    memcpy(out + n, *name == '\0' ? "" : "...", *name == '\0' ? 1 : 4);
}

/* "targets[0].fields[1]", or "" for the file itself. */
static size_t
place(const struct job_node *node, char *out, size_t room)
{
    size_t used;
    char name[64];
    int n;

    if (node->up == NULL) {
        out[0] = '\0';
        return 0;
    }
    used = place(node->up, out, room);
    if (node->name == NULL) {
        n = snprintf(out + used, room - used, "[%zu]", node->index);
    } else {
        printable(node->name, name, sizeof(name));
        n = snprintf(out + used, room - used, "%s%s", used > 0 ? "." : "",
                     name);
    }
    used += n > 0 ? (size_t)n : 0;
    return used < room ? used : room - 1;
}

enum envl_status
job_node_fail(const struct job_node *node, const char *format, ...)
{
    char at[160], message[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (place(node, at, sizeof(at)) == 0)
        return envl_fail(node->reader->err, ENVL_E_USAGE, "job: %s", message);
    return envl_fail(node->reader->err, ENVL_E_USAGE, "job: %s: %s", at,
                     message);
}

bool
job_node_member(const struct job_node *of, const char *name,
                struct job_node *out)
{
    json_t *json = json_object_get(of->json, name);

    if (json == NULL)
        return false;
    *out = (struct job_node){ of->reader, of, name, 0, json };
    return true;
}

struct job_node
job_node_element(const struct job_node *of, size_t index)
{
    return (struct job_node){ of->reader, of, NULL, index,
                              json_array_get(of->json, index) };
}

static const struct job_member *
find(const struct job_member *members, const char *name)
{
    for (; members->name != NULL; members++) {
        if (strcmp(members->name, name) == 0)
            return members;
    }
    return NULL;
}

/* One slip of the finger: a letter too many, too few, other or swapped. */
static bool
resembles(const char *a, const char *b)
{
    size_t la, lb;

    while (*a != '\0' && *a == *b)
        a++, b++;
    la = strlen(a);
    lb = strlen(b);
    if (la + lb == 0)
        return false;
    if (la == lb && la > 1 && a[0] == b[1] && a[1] == b[0] &&
        strcmp(a + 2, b + 2) == 0)
        return true;
    return (la == lb && strcmp(a + 1, b + 1) == 0) ||
           (la == lb + 1 && strcmp(a + 1, b) == 0) ||
           (lb == la + 1 && strcmp(a, b + 1) == 0);
}

static void
hint_members(const struct job_node *node, const struct job_member *members,
             const char *name)
{
    char list[300] = "";
    size_t used = 0;

    for (const struct job_member *m = members; m->name != NULL; m++) {
        if (resembles(name, m->name)) {
            envl_hint(node->reader->err, "did you mean \"%s\"?", m->name);
            return;
        }
    }
    for (; members->name != NULL && used < sizeof(list) - 80; members++) {
        int n = snprintf(list + used, sizeof(list) - used, "%s%s",
                         used > 0 ? ", " : "", members->name);

        used += n > 0 ? (size_t)n : 0;
    }
    envl_hint(node->reader->err, "what may stand here: %s", list);
}

enum envl_status
job_node_object(const struct job_node *node, const struct job_member *members)
{
    const char *name;
    json_t *value;

    if (!json_is_object(node->json))
        return job_node_fail(node, "an object is expected");
    json_object_foreach(node->json, name, value) {
        struct job_node at = { node->reader, node, name, 0, value };
        const struct job_member *member = find(members, name);

        if (member == NULL) {
            (void)job_node_fail(&at, "unknown member");
            hint_members(node, members, name);
            return ENVL_E_USAGE;
        }
        /* spec: JOB-5 */
        if (member->need == JOB_LATER)
            return job_node_fail(&at, "is not supported by this version");
    }
    for (; members->name != NULL; members++) {
        if (members->need == JOB_REQUIRED &&
            json_object_get(node->json, members->name) == NULL)
            return job_node_fail(node, "member \"%s\" is missing",
                                 members->name);
    }
    return ENVL_OK;
}

enum envl_status
job_node_array(const struct job_node *node, size_t max, size_t *count)
{
    size_t n = json_array_size(node->json);

    if (!json_is_array(node->json))
        return job_node_fail(node, "an array is expected");
    if (n < 1 || n > max)
        return job_node_fail(node, "1 to %zu elements are expected", max);
    *count = n;
    return ENVL_OK;
}

enum envl_status
job_node_string(const struct job_node *node, struct envl_bytes *out)
{
    if (!json_is_string(node->json))
        return job_node_fail(node, "a string is expected");
    *out = envl_bytes_of(json_string_value(node->json));
    out->len = json_string_length(node->json);
    return ENVL_OK;
}

enum envl_status
job_node_text(const struct job_node *node, const char **out)
{
    struct envl_bytes text;
    enum envl_status status = job_node_string(node, &text);

    if (status != ENVL_OK)
        return status;
    if (text.len == 0)
        return job_node_fail(node, "must not be empty");
    if (memchr(text.ptr, 0, text.len) != NULL)
        return job_node_fail(node, "must not hold U+0000");
    *out = json_string_value(node->json);
    return ENVL_OK;
}

enum envl_status
job_node_name(const struct job_node *node, const char **out)
{
    const char *text;
    enum envl_status status = job_node_text(node, &text);
    size_t len;

    if (status != ENVL_OK)
        return status;
    len = strlen(text);
    if (len > 63 || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") !=
                        len || text[0] == '.' || text[0] == '-')
        return job_node_fail(node, "a name of 1 to 63 of a-z 0-9 . - is "
                                   "expected, the first of a-z 0-9");
    *out = text;
    return ENVL_OK;
}

enum envl_status
job_node_number(const struct job_node *node, uint64_t min, uint64_t max,
                uint64_t *out)
{
    double real = json_number_value(node->json);

    if (!json_is_number(node->json))
        return job_node_fail(node, "a whole number is expected");
    if (real < (double)min || real > (double)max)
        return job_node_fail(node, "must be %" PRIu64 " to %" PRIu64, min,
                             max);
    if (real > (double)(uint64_t)real)
        return job_node_fail(node, "a whole number is expected");
    *out = (uint64_t)real;
    return ENVL_OK;
}

enum envl_status
job_node_real(const struct job_node *node, double min, double max,
              double *out)
{
    double real = json_number_value(node->json);

    if (!json_is_number(node->json))
        return job_node_fail(node, "a number is expected");
    if (real < min || real > max)
        return job_node_fail(node, "must be %g to %g", min, max);
    *out = real;
    return ENVL_OK;
}

enum envl_status
job_node_boolean(const struct job_node *node, bool *out)
{
    if (!json_is_boolean(node->json))
        return job_node_fail(node, "true or false is expected");
    *out = json_is_true(node->json);
    return ENVL_OK;
}

enum envl_status
job_node_word(const struct job_node *node, const char *const *words,
              unsigned *out)
{
    const char *text = json_string_value(node->json);
    char list[120] = "";
    size_t used = 0;

    for (unsigned i = 0; words[i] != NULL; i++) {
        int n = snprintf(list + used, sizeof(list) - used, "%s\"%s\"",
                         i > 0 ? ", " : "", words[i]);

        if (text != NULL && strcmp(text, words[i]) == 0 &&
            strlen(text) == json_string_length(node->json)) {
            *out = i;
            return ENVL_OK;
        }
        used += n > 0 ? (size_t)n : 0;
        if (used >= sizeof(list))
            used = sizeof(list) - 1;
    }
    return job_node_fail(node, "one of %s is expected", list);
}

void *
job_node_take(const struct job_node *node, size_t count, size_t size)
{
    void *items = slab_take(node->reader->slab, count * size,
                            node->reader->err);

    if (items != NULL)
        memset(items, 0, count * size);
    return items;
}
