/*
 * mongo_peer - a scripted MongoDB server for tests.
 *
 *   mongo_peer [--make NAME]
 *
 * Prints "port N" and serves 127.0.0.1:N until its standard input ends.  It is
 * steered by the command {peerControl: 1, ...} of a client whose application
 * name is "rig": `empty` forgets all documents, `reset` the script and the
 * count, `fault` {at, kind, times, command, ms} adds to the script.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "expr_ops.h"
#include "wire.h"

#define CONNECTIONS_MOST 128
#define SESSIONS_MOST 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct client {
    int fd;
    bool rig;
};

static struct client *clients[CONNECTIONS_MOST];
static const struct peer_make *make;
static uint16_t port;

/* What was answered to the last numbered write of each session: a retry of
   it is answered again, not done again. */
static struct {
    bson_t lsid, reply;
    int64_t number;
    bool used;
} sessions[SESSIONS_MOST];
static unsigned next_session;

static bool
number_of(const bson_t *body, int64_t *number, bson_t *lsid)
{
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, body, "txnNumber"))
        return false;
    *number = value_int64(bson_iter_value(&iter));
    return bson_iter_init_find(&iter, body, "lsid") &&
           value_doc(bson_iter_value(&iter), lsid);
}

static bool
answered_before(const bson_t *body, bson_t *reply)
{
    int64_t number;
    bson_t lsid;

    if (!number_of(body, &number, &lsid))
        return false;
    for (unsigned i = 0; i < SESSIONS_MOST; i++) {
        if (sessions[i].used && sessions[i].number == number &&
            bson_equal(&sessions[i].lsid, &lsid)) {
            bson_reinit(reply);
            return bson_concat(reply, &sessions[i].reply);
        }
    }
    return false;
}

static void
remember(const bson_t *body, const bson_t *reply)
{
    unsigned at = next_session;
    int64_t number;
    bson_t lsid;

    if (!number_of(body, &number, &lsid))
        return;
    for (unsigned i = 0; i < SESSIONS_MOST; i++) {
        if (sessions[i].used && bson_equal(&sessions[i].lsid, &lsid))
            at = i;
    }
    if (at == next_session)
        next_session = (next_session + 1) % SESSIONS_MOST;
    if (sessions[at].used) {
        bson_destroy(&sessions[at].lsid);
        bson_destroy(&sessions[at].reply);
    }
    bson_copy_to(&lsid, &sessions[at].lsid);
    bson_copy_to(reply, &sessions[at].reply);
    sessions[at].number = number;
    sessions[at].used = true;
}

/* ---- one request -------------------------------------------------------- */

static void
say_trouble(bson_t *reply, const struct trouble *trouble)
{
    bson_reinit(reply);
    bson_append_double(reply, "ok", -1, 0.0);
    bson_append_utf8(reply, "errmsg", -1, trouble->text, -1);
    bson_append_int32(reply, "code", -1, trouble->code);
    bson_append_utf8(reply, "codeName", -1, trouble->name, -1);
}

/* Errors that stand instead of the work. */
static bool
refuses(enum fault_kind kind, struct trouble *trouble)
{
    switch (kind) {
    case FAULT_NOT_PRIMARY:
        return !value_trouble(trouble, 10107, "NotWritablePrimary",
                              "not primary");
    case FAULT_BUSY:
        return !value_trouble(trouble, 112, "WriteConflict",
                              "WriteConflict error: try again");
    case FAULT_TIMEOUT:
        return !value_trouble(trouble, 50, "MaxTimeMSExpired",
                              "operation exceeded time limit");
    case FAULT_DENIED:
        return !value_trouble(trouble, 13, "Unauthorized",
                              "not authorized to execute command");
    default:
        return false;
    }
}

