#include <stdlib.h>
#include <string.h>

#include <envelope/redact.h>

#include "detect/mask.h"
#include "detect/shape.h"

struct envl_redactor {
    struct mask mask;
    enum envl_redact_input input;
    struct envl_buf line; /* the beginning of one that is not here whole  */
    struct envl_buf out;
    bool in_key;          /* inside a private key that has begun          */
    bool skipping;        /* the rest of a line that is too long          */
    struct envl_redact_counts counts;
};

enum envl_status
envl_redactor_new(const struct envl_redact_rules *rules,
                  struct envl_redactor **out, struct envl_error *err)
{
    struct envl_redactor *redactor = calloc(1, sizeof(*redactor));
    enum envl_status status;

    *out = NULL;
    if (redactor == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a redactor");
    redactor->input = rules != NULL ? rules->input : ENVL_REDACT_TEXT;
    if ((status = mask_init(&redactor->mask, rules, err)) != ENVL_OK) {
        envl_redactor_free(redactor);
        return status;
    }
    *out = redactor;
    return ENVL_OK;
}

void
envl_redactor_free(struct envl_redactor *redactor)
{
    if (redactor == NULL)
        return;
    mask_free(&redactor->mask);
    envl_buf_free(&redactor->line);
    envl_buf_free(&redactor->out);
    free(redactor);
}

void
envl_redactor_counts(const struct envl_redactor *redactor,
                     struct envl_redact_counts *out)
{
    *out = redactor->counts;
    out->masked = redactor->mask.masked;
}

static struct envl_bytes
trim(struct envl_bytes text)
{
    while (text.len > 0 && strchr(" \t\r\n", text.ptr[0]) != NULL) {
        text.ptr++;
        text.len--;
    }
    return text;
}

/* Mask all of a line, counted as one that could not be read. */
static enum envl_status
refuse(struct envl_redactor *redactor, struct envl_error *err)
{
    uint64_t masked = redactor->mask.masked;
    const struct envl_bytes quote = { (const uint8_t *)"\"", 1 };
    bool json = redactor->input == ENVL_REDACT_JSON;
    enum envl_status status = ENVL_OK;

    redactor->counts.refused++;
    if (json)
        status = envl_buf_append(&redactor->out, quote, err);
    if (status == ENVL_OK)
        status = mask_put(&redactor->mask, &redactor->out, err);
    if (status == ENVL_OK && json)
        status = envl_buf_append(&redactor->out, quote, err);
    redactor->mask.masked = masked;
    return status;
}

/* Append the masked form of ${line}, which has no line end. */
static enum envl_status
one_line(struct envl_redactor *redactor, struct envl_bytes line,
         struct envl_error *err)
{
    struct envl_bytes body = trim(line);
    enum envl_status status;
    size_t end;

    redactor->counts.lines++;
    if (redactor->in_key) { /* its lines vanish; what follows its end stays */
        if ((end = shape_private_key_end(line)) == SIZE_MAX)
            return ENVL_OK;
        redactor->in_key = false;
        line = (struct envl_bytes){ line.ptr + end, line.len - end };
        body = trim(line);
    }
    if (redactor->input == ENVL_REDACT_JSON ||
        (body.len > 0 && (body.ptr[0] == '{' || body.ptr[0] == '['))) {
        if (body.len == 0)
            return envl_buf_append(&redactor->out, line, err);
        status = mask_json(&redactor->mask, line, &redactor->out, err);
        if (status != ENVL_E_FORMAT)
            return status;
        if (redactor->input == ENVL_REDACT_JSON)
            return refuse(redactor, err);
    }
    return mask_text(&redactor->mask, line, &redactor->out,
                     &redactor->in_key, err);
}

/* ${line} with its LF, if it has one. */
static enum envl_status
give(struct envl_redactor *redactor, struct envl_bytes line, bool too_long,
     envl_redact_fn *each, void *cookie, struct envl_error *err)
{
    struct envl_bytes end = { line.ptr + line.len, 0 };
    bool was_in_key = redactor->in_key;
    enum envl_status status;

    if (line.len > 0 && line.ptr[line.len - 1] == '\n') {
        end = (struct envl_bytes){ line.ptr + line.len - 1, 1 };
        line.len--;
    }
    if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
        end = (struct envl_bytes){ end.ptr - 1, end.len + 1 };
        line.len--;
    }
    envl_buf_clear(&redactor->out);
    status = too_long ? refuse(redactor, err) : one_line(redactor, line, err);
    if (status == ENVL_OK && was_in_key && redactor->in_key)
        return ENVL_OK;
    if (status == ENVL_OK)
        status = envl_buf_append(&redactor->out, end, err);
    if (status == ENVL_OK && redactor->out.len > 0)
        status = each(cookie, envl_buf_view(&redactor->out), err);
    return status;
}

