#include <stdio.h>
#include <string.h>

#include "postgres/fault.h"

/* SQLSTATEs, or their first two characters, from the special to the general.
   The first that fits decides. */
static const struct sqlstate {
    const char *code;
    enum fault fault;
    const char *text;
} sqlstates[] = {
    { "55P03", FAULT_LOCKED, "a lock could not be had in time" },
    { "40P01", FAULT_LOCKED, "deadlock" },
    { "40001", FAULT_LOCKED, "serialization failure" },
    { "57014", FAULT_LOCKED, "the statement took too long or was cancelled" },
    { "22012", FAULT_FENCE, "division by zero" },
    { "22021", FAULT_ROW, "a character that the encoding does not have" },
    { "22P05", FAULT_ROW, "a character that the encoding does not have" },
    { "22001", FAULT_ROW, "the envelope is too long for the column" },
    { "23", FAULT_ROW, "a constraint refuses the row" },
    { "22", FAULT_ROW, "the row's value is refused" },
    { "44", FAULT_ROW, "the view's check refuses the row" },
    { "54000", FAULT_ROW, "the row is too large for the server or an index" },
    { "P0001", FAULT_ROW, "a trigger refuses the row" },
    { "42501", FAULT_DENIED, "permission denied" },
    { "42P07", FAULT_OTHER, "it exists already" },
    { "42", FAULT_DRIFT, "the schema is not as expected" },
    { "0A", FAULT_DRIFT, "the schema changed, or this is not possible here" },
    { "26", FAULT_LOST, "a prepared statement is gone" },
    { "25006", FAULT_OTHER, "the server is read-only" },
    { "25P02", FAULT_OTHER, "the transaction had failed before" },
    { "25P03", FAULT_LOST, "the transaction was idle for too long" },
    { "25", FAULT_OTHER, "wrong state of the transaction" },
    { "28", FAULT_OTHER, "the login was refused" },
    { "3D", FAULT_OTHER, "no such database" },
    { "3F", FAULT_DRIFT, "no such schema" },
    { "53100", FAULT_OTHER, "the server's disk is full" },
    { "53", FAULT_OTHER, "the server is short of resources" },
    { "57P", FAULT_LOST, "the server is going down or ended the connection" },
    { "57", FAULT_OTHER, "an operator stepped in" },
    { "08", FAULT_LOST, "the connection broke" },
    { "58", FAULT_OTHER, "an input or output error on the server" },
    { "XX", FAULT_OTHER, "an internal error of the server, or damaged data" },
};

static const char *
code_of(const PGresult *result)
{
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return code == NULL ? "" : code;
}

static const struct sqlstate *
find(const char *code)
{
    for (size_t i = 0; i < sizeof(sqlstates) / sizeof(sqlstates[0]); i++) {
        const char *want = sqlstates[i].code;

        if (strncmp(code, want, strlen(want)) == 0)
            return &sqlstates[i];
    }
    return NULL;
}

enum fault
fault_of(const PGresult *result)
{
    const struct sqlstate *state = find(code_of(result));

    if (result == NULL)
        return FAULT_LOST;
    return state == NULL ? FAULT_OTHER : state->fault;
}

/* Classes whose messages name tables, columns, functions and roles only. */
static bool
speaks_of_names(const char *code)
{
    static const char *const classes[] = { "42", "3D", "3F", "28", "53", "57",
                                           "58", "25", "26", "08" };

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strncmp(code, classes[i], 2) == 0)
            return true;
    }
    return false;
}

/* The server's first line, if it may be repeated, else our own text. */
static void
describe(const PGresult *result, const char *code, enum fault_words words,
         char text[static 160])
{
    const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const struct sqlstate *state = find(code);

    if (said != NULL && (words == FAULT_ALL || (words == FAULT_NAMES &&
                                                speaks_of_names(code))))
        snprintf(text, 160, "%.*s", (int)strcspn(said, "\n"), said);
    else
        snprintf(text, 160, "%s",
                 state == NULL ? "the server refused" : state->text);
}

enum envl_status
fault_tell(const struct envl_store *store, const PGresult *result,
           const char *doing, enum fault_words words, struct envl_error *err)
{
    const char *code = code_of(result);
    enum fault fault = fault_of(result);
    enum envl_status status = ENVL_E_DATABASE;
    char text[160];

    if (result == NULL || code[0] == '\0')
        return store_fail(store, err, ENVL_E_DATABASE,
                          "%s: the connection was lost", doing);
    if (fault == FAULT_LOCKED)
        status = ENVL_E_LOCKED;
    else if (fault == FAULT_DENIED)
        status = ENVL_E_POLICY;
    describe(result, code, words, text);
    store_fail(store, err, status, "%s: %s (SQLSTATE %s)", doing, text, code);
    if (fault == FAULT_DENIED)
        store_hint(store, err, "envelope plan --ddl prints the grants that "
                   "are needed");
    else if (fault == FAULT_DRIFT)
        store_hint(store, err, "if the table was changed while it was swept, "
                   "run envelope plan, then run the job again");
    else if (strcmp(code, "25006") == 0)
        store_hint(store, err, "connect to the primary, as a role and to a "
                   "database without default_transaction_read_only");
    else if (strncmp(code, "26", 2) == 0)
        store_hint(store, err, "behind a pooler use session pooling, or "
                   "connect to the server itself");
    return status;
}