static void
carry_out(struct peer_request *request)
{
    peer_command_fn *fn = peer_command(request->name);
    struct trouble *trouble = &request->trouble;
    bool good;

    if (refuses(request->fault.kind, trouble))
        good = false;
    else if (fn == NULL)
        good = value_trouble(trouble, 59, "CommandNotFound",
                             "no such command: '%.60s'", request->name);
    else
        good = fn(request);
    if (!good && trouble->code == 0)
        value_trouble(trouble, 9, "FailedToParse", "not understood");
    if (good && request->fault.kind == FAULT_STEP_DOWN)
        good = value_trouble(trouble, 11602, "InterruptedDueToReplStateChange",
                             "operation was interrupted");
    if (!good)
        say_trouble(request->reply, trouble);
    else
        bson_append_double(request->reply, "ok", -1, 1.0);
}

static void
as_strings(const bson_t *from, bson_t *to)
{
    bson_iter_t iter;

    if (!bson_iter_init(&iter, from))
        return;
    while (bson_iter_next(&iter)) {
        if (strcmp(bson_iter_key(&iter), "ok") == 0)
            bson_append_value(to, "ok", 2, bson_iter_value(&iter));
        else
            bson_append_utf8(to, bson_iter_key(&iter), -1, "many", -1);
    }
}

/* Replies of another shape than the command's. */
static void
reshape(bson_t *reply, enum fault_kind kind)
{
    bson_t made = BSON_INITIALIZER, part;

    if (kind == FAULT_WRITE_CONCERN) {
        bson_append_document_begin(reply, "writeConcernError", -1, &part);
        bson_append_int32(&part, "code", -1, 64);
        bson_append_utf8(&part, "codeName", -1, "WriteConcernTimeout", -1);
        bson_append_utf8(&part, "errmsg", -1,
                         "waiting for replication timed out", -1);
        bson_append_document_end(reply, &part);
        bson_destroy(&made);
        return;
    }
    if (kind == FAULT_TYPES) {
        as_strings(reply, &made);
    } else if (kind == FAULT_SHAPE) {
        bson_append_double(&made, "ok", -1, 1.0);
        bson_append_int32(&made, "answer", -1, 42);
    } else if (kind != FAULT_EMPTY) {
        bson_destroy(&made);
        return;
    }
    bson_reinit(reply);
    bson_concat(reply, &made);
    bson_destroy(&made);
}

static bool
is_handshake(const struct wire_message *message, const char *name)
{
    return message->legacy || strcmp(name, "ping") == 0 ||
           strcmp(name, "endSessions") == 0 ||
           ((strcmp(name, "hello") == 0 || strcasecmp(name, "ismaster") == 0) &&
            (bson_has_field(&message->body, "client") ||
             bson_has_field(&message->body, "helloOk")));
}

static void
note_client(const bson_t *body, struct client *client)
{
    bson_iter_t iter, name;

    if (bson_iter_init(&iter, body) &&
        bson_iter_find_descendant(&iter, "client.application.name", &name) &&
        BSON_ITER_HOLDS_UTF8(&name) &&
        strcmp(bson_iter_utf8(&name, NULL), "rig") == 0)
        client->rig = true;
}

static void
cut_all(void)
{
    for (unsigned i = 0; i < CONNECTIONS_MOST; i++) {
        if (clients[i] != NULL && !clients[i]->rig)
            shutdown(clients[i]->fd, SHUT_RDWR);
    }
}

