#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr.h"
#include "match.h"

#define REGEX_MOST 4096

static bool
all_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
    }
    return len > 0;
}

static bool
find_key(const bson_t *doc, const char *key, size_t len, bson_iter_t *iter)
{
    if (!bson_iter_init(iter, doc))
        return false;
    while (bson_iter_next(iter)) {
        const char *here = bson_iter_key(iter);

        if (strlen(here) == len && memcmp(here, key, len) == 0)
            return true;
    }
    return false;
}

static bool walk_value(const bson_value_t *value, const char *rest,
                       match_fn *each, void *cookie);

bool
match_walk(const bson_t *doc, const char *path, match_fn *each, void *cookie)
{
    const char *dot = strchr(path, '.');
    size_t len = dot == NULL ? strlen(path) : (size_t)(dot - path);
    bson_iter_t iter;

    if (!find_key(doc, path, len, &iter))
        return each(cookie, NULL);
    return walk_value(bson_iter_value(&iter), dot == NULL ? NULL : dot + 1,
                      each, cookie);
}

static bool
walk_array(const bson_t *array, const char *rest, match_fn *each,
           void *cookie)
{
    size_t len = strcspn(rest, ".");
    bson_iter_t iter;
    bson_t doc;

    if (all_digits(rest, len) && find_key(array, rest, len, &iter) &&
        walk_value(bson_iter_value(&iter),
                   rest[len] == '\0' ? NULL : rest + len + 1, each, cookie))
        return true;
    if (!bson_iter_init(&iter, array))
        return false;
    while (bson_iter_next(&iter)) {
        const bson_value_t *value = bson_iter_value(&iter);

        if (value->value_type == BSON_TYPE_DOCUMENT &&
            value_doc(value, &doc) && match_walk(&doc, rest, each, cookie))
            return true;
    }
    return false;
}

static bool
walk_value(const bson_value_t *value, const char *rest, match_fn *each,
           void *cookie)
{
    bson_t doc;

    if (rest == NULL)
        return each(cookie, value);
    if (!value_doc(value, &doc))
        return each(cookie, NULL);
    if (value->value_type == BSON_TYPE_ARRAY)
        return walk_array(&doc, rest, each, cookie);
    return match_walk(&doc, rest, each, cookie);
}

/* ---- one predicate on one value ---------------------------------------- */

struct test {
    const char *op;
    const bson_value_t *arg;
    const char *options; /* of $regex */
    bool seen;
    struct trouble *trouble;
};

static bool
regex_matches(struct test *test, const bson_value_t *value)
{
    const bson_value_t *arg = test->arg;
    const char *pattern, *options = test->options;
    regmatch_t span = { 0 };
    regex_t regex;
    bool found;

    if (arg->value_type == BSON_TYPE_REGEX) {
        pattern = arg->value.v_regex.regex;
        if (options == NULL)
            options = arg->value.v_regex.options;
    } else if (arg->value_type == BSON_TYPE_UTF8) {
        pattern = arg->value.v_utf8.str;
    } else {
        return value_trouble(test->trouble, 2, "BadValue", "no pattern");
    }
    if (value->value_type == BSON_TYPE_REGEX)
        return value_compare(value, arg) == 0;
    if (value->value_type != BSON_TYPE_UTF8)
        return false;
    if (strlen(pattern) > REGEX_MOST ||
        regcomp(&regex, pattern, REG_EXTENDED |
                (options != NULL && strchr(options, 'i') ? REG_ICASE : 0)))
        return value_trouble(test->trouble, 51091, "Location51091",
                             "a regular expression that is not understood");
    span.rm_eo = (regoff_t)value->value.v_utf8.len;
    found = regexec(&regex, value->value.v_utf8.str, 1, &span,
                    REG_STARTEND) == 0;
    regfree(&regex);
    return found;
}

/* Comparisons other than equality stay within one class of types. */
static bool
same_class(const bson_value_t *a, const bson_value_t *b)
{
    if (value_is_number(a))
        return value_is_number(b);
    return a->value_type == b->value_type;
}

static bool
orders(const char *op, const bson_value_t *value, const bson_value_t *arg)
{
    int c;

    if (!same_class(value, arg) && arg->value_type != BSON_TYPE_MINKEY &&
        arg->value_type != BSON_TYPE_MAXKEY)
        return false;
    c = value_compare(value, arg);
    if (strcmp(op, "$gt") == 0)
        return c > 0;
    if (strcmp(op, "$gte") == 0)
        return c >= 0;
    return strcmp(op, "$lt") == 0 ? c < 0 : c <= 0;
}

