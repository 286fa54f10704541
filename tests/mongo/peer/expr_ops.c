#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "expr_ops.h"

typedef bool op_fn(const char *name, const bson_value_t *arg,
                   const struct expr_scope *scope, bson_value_t *out);

static bool without_hashed_index_key, without_set_field;

void
expr_ops_limits(bool hashed_index_key, bool set_field)
{
    without_hashed_index_key = !hashed_index_key;
    without_set_field = !set_field;
}

static bool
give_bool(bson_value_t *out, bool truth)
{
    *out = (bson_value_t){ .value_type = BSON_TYPE_BOOL };
    out->value.v_bool = truth;
    return true;
}

static bool
give_int64(bson_value_t *out, int64_t number)
{
    *out = (bson_value_t){ .value_type = BSON_TYPE_INT64 };
    out->value.v_int64 = number;
    return true;
}

static bool
give_text(bson_value_t *out, const char *text)
{
    bson_value_t view = { .value_type = BSON_TYPE_UTF8 };

    view.value.v_utf8.str = (char *)(uintptr_t)text;
    view.value.v_utf8.len = (uint32_t)strlen(text);
    bson_value_copy(&view, out);
    return true;
}

/* A named argument of an operator that takes a document; evaluated. */
static bool
named(const bson_value_t *arg, const char *name,
      const struct expr_scope *scope, bson_value_t *out)
{
    bson_iter_t iter;
    bson_t doc;

    *out = (bson_value_t){ .value_type = BSON_TYPE_EOD };
    if (!value_doc(arg, &doc) || !bson_iter_init_find(&iter, &doc, name))
        return true;
    return expr_value(bson_iter_value(&iter), scope, out);
}

static bool
op_literal(const char *name, const bson_value_t *arg,
           const struct expr_scope *scope, bson_value_t *out)
{
    (void)name;
    (void)scope;
    bson_value_copy(arg, out);
    return true;
}

static bool
op_compare(const char *name, const bson_value_t *arg,
           const struct expr_scope *scope, bson_value_t *out)
{
    bson_value_t a, b = { .value_type = BSON_TYPE_EOD };
    bool good = expr_arg(arg, 0, scope, &a) && expr_arg(arg, 1, scope, &b);
    int c;

    if (good) {
        /* A missing value is less than null. */
        c = a.value_type == BSON_TYPE_EOD || b.value_type == BSON_TYPE_EOD
                ? (a.value_type != BSON_TYPE_EOD) -
                      (b.value_type != BSON_TYPE_EOD)
                : value_compare(&a, &b);
        if (strcmp(name, "$cmp") == 0)
            give_int64(out, (c > 0) - (c < 0));
        else
            give_bool(out, (strcmp(name, "$eq") == 0 && c == 0) ||
                           (strcmp(name, "$ne") == 0 && c != 0) ||
                           (strcmp(name, "$gt") == 0 && c > 0) ||
                           (strcmp(name, "$gte") == 0 && c >= 0) ||
                           (strcmp(name, "$lt") == 0 && c < 0) ||
                           (strcmp(name, "$lte") == 0 && c <= 0));
    }
    bson_value_destroy(&a);
    bson_value_destroy(&b);
    return good;
}

static unsigned
count_of(const bson_value_t *arg)
{
    bson_t list;

    if (arg->value_type != BSON_TYPE_ARRAY || !value_doc(arg, &list))
        return 1;
    return bson_count_keys(&list);
}

static bool
op_logic(const char *name, const bson_value_t *arg,
         const struct expr_scope *scope, bson_value_t *out)
{
    bool is_and = strcmp(name, "$and") == 0, truth = is_and;

    for (unsigned i = 0; i < count_of(arg) && truth == is_and; i++) {
        bson_value_t value;

        if (!expr_arg(arg, i, scope, &value))
            return false;
        truth = value_truth(&value);
        bson_value_destroy(&value);
    }
    return give_bool(out, truth);
}

static bool
op_not(const char *name, const bson_value_t *arg,
       const struct expr_scope *scope, bson_value_t *out)
{
    bson_value_t value;
    bool truth;

    (void)name;
    if (!expr_arg(arg, 0, scope, &value))
        return false;
    truth = value_truth(&value);
    bson_value_destroy(&value);
    return give_bool(out, !truth);
}

