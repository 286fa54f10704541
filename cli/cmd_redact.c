/* envelope redact: mask secrets in what goes by. */
#include <stdlib.h>
#include <string.h>

#include <envelope/redact.h>

#include "command.h"
#include "io.h"
#include "outfile.h"
#include "report.h"

#define DOCUMENT_MAX (64u * 1024u * 1024u)
#define NAMES_MAX    256u

/* "a,b,c" taken apart; ${text} owns the words. */
struct names {
    char *text;
    const char *list[NAMES_MAX];
    size_t count;
};

static enum envl_status
split(const char *words, struct names *out, struct envl_error *err)
{
    char *save = NULL;

    if (words == NULL)
        return ENVL_OK;
    if ((out->text = strdup(words)) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for names");
    for (char *word = strtok_r(out->text, ",", &save); word != NULL;
         word = strtok_r(NULL, ",", &save)) {
        if (out->count == NAMES_MAX)
            return envl_fail(err, ENVL_E_LIMIT, "more than %u names",
                             NAMES_MAX);
        out->list[out->count++] = word;
    }
    return ENVL_OK;
}

static enum envl_status
put(void *cookie, struct envl_bytes bytes, struct envl_error *err)
{
    return outfile_write(cookie, bytes, err);
}

/* A line is given on as soon as it is whole: redact sits in pipelines. */
static enum envl_status
lines(const struct io_source *in, const struct envl_redact_rules *rules,
      struct outfile *out, struct envl_redact_counts *counts,
      struct envl_error *err)
{
    struct envl_buf piece = ENVL_BUF_INIT;
    struct envl_redactor *redactor;
    enum envl_status status = envl_redactor_new(rules, &redactor, err);

    while (status == ENVL_OK) {
        envl_buf_clear(&piece);
        status = io_read_some(in, IO_PIECE, &piece, err);
        if (status != ENVL_OK || piece.len == 0)
            break;
        status = envl_redactor_feed(redactor, envl_buf_view(&piece), put, out,
                                    err);
    }
    if (status == ENVL_OK)
        status = envl_redactor_end(redactor, put, out, err);
    if (status == ENVL_OK)
        envl_redactor_counts(redactor, counts);
    envl_redactor_free(redactor);
    envl_buf_free(&piece);
    return status;
}

static enum envl_status
document(const struct io_source *in, const struct envl_redact_rules *rules,
         struct outfile *out, struct envl_redact_counts *counts,
         struct envl_error *err)
{
    struct envl_buf text = ENVL_BUF_INIT, masked = ENVL_BUF_INIT;
    enum envl_status status = io_read_all(in, DOCUMENT_MAX, &text, err);

    if (status == ENVL_OK)
        status = envl_redact(rules, envl_buf_view(&text), &masked, counts,
                             err);
    if (status == ENVL_OK)
        status = outfile_write(out, envl_buf_view(&masked), err);
    envl_buf_free(&text);
    envl_buf_free(&masked);
    return status;
}

static enum envl_status
filter(struct cli *cli, struct envl_redact_rules *rules,
       struct envl_redact_counts *counts, struct envl_error *err)
{
    const char *input = cli->options.value[OPT_INPUT];
    bool whole = input != NULL && strcmp(input, "document") == 0;
    struct outfile out = OUTFILE_INIT;
    struct io_source in = { -1, NULL };
    enum envl_status status;

    if (whole || (input != NULL && strcmp(input, "json") == 0))
        rules->input = ENVL_REDACT_JSON;
    status = io_open_source(cli->options.operands[0], &in, err);
    if (status == ENVL_OK)
        status = outfile_open(cli->options.value[OPT_OUTPUT], &out, err);
    if (status == ENVL_OK)
        status = whole ? document(&in, rules, &out, counts, err)
                       : lines(&in, rules, &out, counts, err);
    if (status == ENVL_OK)
        status = outfile_commit(&out, err);
    io_close_source(&in);
    outfile_free(&out);
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct names names = { 0 }, keep = { 0 };
    struct envl_redact_counts counts = { 0 };
    struct envl_redact_rules rules;
    enum envl_status status;

    status = split(cli->options.value[OPT_NAMES], &names, err);
    if (status == ENVL_OK)
        status = split(cli->options.value[OPT_EXCEPT], &keep, err);
    rules = (struct envl_redact_rules){
        .names = names.list, .name_count = names.count,
        .keep = keep.list, .keep_count = keep.count,
        .random = cli->options.value[OPT_RANDOM] != NULL,
        .mask = cli->options.value[OPT_MASK],
    };
    if (status == ENVL_OK)
        status = filter(cli, &rules, &counts, err);
    free(names.text);
    free(keep.text);
    if (status == ENVL_OK && counts.refused > 0)
        status = envl_fail(err, ENVL_E_PARTIAL,
                           "%llu lines could not be read and were masked "
                           "whole", (unsigned long long)counts.refused);
    return status;
}

static const enum option_id options[] = { OPT_EXCEPT, OPT_INPUT, OPT_MASK,
                                          OPT_NAMES, OPT_OUTPUT, OPT_RANDOM,
                                          OPT_END };

const struct command cmd_redact = {
    .name = "redact",
    .run = run,
    .operands = "[FILE]",
    .summary = "mask secrets in logs and JSON; every other byte stays",
    .options = options,
    .needs_nothing = true,
    .help =
        "Read FILE or standard input line by line and write it with its\n"
        "secrets masked: what stands under a name that means a secret, and\n"
        "what has a secret's form wherever it stands (tokens, private keys,\n"
        "JSON Web Tokens, passwords in URLs, Authorization headers, base64\n"
        "of those). Envelopes pass, and every other byte stays as it is.\n\n"
        "--input text takes lines of any kind, and reads those that are JSON\n"
        "as JSON; json takes one JSON value a line; document one for the\n"
        "whole file, at most 64 MiB. What cannot be read is masked whole (a\n"
        "line that is no JSON or is longer than 1 MiB, a private key without\n"
        "an end): exit 3. A secret without a name or a known form is not\n"
        "found; --random masks what looks drawn by chance, too.",
    .examples =
        "journalctl -u app | envelope redact > app.log\n"
        "envelope redact --names blood_type,iban --except csrf_token app.log\n"
        "envelope redact --input document -o bundle.json state.json",
};