static bool
in_list(struct test *test, const bson_value_t *value)
{
    bson_t list;
    bson_iter_t iter;

    if (test->arg->value_type != BSON_TYPE_ARRAY ||
        !value_doc(test->arg, &list) || !bson_iter_init(&iter, &list))
        return value_trouble(test->trouble, 2, "BadValue",
                             "$in needs an array");
    while (bson_iter_next(&iter)) {
        struct test one = *test;

        one.arg = bson_iter_value(&iter);
        if (one.arg->value_type == BSON_TYPE_REGEX
                ? regex_matches(&one, value)
                : value_compare(value, one.arg) == 0)
            return true;
    }
    return false;
}

static bool
element_matches(struct test *test, const bson_value_t *value)
{
    bson_t array, condition, box = BSON_INITIALIZER, filter;
    bson_iter_t iter;
    bool found = false;

    if (value->value_type != BSON_TYPE_ARRAY || !value_doc(value, &array) ||
        !value_doc(test->arg, &condition) || !bson_iter_init(&iter, &array)) {
        bson_destroy(&box);
        return false;
    }
    /* {$elemMatch: {$gt: 1}} asks the element, {x: 1} a member of it. */
    bson_init(&filter);
    if (bson_empty(&condition) || bson_get_data(&condition)[5] != '$')
        bson_concat(&filter, &condition);
    else
        bson_append_document(&filter, "e", 1, &condition);
    while (!found && bson_iter_next(&iter)) {
        const bson_value_t *element = bson_iter_value(&iter);
        bson_t doc;

        if (bson_has_field(&filter, "e") && filter.len > condition.len) {
            bson_reinit(&box);
            bson_append_value(&box, "e", 1, element);
            found = match_doc(&box, &filter, test->trouble);
        } else if (element->value_type == BSON_TYPE_DOCUMENT &&
                   value_doc(element, &doc)) {
            found = match_doc(&doc, &filter, test->trouble);
        }
    }
    bson_destroy(&filter);
    bson_destroy(&box);
    return found;
}

static bool
modulo(struct test *test, const bson_value_t *value)
{
    int64_t by = 0, left = 0;
    bson_t list;
    bson_iter_t iter;

    if (!value_is_number(value) || !value_doc(test->arg, &list))
        return false;
    if (bson_iter_init_find(&iter, &list, "0"))
        by = value_int64(bson_iter_value(&iter));
    if (bson_iter_init_find(&iter, &list, "1"))
        left = value_int64(bson_iter_value(&iter));
    return by != 0 && value_int64(value) % by == left;
}

/* One operator on one value that is there. */
static bool
holds(struct test *test, const bson_value_t *value)
{
    const char *op = test->op;
    bson_t array;

    if (strcmp(op, "$eq") == 0)
        return value_compare(value, test->arg) == 0;
    if (strcmp(op, "$gt") == 0 || strcmp(op, "$gte") == 0 ||
        strcmp(op, "$lt") == 0 || strcmp(op, "$lte") == 0)
        return orders(op, value, test->arg);
    if (strcmp(op, "$in") == 0)
        return in_list(test, value);
    if (strcmp(op, "$type") == 0)
        return value_type_matches(value, test->arg);
    if (strcmp(op, "$regex") == 0)
        return regex_matches(test, value);
    if (strcmp(op, "$elemMatch") == 0)
        return element_matches(test, value);
    if (strcmp(op, "$mod") == 0)
        return modulo(test, value);
    if (strcmp(op, "$size") == 0)
        return value->value_type == BSON_TYPE_ARRAY &&
               value_doc(value, &array) &&
               bson_count_keys(&array) == value_int64(test->arg);
    return value_trouble(test->trouble, 2, "BadValue",
                         "unknown operator: %.60s", op);
}

static bool
each_value(void *cookie, const bson_value_t *value)
{
    struct test *test = cookie;
    bson_t array;
    bson_iter_t iter;

    if (value == NULL) {
        bson_value_t null = { .value_type = BSON_TYPE_NULL };

        return strcmp(test->op, "$eq") == 0 || strcmp(test->op, "$in") == 0
                   ? holds(test, &null) : false;
    }
    test->seen = true;
    if (holds(test, value))
        return true;
    if (value->value_type != BSON_TYPE_ARRAY || !value_doc(value, &array) ||
        strcmp(test->op, "$size") == 0 ||
        strcmp(test->op, "$elemMatch") == 0 || !bson_iter_init(&iter, &array))
        return false;
    while (bson_iter_next(&iter)) {
        if (holds(test, bson_iter_value(&iter)))
            return true;
    }
    return false;
}

static bool
each_there(void *cookie, const bson_value_t *value)
{
    *(bool *)cookie |= value != NULL;
    return value != NULL;
}

/* ---- conditions on a path ---------------------------------------------- */

static bool path_holds(const bson_t *doc, const char *path,
                       const bson_value_t *condition, struct trouble *trouble);

