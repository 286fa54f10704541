/* envelope inspect: what an envelope says of itself, needing no key. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <envelope/envelope.h>

#include "command.h"
#include "explain.h"
#include "io.h"
#include "report.h"
#include "value_options.h"

/* A file is mapped, so that its size costs no memory; a pipe is read. */
struct input {
    struct io_source source;
    struct envl_buf buf;
    void *map;
    size_t map_len;
};

static enum envl_status
load(struct input *input, struct envl_bytes *out, struct envl_error *err)
{
    enum envl_status status;
    struct stat here;

    if (fstat(input->source.fd, &here) == 0 && S_ISREG(here.st_mode) &&
        here.st_size > (off_t)VALUE_MAX) {
        input->map_len = (size_t)here.st_size;
        input->map = mmap(NULL, input->map_len, PROT_READ, MAP_PRIVATE,
                          input->source.fd, 0);
        if (input->map == MAP_FAILED) {
            input->map = NULL;
            return envl_fail(err, ENVL_E_IO, "cannot read %s: %s",
                             input->source.name, strerror(errno));
        }
        *out = (struct envl_bytes){ input->map, input->map_len };
    } else {
        status = io_read_all(&input->source, OBJECT_ENVELOPE_MAX, &input->buf,
                             err);
        if (status != ENVL_OK)
            return status;
        *out = envl_buf_view(&input->buf);
    }
    /* spec: ENV-7.4, the one LF that ends a file or line */
    if (out->len > 0 && out->ptr[0] != 0x9e &&
        out->ptr[out->len - 1] == '\n')
        out->len--;
    return ENVL_OK;
}

static void
unload(struct input *input)
{
    if (input->map != NULL)
        munmap(input->map, input->map_len);
    envl_buf_free(&input->buf);
    io_close_source(&input->source);
}

static void
tell(const struct envl_info *info)
{
    static const char *const encodings[] = { "text", "object", "binary" };
    const char *mode =
        info->mode == ENVL_MODE_DERIVED ? "derived" : "wrapped";

    report_json(json_pack("{s:i, s:i, s:s, s:s, s:s, s:I}", "schema", 1,
                          "version", info->version, "mode", mode, "kid",
                          info->kid, "encoding", encodings[info->encoding],
                          "bytes", (json_int_t)info->binary_len));
    report_text("version   %d\nmode      %s\nkid       %s\n"
                "encoding  %s\nbytes     %zu\n", info->version, mode,
                info->kid, encodings[info->encoding], info->binary_len);
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct input input = { .buf = ENVL_BUF_INIT };
    struct envl_bytes envelope;
    struct envl_info info;
    enum envl_status status;

    if ((status = io_open_source(cli->options.operands[0], &input.source,
                                 err)) != ENVL_OK)
        return status;
    if ((status = load(&input, &envelope, err)) == ENVL_OK &&
        (status = envl_inspect(envelope, &info, err)) == ENVL_OK) {
        tell(&info);
    } else {
        explain_open(err);
        explain_name(err, cli->options.operands[0]);
    }
    unload(&input);
    return status;
}

const struct command cmd_inspect = {
    .name = "inspect",
    .run = run,
    .operands = "[FILE]",
    .summary = "what an envelope says of itself, needing no key",
    .options = NULL,
    .needs_nothing = true,
    .help =
        "Read the envelope in FILE, or on standard input, and say its\n"
        "version, mode, key id and encoding, and how long its binary form\n"
        "is. None of it is authenticated: only opening proves anything.",
    .examples =
        "envelope inspect token.env\n"
        "psql -At -c 'SELECT token FROM users WHERE id = 42' | "
        "envelope inspect --json",
};
