#include <stdio.h>
#include <string.h>

#include "mongo/guard_rule.h"

#define TEXT_BEGINS "^env[0-9]+:" /* spec: ENV-8.2 */

/* One field of the job while its rule is written. */
struct field {
    const struct envl_field_spec *spec;
    bool empty_ok;
};

/*
 * An expression in the making: ${into} is the document or array that takes
 * it, as its member ${key}.
 */
struct place {
    bson_t *into;
    const char *key;
};

/* {OPERATOR: [ ... ]} at ${at}; the arguments go into ${list}. */
static void
begin(const struct place *at, const char *operator, bson_t *outer,
      bson_t *list)
{
    bson_append_document_begin(at->into, at->key, -1, outer);
    bson_append_array_begin(outer, operator, -1, list);
}

static void
end(const struct place *at, bson_t *outer, bson_t *list)
{
    bson_append_array_end(outer, list);
    bson_append_document_end(at->into, outer);
}

/* {$type: WHAT}, compared with ${type}. */
static void
put_is_type(const struct place *at, const char *what, const char *type)
{
    bson_t outer, list, of;

    begin(at, "$eq", &outer, &list);
    bson_append_document_begin(&list, "0", 1, &of);
    BSON_APPEND_UTF8(&of, "$type", what);
    bson_append_document_end(&list, &of);
    BSON_APPEND_UTF8(&list, "1", type);
    end(at, &outer, &list);
}

/* ${what} is missing, null or undefined. */
static void
put_is_nothing(const struct place *at, const char *what)
{
    bson_t outer, list, of, names;

    begin(at, "$in", &outer, &list);
    bson_append_document_begin(&list, "0", 1, &of);
    BSON_APPEND_UTF8(&of, "$type", what);
    bson_append_document_end(&list, &of);
    bson_append_array_begin(&list, "1", 1, &names);
    BSON_APPEND_UTF8(&names, "0", "missing");
    BSON_APPEND_UTF8(&names, "1", "null");
    BSON_APPEND_UTF8(&names, "2", "undefined");
    bson_append_array_end(&list, &names);
    end(at, &outer, &list);
}

/* "" or no bytes. */
static void
put_is_empty(const struct place *at)
{
    bson_t outer, list, values;

    begin(at, "$in", &outer, &list);
    BSON_APPEND_UTF8(&list, "0", "$$v");
    bson_append_array_begin(&list, "1", 1, &values);
    BSON_APPEND_UTF8(&values, "0", "");
    BSON_APPEND_BINARY(&values, "1", BSON_SUBTYPE_BINARY,
                       (const uint8_t *)"", 0);
    bson_append_array_end(&list, &values);
    end(at, &outer, &list);
}

static void
put_text_begins(const struct place *at)
{
    bson_t outer, match;

    bson_append_document_begin(at->into, at->key, -1, &outer);
    bson_append_document_begin(&outer, "$regexMatch", -1, &match);
    BSON_APPEND_UTF8(&match, "input", "$$v");
    BSON_APPEND_UTF8(&match, "regex", TEXT_BEGINS);
    bson_append_document_end(&outer, &match);
    bson_append_document_end(at->into, &outer);
}

/* Members env, a number, and payload. */
static void
put_object_begins(const struct place *at)
{
    bson_t outer, list, number, not;

    begin(at, "$and", &outer, &list);
    bson_append_document_begin(&list, "0", 1, &number);
    BSON_APPEND_UTF8(&number, "$isNumber", "$$v.env");
    bson_append_document_end(&list, &number);
    bson_append_document_begin(&list, "1", 1, &number);
    bson_append_array_begin(&number, "$not", -1, &not);
    put_is_nothing(&(struct place){ &not, "0" }, "$$v.payload");
    bson_append_array_end(&number, &not);
    bson_append_document_end(&list, &number);
    end(at, &outer, &list);
}

/* By its type; no expression looks into binary data. */
static void
put_begins(const struct place *at)
{
    bson_t cond, arms, other, inner;

    begin(at, "$cond", &cond, &arms);
    put_is_type(&(struct place){ &arms, "0" }, "$$v", "string");
    put_text_begins(&(struct place){ &arms, "1" });
    begin(&(struct place){ &arms, "2" }, "$cond", &other, &inner);
    put_is_type(&(struct place){ &inner, "0" }, "$$v", "object");
    put_object_begins(&(struct place){ &inner, "1" });
    put_is_type(&(struct place){ &inner, "2" }, "$$v", "binData");
    end(&(struct place){ &arms, "2" }, &other, &inner);
    end(at, &cond, &arms);
}

