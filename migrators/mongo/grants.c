#include <string.h>

#include "mongo/grants.h"
#include "mongo/record.h"

/* Where the text goes. */
struct paper {
    void (*append)(void *cookie, const char *text);
    void *cookie;
    bool failed;
};

static void
put(struct paper *paper, const char *text)
{
    paper->append(paper->cookie, text);
}

/* As a string of JavaScript; names hold no control characters but may hold
   quotes. */
static void
put_name(struct paper *paper, const char *name)
{
    char quoted[2 * 255 + 3];
    size_t len = 0;

    quoted[len++] = '"';
    for (; *name != '\0' && len < sizeof(quoted) - 3; name++) {
        if (*name == '"' || *name == '\\')
            quoted[len++] = '\\';
        quoted[len++] = *name;
    }
    quoted[len++] = '"';
    quoted[len] = '\0';
    put(paper, quoted);
}

/* { resource: { db: "x", collection: "y" }, actions: [...] }, */
static void
put_privilege(struct paper *paper, const char *database,
              const char *collection, const char *actions)
{
    put(paper, "    { resource: { db: ");
    put_name(paper, database);
    put(paper, ", collection: ");
    put_name(paper, collection);
    put(paper, " }, actions: [");
    put(paper, actions);
    put(paper, "] },\n");
}

static void
put_collection(struct paper *paper, const char *name)
{
    put(paper, "db.getSiblingDB(\"" RECORD_DATABASE "\").");
    put(paper, name);
    put(paper, ".createIndex({ database: 1, job: 1 }, { name: \"by_job\" })"
        "\n");
}

/* Only for those who set guards.  spec: MIG-70 */
static void
put_guard(struct paper *paper, const struct envl_store *store,
          struct envl_target *const *targets, uint32_t count)
{
    if (!store->server.coll_mod)
        return;
    put(paper, "    // For envelope guard only:\n");
    for (uint32_t i = 0; i < count; i++)
        put_privilege(paper, store->database, targets[i]->name,
                      "\"collMod\"");
    put_privilege(paper, RECORD_DATABASE, "guard",
                  "\"find\", \"insert\", \"update\", \"remove\"");
}

enum envl_status
grants_ddl(struct envl_store *store, struct envl_target *const *targets,
           uint32_t count, void (*append)(void *cookie, const char *text),
           void *cookie, struct envl_error *err)
{
    static const char *const state[] = { RECORD_JOBS, RECORD_RANGES,
                                         RECORD_QUARANTINE };
    struct paper paper = { append, cookie, false };

    (void)err;
    put(&paper, "// For mongosh.  The state of jobs: ids, counts, reasons and "
        "MACs, never a value.\n");
    for (size_t i = 0; i < 3; i++)
        put_collection(&paper, state[i]);
    put(&paper, "\n// What the user of the sweep needs, and nothing more.\n"
        "db.getSiblingDB(\"admin\").createRole({ role: \"envelopeSweep\", "
        "roles: [], privileges: [\n");
    for (uint32_t i = 0; i < count; i++)
        put_privilege(&paper, store->database, targets[i]->name,
                      "\"find\", \"update\", \"listIndexes\"");
    put_privilege(&paper, store->database, "", "\"listCollections\"");
    put_privilege(&paper, store->database, "system.profile", "\"find\"");
    for (size_t i = 0; i < 3; i++)
        put_privilege(&paper, RECORD_DATABASE, state[i],
                      "\"find\", \"insert\", \"update\", \"remove\"");
    if (store->server.mongos)
        put_privilege(&paper, "config", "collections", "\"find\"");
    if (store->server.set[0] != '\0') {
        put(&paper, "    // Not needed, but the oplog's window and the "
            "members' lag are told with it:\n    ");
        put_privilege(&paper, "local", "oplog.rs", "\"find\"");
        put(&paper, "    { resource: { cluster: true }, actions: "
            "[\"replSetGetStatus\", \"getParameter\"] },\n");
    } else {
        put(&paper, "    { resource: { cluster: true }, actions: "
            "[\"getParameter\"] },\n");
    }
    put_guard(&paper, store, targets, count);
    put(&paper, "] })\n// db.getSiblingDB(\"admin\").grantRolesToUser(USER, "
        "[\"envelopeSweep\"])\n");
    return ENVL_OK;
}
