#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "expr.h"
#include "expr_ops.h"

static bson_value_t
missing(void)
{
    return (bson_value_t){ .value_type = BSON_TYPE_EOD };
}

static void
copy(const bson_value_t *from, bson_value_t *to)
{
    if (from->value_type == BSON_TYPE_EOD)
        *to = missing();
    else
        bson_value_copy(from, to);
}

static void follow(const bson_value_t *value, const char *path,
                   bson_value_t *out);

/* Over an array a path gives the array of what its elements give. */
static void
follow_array(const bson_t *array, const char *path, bson_value_t *out)
{
    bson_t made = BSON_INITIALIZER;
    bson_value_t view;
    bson_iter_t iter;
    uint32_t n = 0;

    if (bson_iter_init(&iter, array)) {
        while (bson_iter_next(&iter)) {
            bson_value_t one = missing();
            const bson_value_t *value = bson_iter_value(&iter);
            char key[16];

            if (value->value_type == BSON_TYPE_DOCUMENT ||
                value->value_type == BSON_TYPE_ARRAY)
                follow(value, path, &one);
            if (one.value_type == BSON_TYPE_EOD)
                continue;
            snprintf(key, sizeof(key), "%u", n++);
            bson_append_value(&made, key, -1, &one);
            bson_value_destroy(&one);
        }
    }
    view = value_of_doc(&made);
    view.value_type = BSON_TYPE_ARRAY;
    bson_value_copy(&view, out);
    bson_destroy(&made);
}

/* The value at a dotted path below ${value}; "" is the value itself. */
static void
follow(const bson_value_t *value, const char *path, bson_value_t *out)
{
    const char *dot = strchr(path, '.');
    size_t len = dot == NULL ? strlen(path) : (size_t)(dot - path);
    bson_iter_t iter;
    bson_t doc;

    *out = missing();
    if (path[0] == '\0') {
        copy(value, out);
        return;
    }
    if (!value_doc(value, &doc))
        return;
    if (value->value_type == BSON_TYPE_ARRAY) {
        follow_array(&doc, path, out);
        return;
    }
    if (!bson_iter_init(&iter, &doc))
        return;
    while (bson_iter_next(&iter)) {
        const char *key = bson_iter_key(&iter);

        if (strlen(key) == len && memcmp(key, path, len) == 0) {
            follow(bson_iter_value(&iter), dot == NULL ? "" : dot + 1, out);
            return;
        }
    }
}

static bool
variable(const char *name, const struct expr_scope *scope, bson_value_t *out)
{
    size_t len = strcspn(name, ".");
    const char *rest = name[len] == '.' ? name + len + 1 : "";
    bson_value_t root = value_of_doc(scope->root);
    struct timeval now;

    for (const struct expr_scope *at = scope; at != NULL; at = at->outer) {
        if (at->name != NULL && strlen(at->name) == len &&
            memcmp(at->name, name, len) == 0) {
            follow(at->value, rest, out);
            return true;
        }
    }
    if (len == 4 && memcmp(name, "ROOT", 4) == 0) {
        follow(&root, rest, out);
        return true;
    }
    if (len == 7 && memcmp(name, "CURRENT", 7) == 0) {
        follow(&root, rest, out);
        return true;
    }
    if (strcmp(name, "REMOVE") == 0) {
        *out = missing();
        return true;
    }
    if (strcmp(name, "NOW") == 0) {
        gettimeofday(&now, NULL);
        *out = (bson_value_t){ .value_type = BSON_TYPE_DATE_TIME };
        out->value.v_datetime =
            (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
        return true;
    }
    return value_trouble(scope->trouble, 17276, "Location17276",
                         "Use of undefined variable: %.60s", name);
}

/* A literal document or array: each member is an expression. */
static bool
literal(const bson_value_t *expr, const struct expr_scope *scope,
        bson_value_t *out)
{
    bson_t made = BSON_INITIALIZER, doc;
    bson_value_t view;
    bson_iter_t iter;
    bool good = value_doc(expr, &doc) && bson_iter_init(&iter, &doc);

    while (good && bson_iter_next(&iter)) {
        bson_value_t one = missing();

        good = expr_value(bson_iter_value(&iter), scope, &one);
        if (!good)
            break;
        if (one.value_type != BSON_TYPE_EOD)
            bson_append_value(&made, bson_iter_key(&iter), -1, &one);
        else if (expr->value_type == BSON_TYPE_ARRAY)
            bson_append_null(&made, bson_iter_key(&iter), -1);
        bson_value_destroy(&one);
    }
    view = value_of_doc(&made);
    view.value_type = expr->value_type;
    if (good)
        bson_value_copy(&view, out);
    bson_destroy(&made);
    return good;
}

bool
expr_value(const bson_value_t *expr, const struct expr_scope *scope,
           bson_value_t *out)
{
    bson_value_t root;
    bson_iter_t iter;
    bson_t doc;

    *out = missing();
    if (expr->value_type == BSON_TYPE_UTF8 &&
        expr->value.v_utf8.str[0] == '$') {
        const char *path = expr->value.v_utf8.str + 1;

        if (path[0] == '$')
            return variable(path + 1, scope, out);
        root = value_of_doc(scope->root);
        follow(&root, path, out);
        return true;
    }
    if (expr->value_type == BSON_TYPE_DOCUMENT && value_doc(expr, &doc) &&
        bson_iter_init(&iter, &doc) && bson_iter_next(&iter) &&
        bson_iter_key(&iter)[0] == '$')
        return expr_ops_call(bson_iter_key(&iter), bson_iter_value(&iter),
                             scope, out);
    if (expr->value_type == BSON_TYPE_DOCUMENT ||
        expr->value_type == BSON_TYPE_ARRAY)
        return literal(expr, scope, out);
    copy(expr, out);
    return true;
}

bool
expr_true(const bson_value_t *expr, const bson_t *doc,
          struct trouble *trouble)
{
    struct expr_scope scope = { .root = doc, .trouble = trouble };
    bson_value_t value;
    bool truth;

    if (!expr_value(expr, &scope, &value))
        return false;
    truth = value_truth(&value);
    bson_value_destroy(&value);
    return truth;
}

bool
expr_arg(const bson_value_t *list, unsigned index,
         const struct expr_scope *scope, bson_value_t *out)
{
    bson_iter_t iter;
    bson_t array;
    char key[16];

    *out = missing();
    if (list->value_type != BSON_TYPE_ARRAY)
        return index > 0 || expr_value(list, scope, out);
    snprintf(key, sizeof(key), "%u", index);
    if (!value_doc(list, &array) || !bson_iter_init_find(&iter, &array, key))
        return true;
    return expr_value(bson_iter_value(&iter), scope, out);
}
