/*
 * Any bytes as a keyring file.  A refusal is one printable line; what is
 * accepted is written in one way, and reads back as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "keyring/ring_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_doc(const struct ring_doc *doc)
{
    check(doc->generation >= 1 && doc->unlock_count >= 1);
    for (size_t i = 0; i < doc->key_count; i++) {
        const struct ring_key *entry = &doc->keys[i];
        struct envl_bytes kid = envl_bytes_of(entry->key.info.kid);

        check(key_name_valid(kid) && ring_doc_find(doc, kid) == entry);
        check(!entry->has_material ||
              (entry->key.info.state != ENVL_KEY_DESTROYED &&
               entry->key.info.provider[0] == '\0'));
        if (entry->key.info.state == ENVL_KEY_ACTIVE)
            check(ring_doc_active(doc, entry->key.info.use,
                                  envl_bytes_of(entry->key.info.scope)) ==
                  entry);
    }
}

static void
print(const struct ring_doc *doc, struct envl_buf *out)
{
    check(ring_text_print(doc, out, NULL) == ENVL_OK &&
          ring_text_finish(doc->mac, out, NULL) == ENVL_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envl_buf once = ENVL_BUF_INIT, twice = ENVL_BUF_INIT;
    struct envl_error err = { ENVL_OK, "", "" };
    struct ring_doc doc = { .id = "" }, again = { .id = "" };
    struct envl_bytes line;

    if (ring_text_parse((struct envl_bytes){ data, size }, &doc, &line,
                        &err) != ENVL_OK) {
        check(err.status == ENVL_E_INTEGRITY && err.message[0] != '\0');
        for (const char *p = err.message; *p != '\0'; p++)
            check((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
        return 0;
    }
    check(line.ptr == data && line.len < size && data[line.len] == '\n');
    check_doc(&doc);
    print(&doc, &once);
    check(ring_text_parse(envl_buf_view(&once), &again, &line, NULL) ==
          ENVL_OK);
    print(&again, &twice);
    check(once.len == twice.len && memcmp(once.ptr, twice.ptr, once.len) == 0);
    ring_doc_free(&doc);
    ring_doc_free(&again);
    envl_buf_free(&once);
    envl_buf_free(&twice);
    return 0;
}
