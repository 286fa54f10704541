#include <string.h>
#include <strings.h>

#include "detect/assign.h"
#include "detect/charset.h"
#include "detect/detect.h"
#include "detect/shape.h"
#include "detect/source.h"
#include "detect/value.h"

/* Two readers go through the text side by side; the nearer one is told. */
struct scan {
    struct envl_bytes text;
    enum source_kind kind;
    struct hit shape, named, word; /* the next of each; HIT_NONE: none left */
    struct envl_bytes name;        /* of ${named}                           */
    struct assign pair;
    size_t named_from, word_from;
    size_t counted, line, line_at; /* lines are counted once                */
    source_fn *each;
    void *cookie;
};

static bool
ends(const char *path, const char *const *with)
{
    size_t len = strlen(path);

    for (; *with != NULL; with++) {
        size_t end = strlen(*with);

        if (len >= end && strcasecmp(path + len - end, *with) == 0)
            return true;
    }
    return false;
}

enum source_kind
source_kind_of(const char *path)
{
    static const char *const code[] = {
        ".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".go", ".java", ".js",
        ".jsx", ".kt", ".lua", ".m", ".mjs", ".php", ".pl", ".py", ".rb",
        ".rs", ".scala", ".swift", ".ts", ".tsx", ".vue", ".svelte", ".ex",
        ".exs", ".dart", ".groovy", ".sql", ".r", ".jl", ".zig", ".css",
        ".scss", ".html", NULL,
    };
    static const char *const prose[] = {
        ".md", ".txt", ".rst", ".adoc", ".tex", ".org", ".po", ".svg", NULL,
    };

    return ends(path, code) ? SOURCE_CODE
           : ends(path, prose) ? SOURCE_PROSE : SOURCE_CONFIG;
}

void
source_at(struct envl_bytes text, size_t at, size_t *line, size_t *column)
{
    size_t begin = 0;

    *line = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            ++*line;
            begin = i + 1;
        }
    }
    *column = at - begin + 1;
}

static void
next_shape(struct scan *scan, size_t from)
{
    if (!shape_next(scan->text, from, &scan->shape))
        scan->shape.sure = HIT_NONE;
}

/* Letters and dashes only: in code more often a name than a password. */
static bool
is_slug(struct envl_bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if (charset_has(CHARSET_DIGIT, value.ptr[i]) ||
            !charset_has(CHARSET_DOTTED, value.ptr[i]))
            return false;
    return true;
}

/* Code: "x" is a value, x is a variable.  Prose: only what is certain. */
static bool
counts(const struct scan *scan, struct hit *hit)
{
    if (scan->kind == SOURCE_CODE && !scan->pair.quoted)
        return false;
    if (scan->kind == SOURCE_CODE && strcmp(hit->rule, "named-secret") == 0 &&
        is_slug(scan->pair.value))
        hit->sure = HIT_LOW;
    if (scan->kind == SOURCE_PROSE)
        return hit->sure == HIT_HIGH;
    return true;
}

static void
next_named(struct scan *scan)
{
    struct hit hit;

    scan->named.sure = HIT_NONE;
    while (assign_next(scan->text, scan->named_from, &scan->pair)) {
        struct assign *pair = &scan->pair;
        struct envl_bytes value = pair->value;

        scan->named_from = pair->at > scan->named_from ? pair->at
                                                       : scan->named_from + 1;
        if (value_is_envelope(value)) {
            scan->named_from = pair->at + value.len;
            continue;
        }
        if (value.len > 65536 || pair->open)
            continue;
        if (!pair->quoted && pair->lined && scan->kind == SOURCE_CONFIG)
            value = assign_line(scan->text, pair);
        if (!detect_value(pair->name, value, &hit) || !counts(scan, &hit))
            continue;
        hit.at += pair->at;
        scan->named = hit;
        scan->name = pair->name;
        return;
    }
}

/* Whether ${word} stands alone at text[at]. */
static bool
is_word(struct envl_bytes text, size_t at, const char *word)
{
    size_t len = strlen(word);

    return text.len - at > len &&
           strncasecmp((const char *)text.ptr + at, word, len) == 0 &&
           (text.ptr[at + len] == ' ' || text.ptr[at + len] == '\t');
}

