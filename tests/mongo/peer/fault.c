#include <stdio.h>
#include <string.h>

#include "fault.h"

#define SCRIPT_MOST 16
#define COMMANDS_MOST 64

static struct fault script[SCRIPT_MOST];
static unsigned script_count;
static uint64_t requests, hits;
static struct {
    char name[32];
    uint64_t count;
} commands[COMMANDS_MOST];

static const char *const names[FAULT_KINDS] = {
    [FAULT_NONE] = "none",
    [FAULT_CUT_BEFORE] = "cutBefore",
    [FAULT_CUT_AFTER] = "cutAfter",
    [FAULT_CUT_MIDDLE] = "cutMiddle",
    [FAULT_CUT_ALL] = "cutAll",
    [FAULT_SLOW] = "slow",
    [FAULT_NOT_PRIMARY] = "notPrimary",
    [FAULT_STEP_DOWN] = "stepDown",
    [FAULT_BUSY] = "busy",
    [FAULT_TIMEOUT] = "timeout",
    [FAULT_DENIED] = "denied",
    [FAULT_CURSOR_KILLED] = "cursorKilled",
    [FAULT_WRITE_CONCERN] = "writeConcern",
    [FAULT_PARTIAL] = "partial",
    [FAULT_PARTIAL_CUT] = "partialCut",
    [FAULT_BAD_LENGTH] = "badLength",
    [FAULT_HUGE_LENGTH] = "hugeLength",
    [FAULT_WRONG_ANSWER] = "wrongAnswer",
    [FAULT_WRONG_OPCODE] = "wrongOpcode",
    [FAULT_TRUNCATED] = "truncated",
    [FAULT_BAD_BSON] = "badBson",
    [FAULT_EMPTY] = "empty",
    [FAULT_SHAPE] = "shape",
    [FAULT_TYPES] = "types",
    [FAULT_LIE] = "lie",
    [FAULT_GARBLE] = "garble",
};

enum fault_kind
fault_kind_of(const char *name)
{
    int kind = 0;

    while (kind < FAULT_KINDS && strcmp(names[kind], name) != 0)
        kind++;
    return (enum fault_kind)kind;
}

const char *
fault_name(enum fault_kind kind)
{
    return kind < FAULT_KINDS ? names[kind] : "?";
}

bool
fault_set(const struct fault *fault)
{
    if (script_count == SCRIPT_MOST)
        return false;
    script[script_count++] = *fault;
    return true;
}

void
fault_reset(void)
{
    script_count = 0;
    requests = hits = 0;
    memset(commands, 0, sizeof(commands));
}

static uint64_t
count_command(const char *name)
{
    for (unsigned i = 0; i < COMMANDS_MOST; i++) {
        if (commands[i].name[0] == '\0')
            snprintf(commands[i].name, sizeof(commands[i].name), "%s", name);
        if (strcmp(commands[i].name, name) == 0)
            return ++commands[i].count;
    }
    return 0;
}

struct fault
fault_meet(const char *command)
{
    uint64_t of_command = count_command(command);

    requests++;
    for (unsigned i = 0; i < script_count; i++) {
        const struct fault *fault = &script[i];
        uint64_t number = fault->command[0] == '\0' ? requests : of_command;

        if (fault->command[0] != '\0' && strcmp(fault->command, command) != 0)
            continue;
        if (fault->at == 0 || (number >= fault->at &&
                               number < fault->at + fault->times)) {
            hits++;
            return *fault;
        }
    }
    return (struct fault){ .kind = FAULT_NONE };
}

uint64_t
fault_requests(void)
{
    return requests;
}

uint64_t
fault_hits(void)
{
    return hits;
}
