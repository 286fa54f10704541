#include <stdlib.h>
#include <unistd.h>

#include "lines.h"
#include "json_line.h"
#include "stream.h"

#define BATCH 256u

/* Lines that are worked off together. */
struct batch {
    struct json_line records[BATCH];
    enum envl_status parsed[BATCH]; /* of each line                  */
    size_t line_count;
    struct envl_item items[BATCH];  /* of the lines that were parsed */
    size_t item_count;
    struct envl_buf scratch; /* strings without their escapes; never moves */
    struct envl_buf arena;   /* what the library made                      */
    struct envl_buf out;     /* the answers                                */
    uint64_t total, failed;
};

static void
add_line(struct batch *batch, const struct stream *stream,
         const struct line_view *line)
{
    struct json_line *record = &batch->records[batch->item_count];
    enum envl_status status = ENVL_E_LIMIT;

    if (!line->too_long)
        status = stream->sealing
                     ? json_line_parse_seal(line->text, &batch->scratch, record)
                     : json_line_parse_open(line->text, &batch->scratch,
                                            record);
    batch->parsed[batch->line_count++] = status;
    if (status != ENVL_OK)
        return;
    batch->items[batch->item_count++] = (struct envl_item){
        .input = record->value,
        .context = { record->pairs, record->pair_count },
        .type = record->type,
    };
}

/* A failure of the whole batch is the failure of each line. */
static void
transform(struct batch *batch, struct stream *stream)
{
    enum envl_status status = ENVL_OK;

    if (batch->item_count > 0)
        status = stream->sealing
                     ? envl_seal_batch(stream->ring, &stream->seal,
                                       batch->items, batch->item_count,
                                       &batch->arena, NULL)
                     : envl_open_batch(stream->ring, &stream->open,
                                       batch->items, batch->item_count,
                                       &batch->arena, NULL);
    if (status == ENVL_OK || status == ENVL_E_PARTIAL)
        return;
    for (size_t i = 0; i < batch->item_count; i++)
        batch->items[i].status = status;
}

static enum envl_status
print_item(struct batch *batch, const struct stream *stream,
           const struct envl_item *item, struct envl_error *err)
{
    if (item->status != ENVL_OK) {
        batch->failed++;
        return json_line_print_error(item->status, &batch->out, err);
    }
    if (stream->sealing)
        return json_line_print_sealed(item->output, stream->seal.encoding,
                                      &batch->out, err);
    return json_line_print_opened(item->output, item->type, &batch->out, err);
}

static enum envl_status
answer(struct batch *batch, struct stream *stream, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    size_t item = 0;

    transform(batch, stream);
    for (size_t i = 0; i < batch->line_count && status == ENVL_OK; i++) {
        if (batch->parsed[i] == ENVL_OK) {
            status = print_item(batch, stream, &batch->items[item++], err);
        } else {
            batch->failed++;
            status = json_line_print_error(batch->parsed[i], &batch->out, err);
        }
    }
    if (status == ENVL_OK)
        status = io_write(STDOUT_FILENO, "standard output",
                          envl_buf_view(&batch->out), err);
    batch->total += batch->line_count;
    batch->line_count = batch->item_count = 0;
    envl_buf_clear(&batch->scratch);
    envl_buf_clear(&batch->arena);
    envl_buf_clear(&batch->out);
    return status;
}

/* All lines that are here. */
static enum envl_status
work_off(struct batch *batch, struct stream *stream, struct lines *lines,
         struct envl_error *err)
{
    struct line_view line;
    enum envl_status status;

    if (batch->scratch.cap < lines->buf.len &&
        (status = envl_buf_reserve(&batch->scratch, lines->buf.len, err)) !=
            ENVL_OK)
        return status;
    while (lines_next(lines, &line)) {
        add_line(batch, stream, &line);
        if (batch->line_count == BATCH &&
            (status = answer(batch, stream, err)) != ENVL_OK)
            return status;
    }
    return batch->line_count > 0 ? answer(batch, stream, err) : ENVL_OK;
}

static enum envl_status
count_failures(const struct batch *batch, struct envl_error *err)
{
    if (batch->failed == 0)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_PARTIAL, "%llu of %llu lines failed",
                     (unsigned long long)batch->failed,
                     (unsigned long long)batch->total);
}

enum envl_status
stream_run(struct stream *stream, struct envl_error *err)
{
    struct lines lines = LINES_INIT;
    struct batch *batch = NULL;
    enum envl_status status;

    if (isatty(STDIN_FILENO)) {
        status = envl_fail(err, ENVL_E_USAGE, "this command takes lines of "
                           "JSON from a program, not from a terminal");
        envl_hint(err, "for one value use `envelope %s`",
                  stream->sealing ? "encrypt" : "decrypt");
        return status;
    }
    if ((batch = calloc(1, sizeof(*batch))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    lines.in = (struct io_source){ STDIN_FILENO, "standard input" };
    do {
        if ((status = lines_fill(&lines, err)) == ENVL_OK)
            status = work_off(batch, stream, &lines, err);
    } while (status == ENVL_OK && !lines.ended);
    if (status == ENVL_OK)
        status = count_failures(batch, err);
    envl_buf_free(&batch->scratch);
    envl_buf_free(&batch->arena);
    envl_buf_free(&batch->out);
    free(batch);
    lines_free(&lines);
    return status;
}
