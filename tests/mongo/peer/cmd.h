/*
 * cmd.h - the commands; what each takes and answers is in MongoDB's manual.
 */
#ifndef PEER_CMD_H
#define PEER_CMD_H

#include "peer.h"

peer_command_fn cmd_write_insert, cmd_write_update, cmd_write_delete,
    cmd_write_find_and_modify;
peer_command_fn cmd_read_find, cmd_read_get_more, cmd_read_kill_cursors,
    cmd_read_count, cmd_read_aggregate;
peer_command_fn cmd_say_hello, cmd_say_build_info, cmd_say_ok,
    cmd_say_get_parameter, cmd_say_profile, cmd_say_connection_status,
    cmd_say_repl_status, cmd_say_server_status, cmd_say_cmd_line;
peer_command_fn cmd_admin_list_collections, cmd_admin_list_indexes,
    cmd_admin_list_databases, cmd_admin_coll_mod, cmd_admin_create,
    cmd_admin_create_indexes, cmd_admin_drop, cmd_admin_drop_database,
    cmd_admin_coll_stats;
peer_command_fn cmd_rig_control;

/**
 * cmd_read_give(request, ns, docs):
 * Answer with a cursor over ${docs}, which are taken over.
 */
bool cmd_read_give(struct peer_request *request, const char *ns,
                   struct store_docs *docs);

#endif /* PEER_CMD_H */