/* Carry one message out, under the lock; false: not even a reply. */
static bool
answer(const struct wire_message *message, struct client *client,
       bson_t *reply, struct fault *fault)
{
    struct peer_request request = {
        .make = make, .body = &message->body, .db = message->db,
        .reply = reply, .port = port,
    };
    bson_iter_t iter;
    bool good = true;

    if (!bson_iter_init(&iter, &message->body) || !bson_iter_next(&iter))
        return false;
    request.name = bson_iter_key(&iter);
    note_client(&message->body, client);
    pthread_mutex_lock(&lock);
    if (!client->rig && !is_handshake(message, request.name))
        request.fault = fault_meet(request.name);
    *fault = request.fault;
    if (getenv("MONGO_PEER_TRACE") != NULL && !client->rig)
        fprintf(stderr, "%llu %s %s %s\n",
                (unsigned long long)fault_requests(), message->db,
                request.name, fault_name(fault->kind));
    if (fault->kind == FAULT_CUT_BEFORE || fault->kind == FAULT_CUT_ALL) {
        good = false;
    } else if (fault->kind == FAULT_SHAPE) {
        bson_append_double(reply, "ok", -1, 1.0); /* nothing is done */
    } else if (!answered_before(&message->body, reply)) {
        carry_out(&request);
        if (request.trouble.code == 0)
            remember(&message->body, reply);
    }
    if (fault->kind == FAULT_CUT_ALL)
        cut_all();
    pthread_mutex_unlock(&lock);
    return good && fault->kind != FAULT_CUT_AFTER &&
           fault->kind != FAULT_PARTIAL_CUT;
}

static void *
serve(void *cookie)
{
    struct client *client = cookie;
    struct wire_message message;
    bool good = true;

    while (good && wire_read(client->fd, &message)) {
        bson_t reply = BSON_INITIALIZER;
        struct fault fault = { .kind = FAULT_NONE };

        good = answer(&message, client, &reply, &fault);
        if (good && fault.kind == FAULT_SLOW)
            nanosleep(&(struct timespec){ fault.ms / 1000,
                                          fault.ms % 1000 * 1000000L }, NULL);
        reshape(&reply, fault.kind);
        if (good && !message.more_to_come)
            good = wire_reply(client->fd, &message, &reply, fault.kind);
        bson_destroy(&reply);
        bson_destroy(&message.body);
    }
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < CONNECTIONS_MOST; i++) {
        if (clients[i] == client)
            clients[i] = NULL;
    }
    close(client->fd);
    pthread_mutex_unlock(&lock);
    free(client);
    return NULL;
}

static void
welcome(int fd)
{
    struct client *client = calloc(1, sizeof(*client));
    unsigned at = 0;
    pthread_t thread;
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    pthread_mutex_lock(&lock);
    while (at < CONNECTIONS_MOST && clients[at] != NULL)
        at++;
    if (client != NULL && at < CONNECTIONS_MOST) {
        client->fd = fd;
        clients[at] = client;
    }
    pthread_mutex_unlock(&lock);
    if (client != NULL && at < CONNECTIONS_MOST &&
        pthread_create(&thread, NULL, serve, client) == 0) {
        pthread_detach(thread);
        return;
    }
    pthread_mutex_lock(&lock);
    if (at < CONNECTIONS_MOST)
        clients[at] = NULL;
    pthread_mutex_unlock(&lock);
    close(fd);
    free(client);
}

static void *
until_stdin_ends(void *cookie)
{
    char byte;

    (void)cookie;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    _exit(0);
}

static int
listen_on_loopback(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return -1;
    port = ntohs(at.sin_port);
    return fd;
}

int
main(int argc, char **argv)
{
    const char *name = argc == 3 && strcmp(argv[1], "--make") == 0
                           ? argv[2] : "mongodb7";
    pthread_t watcher;
    int fd, client;

    make = peer_make_named(name);
    fd = make == NULL ? -1 : listen_on_loopback();
    if (fd < 0 || (argc != 1 && argc != 3)) {
        fprintf(stderr, "usage: mongo_peer [--make mongodb5|mongodb7|mongodb8|"
                "mongod-alone|mongos|ferretdb|bare]\n");
        return 2;
    }
    expr_ops_limits(make->hashed_key, make->pipelines);
    store_rejects_with(make->reject_code);
    printf("port %u\n", port);
    fflush(stdout);
    pthread_create(&watcher, NULL, until_stdin_ends, NULL);
    for (;;) {
        client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            welcome(client);
    }
}
