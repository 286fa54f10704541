#include <stdlib.h>
#include <string.h>

#include "printable.h"

size_t
printable_control(const char *text)
{
    const unsigned char c = (unsigned char)text[0];

    if ((c != 0 && c < 0x20) || c == 0x7f)
        return 1;
    /* U+0080 to U+009F: terminals obey them, too */
    if (c == 0xc2 && (unsigned char)text[1] >= 0x80 &&
        (unsigned char)text[1] < 0xa0)
        return 2;
    return 0;
}

static void
clean_string(json_t *value)
{
    char *copy = strdup(json_string_value(value)), *to = copy;

    if (copy == NULL) {
        json_string_set(value, "?");
        return;
    }
    for (const char *from = copy; *from != '\0';) {
        size_t len = printable_control(from);

        *to++ = len > 0 ? '?' : *from;
        from += len > 0 ? len : 1;
    }
    *to = '\0';
    json_string_set(value, copy);
    free(copy);
}

void
printable_json(json_t *value)
{
    const char *name;
    json_t *item;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_STRING:
        clean_string(value);
        break;
    case JSON_ARRAY:
        json_array_foreach(value, i, item)
            printable_json(item);
        break;
    case JSON_OBJECT:
        json_object_foreach(value, name, item)
            if (strcmp(name, "ddl") != 0)
                printable_json(item);
        break;
    default:
        break;
    }
}
