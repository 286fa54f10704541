#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "cmd.h"

static int64_t
now_ms(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

static void
address(const struct peer_request *request, char *out, size_t room)
{
    snprintf(out, room, "127.0.0.1:%u", request->port);
}

bool
cmd_say_hello(struct peer_request *request)
{
    const struct peer_make *make = request->make;
    bson_t *reply = request->reply, hosts;
    char self[32];

    bson_append_bool(reply, "helloOk", -1, true);
    bson_append_bool(reply, "ismaster", -1, true);
    bson_append_bool(reply, "isWritablePrimary", -1, true);
    if (make->mongos)
        bson_append_utf8(reply, "msg", -1, "isdbgrid", -1);
    if (make->set_name != NULL) {
        address(request, self, sizeof(self));
        bson_append_array_begin(reply, "hosts", -1, &hosts);
        bson_append_utf8(&hosts, "0", 1, self, -1);
        bson_append_array_end(reply, &hosts);
        bson_append_utf8(reply, "setName", -1, make->set_name, -1);
        bson_append_int32(reply, "setVersion", -1, 1);
        bson_append_bool(reply, "secondary", -1, false);
        bson_append_utf8(reply, "primary", -1, self, -1);
        bson_append_utf8(reply, "me", -1, self, -1);
    }
    bson_append_int32(reply, "maxBsonObjectSize", -1, 16 * 1024 * 1024);
    bson_append_int32(reply, "maxMessageSizeBytes", -1, 48000000);
    bson_append_int32(reply, "maxWriteBatchSize", -1, 100000);
    bson_append_date_time(reply, "localTime", -1, now_ms());
    if (make->sessions)
        bson_append_int32(reply, "logicalSessionTimeoutMinutes", -1, 30);
    bson_append_int32(reply, "minWireVersion", -1, 0);
    bson_append_int32(reply, "maxWireVersion", -1, make->max_wire);
    bson_append_bool(reply, "readOnly", -1, false);
    return true;
}

bool
cmd_say_build_info(struct peer_request *request)
{
    bson_t *reply = request->reply, part;
    int version[3] = { 0, 0, 0 };
    char key[16];

    bson_append_utf8(reply, "version", -1, request->make->version, -1);
    sscanf(request->make->version, "%d.%d.%d", &version[0], &version[1],
           &version[2]);
    bson_append_array_begin(reply, "versionArray", -1, &part);
    for (int i = 0; i < 4; i++) {
        snprintf(key, sizeof(key), "%d", i);
        bson_append_int32(&part, key, -1, i < 3 ? version[i] : 0);
    }
    bson_append_array_end(reply, &part);
    bson_append_int32(reply, "bits", -1, 64);
    bson_append_int32(reply, "maxBsonObjectSize", -1, 16 * 1024 * 1024);
    if (strncmp(request->make->name, "mongo", 5) == 0) {
        bson_append_utf8(reply, "gitVersion", -1, "scripted", -1);
        bson_append_utf8(reply, "allocator", -1, "system", -1);
        bson_append_array_begin(reply, "storageEngines", -1, &part);
        bson_append_utf8(&part, "0", 1, "wiredTiger", -1);
        bson_append_array_end(reply, &part);
    }
    if (strcmp(request->make->name, "ferretdb") == 0) {
        bson_append_document_begin(reply, "ferretdb", -1, &part);
        bson_append_utf8(&part, "version", -1, "v2.7.0", -1);
        bson_append_document_end(reply, &part);
    }
    return true;
}

bool
cmd_say_ok(struct peer_request *request)
{
    (void)request;
    return true;
}

bool
cmd_say_get_parameter(struct peer_request *request)
{
    bson_iter_t iter;
    bson_t part;
    bool any = false;

    if (!bson_iter_init(&iter, request->body))
        return false;
    while (bson_iter_next(&iter)) {
        const char *name = bson_iter_key(&iter);

        if (strcmp(name, "featureCompatibilityVersion") == 0) {
            bson_append_document_begin(request->reply, name, -1, &part);
            bson_append_utf8(&part, "version", -1, request->make->version, 3);
            bson_append_document_end(request->reply, &part);
            any = true;
        } else if (strcmp(name, "logLevel") == 0) {
            bson_append_int32(request->reply, name, -1, 0);
            any = true;
        } else if (strcmp(name, "logComponentVerbosity") == 0) {
            bson_append_document_begin(request->reply, name, -1, &part);
            bson_append_int32(&part, "verbosity", -1, 0);
            bson_append_document_end(request->reply, &part);
            any = true;
        } else if (strcmp(name, "redactClientLogData") == 0) {
            bson_append_bool(request->reply, name, -1, false);
            any = true;
        }
    }
    return any || value_trouble(&request->trouble, 72, "InvalidOptions",
                                "no option found to get");
}

/* What the server is told to log is a document of the rig: rig.profile. */
bool
cmd_say_profile(struct peer_request *request)
{
    const struct store_collection *rig = store_find("rig.profile", false);
    bson_iter_t iter;
    int32_t level = 0, slow = 100;
    double rate = 1.0;

    if (strcmp(request->make->name, "bare") == 0)
        return value_trouble(&request->trouble, 59, "CommandNotFound",
                             "no such command: 'profile'");
    if (rig != NULL && rig->count > 0) {
        if (bson_iter_init_find(&iter, rig->docs[0], "was"))
            level = (int32_t)value_int64(bson_iter_value(&iter));
        if (bson_iter_init_find(&iter, rig->docs[0], "slowms"))
            slow = (int32_t)value_int64(bson_iter_value(&iter));
        if (bson_iter_init_find(&iter, rig->docs[0], "sampleRate"))
            rate = bson_iter_as_double(&iter);
    }
    bson_append_int32(request->reply, "was", -1, level);
    bson_append_int32(request->reply, "slowms", -1, slow);
    bson_append_double(request->reply, "sampleRate", -1, rate);
    return true;
}

bool
cmd_say_connection_status(struct peer_request *request)
{
    bson_t info, none = BSON_INITIALIZER;

    bson_append_document_begin(request->reply, "authInfo", -1, &info);
    bson_append_array(&info, "authenticatedUsers", -1, &none);
    bson_append_array(&info, "authenticatedUserRoles", -1, &none);
    bson_append_array(&info, "authenticatedUserPrivileges", -1, &none);
    bson_append_document_end(request->reply, &info);
    bson_destroy(&none);
    return true;
}

bool
cmd_say_repl_status(struct peer_request *request)
{
    const struct store_collection *rig = store_find("rig.members", false);
    bson_t members;
    char key[24];

    if (request->make->set_name == NULL)
        return value_trouble(&request->trouble,
                             request->make->mongos ? 59 : 76,
                             request->make->mongos ? "CommandNotFound"
                                                   : "NoReplicationEnabled",
                             "not running with --replSet");
    bson_append_utf8(request->reply, "set", -1, request->make->set_name, -1);
    bson_append_int32(request->reply, "myState", -1, 1);
    bson_append_date_time(request->reply, "date", -1, now_ms());
    bson_append_array_begin(request->reply, "members", -1, &members);
    for (size_t i = 0; rig != NULL && i < rig->count; i++) {
        snprintf(key, sizeof(key), "%zu", i);
        bson_append_document(&members, key, -1, rig->docs[i]);
    }
    bson_append_array_end(request->reply, &members);
    return true;
}

bool
cmd_say_server_status(struct peer_request *request)
{
    char self[32];

    address(request, self, sizeof(self));
    bson_append_utf8(request->reply, "host", -1, self, -1);
    bson_append_utf8(request->reply, "version", -1, request->make->version,
                     -1);
    bson_append_utf8(request->reply, "process", -1,
                     request->make->mongos ? "mongos" : "mongod", -1);
    bson_append_date_time(request->reply, "localTime", -1, now_ms());
    return true;
}

bool
cmd_say_cmd_line(struct peer_request *request)
{
    bson_t part, none = BSON_INITIALIZER;

    bson_append_array_begin(request->reply, "argv", -1, &part);
    bson_append_utf8(&part, "0", 1, "mongod", -1);
    bson_append_array_end(request->reply, &part);
    bson_append_document(request->reply, "parsed", -1, &none);
    bson_destroy(&none);
    return true;
}
