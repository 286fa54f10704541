#include <stdlib.h>
#include <string.h>

#include "core/json_scan.h"
#include "detect/contract.h"
#include "detect/name.h"

#define HEAD  4096u /* a contract says what it is within so many bytes */
#define DEEP  256u

static bool
has(struct envl_bytes text, const char *what)
{
    return memmem(text.ptr, text.len, what, strlen(what)) != NULL;
}

bool
contract_is(struct envl_bytes text)
{
    if (text.len > HEAD)
        text.len = HEAD;
    return text.len > 0 &&
           (has(text, "\"$schema\"") || has(text, "\"openapi\"") ||
            has(text, "\"swagger\"") || has(text, "openapi:") ||
            has(text, "swagger:") || has(text, "$schema:"));
}

/* One member of a "properties". */
struct member {
    size_t at, len;   /* its name                                     */
    size_t depth;     /* of the object (JSON) or the indent (YAML)    */
    bool wanted;      /* its name means a secret                      */
    bool hidden;      /* writeOnly, or format: password               */
    bool held;        /* it can hold one: no object, no number        */
};

struct contract {
    struct envl_bytes text;
    struct member stack[DEEP];
    size_t count;
    source_fn *each;
    void *cookie;
};

static bool
means_secret(struct envl_bytes name)
{
    return name_judge(name) == NAME_SECRET;
}

static enum envl_status
close_member(struct contract *contract, struct envl_error *err)
{
    struct member *member = &contract->stack[--contract->count];
    struct source_finding finding = {
        .hit = { member->at, member->len, "contract-secret",
                 "a contract hands it out: writeOnly is missing",
                 HIT_MEDIUM },
        .name = { contract->text.ptr + member->at, member->len },
        .value = { contract->text.ptr + member->at, member->len },
    };

    if (!member->wanted || member->hidden || !member->held)
        return ENVL_OK;
    source_at(contract->text, member->at, &finding.line, &finding.column);
    return contract->each(contract->cookie, &finding, err);
}

static bool
is(struct envl_bytes token, const char *word)
{
    return token.len == strlen(word) &&
           memcmp(token.ptr, word, token.len) == 0;
}

/* A member of the schema of the innermost property. */
static void
learn(struct member *member, struct envl_bytes name, struct envl_bytes value)
{
    if (is(name, "writeOnly") && is(value, "true"))
        member->hidden = true;
    if (is(name, "format") && is(value, "password"))
        member->hidden = true;
    if (is(name, "type"))
        member->held = is(value, "string") || value.len == 0;
}

static struct envl_bytes
unquote(struct envl_bytes token)
{
    if (token.len >= 2 && (token.ptr[0] == '"' || token.ptr[0] == '\'') &&
        token.ptr[token.len - 1] == token.ptr[0])
        token = (struct envl_bytes){ token.ptr + 1, token.len - 2 };
    return token;
}

/*
 * JSON: ${properties}[d] says whether the object at depth d is a
 * "properties"; its members at that depth are declared ones.
 */
struct levels {
    bool properties[DEEP + 2];
    bool next; /* the member that follows is "properties" */
};

static enum envl_status
json_name(struct contract *contract, struct levels *levels,
          const struct json_scan *scan, struct envl_error *err)
{
    struct envl_bytes raw = { scan->text.ptr + scan->start, scan->len };
    struct envl_bytes name = unquote(raw);
    enum envl_status status = ENVL_OK;

    levels->next = is(name, "properties");
    if (scan->depth >= DEEP || !levels->properties[scan->depth])
        return ENVL_OK;
    levels->next = false; /* a property that is called so */
    while (status == ENVL_OK && contract->count > 0 &&
           contract->stack[contract->count - 1].depth >= scan->depth)
        status = close_member(contract, err);
    if (status == ENVL_OK && contract->count < DEEP)
        contract->stack[contract->count++] = (struct member){
            .at = scan->start + 1, .len = name.len, .depth = scan->depth,
            .wanted = means_secret(name), .held = true };
    return status;
}

