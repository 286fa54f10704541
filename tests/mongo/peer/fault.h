/*
 * fault.h - what goes wrong, and at which request.
 *
 * Requests of clients whose application name is "rig" are neither counted nor
 * spoiled: by these the tests fill, look and steer.  Others are counted but
 * for hello, ping and endSessions.
 */
#ifndef PEER_FAULT_H
#define PEER_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_CUT_BEFORE,   /* the connection ends, nothing was done           */
    FAULT_CUT_AFTER,    /* it was done: the acknowledgement is lost        */
    FAULT_CUT_MIDDLE,   /* done, and half of the reply sent                */
    FAULT_CUT_ALL,      /* not done; all connections end: a restart        */
    FAULT_SLOW,         /* done, and answered after ${ms}                  */
    FAULT_NOT_PRIMARY,  /* not done: code 10107                            */
    FAULT_STEP_DOWN,    /* done, then code 11602                           */
    FAULT_BUSY,         /* not done: code 112, WriteConflict               */
    FAULT_TIMEOUT,      /* not done: code 50, MaxTimeMSExpired             */
    FAULT_DENIED,       /* not done: code 13, Unauthorized                 */
    FAULT_CURSOR_KILLED, /* short first batch, and the cursor is gone      */
    FAULT_WRITE_CONCERN, /* done, with a writeConcernError                 */
    FAULT_PARTIAL,      /* a bulk: half of it done, writeErrors for others */
    FAULT_PARTIAL_CUT,  /* a bulk: half of it done, then the cut           */
    FAULT_BAD_LENGTH,   /* reply: a message length of 3                    */
    FAULT_HUGE_LENGTH,  /* reply: a message length of 2^31 - 1             */
    FAULT_WRONG_ANSWER, /* reply: to another request                       */
    FAULT_WRONG_OPCODE, /* reply: an opcode that nobody knows              */
    FAULT_TRUNCATED,    /* reply: a document longer than its message       */
    FAULT_BAD_BSON,     /* reply: an element of an unknown type            */
    FAULT_EMPTY,        /* reply: {}                                       */
    FAULT_SHAPE,        /* reply: {ok: 1, answer: 42}; nothing was done    */
    FAULT_TYPES,        /* reply: its numbers and documents are strings    */
    FAULT_LIE,          /* writes are claimed and not done                 */
    FAULT_GARBLE,       /* writes are done, with one character exchanged   */
    FAULT_KINDS
};

struct fault {
    enum fault_kind kind;
    uint64_t at;       /* 0: any; else the number of the request           */
    uint32_t times;    /* how many requests from there on it hits          */
    char command[32];  /* "" or the only command it hits, which `at` then
                          counts                                           */
    uint32_t ms;       /* of FAULT_SLOW                                    */
};

/**
 * fault_kind_of(name), fault_name(kind):
 * By names such as "cutAfter"; FAULT_KINDS if there is none.
 */
enum fault_kind fault_kind_of(const char *name);
const char *fault_name(enum fault_kind kind);

/**
 * fault_set(fault), fault_reset():
 * Add one to the script, or forget them and the count.  False: no room.
 */
bool fault_set(const struct fault *fault);
void fault_reset(void);

/**
 * fault_meet(command):
 * Count a request, and say what it meets.
 */
struct fault fault_meet(const char *command);

/* Since the last reset. */
uint64_t fault_requests(void);
uint64_t fault_hits(void);

#endif /* PEER_FAULT_H */
