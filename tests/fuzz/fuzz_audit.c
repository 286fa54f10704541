/*
 * Any bytes as one line of an audit log.  What is taken for a record has the
 * hash it says, over bytes of the line; and no change of one byte is taken.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/audit_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct audit_read record, other;
    uint8_t *copy;
    const char *why;

    if (size == 0 || size > AUDIT_LINE_LIMIT)
        return 0;
    why = audit_record_read((struct envl_bytes){ data, size }, &record);
    if (why != NULL) {
        check(why[0] != '\0');
        return 0;
    }
    check(record.covered.ptr == data && record.covered.len < size);
    check(data[record.covered.len] == ',');

    copy = malloc(size);
    check(copy != NULL);
    memcpy(copy, data, size);
    for (size_t i = 0; i < record.covered.len; i += 7) {
        copy[i] ^= 1;
        check(audit_record_read((struct envl_bytes){ copy, size }, &other) !=
              NULL);
        copy[i] ^= 1;
    }
    free(copy);
    return 0;
}
