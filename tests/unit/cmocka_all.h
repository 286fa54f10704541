/*
 * cmocka_all.h - what cmocka.h wants before it, and a few shorthands.
 */
#ifndef UNIT_CMOCKA_ALL_H
#define UNIT_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <envelope/bytes.h>

/* A literal with its length, U+0000 included. */
#define LITERAL(s) ((struct envl_bytes)LITERAL_INIT(s))
#define LITERAL_INIT(s) { (const uint8_t *)(s), sizeof(s) - 1 }

/* The bytes of lower-case hex in static storage, one call at a time. */
static inline struct envl_bytes
from_hex(const char *hex)
{
    static uint8_t slots[8][4096];
    static unsigned next;
    uint8_t *out = slots[next++ % 8];
    size_t len = strlen(hex) / 2;

    assert_true(len <= sizeof(slots[0]));
    for (size_t i = 0; i < len; i++) {
        unsigned value;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        out[i] = (uint8_t)value;
    }
    return (struct envl_bytes){ out, len };
}

#endif /* UNIT_CMOCKA_ALL_H */