/* Keep the beginning of a line, unless it has grown too long. */
static enum envl_status
keep(struct envl_redactor *redactor, struct envl_bytes part,
     envl_redact_fn *each, void *cookie, struct envl_error *err)
{
    if (redactor->skipping)
        return ENVL_OK;
    if (redactor->line.len + part.len <= ENVL_REDACT_LINE)
        return envl_buf_append(&redactor->line, part, err);
    redactor->skipping = true;
    envl_buf_clear(&redactor->line);
    redactor->counts.lines++;
    return give(redactor, (struct envl_bytes){ part.ptr, 0 }, true, each,
                cookie, err);
}

enum envl_status
envl_redactor_feed(struct envl_redactor *redactor, struct envl_bytes piece,
                   envl_redact_fn *each, void *cookie, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    while (status == ENVL_OK && piece.len > 0) {
        const uint8_t *lf = memchr(piece.ptr, '\n', piece.len);
        size_t len = lf != NULL ? (size_t)(lf - piece.ptr) + 1 : piece.len;
        struct envl_bytes part = { piece.ptr, len };

        piece = (struct envl_bytes){ piece.ptr + len, piece.len - len };
        if (lf == NULL) {
            status = keep(redactor, part, each, cookie, err);
        } else if (redactor->skipping) {
            redactor->skipping = false;
            status = each(cookie, (struct envl_bytes){ lf, 1 }, err);
        } else if (redactor->line.len == 0 && len <= ENVL_REDACT_LINE) {
            status = give(redactor, part, false, each, cookie, err);
        } else {
            status = keep(redactor, part, each, cookie, err);
            if (status == ENVL_OK && redactor->skipping) {
                redactor->skipping = false;
                status = each(cookie, (struct envl_bytes){ lf, 1 }, err);
            } else if (status == ENVL_OK) {
                status = give(redactor, envl_buf_view(&redactor->line), false,
                              each, cookie, err);
                envl_buf_clear(&redactor->line);
            }
        }
    }
    return status;
}

enum envl_status
envl_redactor_end(struct envl_redactor *redactor, envl_redact_fn *each,
                  void *cookie, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (redactor->line.len > 0)
        status = give(redactor, envl_buf_view(&redactor->line), false, each,
                      cookie, err);
    envl_buf_clear(&redactor->line);
    if (status == ENVL_OK && redactor->in_key)
        redactor->counts.refused++;
    redactor->skipping = redactor->in_key = false;
    return status;
}

static enum envl_status
collect(void *cookie, struct envl_bytes bytes, struct envl_error *err)
{
    return envl_buf_append(cookie, bytes, err);
}

enum envl_status
envl_redact(const struct envl_redact_rules *rules, struct envl_bytes text,
            struct envl_buf *out, struct envl_redact_counts *counts,
            struct envl_error *err)
{
    struct envl_redactor *redactor;
    enum envl_status status = envl_redactor_new(rules, &redactor, err);

    if (status != ENVL_OK)
        return status;
    if (redactor->input == ENVL_REDACT_JSON) {
        redactor->counts.lines = 1;
        status = mask_json(&redactor->mask, text, &redactor->out, err);
        if (status == ENVL_E_FORMAT)
            status = refuse(redactor, err);
        if (status == ENVL_OK)
            status = envl_buf_append(out, envl_buf_view(&redactor->out), err);
    } else {
        status = envl_redactor_feed(redactor, text, collect, out, err);
        if (status == ENVL_OK)
            status = envl_redactor_end(redactor, collect, out, err);
    }
    if (status == ENVL_OK && counts != NULL)
        envl_redactor_counts(redactor, counts);
    envl_redactor_free(redactor);
    return status;
}