/* "requirepass X" at the beginning of a line: Redis, slapd, netrc, ... */
static void
next_word(struct scan *scan)
{
    static const char *const words[] = { "requirepass", "masterauth",
        "rootpw", "bindpw", "password", "secret", "sslpassword", NULL };
    struct envl_bytes text = scan->text, value;
    struct hit hit;

    scan->word.sure = HIT_NONE;
    if (scan->kind != SOURCE_CONFIG)
        return;
    for (size_t at = scan->word_from; at < text.len; at++) {
        size_t from, len;

        if (at > 0 && text.ptr[at - 1] != '\n' && text.ptr[at - 1] != ' ' &&
            text.ptr[at - 1] != '\t')
            continue;
        for (size_t i = 0; words[i] != NULL; i++) {
            if (!is_word(text, at, words[i]))
                continue;
            from = at + strlen(words[i]);
            while (from < text.len && (text.ptr[from] == ' ' ||
                                       text.ptr[from] == '\t' ||
                                       text.ptr[from] == '"'))
                from++;
            for (len = 0; from + len < text.len &&
                          text.ptr[from + len] > ' ' &&
                          text.ptr[from + len] != '"'; len++)
                continue;
            value = (struct envl_bytes){ text.ptr + from, len };
            /* A sentence goes on after it; a directive does not. */
            if (from + len < text.len && text.ptr[from + len] == ' ' &&
                strcmp(words[i], "password") != 0)
                continue;
            if (len == 0 || memchr("=:", value.ptr[0], 2) != NULL ||
                !detect_value(envl_bytes_of("password"), value, &hit) ||
                (strcmp(words[i], "password") == 0 && !value_is_random(value)))
                continue;
            hit.at += from;
            scan->word = hit;
            scan->word_from = from + len;
            return;
        }
    }
    scan->word_from = text.len;
}

static bool
before(const struct hit *a, const struct hit *b)
{
    return a->sure != HIT_NONE &&
           (b->sure == HIT_NONE || a->at < b->at ||
            (a->at == b->at && a->sure >= b->sure));
}

static enum envl_status
tell(struct scan *scan, struct hit hit, struct envl_bytes name,
     struct envl_error *err)
{
    struct source_finding finding = { .hit = hit, .name = name };

    for (; scan->counted < hit.at; scan->counted++) {
        if (scan->text.ptr[scan->counted] == '\n') {
            scan->line++;
            scan->line_at = scan->counted + 1;
        }
    }
    finding.line = scan->line;
    finding.column = hit.at - scan->line_at + 1;
    finding.value =
        (struct envl_bytes){ scan->text.ptr + hit.at, hit.len };
    return scan->each(scan->cookie, &finding, err);
}

/* Pass everything that lies before ${end}: it was told. */
static void
pass(struct scan *scan, size_t end)
{
    while (scan->shape.sure != HIT_NONE && scan->shape.at < end)
        next_shape(scan, end);
    while (scan->named.sure != HIT_NONE && scan->named.at < end)
        next_named(scan);
    while (scan->word.sure != HIT_NONE && scan->word.at < end)
        next_word(scan);
}

enum envl_status
source_scan(struct envl_bytes text, enum source_kind kind, source_fn *each,
            void *cookie, struct envl_error *err)
{
    struct scan scan = { .text = text, .kind = kind, .line = 1,
                         .each = each, .cookie = cookie };
    enum envl_status status = ENVL_OK;

    next_shape(&scan, 0);
    next_named(&scan);
    next_word(&scan);
    while (status == ENVL_OK) {
        struct envl_bytes name = { NULL, 0 };
        struct hit hit = scan.shape;
        bool named = before(&scan.named, &hit);

        if (named)
            hit = scan.named;
        if (before(&scan.word, &hit)) {
            hit = scan.word;
            named = false;
        }
        if (hit.sure == HIT_NONE)
            break;
        /* A form inside a named value takes the name along. */
        if (named || (scan.named.sure != HIT_NONE && scan.named.at == hit.at))
            name = scan.name;
        status = tell(&scan, hit, name, err);
        pass(&scan, hit.at + (hit.len > 0 ? hit.len : 1));
    }
    return status;
}