/* Those that say something of one value. */
static bool
op_about(const char *name, const bson_value_t *arg,
         const struct expr_scope *scope, bson_value_t *out)
{
    bson_value_t value;
    bson_t doc;
    bool good = true;

    if (strcmp(name, "$toHashedIndexKey") == 0 && without_hashed_index_key)
        return value_trouble(scope->trouble, 168, "InvalidPipelineOperator",
                             "Unrecognized expression '%s'", name);
    if (!expr_arg(arg, 0, scope, &value))
        return false;
    if (strcmp(name, "$type") == 0)
        give_text(out, value_type_name(value.value_type));
    else if (strcmp(name, "$isArray") == 0)
        give_bool(out, value.value_type == BSON_TYPE_ARRAY);
    else if (strcmp(name, "$toHashedIndexKey") == 0)
        give_int64(out, value_hash(&value));
    else if (strcmp(name, "$strLenBytes") == 0 &&
             value.value_type == BSON_TYPE_UTF8)
        give_int64(out, value.value.v_utf8.len);
    else if (strcmp(name, "$binarySize") == 0 &&
             value.value_type == BSON_TYPE_BINARY)
        give_int64(out, value.value.v_binary.data_len);
    else if (strcmp(name, "$bsonSize") == 0 && value_doc(&value, &doc))
        give_int64(out, doc.len);
    else if (strcmp(name, "$size") == 0 && value_doc(&value, &doc))
        give_int64(out, bson_count_keys(&doc));
    else
        good = value_trouble(scope->trouble, 34473, "Location34473",
                             "%s of another type", name);
    bson_value_destroy(&value);
    return good;
}

static bool
op_if_null(const char *name, const bson_value_t *arg,
           const struct expr_scope *scope, bson_value_t *out)
{
    (void)name;
    for (unsigned i = 0; i < count_of(arg); i++) {
        if (!expr_arg(arg, i, scope, out))
            return false;
        if (out->value_type != BSON_TYPE_EOD &&
            out->value_type != BSON_TYPE_NULL)
            return true;
        if (i + 1 < count_of(arg))
            bson_value_destroy(out);
    }
    return true;
}

static bool
op_cond(const char *name, const bson_value_t *arg,
        const struct expr_scope *scope, bson_value_t *out)
{
    bool list = arg->value_type == BSON_TYPE_ARRAY, truth;
    bson_value_t value;

    (void)name;
    if (!(list ? expr_arg(arg, 0, scope, &value)
               : named(arg, "if", scope, &value)))
        return false;
    truth = value_truth(&value);
    bson_value_destroy(&value);
    return list ? expr_arg(arg, truth ? 1 : 2, scope, out)
                : named(arg, truth ? "then" : "else", scope, out);
}

static bool
op_arithmetic(const char *name, const bson_value_t *arg,
              const struct expr_scope *scope, bson_value_t *out)
{
    bson_type_t type = BSON_TYPE_INT64;
    int64_t sum = 0;

    for (unsigned i = 0; i < count_of(arg); i++) {
        bson_value_t value;
        int64_t here;

        if (!expr_arg(arg, i, scope, &value))
            return false;
        if (value.value_type == BSON_TYPE_DATE_TIME) {
            here = value.value.v_datetime;
            type = BSON_TYPE_DATE_TIME;
        } else {
            here = value_int64(&value);
        }
        sum = i > 0 && strcmp(name, "$subtract") == 0 ? sum - here
                                                      : sum + here;
        bson_value_destroy(&value);
    }
    /* A date less a date is a number. */
    if (strcmp(name, "$subtract") == 0 && sum < INT64_C(1000000000000))
        type = BSON_TYPE_INT64;
    *out = (bson_value_t){ .value_type = type };
    if (type == BSON_TYPE_DATE_TIME)
        out->value.v_datetime = sum;
    else
        out->value.v_int64 = sum;
    return true;
}

