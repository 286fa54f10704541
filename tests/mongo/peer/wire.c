#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define MESSAGE_MOST (64 * 1024 * 1024)
#define HEADER 16u
#define OP_REPLY 1
#define OP_QUERY 2004
#define OP_MSG   2013

static bool
read_all(int fd, uint8_t *at, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool
write_all(int fd, const uint8_t *at, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static int32_t
get32(const uint8_t *at)
{
    int32_t number;

    memcpy(&number, at, sizeof(number)); /* the peer runs on what it tests */
    return number;
}

static bool
take_doc(const uint8_t *at, size_t left, bson_t *out, size_t *len)
{
    int32_t size;

    if (left < 5)
        return false;
    size = get32(at);
    *len = (size_t)size;
    return size >= 5 && (size_t)size <= left &&
           bson_init_static(out, at, (size_t)size);
}

/* A document sequence becomes an array of the body. */
static bool
take_sequence(const uint8_t *at, size_t len, bson_t *body)
{
    const char *name = (const char *)at;
    size_t used = strnlen(name, len) + 1, size;
    bson_t array, doc;
    uint32_t n = 0;
    char key[16];
    bool good = true;

    if (used > len)
        return false;
    bson_append_array_begin(body, name, -1, &array);
    while (good && used < len) {
        good = take_doc(at + used, len - used, &doc, &size);
        if (good) {
            snprintf(key, sizeof(key), "%u", n++);
            good = bson_append_document(&array, key, -1, &doc);
            used += size;
        }
    }
    bson_append_array_end(body, &array);
    return good;
}

static bool
parse_msg(const uint8_t *at, size_t len, struct wire_message *message)
{
    size_t used = 4, size;
    uint32_t flags;
    bson_t doc;

    if (len < 5)
        return false;
    flags = (uint32_t)get32(at);
    message->more_to_come = (flags & 2) != 0;
    if ((flags & 1) != 0)
        len -= 4; /* a checksum, which is optional to read */
    /* The body first, wherever it stands. */
    for (int pass = 0; pass < 2; pass++) {
        for (used = 4; used < len; used += 1 + size) {
            if (at[used] == 0) {
                if (!take_doc(at + used + 1, len - used - 1, &doc, &size))
                    return false;
                if (pass == 0)
                    bson_concat(&message->body, &doc);
                continue;
            }
            if (at[used] != 1 || len - used < 5)
                return false;
            size = (size_t)get32(at + used + 1);
            if (size < 4 || size > len - used - 1)
                return false;
            if (pass == 1 && !take_sequence(at + used + 5, size - 4,
                                            &message->body))
                return false;
        }
    }
    return true;
}

static bool
parse_query(const uint8_t *at, size_t len, struct wire_message *message)
{
    const char *ns = (const char *)at + 4;
    size_t name, size;
    bson_t doc, inner;
    bson_iter_t iter;

    if (len < 4 + 1 + 8 + 5)
        return false;
    name = strnlen(ns, len - 4);
    if (4 + name + 1 + 8 >= len ||
        !take_doc(at + 4 + name + 9, len - 4 - name - 9, &doc, &size))
        return false;
    message->legacy = true;
    snprintf(message->db, sizeof(message->db), "%.*s",
             (int)strcspn(ns, "."), ns);
    if (bson_iter_init_find(&iter, &doc, "$query") &&
        BSON_ITER_HOLDS_DOCUMENT(&iter)) {
        const uint8_t *data;
        uint32_t data_len;

        bson_iter_document(&iter, &data_len, &data);
        return bson_init_static(&inner, data, data_len) &&
               bson_concat(&message->body, &inner);
    }
    return bson_concat(&message->body, &doc);
}

bool
wire_read(int fd, struct wire_message *message)
{
    uint8_t header[HEADER], *rest;
    bson_iter_t iter;
    size_t len;
    bool good;

    *message = (struct wire_message){ 0 };
    if (!read_all(fd, header, HEADER) || get32(header) < (int32_t)HEADER ||
        get32(header) > MESSAGE_MOST)
        return false;
    len = (size_t)get32(header) - HEADER;
    message->id = get32(header + 4);
    rest = malloc(len + 1);
    if (rest == NULL || !read_all(fd, rest, len)) {
        free(rest);
        return false;
    }
    bson_init(&message->body);
    good = get32(header + 12) == OP_MSG
               ? parse_msg(rest, len, message)
               : get32(header + 12) == OP_QUERY &&
                 parse_query(rest, len, message);
    free(rest);
    if (good && bson_iter_init_find(&iter, &message->body, "$db") &&
        BSON_ITER_HOLDS_UTF8(&iter))
        snprintf(message->db, sizeof(message->db), "%s",
                 bson_iter_utf8(&iter, NULL));
    if (!good)
        bson_destroy(&message->body);
    return good;
}

static void
put32(uint8_t *at, int32_t number)
{
    memcpy(at, &number, sizeof(number));
}

/* Spoil the message of ${len} bytes; its document begins at ${doc}. */
static void
spoil(uint8_t *bytes, size_t len, size_t doc, enum fault_kind kind)
{
    switch (kind) {
    case FAULT_BAD_LENGTH:
        put32(bytes, 3);
        break;
    case FAULT_HUGE_LENGTH:
        put32(bytes, INT32_MAX);
        break;
    case FAULT_WRONG_ANSWER:
        put32(bytes + 8, get32(bytes + 8) + 77);
        break;
    case FAULT_WRONG_OPCODE:
        put32(bytes + 12, 4711);
        break;
    case FAULT_TRUNCATED:
        put32(bytes + doc, (int32_t)(len - doc) + 100);
        break;
    case FAULT_BAD_BSON:
        bytes[doc + 4] = 0x55;
        break;
    default:
        break;
    }
}

bool
wire_reply(int fd, const struct wire_message *message, const bson_t *reply,
           enum fault_kind kind)
{
    size_t doc = HEADER + (message->legacy ? 20 : 5), len = doc + reply->len;
    uint8_t *bytes = calloc(1, len);
    bool good;

    if (bytes == NULL)
        return false;
    put32(bytes, (int32_t)len);
    put32(bytes + 4, 1);
    put32(bytes + 8, message->id);
    put32(bytes + 12, message->legacy ? OP_REPLY : OP_MSG);
    if (message->legacy) {
        put32(bytes + HEADER, 8);          /* AwaitCapable  */
        put32(bytes + HEADER + 16, 1);     /* one document  */
    }
    memcpy(bytes + doc, bson_get_data(reply), reply->len);
    spoil(bytes, len, doc, kind);
    if (kind == FAULT_CUT_MIDDLE)
        len /= 2;
    good = write_all(fd, bytes, len);
    free(bytes);
    return good && kind != FAULT_CUT_MIDDLE;
}