/* $$v is plaintext. */
static void
put_is_plaintext(const struct place *at, const struct field *field)
{
    bson_t not, one, any, list;

    begin(at, "$not", &not, &one);
    begin(&(struct place){ &one, "0" }, "$or", &any, &list);
    put_is_nothing(&(struct place){ &list, "0" }, "$$v");
    put_begins(&(struct place){ &list, "1" });
    if (field->empty_ok)
        put_is_empty(&(struct place){ &list, "2" });
    end(&(struct place){ &one, "0" }, &any, &list);
    end(at, &not, &one);
}

/* ---- the way to it ------------------------------------------------------ */

/* The member of $$v, by a field path where its name can stand in one. */
static void
put_member(const struct place *at, const char *name)
{
    bson_t outer, get, literal;
    char path[512];

    if (name[0] != '\0' && name[0] != '$' && strchr(name, '.') == NULL &&
        strlen(name) < sizeof(path) - 4) {
        snprintf(path, sizeof(path), "$$v.%s", name);
        bson_append_utf8(at->into, at->key, -1, path, -1);
        return;
    }
    bson_append_document_begin(at->into, at->key, -1, &outer);
    bson_append_document_begin(&outer, "$getField", -1, &get);
    bson_append_document_begin(&get, "field", -1, &literal);
    BSON_APPEND_UTF8(&literal, "$literal", name);
    bson_append_document_end(&get, &literal);
    BSON_APPEND_UTF8(&get, "input", "$$v");
    bson_append_document_end(&outer, &get);
    bson_append_document_end(at->into, &outer);
}

static void put_holds_plaintext(const struct place *at,
                                const struct field *field, uint32_t depth);

/* {$let: {vars: {v: the member ${name}}, in: ...}}; ${depth} beyond the path:
   it is the value itself. */
static void
put_in_member(const struct place *at, const char *name,
              const struct field *field, uint32_t depth)
{
    bson_t outer, let, vars;

    bson_append_document_begin(at->into, at->key, -1, &outer);
    bson_append_document_begin(&outer, "$let", -1, &let);
    bson_append_document_begin(&let, "vars", -1, &vars);
    put_member(&(struct place){ &vars, "v" }, name);
    bson_append_document_end(&let, &vars);
    put_holds_plaintext(&(struct place){ &let, "in" }, field, depth);
    bson_append_document_end(&outer, &let);
    bson_append_document_end(at->into, &outer);
}

/* The source, the sibling, and what one says of the other. */
static void
put_with_sibling(const struct place *at, const char *name,
                 const struct field *field, uint32_t depth)
{
    bson_t any, either, both, list, let, vars, in;

    begin(at, "$or", &any, &either);
    put_in_member(&(struct place){ &either, "0" }, field->spec->into, field,
                  depth);
    if (!field->spec->keep_source) {
        put_in_member(&(struct place){ &either, "1" }, name, field, depth);
        end(at, &any, &either);
        return;
    }
    begin(&(struct place){ &either, "1" }, "$and", &both, &list);
    put_in_member(&(struct place){ &list, "0" }, name, field, depth);
    bson_append_document_begin(&list, "1", 1, &let);
    bson_append_document_begin(&let, "$let", -1, &in);
    bson_append_document_begin(&in, "vars", -1, &vars);
    put_member(&(struct place){ &vars, "v" }, field->spec->into);
    bson_append_document_end(&in, &vars);
    put_is_nothing(&(struct place){ &in, "in" }, "$$v");
    bson_append_document_end(&let, &in);
    bson_append_document_end(&list, &let);
    end(&(struct place){ &either, "1" }, &both, &list);
    end(at, &any, &either);
}