static bool
op_get_field(const char *name, const bson_value_t *arg,
             const struct expr_scope *scope, bson_value_t *out)
{
    bson_value_t field, input = { .value_type = BSON_TYPE_EOD }, root;
    bson_iter_t iter;
    bson_t doc;
    bool good;

    (void)name;
    *out = (bson_value_t){ .value_type = BSON_TYPE_EOD };
    if (arg->value_type == BSON_TYPE_UTF8) {
        bson_value_copy(arg, &field);
        good = true;
        root = value_of_doc(scope->root);
        bson_value_copy(&root, &input);
    } else {
        good = named(arg, "field", scope, &field) &&
               named(arg, "input", scope, &input);
    }
    if (good && field.value_type == BSON_TYPE_UTF8 &&
        input.value_type == BSON_TYPE_DOCUMENT && value_doc(&input, &doc) &&
        bson_iter_init_find(&iter, &doc, field.value.v_utf8.str))
        bson_value_copy(bson_iter_value(&iter), out);
    bson_value_destroy(&field);
    bson_value_destroy(&input);
    return good;
}

static bool
op_set_field(const char *name, const bson_value_t *arg,
             const struct expr_scope *scope, bson_value_t *out)
{
    bson_value_t field, input = { .value_type = BSON_TYPE_EOD };
    bson_value_t value = { .value_type = BSON_TYPE_EOD }, view;
    bson_t made = BSON_INITIALIZER, doc;
    bson_iter_t iter;
    bool good, found = false;

    if (without_set_field)
        return value_trouble(scope->trouble, 168, "InvalidPipelineOperator",
                             "Unrecognized expression '%s'", name);
    good = named(arg, "field", scope, &field) &&
           named(arg, "input", scope, &input);
    if (good && strcmp(name, "$setField") == 0)
        good = named(arg, "value", scope, &value);
    if (good && field.value_type == BSON_TYPE_UTF8 &&
        input.value_type == BSON_TYPE_DOCUMENT && value_doc(&input, &doc) &&
        bson_iter_init(&iter, &doc)) {
        while (bson_iter_next(&iter)) {
            bool here = strcmp(bson_iter_key(&iter),
                               field.value.v_utf8.str) == 0;

            found |= here;
            if (!here)
                bson_append_value(&made, bson_iter_key(&iter), -1,
                                  bson_iter_value(&iter));
            else if (value.value_type != BSON_TYPE_EOD)
                bson_append_value(&made, bson_iter_key(&iter), -1, &value);
        }
        if (!found && value.value_type != BSON_TYPE_EOD)
            bson_append_value(&made, field.value.v_utf8.str, -1, &value);
        view = value_of_doc(&made);
        bson_value_copy(&view, out);
    }
    bson_destroy(&made);
    bson_value_destroy(&field);
    bson_value_destroy(&input);
    bson_value_destroy(&value);
    return good;
}

static bool
op_element_at(const char *name, const bson_value_t *arg,
              const struct expr_scope *scope, bson_value_t *out)
{
    bson_value_t list, at = { .value_type = BSON_TYPE_EOD };
    bool good = expr_arg(arg, 0, scope, &list) && expr_arg(arg, 1, scope, &at);
    bson_iter_t iter;
    bson_t array;
    int64_t index = value_int64(&at);
    char key[24];

    (void)name;
    *out = (bson_value_t){ .value_type = BSON_TYPE_EOD };
    if (good && value_doc(&list, &array)) {
        if (index < 0)
            index += bson_count_keys(&array);
        snprintf(key, sizeof(key), "%lld", (long long)index);
        if (bson_iter_init_find(&iter, &array, key))
            bson_value_copy(bson_iter_value(&iter), out);
    }
    bson_value_destroy(&list);
    bson_value_destroy(&at);
    return good;
}

static bool
op_in(const char *name, const bson_value_t *arg,
      const struct expr_scope *scope, bson_value_t *out)
{
    bson_value_t one, list = { .value_type = BSON_TYPE_EOD };
    bool good = expr_arg(arg, 0, scope, &one) &&
                expr_arg(arg, 1, scope, &list), found = false;
    bson_iter_t iter;
    bson_t array;

    (void)name;
    if (good && value_doc(&list, &array) && bson_iter_init(&iter, &array)) {
        while (!found && bson_iter_next(&iter))
            found = value_compare(&one, bson_iter_value(&iter)) == 0;
    }
    bson_value_destroy(&one);
    bson_value_destroy(&list);
    return good && give_bool(out, found);
}

