/* envelope pause and resume: hold a job up, and let it go on. */
#include "command.h"
#include "order.h"

static enum envl_status
pause_it(struct cli *cli, struct envl_error *err)
{
    return order_give(cli, ENGINE_PAUSE, err);
}

static enum envl_status
resume_it(struct cli *cli, struct envl_error *err)
{
    return order_give(cli, ENGINE_RESUME, err);
}

const struct command cmd_pause = {
    .name = "pause",
    .run = pause_it,
    .operands = "JOB",
    .summary = "hold a job up, on every host that works on it",
    .options = NULL,
    .help =
        "Say in the job's database that it is to wait. Every process that\n"
        "works on it, on any host, finishes its batch, keeps what it has, and\n"
        "waits: within a second of the end of its batch. So does who runs the\n"
        "job later, also after a crash of everybody, until `envelope resume`.\n"
        "No keyring is needed.",
    .examples = "envelope pause job.json",
};

const struct command cmd_resume = {
    .name = "resume",
    .run = resume_it,
    .operands = "JOB",
    .summary = "let a paused job go on",
    .options = NULL,
    .help =
        "Take back what `envelope pause` said. Processes that wait go on by\n"
        "themselves; where none is left, `envelope migrate JOB --execute`\n"
        "goes on where the job stands. It needs the job's keyring.",
    .examples = "envelope resume job.json",
};
