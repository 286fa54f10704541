/*
 * Any bytes as a line of `envelope seal` or `envelope open`: what is taken is
 * what jansson reads, and nothing is taken that jansson refuses.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../../cli/json_line.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same(struct envl_bytes bytes, const json_t *text)
{
    return json_is_string(text) && json_string_length(text) == bytes.len &&
           (bytes.len == 0 ||
            memcmp(json_string_value(text), bytes.ptr, bytes.len) == 0);
}

static void
check(const struct json_line *line, const json_t *doc, bool sealing)
{
    const json_t *value =
        json_object_get(doc, sealing ? "value" : "envelope");
    const json_t *context = json_object_get(doc, "context");

    if (json_is_string(value) && !same(line->value, value))
        abort();
    if (json_object_size(context) != line->pair_count)
        abort();
    for (size_t i = 0; i < line->pair_count; i++) {
        char name[4096];

        if (line->pairs[i].name.len >= sizeof(name))
            return;
        memcpy(name, line->pairs[i].name.ptr, line->pairs[i].name.len);
        name[line->pairs[i].name.len] = '\0';
        if (!same(line->pairs[i].value, json_object_get(context, name)))
            abort();
    }
}

static void
try(struct envl_bytes in, bool sealing)
{
    struct envl_buf scratch = ENVL_BUF_INIT;
    struct json_line line;
    enum envl_status status;
    json_error_t where;
    json_t *doc;

    if (envl_buf_reserve(&scratch, in.len + 1, NULL) != ENVL_OK)
        return;
    status = sealing ? json_line_parse_seal(in, &scratch, &line)
                     : json_line_parse_open(in, &scratch, &line);
    if (scratch.len > in.len)
        abort();
    /* An object envelope may hold what jansson refuses; names of the context
       may be repeated: the library answers for both. */
    if (status == ENVL_OK && memchr(in.ptr, '[', in.len) == NULL) {
        doc = json_loadb((const char *)in.ptr, in.len,
                         JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
        if (doc != NULL)
            check(&line, doc, sealing);
        else if (sealing && line.pair_count == 0)
            abort();
        json_decref(doc);
    }
    envl_buf_free(&scratch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envl_bytes in = { data, size };

    try(in, true);
    try(in, false);
    return 0;
}