/* $map, $filter: `as` (this) over `input`. */
static bool
op_map(const char *name, const bson_value_t *arg,
       const struct expr_scope *scope, bson_value_t *out)
{
    bool filter = strcmp(name, "$filter") == 0;
    bson_t spec, array, made = BSON_INITIALIZER;
    bson_iter_t iter, in, as;
    bson_value_t input, view;
    const char *variable = "this";
    uint32_t n = 0;
    bool good = value_doc(arg, &spec) && named(arg, "input", scope, &input);

    if (!good)
        return false;
    if (bson_iter_init_find(&as, &spec, "as"))
        variable = bson_iter_utf8(&as, NULL);
    good = bson_iter_init_find(&in, &spec, filter ? "cond" : "in") &&
           value_doc(&input, &array) && bson_iter_init(&iter, &array);
    while (good && bson_iter_next(&iter)) {
        struct expr_scope inner = { scope->root, variable,
                                    bson_iter_value(&iter), scope,
                                    scope->trouble };
        bson_value_t one;
        char key[16];

        good = expr_value(bson_iter_value(&in), &inner, &one);
        snprintf(key, sizeof(key), "%u", n);
        if (good && (!filter || value_truth(&one))) {
            if (filter)
                bson_append_value(&made, key, -1, bson_iter_value(&iter));
            else if (one.value_type == BSON_TYPE_EOD)
                bson_append_null(&made, key, -1);
            else
                bson_append_value(&made, key, -1, &one);
            n++;
        }
        bson_value_destroy(&one);
    }
    view = value_of_doc(&made);
    view.value_type = BSON_TYPE_ARRAY;
    if (good)
        bson_value_copy(&view, out);
    bson_destroy(&made);
    bson_value_destroy(&input);
    return good;
}

/* {input, regex}: POSIX's extended expressions, of strings. */
static bool
op_regex_match(const char *name, const bson_value_t *arg,
               const struct expr_scope *scope, bson_value_t *out)
{
    bson_value_t input, regex = { .value_type = BSON_TYPE_EOD };
    bool good = named(arg, "input", scope, &input) &&
                named(arg, "regex", scope, &regex);
    regmatch_t span = { 0 };
    regex_t compiled;

    if (good && (input.value_type != BSON_TYPE_UTF8 ||
                 regex.value_type != BSON_TYPE_UTF8 ||
                 regcomp(&compiled, regex.value.v_utf8.str, REG_EXTENDED)))
        good = value_trouble(scope->trouble, 51104, "Location51104",
                             "%s of another type", name);
    if (good) {
        span.rm_eo = (regoff_t)input.value.v_utf8.len;
        give_bool(out, regexec(&compiled, input.value.v_utf8.str, 1, &span,
                               REG_STARTEND) == 0);
        regfree(&compiled);
    }
    bson_value_destroy(&input);
    bson_value_destroy(&regex);
    return good;
}

static bool
op_is_number(const char *name, const bson_value_t *arg,
             const struct expr_scope *scope, bson_value_t *out)
{
    bson_value_t value;
    bool is;

    (void)name;
    if (!expr_arg(arg, 0, scope, &value))
        return false;
    is = value_is_number(&value);
    bson_value_destroy(&value);
    return give_bool(out, is);
}

static bool
op_object_to_array(const char *name, const bson_value_t *arg,
                   const struct expr_scope *scope, bson_value_t *out)
{
    bson_t doc, made = BSON_INITIALIZER, pair;
    bson_value_t value, view;
    bson_iter_t iter;
    uint32_t n = 0;
    char key[16];
    bool good = expr_arg(arg, 0, scope, &value);

    if (good && (value.value_type != BSON_TYPE_DOCUMENT ||
                 !value_doc(&value, &doc) || !bson_iter_init(&iter, &doc)))
        good = value_trouble(scope->trouble, 40390, "Location40390",
                             "%s requires a document input", name);
    while (good && bson_iter_next(&iter)) {
        snprintf(key, sizeof(key), "%u", n++);
        bson_append_document_begin(&made, key, -1, &pair);
        bson_append_utf8(&pair, "k", 1, bson_iter_key(&iter), -1);
        bson_append_value(&pair, "v", 1, bson_iter_value(&iter));
        bson_append_document_end(&made, &pair);
    }
    view = value_of_doc(&made);
    view.value_type = BSON_TYPE_ARRAY;
    if (good)
        bson_value_copy(&view, out);
    bson_destroy(&made);
    bson_value_destroy(&value);
    return good;
}