static enum envl_status
scan_json(struct contract *contract, struct envl_error *err)
{
    struct levels *levels = calloc(1, sizeof(*levels));
    struct envl_bytes name = { NULL, 0 };
    enum envl_status status = ENVL_OK;
    struct json_scan scan;
    enum json_token kind;

    if (levels == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a contract");
    json_scan_init(&scan, contract->text);
    while (status == ENVL_OK && (kind = json_scan_next(&scan)) !=
           JSON_SCAN_END && kind != JSON_SCAN_ERROR) {
        struct envl_bytes token = { scan.text.ptr + scan.start, scan.len };
        struct member *inner = contract->count > 0
                                   ? &contract->stack[contract->count - 1]
                                   : NULL;

        if (kind == JSON_SCAN_NAME) {
            name = unquote(token);
            status = json_name(contract, levels, &scan, err);
            continue;
        }
        if (kind == JSON_SCAN_OBJECT_BEGIN && scan.depth < DEEP) {
            levels->properties[scan.depth] = levels->next;
        } else if (kind == JSON_SCAN_OBJECT_END) {
            while (status == ENVL_OK && contract->count > 0 &&
                   contract->stack[contract->count - 1].depth > scan.depth)
                status = close_member(contract, err);
        } else if (inner != NULL && inner->depth + 1 == scan.depth) {
            learn(inner, name, unquote(token));
        }
        levels->next = false;
    }
    while (status == ENVL_OK && contract->count > 0)
        status = close_member(contract, err);
    json_scan_free(&scan);
    free(levels);
    return status;
}

/* One line of YAML: "  name: value"; false: it is none of that. */
static bool
yaml_line(struct envl_bytes line, size_t *indent, struct envl_bytes *name,
          struct envl_bytes *value)
{
    const uint8_t *colon;
    size_t at = 0;

    while (at < line.len && line.ptr[at] == ' ')
        at++;
    *indent = at;
    if (at >= line.len || line.ptr[at] == '#' || line.ptr[at] == '-')
        return false;
    colon = memchr(line.ptr + at, ':', line.len - at);
    if (colon == NULL)
        return false;
    *name = unquote((struct envl_bytes){ line.ptr + at,
                                         (size_t)(colon - line.ptr) - at });
    at = (size_t)(colon - line.ptr) + 1;
    while (at < line.len && line.ptr[at] == ' ')
        at++;
    while (line.len > at && (line.ptr[line.len - 1] == ' ' ||
                             line.ptr[line.len - 1] == '\r'))
        line.len--;
    *value = unquote((struct envl_bytes){ line.ptr + at, line.len - at });
    return true;
}

/*
 * YAML by its indents, enough for what contracts are written in: below a
 * "properties:" the first indent is that of the declared members.
 */
struct indents {
    size_t properties[DEEP]; /* indent of each "properties:" we are in */
    size_t members[DEEP];    /* of its members; SIZE_MAX: not seen yet */
    size_t count;
};

static void
yaml_member(struct contract *contract, struct indents *at, size_t indent,
            struct envl_bytes name)
{
    if (at->members[at->count - 1] == SIZE_MAX)
        at->members[at->count - 1] = indent;
    if (contract->count >= DEEP)
        return;
    contract->stack[contract->count++] = (struct member){
        .at = (size_t)(name.ptr - contract->text.ptr), .len = name.len,
        .depth = indent, .wanted = means_secret(name), .held = true };
}

static enum envl_status
yaml_one(struct contract *contract, struct indents *at,
         struct envl_bytes line, struct envl_error *err)
{
    struct envl_bytes name, value;
    enum envl_status status = ENVL_OK;
    struct member *inner;
    size_t indent;

    if (!yaml_line(line, &indent, &name, &value))
        return ENVL_OK;
    while (status == ENVL_OK && contract->count > 0 &&
           contract->stack[contract->count - 1].depth >= indent)
        status = close_member(contract, err);
    while (at->count > 0 && at->properties[at->count - 1] >= indent)
        at->count--;
    if (status != ENVL_OK)
        return status;
    inner = contract->count > 0 ? &contract->stack[contract->count - 1]
                                : NULL;
    if (inner != NULL)
        learn(inner, name, value);
    if (at->count > 0 && (at->members[at->count - 1] == SIZE_MAX ||
                          at->members[at->count - 1] == indent))
        yaml_member(contract, at, indent, name);
    else if (is(name, "properties") && value.len == 0 && at->count < DEEP) {
        at->properties[at->count] = indent;
        at->members[at->count++] = SIZE_MAX;
    }
    return ENVL_OK;
}

static enum envl_status
scan_yaml(struct contract *contract, struct envl_error *err)
{
    struct indents at = { .count = 0 };
    struct envl_bytes rest = contract->text;
    enum envl_status status = ENVL_OK;

    while (status == ENVL_OK && rest.len > 0) {
        const uint8_t *lf = memchr(rest.ptr, '\n', rest.len);
        size_t len = lf != NULL ? (size_t)(lf - rest.ptr) : rest.len;

        status = yaml_one(contract, &at,
                          (struct envl_bytes){ rest.ptr, len }, err);
        len += lf != NULL;
        rest = (struct envl_bytes){ rest.ptr + len, rest.len - len };
    }
    while (status == ENVL_OK && contract->count > 0)
        status = close_member(contract, err);
    return status;
}

enum envl_status
contract_scan(struct envl_bytes text, source_fn *each, void *cookie,
              struct envl_error *err)
{
    struct contract *contract;
    enum envl_status status;
    size_t at = 0;

    if (!contract_is(text))
        return ENVL_OK;
    if ((contract = calloc(1, sizeof(*contract))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a contract");
    contract->text = text;
    contract->each = each;
    contract->cookie = cookie;
    while (at < text.len && memchr(" \t\r\n", text.ptr[at], 4) != NULL)
        at++;
    status = at < text.len && text.ptr[at] == '{' ? scan_json(contract, err)
                                                  : scan_yaml(contract, err);
    free(contract);
    return status;
}