/* Some element of an array, or some member of a document. */
static void
put_any(const struct place *at, const struct field *field, uint32_t depth,
        bool member)
{
    bson_t outer, list, map_at, map, input, let, in, vars;

    begin(at, "$anyElementTrue", &outer, &list);
    bson_append_document_begin(&list, "0", 1, &map_at);
    bson_append_document_begin(&map_at, "$map", -1, &map);
    if (member) {
        bson_append_document_begin(&map, "input", -1, &input);
        BSON_APPEND_UTF8(&input, "$objectToArray", "$$v");
        bson_append_document_end(&map, &input);
        BSON_APPEND_UTF8(&map, "as", "e");
        bson_append_document_begin(&map, "in", -1, &in);
        bson_append_document_begin(&in, "$let", -1, &let);
        bson_append_document_begin(&let, "vars", -1, &vars);
        BSON_APPEND_UTF8(&vars, "v", "$$e.v");
        bson_append_document_end(&let, &vars);
        put_holds_plaintext(&(struct place){ &let, "in" }, field, depth);
        bson_append_document_end(&in, &let);
        bson_append_document_end(&map, &in);
    } else {
        BSON_APPEND_UTF8(&map, "input", "$$v");
        BSON_APPEND_UTF8(&map, "as", "v");
        put_holds_plaintext(&(struct place){ &map, "in" }, field, depth);
    }
    bson_append_document_end(&map_at, &map);
    bson_append_document_end(&list, &map_at);
    end(at, &outer, &list);
}

/* Does $$v hold plaintext where the path, from ${depth} on, leads to?  What
   is of another type than the path needs has nothing there. */
static void
put_holds_plaintext(const struct place *at, const struct field *field,
                    uint32_t depth)
{
    const struct envl_path *path = &field->spec->path;
    const struct envl_segment *segment;
    bson_t outer, arms;
    char name[STORE_KEY_MAX];

    if (depth >= path->count) {
        put_is_plaintext(at, field);
        return;
    }
    segment = &path->segments[depth];
    begin(at, "$cond", &outer, &arms);
    put_is_type(&(struct place){ &arms, "0" }, "$$v",
                segment->kind == ENVL_SEGMENT_ANY_ELEMENT ? "array"
                                                          : "object");
    if (segment->kind == ENVL_SEGMENT_MEMBER) {
        snprintf(name, sizeof(name), "%.*s", (int)segment->name.len,
                 (const char *)segment->name.ptr);
        if (depth + 1 == path->count && field->spec->into != NULL)
            put_with_sibling(&(struct place){ &arms, "1" }, name, field,
                             depth + 1);
        else
            put_in_member(&(struct place){ &arms, "1" }, name, field,
                          depth + 1);
    } else {
        put_any(&(struct place){ &arms, "1" }, field, depth + 1,
                segment->kind == ENVL_SEGMENT_ANY_MEMBER);
    }
    BSON_APPEND_BOOL(&arms, "2", false);
    end(at, &outer, &arms);
}

static void
put_rule(const struct envl_target *target, const struct envl_guard_spec *spec,
         bson_t *out)
{
    bson_t let_at, let, vars, any, list, not, one;
    char key[16];

    bson_append_document_begin(out, "$expr", -1, &not);
    bson_append_array_begin(&not, "$not", -1, &one);
    bson_append_document_begin(&one, "0", 1, &let_at);
    bson_append_document_begin(&let_at, "$let", -1, &let);
    bson_append_document_begin(&let, "vars", -1, &vars);
    BSON_APPEND_UTF8(&vars, "v", "$$ROOT");
    bson_append_document_end(&let, &vars);
    begin(&(struct place){ &let, "in" }, "$or", &any, &list);
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        struct field field = { &target->spec->fields[i],
                               spec->empty_ok[i] };

        snprintf(key, sizeof(key), "%u", i);
        put_holds_plaintext(&(struct place){ &list, key }, &field, 0);
    }
    end(&(struct place){ &let, "in" }, &any, &list);
    bson_append_document_end(&let_at, &let);
    bson_append_document_end(&one, &let_at);
    bson_append_array_end(&not, &one);
    bson_append_document_end(out, &not);
}

void
guard_rule_append(const struct envl_target *target,
                  const struct envl_guard_spec *spec, bson_t *out)
{
    bson_t either, other, none, rule;

    if (bson_empty(&target->where)) {
        put_rule(target, spec, out);
        return;
    }
    bson_append_array_begin(out, "$or", -1, &either);
    bson_append_document_begin(&either, "0", 1, &other);
    bson_append_array_begin(&other, "$nor", -1, &none);
    BSON_APPEND_DOCUMENT(&none, "0", &target->where);
    bson_append_array_end(&other, &none);
    bson_append_document_end(&either, &other);
    bson_append_document_begin(&either, "1", 1, &rule);
    put_rule(target, spec, &rule);
    bson_append_document_end(&either, &rule);
    bson_append_array_end(out, &either);
}
