#include <stdio.h>
#include <string.h>

#include "cmd.h"

static const struct peer_make makes[] = {
    { "mongodb5", "5.0.31", 13, "rs0", false, true, true, false, true, true,
      true, 121 },
    { "mongodb7", "7.0.16", 21, "rs0", false, true, true, true, true, true,
      true, 121 },
    { "mongodb8", "8.0.4", 25, "rs0", false, true, true, true, true, true,
      true, 121 },
    { "mongod-alone", "7.0.16", 21, NULL, false, true, true, true, true, true,
      true, 121 },
    { "mongos", "7.0.16", 21, NULL, true, true, true, true, true, true, true,
      121 },
    { "ferretdb", "7.0.77", 21, NULL, false, true, true, false, true, false,
      true, 525074461 },
    { "bare", "5.0.0", 8, NULL, false, false, false, false, false, false,
      false, 121 },
};

static const struct {
    const char *name;
    peer_command_fn *fn;
} commands[] = {
    { "hello", cmd_say_hello },
    { "isMaster", cmd_say_hello },
    { "ismaster", cmd_say_hello },
    { "ping", cmd_say_ok },
    { "endSessions", cmd_say_ok },
    { "buildInfo", cmd_say_build_info },
    { "buildinfo", cmd_say_build_info },
    { "getParameter", cmd_say_get_parameter },
    { "profile", cmd_say_profile },
    { "connectionStatus", cmd_say_connection_status },
    { "replSetGetStatus", cmd_say_repl_status },
    { "serverStatus", cmd_say_server_status },
    { "getCmdLineOpts", cmd_say_cmd_line },
    { "find", cmd_read_find },
    { "getMore", cmd_read_get_more },
    { "killCursors", cmd_read_kill_cursors },
    { "count", cmd_read_count },
    { "aggregate", cmd_read_aggregate },
    { "insert", cmd_write_insert },
    { "update", cmd_write_update },
    { "delete", cmd_write_delete },
    { "findAndModify", cmd_write_find_and_modify },
    { "findandmodify", cmd_write_find_and_modify },
    { "listCollections", cmd_admin_list_collections },
    { "listIndexes", cmd_admin_list_indexes },
    { "listDatabases", cmd_admin_list_databases },
    { "collMod", cmd_admin_coll_mod },
    { "create", cmd_admin_create },
    { "createIndexes", cmd_admin_create_indexes },
    { "drop", cmd_admin_drop },
    { "dropDatabase", cmd_admin_drop_database },
    { "collStats", cmd_admin_coll_stats },
    { "peerControl", cmd_rig_control },
};

const struct peer_make *
peer_make_named(const char *name)
{
    for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
        if (strcmp(makes[i].name, name) == 0)
            return &makes[i];
    }
    return NULL;
}

peer_command_fn *
peer_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].fn;
    }
    return NULL;
}

bool
peer_ns(struct peer_request *request, const char *member, char *out,
        size_t room)
{
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, request->body,
                             member == NULL ? request->name : member))
        return value_trouble(&request->trouble, 73, "InvalidNamespace",
                             "no collection is named");
    snprintf(out, room, "%s.%s", request->db,
             BSON_ITER_HOLDS_UTF8(&iter) ? bson_iter_utf8(&iter, NULL)
                                         : "$cmd.aggregate");
    return true;
}

bool
peer_doc(const struct peer_request *request, const char *name, bson_t *doc)
{
    bson_iter_t iter;

    return bson_iter_init_find(&iter, request->body, name) &&
           value_doc(bson_iter_value(&iter), doc);
}

int64_t
peer_number(const struct peer_request *request, const char *name,
            int64_t otherwise)
{
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, request->body, name))
        return otherwise;
    if (BSON_ITER_HOLDS_BOOL(&iter))
        return bson_iter_bool(&iter);
    return value_is_number(bson_iter_value(&iter))
               ? value_int64(bson_iter_value(&iter)) : otherwise;
}

bool
peer_flag(const struct peer_request *request, const char *name)
{
    return peer_number(request, name, 0) != 0;
}
