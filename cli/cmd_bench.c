/* envelope bench: ours beside the floor, in the same run. */
#include "bench.h"
#include "bench_ours.h"
#include "command.h"
#include "report.h"

#define VALUE_LEN  64u
#define FRAME_LEN  96u /* type byte, value, padding to 32 */
#define STREAM_LEN (4u * 1024u * 1024u)

struct run {
    struct bench_ours *value, *stream;
    struct bench_floor *value_floor, *stream_floor;
    json_t *lines;
    double seconds;
};

static enum envl_status
make(struct run *run, struct envl_error *err)
{
    run->value = bench_ours_new(VALUE_LEN, ENVL_ENCODING_TEXT, err);
    if (run->value == NULL)
        return err->status;
    run->stream = bench_ours_new(STREAM_LEN, ENVL_ENCODING_BINARY, err);
    if (run->stream == NULL)
        return err->status;
    run->value_floor = bench_floor_new(FRAME_LEN, 1);
    run->stream_floor = bench_floor_new(STREAM_LEN, 0);
    if (run->value_floor == NULL || run->stream_floor == NULL)
        return envl_fail(err, ENVL_E_INTERNAL,
                         "libcrypto has no AES-256-GCM, or no memory");
    return ENVL_OK;
}

/* ${unit}: "ns" of one operation, or "MB/s". */
static void
tell(struct run *run, const struct bench_subject *ours,
     const struct bench_subject *floor, const char *unit)
{
    const bool rate = unit[0] == 'M';
    const double a = bench_median(ours);
    const double b = floor != NULL ? bench_median(floor) : 0;

    report_text("%-34s %10.0f", ours->name, rate ? 1e3 / a : a);
    if (floor != NULL)
        report_text(" %10.0f %8.2f", rate ? 1e3 / b : b, a / b);
    else
        report_text(" %10s %8s", "-", "-");
    report_text("  %s\n", unit);
    json_array_append_new(
        run->lines,
        json_pack("{s:s, s:s, s:f, s:o, s:o}", "name", ours->name, "unit",
                  unit, "ours", rate ? 1e3 / a : a, "floor",
                  floor != NULL ? json_real(rate ? 1e3 / b : b) : json_null(),
                  "times", floor != NULL ? json_real(a / b) : json_null()));
}

static void
values(struct run *run)
{
    const double batch = BENCH_OURS_BATCH;
    struct bench_subject s[] = {
        { "seal", bench_ours_seal, run->value, 1, { 0 } },
        { "", bench_floor_seal, run->value_floor, 1, { 0 } },
        { "open", bench_ours_open, run->value, 1, { 0 } },
        { "", bench_floor_open, run->value_floor, 1, { 0 } },
        { "seal, in batches of 256", bench_ours_seal_batch, run->value, batch,
          { 0 } },
        { "", bench_floor_seal_drawn, run->value_floor, 1, { 0 } },
        { "open, in batches of 256", bench_ours_open_batch, run->value, batch,
          { 0 } },
        { "classify, without opening", bench_ours_classify, run->value, 1,
          { 0 } },
    };

    bench_measure(s, sizeof(s) / sizeof(*s), run->seconds);
    tell(run, &s[0], &s[1], "ns");
    tell(run, &s[2], &s[3], "ns");
    tell(run, &s[4], &s[5], "ns");
    tell(run, &s[6], &s[3], "ns");
    tell(run, &s[7], NULL, "ns");
}

static void
streams(struct run *run)
{
    struct bench_subject s[] = {
        { "seal a stream", bench_ours_seal_stream, run->stream, STREAM_LEN,
          { 0 } },
        { "open a stream", bench_ours_open_stream, run->stream, STREAM_LEN,
          { 0 } },
        { "", bench_floor_bulk, run->stream_floor, STREAM_LEN, { 0 } },
    };

    bench_measure(s, sizeof(s) / sizeof(*s), run->seconds);
    tell(run, &s[0], &s[2], "MB/s");
    tell(run, &s[1], &s[2], "MB/s");
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct run run = { .lines = NULL };
    enum envl_status status;
    uint64_t seconds;

    if ((status = options_number(&cli->options,
                                 (struct number_rule){ OPT_SECONDS, 1, 600,
                                                       1 },
                                 &seconds, err)) != ENVL_OK)
        return status;
    run.seconds = (double)seconds;
    run.lines = json_array();
    if ((status = make(&run, err)) == ENVL_OK) {
        report_text("%-34s %10s %10s %8s\n", "64 bytes, text, two pairs",
                    "ours", "floor", "times");
        values(&run);
        report_text("%-34s %10s %10s %8s\n", "4 MiB, binary", "ours",
                    "floor", "times");
        streams(&run);
        report_json(json_pack("{s:i, s:O}", "schema", 1, "lines",
                              run.lines));
    }
    json_decref(run.lines);
    bench_ours_free(run.value);
    bench_ours_free(run.stream);
    bench_floor_free(run.value_floor);
    bench_floor_free(run.stream_floor);
    return status;
}

static const enum option_id options[] = { OPT_SECONDS, OPT_END };

const struct command cmd_bench = {
    .name = "bench",
    .run = run,
    .summary = "what sealing costs here, beside its primitives",
    .options = options,
    .needs_nothing = true,
    .help =
        "Measure sealing and opening, and in the same run the floor: the\n"
        "primitives alone (HKDF-Expand-SHA512 with the pads prepared,\n"
        "AES-256-GCM with a new key, getrandom, base64), called straight in\n"
        "libcrypto and libsodium; for streams, AES-256-GCM under one key.\n"
        "Median of CPU time, in turns, so that a busy machine matters less.",
    .examples = "envelope bench\nenvelope bench --seconds 5 --json",
};