static bool
op_any_element(const char *name, const bson_value_t *arg,
               const struct expr_scope *scope, bson_value_t *out)
{
    bson_value_t list;
    bson_iter_t iter;
    bson_t array;
    bool good = expr_arg(arg, 0, scope, &list), any = false;

    if (good && (list.value_type != BSON_TYPE_ARRAY ||
                 !value_doc(&list, &array) || !bson_iter_init(&iter, &array)))
        good = value_trouble(scope->trouble, 5159200, "Location5159200",
                             "%s's argument must be an array", name);
    while (good && !any && bson_iter_next(&iter))
        any = value_truth(bson_iter_value(&iter));
    bson_value_destroy(&list);
    return good && give_bool(out, any);
}

/* {vars: {a: expr, ...}, in: expr}: each variable is one more scope. */
static bool
let_from(bson_iter_t *vars, const bson_value_t *in,
         const struct expr_scope *outer, const struct expr_scope *scope,
         bson_value_t *out)
{
    struct expr_scope inner = *scope;
    bson_value_t value;
    bool good;

    if (!bson_iter_next(vars))
        return expr_value(in, scope, out);
    if (!expr_value(bson_iter_value(vars), outer, &value))
        return false;
    inner.name = bson_iter_key(vars);
    inner.value = &value;
    inner.outer = scope;
    good = let_from(vars, in, outer, &inner, out);
    bson_value_destroy(&value);
    return good;
}

static bool
op_let(const char *name, const bson_value_t *arg,
       const struct expr_scope *scope, bson_value_t *out)
{
    bson_iter_t vars, in, each;
    bson_t spec, list;

    if (!value_doc(arg, &spec) || !bson_iter_init_find(&vars, &spec, "vars") ||
        !value_doc(bson_iter_value(&vars), &list) ||
        !bson_iter_init(&each, &list) ||
        !bson_iter_init_find(&in, &spec, "in"))
        return value_trouble(scope->trouble, 9, "FailedToParse",
                             "%s needs vars and in", name);
    return let_from(&each, bson_iter_value(&in), scope, scope, out);
}

static const struct {
    const char *name;
    op_fn *fn;
} ops[] = {
    { "$literal", op_literal }, { "$const", op_literal },
    { "$eq", op_compare }, { "$ne", op_compare }, { "$gt", op_compare },
    { "$gte", op_compare }, { "$lt", op_compare }, { "$lte", op_compare },
    { "$cmp", op_compare }, { "$and", op_logic }, { "$or", op_logic },
    { "$not", op_not }, { "$type", op_about }, { "$isArray", op_about },
    { "$toHashedIndexKey", op_about }, { "$strLenBytes", op_about },
    { "$binarySize", op_about }, { "$bsonSize", op_about },
    { "$size", op_about }, { "$ifNull", op_if_null }, { "$cond", op_cond },
    { "$add", op_arithmetic }, { "$subtract", op_arithmetic },
    { "$getField", op_get_field }, { "$setField", op_set_field },
    { "$unsetField", op_set_field }, { "$arrayElemAt", op_element_at },
    { "$in", op_in }, { "$map", op_map }, { "$filter", op_map },
    { "$let", op_let }, { "$regexMatch", op_regex_match },
    { "$isNumber", op_is_number }, { "$objectToArray", op_object_to_array },
    { "$anyElementTrue", op_any_element },
};

bool
expr_ops_call(const char *name, const bson_value_t *arg,
              const struct expr_scope *scope, bson_value_t *out)
{
    *out = (bson_value_t){ .value_type = BSON_TYPE_EOD };
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (strcmp(ops[i].name, name) == 0)
            return ops[i].fn(name, arg, scope, out);
    }
    return value_trouble(scope->trouble, 168, "InvalidPipelineOperator",
                         "Unrecognized expression '%.60s'", name);
}
