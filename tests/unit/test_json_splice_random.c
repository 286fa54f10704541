#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json_splice.h"

/*
 * The generator makes a tree whose nodes remember their own spelling and
 * whitespace.  Edits are done on the tree and it is printed: a second
 * implementation of what splicing promises, which knows nothing of offsets.
 */
struct node;

struct entry { /* a member, or an element without a name */
    char lead[4], name[32], mid[8], trail[4];
    char plain[8]; /* the name unescaped */
    struct node *node;
    bool removed;
};

struct node {
    char kind;       /* '{', '[', or 's' for a scalar */
    char text[64];   /* a scalar, or what replaced this node */
    bool replaced;
    struct entry entries[8];
    size_t count;
    size_t at, len;  /* where it was printed */
};

struct page { /* one document and its print */
    struct node nodes[400];
    size_t node_count;
    char text[65536];
    size_t len;
};

static uint64_t seed = 88172645463325252u;

static unsigned
chance(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

static void
spaces(char *out, size_t most)
{
    size_t count = chance(4) == 0 ? chance((unsigned)most) + 1 : 0;

    for (size_t i = 0; i < count; i++)
        out[i] = " \t\n\r"[chance(4)];
    out[count] = '\0';
}

static void
spell(char *out, size_t size, const char *plain)
{
    if (chance(4) == 0)
        snprintf(out, size, "\"\\u00%02x%s\"", (unsigned)plain[0], plain + 1);
    else
        snprintf(out, size, "\"%s\"", plain);
}

static const char *const scalars[] = {
    "\"secret\"", "\"\"", "\"a\\\"b\\\\\"", "\"\\u00e9\\ud83d\\ude00\"",
    "1e3", "-0.0", "12345678901234567890123", "true", "false", "null",
    "\"\xc3\xa9\"", "\"}],{\"", "[ ]", "{ }",
};

static struct node *
grow_tree(struct page *page, unsigned depth)
{
    static const char *const names[] = { "a", "b", "e", "c", "d", "z" };
    struct node *node = &page->nodes[page->node_count++];
    unsigned kind = depth == 0 ? 2 : chance(5);
    unsigned used = 0;

    memset(node, 0, sizeof(*node));
    node->kind = kind < 2 ? '{' : kind == 2 || depth < 2 ? 's' : '[';
    if (depth == 5)
        node->kind = '{';
    if (node->kind == 's') {
        snprintf(node->text, sizeof(node->text), "%s",
                 scalars[chance(sizeof(scalars) / sizeof(scalars[0]))]);
        return node;
    }
    for (size_t want = chance(7); node->count < want;) {
        struct entry *entry = &node->entries[node->count];
        unsigned name = chance(6);

        if (page->node_count > 300)
            break;
        /* z may stand twice: it is in no path */
        if (node->kind == '{' && name != 5 && (used >> name & 1) != 0) {
            want--;
            continue;
        }
        used |= 1u << name;
        spaces(entry->lead, 2);
        spaces(entry->trail, 2);
        spaces(entry->mid, 2);
        strncat(entry->mid, ":", 2);
        spaces(entry->mid + strlen(entry->mid), 2);
        snprintf(entry->plain, sizeof(entry->plain), "%s", names[name]);
        spell(entry->name, sizeof(entry->name), names[name]);
        entry->node = grow_tree(page, depth - 1);
        node->count++;
    }
    return node;
}

static void
print(struct page *page, const char *text)
{
    size_t len = strlen(text);

    assert_true(page->len + len < sizeof(page->text));
    memcpy(page->text + page->len, text, len + 1);
    page->len += len;
}

static void
print_entry(struct page *page, const struct entry *entry, bool named);

static void
print_node(struct page *page, struct node *node)
{
    size_t at = page->len;
    bool first = true, any = node->count == 0;

    if (node->kind == 's' || node->replaced) {
        print(page, node->text);
        goto out;
    }
    for (size_t i = 0; i < node->count; i++)
        any = any || !node->entries[i].removed;
    print(page, node->kind == '{' ? "{" : "[");
    for (size_t i = 0; any && i < node->count; i++) {
        struct entry *entry = &node->entries[i];

        if (!entry->removed && !first)
            print(page, ",");
        if (!entry->removed) {
            /* A first member that is gone leaves its indentation. */
            print(page, first ? node->entries[0].lead : entry->lead);
            print_entry(page, entry, node->kind == '{');
            first = false;
        } else if (!first &&
                   (i + 1 == node->count || !node->entries[i + 1].removed)) {
            print(page, entry->trail);
        }
    }
    print(page, node->kind == '{' ? "}" : "]");
out:
    node->at = at;
    node->len = page->len - at;
}

static void
print_entry(struct page *page, const struct entry *entry, bool named)
{
    if (named) {
        print(page, entry->name);
        print(page, entry->mid);
    }
    print_node(page, entry->node);
    print(page, entry->trail);
}

/* ---- the same edits, on the tree ----------------------------------------- */

struct match {
    struct node *parent;
    size_t entry;
};

static size_t
find(struct node *node, const struct envl_path *pattern, uint32_t from,
     struct match *matches)
{
    const struct envl_segment *segment = &pattern->segments[from];
    bool element = segment->kind == ENVL_SEGMENT_ANY_ELEMENT;
    size_t count = 0;

    if (node->kind != (element ? '[' : '{'))
        return 0;
    for (size_t i = 0; i < node->count; i++) {
        struct entry *entry = &node->entries[i];

        if (segment->kind == ENVL_SEGMENT_MEMBER &&
            (strlen(entry->plain) != segment->name.len ||
             memcmp(entry->plain, segment->name.ptr, segment->name.len) != 0))
            continue;
        if (from + 1 == pattern->count) {
            matches[count].parent = node;
            matches[count++].entry = i;
        } else {
            count += find(entry->node, pattern, from + 1, matches + count);
        }
    }
    return count;
}

static void
put_text(struct node *node, const char *text)
{
    snprintf(node->text, sizeof(node->text), "%s", text);
    node->replaced = true;
}

/* A fresh "e" behind its source, spaced like it; its trail stays behind. */
static void
tree_insert(struct page *page, struct node *parent, size_t source,
            const char *text)
{
    struct entry *at = &parent->entries[source];
    struct entry fresh = *at;

    assert_true(parent->count < 8);
    memmove(at + 2, at + 1, (parent->count - source - 1) * sizeof(*at));
    snprintf(fresh.name, sizeof(fresh.name), "\"e\"");
    snprintf(fresh.plain, sizeof(fresh.plain), "e");
    fresh.node = &page->nodes[page->node_count++];
    memset(fresh.node, 0, sizeof(*fresh.node));
    put_text(fresh.node, text);
    at->trail[0] = '\0';
    at[1] = fresh;
    parent->count++;
}

static void
tree_edit(struct page *page, struct match match, uint32_t flags,
          const char *text)
{
    struct node *parent = match.parent;
    struct entry *source = &parent->entries[match.entry];
    struct entry *sibling = NULL;

    for (size_t i = 0; i < parent->count; i++) {
        if (parent->kind == '{' && strcmp(parent->entries[i].plain, "e") == 0)
            sibling = &parent->entries[i];
    }
    if ((flags & ENVL_EDIT_INTO) == 0) {
        if (flags & ENVL_EDIT_CLEAR)
            source->removed = true;
        else
            put_text(source->node, text);
    } else if (sibling != NULL) {
        put_text(sibling->node, text);
        source->removed = (flags & ENVL_EDIT_CLEAR) != 0;
    } else if (flags & ENVL_EDIT_CLEAR) {
        snprintf(source->name, sizeof(source->name), "\"e\"");
        put_text(source->node, text);
    } else {
        tree_insert(page, parent, match.entry, text);
    }
}

/* ---- one round ----------------------------------------------------------- */

static uint32_t
random_pattern(struct envl_segment *segments, const char **into)
{
    static const char *const names[] = { "a", "b", "c" };
    uint32_t count = chance(3) + 1;

    for (uint32_t i = 0; i < count; i++) {
        unsigned kind = chance(i == 0 ? 3 : 4);

        segments[i] = (struct envl_segment){
            kind == 3 && i > 0 ? ENVL_SEGMENT_ANY_ELEMENT :
            kind == 2 ? ENVL_SEGMENT_ANY_MEMBER : ENVL_SEGMENT_MEMBER,
            envl_bytes_of(kind < 2 ? names[chance(3)] : NULL), 0 };
    }
    *into = segments[count - 1].kind == ENVL_SEGMENT_MEMBER && chance(2) == 0
        ? "e" : NULL;
    return count;
}

static uint32_t
random_flags(const char *into, bool named)
{
    if (into != NULL)
        return ENVL_EDIT_INTO | (chance(2) ? ENVL_EDIT_CLEAR : 0);
    return named && chance(3) == 0 ? ENVL_EDIT_CLEAR : 0;
}

/* Returns the number of edits; fails the test where the two differ. */
static uint32_t
round_trip(struct page *page, struct match *matches)
{
    static const char *const puts[][2] = {
        { "env1:k1:AAAA", "\"env1:k1:AAAA\"" }, { "\"\\\n", "\"\\\"\\\\\\n\"" },
        { "", "\"\"" },
    };
    struct envl_segment segments[4];
    struct json_edit edits[512];
    struct json_path_spec spec = { .prefix = 0 };
    struct arena arena = ARENA_INIT;
    struct envl_buf out = ENVL_BUF_INIT;
    const struct json_leaf *leaves;
    struct json_path *path;
    struct envl_bytes document;
    struct node *root;
    struct envl_error err;
    uint32_t count, made = 0;
    char *original;
    size_t found, met = 0;

    page->node_count = page->len = 0;
    root = grow_tree(page, 5);
    print_node(page, root);
    original = strdup(page->text);
    assert_non_null(original);
    document = envl_bytes_of(original);
    spec.pattern.segments = segments;
    spec.pattern.count = random_pattern(segments, &spec.into);
    assert_int_equal(json_path_new(&spec, &path, &err), ENVL_OK);
    assert_int_equal(json_path_find(path, document, &arena, &err), ENVL_OK);
    leaves = json_path_leaves(path, &count);
    found = find(root, &spec.pattern, 0, matches);
    for (uint32_t i = 0; i < count; i++) {
        const struct json_site *site = &leaves[i].site;
        unsigned what = chance(3);
        struct match match;
        struct node *node;

        if (site->value.len == 0) /* a sibling alone */
            continue;
        assert_true(met < found);
        match = matches[met++];
        node = match.parent->entries[match.entry].node;
        assert_int_equal(site->value.at, node->at);
        assert_int_equal(site->value.len, node->len);
        if (site->ambiguous || chance(4) == 0 || match.parent->count > 7)
            continue;
        edits[made] = (struct json_edit){
            .site = site, .into = spec.into,
            .flags = random_flags(spec.into, site->name.len > 0) };
        if (edits[made].flags != ENVL_EDIT_CLEAR)
            edits[made].put = (struct envl_cell){ ENVL_KIND_TEXT,
                                                 envl_bytes_of(puts[what][0]) };
        tree_edit(page, match, edits[made].flags, puts[what][1]);
        made++;
    }
    assert_int_equal(met, found);
    assert_int_equal(json_splice(document, edits, made, &out, &err),
                     ENVL_OK);
    page->len = 0;
    print_node(page, root);
    if (out.len != page->len || memcmp(out.ptr, page->text, out.len) != 0)
        fail_msg("from %s\nexpected %s\nfound    %.*s", original, page->text,
                 (int)out.len, (const char *)out.ptr);
    json_path_free(path);
    arena_free(&arena);
    envl_buf_free(&out);
    free(original);
    return made;
}

static void
random_edits_of_random_documents_match_a_lossless_tree(void **state)
{
    struct page *page = malloc(sizeof(*page));
    struct match *matches = calloc(512, sizeof(*matches));
    unsigned rounds = getenv("ENVL_TEST_QUICK") != NULL ? 5000 : 100000;
    uint64_t edits = 0;

    (void)state;
    assert_non_null(page);
    assert_non_null(matches);
    for (unsigned i = 0; i < rounds; i++)
        edits += round_trip(page, matches);
    print_message("%u documents, %u edits\n", rounds, (unsigned)edits);
    assert_true(edits > rounds / 4);
    free(matches);
    free(page);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            random_edits_of_random_documents_match_a_lossless_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