static bool
all_of(const bson_t *doc, const char *path, const bson_value_t *list,
       struct trouble *trouble)
{
    bson_t array;
    bson_iter_t iter;

    if (!value_doc(list, &array) || !bson_iter_init(&iter, &array))
        return value_trouble(trouble, 2, "BadValue", "$all needs an array");
    while (bson_iter_next(&iter)) {
        if (!path_holds(doc, path, bson_iter_value(&iter), trouble))
            return false;
    }
    return true;
}

static bool
operator_holds(const bson_t *doc, const char *path, struct test *test)
{
    bool there = false;
    struct test positive = *test;

    if (strcmp(test->op, "$exists") == 0) {
        match_walk(doc, path, each_there, &there);
        return there == value_truth(test->arg);
    }
    if (strcmp(test->op, "$ne") == 0) {
        positive.op = "$eq";
        return !match_walk(doc, path, each_value, &positive);
    }
    if (strcmp(test->op, "$nin") == 0) {
        positive.op = "$in";
        return !match_walk(doc, path, each_value, &positive);
    }
    if (strcmp(test->op, "$not") == 0)
        return !path_holds(doc, path, test->arg, test->trouble);
    if (strcmp(test->op, "$all") == 0)
        return all_of(doc, path, test->arg, test->trouble);
    if (strcmp(test->op, "$options") == 0)
        return true;
    return match_walk(doc, path, each_value, test);
}

static bool
path_holds(const bson_t *doc, const char *path, const bson_value_t *condition,
           struct trouble *trouble)
{
    struct test test = { .op = "$eq", .arg = condition, .trouble = trouble };
    bson_iter_t iter, options;
    bson_t operators;

    if (condition->value_type == BSON_TYPE_REGEX)
        test.op = "$regex";
    if (condition->value_type != BSON_TYPE_DOCUMENT ||
        !value_doc(condition, &operators) ||
        !bson_iter_init(&iter, &operators) || !bson_iter_next(&iter) ||
        bson_iter_key(&iter)[0] != '$')
        return match_walk(doc, path, each_value, &test);
    do {
        test.op = bson_iter_key(&iter);
        test.arg = bson_iter_value(&iter);
        test.options = bson_iter_init_find(&options, &operators, "$options")
                           ? bson_iter_utf8(&options, NULL) : NULL;
        if (!operator_holds(doc, path, &test))
            return false;
    } while (bson_iter_next(&iter));
    return true;
}

/* $and, $or, $nor: how many of the list hold, compared with what it wants. */
static bool
list_holds(const bson_t *doc, const char *op, const bson_value_t *list,
           struct trouble *trouble)
{
    bool any = false, every = true;
    bson_t array, filter;
    bson_iter_t iter;

    if (list->value_type != BSON_TYPE_ARRAY || !value_doc(list, &array) ||
        !bson_iter_init(&iter, &array))
        return value_trouble(trouble, 2, "BadValue", "%s needs an array", op);
    while (bson_iter_next(&iter)) {
        bool here = value_doc(bson_iter_value(&iter), &filter) &&
                    match_doc(doc, &filter, trouble);

        any |= here;
        every &= here;
    }
    if (strcmp(op, "$and") == 0)
        return every;
    return strcmp(op, "$or") == 0 ? any : !any;
}

static bool
top_holds(const bson_t *doc, const char *op, const bson_value_t *arg,
          struct trouble *trouble)
{
    if (strcmp(op, "$and") == 0 || strcmp(op, "$or") == 0 ||
        strcmp(op, "$nor") == 0)
        return list_holds(doc, op, arg, trouble);
    if (strcmp(op, "$expr") == 0)
        return expr_true(arg, doc, trouble);
    if (strcmp(op, "$comment") == 0 || strcmp(op, "$alwaysTrue") == 0)
        return true;
    if (strcmp(op, "$alwaysFalse") == 0)
        return false;
    return value_trouble(trouble, 2, "BadValue",
                         "unknown top level operator: %.60s", op);
}

bool
match_doc(const bson_t *doc, const bson_t *filter, struct trouble *trouble)
{
    bson_iter_t iter;

    if (!bson_iter_init(&iter, filter))
        return false;
    while (bson_iter_next(&iter)) {
        const char *key = bson_iter_key(&iter);
        const bson_value_t *value = bson_iter_value(&iter);

        if (!(key[0] == '$' ? top_holds(doc, key, value, trouble)
                            : path_holds(doc, key, value, trouble)))
            return false;
    }
    return true;
}

bool
match_element(const bson_value_t *value, const bson_t *filter,
              const char *name, struct trouble *trouble)
{
    bson_t box = BSON_INITIALIZER;
    bool holds_here;

    bson_append_value(&box, name, -1, value);
    holds_here = match_doc(&box, filter, trouble);
    bson_destroy(&box);
    return holds_here;
}
