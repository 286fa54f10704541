#include <string.h>

#include "common/say.h"
#include "mongo/fault.h"

/* Error codes of MongoDB; a few stem from others (servers.md). */
static const struct known {
    int32_t code;
    enum fault fault;
    const char *text;
} known[] = {
    { 24, FAULT_LOCKED, "a lock could not be had in time" },
    { 50, FAULT_LOCKED, "it took too long" },
    { 64, FAULT_LOCKED, "the majority did not confirm it in time" },
    { 112, FAULT_LOCKED, "somebody else wrote the same document" },
    { 202, FAULT_LOCKED, "the network was too slow for the time allowed" },
    { 262, FAULT_LOCKED, "it took too long" },
    { 290, FAULT_LOCKED, "it took too long" },
    { 46, FAULT_LOCKED, "a lock is held by somebody else" },

    { 121, FAULT_ROW, "the collection's validator refuses the document" },
    { 525074461, FAULT_ROW, "the collection's validator refuses the document" },
    { 11000, FAULT_EXISTS, "a unique index refuses the document" },
    { 11001, FAULT_EXISTS, "a unique index refuses the document" },
    { 12582, FAULT_EXISTS, "a unique index refuses the document" },
    { 48, FAULT_EXISTS, "it exists already" },
    { 85, FAULT_EXISTS, "an index of other options exists already" },
    { 86, FAULT_EXISTS, "an index of that name exists already" },
    { 68, FAULT_EXISTS, "it exists already" },

    { 28, FAULT_MOVED, "the document has another shape" },
    { 54, FAULT_MOVED, "the document has another shape" },
    { 16837, FAULT_MOVED, "the document has another shape" },
    { 28689, FAULT_MOVED, "the document has another shape" },

    { 10334, FAULT_LARGE, "the document would be too large" },
    { 17419, FAULT_LARGE, "the document would be too large" },
    { 17420, FAULT_LARGE, "the document would be too large" },
    { 17280, FAULT_LARGE, "an index entry would be too large" },
    { 17282, FAULT_LARGE, "an index entry would be too large" },

    { 13, FAULT_DENIED, "a right is missing" },
    { 11, FAULT_DENIED, "there is no such user" },
    { 18, FAULT_OTHER, "the login was refused" },

    { 59, FAULT_MISSING, "the server has no such command" },
    { 115, FAULT_MISSING, "the server does not support it" },
    { 238, FAULT_MISSING, "the server does not have it" },
    { 40324, FAULT_MISSING, "the server has no such stage" },
    { 168, FAULT_MISSING, "the server has no such operator" },
    { 31325, FAULT_MISSING, "the server has no such operator" },

    { 6, FAULT_LOST, "the host cannot be reached" },
    { 7, FAULT_LOST, "the host is not found" },
    { 89, FAULT_LOST, "the network was too slow" },
    { 91, FAULT_LOST, "the server is going down" },
    { 189, FAULT_LOST, "the primary stepped down" },
    { 9001, FAULT_LOST, "the connection broke" },
    { 10058, FAULT_LOST, "the server is not the primary" },
    { 10107, FAULT_LOST, "the server is not the primary" },
    { 11600, FAULT_LOST, "the server is going down" },
    { 11602, FAULT_LOST, "the primary stepped down" },
    { 13435, FAULT_LOST, "the server is not the primary" },
    { 13436, FAULT_LOST, "the server is not ready" },
    { 133, FAULT_LOST, "no primary can be found" },
    { 317, FAULT_LOST, "the connection broke" },

    { 26, FAULT_OTHER, "there is no such collection" },
    { 20, FAULT_OTHER, "the server cannot do it in this deployment" },
    { 72, FAULT_OTHER, "the server refuses an option" },
    { 100, FAULT_OTHER, "the set has too few members for a majority" },
    { 14031, FAULT_OTHER, "the server's disk is full" },
    { 39, FAULT_OTHER, "a file of the server cannot be opened" },
};

/* How errors without a number of their own begin. */
static const struct phrase {
    const char *text;
    enum fault fault;
} phrases[] = {
    { "no such command", FAULT_MISSING },
    { "no such cmd", FAULT_MISSING },
    { "Document failed validation", FAULT_ROW },
    { "not master", FAULT_LOST },
    { "not writable primary", FAULT_LOST },
    { "node is recovering", FAULT_LOST },
    { "not authorized", FAULT_DENIED },
    { "Cannot create field", FAULT_MOVED },
};

static const struct known *
find(int32_t code)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].code == code)
            return &known[i];
    }
    return NULL;
}

enum fault
fault_of(int32_t code, const char *said)
{
    const struct known *entry = find(code);

    if (entry != NULL)
        return entry->fault;
    for (size_t i = 0; said != NULL &&
                       i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (strstr(said, phrases[i].text) != NULL)
            return phrases[i].fault;
    }
    return FAULT_OTHER;
}

static enum envl_status
status_of(enum fault fault)
{
    switch (fault) {
    case FAULT_LOCKED:
        return ENVL_E_LOCKED;
    case FAULT_DENIED:
        return ENVL_E_POLICY;
    default:
        return ENVL_E_DATABASE;
    }
}

/* libmongoc gives one text for all; these words are its own. */
static const char *
why_lost(const struct answer *answer)
{
    const char *text = answer->error.message;

    if (answer->error.domain == MONGOC_ERROR_CLIENT &&
        answer->error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE)
        return "the login was refused";
    if (strstr(text, "TLS handshake failed") != NULL ||
        strstr(text, "TLS connection") != NULL ||
        strstr(text, "ertificate") != NULL)
        return "no TLS connection that verifies the server could be made";
    if (strstr(text, "uthentication failed") != NULL)
        return "the login was refused";
    if (answer->error.domain == MONGOC_ERROR_SERVER_SELECTION &&
        strstr(text, "wire version") != NULL)
        return "the server speaks another version of the protocol";
    if (strstr(text, "refused") != NULL)
        return "the connection was refused";
    if (strstr(text, "Failed to resolve") != NULL)
        return "the name of the host cannot be resolved";
    if (strstr(text, "timeout") != NULL || strstr(text, "timed out") != NULL)
        return "no answer came in time";
    if (answer->error.domain == MONGOC_ERROR_SERVER_SELECTION)
        return "no server of the deployment takes writes now";
    return "the connection was lost";
}

enum envl_status
fault_tell(const struct envl_store *store, const struct answer *answer,
           const char *doing, struct envl_error *err)
{
    const struct known *entry = find(answer->code);
    enum fault fault = fault_of(answer->code, answer->said);
    enum envl_status status = status_of(fault);

    if (answer->lost)
        return say_fail(store->host, err, ENVL_E_DATABASE, "%s: %s", doing,
                        why_lost(answer));
    say_fail(store->host, err, status, "%s: %s (MongoDB code %d)", doing,
             entry == NULL ? "the server refused" : entry->text,
             answer->code);
    if (fault == FAULT_DENIED)
        say_hint(store->host, err, "envelope plan --ddl prints the role that "
                 "is needed");
    else if (answer->code == 10107 || answer->code == 13435)
        say_hint(store->host, err, "name all members of the set, and "
                 "replicaSet=, in the connection string, so that the primary "
                 "is found");
    return status;
}
