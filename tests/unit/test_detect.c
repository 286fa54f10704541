/*
 * What is a secret and what is not, on labelled cases.
 *
 * tests/scan/values.tsv: rule, name, template.  In a template {A36} stands for
 * 36 letters and digits drawn by chance, U capitals and digits, H hex, D
 * digits, W base64url, B base64, {UUID} a UUID, {E:...} for base64 of what is
 * inside, {{ and }} for braces, \n for LF.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cmocka_all.h"
#include "detect/detect.h"
#include "detect/name.h"
#include "detect/value.h"

#define ROUNDS 8 /* values drawn for each case */

struct draw {
    uint64_t state;
};

static unsigned
drawn(struct draw *draw, unsigned below)
{
    draw->state = draw->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((draw->state >> 33) % below);
}

static char
any_of(struct draw *draw, const char *set)
{
    return set[drawn(draw, (unsigned)strlen(set))];
}

static const char *
set_of(char class)
{
    switch (class) {
    case 'U': return "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    case 'H': return "0123456789abcdef";
    case 'D': return "0123456789";
    case 'W': return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                     "0123456789-_";
    case 'B': return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                     "0123456789+/";
    default:  return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                     "0123456789";
    }
}

static const char *expand(const char *in, struct draw *draw, char **out,
                          bool inner);

static const char *
expand_mark(const char *in, struct draw *draw, char **out)
{
    unsigned len;
    char class;
    int used;

    if (strncmp(in, "E:", 2) == 0) {
        char plain[1024], *end = plain;

        in = expand(in + 2, draw, &end, true);
        sodium_bin2base64(*out, 2048, (uint8_t *)plain, (size_t)(end - plain),
                          sodium_base64_VARIANT_ORIGINAL);
        *out += strlen(*out);
        return in;
    }
    if (strncmp(in, "UUID}", 5) == 0) {
        for (unsigned i = 0; i < 36; i++)
            *(*out)++ = strchr("\x08\x0d\x12\x17", (int)i) != NULL && i > 0
                            ? '-' : any_of(draw, set_of('H'));
        return in + 5;
    }
    assert_int_equal(sscanf(in, "%c%u}%n", &class, &len, &used), 2);
    while (len-- > 0)
        *(*out)++ = any_of(draw, set_of(class));
    return in + used;
}

static const char *
expand(const char *in, struct draw *draw, char **out, bool inner)
{
    while (*in != '\0' && *in != '\n') {
        if (in[0] == '\\' && in[1] == 'n') {
            *(*out)++ = '\n';
            in += 2;
        } else if ((in[0] == '{' && in[1] == '{') ||
                   (in[0] == '}' && in[1] == '}')) {
            *(*out)++ = in[0];
            in += 2;
        } else if (in[0] == '{') {
            in = expand_mark(in + 1, draw, out);
        } else if (in[0] == '}' && inner) {
            return in + 1;
        } else {
            *(*out)++ = *in++;
        }
    }
    return in;
}

struct score {
    unsigned cases, found, missed, alarms, quiet, misnamed;
};

static void
one_case(const char *line, unsigned number, struct score *score)
{
    char rule[64], name[64], value[4096], *end;
    const char *tab = strchr(line, '\t'), *second = strchr(tab + 1, '\t');
    struct draw draw = { number };
    bool secret = line[0] != '-';

    snprintf(rule, sizeof(rule), "%.*s", (int)(tab - line), line);
    snprintf(name, sizeof(name), "%.*s", (int)(second - tab - 1), tab + 1);
    score->cases++;
    for (int round = 0; round < ROUNDS; round++) {
        struct hit hit;
        bool hit_it;

        end = value;
        expand(second + 1, &draw, &end, false);
        hit_it = detect_value(
            envl_bytes_of(name),
            (struct envl_bytes){ (uint8_t *)value, (size_t)(end - value) },
            &hit);
        score->found += secret && hit_it;
        score->missed += secret && !hit_it;
        score->alarms += !secret && hit_it;
        score->quiet += !secret && !hit_it;
        score->misnamed += secret && hit_it && strcmp(hit.rule, rule) != 0;
        /* Never the value: the line's number is enough. */
        if (hit_it != secret)
            print_message("values.tsv:%u %s (%s)\n", number,
                          secret ? "missed" : "false alarm",
                          secret ? rule : hit.rule);
        if (hit_it) {
            assert_true(hit.len > 0);
            assert_true(hit.at + hit.len <= (size_t)(end - value));
        }
    }
}

static void
finds_what_is_secret_and_leaves_what_is_not(void **state)
{
    FILE *file = fopen("tests/scan/values.tsv", "r");
    struct score score = { 0 };
    double precision, recall;
    unsigned number = 0;
    char line[1024];

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL)
        if (number++, line[0] != '#')
            one_case(line, number, &score);
    fclose(file);
    precision = (double)score.found / (double)(score.found + score.alarms);
    recall = (double)score.found / (double)(score.found + score.missed);
    print_message("%u labelled cases, %d values each: precision %.4f, recall "
                  "%.4f, %u under another rule\n", score.cases, ROUNDS,
                  precision, recall, score.misnamed);
    assert_true(score.cases >= 300);
    assert_true(precision >= 0.98);
    assert_true(recall >= 0.98);
    assert_true(score.misnamed * 50 <= score.found);
}

static void
takes_names_apart_as_people_write_them(void **state)
{
    static const struct { const char *name; enum name_says says; } cases[] = {
        { "apiKey", NAME_SECRET },        { "API_KEY", NAME_SECRET },
        { "api-key", NAME_SECRET },       { "x.apiKey", NAME_SECRET },
        { "AWSSecretKey", NAME_SECRET },  { "key", NAME_MAYBE },
        { "tokenCount", NAME_NOTHING },   { "max_tokens", NAME_NOTHING },
        { "publicKey", NAME_PUBLIC },    { "monkey", NAME_NOTHING },
        { "DATABASE_URL", NAME_MAYBE },   { "secret_id", NAME_SECRET },
        { "token_id", NAME_NOTHING },     { "", NAME_NOTHING },
        { "servers[*].headers.Authorization", NAME_SECRET },
        { "ssh_private_key_enc", NAME_SECRET },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (name_judge(envl_bytes_of(cases[i].name)) != cases[i].says)
            fail_msg("%s", cases[i].name);
}

/* A scanner is given what an attacker wrote: no input takes the square. */
static void
takes_time_in_proportion(void **state)
{
    static const char *const units[] = { "a=", "sk-", "eyJ", "eyJa.", ":",
        "://", "\"", "=\"", "-----BEGIN ", "h", "Bearer ", "[{", "x:'",
        "key=\\\"", "$2b$", "A", "1234567890:AA", "a.b@", "=" };
    const size_t size = getenv("ENVL_TEST_QUICK") != NULL ? 1u << 14
                                                          : 1u << 20;
    uint8_t *text = malloc(size);
    struct hit hit;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        size_t unit = strlen(units[i]);

        for (size_t at = 0; at < size; at++)
            text[at] = (uint8_t)units[i][at % unit];
        /* The square of this would take a day, and the test's alarm ends it. */
        detect_value(envl_bytes_of("token"),
                     (struct envl_bytes){ text, size }, &hit);
    }
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_secret_and_leaves_what_is_not),
        cmocka_unit_test(takes_names_apart_as_people_write_them),
        cmocka_unit_test(takes_time_in_proportion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
